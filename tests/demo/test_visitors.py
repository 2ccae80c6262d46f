from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.demo.visitors import COOKIE_DAYS, UNKNOWN, network_of, new_visitor_id, signed, visitor_in


@pytest.mark.parametrize(
    ("remote", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("2001:DB8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8:1:2::1]:443", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::1]", "2001:db8:1:2::/64"),
        (None, UNKNOWN),
        ("", UNKNOWN),
        ("unknown", UNKNOWN),
        ("203.0.113", UNKNOWN),
        ("203.0.113.010", UNKNOWN),
        ("3405803785", UNKNOWN),
        ("203.0.113.9, 1.2.3.4", UNKNOWN),
        ("<script>", UNKNOWN),
    ],
)
def test_a_network_is_an_ipv4_address_or_an_ipv6_prefix_of_64_bits(remote: str | None, network: str) -> None:
    assert network_of(remote, None, 0) == network


def test_without_proxies_the_forwarded_header_is_ignored() -> None:
    assert {network_of("203.0.113.9", f"10.0.0.{n}", 0) for n in range(5)} == {"203.0.113.9"}


@pytest.mark.parametrize(
    ("forwarded_for", "hops", "network"),
    [
        ("1.2.3.4, 203.0.113.9", 1, "203.0.113.9"),
        ("203.0.113.9", 1, "203.0.113.9"),
        ("1.2.3.4, 203.0.113.9, 10.0.0.1", 2, "203.0.113.9"),
        ("203.0.113.9", 2, UNKNOWN),
        ("1.2.3.4,", 1, UNKNOWN),
        ("1.2.3.4, nonsense", 1, UNKNOWN),
        ("", 1, UNKNOWN),
        (None, 1, UNKNOWN),
    ],
)
def test_behind_proxies_the_address_seen_by_the_outermost_counts(
    forwarded_for: str | None, hops: int, network: str
) -> None:
    assert network_of("10.0.0.2", forwarded_for, hops) == network


@given(st.text(alphabet="0123456789abcdef.:,[]% ", max_size=60), st.integers(1, 3))
def test_the_proxys_own_entry_counts_against_forged_ones(written: str, hops: int) -> None:
    seen = ", ".join(["203.0.113.9", *["10.0.0.1"] * (hops - 1)])
    assert network_of("10.0.0.2", f"{written}, {seen}", hops) == "203.0.113.9"


def test_the_cookie_identifies_the_visitor() -> None:
    visitor = new_visitor_id()
    assert len(visitor) == 32
    assert visitor != new_visitor_id()
    assert visitor_in("secret", signed("secret", visitor)) == visitor


@pytest.mark.parametrize("cookie", [None, "", "a", "a" * 10_000, "é.b.c", f"{'a' * 32}.b.c", "a" * 32])
def test_a_forged_cookie_is_refused(cookie: str | None) -> None:
    assert visitor_in("secret", cookie) is None


def test_a_changed_cookie_or_one_of_another_secret_is_invalid() -> None:
    cookie = signed("secret", new_visitor_id())
    assert visitor_in("another", cookie) is None
    other = "0" if cookie[0] != "0" else "1"
    assert visitor_in("secret", other + cookie[1:]) is None
    assert visitor_in("secret", signed("secret", "local")) is None


def test_an_old_cookie_is_invalid(monkeypatch: pytest.MonkeyPatch) -> None:
    cookie = signed("secret", new_visitor_id())
    then = time.time() + COOKIE_DAYS * 86_400 + 60
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: then)
    assert visitor_in("secret", cookie) is None


def test_signing_needs_a_secret() -> None:
    with pytest.raises(ValueError, match="without a secret"):
        signed("", new_visitor_id())
    with pytest.raises(ValueError, match="without a secret"):
        visitor_in("", "cookie")

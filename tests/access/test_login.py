"""Logins: valid claims of listed users are accepted, all others refused."""

from __future__ import annotations

from typing import Any

import pytest

from components.access.login import Access, LoginEnded, NotLetIn, access_of, login_problem, owner_of, providers_of
from components.settings import read_settings

NOW = 1_800_000_000.0
CLAIMS: dict[str, Any] = {
    "iss": "https://login.example",
    "sub": "42",
    "exp": NOW + 1,
    "email": "Anna@Example.org",
    "email_verified": True,
}


@pytest.mark.parametrize(
    "allow",
    [(), ("anna@example.org",), ("ANNA@EXAMPLE.ORG",), ("@example.org",), ("@other", "@example.org"), ("sub:42",)],
)
def test_listed_users_own_their_runs_by_issuer_and_subject(allow: tuple[str, ...]) -> None:
    assert owner_of(CLAIMS, Access(allow), NOW) == "https://login.example 42"
    assert (
        owner_of({**CLAIMS, "email": "new@example.org"}, Access(("@example.org",)), NOW) == "https://login.example 42"
    )


@pytest.mark.parametrize("ends", [NOW, NOW - 1, 0, None, "never", True])
def test_an_expired_or_endless_login_is_refused(ends: object) -> None:
    with pytest.raises(LoginEnded):
        owner_of({**CLAIMS, "exp": ends}, Access(), NOW)


@pytest.mark.parametrize(
    ("allow", "changed"),
    [
        (("ben@example.org",), {}),
        (("@example.com", "@example"), {}),
        (("@example.org",), {"email_verified": False}),
        (("@example.org",), {"email_verified": "true"}),
        (("@example.org",), {"email_verified": None}),
        (("@example.org",), {"email": None}),
        (("@example.org",), {"email": "anna@evil.com@example.org.evil"}),
        (("@example.org",), {"email": "anna@sub.example.org"}),
        (("42",), {}),
        (("sub:4",), {}),
        (("",), {"email": ""}),
        (("@",), {"email": "anna"}),
    ],
)
def test_unlisted_users_are_refused(allow: tuple[str, ...], changed: dict[str, Any]) -> None:
    with pytest.raises(NotLetIn, match="not on the list"):
        owner_of({**CLAIMS, **changed}, Access(allow), NOW)


@pytest.mark.parametrize("changed", [{"sub": None}, {"sub": ""}, {"sub": 42}, {"iss": None}])
def test_claims_without_a_subject_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(NotLetIn, match="did not identify you"):
        owner_of({**CLAIMS, **changed}, Access(), NOW)


def test_two_providers_may_have_the_same_subject() -> None:
    other = {**CLAIMS, "iss": "https://other.example"}
    assert owner_of(CLAIMS, Access(), NOW) != owner_of(other, Access(), NOW)


@pytest.mark.parametrize("table", ["anna@example.org", {"allow": "@example.org"}, {"allow": [1]}, 7, {"allow": None}])
def test_an_unreadable_list_refuses_all(table: object) -> None:
    access = access_of({"access": table})
    with pytest.raises(NotLetIn, match="No login is accepted"):
        owner_of(CLAIMS, access, NOW)


def test_without_a_list_all_users_of_the_provider_are_accepted() -> None:
    assert access_of({}) == access_of({"access": {}}) == Access()
    assert access_of({"access": {"allow": [" @example.org "]}}) == Access(("@example.org",))


WHOLE = {"redirect_uri": "r", "cookie_secret": "c", "client_id": "i", "client_secret": "s", "server_metadata_url": "m"}
PROVIDER = {name: WHOLE[name] for name in ("client_id", "client_secret", "server_metadata_url")}
NAMED = {"redirect_uri": "r", "cookie_secret": "c", "one": PROVIDER, "other": PROVIDER}


@pytest.mark.parametrize(
    ("secrets", "environment", "says"),
    [
        ({}, {}, None),
        ({"auth": WHOLE}, {}, None),
        ({"auth": {**WHOLE, "client_kwargs": {"prompt": "login"}}, "access": {}}, {"TEMPERA_LOGIN": "required"}, None),
        ({"auth": NAMED}, {"TEMPERA_LOGIN": ""}, None),
        *(({"auth": {**WHOLE, name: ""}}, {}, f"has no {name}.") for name in WHOLE),
        ({"auth": {**NAMED, "other": {"client_id": "i"}}}, {}, "no other.client_secret, other.server_metadata_url."),
        ({"auth": {}}, {}, "has no redirect_uri, cookie_secret, client_id"),
        ({"auth": True}, {}, "must be a table"),
        ({"access": {"allow": ["@example.org"]}}, {}, "[access] and no [auth]"),
        ({}, {"TEMPERA_LOGIN": "required"}, "no table [auth]"),
        ({"auth": WHOLE}, {"TEMPERA_LOGIN": "off"}, "must be required, or not be set"),
    ],
)
def test_an_incomplete_login_is_reported(
    secrets: dict[str, Any], environment: dict[str, str], says: str | None
) -> None:
    problem = login_problem(read_settings(environment), secrets)
    assert problem is None if says is None else says in str(problem)


def test_each_provider_has_its_own_table() -> None:
    assert providers_of(NAMED) == ["one", "other"]
    assert providers_of({**WHOLE, "client_kwargs": {"prompt": "login"}}) == []

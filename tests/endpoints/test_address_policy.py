from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from components.endpoints.address_policy import address_in_figures, may_be_called

NOT_PUBLIC = {
    "this machine": "127.0.0.1 127.255.255.254 ::1 0.0.0.0 0.1.2.3 ::",
    "private": "10.0.0.1 172.16.0.1 172.31.255.255 192.168.0.1 fd00::1 fc00::1 fec0::1",
    "link-local and cloud metadata": "169.254.169.254 fe80::1 fe80::1%lo fd00:ec2::254",
    "metadata of other clouds": "100.100.100.200 192.0.0.192 168.63.129.16",
    "carrier-grade NAT": "100.64.0.1 100.127.255.255",
    "protocols, documentation, benchmarks": "192.0.0.1 192.0.2.1 198.51.100.1 203.0.113.1 198.18.0.1 192.88.99.1",
    "the same in IPv6": "2001:db8::1 3fff::1 100::1 5f00::1 2001:2::1",
    "multicast and reserved": "224.0.0.1 232.1.2.3 239.255.255.255 240.0.0.1 255.255.255.255 ff02::1 ff0e::1",
    "mapped": "::ffff:7f00:1 ::ffff:127.0.0.1 ::ffff:a9fe:a9fe ::ffff:0:0 ::ffff:10.0.0.1 ::7f00:1 ::127.0.0.1",
    "translated": "64:ff9b::7f00:1 64:ff9b::10.0.0.1 64:ff9b::a9fe:a9fe",
    "locally translated": "64:ff9b:1::7f00:1 64:ff9b:1::808:808 64:ff9b:1:7f00:0:100::",
    "6to4": "2002:7f00:1:: 2002:a00:1::1 2002:a9fe:a9fe::",
    "Teredo, of the server or of the client": "2001:0:7f00:1::f7f7:f7f7 2001:0:808:808::80ff:fffe",
}
PUBLIC = {
    "in IPv4": "8.8.8.8 1.1.1.1 168.63.129.17 223.255.255.255",
    "next to private ranges": "9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 126.0.0.1 128.0.0.1 169.253.0.1",
    "next to more private ranges": "172.15.0.1 172.32.0.1 192.0.1.1 192.167.0.1 192.169.0.1",
    "in IPv6": "2606:4700::1111 2a00:1450::1 2001:4860:4860::8888",
    "IPv4 in IPv6": "::ffff:8.8.8.8 64:ff9b::808:808 2002:808:808::1",
}
NO_ADDRESS = ["", "localhost", "127.1", "0x7f.1", "2130706433", "017700000001", "127.0.0.1:80", "[::1]", " 8.8.8.8"]


@pytest.mark.parametrize("address", " ".join(NOT_PUBLIC.values()).split())
def test_private_addresses_are_refused(address: str) -> None:
    assert not may_be_called(address)


@pytest.mark.parametrize("address", " ".join(PUBLIC.values()).split())
def test_public_addresses_are_allowed_also_inside_ipv6(address: str) -> None:
    assert may_be_called(address)


@pytest.mark.parametrize("text", NO_ADDRESS)
def test_other_spellings_of_addresses_are_refused(text: str) -> None:
    assert not may_be_called(text)


def test_only_the_allowed_network_is_allowed_in_each_spelling() -> None:
    networks = (ip_network("10.0.0.0/8"), ip_network("fd12::/16"))
    for allowed in ("10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "fd12::1", "8.8.8.8"):
        assert may_be_called(allowed, networks), allowed
    for refused in ("127.0.0.1", "fd13::1", "169.254.169.254", "::ffff:127.0.0.1", "192.168.0.1"):
        assert not may_be_called(refused, networks), refused


@pytest.mark.parametrize(
    ("host", "address"),
    [
        *((spelled, "127.0.0.1") for spelled in ("127.0.0.1", "127.1", "0x7f.1", "0x7F000001", "2130706433")),
        ("017700000001", "127.0.0.1"),
        ("0", "0.0.0.0"),
        ("::1", "::1"),
        ("::FFFF:7F00:1", "::ffff:7f00:1"),
        *(
            (name, None)
            for name in ("localhost", "a.example", "1.example", "", "127.0.0.1.example", "１２７.1", "1.2.3.4.5")
        ),
    ],
)
def test_a_numeric_address_is_recognised_in_each_spelling_of_resolvers(host: str, address: str | None) -> None:
    # Python 3.13 formats an IPv4 address within an IPv6 address differently.
    assert address_in_figures(host) == (address and str(ip_address(address)))

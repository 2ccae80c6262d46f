"""Which IP addresses an endpoint that a visitor typed may have: public ones, and those the operator allows.

Only addresses are checked, of the connected peer as well, because names and URLs are ambiguous.
"""

from __future__ import annotations

import ipaddress
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

# The prefix by which translators reach IPv4: RFC 6052, section 2.1. The one of RFC 8215, 64:ff9b:1::/48, is for
# translators inside a network; it is not in ``_PUBLIC_IPV6``.
_TRANSLATED = IPv6Network("64:ff9b::/96")

# All public IPv6 addresses are in here; RFC 4291, section 2.4, and IANA's registry of IPv6 address space.
_PUBLIC_IPV6 = IPv6Network("2000::/3")

# Networks that ``is_global`` of some versions of Python calls public, and that hold no public endpoint.
_NOT_PUBLIC_EITHER = (
    IPv4Network("192.0.0.0/24"),  # protocol assignments, RFC 6890; 192.0.0.192 has served secrets of cloud machines
    IPv4Network("192.88.99.0/24"),  # relays of 6to4, RFC 7526
    IPv4Network("168.63.129.16/32"),  # Azure's platform as its own machines see it; the address is otherwise public
    IPv6Network("3fff::/20"),  # documentation, RFC 9637
)


def may_be_called(address: str, allowed: tuple[IPv4Network | IPv6Network, ...] = ()) -> bool:
    """Whether an IP address is one of the public internet, by the registries of RFC 6890, or lies in ``allowed``.

    ``allowed`` are networks that the operator allows although they may be private. ``address`` is spelled as
    ``getpeername`` and ``getaddrinfo`` spell it; any other text is not public. An IPv6 address that only carries IPv4
    addresses is public when each of these is.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return all(
        any(reached in network for network in allowed) or _is_global(reached) for reached in _reached_through(parsed)
    )


def address_in_figures(host: str) -> str | None:
    """The IP address that a URL's host spells, also as 127.1, 0x7f000001 or 2130706433; None for a name."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        # Resolvers take these spellings as addresses, too: the rules are those of inet_aton, RFC 6943, section 3.1.1.
        return str(IPv4Address(socket.inet_aton(host)))
    except (OSError, UnicodeError, ValueError):
        return None


def _is_global(address: IPv4Address | IPv6Address) -> bool:
    if not address.is_global or address.is_multicast or address.is_unspecified:
        return False
    if isinstance(address, IPv6Address) and address not in _PUBLIC_IPV6:
        return False
    return not any(address in network for network in _NOT_PUBLIC_EITHER)


def _reached_through(address: IPv4Address | IPv6Address) -> tuple[IPv4Address | IPv6Address, ...]:
    """The address itself, or the IPv4 addresses to which packets for this IPv6 address go."""
    if isinstance(address, IPv4Address):
        return (address,)
    if address.ipv4_mapped:  # RFC 4291, section 2.5.5.2
        return (address.ipv4_mapped,)
    if address.sixtofour:  # RFC 3056
        return (address.sixtofour,)
    if address.teredo:  # its server and its client, RFC 4380
        return address.teredo
    if address in _TRANSLATED:
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    return (address,)

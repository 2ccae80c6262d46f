"""Identifies visitors of a demo: an id in a signed cookie, and the network of the connection."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import secrets

from itsdangerous import BadSignature, TimestampSigner

COOKIE_DAYS = 30
"""How long a visitor's id is valid."""
UNKNOWN = "unknown"
"""The network of all connections whose network is unknown: they share one budget."""

_DAY_S = 86_400
_MAX_COOKIE_CHARS = 200
_ID = re.compile(r"[0-9a-f]{32}")
_WITH_PORT = re.compile(r"\[(?P<six>[^\]]*)\](?::\d{1,5})?|(?P<four>[\d.]+):\d{1,5}")


def new_visitor_id() -> str:
    """128 random bits, as hexadecimal digits."""
    return secrets.token_hex(16)


def signed(secret: str, visitor_id: str) -> str:
    """The cookie that identifies a visitor. Raises ValueError when the secret is empty."""
    return _signer(secret).sign(visitor_id).decode()


def visitor_in(secret: str, cookie: str | None) -> str | None:
    """The id of a visitor whose cookie was signed with this secret within the last 30 days, or None.

    Raises ValueError when the secret is empty.
    """
    signer = _signer(secret)
    if not cookie or len(cookie) > _MAX_COOKIE_CHARS or not cookie.isascii():
        return None
    try:
        visitor_id = signer.unsign(cookie, max_age=COOKIE_DAYS * _DAY_S).decode()
    except BadSignature:
        return None
    return visitor_id if _ID.fullmatch(visitor_id) else None


def network_of(remote: str | None, forwarded_for: str | None, hops: int) -> str:
    """The network of a call: an IPv4 address, or the /64 of an IPv6 address, or ``UNKNOWN``.

    ``remote`` is the address of the connection. ``hops`` is the number of the operator's proxies in front of
    Tempera. Without proxies, ``forwarded_for`` (all X-Forwarded-For headers, joined by commas) is ignored, because
    any client can set it. With proxies, the address at this position from the right counts; addresses further left
    come from the visitor. All requests must then come through the proxies.
    """
    if hops <= 0:
        return _network(remote or "")
    addresses = (forwarded_for or "").split(",")
    return _network(addresses[-hops]) if len(addresses) >= hops else UNKNOWN


def _network(text: str) -> str:
    text = text.strip()
    if match := _WITH_PORT.fullmatch(text):
        text = match["six"] or match["four"] or ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return UNKNOWN
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address), 64), strict=False))


def _signer(secret: str) -> TimestampSigner:
    if not secret:
        raise ValueError("Visitors cannot be told apart without a secret to sign their cookies with.")
    return TimestampSigner(secret, salt="tempera visitor", key_derivation="hmac", digest_method=hashlib.sha256)

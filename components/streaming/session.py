"""The policy of calls to an endpoint: base URLs, headers, and which origin gets the key."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from components import __version__
from components.streaming import sentences
from components.streaming.faults import ErrorKind, StreamFault
from components.streaming.masking import MASK, Mask


def check_base_url(url: str) -> str:
    """The base URL without a trailing slash.

    Raises ValueError, with a sentence that says what to do, for a URL other than http(s)://host[:port][/path]: parsers
    and people read user names, backslashes, blanks, control and invisible characters differently.
    """
    if re.search(r"[\s\\]", url) or not url.isprintable():
        raise ValueError(sentences.BASE_URL_WITH_BLANKS)
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it checks it
    except ValueError:
        raise ValueError(sentences.BASE_URL_UNREADABLE) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(sentences.BASE_URL_WITHOUT_HOST)
    if "@" in parts.netloc:
        raise ValueError(sentences.BASE_URL_WITH_USER)
    if parts.query or parts.fragment:
        raise ValueError(sentences.BASE_URL_WITH_QUERY)
    return url.rstrip("/")


def origin_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port; a key is bound to one origin."""
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else 80)


class ApiKey:
    """An endpoint's key, bound to the origin that it was configured for. It is shown as ``***``.

    ``mask`` removes it from the texts of endpoints.
    """

    __slots__ = ("_base_url", "_origin", "_secret", "mask")

    def __init__(self, secret: str, base_url: str) -> None:
        self._secret = secret
        self._base_url = base_url
        self.mask = Mask(secret)
        self._origin = origin_of(base_url)

    def header_for(self, url: str) -> str:
        """The Authorization header's value for a call to ``url``.

        Raises StreamFault when ``url`` has another origin than the key.
        """
        if origin_of(url) != self._origin:
            raise StreamFault(ErrorKind.POLICY_REFUSED, sentences.KEY_OF_ANOTHER_ADDRESS)
        return f"Bearer {self._secret}"

    def arguments(self) -> tuple[str, str]:
        """The arguments that make this key again, for a process of this program that makes the call."""
        return self._secret, self._base_url

    def __repr__(self) -> str:
        return MASK

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (MASK, "")


def check_api_key(secret: str) -> str:
    """The key without surrounding blanks. Raises ValueError when an HTTP header cannot carry it."""
    secret = secret.strip()
    if not re.fullmatch(r"[\x21-\x7e]*", secret):
        raise ValueError(sentences.KEY_WITH_BLANKS)
    return secret


def headers_for(url: str, key: ApiKey | None, *, accept: str) -> dict[str, str]:
    """All headers of a call, by allow-list. Raises StreamFault when the key belongs to another origin."""
    headers = {
        "Accept": accept,
        # Compressed streams arrive late and can exhaust memory.
        "Accept-Encoding": "identity",
        "User-Agent": f"tempera/{__version__}",
    }
    if key is not None:
        headers["Authorization"] = key.header_for(url)
    return headers

"""The policy of calls to an endpoint: headers, redirects, proxies, and which origin gets the key."""

from __future__ import annotations

import functools
import re
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.poolmanager import PoolManager

from components import __version__
from components.streaming import sentences
from components.streaming.connect import connect
from components.streaming.faults import ErrorKind, StreamFault
from components.streaming.head import WatchedResponse
from components.streaming.masking import MASK, Mask
from components.streaming.watch import Watch


def check_base_url(url: str) -> str:
    """The base URL without a trailing slash.

    Raises ValueError, with a sentence that says what to do, for a URL that is not plainly http(s)://host[:port][/path]:
    user names, backslashes, blanks, control and invisible characters are read differently by different parsers, or by
    people.
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
    """An endpoint's key, bound to the origin it was configured for. It shows itself as ``***`` everywhere.

    ``mask`` takes it out of what endpoints say.
    """

    __slots__ = ("_origin", "_secret", "mask")

    def __init__(self, secret: str, base_url: str) -> None:
        self._secret = secret
        self.mask = Mask(secret)
        self._origin = origin_of(base_url)

    def header_for(self, url: str) -> str:
        """The Authorization header's value for a call to ``url``.

        Raises StreamFault when ``url`` lies outside the key's origin.
        """
        if origin_of(url) != self._origin:
            raise StreamFault(ErrorKind.POLICY_REFUSED, sentences.KEY_OF_ANOTHER_ADDRESS)
        return f"Bearer {self._secret}"

    def __repr__(self) -> str:
        return MASK

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (MASK, "")


def check_api_key(secret: str) -> str:
    """The key without surrounding blanks. Raises ValueError when no HTTP header could carry it."""
    secret = secret.strip()
    if not re.fullmatch(r"[\x21-\x7e]*", secret):
        raise ValueError(sentences.KEY_WITH_BLANKS)
    return secret


class Session(requests.Session):
    """The session of one call: no environment settings, no shared cookies, no redirects."""

    def __init__(
        self,
        watch: Watch,
        connect_s: float,
        on_send: Callable[[], None] = lambda: None,
        allows: Callable[[str], bool] | None = None,
    ) -> None:
        """``on_send`` is called when a connection is made, just before the request's first byte goes out.

        ``allows`` says of an IP address whether it may be called; see ``connect``.
        """
        super().__init__()
        # ~/.netrc would replace the Authorization header, and proxy variables capture loopback calls.
        self.trust_env = False
        self.headers.clear()
        adapter = _WatchedAdapter(lambda host, port: connect(watch, connect_s, host, port, allows), on_send)
        self.mount("http://", adapter)
        self.mount("https://", adapter)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None: a redirect is never followed, and requests must not drain its body to prepare one."""
        return None


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


class _WatchedAdapter(HTTPAdapter):
    """Opens connections that a watch can end in every phase."""

    def __init__(self, connect: Callable[[str, int], socket.socket], on_send: Callable[[], None]) -> None:
        self._connect = connect
        self._on_send = on_send
        super().__init__(max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        self.poolmanager = _WatchedPools(self._connect, self._on_send, num_pools=connections, maxsize=maxsize, **kwargs)


class _WatchedPools(PoolManager):
    def __init__(
        self, connect: Callable[[str, int], socket.socket], on_send: Callable[[], None], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._connect = connect
        self._on_send = on_send

    def clear(self) -> None:
        """Close every connection now: left alone, urllib3 closes them when it is collected as garbage."""
        for key in self.pools.keys():  # noqa: SIM118 - a container that is no mapping to iterate over
            self.pools[key].close()
        super().clear()

    def _new_pool(self, scheme: str, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        pool = super()._new_pool(scheme, *args, **kwargs)
        watched = _WatchedHTTPS if scheme == "https" else _Watched
        pool.ConnectionCls = functools.partial(watched, self._connect, self._on_send)  # type: ignore[assignment]
        return pool


class _Watched(HTTPConnection):
    """A connection whose socket the watch holds from before the first packet."""

    response_class = WatchedResponse

    def __init__(
        self, connect: Callable[[str, int], socket.socket], on_send: Callable[[], None], *args: Any, **kwargs: Any
    ) -> None:
        self._watched_connect = connect
        self._on_send: Callable[[], None] | None = on_send
        super().__init__(*args, **kwargs)

    def send(self, data: Any) -> None:
        """Send bytes of the request; connects first if necessary."""
        if self.sock is None:
            self.connect()
        if self._on_send:
            self._on_send()
            self._on_send = None
        super().send(data)

    def _new_conn(self) -> socket.socket:
        return self._watched_connect(self._dns_host, self.port)


class _WatchedHTTPS(_Watched, HTTPSConnection):
    pass

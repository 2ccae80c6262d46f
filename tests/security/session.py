"""The browser's side of the protocol, without a browser: verbatim requests, and the session of a page."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.web.server.starlette.starlette_app_utils import generate_xsrf_token_string
from streamlit.web.server.starlette.starlette_server_config import XSRF_COOKIE_NAME
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

_WAIT_S = 30


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """Keyed by names in lower case."""
    body: bytes


def ask(address: str, path: str, method: str = "GET", **headers: str) -> Answer:
    """The response to a request whose path is sent verbatim; other clients normalize it."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=_WAIT_S)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.putrequest(method, path, skip_host="Host" in named, skip_accept_encoding=True)
        for name, value in named.items():
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, response.read())
    finally:
        connection.close()


class Session:
    """An open page. ``received`` has the messages from the server."""

    def __init__(self, connection: ClientConnection, address: str) -> None:
        self.connection = connection
        self._address = address
        self.id = ""
        self.received: list[bytes] = []

    def open(self, page: str = "", query: str = "", url: str | None = None, fragment_id: str = "") -> bytes:
        """All messages of the script for a page, up to its end. ``url`` is the page's address.

        With a ``fragment_id``, only this fragment reruns.
        """
        message = BackMsg()
        message.rerun_script.query_string = query
        message.rerun_script.page_name = page
        message.rerun_script.fragment_id = fragment_id
        message.rerun_script.is_auto_rerun = bool(fragment_id)
        message.rerun_script.context_info.url = url or f"{self._address}/{page}?{query}"
        message.rerun_script.context_info.timezone = "UTC"
        self.connection.send(message.SerializeToString())
        before = len(self.received)
        while self.receive().WhichOneof("type") != "script_finished":
            pass
        return b"".join(self.received[before:])

    def receive(self, timeout: float = _WAIT_S) -> ForwardMsg:
        """The next message from the server."""
        frame = self.connection.recv(timeout=timeout)
        assert isinstance(frame, bytes)
        self.received.append(frame)
        message = ForwardMsg.FromString(frame)
        if message.WhichOneof("type") == "new_session":
            self.id = message.new_session.initialize.session_id or self.id
        return message


def status_of_socket(address: str, path: str, origin: str, host: str | None = None) -> int:
    """The status of the response to a WebSocket request: 101 when it may open."""
    netloc = urlsplit(address).netloc
    connection = http.client.HTTPConnection(netloc, timeout=_WAIT_S)
    headers = {"Host": host or netloc, "Origin": origin, "Upgrade": "websocket", "Connection": "Upgrade"}
    headers |= {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
    try:
        connection.request("GET", path, headers=headers)
        with connection.getresponse() as response:
            return response.status
    finally:
        connection.close()


@contextmanager
def session(address: str, host: str | None = None, **headers: str) -> Iterator[Session]:
    """A session of one of the app's pages. ``host`` is the host in the page's address.

    Like a browser, it sends the CSRF token twice; otherwise a login's cookie would be ignored.
    """
    netloc = urlsplit(address).netloc
    token = generate_xsrf_token_string()
    headers["Cookie"] = "; ".join(
        [*([headers["Cookie"]] if "Cookie" in headers else []), f"{XSRF_COOKIE_NAME}={token}"]
    )
    with (
        socket.create_connection((urlsplit(address).hostname, urlsplit(address).port), _WAIT_S) as connected,
        connect(
            f"ws://{host or netloc}/_stcore/stream",
            sock=connected,
            origin=Origin(f"http://{host or netloc}"),
            additional_headers={name.replace("_", "-"): value for name, value in headers.items()},
            subprotocols=[Subprotocol("streamlit"), Subprotocol(token)],
            proxy=None,
            max_size=None,
            open_timeout=_WAIT_S,
            close_timeout=1,
        ) as connection,
    ):
        yield Session(connection, address)

"""Slow requests are cut off; slow answers and silent sockets are not."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from uvicorn.protocols.http.auto import AutoHTTPProtocol
from websockets.sync.client import connect

from components.server.slow_requests import ArrivalLimits, end_slow_requests
from tests.browser.conftest import free_port
from tests.waiting import wait_for

LIMIT_S = 0.2


async def take(request: Request) -> PlainTextResponse:
    size = len(await request.body())
    await asyncio.sleep(3 * LIMIT_S)
    return PlainTextResponse(f"{size}")


async def talk(websocket: WebSocket) -> None:
    await websocket.accept()
    while True:
        await websocket.send_text(await websocket.receive_text())


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AutoHTTPProtocol, "connection_made", AutoHTTPProtocol.connection_made)
        end_slow_requests(ArrivalLimits(headers_s=LIMIT_S, body_s=LIMIT_S, check_each_s=0.02))
        app = Starlette(routes=[Route("/", take, methods=["POST"]), WebSocketRoute("/talk", talk)])
        server = uvicorn.Server(uvicorn.Config(app, port=free_port(), ws="websockets-sansio", log_level="error"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        wait_for(lambda: server.started)
        yield server.config.port
        server.should_exit = True
        thread.join(10)


@pytest.mark.parametrize(
    "begin",
    [b"", b"POST / HTTP/1.1\r\nHost: x\r\nA", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"],
    ids=["nothing", "headers", "body"],
)
def test_a_slow_sender_is_cut_off(port: int, begin: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(begin)
        connection.setblocking(False)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            time.sleep(0.02)
            try:
                if begin:
                    connection.send(b"a")
                assert connection.recv(1_000) == b""
                return
            except BlockingIOError:
                continue
            except (ConnectionResetError, BrokenPipeError):
                return
    pytest.fail("the connection is still open")


def test_a_slow_answer_is_not_cut_off(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
        assert connection.recv(1_000).startswith(b"HTTP/1.1 200 OK")


def test_a_silent_websocket_is_not_cut_off(port: int) -> None:
    with connect(f"ws://127.0.0.1:{port}/talk", proxy=None) as connection:
        time.sleep(3 * LIMIT_S)
        connection.send("still here")
        assert connection.recv(5) == "still here"

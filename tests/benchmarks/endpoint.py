"""An endpoint that answers at once and keeps connections open, in a process of its own: plain, or under TLS."""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import requests
import trustme

from tests.browser.conftest import ROOT

WORDS = 8


class Served(NamedTuple):
    """An endpoint: its base URL, and the authority of its certificate as a file, None without TLS."""

    base_url: str
    authority: str | None

    def connections(self) -> int:
        """The number of accepted connections, without that of this query."""
        verify = self.authority or True
        return int(requests.get(f"{self.base_url}/connections", verify=verify, timeout=5).text) - 1


def answer() -> bytes:
    """An answer of eight words, as events."""

    def event(**parts: object) -> str:
        return f"data: {json.dumps({'id': 'c', 'object': 'chat.completion.chunk', 'model': 'm', **parts})}\n\n"

    words = [event(choices=[{"index": 0, "delta": {"content": f" word{number}"}}]) for number in range(WORDS)]
    end = event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}], usage={"completion_tokens": WORDS})
    return "".join([*words, end, "data: [DONE]\n\n"]).encode()


async def serve(certificate: str | None) -> None:
    """Answer every request at once; print the port in the first line."""
    connections = 0
    said = _response("text/event-stream", answer())

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
                await reader.readexactly(int(length or 0))  # a list of models is asked for without a body
                counted = b"/connections " in head.split(b"\r\n", 1)[0]
                writer.write(_response("text/plain", b"%d" % connections) if counted else said)
                await writer.drain()
        writer.close()

    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    server = await asyncio.start_server(one, "127.0.0.1", 0, backlog=512, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def endpoint_at_once(*, tls: bool = False) -> Iterator[Served]:
    """An endpoint that answers at once."""
    with tempfile.TemporaryDirectory() as folder:
        certificate, authority = Path(folder) / "server.pem", Path(folder) / "authority.pem"
        if tls:
            made = trustme.CA()
            made.cert_pem.write_to_path(authority)
            made.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
        command = [sys.executable, "-m", "tests.benchmarks.endpoint", *([str(certificate)] if tls else [])]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            port = process.stdout.readline().strip()
            try:
                yield Served(f"http{'s' if tls else ''}://127.0.0.1:{port}/v1", str(authority) if tls else None)
            finally:
                process.terminate()


def trust(authority: str | None) -> None:
    """Let calls of this process trust certificates of this authority alone."""
    if authority:
        requests.adapters.DEFAULT_CA_BUNDLE_PATH = authority


def _response(media_type: str, content: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1] if len(sys.argv) > 1 else None))

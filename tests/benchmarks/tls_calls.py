"""The cost of a call over TLS apart from the answer, for sequential calls.

    python -m tests.benchmarks.tls_calls [--calls 400]

``requests.post`` makes a connection for each call, a session of requests keeps one. The reader is Tempera's without
the log. All take turns in one process, at an endpoint that answers at once from another. The answer alone is a
request written to an open socket and read back.
"""

from __future__ import annotations

import argparse
import socket
import ssl
import statistics
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import requests

from components.streaming.session import ApiKey
from components.streaming.stream import AnswerStream
from tests.benchmarks.endpoint import Served, answer, endpoint_at_once, trust

BODY = b'{"model": "m", "messages": [{"role": "user", "content": "Say it."}], "stream": true}'
HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer sk-tempera"}


def ways(served: Served) -> dict[str, Callable[[], object]]:
    """The ways to request the same answer."""
    url, verify = f"{served.base_url}/chat/completions", served.authority
    session = requests.Session()
    key = ApiKey("sk-tempera", served.base_url)

    def reader() -> None:
        stream = AnswerStream(served.base_url, BODY, key=key)
        for _ in stream:
            pass
        assert stream.outcome.finish_reason == "stop"

    return {
        "the answer alone": alone(served),
        "a session of requests": lambda: session.post(url, BODY, headers=HEADERS, verify=verify).content,
        "the reader": reader,
        "requests.post": lambda: requests.post(url, BODY, headers=HEADERS, verify=verify, timeout=9).content,
    }


def alone(served: Served) -> Callable[[], object]:
    """A request written to an open connection, and its answer read."""
    where = urlsplit(served.base_url)
    context = ssl.create_default_context(cafile=served.authority)
    plain = socket.create_connection((where.hostname, where.port))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection = context.wrap_socket(plain, server_hostname=where.hostname)
    request = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
    size = len(answer())

    def ask() -> None:
        connection.sendall(request)
        received = b""
        while len(received.partition(b"\r\n\r\n")[2]) < size:
            received += connection.recv(65536)

    return ask


def main() -> None:
    """Ask in turns and print the median and the processor time of each way."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.tls_calls", description=__doc__)
    parser.add_argument("--calls", type=int, default=400)
    arguments = parser.parse_args()
    with endpoint_at_once(tls=True) as served:
        trust(served.authority)
        asked = ways(served)
        took: dict[str, list[tuple[float, float]]] = {name: [] for name in asked}
        before = served.connections()
        for _ in range(arguments.calls + 1):
            for name, ask in asked.items():
                began, processor = time.perf_counter(), time.process_time()
                ask()
                took[name].append((time.perf_counter() - began, time.process_time() - processor))
        made = served.connections() - before - 1  # that of the query
    bare = statistics.median(wall for wall, _ in took["the answer alone"][1:])
    for name, measured in took.items():
        walls, processors = zip(*measured[1:], strict=True)  # the first call of each way connects
        over = (statistics.median(walls) - bare) * 1000
        print(
            f"{name:22} {statistics.median(walls) * 1000:5.2f} ms, {over:5.2f} more than the answer, "
            f"{statistics.median(processors) * 1000:5.2f} ms of the processor; first {measured[0][0] * 1000:.1f} ms"
        )
    print(f"{made} connections, {arguments.calls + 1} of them for requests.post")


if __name__ == "__main__":
    main()

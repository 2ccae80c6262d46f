"""Opens a TCP connection that a watch can end in every phase, also during the name lookup.

With a policy of allowed addresses, no other address receives a connection or a byte.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from components.streaming import sentences
from components.streaming.faults import ErrorKind, StreamFault
from components.streaming.watch import Watch


def connect(
    watch: Watch, connect_s: float, host: str, port: int, allows: Callable[[str], bool] | None = None
) -> socket.socket:
    """A connected TCP socket that the watch holds from before the first packet.

    ``allows`` returns whether an IP address, as text, may be called; without it, every address may. It checks all
    addresses of the host before the first connection, and the connected peer before the first byte.

    Raises StreamFault: the name is unknown, nothing listens, an address is not allowed, or no address answered in
    ``connect_s`` seconds together.
    """
    deadline = time.monotonic() + connect_s
    fault: StreamFault | None = None
    addresses = _addresses(watch, connect_s, host, port)
    if allows and not all(allows(address[0]) for *_, address in addresses):
        raise _refused()
    for family, kind, protocol, _, address in addresses:
        connection = socket.socket(family, kind, protocol)
        try:
            watch.hold(connection)
            connection.settimeout(max(deadline - time.monotonic(), 0.001))
            if not watch.ended:
                connection.connect(address)
                # Checked again, because the network may have redirected the connection.
                if allows and not allows(connection.getpeername()[0]):
                    raise _refused()
        except StreamFault:
            connection.close()
            raise
        except OSError as error:
            connection.close()
            fault = _connect_fault(error, host, port, connect_s)
            if watch.ended or isinstance(error, TimeoutError):
                break
        else:
            if watch.ended:  # a socket that is not connected yet cannot be shut down
                connection.close()
                break
            # Only the watch limits the time from here on: every byte would reset a read timeout.
            connection.settimeout(None)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
    raise fault or _name_fault(sentences.HOST_WITHOUT_ADDRESS.format(host=host))


def _addresses(watch: Watch, within_s: float, host: str, port: int) -> list[tuple[Any, ...]]:
    """The addresses of the host. A DNS lookup cannot be interrupted, so it runs in a thread that may be abandoned."""
    if _is_ip_address(host):
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    found: Future[list[tuple[Any, ...]]] = Future()

    def look_up() -> None:
        try:
            found.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except BaseException as problem:  # noqa: BLE001 - raised again in the calling thread
            found.set_exception(problem)
        watch.wake()

    thread = threading.Thread(target=look_up, name="look up a host", daemon=True)
    thread.start()
    watch.wait(within_s, found.done)
    if not found.done():
        raise _name_fault(sentences.HOST_NOT_FOUND_IN_TIME.format(host=host, within_s=within_s))
    thread.join()
    try:
        return found.result()
    except (socket.gaierror, UnicodeError):
        raise _name_fault(sentences.HOST_UNKNOWN.format(host=host)) from None


def _is_ip_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _name_fault(sentence: str) -> StreamFault:
    return StreamFault(ErrorKind.DNS, sentence, unprocessed=True)


def _refused() -> StreamFault:
    # Names neither host nor address: the log keeps only the name of a visitor's endpoint, and visitors must not learn
    # addresses of Tempera's network.
    return StreamFault(
        ErrorKind.ADDRESS_REFUSED,
        sentences.ADDRESS_NOT_PUBLIC,
        unprocessed=True,
    )


def _connect_fault(error: OSError, host: str, port: int, connect_s: float) -> StreamFault:
    if isinstance(error, TimeoutError):
        kind, problem = ErrorKind.CONNECT_TIMEOUT, f"did not answer within {connect_s:g} s"
    elif isinstance(error, ConnectionRefusedError):
        kind, problem = ErrorKind.CONNECT_REFUSED, "refused the connection: nothing listens there"
    else:
        kind, problem = ErrorKind.UNREACHABLE, "cannot be reached from here"
    return StreamFault(kind, sentences.CANNOT_CONNECT.format(host=host, port=port, problem=problem), unprocessed=True)

"""``python -m components.embedded``: serves the embedded model on this machine, also for Tempera itself."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn

from components.embedded import sentences, weights
from components.embedded.defaults import DEFAULT_HOST, DEFAULT_PORT, default_threads, model_id
from components.embedded.problems import EmbeddedProblem
from components.embedded.status_line import ModelPhase, StatusLine
from components.protection.private_files import keep_new_files_private
from components.settings import Settings, read_settings, variable_name

_SECONDS_TO_END = 5


class _Flags(argparse.Namespace):
    host: str
    port: int
    api_key: str
    threads: int | None
    model: Path | None
    supervised: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl+C. Returns the exit code of the process: 1 when it could not serve."""
    keep_new_files_private()
    settings = read_settings()
    flags = _read_flags(arguments, settings)
    report = _report_to_parent if flags.supervised else _TerminalReport(flags.host)
    # SIGTERM ends the process in the same orderly way as Ctrl+C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if flags.supervised:
        threading.Thread(target=_end_with_parent, name="parent watch", daemon=True).start()
    try:
        _serve(flags, settings, report)
    except EmbeddedProblem as problem:
        report(StatusLine(phase=ModelPhase.FAILED, sentence=str(problem)))
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def _serve(flags: _Flags, settings: Settings, report: Callable[[StatusLine], None]) -> None:
    if not flags.api_key and flags.host not in ("127.0.0.1", "::1", "localhost"):
        raise EmbeddedProblem(
            sentences.KEY_NEEDED.format(
                host=flags.host, variable=variable_name("embedded_api_key"), own_host=DEFAULT_HOST
            )
        )
    if not flags.threads and (problems := settings.problems.get("embedded_threads")):
        raise EmbeddedProblem(problems[0])
    threads = flags.threads or settings.embedded_threads or default_threads()
    # Before the slow steps: a port in use is reported at once.
    with _bind(flags.host, flags.port) as listener:
        path = flags.model or weights.ensure(
            settings.cache_dir,
            on_progress=lambda done, total: report(StatusLine(phase=ModelPhase.FETCHING, done=done, total=total)),
        )
        report(StatusLine(phase=ModelPhase.LOADING))
        # Imported here because it loads llama.cpp: a first start shows its progress without delay.
        from components.embedded.engine import Engine
        from components.embedded.server import create_app

        engine = Engine(path, model_id(flags.model), threads)
        ready = StatusLine(phase=ModelPhase.READY, port=listener.getsockname()[1], model=engine.model_id)
        config = uvicorn.Config(
            create_app(engine, flags.api_key),
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=5,
        )
        try:
            _Server(config, on_ready=lambda: report(ready), on_ending=engine.stop_all).run(sockets=[listener])
        finally:
            engine.close()


class _Server(uvicorn.Server):
    """A uvicorn server that calls back when it is ready, and before it waits for open connections to end."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None], on_ending: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._on_ending = on_ending

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_ending()
        await super().shutdown(sockets)


class _TerminalReport:
    """Prints status lines in words on the terminal."""

    def __init__(self, host: str) -> None:
        self._host = f"[{host}]" if ":" in host else host
        self._tenths = -1

    def __call__(self, status: StatusLine) -> None:
        match status.phase:
            case ModelPhase.FETCHING:
                tenths = 10 * status.done // max(status.total, 1)
                if tenths > self._tenths:
                    self._tenths = tenths
                    print(f"Downloading the model: {10 * tenths} % of {status.total / 1e6:.0f} MB", flush=True)
            case ModelPhase.LOADING:
                print("Loading the model", flush=True)
            case ModelPhase.READY:
                print(f"Serving {status.model} at http://{self._host}:{status.port}/v1", flush=True)
            case _:
                print(status.sentence, file=sys.stderr, flush=True)


def _report_to_parent(status: StatusLine) -> None:
    print(status.model_dump_json(exclude_defaults=True), flush=True)


def _end_with_parent() -> None:
    """End this process when standard input closes: the parent holds the other end, which closes however it dies."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_SECONDS_TO_END)
    os._exit(1)


def _bind(host: str, port: int) -> socket.socket:
    listener: socket.socket | None = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        if listener is not None:
            listener.close()
        raise EmbeddedProblem(sentences.PORT_TAKEN.format(port=port, host=host, why=error.strerror)) from None
    return listener


def _read_flags(arguments: Sequence[str] | None, settings: Settings) -> _Flags:
    parser = argparse.ArgumentParser(
        prog="python -m components.embedded", description="Serve the embedded model on this machine."
    )
    parser.add_argument("--host", default=DEFAULT_HOST, help="address to serve on (%(default)s)")
    parser.add_argument(
        "--port", type=_whole_number(0, 65535), default=DEFAULT_PORT, help="0 chooses one (%(default)s)"
    )
    parser.add_argument(
        "--api-key",
        default=settings.embedded_api_key,
        help=f"require this key from clients; also {variable_name('embedded_api_key')}",
    )
    parser.add_argument(
        "--threads",
        type=_whole_number(1, 1024),
        help=f"threads for the model ({default_threads()}); also {variable_name('embedded_threads')}",
    )
    parser.add_argument(
        "--model",
        type=Path,
        default=settings.embedded_model,
        help=f"a GGUF file instead of the built-in model; also {variable_name('embedded_model')}",
    )
    parser.add_argument(
        "--supervised",
        action="store_true",
        help="report in JSON lines on standard output, and end when standard input closes",
    )
    flags = parser.parse_args(arguments, _Flags())
    # Removed from the environment, so that child processes do not inherit it.
    os.environ.pop(variable_name("embedded_api_key"), None)
    return flags


def _whole_number(minimum: int, maximum: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = int(text)
        if not minimum <= number <= maximum:
            raise argparse.ArgumentTypeError(f"must be from {minimum} to {maximum}")
        return number

    return read


if __name__ == "__main__":
    sys.exit(main())

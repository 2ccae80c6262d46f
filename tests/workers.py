"""The workers of pytest-xdist as forks of one process that has imported their modules.

Four workers that each import pandas, SQLAlchemy and Streamlit, and once more for the apps that they start
(tests/forks.py), would take a tenth of the suite's processor time for it.
"""

from __future__ import annotations

import gc
import importlib
import os
import select
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import forkserver, util
from pathlib import Path

_LAUNCHER = Path(__file__).with_name("launch-worker")
_MODULES = (
    "tests.loaded",
    "hypothesis.strategies",
    "openai",
    "playwright.sync_api",
    "pytest",
)


@contextmanager
def forking() -> Iterator[str]:
    """The specification of a worker that is a fork of a process that runs meanwhile."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        address = f"{folder}/workers"
        listener.bind(address)
        listener.listen(64)
        root = str(_LAUNCHER.parents[1])
        code = f"import sys; sys.path.insert(0, {root!r}); from tests.workers import serve; serve({listener.fileno()})"
        command = [sys.executable, "-c", code]
        with subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[listener.fileno()]):
            listener.close()  # so that launchers are refused if that process fails
            yield f"popen//python={shlex.join([sys.executable, '-ES', str(_LAUNCHER), address])}"


def serve(file: int) -> None:
    """Fork a worker for each launcher that connects, until the standard input ends."""
    with warnings.catch_warnings(action="error"):  # as where pytest imports them
        for module in _MODULES:
            importlib.import_module(module)
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=file) as listener:
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            launcher, _ = listener.accept()
            if not os.fork():
                listener.close()
                _become_worker(launcher)
                return
            launcher.close()
    # The processor time of children counts once they were waited for.
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


def _become_worker(launcher: socket.socket) -> None:
    """Run the launcher's code on its standard input and output."""
    code, files, *_ = socket.recv_fds(launcher, 65_536, 3)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    _fork_the_forkserver()
    threading.Thread(target=_end_with, args=(launcher,), daemon=True).start()
    _run(code.decode())


def _run(code: str) -> None:
    """Run it as ``python -c`` does."""
    sys.argv = ["-c"]
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    exec(code, {"__name__": "__main__"})


def _end_with(launcher: socket.socket) -> None:
    """Wait for the launcher's end: pytest-xdist kills it to end a worker that hangs."""
    launcher.recv(1)
    os.kill(os.getpid(), signal.SIGKILL)


def _fork_the_forkserver() -> None:
    """Start the process that tests/forks.py forks as a fork of this one, too."""
    start = util.spawnv_passfds

    def fork(_program: bytes, arguments: list[str], files: list[int]) -> int:
        if child := os.fork():
            return child
        try:
            util.spawnv_passfds = start
            kept = {0, 1, 2, *files}
            for file in map(int, os.listdir("/dev/fd")):
                if file not in kept:
                    with suppress(OSError):  # that of the folder itself
                        os.close(file)
            os.dup2(2, 1)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            _run(arguments[-1])
        finally:
            os._exit(0)

    util.spawnv_passfds = fork
    forkserver.ensure_running()
    util.spawnv_passfds = start

"""Processes that start in milliseconds: forks of one that has imported their modules (tests/loaded.py).

A new interpreter needs three seconds of processor time to start the app, mostly for imports. The tests
of the container and of the settings in force start the app by its real command.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.loaded"])


def start(command: list[str], folder: Path, environment: dict[str, str], output: Path) -> BaseProcess:
    """``streamlit`` or ``uvicorn`` with these arguments, as ``python -m`` starts them in a folder."""
    process = FORKS.Process(target=_run, args=(command, folder, environment, output), daemon=True)
    process.start()
    return process


def _run(command: list[str], folder: Path, environment: dict[str, str], output: Path) -> None:
    file = os.open(output, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.umask(0o022)  # as in shells: files are readable by everyone
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = command
    sys.path.insert(0, str(folder))
    if command[0] == "streamlit":
        from streamlit.web.cli import main
    else:
        from uvicorn.main import main
    try:
        main(command[1:], prog_name=command[0])
    finally:
        atexit._run_exitfuncs()

"""The embedded model, started once for all tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.embedded import weights
from components.settings import read_settings
from tests.embedded.conftest import KEY, MODEL, ROOT, Endpoint


@pytest.fixture(scope="session")
def model_file() -> Path:
    return weights.ensure(read_settings().cache_dir)


@pytest.fixture(scope="session")
def endpoint(model_file: Path) -> Iterator[Endpoint]:
    """One real server for all tests that only send requests; it must end cleanly on SIGTERM."""
    command = [sys.executable, "-u", "-m", "components.embedded", "--port", "0", "--api-key", KEY]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == "Loading the model\n"
            serving = server.stdout.readline().split()
            assert serving[:3] == ["Serving", MODEL, "at"]
            yield Endpoint(serving[3])
        finally:
            server.terminate()
            rest = server.communicate(timeout=20)
        assert server.returncode == 0
        assert rest == ("", ""), "llama.cpp and the server must leave the terminal alone"

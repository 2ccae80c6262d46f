"""The container's start command on the files of an image, without a home and with its data elsewhere."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from components.demo.visitors import visitor_in
from tests.browser.conftest import free_port, wait_until_it_answers
from tests.deploy.container import ROOT, environment, files, instructions_named, is_sent
from tests.security.session import ask, session

SECRET = "what the operator signs with"
NOWHERE = "/proc/home"
"""A home that even root cannot create."""


@dataclass(frozen=True)
class Container:
    address: str
    app: Path
    data: Path
    variables: dict[str, str]

    def health(self, **other: str) -> int:
        """The exit code of the image's health check."""
        _, _, check = instructions_named("HEALTHCHECK")[0].partition("CMD ")
        command = [word.strip('",[]') for word in check.split()]
        return subprocess.run(command, cwd=self.app, env={**self.variables, **other}, stderr=subprocess.PIPE).returncode


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    app, data = tmp_path_factory.mktemp("app"), tmp_path_factory.mktemp("data")
    for path in filter(is_sent, files()):
        (app / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, app / path)
    (data.parent / "cookie_secret").write_text(SECRET)
    port = free_port()
    variables = {name: value.replace("/data", str(data)) for name, value in environment().items()}
    # Outside a container, only this machine may reach it.
    variables |= {"STREAMLIT_SERVER_ADDRESS": "127.0.0.1", "STREAMLIT_SERVER_PORT": str(port), "HOME": NOWHERE}
    variables |= {"TEMPERA_CACHE_DIR": str(data / "models"), "TEMPERA_DEMO": "1", "SPACE_HOST": "a-playground.hf.space"}
    variables |= {"STREAMLIT_SERVER_COOKIE_SECRET_FILE": str(data.parent / "cookie_secret")}
    variables["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [word.strip('",[]') for word in shlex.split(instructions_named("CMD")[0])]
    with (
        open(data.parent / "start.log", "w") as log,
        subprocess.Popen(command, cwd=app, env=variables, stdout=log, stderr=log) as process,
    ):
        try:
            wait_until_it_answers(f"http://127.0.0.1:{port}/healthz", data.parent / "start.log")
            yield Container(f"http://127.0.0.1:{port}", app, data, variables)
        finally:
            process.terminate()


def test_the_health_check_succeeds(container: Container) -> None:
    assert b'"log":"ok"' in ask(container.address, "/healthz").body
    assert container.health() == 0
    assert container.health(STREAMLIT_SERVER_PORT=str(free_port())) != 0


def test_it_writes_only_to_its_volume(container: Container) -> None:
    with session(container.address, "a-playground.hf.space") as visitor:
        visitor.open()
    assert (container.data / "runs.sqlite3").is_file()
    found = {str(path.relative_to(container.app)) for path in container.app.rglob("*") if path.is_file()}
    assert found == set(filter(is_sent, files()))


def test_its_secret_comes_from_a_file(container: Container) -> None:
    cookie = re.search(r"tempera_visitor=([^;]+)", ask(container.address, "/").headers["set-cookie"])
    assert cookie
    assert visitor_in(SECRET, cookie[1])
    assert visitor_in("another", cookie[1]) is None


def test_without_a_volume_the_page_warns_of_data_loss(container: Container) -> None:
    with session(container.address, "a-playground.hf.space") as visitor:
        assert b"deleted when the server restarts" in visitor.open()

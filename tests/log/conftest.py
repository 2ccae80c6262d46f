from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from components.contract.messages import Message, Role
from components.contract.profile import BEEZY
from components.contract.request import ChatCompletionStreamRequest
from components.endpoints.endpoint import Address, Endpoint
from components.log.log import Log
from components.runs.order import Placement
from components.runs.run import Run
from tests.log import postgresql
from tests.orders import order

REQUEST = ChatCompletionStreamRequest(
    model="m", messages=[Message(role=Role.USER, content="Hello")], temperature=0.2, max_tokens=None
)


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_log: Path) -> str:
    return f"sqlite:///{shutil.copyfile(migrated_log, tmp_path / 'log.sqlite3')}"


@pytest.fixture(scope="session")
def _postgresql_server() -> Iterator[None]:
    if why := postgresql.missing():
        pytest.skip(why)
    yield
    postgresql.drop_database()


@pytest.fixture
def postgresql_url(_postgresql_server: None) -> str:
    return postgresql.migrated_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """An empty migrated database of each kind: the log's guarantees hold on both."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of two megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount a disk")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


@pytest.fixture
def log(url: str) -> Iterator[Log]:
    opened = Log(url)
    yield opened
    opened.close()


@pytest.fixture
def new_run() -> Callable[[], Run]:
    return make_run


A_PLACEMENT = Placement(
    experiment_id="e" * 32, lane="left", position=1, repeat=2, timing="in turn", concurrency=4, checks="c" * 32
)


def make_run(placement: Placement | None = None, **parts: Any) -> Run:
    return Run(order(placement=placement, **parts))


def endpoint_at(base_url: str) -> Endpoint:
    return Endpoint("mine", BEEZY, Address(base_url))

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from components.contract.messages import Message
from components.contract.profile import BEEZY
from components.contract.request import ChatCompletionStreamRequest
from components.endpoints.endpoint import Address, Endpoint
from components.runs.log import Log
from components.runs.run import Run

REQUEST = ChatCompletionStreamRequest(model="m", messages=[Message.user("Hello")], temperature=0.2, max_tokens=None)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'log.sqlite3'}"


@pytest.fixture
def log(url: str) -> Iterator[Log]:
    opened = Log(url)
    yield opened
    opened.close()


@pytest.fixture
def new_run() -> Callable[[], Run]:
    def make() -> Run:
        return Run(endpoint="mine", dialect="beezy", model="m", request_body=b'{"model": "m"}', streaming=True)

    return make


def endpoint_at(base_url: str) -> Endpoint:
    return Endpoint("mine", BEEZY, Address(base_url))

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from components.contract.messages import Message, Role
from components.contract.profile import BEEZY
from components.contract.request import ChatCompletionStreamRequest
from components.demo.settings import DemoSettings
from components.endpoints.endpoint import Address, Endpoint
from components.log.log import Log
from components.log.tables import reservations
from components.runs.gate import Refused
from tests.log.conftest import _postgresql_server, log, postgresql_url, sqlite_url, url

__all__ = ["_postgresql_server", "log", "postgresql_url", "sqlite_url", "url"]

MODEL = "m"
SETTINGS = DemoSettings()
ASKED = ChatCompletionStreamRequest(model=MODEL, messages=[Message(role=Role.USER, content="Hello")], max_tokens=100)
BEGAN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def later(**time: float) -> datetime:
    """The time this long after the start."""
    return BEGAN + timedelta(**time)


def demo_endpoint(base_url: str = "http://127.0.0.1:1/v1", name: str = "mine") -> Endpoint:
    return Endpoint(name, BEEZY, Address(base_url), default_model=MODEL)


def rows(log: Log) -> list[Any]:
    """The reservations, oldest first."""
    return log.write(lambda connection: list(connection.execute(select(reservations).order_by("created_at"))))


def sentence_of(refused: pytest.ExceptionInfo[Refused]) -> str:
    return refused.value.sentence

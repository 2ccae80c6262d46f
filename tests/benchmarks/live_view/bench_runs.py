"""Runs for the benchmark's own pages and routes, started as the playground starts its own."""

from __future__ import annotations

from components.contract.messages import Message, Role
from components.contract.request import ChatCompletionStreamRequest
from components.endpoints.configuration import ENVIRONMENT, read_configuration
from components.runs.run import Run
from components.server.process import service
from components.settings import read_settings
from tests.orders import order_of

_REQUEST = ChatCompletionStreamRequest(model="m", messages=[Message(role=Role.USER, content="Count.")], stream=True)


def start_runs(count: int) -> list[Run]:
    """So many runs against the endpoint that the environment names, one right after the other."""
    endpoint = read_configuration({}, read_settings(), service().model).endpoints[ENVIRONMENT]
    return [service().runner.start(order_of(endpoint, _REQUEST)) for _ in range(count)]

"""Starts the visitor's runs. What a demo does not let through is said on the page, and nothing is sent."""

from __future__ import annotations

import streamlit as st

from components.contract.request import ChatCompletionStreamRequest, to_bytes
from components.endpoints.endpoint import AnyEndpoint
from components.runs.gate import Refused
from components.runs.run import Run
from components.service import service
from components.ui import state
from components.ui.visitor import network, owner


def start(endpoint: AnyEndpoint, request: ChatCompletionStreamRequest, draft: str | None = None) -> Run | None:
    """Start a run with what a form asks; None when it was refused. Raises UnsendableField."""
    body = to_bytes(request, endpoint.profile)
    return send(endpoint, model=request.model, body=body, streaming=request.stream, draft=draft)


def send(endpoint: AnyEndpoint, *, model: str, body: bytes, streaming: bool, draft: str | None = None) -> Run | None:
    """Start a run with these very bytes; None when it was refused, which the page says in its next run."""
    try:
        return service().runner.send(
            endpoint, model=model, body=body, streaming=streaming, draft=draft, owner=owner(), network=network()
        )
    except Refused as refused:
        st.session_state[state.RUN_PROBLEM] = refused.sentence
        return None

"""The endpoints that a visitor can choose: the operator's, and the visitor's own where allowed."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from components.endpoints.endpoint import AnyEndpoint, Endpoint
from components.server.process import service
from components.settings import read_settings

OWN_ENDPOINT = "own_endpoint"
"""The visitor's own endpoint with its key; held in the session state only."""


def available_endpoints() -> Mapping[str, AnyEndpoint]:
    """All of them by name, the operator's first. A demo has the operator's only."""
    configured = service().configuration().endpoints
    own = {} if service().demo else own_endpoints()
    return {**configured, **{name: endpoint for name, endpoint in own.items() if name not in configured}}


def own_endpoints() -> dict[str, Endpoint]:
    """The visitor's own endpoint by its name; empty when none was entered or none is allowed.

    It belongs to this session alone, so its responses must not be cached for all visitors.
    """
    # Outside a session, such as in a Dask worker, there is no own endpoint.
    endpoint: Endpoint | None = st.session_state.get(OWN_ENDPOINT) if get_script_run_ctx() else None
    # Last, because reading the settings takes longest.
    return {endpoint.name: endpoint} if endpoint and read_settings().own_endpoints else {}

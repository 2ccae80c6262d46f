"""The endpoints that a visitor can choose: the operator's, and the visitor's own where allowed."""

from __future__ import annotations

from collections.abc import Mapping

from components.endpoints.endpoint import AnyEndpoint
from components.server.process import service
from components.ui.endpoints.own_endpoint import own_endpoints


def endpoints_here() -> Mapping[str, AnyEndpoint]:
    """All of them by name, the operator's first. A demo has the operator's only."""
    configured = service().configuration().endpoints
    own = {} if service().demo else own_endpoints()
    return {**configured, **{name: endpoint for name, endpoint in own.items() if name not in configured}}

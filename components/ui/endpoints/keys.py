"""Session keys of the Endpoints page."""

from __future__ import annotations

from components.endpoints.typed import EndpointField

EDITED = "edited_endpoint"
"""The name of the endpoint in the form, empty for a new one; missing while the form is closed."""
KIND = "endpoint_kind"
FOUND = "found_servers"
"""The servers of the last search on this machine."""
PROBLEMS = "endpoint_problems"
"""The problems of the form, by field."""
PROBLEM = "endpoint_problem"
TESTED = "endpoint_test"
"""The result of the last test of the form."""
REMOVED = "removed_endpoint"
"""The name and the table of the endpoint that was removed last."""


def field(name: EndpointField) -> str:
    """The key of a field's input."""
    return f"endpoint_{name}"

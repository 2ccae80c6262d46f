"""Where Tempera's own routes are, beside those of Streamlit."""

from __future__ import annotations

from streamlit import config


def route_path(path: str) -> str:
    """Where the server has a route of ours. For a page it is ``path``, relative to that page's own address.

    All pages stand in one folder, and only the browser knows which: a proxy may have taken off what stood before it.
    """
    base = str(config.get_option("server.baseUrlPath")).strip("/")
    return f"/{base}/{path}" if base else f"/{path}"

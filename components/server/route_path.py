"""The paths of Tempera's own routes."""

from __future__ import annotations

from components.server.options import base_path


def route_path(path: str) -> str:
    """The server's path of a route. A page uses ``path``, relative to its own address.

    All pages are in one folder, which only the browser knows: a proxy may have removed a prefix.
    """
    base = base_path()
    return f"/{base}/{path}" if base else f"/{path}"

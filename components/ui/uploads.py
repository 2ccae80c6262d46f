"""File inputs of a page; ``components/server/upload_limit.py`` accepts files only while an input is shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from components.server.process import service
from components.server.upload_limit import forget_closed_sessions
from components.ui.visitor import network, owner


def draw_uploader(label: str, **options: Any) -> Any:
    """Draw an input for one file, like ``st.file_uploader``; uploads go through it alone. Raises NotLetIn."""
    uploads = service().uploads
    forget_closed_sessions(uploads)
    uploads.register(_session(), owner(), network())
    return st.file_uploader(label, **options)


@contextmanager
def whole_page() -> Iterator[None]:
    """Hold this while a whole page is drawn; inputs that are no longer drawn stop accepting files."""
    with service().uploads.page(_session()):
        yield


def _session() -> str:
    context = get_script_run_ctx()
    return context.session_id if context else ""

"""What takes a file on a page; ``components/server/upload_limit.py`` lets files in only while that is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from components.server.process import service
from components.server.upload_limit import forget_closed_sessions
from components.ui.visitor import network, owner


def draw_uploader(label: str, **more: Any) -> Any:
    """Draw what takes one file, as ``st.file_uploader`` does; only here are files taken. Raises NotLetIn."""
    uploads = service().uploads
    forget_closed_sessions(uploads)
    uploads.drawn(_session(), owner(), network())
    return st.file_uploader(label, **more)


@contextmanager
def whole_page() -> Iterator[None]:
    """Hold while a page is drawn whole, so that what it takes no longer is not taken any more."""
    with service().uploads.page(_session()):
        yield


def _session() -> str:
    context = get_script_run_ctx()
    return context.session_id if context else ""

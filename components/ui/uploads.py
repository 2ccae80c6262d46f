"""The one way in for files: what asks for one on a page, and the route that takes it only while that is there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import streamlit as st
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.runtime import Runtime, exists, get_instance
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from components.protection.uploads import UploadRefused, Uploads
from components.service import service
from components.ui.visitor import network, owner

_ROUTE = re.compile(r"/_stcore/upload_file/(?P<session>[^/]+)/[^/]+$")


def draw_uploader(label: str, **more: Any) -> Any:
    """Draw what takes one file, as ``st.file_uploader`` does; only here are files taken. Raises NotLetIn."""
    uploads, session = service().uploads, _session()
    if exists():
        runtime = get_instance()
        uploads.forget(lambda known: not runtime.is_active_session(known) and known not in _files(runtime))
    uploads.drawn(session, owner(), network())
    return st.file_uploader(label, **more)


@contextmanager
def whole_page() -> Iterator[None]:
    """Hold while a page is drawn whole, so that what it takes no longer is not taken any more."""
    with service().uploads.page(_session()):
        yield


class UploadDoor:
    """Refuses a file that no page asks for, or that is too much, with a status and a sentence."""

    def __init__(self, app: ASGIApp, uploads: Callable[[], Uploads]) -> None:
        self._app = app
        self._uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        found = _ROUTE.search(scope["path"]) if scope["type"] == "http" and scope["method"] == "PUT" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        size = Headers(scope=scope).get("content-length", "")
        runtime = get_instance()

        def free(session: str) -> bool:
            gone = not runtime.is_active_session(session)
            if gone:
                runtime.uploaded_file_mgr.remove_session_files(session)
            return gone

        try:
            if not size.isascii() or not size.isdecimal():
                raise UploadRefused(411, "Say with Content-Length how large the file is.")
            with self._uploads().coming(found["session"], int(size), lambda: _held(runtime), free):
                await self._app(scope, receive, send)
        except UploadRefused as refused:
            await PlainTextResponse(f"{refused}\n", refused.status)(scope, receive, send)


def _session() -> str:
    context = get_script_run_ctx()
    return context.session_id if context else ""


def _files(runtime: Runtime) -> Mapping[str, Mapping[str, Any]]:
    manager = runtime.uploaded_file_mgr
    return manager.file_storage if isinstance(manager, MemoryUploadedFileManager) else {}


def _held(runtime: Runtime) -> dict[str, int]:
    found = list(_files(runtime).items())
    return {session: sum(len(file.data) for file in list(files.values())) for session, files in found}

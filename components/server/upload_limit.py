"""Limits the upload route: a file only while a page asks for one, and a number of bytes per visitor."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.runtime import Runtime, exists, get_instance
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from components.protection.uploads import UploadRefused, Uploads
from components.server import sentences

_ROUTE = re.compile(r"/_stcore/upload_file/(?P<session>[^/]+)/[^/]+$")


class UploadLimit:
    """Refuses an unrequested or too large file, with a status and a sentence."""

    def __init__(self, app: ASGIApp, uploads: Callable[[], Uploads]) -> None:
        self._app = app
        self._uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        match = _ROUTE.search(scope["path"]) if scope["type"] == "http" and scope["method"] == "PUT" else None
        if match is None:
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
                raise UploadRefused(411, sentences.SIZE_UNKNOWN)
            with self._uploads().receiving(match["session"], int(size), lambda: _held_bytes(runtime), free):
                await self._app(scope, receive, send)
        except UploadRefused as refused:
            await PlainTextResponse(f"{refused}\n", refused.status)(scope, receive, send)


def forget_closed_sessions(uploads: Uploads) -> None:
    """Forget the ended sessions that hold no file."""
    if exists():
        runtime = get_instance()
        uploads.forget(lambda session: not runtime.is_active_session(session) and session not in _files(runtime))


def _files(runtime: Runtime) -> Mapping[str, Mapping[str, Any]]:
    manager = runtime.uploaded_file_mgr
    return manager.file_storage if isinstance(manager, MemoryUploadedFileManager) else {}


def _held_bytes(runtime: Runtime) -> dict[str, int]:
    files_by_session = list(_files(runtime).items())
    return {session: sum(len(file.data) for file in list(files.values())) for session, files in files_by_session}

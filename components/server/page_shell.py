"""The static HTML of all pages: a title and a description for programs that read only that.

Streamlit fills the page later, over its connection. So a link preview or a search engine finds these words and nothing
of the linked content, unless the link's owner wants a card. A script keeps input from before the page is ready.
"""

from __future__ import annotations

import html
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import file_util

from components.server.link_cards import HeadCard, head_card

_STREAMLIT_TITLE = b"<title>Streamlit</title>"
_SCRIPTS = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
_SCRIPT = (Path(__file__).parent / "page_shell.js").read_text()
_DESCRIPTION = "A playground in the browser for streaming chat completions."
_SHARED_DESCRIPTION = "An answer of a model, with its settings and timing."


class PageShell:
    """Inserts Tempera's title, description and script into HTML pages."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        shared = scope["path"].rstrip("/").endswith("/shared")
        if "." not in scope["path"].rpartition("/")[2]:
            # A page, not a file: requested uncompressed, to be edited here.
            scope = {**scope, "headers": [each for each in scope["headers"] if each[0] != b"accept-encoding"]}
        held_start: list[Message] = []
        pieces: list[bytes] = []

        async def send_with_head(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = Headers(raw=message["headers"])
                is_page = headers.get("content-type", "").startswith("text/html")
                if is_page and "content-encoding" not in headers:
                    held_start.append(message)
                    return
            elif held_start and message["type"] == "http.response.body":
                # A few kilobytes, in pieces of any size.
                pieces.append(message.get("body", b""))
                if message.get("more_body"):
                    return
                capsule_id = QueryParams(scope["query_string"]).get("c", "")
                card = await run_in_threadpool(head_card, capsule_id) if shared else None
                start, body = held_start.pop(), _with_head(b"".join(pieces), shared, card)
                if scope["method"] != "HEAD":
                    MutableHeaders(scope=start)["Content-Length"] = str(len(body))
                await send(start)
                message = {"type": "http.response.body", "body": body}
            await send(message)

        await self._app(scope, receive, send_with_head)


def script_hashes() -> str:
    """The inline scripts of a page, by their hashes for a policy: Streamlit's and Tempera's."""
    page = _with_head((Path(file_util.get_static_dir()) / "index.html").read_bytes(), shared=False)
    return " ".join(f"'sha256-{b64encode(sha256(script).digest()).decode()}'" for script in _SCRIPTS.findall(page))


def _with_head(page: bytes, shared: bool, card: HeadCard | None = None) -> bytes:
    title = "A shared answer · Tempera" if shared else "Tempera"
    meaning = _SHARED_DESCRIPTION if shared else _DESCRIPTION
    picture = '<meta name="twitter:card" content="summary">'
    if card:
        picture = (
            f'<meta property="og:image" content="{html.escape(card.picture_url)}">'
            '<meta property="og:image:width" content="1200"><meta property="og:image:height" content="630">'
            '<meta name="twitter:card" content="summary_large_image">'
        )
    head = (
        f'<title>{title}</title><meta name="description" content="{meaning}">'
        '<meta property="og:site_name" content="Tempera">'
        f'<meta property="og:title" content="{html.escape(card.title if card else title)}">'
        f'<meta property="og:description" content="{html.escape(card.description if card else meaning)}">'
        f"{picture}<script>{_SCRIPT}</script>"
    )
    return page.replace(_STREAMLIT_TITLE, head.encode(), 1)

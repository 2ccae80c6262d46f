"""Tempera's address for other people."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlencode, urlsplit

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from components.settings import read_settings, variable_name


def public_url() -> str:
    """The address of the first page, without a trailing slash.

    It is the operator's setting, else the address in this visitor's address bar. Host headers of a proxy or request are
    never used.
    """
    context = get_script_run_ctx(suppress_warning=True)
    pages = [page["url_pathname"] for page in context.pages_manager.get_pages().values()] if context else []
    return read_settings().public_address or first_page_of(st.context.url or "", pages)


def first_page_of(url: str, pages: Collection[str]) -> str:
    """The address of the first page, from the address of any of ``pages``. A proxy may have added any path prefix."""
    parts = urlsplit(url)
    before, _, last = parts.path.rstrip("/").rpartition("/")
    base = before if last in pages else f"{before}/{last}"
    return f"{parts.scheme}://{parts.netloc}{base}".rstrip("/")


def address_of(page: str, **parameters: str) -> str:
    """The address of a page with these query parameters; ``page`` is empty for the playground."""
    return f"{public_url()}/{page}?{urlencode(parameters)}"


def draw_where_it_leads(url: str) -> None:
    """Show a notice when a link works on this machine only."""
    if urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1"):
        st.caption(
            ":material/info: This address works on this machine only. "
            f"Set {variable_name('public_url')} to its public address."
        )

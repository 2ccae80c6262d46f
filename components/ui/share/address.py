"""Where other people find this Tempera."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlencode, urlsplit

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from components.settings import read_settings, variable_name


def public_url() -> str:
    """The address of the first page, without a slash at its end.

    It is the operator's, where there is one; else what stands in this visitor's own address bar. What a proxy or a
    request says of its host is never asked.
    """
    context = get_script_run_ctx(suppress_warning=True)
    pages = context.pages_manager.get_pages().values() if context else ()
    return read_settings().public_address or first_page_of(
        st.context.url or "", [page["url_pathname"] for page in pages]
    )


def first_page_of(url: str, pages: Collection[str]) -> str:
    """The address of the first page, by the address of any of ``pages``. Before it a proxy may have put any path."""
    here = urlsplit(url)
    before, _, last = here.path.rstrip("/").rpartition("/")
    base = before if last in pages else f"{before}/{last}"
    return f"{here.scheme}://{here.netloc}{base}".rstrip("/")


def is_only_local(url: str) -> bool:
    """Whether the address means this machine alone."""
    return urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")


def address_of(page: str, **parameters: str) -> str:
    """The address of a page with these query parameters; ``page`` is empty for the playground."""
    return f"{public_url()}/{page}?{urlencode(parameters)}"


def draw_where_it_leads(url: str) -> None:
    """Say so where a link works on this machine alone."""
    if is_only_local(url):
        st.caption(
            ":material/info: This address works on this machine only. "
            f"Set {variable_name('public_url')} to the one under which others reach it."
        )

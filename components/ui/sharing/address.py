"""Where other people find this Tempera."""

from __future__ import annotations

import os
from urllib.parse import urlencode, urlsplit

import streamlit as st
from streamlit import config

PUBLIC_URL = "TEMPERA_PUBLIC_URL"
"""The environment variable that says under which address other people reach this Tempera."""


def public_url_of_operator() -> str:
    """The address that whoever runs Tempera gave, without a slash at its end; empty when they gave none."""
    return os.environ.get(PUBLIC_URL, "").strip().rstrip("/")


def public_url() -> str:
    """The address of the first page, without a slash at its end.

    It is the operator's, where there is one; else what stands in this visitor's own address bar. What a proxy or a
    request says of its host is never asked.
    """
    if given := public_url_of_operator():
        return given
    here = urlsplit(str(st.context.url or ""))
    base = str(config.get_option("server.baseUrlPath")).strip("/")
    return f"{here.scheme}://{here.netloc}/{base}".rstrip("/")


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
            "Set TEMPERA_PUBLIC_URL to the one under which others reach it."
        )

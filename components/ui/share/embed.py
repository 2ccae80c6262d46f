"""The HTML that shows a shared page in a frame of another site."""

from __future__ import annotations

import html

import streamlit as st

from components.settings import read_settings

_SNIPPET = """<iframe src="{url}&amp;embed=true" title="{title}" style="width: 100%; height: 40rem; border: 0"></iframe>
<script>
  addEventListener("message", ({{ source, data }}) => {{
    for (const frame of document.querySelectorAll("iframe")) {{
      if (frame.contentWindow === source && data?.tempera) frame.style.height = `${{data.tempera.height}}px`;
    }}
  }});
</script>"""


def embedding(url: str, title: str) -> str:
    """The HTML for a page of another site. Its script fits the frame to the height that the shared page reports."""
    return _SNIPPET.format(url=html.escape(url), title=html.escape(title))


def draw_embedding(url: str, title: str) -> None:
    """Draw the HTML where the operator lets other sites show Tempera in a frame."""
    sites = read_settings().frame_ancestors
    if not sites:
        return
    with st.expander("Embed", icon=":material/code:"):
        st.code(embedding(url, title), language="html", wrap_lines=True)
        st.caption(f"Works on pages of {', '.join(sites)}.")

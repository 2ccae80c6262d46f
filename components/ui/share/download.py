"""The button that saves a capsule as a single file."""

from __future__ import annotations

import re

import streamlit as st

from components.server.process import service
from components.sharing.capsule import Capsule
from components.ui.share.single_file import single_file


def draw_download(capsule: Capsule) -> None:
    """Draw the button. The file is made when it is pressed."""
    name = re.sub(r"[^a-z0-9]+", "-", capsule.title.lower()).strip("-")[:60] or "shared"
    st.download_button(
        "Download as one file",
        lambda: single_file(capsule, service().log),
        f"{name}.html",
        "text/html",
        key="single_file",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        help="An HTML page that opens without a network, with the answers, differences, events and replay. "
        "Tempera can open it again and check that it is unchanged.",
    )

"""Opens a shared file: its content, and whether it is as it was signed."""

from __future__ import annotations

import streamlit as st

from components.sharing.capsule_file import MAX_FILE_MB, read_capsule_file
from components.sharing.signing import SignatureState
from components.ui.share import keys
from components.ui.share.shared_page import draw_capsule
from components.ui.uploads import draw_uploader
from components.ui.user_errors import show_errors
from components.ui.visitor import links

_WORDS = {
    SignatureState.OWN: (st.success, ":material/verified:", "Unchanged since this Tempera signed it."),
    SignatureState.OTHER: (
        st.info,
        ":material/verified:",
        "Unchanged since another Tempera signed it, with the key {key}. Compare the key with that of the sender.",
    ),
    SignatureState.CHANGED: (
        st.error,
        ":material/gpp_bad:",
        "Changed after it was signed. Do not rely on anything in it.",
    ),
    SignatureState.MISSING: (st.warning, ":material/gpp_maybe:", "Not signed: anyone may have changed it."),
}


@show_errors()
def draw_open_file() -> None:
    """Draw the input for a file, and its content."""
    file = draw_uploader(
        "Open a shared file",
        type=["html"],
        key=keys.SHARED_FILE,
        max_upload_size=MAX_FILE_MB,
        help="A file that *Download as one file* saved. Nothing is sent, and nothing is stored.",
    )
    if file is None:
        return
    opened = read_capsule_file(file.getvalue(), links())
    draw, icon, words = _WORDS[opened.signature.state]
    draw(words.format(key=opened.signature.key), icon=icon)
    draw_capsule(opened.capsule, None)

"""A shared capsule, read-only; without an id, the visitor's own links, and shared files."""

import streamlit as st

from components.ui.page_heading import draw_heading
from components.ui.share import keys
from components.ui.share.opened_file import draw_open_file
from components.ui.share.own_links import draw_own_links
from components.ui.share.shared_page import draw_shared

capsule_id = st.query_params.get(keys.CAPSULE_PARAMETER)
if capsule_id is None:
    # An open file has the page for itself.
    if st.session_state.get(keys.SHARED_FILE):
        draw_heading("Shared file")
    else:
        draw_own_links()
    draw_open_file()
else:
    draw_shared(capsule_id)

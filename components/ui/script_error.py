"""The message for a fault of Tempera itself while a page is drawn."""

from __future__ import annotations

import logging
import uuid

import streamlit as st

from components.access.login import NotLetIn


def report_script_error(error: Exception) -> bool:
    """Log the fault under an id and show the visitor only that id."""
    if isinstance(error, NotLetIn):  # the login ended while the page was open
        st.info(f"{error} This page stays as it is until you reload it.")
        return True
    name = uuid.uuid4().hex[:8]
    logging.getLogger("tempera").error("Fault %s", name, exc_info=error)
    st.error(f"Something went wrong in Tempera (fault {name}; details are in its terminal). Reload the page.")
    return True

"""The message for a fault of Tempera itself while a page is drawn."""

from __future__ import annotations

import logging
import uuid

import streamlit as st

from components.access.login import NotLetIn


def report_script_error(error: Exception) -> bool:
    """Log the fault under an id and show the visitor only that id."""
    if isinstance(error, NotLetIn):  # the login ended while the page was open
        st.info(f"{error} What is on this page stays until you reload it.")
        return True
    name = uuid.uuid4().hex[:8]
    logging.getLogger("tempera").error("Fault %s", name, exc_info=error)
    st.error(f"Something went wrong in Tempera itself (fault {name}; its terminal says more). Reload the page.")
    return True

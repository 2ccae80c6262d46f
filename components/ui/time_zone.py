"""The time zone of the visitor's browser."""

from __future__ import annotations

from zoneinfo import available_timezones

import streamlit as st


def time_zone() -> str:
    """The name of the zone, or UTC where the browser names none that is known here."""
    name = st.context.timezone
    return name if name in available_timezones() else "UTC"

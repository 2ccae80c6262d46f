"""The time zone of the visitor's browser, and times in it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import available_timezones

import pandas as pd
import streamlit as st


def time_zone() -> str:
    """The name of the zone, or UTC where the browser names none that is known here."""
    name = st.context.timezone
    return name if name in available_timezones() else "UTC"


def local_time(moment: str | datetime) -> pd.Timestamp:
    """The moment in the visitor's time zone; a text is one of the log, in UTC."""
    return pd.Timestamp(moment).tz_convert(time_zone())

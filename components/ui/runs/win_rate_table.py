"""The win rate of each setting in side-by-side votes."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from components.experiments.store import judgements
from components.experiments.win_rate import win_rates
from components.ui.plain_words import plain_words
from components.ui.user_errors import show_errors
from components.ui.visitor import own_log

_MEANING = (
    "Win rate: wins among decided votes, with their 95 % confidence interval (Wilson). "
    "Ties and pairs of bad answers are counted separately. Vote on the Compare page."
)


@show_errors()
def draw_win_rates() -> None:
    """Draw the table, collapsed; nothing before the first vote."""
    database = own_log().database
    rates = win_rates(judgements(database)) if database else []
    if not rates:
        return
    with st.expander(f"Win rate of {len(rates)} settings", icon=":material/how_to_vote:", key="win_rates"):
        rows = [
            {
                "setting": plain_words(rate.setting),
                "win rate": "–" if rate.rate is None else f"**{rate.rate:.0%}**",
                "between": "–" if rate.low is None else f"{rate.low:.0%} and {rate.high:.0%}",
                "wins": str(rate.wins),
                "losses": str(rate.losses),
                "ties": str(rate.ties),
                "both bad": str(rate.both_bad),
            }
            for rate in rates
        ]
        st.table(pd.DataFrame(rows).set_index("setting"), border="horizontal")
        st.caption(_MEANING)

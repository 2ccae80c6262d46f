"""A preview of temperature and top_p on an existing answer: which of its tokens could still have been drawn."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from components.experiments.resampling import Effect, resampled
from components.log.answer_tokens import tokens_of
from components.log.record import RunRecord
from components.ui.answer.probabilities import has_probabilities
from components.ui.answer.run_lookup import events_reader
from components.ui.plain_words import plain_words
from components.ui.user_errors import show_errors

_LIMITS = (
    "Only the returned alternatives are known: up to temperature 1 a share is at least this, above it at most. "
    "Temperature never changes the order of tokens, so ranks stay. After the first other token the text before the "
    "rest would differ, so what follows is a hint and no forecast."
)


def draw_sampling_preview(record: RunRecord) -> None:
    """Draw the preview, once it is opened; nothing for an answer without probabilities."""
    if record.mean_logprob is None or not has_probabilities(record):
        return
    opened = st.expander(
        "Preview temperature and top_p", icon=":material/tune:", key="sampling_preview", on_change="rerun"
    )
    if not opened.open:
        return
    with opened, show_errors():
        with st.container(horizontal=True, gap="medium"):
            temperature = st.slider("Preview of temperature", 0.0, 2.0, 0.3, 0.05, key="preview_temperature")
            top_p = st.slider("Preview of top_p", 0.05, 1.0, 0.9, 0.05, key="preview_top_p")
        pieces = tokens_of(events_reader(record)(), record.text).pieces
        tokens = [piece.tokens[0] for piece in pieces if len(piece.tokens) == 1]
        table = pd.DataFrame(
            [
                {
                    "token": number,
                    "text": f"“{token.text}”",
                    "rank": token.rank,
                    "share": None if token.logprob is None else math.exp(token.logprob),
                    "then": preview.share,
                    "fate": preview.effect.value,
                }
                for number, token in enumerate(tokens, 1)
                for preview in [resampled(token, temperature, top_p)]
            ]
        )
        st.markdown(_sentence(table, temperature, top_p))
        others = table[table["fate"] != Effect.STAYS.value]
        if not others.empty:
            st.dataframe(
                others,
                hide_index=True,
                placeholder="n/a",
                height=min(38 + 35 * len(others), 300),
                column_config={
                    "share": st.column_config.NumberColumn("probability", format="%.4f"),
                    "then": st.column_config.NumberColumn("then", format="%.4f", help="Before top_p."),
                },
            )
        st.caption(_LIMITS)


def _sentence(table: pd.DataFrame, temperature: float, top_p: float) -> str:
    counts = table["fate"].value_counts()
    effects = Effect.FALLS_OUT, Effect.MAY_FALL_OUT, Effect.UNKNOWN
    fallen_out, possible, unknown = (int(counts.get(effect.value, 0)) for effect in effects)
    sentence = f"At temperature {temperature:g} and top_p {top_p:g}, "
    if fallen_out:
        first = table[table["fate"] == Effect.FALLS_OUT.value].iloc[0]
        text = plain_words(str(first["text"]), 40)
        sentence += f"**{fallen_out:,} of {len(table):,} tokens could not have been drawn**"
        sentence += f"; the first is token {first['token']:,}, {text}."
    else:
        sentence += f"each of the {len(table):,} tokens could still have been drawn, as far as the probabilities show."
    if possible:
        sentence += f" {possible:,} may fall out: too few alternatives were returned to tell."
    return sentence + (f" {unknown:,} are unknown." if unknown else "")

"""Whether the lanes differ by more than the repeats of one lane."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import streamlit as st

from components.experiments import noise
from components.experiments.noise import FEWEST_REPEATS, Spread, Verdict
from components.experiments.numbers import incomparable
from components.live.status_words import duration
from components.log.record import RunRecord
from components.streaming.outcome import Status
from components.ui.plain_words import plain_words

_MEANING = f"""
Similarity is the share of characters that two answers have in common in the same order: 100 % for identical ones.
Of longer answers the first 20,000 characters are compared.
*Significant* means that chance alone would cause such a difference in fewer than 5 of 100 cases: a permutation test
for answers, the U test for lengths and times. It requires {FEWEST_REPEATS} repeats of both lanes. Only successful
answers are counted, and only times to first token without a retry, a wait for a slot or a cached prompt.
"""
_VERDICTS = {
    Verdict.TOO_FEW: ":gray[too few repeats]",
    Verdict.AS_MUCH: "not significant",
    Verdict.MORE: ":orange[**significant (p < 0.05)**]",
}


def draw_noise(records: Mapping[str, Sequence[RunRecord]], reference: str) -> None:
    """Draw the spread of each lane over its repeats, and the significance of its difference from the reference.

    ``records`` holds the runs of each lane by the lane's title.
    """
    ended = {title: [run for run in runs if run.status == Status.OK] for title, runs in records.items()}
    base = ended.get(reference, [])
    columns = {plain_words(title): _column(title, runs, reference, base) for title, runs in ended.items()}
    st.table(pd.DataFrame(columns).fillna("–").rename_axis("measure"), border="horizontal")
    sentences = [_sentence(title, runs, reference, base) for title, runs in ended.items() if title != reference]
    st.markdown("\n".join(f"- {sentence}" for sentence in sentences))
    st.caption(_MEANING)


def _column(title: str, runs: Sequence[RunRecord], reference: str, base: Sequence[RunRecord]) -> dict[str, str]:
    texts = _texts(runs)
    words = {
        "repeats": str(len(runs)),
        "characters": _range(noise.spread(_lengths(runs)), lambda value: f"{value:,.0f}"),
        "TTFT": _range(noise.spread(_ttfts(runs)), duration),
        "similarity within the lane": _shares(_within(texts)),
        f"similarity to {plain_words(reference)}": _shares(_within(texts))
        if title == reference
        else _shares(_between(texts, _texts(base))),
    }
    if title != reference:
        words |= {
            "answers differ": _VERDICTS[_compared(_texts(base), texts)],
            "lengths differ": _VERDICTS[noise.compare_numbers(_lengths(base), _lengths(runs))],
            "TTFT differs": _VERDICTS[noise.compare_numbers(_ttfts(base), _ttfts(runs))],
        }
    return words


def _sentence(title: str, runs: Sequence[RunRecord], reference: str, base: Sequence[RunRecord]) -> str:
    lane, against = plain_words(title), plain_words(reference)
    match _compared(_texts(base), _texts(runs)):
        case Verdict.TOO_FEW:
            return f"**{lane}** and **{against}**: {FEWEST_REPEATS} repeats of each are needed."
        case Verdict.AS_MUCH:
            return f"**{lane}** differs from **{against}** no more than **{against}** differs from itself."
        case Verdict.MORE:
            return f"**{lane}** differs from **{against}** by more than **{against}** differs from itself."


def _texts(runs: Sequence[RunRecord]) -> tuple[str, ...]:
    return tuple(run.text for run in runs)


def _lengths(runs: Sequence[RunRecord]) -> list[int]:
    return [len(run.text) for run in runs]


def _ttfts(runs: Sequence[RunRecord]) -> list[float]:
    return [run.ttft_ms for run in runs if run.ttft_ms is not None and not incomparable(run)]


# Long answers take seconds, and a page runs often.
@st.cache_data(max_entries=256, show_spinner="Comparing the answers …")
def _compared(base: tuple[str, ...], other: tuple[str, ...]) -> Verdict:
    return noise.compare_answers(base, other)


@st.cache_data(max_entries=256, show_spinner="Comparing the answers …")
def _within(texts: tuple[str, ...]) -> Spread | None:
    return noise.spread(noise.similarities_within(texts))


@st.cache_data(max_entries=256, show_spinner="Comparing the answers …")
def _between(texts: tuple[str, ...], others: tuple[str, ...]) -> Spread | None:
    return noise.spread(noise.similarities_between(texts, others))


def _shares(spread: Spread | None) -> str:
    return _range(spread, lambda value: f"{value:.0%}")


def _range(spread: Spread | None, in_words: Callable[[float], str]) -> str:
    if spread is None:
        return "–"
    if spread.low == spread.high:
        return in_words(spread.median)
    return f"{in_words(spread.median)} :small[:gray[{in_words(spread.low)} to {in_words(spread.high)}]]"

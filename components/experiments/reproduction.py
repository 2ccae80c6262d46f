"""Compares answers with those to the same bytes at another time: identical, within noise, or changed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from components.checks.similarity import similarity
from components.experiments.baseline import chance_of_shares
from components.experiments.determinism import IDENTICAL, determinism, tool_calls_text
from components.experiments.noise import (
    CHANCE,
    FEWEST_REPEATS,
    Spread,
    Verdict,
    compare_answers,
    compare_numbers,
    spread,
)
from components.log.record import FACTS, NUMBERS, TIMED, RunRecord
from components.streaming.outcome import Status

_SERVED = ("served_model", "system_fingerprint", "app_version")


class Reproduced(StrEnum):
    """The verdict on repeated requests."""

    IDENTICAL = "identical"
    """Every new answer is an original answer, to the character."""
    WITHIN_NOISE = "within noise"
    """The originals differ from the new answers no more than the new answers differ from each other."""
    CHANGED = "changed"
    """The originals differ from the new answers by more than chance."""
    TOO_FEW = "too few to tell"
    """The originals differ from the new answers, but with so few answers that may be chance."""
    INCOMPARABLE = "not comparable"
    """No original is complete, so there is nothing to compare with."""
    FAILED = "failed"
    """No new answer is complete."""


_COMPARED = {Verdict.MORE: Reproduced.CHANGED, Verdict.AS_MUCH: Reproduced.WITHIN_NOISE}
"""The verdict by that of a comparison; one with too few answers gives none."""


@dataclass(frozen=True)
class NumberReproduced:
    """A number on both sides. ``verdict`` is None when one of the sides does not have it."""

    name: str
    before: Spread | None
    now: Spread | None
    verdict: Reproduced | None


@dataclass(frozen=True)
class ChecksReproduced:
    """How many answers pass their checks on both sides, of those for which that is known."""

    before: tuple[int, int]
    now: tuple[int, int]
    verdict: Reproduced


@dataclass(frozen=True)
class Reproduction:
    """The comparison of some originals with new answers to the same bytes.

    ``rank`` is the place of one original among the answers, 1 for the most different one, and their number; None where
    the verdict needs no rank.

    ``parts`` says where the first new answer leaves the first original, or that it is identical. ``served`` lists the
    label and both values of each fact of the endpoint and of Tempera that is known on a side.
    """

    verdict: Reproduced
    parts: str
    numbers: tuple[NumberReproduced, ...]
    served: tuple[tuple[str, str, str], ...]
    complete: int
    requested: int
    rank: tuple[int, int] | None = None
    checks: ChecksReproduced | None = None


_WORST_LAST = (Reproduced.IDENTICAL, Reproduced.WITHIN_NOISE, Reproduced.TOO_FEW, Reproduced.CHANGED, Reproduced.FAILED)


def reproduction(originals: Sequence[RunRecord], again: Sequence[RunRecord]) -> Reproduction:
    """The comparison. There is at least one original; runs of ``again`` have ended. Incomplete answers take no part."""
    good = [run for run in again if run.status == Status.OK]
    verdict, rank = _verdict([run for run in originals if run.status == Status.OK], good)
    return Reproduction(
        verdict=verdict,
        rank=rank,
        parts=determinism(originals[0], good[0]) if good else "",
        numbers=tuple(_number(name, originals, good) for name in TIMED),
        served=tuple(
            (FACTS[name].label, before or "n/a", now or "n/a")
            for name in _SERVED
            if (before := _values(name, originals)) + (now := _values(name, good))
        ),
        complete=len(good),
        requested=len(again),
        checks=_checks(originals, good),
    )


def overall(results: Sequence[Reproduction]) -> Reproduced:
    """The verdict on several requests together.

    One original alone often differs most by chance, and more often in one of several requests. Therefore the sum of the
    ranks of all requests is compared with all sums that chance could give. A request without a complete original counts
    only where all are like that.
    """
    verdicts = [result.verdict for result in results if result.verdict is not Reproduced.INCOMPARABLE]
    worst = max(verdicts, key=_WORST_LAST.index, default=Reproduced.INCOMPARABLE)
    if worst is not Reproduced.TOO_FEW:
        return worst
    ranks = [result.rank for result in results if result.rank]
    chances = np.ones(1)
    for _rank, count in ranks:
        chances = np.convolve(chances, np.full(count, 1 / count))
    rank_sum = sum(rank for rank, _count in ranks) - len(ranks)
    if chances[: rank_sum + 1].sum() < CHANCE:
        return Reproduced.CHANGED
    return Reproduced.WITHIN_NOISE if 1 / math.prod(count for _rank, count in ranks) < CHANCE else worst


def _verdict(originals: Sequence[RunRecord], again: Sequence[RunRecord]) -> tuple[Reproduced, tuple[int, int] | None]:
    if not again:
        return Reproduced.FAILED, None
    if not originals:
        return Reproduced.INCOMPARABLE, None
    if all(any(determinism(original, run) == IDENTICAL for original in originals) for run in again):
        return Reproduced.IDENTICAL, None
    before, now = [_answer(run) for run in originals], [_answer(run) for run in again]
    if compared := _COMPARED.get(compare_answers(before, now)):
        return compared, None
    if len(now) > 1 and len(set(now)) == 1:
        # The endpoint repeats itself, and says another thing than before.
        return Reproduced.CHANGED, None
    return _by_rank(before, now)


def _by_rank(before: Sequence[str], now: Sequence[str]) -> tuple[Reproduced, tuple[int, int] | None]:
    """The verdict by the rank of the first original among the new answers, each by its mean similarity to the others.

    Under no change, each of the n answers is the most distant one with probability 1/n.
    """
    if len(now) < 2:
        return Reproduced.TOO_FEW, None
    answers = [before[0], *now]
    distances = [
        statistics.fmean(similarity(first, second) for index, second in enumerate(answers) if index != at)
        for at, first in enumerate(answers)
    ]
    rank = sum(distance <= distances[0] for distance in distances)
    if rank > 1:
        verdict = Reproduced.WITHIN_NOISE
    else:
        verdict = Reproduced.CHANGED if 1 / len(answers) < CHANCE else Reproduced.TOO_FEW
    return verdict, (rank, len(answers))


def _number(name: str, originals: Sequence[RunRecord], again: Sequence[RunRecord]) -> NumberReproduced:
    before, now = _numbers(name, originals), _numbers(name, again)
    verdict: Reproduced | None = None
    if before and now:
        within = min(now) <= statistics.median(before) <= max(now)
        with_few = Reproduced.WITHIN_NOISE if within else Reproduced.TOO_FEW
        verdict = _COMPARED.get(compare_numbers(before, now), with_few)
    return NumberReproduced(NUMBERS[name].short_title, spread(before), spread(now), verdict)


def _checks(originals: Sequence[RunRecord], again: Sequence[RunRecord]) -> ChecksReproduced | None:
    before, now = ([run.passed for run in runs if run.passed is not None] for runs in (originals, again))
    if not before or not now:
        return None
    if statistics.fmean(before) == statistics.fmean(now):
        verdict = Reproduced.IDENTICAL
    elif chance_of_shares(before, now) < CHANCE:
        verdict = Reproduced.CHANGED
    else:
        enough = min(len(before), len(now)) >= FEWEST_REPEATS
        verdict = Reproduced.WITHIN_NOISE if enough else Reproduced.TOO_FEW
    return ChecksReproduced((sum(before), len(before)), (sum(now), len(now)), verdict)


def _numbers(name: str, records: Sequence[RunRecord]) -> list[float]:
    return [float(value) for record in records if (value := getattr(record, name)) is not None]


def _values(name: str, records: Sequence[RunRecord]) -> str:
    return ", ".join(dict.fromkeys(value for record in records if (value := getattr(record, name))))


def _answer(record: RunRecord) -> str:
    return "\n".join(filter(None, (record.reasoning, record.text, tool_calls_text(record))))

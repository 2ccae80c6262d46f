"""Finds the values of an axis that change a measure by more than the noise of the base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.contract.strict_json import read_json
from components.experiments.noise import FEWEST_REPEATS, Spread, Verdict, compare_numbers, spread


@dataclass(frozen=True)
class ValueFinding:
    """One value of an axis in words, the spread of its repeats, and whether they differ from the base's."""

    words: str
    spread: Spread | None
    verdict: Verdict


@dataclass(frozen=True)
class AxisFinding:
    """The effect of one axis on one measure: a sentence, and each value in the order of the axis."""

    field: str
    sentence: str
    values: tuple[ValueFinding, ...]


def axis_findings(
    field: str, groups: Mapping[str, Sequence[float]], base: Sequence[float], measure_label: str
) -> AxisFinding:
    """The effect of an axis on a measure, in any unit. ``groups`` has the repeats of each value.

    Each value is compared with the base separately (``compare_numbers``): of 20 values without effect, one is
    expected to show one.
    """
    values = tuple(
        ValueFinding(words, spread(repeats), compare_numbers(base, repeats)) for words, repeats in groups.items()
    )
    return AxisFinding(field, _sentence(field, values, len(base), measure_label), values)


def _sentence(field: str, values: Sequence[ValueFinding], base_count: int, measure_label: str) -> str:
    known = [value for value in values if value.verdict is not Verdict.TOO_FEW]
    unknown = [value.words for value in values if value.verdict is Verdict.TOO_FEW]
    if not known:
        return f"{FEWEST_REPEATS} repeats of each are needed."
    noise = f"{measure_label} by more than the base's own variation"
    counts = _repeats([base_count, *(value.spread.count for value in known if value.spread)])
    if any(value.verdict is Verdict.MORE for value in known):
        sentence = f"{field} changes {noise} {_differing_values(values)} ({counts})."
    else:
        sentence = f"{field} does not change {noise} ({counts})."
    return f"{sentence} {FEWEST_REPEATS} repeats are needed at {_joined(unknown)}." if unknown else sentence


def _differing_values(values: Sequence[ValueFinding]) -> str:
    differing = [value.words for value in values if value.verdict is Verdict.MORE]
    numbers = {value.words: number for value in values if (number := _number(value.words)) is not None}
    highest = sorted(numbers, key=lambda words: numbers[words])[-len(differing) :]
    # One value has no "up"; if every value differs, none is the start.
    if 1 < len(differing) < len(numbers) and set(differing) == set(highest):
        return f"from {highest[0]} up"
    return f"at {_joined(differing)}"


def _number(words: str) -> float | None:
    try:
        number = read_json(words)
    except ValueError:
        return None
    return number if isinstance(number, (int, float)) and not isinstance(number, bool) else None


def _joined(words: Sequence[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _repeats(counts: Sequence[int]) -> str:
    fewest, most = min(counts), max(counts)
    return f"k = {most}" if fewest == most else f"k = {fewest} to {most}"

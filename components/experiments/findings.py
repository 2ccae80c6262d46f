"""Finds the values of an axis that change a measure by more than the noise of the base."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from components.contract.strict_json import read_json
from components.experiments.noise import FEWEST_REPEATS, Verdict, compare_numbers


def axis_finding(field: str, groups: Mapping[str, Sequence[float]], base: Sequence[float], measure_label: str) -> str:
    """What an axis changes in a measure, in any unit, in one sentence. ``groups`` has the repeats of each value.

    Each value is compared with the base separately (``compare_numbers``): of 20 values without effect, one is
    expected to show one.
    """
    verdicts = {words: compare_numbers(base, repeats) for words, repeats in groups.items()}
    known = [words for words, verdict in verdicts.items() if verdict is not Verdict.TOO_FEW]
    unknown = [words for words, verdict in verdicts.items() if verdict is Verdict.TOO_FEW]
    differing = [words for words, verdict in verdicts.items() if verdict is Verdict.MORE]
    if not known:
        return f"{FEWEST_REPEATS} repeats of each are needed."
    noise = f"{measure_label} by more than the base's own variation"
    counts = _repeats([len(base), *(len(groups[words]) for words in known)])
    if differing:
        sentence = f"{field} changes {noise} {_differing_values(differing, groups)} ({counts})."
    else:
        sentence = f"{field} does not change {noise} ({counts})."
    return f"{sentence} {FEWEST_REPEATS} repeats are needed at {_joined(unknown)}." if unknown else sentence


def _differing_values(differing: Sequence[str], values: Collection[str]) -> str:
    numbers = {words: number for words in values if (number := _number(words)) is not None}
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

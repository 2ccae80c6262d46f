"""The findings of a sweep: an effect is stated only where it exceeds the noise."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.experiments.sweep_results import axis_finding

NEAR = [float(number) for number in range(10)]
FAR = [number + 100 for number in NEAR]


def sentence(groups: dict[str, Sequence[float]], base: Sequence[float] = NEAR) -> str:
    return axis_finding("temperature", groups, base, "length")


@pytest.mark.parametrize(
    ("groups", "where"),
    [
        ({"0": NEAR, "0.7": FAR, "1": FAR}, "from 0.7 up"),
        ({"1": FAR, "10": FAR, "0.7": FAR, "0": NEAR, "omitted": NEAR}, "from 0.7 up"),
        ({"0": FAR, "0.3": NEAR, "0.7": FAR, "1": FAR}, "at 0, 0.7 and 1"),
        ({"0.3": NEAR, "0.7": FAR, "0.9": NEAR, "1": FAR}, "at 0.7 and 1"),
        ({"0": NEAR, "1": FAR}, "at 1"),
        ({"0": FAR, "1": NEAR}, "at 0"),
        ({"0": FAR, "1": FAR}, "at 0 and 1"),
        ({"0": NEAR, "0.7": FAR, "1": FAR, "omitted": FAR}, "at 0.7, 1 and omitted"),
        ({"small": NEAR, "nan": FAR, "large": FAR}, "at nan and large"),
        ({"false": NEAR, "true": FAR, "2": FAR}, "at true and 2"),
    ],
)
def test_the_sentence_names_the_values_with_an_effect_beyond_noise(
    groups: dict[str, Sequence[float]], where: str
) -> None:
    assert sentence(groups) == (f"temperature changes length by more than the base's own variation {where} (k = 10).")


def test_an_axis_without_an_effect_is_stated() -> None:
    assert sentence({"0": NEAR, "1": NEAR}) == (
        "temperature does not change length by more than the base's own variation (k = 10)."
    )


@pytest.mark.parametrize(
    ("groups", "base"), [({"0": NEAR}, NEAR[:3]), ({"0": NEAR[:3], "1": []}, NEAR), ({}, NEAR), ({"0": []}, [])]
)
def test_too_few_repeats_give_no_finding(groups: dict[str, Sequence[float]], base: Sequence[float]) -> None:
    assert sentence(groups, base) == "4 repeats of each are needed."


def test_values_with_too_few_repeats_are_named_after_the_findings() -> None:
    assert sentence({"0": NEAR, "0.5": FAR[:3], "0.7": FAR, "1": FAR, "2": []}) == (
        "temperature changes length by more than the base's own variation at 0.7 and 1 (k = 10). "
        "4 repeats are needed at 0.5 and 2."
    )


def test_unequal_numbers_of_repeats_are_stated() -> None:
    assert sentence({"0": NEAR[:4], "1": NEAR[:7]}).endswith("(k = 4 to 10).")


def test_an_axis_that_changes_nothing_seldom_raises_a_false_alarm() -> None:
    chance = random.Random(1)
    alarms = 0
    for _ in range(100):
        base, other = ([chance.gauss(50, 5) for _ in range(10)] for _ in range(2))
        alarms += "does not change" not in sentence({"1": other}, base)
    assert alarms < 12


@given(st.lists(st.booleans(), min_size=1, max_size=6))
def test_from_a_value_up_is_stated_only_for_all_higher_values(differs: list[bool]) -> None:
    groups = {str(place): FAR if far else NEAR for place, far in enumerate(differs)}
    text = sentence(groups)
    first = differs.index(True) if True in differs else len(differs)
    upward = 0 < first < len(differs) - 1 and all(differs[first:])
    assert (f"from {first} up" in text) == upward
    assert ("does not change" in text) == (not any(differs))

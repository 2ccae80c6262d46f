"""Whether settings differ by more than repeats do: few false alarms, and clear differences are found."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.experiments.noise import (
    FEWEST_REPEATS,
    Spread,
    Verdict,
    compare_answers,
    compare_numbers,
    similarities_between,
    similarities_within,
    similarity,
    spread,
)

FALSE_ALARM_TRIALS = 200
POWER_TRIALS = 50
SIZES = [(4, 4), (4, 6), (7, 7)]
FEW_TEXTS = st.lists(st.text("ab ", max_size=6), min_size=FEWEST_REPEATS, max_size=5)
FEW_NUMBERS = st.lists(st.integers(0, 3) | st.floats(0, 1e6), min_size=FEWEST_REPEATS, max_size=12)


def a_chance(sizes: tuple[int, int], trial: int) -> random.Random:
    # A seed per trial and size; with shared seeds, the results of all sizes would be correlated.
    return random.Random(f"{sizes} {trial}")


def some_answers(chance: random.Random, words: str, count: int) -> list[str]:
    return [" ".join(chance.choices(words.split(), k=20)) for _ in range(count)]


def some_numbers(chance: random.Random, middle: float, count: int) -> list[float]:
    return [chance.gauss(middle, 5) for _ in range(count)]


def share_of_alarms(verdicts: list[Verdict]) -> float:
    assert set(verdicts) <= {Verdict.MORE, Verdict.AS_MUCH}
    return verdicts.count(Verdict.MORE) / len(verdicts)


def test_a_spread_names_the_middle_the_ends_and_the_count() -> None:
    assert spread([5.0, 1.0, 2.0, 30.0]) == Spread(median=3.5, low=1.0, high=30.0, count=4)
    assert spread([7.0]) == Spread(7.0, 7.0, 7.0, 1)


def test_no_values_have_no_spread() -> None:
    assert spread([]) is None


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("", "", 1), ("a", "", 0), ("abc", "abc", 1), ("abc", "xyz", 0), ("abcd", "abxy", 0.5), ("ab", "ba", 0.5)],
)
def test_similarity_is_the_share_of_characters_in_the_same_order(one: str, other: str, expected: float) -> None:
    assert similarity(one, other) == expected


@given(st.text(), st.text())
def test_similarity_is_symmetric_and_between_0_and_1(one: str, other: str) -> None:
    assert 0 <= similarity(one, other) == similarity(other, one) <= 1
    assert (similarity(one, other) == 1) == (one == other)


def test_each_pair_within_a_setting_is_compared_once() -> None:
    assert similarities_within(["ab", "ab", "ax", "zz"]) == [1, 0.5, 0, 0.5, 0, 0]
    assert similarities_within(["alone"]) == []


def test_each_answer_is_compared_to_each_of_the_other_setting() -> None:
    assert similarities_between(["ab", "zz"], ["ab", "ax", "yz"]) == [1, 0.5, 0, 0, 0, 0.5]
    assert similarities_between([], ["ab"]) == []


@pytest.mark.parametrize("sizes", [(0, 0), (3, 3), (3, 20), (20, 3)])
def test_a_comparison_needs_four_repeats(sizes: tuple[int, int]) -> None:
    assert compare_answers(["a"] * sizes[0], ["b"] * sizes[1]) is Verdict.TOO_FEW
    assert compare_numbers([1.0] * sizes[0], [2.0] * sizes[1]) is Verdict.TOO_FEW


@pytest.mark.parametrize("sizes", [(4, 4), (4, 7), (12, 12)])
def test_identical_repeats_show_no_difference(sizes: tuple[int, int]) -> None:
    assert compare_answers(["same"] * sizes[0], ["same"] * sizes[1]) is Verdict.AS_MUCH
    assert compare_numbers([7.5] * sizes[0], [7.5] * sizes[1]) is Verdict.AS_MUCH


@pytest.mark.parametrize("sizes", [(4, 4), (4, 7), (12, 12)])
def test_settings_that_are_constant_and_different_differ(sizes: tuple[int, int]) -> None:
    assert compare_answers(["one thing"] * sizes[0], ["another"] * sizes[1]) is Verdict.MORE
    assert compare_numbers([7.5] * sizes[0], [8.5] * sizes[1]) is Verdict.MORE


def test_a_constant_setting_differs_from_one_that_varies() -> None:
    varying = some_answers(random.Random(1), "red green blue grey", 6)
    assert compare_answers(["It is red."] * 6, varying) is Verdict.MORE


def test_one_odd_answer_is_not_a_difference() -> None:
    assert compare_answers(["yes"] * 4, ["yes", "yes", "yes", "no"]) is Verdict.AS_MUCH
    assert compare_numbers([1.0] * 4, [1.0, 1.0, 1.0, 9.0]) is Verdict.AS_MUCH


@pytest.mark.parametrize("sizes", SIZES)
def test_answers_of_one_setting_seldom_raise_a_false_alarm(sizes: tuple[int, int]) -> None:
    words = "red green blue grey brown black white pink"
    verdicts = []
    for trial in range(FALSE_ALARM_TRIALS):
        chance = a_chance(sizes, trial)
        verdicts.append(compare_answers(*(some_answers(chance, words, size) for size in sizes)))
    assert 0 < share_of_alarms(verdicts) < 0.1


@pytest.mark.parametrize("sizes", SIZES)
def test_answers_in_other_words_are_nearly_always_detected(sizes: tuple[int, int]) -> None:
    verdicts = []
    for trial in range(POWER_TRIALS):
        chance = a_chance(sizes, trial)
        base = some_answers(chance, "red green blue grey", sizes[0])
        verdicts.append(compare_answers(base, some_answers(chance, "dog cat horse cow", sizes[1])))
    assert share_of_alarms(verdicts) > 0.95


@pytest.mark.parametrize("sizes", SIZES)
def test_numbers_of_one_setting_seldom_raise_a_false_alarm(sizes: tuple[int, int]) -> None:
    verdicts = []
    for trial in range(FALSE_ALARM_TRIALS):
        chance = a_chance(sizes, trial)
        verdicts.append(compare_numbers(*(some_numbers(chance, 50, size) for size in sizes)))
    assert 0 < share_of_alarms(verdicts) < 0.1


@pytest.mark.parametrize("sizes", SIZES)
def test_numbers_with_ties_seldom_raise_a_false_alarm(sizes: tuple[int, int]) -> None:
    verdicts = []
    for trial in range(FALSE_ALARM_TRIALS):
        chance = a_chance(sizes, trial)
        verdicts.append(compare_numbers(*(chance.choices([1, 2, 3], k=size) for size in sizes)))
    assert 0 < share_of_alarms(verdicts) < 0.1


@pytest.mark.parametrize("sizes", SIZES)
def test_numbers_that_lie_apart_are_nearly_always_detected(sizes: tuple[int, int]) -> None:
    verdicts = []
    for trial in range(POWER_TRIALS):
        chance = a_chance(sizes, trial)
        verdicts.append(compare_numbers(some_numbers(chance, 50, sizes[0]), some_numbers(chance, 75, sizes[1])))
    assert share_of_alarms(verdicts) > 0.95


@pytest.mark.parametrize("seed", [30, 49, 57])
def test_a_close_verdict_is_deterministic(seed: int) -> None:
    chance = random.Random(seed)
    base = some_answers(chance, "red green blue", 9)
    other = some_answers(chance, "red green blue grey", 9)
    assert len({compare_answers(base, other) for _ in range(20)}) == 1


@given(FEW_TEXTS, FEW_TEXTS)
def test_the_verdict_on_answers_is_symmetric(base: list[str], other: list[str]) -> None:
    assert compare_answers(base, other) is compare_answers(other, base)


@given(FEW_NUMBERS, FEW_NUMBERS)
def test_the_verdict_on_numbers_is_symmetric(base: list[float], other: list[float]) -> None:
    assert compare_numbers(base, other) is compare_numbers(other, base)

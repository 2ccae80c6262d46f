"""Ranges: exact, with both ends, and counted before they are built."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.experiments.ranges import in_figures, read_range

hundredths = st.integers(-500, 500)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("0 to 1 step 0.25", ["0", "0.25", "0.5", "0.75", "1"]),
        ("0:1:0.25", ["0", "0.25", "0.5", "0.75", "1"]),
        ("0 TO .3 by .1", ["0", "0.1", "0.2", "0.3"]),
        ("1..5", ["1", "2", "3", "4", "5"]),
        ("5..3", ["5", "4", "3"]),
        ("1 .. 2 step 0.5", ["1", "1.5", "2"]),
        ("1 to 0 step -0.5", ["1", "0.5", "0"]),
        ("-1:1", ["-1", "0", "1"]),
        ("0 to 1 step 0.4", ["0", "0.4", "0.8"]),
        ("2 to 2 step 9", ["2"]),
        ("1e2 to 3e2 step 1e2", ["100", "200", "300"]),
    ],
)
def test_a_range_includes_both_ends_if_the_steps_reach_them(text: str, numbers: list[str]) -> None:
    assert read_range(text, 1_000) == numbers


def test_steps_of_a_tenth_add_up_without_a_rounding_error() -> None:
    numbers = read_range("0 to 100 step 0.1", 2_000)
    assert numbers is not None
    assert (len(numbers), numbers[3], numbers[-1]) == (1_001, "0.3", "100")


def test_a_range_may_have_the_documented_number_of_values() -> None:
    numbers = read_range("1..1000", 1_000)
    assert numbers is not None
    assert (len(numbers), numbers[-1]) == (1_000, "1000")


@pytest.mark.parametrize(
    "text", ["", "1", "0.7", "a to b", "1...5", "1-5", "1 to", "1 to 2 step", "1:2:3:4", "1 to 1e400"]
)
def test_other_text_is_not_a_range(text: str) -> None:
    assert read_range(text, 1_000) is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0 to 1 step 0", "0 to 1 step 0 never ends: its step does not reach 1. Write a step above 0."),
        ("0:1:-0.25", "0:1:-0.25 never ends: its step does not reach 1. Write a step above 0."),
        ("1 to 0 step 0.5", "1 to 0 step 0.5 never ends: its step does not reach 0. Write a step below 0."),
        ("3 to 3 step 0", "3 to 3 step 0 never ends: its step does not reach 3. Write a step other than 0."),
        ("0 to 0.5", "Add a step, such as 0 to 0.5 step 0.1."),
        (
            "0 to 1 step 0.001",
            "0 to 1 step 0.001 would be 1,001 values, and one axis has at most 1,000. Use a larger step.",
        ),
        ("0..1e9", "0..1e9 would be 1,000,000,001 values, and one axis has at most 1,000. Use a larger step."),
        (
            "0 to 1e99 step 1e-99",
            "0 to 1e99 step 1e-99 would be about 10^198 values, and one axis has at most 1,000. Use a larger step.",
        ),
    ],
)
def test_an_endless_or_overlong_range_is_refused_at_once(text: str, sentence: str) -> None:
    with pytest.raises(ValueError) as problem:  # noqa: PT011 - the sentence is compared below
        read_range(text, 1_000)
    assert str(problem.value) == sentence


@given(hundredths, hundredths, hundredths.filter(bool))
def test_a_range_has_even_steps_and_does_not_pass_its_end(first: int, last: int, step: int) -> None:
    text = f"{first / 100} to {last / 100} step {step / 100}"
    if (last - first) * step < 0:
        with pytest.raises(ValueError, match="never ends"):
            read_range(text, 1_001)
        return
    found = read_range(text, 1_001)
    assert found is not None
    numbers = [Fraction(number) * 100 for number in found]
    assert numbers == list(range(first, last + (1 if step > 0 else -1), step))


@given(st.text("0123456789.:-+etopsb ", max_size=20))
def test_any_text_is_a_range_or_none_or_refused(text: str) -> None:
    try:
        numbers = read_range(text, 50)
    except ValueError:
        return
    assert numbers is None or 1 <= len(numbers) <= 50


@pytest.mark.parametrize(
    ("exponent", "figures"), [(0, "1"), (9, "1,000,000,000"), (35, "100" + ",000" * 11), (5_000, "about 10^5000")]
)
def test_a_count_of_any_size_is_formatted(exponent: int, figures: str) -> None:
    assert in_figures(10**exponent) == figures

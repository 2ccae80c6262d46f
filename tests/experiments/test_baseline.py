"""A measure is worse than a baseline only beyond chance and beyond the tolerance."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from components.checks.check import Result
from components.experiments.baseline import Change, Comparison, compare_with_baseline
from components.experiments.cases import Case
from components.experiments.thresholds import ANSWERS, PASS_RATE, SUCCESS_RATE, Tolerance

NEAR = [100.0 + number for number in range(10)]
FAR = [number + 50 for number in NEAR]


def cases(
    values: Sequence[float] = (), *, measure: str = "ttft_ms", row: str = "base", answers: Sequence[str] = ()
) -> list[Case]:
    count = max(len(values), len(answers))
    return [
        Case(
            row,
            0,
            repeat,
            str(repeat),
            "ok",
            values={measure: values[repeat]} if values else {},
            answer=answers[repeat] if answers else "",
        )
        for repeat in range(count)
    ]


def passing(passed: int, failed: int) -> list[Case]:
    results = [True] * passed + [False] * failed
    return [
        Case("base", 0, number, str(number), "ok", results=(Result(one, ""),)) for number, one in enumerate(results)
    ]


def one(
    now: Sequence[Case], before: Sequence[Case], measure: str = "ttft_ms", tolerance: Tolerance | None = None
) -> Comparison:
    [found] = compare_with_baseline(now, before, {measure: tolerance or Tolerance(0.0)})
    return found


@pytest.mark.parametrize(
    ("now", "tolerance", "change"),
    [
        (FAR, Tolerance(0.0), Change.WORSE),
        (FAR, Tolerance(49.9), Change.WORSE),
        (FAR, Tolerance(50.0), Change.TOLERATED),
        (FAR, Tolerance(0.47, relative=True), Change.WORSE),
        (FAR, Tolerance(0.48, relative=True), Change.TOLERATED),
        ([number - 50 for number in NEAR], Tolerance(0.0), Change.BETTER),
        ([number + 1 for number in NEAR], Tolerance(0.0), Change.NONE),
        (FAR[:3], Tolerance(0.0), Change.TOO_FEW),
    ],
)
def test_a_time_is_worse_only_beyond_chance_and_tolerance(
    now: list[float], tolerance: Tolerance, change: Change
) -> None:
    assert one(cases(now), cases(NEAR), tolerance=tolerance).change is change


def test_a_measure_missing_on_one_side_is_not_compared() -> None:
    assert one(cases(NEAR), cases(NEAR, measure="length")).change is Change.ABSENT
    assert one(cases(NEAR), cases(NEAR, row="another")).change is Change.ABSENT


def test_a_lower_rate_is_worse_and_any_other_length_is_worse() -> None:
    for measure, changes in (
        ("tokens_per_second", (Change.BETTER, Change.WORSE)),
        ("length", (Change.WORSE, Change.WORSE)),
    ):
        more = one(cases(FAR, measure=measure), cases(NEAR, measure=measure), measure)
        less = one(cases(NEAR, measure=measure), cases(FAR, measure=measure), measure)
        assert (more.change, less.change) == changes


@pytest.mark.parametrize(
    ("now", "before", "change"),
    [
        (passing(2, 8), passing(10, 0), Change.WORSE),
        (passing(9, 1), passing(10, 0), Change.NONE),
        (passing(10, 0), passing(1, 9), Change.BETTER),
        (passing(0, 3), passing(3, 0), Change.TOO_FEW),
    ],
)
def test_a_pass_rate_is_compared_as_a_share(now: list[Case], before: list[Case], change: Change) -> None:
    assert one(now, before, PASS_RATE).change is change


def test_failed_runs_lower_the_success_rate() -> None:
    broken = [Case("base", 0, number, str(number), "error", problem="It broke.") for number in range(8)]
    assert one(broken, cases(NEAR[:8]), SUCCESS_RATE).change is Change.WORSE


def test_answers_are_compared_with_their_own_variation() -> None:
    chance = random.Random(1)
    words = ["sea", "lamp", "map", "keeper", "storm", "rock", "light", "boat"]
    stories = [" ".join(chance.sample(words, 6)) for _ in range(24)]
    numbers = [" ".join(map(str, chance.sample(range(100, 999), 6))) for _ in range(8)]
    same = one(cases(answers=stories[:8]), cases(answers=stories[8:16]), ANSWERS)
    other = one(cases(answers=numbers), cases(answers=stories[8:16]), ANSWERS)
    assert (same.change, other.change) == (Change.NONE, Change.WORSE)
    assert other.before is not None
    assert other.now is not None
    assert other.now < other.before
    assert one(cases(answers=numbers), cases(answers=stories[8:16]), ANSWERS, Tolerance(0.9)).change is Change.TOLERATED


def test_more_variation_than_before_lowers_determinism() -> None:
    fixed, varying = ["the same"] * 8, [f"answer {number}" for number in range(8)]
    worse = one(cases(answers=varying), cases(answers=fixed), "determinism")
    assert (worse.change, worse.before, worse.now) == (Change.WORSE, 1.0, 0.0)
    assert one(cases(answers=fixed), cases(answers=varying), "determinism").change is not Change.WORSE
    assert one(cases(answers=fixed), cases(answers=fixed), "determinism").change is Change.NONE


def test_more_comparisons_need_more_repeats_and_name_the_number() -> None:
    few = compare_with_baseline(cases(FAR[:4]), cases(NEAR[:4]), {"ttft_ms": Tolerance(0.0)})
    assert few[0].change is Change.WORSE
    rows = [f"row {number}" for number in range(20)]
    now = [case for row in rows for case in cases(FAR[:4], row=row)]
    before = [case for row in rows for case in cases(NEAR[:4], row=row)]
    many = compare_with_baseline(now, before, {"ttft_ms": Tolerance(0.0)})
    assert {found.change for found in many} == {Change.TOO_FEW}
    needed = many[0].repeats_needed
    assert needed is not None
    enough_now = [case for row in rows for case in cases([*FAR, *FAR][:needed], row=row)]
    enough_before = [case for row in rows for case in cases([*NEAR, *NEAR][:needed], row=row)]
    enough = compare_with_baseline(enough_now, enough_before, {"ttft_ms": Tolerance(0.0)})
    assert {found.change for found in enough} == {Change.WORSE}


def test_an_unchanged_endpoint_seldom_raises_an_alarm_over_all_measures_together() -> None:
    chance = random.Random(2)
    tolerances = {name: Tolerance(0.0) for name in ("ttft_ms", "length", PASS_RATE, ANSWERS)}

    def experiment() -> list[Case]:
        return [
            Case(
                row,
                0,
                number,
                "",
                "ok",
                results=(Result(chance.random() < 0.8, ""),),
                values={"ttft_ms": chance.gauss(300, 40), "length": chance.randrange(200, 400)},
                answer=" ".join(chance.choices("abcdefgh", k=12)),
            )
            for row in ("one", "two")
            for number in range(10)
        ]

    alarms = sum(
        any(found.change is Change.WORSE for found in compare_with_baseline(experiment(), experiment(), tolerances))
        for _ in range(20)
    )
    # At 5 %, 1 of 20 is expected; four or more occur by chance in 1.6 % of cases.
    assert alarms < 4


def test_each_input_of_a_data_set_is_compared_with_itself() -> None:
    def answers(texts: Sequence[str]) -> list[Case]:
        return [
            Case("base", number, repeat, "", "ok", answer=text)
            for number, text in enumerate(texts, 1)
            for repeat in range(4)
        ]

    capitals, others = ["Paris", "Rome", "Oslo"], ["Lyon", "Milan", "Bergen"]
    assert one(answers(capitals), answers(capitals), ANSWERS).change is Change.NONE
    assert one(answers(others), answers(capitals), ANSWERS).change is Change.WORSE

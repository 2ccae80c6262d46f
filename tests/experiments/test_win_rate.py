"""Win rates: every judgement is counted, and only decisions affect the rate."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.experiments.store import Better, Judgement
from components.experiments.win_rate import WinRate, win_rates

JUDGEMENTS = st.lists(
    st.builds(Judgement, *[st.sampled_from(["cold", "warm", "hot"])] * 2, st.sampled_from(Better)).filter(
        lambda judgement: judgement.first != judgement.second
    ),
    max_size=30,
)


def some(first: str, second: str, verdict: Better, count: int = 1) -> list[Judgement]:
    return [Judgement(first, second, verdict)] * count


def test_the_best_setting_comes_first_with_its_counts() -> None:
    judgements = [
        *some("cold", "warm", Better.SECOND, 3),
        *some("warm", "cold", Better.SECOND),
        *some("warm", "cold", Better.TIE, 2),
        *some("cold", "warm", Better.BOTH_BAD, 4),
    ]
    warm, cold = win_rates(judgements)
    assert (warm.setting, warm.wins, warm.losses, warm.ties, warm.both_bad, warm.rate) == ("warm", 3, 1, 2, 4, 0.75)
    assert (cold.setting, cold.wins, cold.losses, cold.ties, cold.both_bad, cold.rate) == ("cold", 1, 3, 2, 4, 0.25)


def test_settings_without_votes_have_no_rate_and_come_last() -> None:
    judgements = [*some("new", "newer", Better.TIE), *some("good", "bad", Better.FIRST)]
    assert [(found.setting, found.rate) for found in win_rates(judgements)] == [
        ("good", 1.0),
        ("bad", 0.0),
        ("new", None),
        ("newer", None),
    ]
    assert win_rates(some("new", "newer", Better.BOTH_BAD))[0] == WinRate("new", 0, 0, 0, 1, None, None, None)


def test_without_judgements_there_are_no_rates() -> None:
    assert win_rates([]) == []


def test_votes_on_a_setting_against_itself_are_ignored() -> None:
    decided = some("cold", "warm", Better.FIRST)
    itself = [*some("cold", "cold", Better.SECOND), *some("hot", "hot", Better.TIE)]
    assert win_rates([*decided, *itself]) == win_rates(decided)


def test_verdicts_have_stable_values_in_the_log() -> None:
    assert [verdict.value for verdict in Better] == ["first", "second", "tie", "both bad"]


@pytest.mark.parametrize(("wins", "losses"), [(1, 0), (0, 1), (3, 1), (8, 2), (50, 50), (1, 999)])
def test_the_interval_is_the_wilson_score_interval(wins: int, losses: int) -> None:
    judgements = some("one", "other", Better.FIRST, wins) + some("one", "other", Better.SECOND, losses)
    found = next(found for found in win_rates(judgements) if found.setting == "one")
    low, high = wilson(wins, wins + losses)
    assert found.low == pytest.approx(low, abs=1e-12)
    assert found.high == pytest.approx(high, abs=1e-12)


def wilson(wins: int, count: int) -> tuple[float, float]:
    """The score interval as Wilson's paper has it, with the 97.5 % point of the normal distribution."""
    z, share = 1.959963984540054, wins / count
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return middle - half, middle + half


@given(JUDGEMENTS)
def test_every_judgement_is_counted_once_on_each_side(judgements: list[Judgement]) -> None:
    rates = win_rates(judgements)
    verdicts = [judgement.verdict for judgement in judgements]
    decisions = verdicts.count(Better.FIRST) + verdicts.count(Better.SECOND)
    assert sum(found.wins for found in rates) == sum(found.losses for found in rates) == decisions
    assert sum(found.ties for found in rates) == 2 * verdicts.count(Better.TIE)
    assert sum(found.both_bad for found in rates) == 2 * verdicts.count(Better.BOTH_BAD)


@given(JUDGEMENTS)
def test_a_rate_lies_within_its_interval_and_better_ones_come_first(judgements: list[Judgement]) -> None:
    rates = win_rates(judgements)
    decided = [found for found in rates if found.rate is not None]
    assert all(0 <= found.low <= found.rate <= found.high <= 1 for found in decided)
    assert decided == rates[: len(decided)]
    assert [found.rate for found in decided] == sorted((found.rate for found in decided), reverse=True)


@given(JUDGEMENTS)
def test_the_order_of_the_answers_does_not_matter(judgements: list[Judgement]) -> None:
    mirror = {Better.FIRST: Better.SECOND, Better.SECOND: Better.FIRST}
    mirrored = [
        Judgement(judgement.second, judgement.first, mirror.get(judgement.verdict, judgement.verdict))
        for judgement in judgements
    ]
    by_setting = {found.setting: found for found in win_rates(judgements)}
    assert {found.setting: found for found in win_rates(mirrored)} == by_setting

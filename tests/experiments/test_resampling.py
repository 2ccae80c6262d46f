"""The effect of other values of temperature and top_p on each token, from its returned alternatives."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.contract.token_probabilities import Alternative, Token
from components.experiments.resampling import Effect, resampled


def a_token(share: float, *others: float, returned: bool = True) -> Token:
    listed = [Alternative(f"{number}", None, math.log(other)) for number, other in enumerate(others)]
    own = [Alternative("x", None, math.log(share))] if returned else []
    return Token("x", None, math.log(share), tuple(sorted([*own, *listed], key=lambda each: -(each.logprob or 0))))


def test_temperature_0_draws_the_most_likely_token_only() -> None:
    assert resampled(a_token(0.5, 0.3), 0, 1).effect is Effect.STAYS
    assert resampled(a_token(0.3, 0.5), 0, 1).effect is Effect.FALLS_OUT


def test_top_p_keeps_the_most_likely_tokens_that_make_up_its_share() -> None:
    assert resampled(a_token(0.3, 0.6, 0.1), 1, 0.5).effect is Effect.FALLS_OUT
    assert resampled(a_token(0.3, 0.6, 0.1), 1, 0.7).effect is Effect.STAYS
    assert resampled(a_token(0.6, 0.3, 0.1), 1, 0.05).effect is Effect.STAYS


def test_temperature_1_changes_nothing() -> None:
    found = resampled(a_token(0.3, 0.4), 1, 1)
    assert (found.effect, found.share) == (Effect.STAYS, pytest.approx(0.3))


def test_low_temperatures_sharpen_and_high_ones_flatten_the_distribution() -> None:
    token = a_token(0.6, 0.4)
    assert resampled(token, 0.5, 1).share == pytest.approx(0.36 / (0.36 + 0.16))
    high = resampled(token, 2, 1).share
    assert high == pytest.approx(math.sqrt(0.6) / (math.sqrt(0.6) + math.sqrt(0.4)))


def test_the_result_for_tokens_with_too_few_probabilities_is_unknown() -> None:
    assert resampled(Token("x", None, None), 0.5, 0.5).effect is Effect.UNKNOWN
    assert resampled(Token("x", None, -1.0), 0.5, 0.5).effect is Effect.UNKNOWN
    assert resampled(a_token(0.1, 0.3, returned=False), 1, 0.5).effect is Effect.MAY_FALL_OUT
    assert resampled(a_token(0.1, 0.6, returned=False), 1, 0.5).effect is Effect.FALLS_OUT


SHARES = st.lists(st.floats(0.001, 1), min_size=3, max_size=12)


@given(SHARES, st.data(), st.floats(0.1, 2), st.floats(0.05, 1))
def test_bounds_from_some_alternatives_contain_the_exact_result(
    weights: list[float], data: st.DataObject, temperature: float, top_p: float
) -> None:
    shares = sorted((weight / math.fsum(weights) for weight in weights), reverse=True)
    count = data.draw(st.integers(1, len(shares)))
    rank = data.draw(st.integers(0, count - 1))
    others = [share for place, share in enumerate(shares[:count]) if place != rank]
    found = resampled(a_token(shares[rank], *others), temperature, top_p)
    powers = [share ** (1 / temperature) for share in shares]
    true_share = powers[rank] / math.fsum(powers)
    ahead = math.fsum(power for share, power in zip(shares, powers, strict=True) if share > shares[rank]) / math.fsum(
        powers
    )
    assert found.share is not None
    if temperature <= 1:
        assert found.share <= true_share * (1 + 1e-9)
    else:
        assert found.share >= true_share * (1 - 1e-9)
    if found.effect is Effect.FALLS_OUT:
        assert ahead >= top_p - 1e-9
    if found.effect is Effect.STAYS:
        assert ahead < top_p + 1e-9

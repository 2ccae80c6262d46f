"""The effect of other values of temperature and top_p on an answer's tokens, from the returned alternatives.

The returned log probabilities are taken as the model's own, at temperature 1 and before top_p, as llama.cpp and vLLM
send them by default.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from components.contract.token_probabilities import Token, octets


class Effect(Enum):
    """The effect on a token, in words."""

    STAYS = "can be drawn"
    MAY_FALL_OUT = "may fall out"
    FALLS_OUT = "falls out"
    UNKNOWN = "n/a"


@dataclass(frozen=True)
class Resampled:
    """A token under other settings. ``share`` is its probability before top_p; None when unknown.

    Only some alternatives were returned. Up to temperature 1 the share is the least that is possible, above it the
    most.
    """

    effect: Effect
    share: float | None


_UNKNOWN = Resampled(Effect.UNKNOWN, None)


def resampled(token: Token, temperature: float, top_p: float) -> Resampled:
    """The token under a temperature and a top_p."""
    if token.logprob is None or token.is_rest or not token.alternatives:
        return _UNKNOWN
    own = octets(token)
    logprobs = {octets(alternative): alternative.logprob for alternative in token.alternatives}
    is_returned = own in logprobs
    logprobs[own] = token.logprob
    known = {text: logprob for text, logprob in logprobs.items() if logprob is not None}
    if len(known) < len(logprobs):
        return _UNKNOWN
    before = [logprob for text, logprob in known.items() if text != own and logprob > token.logprob]
    if temperature <= 0:
        return Resampled(Effect.FALLS_OUT, 0.0) if before else Resampled(Effect.STAYS, 1.0)
    weights = [math.exp(logprob / temperature) for logprob in known.values()]
    # Tokens that were not returned are no likelier than the least likely alternative: at least so many share the rest.
    rest = max(1 - math.fsum(map(math.exp, known.values())), 0.0)
    least = min(known.values())
    unknown = rest * math.exp(least * (1 / temperature - 1))
    total, lowest = math.fsum(weights), math.fsum(weights) + unknown
    if not total:
        return _UNKNOWN
    share = math.exp(token.logprob / temperature) / lowest
    likelier = math.fsum(math.exp(logprob / temperature) for logprob in before)
    at_least, at_most = (likelier / lowest, likelier / total) if temperature <= 1 else (0.0, likelier / lowest)
    if temperature == 1:
        at_most = at_least
    if not before or at_most < top_p:
        # A token that was not returned has others before it that are not known either.
        return Resampled(Effect.STAYS if is_returned or top_p >= 1 else Effect.MAY_FALL_OUT, share)
    return Resampled(Effect.FALLS_OUT if at_least >= top_p else Effect.MAY_FALL_OUT, share)

"""What other values of temperature and top_p would have made of an answer's tokens, from the returned alternatives.

The returned log probabilities are taken as the model's own, at temperature 1 and before top_p, as llama.cpp and vLLM
send them by default.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from components.contract.token_probabilities import Token, octets


class Fate(Enum):
    """What becomes of a token, in words."""

    STAYS = "can be drawn"
    MAY_FALL_OUT = "may fall out"
    FALLS_OUT = "falls out"
    UNKNOWN = "n/a"


@dataclass(frozen=True)
class Resampled:
    """A token under other settings. ``share`` is its probability before top_p; None when it cannot be told.

    Only some alternatives were returned. Up to temperature 1 the share is the least that is possible, above it the
    most.
    """

    fate: Fate
    share: float | None


_UNKNOWN = Resampled(Fate.UNKNOWN, None)


def resampled(token: Token, temperature: float, top_p: float) -> Resampled:
    """The token under a temperature and a top_p."""
    if token.logprob is None or token.is_rest or not token.alternatives:
        return _UNKNOWN
    own = token.octets
    logprobs = {octets(other): other.logprob for other in token.alternatives}
    is_returned = own in logprobs
    logprobs[own] = token.logprob
    known = {text: logprob for text, logprob in logprobs.items() if logprob is not None}
    if len(known) < len(logprobs):
        return _UNKNOWN
    before = [logprob for text, logprob in known.items() if text != own and logprob > token.logprob]
    if temperature <= 0:
        return Resampled(Fate.FALLS_OUT, 0.0) if before else Resampled(Fate.STAYS, 1.0)
    weights = [math.exp(logprob / temperature) for logprob in known.values()]
    # Tokens that were not returned are no likelier than the least likely alternative: at least so many share the rest.
    rest = max(1 - math.fsum(map(math.exp, known.values())), 0.0)
    least = min(known.values())
    unknown = rest * math.exp(least * (1 / temperature - 1))
    whole, lowest = math.fsum(weights), math.fsum(weights) + unknown
    if not whole:
        return _UNKNOWN
    share = math.exp(token.logprob / temperature) / lowest
    ahead = math.fsum(math.exp(logprob / temperature) for logprob in before)
    surely, possibly = (ahead / lowest, ahead / whole) if temperature <= 1 else (0.0, ahead / lowest)
    if temperature == 1:
        possibly = surely
    if not before or possibly < top_p:
        # A token that was not returned has others before it that are not known either.
        return Resampled(Fate.STAYS if is_returned or top_p >= 1 else Fate.MAY_FALL_OUT, share)
    return Resampled(Fate.FALLS_OUT if surely >= top_p else Fate.MAY_FALL_OUT, share)

"""Reads the probabilities of tokens, in the shapes that endpoints send them: OpenAI's, vLLM's, llama.cpp's.

Tolerant on purpose: an unknown probability is None, and malformed parts are skipped.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, NamedTuple

_NO_PROBABILITY = -9999.0
"""OpenAI's and vLLM's value for a token of which they know only that it is very unlikely."""
_ROUNDING = 1e-3
"""Log probabilities this little above 0 are 1 with a rounding error; higher ones are none."""
_MAX_ALTERNATIVES = 100
_TEXT = ("content", "refusal")
_REASONING = ("reasoning_content", "reasoning")
_NAMES = ("token", "content", "tok_str", "text")
_LISTS = ("top_logprobs", "top_probs", "probs")


class Alternative(NamedTuple):
    """A token that was possible: its text, its bytes if the endpoint sent them, and its log probability."""

    text: str
    raw: bytes | None
    logprob: float | None


class Token(NamedTuple):
    """A token of an answer, with the ``alternatives`` that the endpoint returned, the most likely first.

    The alternatives usually contain the token itself. ``logprob`` is the natural logarithm of the probability, at most
    0; None when the endpoint does not tell it. ``is_rest``: the probability is that of the last part of the token
    only, as llama.cpp sends a character of several tokens.
    """

    text: str
    raw: bytes | None
    logprob: float | None
    alternatives: tuple[Alternative, ...] = ()
    is_rest: bool = False

    @property
    def others(self) -> list[Alternative]:
        """The alternatives without the token itself."""
        return [other for other in self.alternatives if not _same(other, self)]

    @property
    def rank(self) -> int | None:
        """The place of the token among all, 1 for the most likely; None when unknown.

        It is known when the token is among the alternatives, or at least as likely as the last of them.
        """
        if self.logprob is None or self.is_rest or not self.alternatives:
            return None
        others = self.others
        logprobs = [other.logprob for other in others if other.logprob is not None]
        if len(others) == len(self.alternatives) and (not logprobs or self.logprob < min(logprobs)):
            return None
        return 1 + sum(logprob > self.logprob for logprob in logprobs)

    @property
    def entropy(self) -> float | None:
        """The least entropy of the choice of this token, in bits: all that was not returned counts as one token.

        None without alternatives or without the probability of each.
        """
        if not self.alternatives or self.is_rest:
            return None
        logprobs = [other.logprob for other in self.others]
        if len(logprobs) == len(self.alternatives) or self.logprob is not None:
            logprobs.append(self.logprob)
        shares = [math.exp(logprob) for logprob in logprobs if logprob is not None]
        if len(shares) < len(logprobs):
            return None
        rest = 1 - math.fsum(shares)
        shares = [share for share in (*shares, rest) if share > 0]
        return max(-math.fsum(share * math.log2(share) for share in shares), 0.0)


class Tokens(NamedTuple):
    """The tokens of a piece of an answer, those of its reasoning apart."""

    of_text: tuple[Token, ...] = ()
    of_reasoning: tuple[Token, ...] = ()


@dataclass(frozen=True)
class Likelihood:
    """How likely an answer was: numbers over the tokens of the first choice's text with a probability.

    ``mean_logprob`` is in nats, ``perplexity`` its exponential with the sign changed, ``lowest_probability`` that of
    the least likely token, ``mean_entropy`` in bits over the tokens with alternatives. None for unknown values.
    """

    mean_logprob: float | None = None
    perplexity: float | None = None
    lowest_probability: float | None = None
    mean_entropy: float | None = None


class LikelihoodSum:
    """Sums up the tokens of an answer as they arrive."""

    def __init__(self) -> None:
        self.count = 0
        self._logprobs = 0.0
        self._lowest = 0.0
        self._entropies = 0
        self._entropy = 0.0

    def add(self, token: Token) -> None:
        """Add a token; one without a probability changes nothing."""
        if token.logprob is not None and not token.is_rest:
            self.count += 1
            self._logprobs += token.logprob
            self._lowest = min(self._lowest, token.logprob)
        entropy = token.entropy
        if entropy is not None:
            self._entropies += 1
            self._entropy += entropy

    def likelihood(self) -> Likelihood:
        """The numbers so far."""
        mean = self._logprobs / self.count if self.count else None
        return Likelihood(
            None if mean is None else round(mean, 6),
            None if mean is None or mean < -700 else round(math.exp(-mean), 6),  # beyond, it is no number
            None if mean is None else math.exp(self._lowest),
            round(self._entropy / self._entropies, 6) if self._entropies else None,
        )


def octets(token: Token | Alternative) -> bytes:
    """The bytes of a token, as sent or those of its text."""
    return token.raw if token.raw is not None else token.text.encode("utf-8", "surrogatepass")


def read_tokens(logprobs: object) -> Tokens:
    """The tokens in the ``logprobs`` of a choice, or in a list of them."""
    if isinstance(logprobs, list):
        return Tokens(tuple(_tokens(logprobs)))
    if not isinstance(logprobs, dict):
        return Tokens()
    if isinstance(logprobs.get("tokens"), list):
        return Tokens(tuple(_of_completions(logprobs)))
    return Tokens(
        tuple(token for name in _TEXT for token in _tokens(logprobs.get(name))),
        next((tokens for name in _REASONING if (tokens := tuple(_tokens(logprobs.get(name))))), ()),
    )


def _tokens(listed: object) -> Iterator[Token]:
    for item in listed if isinstance(listed, list) else ():
        if not isinstance(item, dict) or (alternative := _alternative(item)) is None:
            continue
        others = next((item[name] for name in _LISTS if isinstance(item.get(name), list | dict)), ())
        if isinstance(others, dict):
            others = [{"token": text, "logprob": logprob} for text, logprob in others.items()]
        alternatives = _sorted(_alternative(other) for other in others[:_MAX_ALTERNATIVES] if isinstance(other, dict))
        text, raw, logprob = alternative
        if logprob is None and not _is_impossible(item):
            # llama.cpp's older shape has the probability only in the list.
            logprob = next((other.logprob for other in alternatives if _same(other, alternative)), None)
        yield Token(text, raw, logprob, alternatives, _is_rest(alternative, alternatives))


def _of_completions(logprobs: dict[str, Any]) -> Iterator[Token]:
    """The shape of the older completions API: lists side by side."""
    lists = (logprobs.get(name) for name in ("tokens", "token_logprobs", "top_logprobs"))
    for text, value, top in zip_longest(*(each if isinstance(each, list) else () for each in lists)):
        if not isinstance(text, str):
            continue
        others = list(top.items())[:_MAX_ALTERNATIVES] if isinstance(top, dict) else []
        yield Token(
            text, None, _logprob(value), _sorted(Alternative(name, None, _logprob(other)) for name, other in others)
        )


def _alternative(each: dict[str, Any]) -> Alternative | None:
    text = each.get("token")
    if type(text) is not str:
        text = next((each[name] for name in _NAMES if isinstance(each.get(name), str)), None)
    raw = _bytes(each.get("bytes"))
    if text is None and raw is None:
        return None
    logprob = _logprob(each.get("logprob"))
    if "logprob" not in each and isinstance(share := each.get("prob"), int | float) and 0 < share <= 1:
        logprob = math.log(share)
    # The empty text of a token that is part of a character hides its bytes.
    return Alternative(text if text is not None else (raw or b"").decode(errors="replace"), raw, logprob)


def _sorted(alternatives: Iterator[Alternative | None]) -> tuple[Alternative, ...]:
    unique = dict.fromkeys(each for each in alternatives if each is not None)
    return tuple(sorted(unique, key=lambda each: -math.inf if each.logprob is None else each.logprob, reverse=True))


def _logprob(value: object) -> float | None:
    if type(value) is float and _NO_PROBABILITY < value <= 0:
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        logprob = float(value)
    except OverflowError:
        return None
    if not math.isfinite(logprob) or logprob <= _NO_PROBABILITY or logprob > _ROUNDING:
        return None
    return min(logprob, 0.0)


def _is_impossible(each: dict[str, Any]) -> bool:
    value = each.get("logprob")
    return isinstance(value, int | float) and value <= _NO_PROBABILITY


def _bytes(value: object) -> bytes | None:
    if not isinstance(value, list):
        return None
    try:
        return bytes(value)
    except (ValueError, TypeError):
        return None


def _same(other: Alternative | Token, token: Alternative | Token) -> bool:
    if other.raw is not None and token.raw is not None:
        return other.raw == token.raw
    return other.text == token.text


def _is_rest(token: Alternative, alternatives: tuple[Alternative, ...]) -> bool:
    """Whether the probability is that of the last part of a character: an alternative is just that part."""
    if token.raw is None or token.raw.isascii():
        return False
    return any(
        other.raw is not None
        and other.logprob == token.logprob
        and len(other.raw) < len(token.raw)
        and token.raw.endswith(other.raw)
        and not _is_text(other.raw)
        for other in alternatives
    )


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True

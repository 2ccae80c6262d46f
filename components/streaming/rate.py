"""The decode rate: streamed tokens divided by the time span of their arrival."""

from __future__ import annotations

from typing import NamedTuple

from components.contract.chunk import Usage
from components.streaming.moments import Timings


class Rate(NamedTuple):
    """Tokens per second. ``basis`` describes the counted tokens, or the reason why there is no rate."""

    per_second: float | None
    basis: str


def decode_rate(usage: Usage | None, timings: Timings) -> Rate:
    """The rate of an answer, of all choices together: from the first socket read with tokens to the last one."""
    chunks, first_ms, last_ms = timings.token_chunks, timings.ttft_ms, timings.last_token_ms
    if not chunks or first_ms is None or last_ms is None:
        return Rate(None, "no token was streamed")
    tokens, basis = _streamed_tokens(usage, chunks, timings.reasoning_ms is not None)
    if tokens is None:
        return Rate(None, basis)
    if chunks == 1:
        return Rate(None, "the answer came in one chunk, so there is no span to divide by")
    if last_ms <= first_ms:
        return Rate(None, "all chunks came in one read of the socket, so there is no span to divide by")
    return Rate(rate_within(last_ms - first_ms, tokens, chunks, timings.first_token_chunks), basis)


def rate_within(span_ms: float, tokens: int, chunks: int, first_chunks: int) -> float:
    """Tokens per second within a span that begins with the first chunk and ends with the last one.

    The tokens of the first read precede the span, so their share is left out. Tokens are assumed to be spread evenly
    over the chunks.
    """
    return tokens * (chunks - first_chunks) / chunks / (span_ms / 1000)


def _streamed_tokens(usage: Usage | None, chunks: int, reasoning_streamed: bool) -> tuple[int | None, str]:
    """The number of tokens in the chunks, and their description; None and the reason when it is unknown."""
    if usage is None or usage.completion_tokens is None:
        return None, "the endpoint reported no completion tokens"
    tokens, reasoning, separate = usage.completion_tokens, usage.reasoning_tokens or 0, _separate_reasoning(usage)
    if reasoning_streamed:
        if separate:
            return tokens + separate, f"completion tokens and {separate:,} reasoning tokens, which are reported apart"
        if not reasoning and tokens < chunks:
            return None, "reasoning was streamed, and too few tokens are reported to hold it"
        return tokens, "completion tokens, streamed reasoning included"
    if not reasoning or separate:
        return tokens, "completion tokens"
    if reasoning >= tokens:
        return None, "all completion tokens are reported as hidden reasoning"
    return tokens - reasoning, f"completion tokens without {reasoning:,} of hidden reasoning"


def _separate_reasoning(usage: Usage) -> int:
    """The reasoning tokens that ``completion_tokens`` does not include.

    It includes all of them unless the total contradicts that, or unless there are more of them.
    """
    completion, reasoning = usage.completion_tokens or 0, usage.reasoning_tokens or 0
    if usage.total_tokens is not None and usage.prompt_tokens is not None:
        further = usage.total_tokens - usage.prompt_tokens - completion
        if further > 0:
            return further
    return reasoning if reasoning > completion else 0

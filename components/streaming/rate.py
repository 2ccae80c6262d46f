"""The decode rate: the tokens that were streamed, divided by the span in which those very tokens came."""

from __future__ import annotations

from typing import NamedTuple

from components.contract.chunk import Usage


class Rate(NamedTuple):
    """Tokens per second. ``basis`` says in words which tokens are counted, or why there is no rate."""

    per_second: float | None
    basis: str


def decode_rate(
    usage: Usage | None, *, chunks: int, first_chunks: int, span_ms: float | None, reasoning_streamed: bool
) -> Rate:
    """The rate of an answer that came in ``chunks`` chunks with tokens, of all its choices together.

    ``first_chunks`` of them came in the same read of the socket as the first one, and ``span_ms`` is the time from
    that read to the last one.
    """
    if not chunks or span_ms is None:
        return Rate(None, "no token was streamed")
    tokens, basis = _streamed_tokens(usage, chunks, reasoning_streamed)
    if tokens is None:
        return Rate(None, basis)
    if chunks == 1:
        return Rate(None, "the answer came in one chunk, so there is no span to divide by")
    if span_ms <= 0:
        return Rate(None, "all chunks came in one read of the socket, so there is no span to divide by")
    return Rate(rate_within(span_ms, tokens, chunks, first_chunks), basis)


def rate_within(span_ms: float, tokens: int, chunks: int, first_chunks: int) -> float:
    """Tokens per second within a span that begins with the first chunk and ends with the last one.

    What the first read brought had come before the span began: of all tokens, which are taken to be spread evenly over
    the chunks, the share of the first ``first_chunks`` is left out.
    """
    return tokens * (chunks - first_chunks) / chunks / (span_ms / 1000)


def _streamed_tokens(usage: Usage | None, chunks: int, reasoning_streamed: bool) -> tuple[int | None, str]:
    """How many tokens the chunks held, and which those are; None and the reason where that cannot be told."""
    if usage is None or usage.completion_tokens is None:
        return None, "the endpoint reported no completion tokens"
    tokens, reasoning, apart = usage.completion_tokens, usage.reasoning_tokens or 0, _counted_apart(usage)
    if reasoning_streamed:
        if apart:
            return tokens + apart, f"completion tokens and {apart:,} reasoning tokens, which are reported apart"
        if not reasoning and tokens < chunks:
            return None, "reasoning was streamed, and too few tokens are reported to hold it"
        return tokens, "completion tokens, streamed reasoning included"
    if not reasoning or apart:
        return tokens, "completion tokens"
    if reasoning >= tokens:
        return None, "all completion tokens are reported as hidden reasoning"
    return tokens - reasoning, f"completion tokens without {reasoning:,} of hidden reasoning"


def _counted_apart(usage: Usage) -> int:
    """The reasoning tokens that ``completion_tokens`` does not hold.

    It holds all of them unless the total says otherwise, or they are more than it.
    """
    completion, reasoning = usage.completion_tokens or 0, usage.reasoning_tokens or 0
    if usage.total_tokens is not None and usage.prompt_tokens is not None:
        further = usage.total_tokens - usage.prompt_tokens - completion
        if further > 0:
            return further
    return reasoning if reasoning > completion else 0

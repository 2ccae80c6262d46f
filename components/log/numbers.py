"""The numbers of a run in words: each with its label, its whole name, its unit and its definition, here only."""

from __future__ import annotations

from typing import NamedTuple

OLDER_DEFINITION = (
    "Of an older release: the rate divides all completion tokens by the span of the text alone, "
    "and TTFT is the first text."
)
"""What a finished run without a ``rate_basis`` is to be read with."""
CHANGED = ("ttft_ms", "tokens_per_second")
"""The numbers that meant another thing then."""


class NumberInWords(NamedTuple):
    """A number of a run for people. ``label`` is short, ``name`` is whole; the unit is empty for a count."""

    label: str
    name: str
    unit: str
    definition: str

    @property
    def title(self) -> str:
        """The whole name, and the unit unless that says it."""
        return f"{self.name}, ms" if self.unit == "ms" else self.name

    @property
    def short_title(self) -> str:
        """The label, and the unit unless that says it."""
        return f"{self.label}, ms" if self.unit == "ms" else self.label


_GAP = (
    "A chunk gap is the time between two reads of the socket that brought tokens, one after the other. "
    "Chunks that came in one read have no gap between them."
)

NUMBERS = {
    "prompt_tokens": NumberInWords("prompt tokens", "prompt tokens", "", "As the endpoint reported them."),
    "completion_tokens": NumberInWords(
        "completion tokens",
        "completion tokens",
        "",
        "As the endpoint reported them, for all choices together; most count reasoning among them.",
    ),
    "total_tokens": NumberInWords("total tokens", "tokens in all", "", "As the endpoint reported them."),
    "cached_tokens": NumberInWords(
        "cached tokens", "cached tokens", "", "Prompt tokens that the endpoint had read before."
    ),
    "connect_ms": NumberInWords(
        "connect", "time to connect", "ms", "Finding the host, connecting and the TLS handshake, before the send."
    ),
    "queued_ms": NumberInWords(
        "queued", "time in the endpoint's queue", "ms", "How long the endpoint says that the request waited for a slot."
    ),
    "waited_ms": NumberInWords("waited before retries", "waits before retries", "ms", "The waits between attempts."),
    "first_byte_ms": NumberInWords(
        "first byte", "time to first byte", "ms", "From the send to the end of the response's headers."
    ),
    "first_event_ms": NumberInWords("first event", "time to first event", "ms", "From the send to the first event."),
    "reasoning_ms": NumberInWords(
        "first reasoning", "time to first reasoning", "ms", "From the send to the first reasoning that is not empty."
    ),
    "ttft_ms": NumberInWords(
        "TTFT",
        "time to first token",
        "ms",
        "From the send of the last attempt to the first token of any kind: reasoning, text or tool call. "
        "Connecting comes before it.",
    ),
    "ttfo_ms": NumberInWords(
        "TTFO",
        "time to first output token",
        "ms",
        "From the send of the last attempt to the first token of the answer itself: text, "
        "or a tool call in an answer without text.",
    ),
    "total_ms": NumberInWords(
        "total", "time in all", "ms", "From the start of the run to its end, waits before retries included."
    ),
    "tokens_per_second": NumberInWords(
        "tokens/s",
        "tokens per second",
        "tokens/s",
        "Decode rate: tokens × (chunks - first) / chunks / (last token - first token), where first is how many chunks "
        "came with the first read, mostly one. Streamed reasoning and tool calls count, hidden reasoning does not; all "
        "choices count together.",
    ),
    "gap_p50_ms": NumberInWords("chunk gap p50", "median chunk gap", "ms", f"Median of the chunk gaps. {_GAP}"),
    "gap_p95_ms": NumberInWords(
        "chunk gap p95", "95th percentile of the chunk gaps", "ms", f"95th percentile of the chunk gaps. {_GAP}"
    ),
    "gap_max_ms": NumberInWords("chunk gap max", "longest chunk gap", "ms", f"The longest chunk gap. {_GAP}"),
    "gap_count": NumberInWords(
        "chunk gaps", "chunk gaps", "", f"How many chunk gaps the percentiles are of: below 20, p95 says little. {_GAP}"
    ),
}
"""Each number by its field of ``RunRecord``."""

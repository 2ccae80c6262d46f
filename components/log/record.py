"""The facts of a run, each once: label, unit, meaning, storage and whether it is public.

The table ``runs``, exports, public copies, and the tables and charts of the pages are made from them.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Annotated, get_type_hints

from pydantic import TypeAdapter, ValidationError

from components.log.fact import Fact, Number
from components.streaming.outcome import Choice, Status

LOCAL = "local"
"""The owner of all rows without a login, and of rows from before logins existed."""

OLDER_DEFINITION = (
    "Of an older release: the rate divides all completion tokens by the span of the text alone, "
    "and TTFT is the first text."
)
"""The note on the numbers of a finished run without a ``rate_basis``."""
CHANGED = ("ttft_ms", "tokens_per_second")
"""The numbers that had another meaning then."""

DAY_S = 86_400.0


def utc_now(ago_s: float = 0.0) -> str:
    """The time now, or some seconds ago, as the log writes it: ISO 8601, UTC, microseconds. Sorts as text."""
    moment = datetime.now(UTC) - timedelta(seconds=ago_s)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


_choices = TypeAdapter(tuple[Choice, ...])

_REPORTED = "As the endpoint reported them."
_GAP = (
    "A chunk gap is the time between two consecutive reads of the socket with tokens. "
    "Chunks of the same read have no gap."
)
_OF_TOKENS = "Over the tokens of the first choice's text whose probability the endpoint returned."
_OF_EXPERIMENT = "Of the experiment that the run belongs to, see Placement."
_OF_ENDPOINT = "As reported by the endpoint, see Outcome."


@dataclass(frozen=True)
class RunRecord:
    """A run as stored in the log: one field per column of the table ``runs``, in the order of exports.

    A new fact comes last and has None for earlier runs; opening a log adds its column. Another constant for earlier
    runs needs a migration. A fact with the name of a field of ``Timings``, ``Likelihood``, ``Usage`` or ``Outcome`` is
    copied from there.
    """

    id: Annotated[str, Fact("id", public=False, length=32)]
    created_at: Annotated[str, Fact("date", "The start of the run, in UTC.", public=True, length=27)]
    heartbeat_at: Annotated[
        str, Fact("last sign of life", "The last write by its process, in UTC.", public=False, length=27)
    ]
    status: Annotated[str, Fact("status", public=True, length=16)]
    endpoint: Annotated[str, Fact("endpoint", "A name, never an address.", public=True)]
    dialect: Annotated[str, Fact("dialect", public=True, length=16)]
    model: Annotated[str, Fact("model", public=True)]
    request_body: Annotated[str, Fact("request", "The exact body as sent.", public=True)]
    app_version: Annotated[str, Fact("made with version", public=True, length=32)]
    text: Annotated[str, Fact("answer", "The text of the first choice.", public=True)] = ""
    reasoning: Annotated[str, Fact("reasoning", "The reasoning of the first choice.", public=True)] = ""
    finished_at: Annotated[str | None, Fact("end", "The end of the run, in UTC.", public=False, length=27)] = None
    error_kind: Annotated[str | None, Fact("fault", public=True, length=32)] = None
    error_message: Annotated[str | None, Fact("error", public=True)] = None
    raw_error: Annotated[str | None, Fact("error as received", public=False)] = None
    http_status: Annotated[int | None, Fact("HTTP status", public=False)] = None
    finish_reason: Annotated[str | None, Fact("finish reason", "In the endpoint's words.", public=True)] = None
    prompt_tokens: Annotated[int | None, Number("prompt tokens", _REPORTED, public=True, place=80, listed=True)] = None
    completion_tokens: Annotated[
        int | None,
        Number(
            "completion tokens",
            "As the endpoint reported them, for all choices together; most count reasoning among them.",
            public=True,
            place=90,
            listed=True,
            sortable=True,
        ),
    ] = None
    total_tokens: Annotated[int | None, Number("total tokens", _REPORTED, name="tokens in all", public=True)] = None
    first_byte_ms: Annotated[
        float | None,
        Number(
            "first byte",
            "From the send to the end of the response's headers.",
            name="time to first byte",
            unit="ms",
            public=True,
        ),
    ] = None
    first_event_ms: Annotated[
        float | None,
        Number("first event", "From the send to the first event.", name="time to first event", unit="ms", public=True),
    ] = None
    reasoning_ms: Annotated[
        float | None,
        Number(
            "first reasoning",
            "From the send to the first non-empty reasoning.",
            name="time to first reasoning",
            unit="ms",
            public=True,
        ),
    ] = None
    ttft_ms: Annotated[
        float | None,
        Number(
            "TTFT",
            "From the send of the last attempt to the first token of any kind: reasoning, text or tool call. "
            "Connecting is not included.",
            name="time to first token",
            unit="ms",
            public=True,
            place=10,
            timed=True,
            listed=True,
            sortable=True,
            less_is_better=True,
        ),
    ] = None
    waited_ms: Annotated[
        float | None,
        Number(
            "waited before retries", "The waits between attempts.", name="waits before retries", unit="ms", public=True
        ),
    ] = None
    total_ms: Annotated[
        float | None,
        Number(
            "total",
            "From the start of the run to its end, including waits before retries.",
            name="time in all",
            unit="ms",
            public=True,
            place=100,
            timed=True,
            listed=True,
            sortable=True,
            less_is_better=True,
        ),
    ] = None
    tokens_per_second: Annotated[
        float | None,
        Number(
            "tokens/s",
            "Decode rate: tokens × (chunks - first) / chunks / (last token - first token), where first is the number "
            "of chunks in the first read, usually one. Streamed reasoning and tool calls count, hidden reasoning does "
            "not; all choices count together.",
            name="tokens per second",
            unit="tokens/s",
            public=True,
            place=30,
            timed=True,
            listed=True,
            sortable=True,
            less_is_better=False,
        ),
    ] = None
    chunk_count: Annotated[int, Fact("chunks", "Events of the stream that were chunks.", public=True)] = 0
    attempts: Annotated[int, Fact("attempts", "The number of times the request was sent.", public=True)] = 0
    streamed: Annotated[bool, Fact("streamed", public=True)] = True
    warnings: Annotated[str, Fact("warning", "A JSON list of sentences.", public=True)] = "[]"
    retries: Annotated[
        str, Fact("retries", "A JSON list of the attempts that were tried again, and the waits.", public=False)
    ] = "[]"
    tool_calls: Annotated[str, Fact("tool call", "A JSON list of those of the first choice.", public=True)] = "[]"
    event_count: Annotated[int, Fact("events received", "Including those that were not stored.", public=True)] = 0
    draft: Annotated[
        str | None, Fact("form", "The form at the start, as JSON; None for a run without a form.", public=False)
    ] = None
    connect_ms: Annotated[
        float | None,
        Number(
            "connect",
            "Name lookup, connection and TLS handshake, before the send; 0 when an open connection is reused.",
            name="time to connect",
            unit="ms",
            public=True,
        ),
    ] = None
    queued_ms: Annotated[
        float | None,
        Number(
            "queued",
            "The request's wait for a slot, as reported by the endpoint.",
            name="time in the endpoint's queue",
            unit="ms",
            public=True,
        ),
    ] = None
    cached_tokens: Annotated[
        int | None, Number("cached tokens", "Prompt tokens that the endpoint read from a cache.", public=True)
    ] = None
    experiment_id: Annotated[str | None, Fact("experiment", _OF_EXPERIMENT, public=False, length=32)] = None
    lane: Annotated[str | None, Fact("lane", _OF_EXPERIMENT, public=False, length=32)] = None
    position: Annotated[int | None, Fact("position", _OF_EXPERIMENT, public=False)] = None
    repeat: Annotated[int | None, Fact("repeat", _OF_EXPERIMENT, public=True)] = None
    timing: Annotated[str | None, Fact("timing", _OF_EXPERIMENT, public=False, length=32)] = None
    concurrency: Annotated[int | None, Fact("concurrency", _OF_EXPERIMENT, public=False)] = None
    checks: Annotated[str | None, Fact("checks", _OF_EXPERIMENT, public=False, length=32)] = None
    determinism: Annotated[
        str | None,
        Fact("sent again", "The result of the same bytes: identical, or first differs at character 212.", public=True),
    ] = None
    served_model: Annotated[str | None, Fact("served model", _OF_ENDPOINT, public=True)] = None
    system_fingerprint: Annotated[str | None, Fact("system fingerprint", _OF_ENDPOINT, public=True)] = None
    request_id: Annotated[
        str | None,
        Fact("request id", "It identifies the request in the endpoint's log, so it is not shared.", public=False),
    ] = None
    further_choices: Annotated[
        str, Fact("further choices", "A JSON list of the choices beyond the first.", public=False)
    ] = "[]"
    prompt: Annotated[str, Fact("prompt", "See RequestSummary.", public=False)] = ""
    settings: Annotated[str, Fact("settings", "See RequestSummary.", public=False)] = ""
    owner: Annotated[str, Fact("owner", "The visitor who started the run; not in any exported file.", public=False)] = (
        LOCAL
    )
    ttfo_ms: Annotated[
        float | None,
        Number(
            "TTFO",
            "From the send of the last attempt to the first token of the answer itself: text, "
            "or a tool call in an answer without text.",
            name="time to first output token",
            unit="ms",
            public=True,
            place=20,
            timed=True,
            listed=True,
        ),
    ] = None
    gap_p50_ms: Annotated[
        float | None,
        Number(
            "chunk gap p50",
            f"Median of the chunk gaps. {_GAP}",
            name="median chunk gap",
            unit="ms",
            public=True,
            place=40,
            timed=True,
        ),
    ] = None
    gap_p95_ms: Annotated[
        float | None,
        Number(
            "chunk gap p95",
            f"95th percentile of the chunk gaps. {_GAP}",
            name="95th percentile of the chunk gaps",
            unit="ms",
            public=True,
            place=50,
            timed=True,
            listed=True,
        ),
    ] = None
    gap_max_ms: Annotated[
        float | None,
        Number(
            "chunk gap max",
            f"The longest chunk gap. {_GAP}",
            name="longest chunk gap",
            unit="ms",
            public=True,
            place=60,
            timed=True,
        ),
    ] = None
    gap_count: Annotated[
        int | None,
        Number(
            "chunk gaps",
            f"The number of chunk gaps; with fewer than 20, p95 is not meaningful. {_GAP}",
            public=True,
            place=70,
            timed=True,
        ),
    ] = None
    rate_basis: Annotated[
        str | None,
        Fact(
            "tokens that the rate counts",
            "Or why there is no rate. A finished run without it is of an older release, see OLDER_DEFINITION.",
            public=True,
            length=128,
        ),
    ] = None
    mean_logprob: Annotated[
        float | None,
        Number(
            "mean logprob",
            f"Mean log probability (natural logarithm) of the tokens. {_OF_TOKENS}",
            name="mean log probability",
            public=True,
            place=110,
            of_answer=True,
            sortable=True,
        ),
    ] = None
    perplexity: Annotated[
        float | None,
        Number(
            "perplexity",
            f"The exponential of the mean log probability with its sign changed; 1 is certain. {_OF_TOKENS}",
            public=True,
            place=120,
            of_answer=True,
            sortable=True,
            listed=True,
        ),
    ] = None
    lowest_probability: Annotated[
        float | None,
        Number(
            "lowest token",
            f"The probability of the least likely token, from 0 to 1. {_OF_TOKENS}",
            name="probability of the least likely token",
            public=True,
            place=130,
            of_answer=True,
            sortable=True,
        ),
    ] = None
    mean_entropy: Annotated[
        float | None,
        Number(
            "mean entropy",
            "Mean over the tokens of the entropy of the returned alternatives, in bits; all that was not returned "
            "counts as one alternative, so the real entropy is higher.",
            name="mean entropy of a token",
            unit="bits",
            public=True,
            place=140,
            of_answer=True,
            sortable=True,
        ),
    ] = None
    passed: Annotated[
        bool | None,
        Fact("passed", "Whether the answer passes its checks; None when unknown.", public=False),
    ] = None
    check_results: Annotated[
        str | None, Fact("check results", "A JSON list: each check, whether it passed, and why.", public=False)
    ] = None

    @property
    def running(self) -> bool:
        """Whether the run has not ended, as far as the log knows."""
        return self.status == Status.RUNNING

    def choices_beyond_first(self) -> tuple[Choice, ...]:
        """The choices in ``further_choices``, by index. Raises ValueError for invalid content."""
        try:
            return _choices.validate_json(self.further_choices)
        except ValidationError:
            raise ValueError("These are not the choices of a run.") from None

    @property
    def endpoint_facts(self) -> list[tuple[str, str]]:
        """Label and value of each fact that the endpoint reported."""
        names = ("served_model", "system_fingerprint", "request_id")
        return [(FACTS[name].label, value) for name in names if (value := getattr(self, name))]


TYPES = get_type_hints(RunRecord)
"""The type of each fact, by field."""

DEFAULTS = {each.name: each.default for each in fields(RunRecord) if each.default is not MISSING}
"""The value of each fact in earlier runs, by field."""

FACTS: dict[str, Fact] = {
    name: hint.__metadata__[0] for name, hint in get_type_hints(RunRecord, include_extras=True).items()
}
"""Each fact by its field of ``RunRecord``, in the order of exports."""

FIXED = (
    *("id", "created_at", "owner", "endpoint", "dialect", "model", "request_body"),
    *("app_version", "draft", "prompt", "settings"),
)
"""The facts that a run has from its start."""

PUBLIC = tuple(name for name, fact in FACTS.items() if fact.public)
"""The facts that are part of capsules."""

NUMBERS = {name: fact for name, fact in FACTS.items() if isinstance(fact, Number)}
"""Each measured fact by its field of ``RunRecord``."""

SHOWN = sorted((name for name, number in NUMBERS.items() if number.place), key=lambda name: NUMBERS[name].place)
"""The numbers of charts and documents, in the order of tables."""

TIMED = tuple(name for name in SHOWN if NUMBERS[name].timed)
"""The numbers that depend on the load."""

OF_ANSWER = tuple(name for name in SHOWN if NUMBERS[name].of_answer)
"""The numbers of an answer's tokens; the load does not change them."""

LISTED = tuple(name for name in dict.fromkeys((*TIMED, *SHOWN)) if NUMBERS[name].listed)
"""The numbers with a column in the table of runs."""

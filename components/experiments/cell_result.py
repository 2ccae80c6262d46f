"""The part of a run that a sweep keeps in memory: numbers and the start of the answer. Sweeps reach 10,000 runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from components.experiments.numbers import incomparable
from components.live.status_words import status_words
from components.log.record import OF_ANSWER, TIMED, RunRecord
from components.streaming.outcome import Status

_BEGINNING = 80


@dataclass(frozen=True, slots=True)
class CellResult:
    """One run of a sweep, without its texts; numbers and moments are those of ``RunRecord``.

    ``status_words`` is the status as people read it. ``beginning`` has the first 80 characters of the answer,
    ``characters`` is its whole length, and two answers with the same ``digest`` are the same. ``timed`` has the
    numbers that the load changes, ``of_answer`` those of its tokens' probabilities; ``incomparable`` says why they
    are not comparable with others, else it is empty. ``passed`` says whether all checks pass, None when that is not
    known; ``check`` is the one that does not, with its reason.
    """

    id: str
    created_at: str
    finished_at: str | None
    position: int | None
    repeat: int | None
    status: str
    status_words: str
    finish_reason: str | None
    error_message: str | None
    beginning: str
    characters: int
    digest: str
    distinct_2: float | None
    completion_tokens: int | None
    timed: Mapping[str, float | None]
    incomparable: str
    concurrency: int | None
    of_answer: Mapping[str, float | None] = field(default_factory=dict)
    passed: bool | None = None
    check: str = ""

    @property
    def running(self) -> bool:
        """Whether the run had not ended when it was read."""
        return self.status == Status.RUNNING

    @property
    def ended_well(self) -> bool:
        """Whether the endpoint reported a complete answer."""
        return self.status == Status.OK


ByPosition = Sequence[Sequence[CellResult]]
"""The results of a sweep: of each position, the newest run of each repeat that has one."""


def result_of(record: RunRecord, passed: bool | None = None, check: str = "") -> CellResult:
    """The result of a run in its present state, with that of its checks."""
    return CellResult(
        id=record.id,
        created_at=record.created_at,
        finished_at=record.finished_at,
        position=record.position,
        repeat=record.repeat,
        status=record.status,
        status_words=status_words(record)[0],
        finish_reason=record.finish_reason,
        error_message=record.error_message,
        beginning=record.text[:_BEGINNING],
        characters=len(record.text),
        # Received text may have lone surrogates, which are not UTF-8.
        digest=hashlib.blake2b(record.text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest(),
        distinct_2=distinct_2(record.text),
        completion_tokens=record.completion_tokens,
        timed={name: getattr(record, name) for name in TIMED},
        incomparable=", ".join(incomparable(record)),
        concurrency=record.concurrency,
        of_answer={name: getattr(record, name) for name in OF_ANSWER},
        passed=passed,
        check=check,
    )


def distinct_2(text: str) -> float | None:
    """The share of distinct pairs among all pairs of adjacent words, above 0 to 1; None below two words.

    White space separates words. After J. Li et al., "A Diversity-Promoting Objective Function for Neural
    Conversation Models", NAACL 2016, who divide by the number of words, not of pairs: here a text without a repetition
    has 1, however short it is.
    """
    pairs = list(pairwise(text.split()))
    return len(set(pairs)) / len(pairs) if pairs else None

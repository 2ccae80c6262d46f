"""Compares two runs of the same bytes and seed, and stores the result on both."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial

from sqlalchemy import Connection, update

from components.experiments.divergence import first_difference
from components.experiments.divergent_tokens import divergent_tokens
from components.log.answer_tokens import TokenPiece, tokens_of
from components.log.database import DatabaseUnavailable
from components.log.owned import OwnedLog, OwnLog
from components.log.query import QueryFailed, events_of
from components.log.record import RunRecord
from components.log.tables import owned_runs, runs
from components.runs.run import live_run
from components.streaming.outcome import Status

IDENTICAL = "identical"


def determinism(
    original: RunRecord, again: RunRecord, tokens: Callable[[RunRecord], Sequence[TokenPiece]] = lambda _run: ()
) -> str:
    """``identical``, the first difference, or why none can be given. Characters are counted from 1.

    Text is compared first, then reasoning, then the names and arguments of tool calls. Call ids are random and
    ignored. Where ``tokens`` gives the tokens of both texts, the words say how likely the original's two were.
    """
    incomplete = next((run for run in (original, again) if run.status != Status.OK), None)
    if incomplete:
        which = "the first answer" if incomplete is original else "the second answer"
        return f"unknown: {which} is {incomplete.status}"
    for part, first, second in (
        ("", original.text, again.text),
        (" of the reasoning", original.reasoning, again.reasoning),
        (" of the tool calls", tool_calls_text(original), tool_calls_text(again)),
    ):
        position = first_difference(first, second)
        if position is not None:
            view = None if part else divergent_tokens(tokens(original), tokens(again), position)
            return f"first differs at character {position + 1:,}{part}" + (f", {view}" if view else "")
    return IDENTICAL


def check_determinism(log: OwnLog, original: RunRecord, again: RunRecord) -> None:
    """Store on both runs whether they are identical."""
    write_determinism(log, (original.id, again.id), determinism(original, again, partial(_tokens, log)))


def _tokens(log: OwnLog, run: RunRecord) -> Sequence[TokenPiece]:
    """The tokens of a run's text; none without probabilities, or while the log is unreadable."""
    if run.mean_logprob is None:
        return ()
    live = live_run(log, run.id)
    try:
        events = live.events() if live else events_of(log.database, run.id) if log.database else []
    except QueryFailed:
        return ()
    return tokens_of(events, run.text).pieces


def tool_calls_text(record: RunRecord) -> str:
    """The names and arguments of the tool calls, a line for each, without their random ids."""
    return "\n".join(f"{call['name']} {call['arguments']}" for call in json.loads(record.tool_calls))


def write_determinism(log: OwnedLog, run_ids: tuple[str, ...], words: str) -> None:
    """Store the result on the runs: now, or when the database is available again."""

    def work(connection: Connection) -> None:
        condition = owned_runs(log.owner, run_ids)
        connection.execute(update(runs).where(condition).values(determinism=words))

    try:
        # Synchronous, so that the result is readable when the check ends.
        log.write(work)
    except DatabaseUnavailable:
        log.post(f"determinism {run_ids[0]}", work)

"""Whether the same bytes with the same seed give the same answer, in words and written on the runs."""

from __future__ import annotations

import json

from sqlalchemy import Connection, update

from components.experiments.divergence import first_difference
from components.log.database import DatabaseUnavailable
from components.log.owned import OwnedLog
from components.log.record import RunRecord
from components.log.tables import owned, runs
from components.streaming.outcome import Status

IDENTICAL = "identical"


def determinism(original: RunRecord, again: RunRecord) -> str:
    """``identical``, where the answers first differ, or why that cannot be said. Characters are counted from 1.

    The answer's text comes first, then its reasoning, then which tools it calls with what; the ids of calls are
    random, and pass for the same.
    """
    cut = next((run for run in (original, again) if run.status != Status.OK), None)
    if cut:
        which = "the first answer" if cut is original else "the second answer"
        return f"not known: {which} is {cut.status}"
    for part, one, other in (
        ("", original.text, again.text),
        (" of the reasoning", original.reasoning, again.reasoning),
        (" of the tool calls", _calls(original), _calls(again)),
    ):
        place = first_difference(one, other)
        if place is not None:
            return f"first differs at character {place + 1:,}{part}"
    return IDENTICAL


def _calls(record: RunRecord) -> str:
    return "\n".join(f"{call['name']} {call['arguments']}" for call in json.loads(record.tool_calls))


def write_determinism(log: OwnedLog, run_ids: tuple[str, ...], words: str) -> None:
    """Write what was found on the runs: at once, or when the database can be had again."""

    def work(connection: Connection) -> None:
        both = runs.c.id.in_(run_ids) & owned(runs, log.owner)
        connection.execute(update(runs).where(both).values(determinism=words))

    try:
        # Waited for: who is told that the check is over finds what came of it.
        log.write(work)
    except DatabaseUnavailable:
        log.post(f"determinism {run_ids[0]}", work)

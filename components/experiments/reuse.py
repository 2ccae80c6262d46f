"""Reuses logged answers instead of sending identical requests again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from components.experiments.cells import RowRequest
from components.log.record import TIMED, RunRecord

Reused = dict[tuple[int, int], str]
"""The id of the reused run, by the cell's position and repeat."""


def reusable(
    requests: Iterable[RowRequest], repeats: int, answers: Mapping[str, Mapping[str, Sequence[str]]]
) -> Reused:
    """The cells with a logged answer; each repeat has its own.

    ``answers`` maps endpoint and body to the ids of the runs that sent it.
    """
    reused: Reused = {}
    used: dict[tuple[str, str], int] = {}
    for request in requests:
        if request.problem or request.endpoint is None or request.composed.body is None:
            continue
        endpoint, body = request.endpoint.name, request.composed.body.decode()
        ids = answers.get(endpoint, {}).get(body, ())
        # Two rows with the same request do not share an answer either.
        taken = used.get((endpoint, body), 0)
        run_ids = ids[taken : taken + repeats]
        reused |= {(request.position, repeat): run_id for repeat, run_id in enumerate(run_ids, 1)}
        used[endpoint, body] = taken + len(run_ids)
    return reused


def as_cell(record: RunRecord, position: int, repeat: int) -> RunRecord:
    """An earlier run as a cell: its answer is kept; its times, measured under another load, are dropped."""
    untimed: dict[str, Any] = dict.fromkeys(TIMED)
    return replace(record, position=position, repeat=repeat, concurrency=None, **untimed)

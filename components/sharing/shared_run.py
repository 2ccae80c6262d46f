"""A run of a capsule as a record that the pages can draw. It is in no log and carries its events."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field

from components.checks.check import Check, CheckProblem, Result
from components.checks.kinds import read_check
from components.checks.results import facts_of
from components.log.events import StoredEvent, has_probabilities
from components.log.record import RunRecord
from components.log.request_summary import summarize_request
from components.sharing.capsule import AS_STORED, Capsule, CapsuleRun


@dataclass(frozen=True)
class SharedRun(RunRecord):
    """A shared run. ``shared_events`` are its published events, ``shared_checks`` its published checks."""

    shared_events: tuple[StoredEvent, ...] = field(default=(), repr=False)
    shared_checks: tuple[Check, ...] = field(default=(), repr=False)

    @property
    def has_probabilities(self) -> bool:
        """Whether the published events hold probabilities of tokens."""
        return any(has_probabilities(event.data) for event in self.shared_events)


def shared_runs(capsule_id: str, capsule: Capsule) -> dict[str, SharedRun]:
    """The runs of a capsule by their titles, in its order."""
    runs: dict[str, SharedRun] = {}
    for number, run in enumerate(capsule.runs, 1):
        title = run.label or f"Run {number}"
        runs[title if title not in runs else f"{title} ({number})"] = _shared_run(capsule_id, number, run)
    return runs


def _shared_run(capsule_id: str, number: int, run: CapsuleRun) -> SharedRun:
    events = run.events or ()
    checked = list(_checks(run))
    checks = tuple(check for check, _result in checked)
    facts = {name: getattr(run, name) for name in AS_STORED}
    return SharedRun(
        **facts | {"event_count": run.event_count if events else 0},
        # A stable id for all visitors: widgets and players are kept under it.
        id=hashlib.sha256(f"{capsule_id} {number}".encode()).hexdigest()[:32],
        status=run.status.value,
        heartbeat_at=run.created_at,
        warnings=json.dumps(run.warnings),
        tool_calls=json.dumps([asdict(call) for call in run.tool_calls]),
        shared_events=events,
        shared_checks=checks,
        **facts_of(checks, [result for _check, result in checked], {}),
        **summarize_request(run.request_body)._asdict(),
    )


def _checks(run: CapsuleRun) -> Iterator[tuple[Check, Result]]:
    """The published checks and their results, without those that only a later release can read."""
    for shared in run.checked:
        with suppress(CheckProblem):
            yield read_check(shared.kind, shared.value), Result(shared.passed, shared.reason)

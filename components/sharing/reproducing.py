"""Sends the requests of a capsule again, and stores the verdict with it, even after the page was closed."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from components.checks.results import AnswerChecks
from components.drafts.comparison import Timing
from components.endpoints.endpoint import AnyEndpoint
from components.experiments.experiment import Experiment
from components.experiments.experiments import Experiments
from components.experiments.reproduction import Reproduced, Reproduction, overall, reproduction
from components.experiments.run_order import Cell, Plan
from components.experiments.store import runs_of
from components.log.owned import OwnLog
from components.log.record import RunRecord
from components.runs.order import Order, order_again
from components.sharing.reproductions import save_verdict
from components.sharing.shared_run import SharedRun
from components.user_error import UserError

_POLL_S = 0.5


def requests_of(records: Mapping[str, SharedRun]) -> dict[str, list[SharedRun]]:
    """The runs of each request, which is the same bytes to the same endpoint, by their titles together."""
    by_request: dict[tuple[str, str], dict[str, SharedRun]] = {}
    for title, record in records.items():
        by_request.setdefault((record.endpoint, record.request_body), {})[title] = record
    return {", ".join(titles): list(titles.values()) for titles in by_request.values()}


def send_again(
    records: Mapping[str, SharedRun],
    repeats: int,
    *,
    endpoints: Mapping[str, AnyEndpoint],
    experiments: Experiments,
    log: OwnLog,
    capsule_id: str | None,
) -> Experiment:
    """The experiment that sends each request again, ``repeats`` times, one at a time.

    When it has ended, its verdict is kept with the capsule of that id, if the capsule's owner keeps verdicts.
    """
    cells = [
        Cell(str(place), place, number, _order(endpoints[originals[0].endpoint], originals[0]))
        for number in range(1, repeats + 1)
        for place, originals in enumerate(requests_of(records).values())
    ]
    experiment = experiments.find(uuid.uuid4().hex, log.owner)
    experiment.start(Plan(tuple(cells), Timing.INTERLEAVED, 1), log.network)
    if capsule_id:
        work = (experiment, records, log, capsule_id)
        threading.Thread(target=_save_verdict, args=work, name="reproduction", daemon=True).start()
    return experiment


def new_runs(log: OwnLog, experiment_id: str, records: Mapping[str, SharedRun]) -> dict[str, list[RunRecord]]:
    """The new runs of each request that has any, in their order. Raises QueryFailed."""
    runs_ = runs_of(log.database, experiment_id) if log.database else []
    by_title = {
        title: [run for run in runs_ if run.lane == str(number)] for number, title in enumerate(requests_of(records))
    }
    return {title: runs for title, runs in by_title.items() if runs}


def compared(
    records: Mapping[str, SharedRun], again: Mapping[str, Sequence[RunRecord]]
) -> tuple[Reproduced, dict[str, Reproduction]]:
    """The verdict on new runs together, and the comparison of each request. There is a new run at least."""
    originals = requests_of(records)
    results = {title: reproduction(originals[title], runs) for title, runs in again.items()}
    return overall(list(results.values())), results


def _order(endpoint: AnyEndpoint, record: SharedRun) -> Order:
    checks = AnswerChecks(record.shared_checks) if record.shared_checks else None
    return replace(order_again(endpoint, record), checks=checks)


def _save_verdict(experiment: Experiment, records: Mapping[str, SharedRun], log: OwnLog, capsule_id: str) -> None:
    while experiment.active:
        time.sleep(_POLL_S)
    with suppress(UserError):  # the log says itself that it is unavailable
        again = new_runs(log, experiment.id, records)
        verdict = compared(records, again)[0] if again else Reproduced.FAILED
        if verdict not in (Reproduced.FAILED, Reproduced.INCOMPARABLE):
            save_verdict(log, capsule_id, verdict.value)

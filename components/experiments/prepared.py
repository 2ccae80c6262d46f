"""An experiment file made ready to run: the place of each run, its cells, and its entry in the log."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from components.endpoints.endpoint import AnyEndpoint
from components.endpoints.models import ModelCard
from components.experiments import sentences
from components.experiments.cells import cells_of, objections, reusable, row_requests
from components.experiments.data_set import problem_with
from components.experiments.file_format import ExperimentFile
from components.experiments.lanes import LaneRequest, lane_requests
from components.experiments.problem import SweepProblem
from components.experiments.run_order import Cell, Plan, plan, with_checks
from components.experiments.store import COMPARISON, SWEEP
from components.experiments.stored_sweep import StoredSweep, rules_content, sweep_content, sweep_run
from components.experiments.sweep_results import row_in_words
from components.log.database import Database
from components.log.owned import OwnLog
from components.log.query import answers_to

ModelsOf = Callable[[AnyEndpoint], list[ModelCard]]


class CannotRun(SweepProblem):
    """The experiment cannot run; the text has the reason and the next step."""


def database_of(log: OwnLog) -> Database:
    """The log's database. Raises CannotRun without one."""
    if log.database is None:
        raise CannotRun(log.log.problem or sentences.NO_LOG)
    return log.database


@dataclass(frozen=True)
class Place:
    """The request of one position: the row or lane in words, the number of its input, and the input's values.

    ``changes`` says in words how a lane differs from the base.
    """

    row: str
    input_number: int = 0
    values: Mapping[str, str] = field(default_factory=dict)
    endpoint: AnyEndpoint | None = None
    changes: str = ""


def place_in(sweep: StoredSweep, position: int, endpoint: AnyEndpoint | None = None) -> Place:
    """A position of a sweep."""
    row = row_in_words(sweep.row_at(position))
    return Place(row, sweep.input_number_at(position), sweep.input_at(position), endpoint)


@dataclass(frozen=True)
class Prepared:
    """An experiment that can run.

    ``content`` is its log entry, ``places`` has the place of each position, and ``order`` makes a plan of cells.
    ``reused`` cells take their answer from the log.
    """

    kind: str
    content: str
    places: Mapping[int, Place]
    repeats: int
    cells: tuple[Cell, ...]
    order: Callable[[Sequence[Cell]], Plan]
    reused: Mapping[tuple[int, int], str] = field(default_factory=dict)


def prepared(
    file: ExperimentFile,
    endpoints: Mapping[str, AnyEndpoint],
    models_of: ModelsOf,
    log: OwnLog,
    *,
    endpoint: str | None = None,
) -> Prepared:
    """The experiment of a file; ``endpoint`` replaces that of its base. Raises SweepProblem."""
    draft = file.draft.model_copy(update={"endpoint": endpoint}) if endpoint else file.draft
    if draft.endpoint is None or draft.endpoint not in endpoints:
        raise CannotRun(
            sentences.ENDPOINT_NOT_HERE.format(name=draft.endpoint or "of no name", names=", ".join(endpoints))
        )
    if not draft.model:
        draft = draft.model_copy(update={"model": first_model(endpoints[draft.endpoint], models_of)})
    file = replace(file, draft=draft)
    return _comparison(file, endpoints, models_of) if file.setup is None else _sweep(file, endpoints, models_of, log)


def first_model(endpoint: AnyEndpoint, models_of: ModelsOf) -> str | None:
    """The model of requests to an endpoint unless another one is given."""
    return endpoint.default_model or next((card.id for card in models_of(endpoint)), None)


def _comparison(file: ExperimentFile, endpoints: Mapping[str, AnyEndpoint], models_of: ModelsOf) -> Prepared:
    draft = file.draft
    comparison = draft.comparison
    requests = [request for request in lane_requests(draft, endpoints, models_of) if not request.lane.muted]
    for request in requests:
        if objection := request.composed.objection(send_anyway=True):
            raise CannotRun(sentences.LANE_CANNOT_RUN.format(lane=request.title, why=objection))
    if not requests:
        raise CannotRun(sentences.EVERY_LANE_MUTED)
    positions = [comparison.position(request.lane.id) for request in requests]
    full_plan = plan(requests, positions, repeats=comparison.repeats, timing=comparison.timing)
    content = json.dumps(json.loads(draft.to_text()) | rules_content(file.rules) | _named(file))
    places = {
        position: Place(request.title, endpoint=request.endpoint, changes=_changes_of(request))
        for position, request in zip(positions, requests, strict=True)
    }
    cells = with_checks(full_plan.cells, file.rules.checks, lambda _position: {})
    return Prepared(COMPARISON, content, places, comparison.repeats, cells, partial(_in_order, full_plan))


def _changes_of(request: LaneRequest) -> str:
    return ", ".join(f"{difference.field} {difference.after}" for difference in request.differences) or "base settings"


def _in_order(full_plan: Plan, cells: Sequence[Cell]) -> Plan:
    return replace(full_plan, cells=tuple(cells))


def _sweep(file: ExperimentFile, endpoints: Mapping[str, AnyEndpoint], models_of: ModelsOf, log: OwnLog) -> Prepared:
    draft, setup = file.draft, file.setup
    if setup is None:
        raise ValueError("A comparison is no sweep.")
    edited = setup.edited_rows()
    rows = setup.plan() if edited is None else edited
    data = setup.data_set()
    inputs = [dict(row) for row in data.rows] if data else []
    if data and (problem := problem_with(data, draft, setup.fields)):
        raise CannotRun(problem)
    requests = row_requests(draft, rows, endpoints, models_of, inputs=inputs, send_anyway=True)
    for reason, numbers in objections(requests, range(1, len(rows) + 1)).items():
        raise CannotRun(sentences.ROW_CANNOT_RUN.format(rows=numbers, why=reason))
    reused = {}
    if setup.reuse and log.database:
        names = {request.endpoint.name for request in requests if request.endpoint}
        reused = reusable(requests, setup.repeats, {name: answers_to(log.database, name) for name in names})
    sweep = StoredSweep(draft, setup, rows, inputs, reused, file.rules)
    places = {request.position: place_in(sweep, request.position, request.endpoint) for request in requests}
    chance = random.Random() if setup.shuffled else None  # noqa: S311 - an order, no secret
    cells = with_checks(cells_of(requests, setup.repeats, shuffled=chance), file.rules.checks, sweep.input_at)
    content = json.dumps(json.loads(sweep_content(sweep)) | _named(file))
    return Prepared(SWEEP, content, places, setup.repeats, cells, partial(sweep_run, setup), reused)


def _named(file: ExperimentFile) -> dict[str, str]:
    return {"name": file.name} if file.name else {}

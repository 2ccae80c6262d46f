"""Runs an experiment file without a page: the same plan, runner and log, so that a page shows it like any other."""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial

from components.contract.messages import Role
from components.drafts.composed import compose_for
from components.drafts.conversation import Turn
from components.drafts.draft import new_draft, read_draft
from components.endpoints.endpoint import AnyEndpoint
from components.endpoints.models import ModelCard
from components.experiments import sentences
from components.experiments.cases import Case, case_of
from components.experiments.cells import cells_of, objections, row_requests
from components.experiments.checks import Answer, Check, Judge, Result
from components.experiments.data_set import problem_with
from components.experiments.experiment import Experiment, Experiments
from components.experiments.experiment_file import ExperimentFile
from components.experiments.kept_sweep import KeptSweep, read_sweep, rules_content, sweep_content, sweep_run
from components.experiments.lanes import lane_requests
from components.experiments.problem import SweepProblem
from components.experiments.reuse import as_cell, reusable
from components.experiments.run_order import Cell, Plan, plan
from components.experiments.store import (
    COMPARISON,
    SWEEP,
    KeptExperiment,
    PlacedRun,
    find_experiment,
    light_runs,
    newest_experiments,
    placed_runs,
    save_experiment,
)
from components.experiments.sweep_results import row_in_words
from components.log.database import Database
from components.log.owned import OwnLog
from components.log.query import answers_to, find_run
from components.log.record import RunRecord, utc_now
from components.runs.gate import Refused
from components.runs.order import order_for
from components.runs.placement import WARM_UP
from components.runs.runner import Runner
from components.streaming.outcome import Status

_RESUMED_WITHIN_S = 86_400.0
_SETTLED_S = 45.0
"""More than ``Limits.lost_after_s``."""
_NEWEST = 50
_NEWEST_RUNS = 5_000
_LOOK_AGAIN_S = 0.05
_READ_AT_ONCE = 200
_NOT_MADE = (Status.CANCELLED, Status.LOST)
"""The ends of runs that a kill or a stop left; they are made again."""

ModelsOf = Callable[[AnyEndpoint], list[ModelCard]]
Show = Callable[[int, int], None]
"""Shows how many of how many runs have begun."""


class CannotRun(SweepProblem):
    """The experiment cannot run; the text has the reason and the next step."""


@dataclass(frozen=True)
class Place:
    """What is asked at one position: the row or lane in words, the number of its input, and the input's values."""

    row: str
    input_number: int = 0
    values: Mapping[str, str] = field(default_factory=dict)
    endpoint: AnyEndpoint | None = None


@dataclass(frozen=True)
class Prepared:
    """An experiment that can run.

    ``content`` is its log entry, ``places`` says what stands at each position that is run, and ``order`` makes a plan
    of cells. ``reused`` cells take their answer from the log.
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
        draft = draft.model_copy(update={"model": _first_model(endpoints[draft.endpoint], models_of)})
    own = replace(file, draft=draft)
    return _comparison(own, endpoints, models_of) if file.setup is None else _sweep(own, endpoints, models_of, log)


def _first_model(endpoint: AnyEndpoint, models_of: ModelsOf) -> str | None:
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
    whole = plan(requests, positions, repeats=comparison.repeats, timing=comparison.timing, shuffled=_shuffled)
    content = json.dumps(json.loads(draft.to_text()) | rules_content(file.rules))
    places = {
        position: Place(request.title, endpoint=request.endpoint)
        for position, request in zip(positions, requests, strict=True)
    }
    order = partial(_in_order, whole)
    return Prepared(COMPARISON, content, places, comparison.repeats, whole.cells, order)


def _in_order(whole: Plan, cells: Sequence[Cell]) -> Plan:
    return replace(whole, cells=tuple(cells))


def _sweep(file: ExperimentFile, endpoints: Mapping[str, AnyEndpoint], models_of: ModelsOf, log: OwnLog) -> Prepared:
    draft, setup = file.draft, file.setup
    if setup is None:
        raise ValueError("A comparison is no sweep.")
    edited = setup.edited_rows()
    rows = setup.plan() if edited is None else edited
    data = setup.data_set()
    inputs = [dict(row) for row in data.rows] if data else []
    if data:
        filled = [name for name in draft.variable_names if name in data.columns or not draft.variables.get(name)]
        asked = [name for name in filled if f"{{{{{name}}}}}" not in setup.fields]
        if problem := problem_with(data, asked):
            raise CannotRun(problem)
    requests = row_requests(draft, rows, endpoints, models_of, inputs=inputs, send_anyway=True)
    for why, which in objections(requests, range(1, len(rows) + 1)).items():
        raise CannotRun(sentences.ROW_CANNOT_RUN.format(rows=which, why=why))
    reused = {}
    if setup.reuse and log.database:
        names = {request.endpoint.name for request in requests if request.endpoint}
        reused = reusable(
            requests, setup.repeats, {name: answers_to(log.database, name, _NEWEST_RUNS) for name in names}
        )
    kept = KeptSweep(draft, setup, rows, inputs, reused, file.rules)
    several = max(len(inputs), 1)
    places = {
        request.position: Place(
            row_in_words(rows[request.position // several]),
            request.input_number,
            inputs[request.input_number - 1] if inputs else {},
            request.endpoint,
        )
        for request in requests
    }
    chance = random.Random() if setup.shuffled else None  # noqa: S311 - an order, no secret
    cells = tuple(cells_of(requests, setup.repeats, shuffled=chance))
    return Prepared(SWEEP, sweep_content(kept), places, setup.repeats, cells, partial(sweep_run, setup), reused)


def _shuffled(cells: Sequence[Cell]) -> Sequence[Cell]:
    return random.sample(cells, len(cells))


@dataclass(frozen=True)
class Made:
    """An experiment that has ended. ``problem`` says why runs are missing; ``resumed`` of them were made before."""

    experiment_id: str
    prepared: Prepared
    problem: str | None = None
    resumed: int = 0


def run(
    prepared: Prepared,
    experiments: Experiments,
    log: OwnLog,
    show: Show = lambda _done, _of: None,
    claim_s: float = _SETTLED_S,
) -> Made:
    """Make the runs and wait for them; those of the same experiment that a kill interrupted are continued.

    A process that makes the experiment has ``claim_s`` to end: one that was killed has lost it by then. Raises
    CannotRun, also without a log, and QueryFailed.
    """
    if log.database is None:
        raise CannotRun(log.log.problem or sentences.NO_LOG)
    left = _interrupted(log, prepared)
    experiment_id = left[0] if left else uuid.uuid4().hex
    reused = left[2] if left else prepared.reused
    own = replace(prepared, reused=reused)
    done = {*(left[1] if left else ()), *reused}
    if not left:
        save_experiment(log, experiment_id, prepared.content, prepared.kind)
    cells = [cell for cell in own.cells if cell.repeat == WARM_UP or (cell.position, cell.repeat) not in done]
    experiment = experiments.find(experiment_id, log.owner)
    if any(cell.repeat != WARM_UP for cell in cells) and not _started(experiment, own.order(cells), claim_s):
        raise CannotRun(sentences.MADE_ELSEWHERE)
    try:
        _wait(experiment, len(cells), show)
    finally:
        why = experiment.paused_why
        experiment.stop()
        _wait(experiment, len(cells), lambda _done, _of: None)
    return Made(experiment_id, own, why, len(left[1]) if left else 0)


def _started(experiment: Experiment, plan: Plan, claim_s: float) -> bool:
    ends = time.monotonic() + claim_s
    while not experiment.start(plan):
        if time.monotonic() > ends:
            return False
        time.sleep(_LOOK_AGAIN_S)
    return True


def _wait(experiment: Experiment, count: int, show: Show) -> None:
    begun = -1
    while experiment.going_on and not experiment.paused_why:
        now = max(count - experiment.waiting, 0)
        if now != begun:
            show(now, count)
        begun = now
        time.sleep(_LOOK_AGAIN_S)


def _interrupted(
    log: OwnLog, prepared: Prepared
) -> tuple[str, set[tuple[int, int]], Mapping[tuple[int, int], str]] | None:
    """The newest experiment of the same content, if it lacks runs: its id, its answered cells, and the reused ones.

    One of more than a day ago is left alone, and so is one that goes on elsewhere.
    """
    if log.database is None:
        return None
    wanted = {(position, repeat) for position in prepared.places for repeat in range(1, prepared.repeats + 1)}
    for kept in newest_experiments(log.database, _NEWEST, prepared.kind):
        if kept.created_at < utc_now(_RESUMED_WITHIN_S) or _asks(kept.content) != _asks(prepared.content):
            continue
        reused = {(position, repeat): run for position, repeat, run in json.loads(kept.content).get("reused", [])}
        placed = _settled(log.database, kept.id)
        if any(run.status == Status.RUNNING for run in placed):
            return None
        made = {(run.position, run.repeat) for run in placed if run.status not in _NOT_MADE}
        answered = {(run.position, run.repeat) for run in placed if run.status == Status.OK}
        return (kept.id, answered & wanted, reused) if wanted - made - reused.keys() else None
    return None


def _settled(database: Database, experiment_id: str) -> list[PlacedRun]:
    """The runs of an experiment once those of a process that died are marked as lost, or after a while."""
    ends = time.monotonic() + _SETTLED_S
    while True:
        placed = placed_runs(database, experiment_id)
        if time.monotonic() > ends or all(run.status != Status.RUNNING for run in placed):
            return placed
        time.sleep(_LOOK_AGAIN_S)


def _asks(content: str) -> dict[str, object]:
    return {name: value for name, value in json.loads(content).items() if name != "reused"}


def cases_of(made: Made, log: OwnLog, checks: Sequence[Check], judges: Judges | None = None) -> list[Case]:
    """The cases of an experiment, in the order of its plan. Raises QueryFailed."""
    return list(_cases(log, made.experiment_id, made.prepared.places, made.prepared.reused, checks, judges))


def cases_in_log(log: OwnLog, experiment_id: str, checks: Sequence[Check], judges: Judges | None = None) -> list[Case]:
    """The cases of an earlier experiment under these checks. Raises CannotRun and QueryFailed."""
    kept = find_experiment(log.database, experiment_id) if log.database else None
    if kept is None:
        raise CannotRun(sentences.EXPERIMENT_NOT_IN_LOG.format(name=experiment_id))
    places, reused = _places(kept)
    return list(_cases(log, experiment_id, places, reused, checks, judges))


def _places(kept: KeptExperiment) -> tuple[dict[int, Place], Mapping[tuple[int, int], str]]:
    if kept.kind == SWEEP:
        sweep = read_sweep(kept)
        if sweep is None:
            raise CannotRun(sentences.EXPERIMENT_OF_LATER.format(name=kept.id))
        several = max(len(sweep.inputs), 1)
        return {
            position: Place(
                row_in_words(sweep.rows[position // several]),
                position % several + 1 if sweep.inputs else 0,
                sweep.inputs[position % several] if sweep.inputs else {},
            )
            for position in range(sweep.positions)
        }, sweep.reused
    draft = read_draft(kept.content)
    if draft is None:
        raise CannotRun(sentences.EXPERIMENT_OF_LATER.format(name=kept.id))
    lanes = draft.comparison.lanes
    return {position: Place(draft.comparison.title(lane.id)) for position, lane in enumerate(lanes)}, {}


def _cases(
    log: OwnLog,
    experiment_id: str,
    places: Mapping[int, Place],
    reused: Mapping[tuple[int, int], str],
    checks: Sequence[Check],
    judges: Judges | None,
) -> Iterator[Case]:
    if log.database is None:
        raise CannotRun(log.log.problem or sentences.NO_LOG)
    newest = {
        (run.position, run.repeat): run.id
        for run in placed_runs(log.database, experiment_id)
        if run.repeat != WARM_UP and not run.checks
    }
    wanted = sorted((place, run_id) for place, run_id in ({**reused, **newest}).items() if place[0] in places)
    ask = judges.ask if judges else None
    with ThreadPoolExecutor(judges.at_once if judges else 1) as pool:
        for begin in range(0, len(wanted), _READ_AT_ONCE):
            part = wanted[begin : begin + _READ_AT_ONCE]
            records = {record.id: record for record in light_runs(log.database, [run_id for _place, run_id in part])}

            def case(placed: tuple[tuple[int, int], str], records: dict[str, RunRecord] = records) -> Case:
                (position, repeat), run_id = placed
                place, record = places[position], records[run_id]
                if record.experiment_id != experiment_id:
                    record = as_cell(record, position, repeat)
                prices = place.endpoint.prices if place.endpoint else None
                return case_of(record, place.row, place.input_number, checks, place.values, prices=prices, ask=ask)

            yield from pool.map(case, [placed for placed in part if placed[1] in records])


class Judges:
    """Asks endpoints for opinions on answers; a question that the log has answered is not sent again. Thread-safe."""

    def __init__(
        self,
        runner: Runner,
        log: OwnLog,
        endpoints: Mapping[str, AnyEndpoint],
        models_of: ModelsOf,
        at_once: int = 1,
    ) -> None:
        self.at_once = at_once
        self._runner = runner
        self._log = log
        self._endpoints = endpoints
        self._models_of = models_of
        self._lock = threading.Lock()
        self._answered: dict[str, dict[str, list[str]]] = {}

    def ask(self, check: Judge, answer: Answer, record: RunRecord) -> Result:
        """The opinion on a run's answer."""
        name = check.endpoint or record.endpoint
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            return Result(None, sentences.ENDPOINT_NOT_HERE.format(name=name, names=", ".join(self._endpoints)))
        cards = self._models_of(endpoint)
        model = check.model or (record.model if name == record.endpoint else _first_model(endpoint, self._models_of))
        turns = (Turn(id="1", role=Role.USER, content=check.question(answer), literal=True),)
        draft = new_draft().model_copy(update={"endpoint": name, "model": model, "turns": turns})
        composed = compose_for(draft, endpoint, cards)
        order = order_for(endpoint, composed, draft)
        if order is None or (objection := composed.objection(send_anyway=True)):
            return Result(None, f"The judge cannot be asked: {objection if order else composed.problem}")
        if known := self._known(name, order.body.decode()):
            return check.opinion(known)
        try:
            asked = self._runner.start(replace(order, owner=self._log.owner))
        except Refused as refused:
            return Result(None, refused.sentence)
        asked.written.result()
        said = asked.record()
        if said.status != Status.OK:
            return Result(None, f"The judge did not answer: {said.error_message or said.status}")
        with self._lock:
            self._answered.setdefault(name, {})[order.body.decode()] = [asked.id]
        return check.opinion(said.text)

    def _known(self, endpoint: str, body: str) -> str | None:
        database = self._log.database
        if database is None:
            return None
        with self._lock:
            if endpoint not in self._answered:
                self._answered[endpoint] = answers_to(database, endpoint, _NEWEST_RUNS)
            ids = self._answered[endpoint].get(body, [])
        found = find_run(database, ids[0]) if ids else None
        return found.text if found else None

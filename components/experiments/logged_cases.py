"""The cases of an experiment in the log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from components.checks.check import Check
from components.checks.judge import Judge
from components.drafts.draft import read_draft
from components.endpoints.endpoint import Prices
from components.experiments import sentences
from components.experiments.cases import Case, case_of
from components.experiments.cells import as_cell
from components.experiments.judges import Judges
from components.experiments.logged_checks import check_logged
from components.experiments.prepared import CannotRun, Place, database_of, place_in
from components.experiments.repeatable import EndedExperiment
from components.experiments.store import SWEEP, StoredExperiment, find_experiment, light_runs, placed_runs
from components.experiments.stored_sweep import read_sweep
from components.log.owned import OwnLog
from components.log.record import RunRecord
from components.runs.order import WARM_UP

_READ_AT_ONCE = 200


def cases_of(ended: EndedExperiment, log: OwnLog, checks: Sequence[Check], judges: Judges | None = None) -> list[Case]:
    """The cases of an experiment, in the order of its plan; its runs keep the opinions of judges.

    Raises QueryFailed, DatabaseUnavailable.
    """
    places, reused = ended.prepared.places, ended.prepared.reused
    if judges and any(isinstance(check, Judge) for check in checks):
        newest = _newest(log, ended.experiment_id)
        values = _reused(places, reused, newest)
        check_logged(log, [*newest.values(), *values], checks, judges, reused=values)
    return list(_cases(log, ended.experiment_id, places, reused, checks, judges, {}))


def cases_in_log(
    log: OwnLog,
    experiment_id: str,
    checks: Sequence[Check],
    judges: Judges | None = None,
    prices: Mapping[str, Prices] | None = None,
) -> list[Case]:
    """The cases of an earlier experiment under these checks, at today's ``prices`` of its endpoints by name.

    Raises CannotRun and QueryFailed.
    """
    places, reused = _stored_places(log, experiment_id)
    return list(_cases(log, experiment_id, places, reused, checks, judges, prices or {}))


def reused_answers(log: OwnLog, experiment_id: str) -> dict[str, Mapping[str, str]]:
    """The earlier runs whose answers an experiment reuses, with the values of the input that each answers there.

    Raises CannotRun, QueryFailed.
    """
    places, reused = _stored_places(log, experiment_id)
    return _reused(places, reused, _newest(log, experiment_id))


def _reused(
    places: Mapping[int, Place], reused: Mapping[tuple[int, int], str], newest: Mapping[tuple[int, int], str]
) -> dict[str, Mapping[str, str]]:
    unanswered = {place: run_id for place, run_id in reused.items() if place not in newest and place[0] in places}
    return {run_id: places[position].values for (position, _repeat), run_id in unanswered.items()}


def _stored_places(log: OwnLog, experiment_id: str) -> tuple[dict[int, Place], Mapping[tuple[int, int], str]]:
    stored = find_experiment(log.database, experiment_id) if log.database else None
    if stored is None:
        raise CannotRun(sentences.EXPERIMENT_NOT_IN_LOG.format(name=experiment_id))
    return _places(stored)


def _places(stored: StoredExperiment) -> tuple[dict[int, Place], Mapping[tuple[int, int], str]]:
    if stored.kind == SWEEP:
        sweep = read_sweep(stored)
        if sweep is None:
            raise CannotRun(sentences.EXPERIMENT_OF_LATER.format(name=stored.id))
        return {position: place_in(sweep, position) for position in range(sweep.positions)}, sweep.reused
    draft = read_draft(stored.content)
    if draft is None:
        raise CannotRun(sentences.EXPERIMENT_OF_LATER.format(name=stored.id))
    lanes = draft.comparison.lanes
    return {position: Place(draft.comparison.title(lane.id)) for position, lane in enumerate(lanes)}, {}


def _newest(log: OwnLog, experiment_id: str) -> dict[tuple[int, int], str]:
    """The newest run at each position and repeat, in their order."""
    newest = {
        (run.position, run.repeat): run.id
        for run in placed_runs(database_of(log), experiment_id)
        if run.repeat != WARM_UP and not run.checks
    }
    return dict(sorted(newest.items()))


def _cases(
    log: OwnLog,
    experiment_id: str,
    places: Mapping[int, Place],
    reused: Mapping[tuple[int, int], str],
    checks: Sequence[Check],
    judges: Judges | None,
    prices: Mapping[str, Prices],
) -> Iterator[Case]:
    newest = _newest(log, experiment_id)
    placed_ids = sorted((place, run_id) for place, run_id in ({**reused, **newest}).items() if place[0] in places)
    ask, database = judges.ask if judges else None, database_of(log)
    with ThreadPoolExecutor(judges.at_once if judges else 1) as pool:
        # Only judges are worth a thread.
        each = pool.map if judges and any(isinstance(check, Judge) for check in checks) else map
        for begin in range(0, len(placed_ids), _READ_AT_ONCE):
            part = placed_ids[begin : begin + _READ_AT_ONCE]
            records = {record.id: record for record in light_runs(database, [run_id for _place, run_id in part])}

            def case(placed: tuple[tuple[int, int], str], records: dict[str, RunRecord] = records) -> Case:
                (position, repeat), run_id = placed
                place, record = places[position], records[run_id]
                if record.experiment_id != experiment_id:
                    record = as_cell(record, position, repeat)
                own_prices = place.endpoint.prices if place.endpoint else prices.get(record.endpoint)
                return case_of(record, place.row, place.input_number, checks, place.values, prices=own_prices, ask=ask)

            yield from each(case, [placed for placed in part if placed[1] in records])

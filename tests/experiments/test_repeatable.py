"""An experiment file is run as a page runs it: the same requests, the same log entry, and no run twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import update

from components.endpoints.endpoint import Endpoint, Prices
from components.experiments.experiments import Experiments
from components.experiments.file_reading import read_experiment_file
from components.experiments.judges import Judges
from components.experiments.logged_cases import cases_in_log, cases_of, reused_answers
from components.experiments.logged_checks import check_logged
from components.experiments.prepared import CannotRun, Prepared, prepared
from components.experiments.problem import SweepProblem
from components.experiments.repeatable import run
from components.experiments.store import find_experiment, save_experiment
from components.experiments.stored_sweep import read_sweep
from components.log.log import Log
from components.log.owned import OwnLog
from components.log.tables import runs
from components.runs.order import Placement
from components.runs.runner import Runner
from components.streaming.outcome import Status
from tests.experiments.conftest import ID, Stage, a_run, an_endpoint, in_turn, written
from tests.streaming.endpoint import serve
from tests.waiting import wait_for

BASE = "tempera: 1\nbase:\n  endpoint: here\n  model: Paris\n  messages:\n    - user: Capital of {{country}}?\n"
SWEEP = f"""{BASE}axes:
  model: [Paris, Rome]
combine: product
data:
  rows:
    - {{country: France, capital: Paris}}
    - {{country: Italy, capital: Rome}}
repeats: 2
checks:
  - equals: "{{{{capital}}}}"
"""
LANES = BASE.replace(" of {{country}}", "") + "lanes:\n  - name: first\n  - model: Rome\n  - muted: true\nrepeats: 3\n"
JUDGED = SWEEP.replace('  - equals: "{{capital}}"', '  - judge: {prompt: "Is {{answer}} {{capital}}?", model: judge}')


@pytest.fixture
def log(sqlite_url: str) -> Iterator[Log]:
    opened = Log(sqlite_url)
    yield opened
    opened.close()


@pytest.fixture
def own(log: Log) -> OwnLog:
    return OwnLog(log, log.owner)


@pytest.fixture
def stage() -> Stage:
    return Stage({"judge": in_turn("PASS", "FAIL", "well", "PASS")}, pause=0.0)


@pytest.fixture
def here(stage: Stage) -> Iterator[Endpoint]:
    with serve(stage.play) as endpoint:
        yield an_endpoint(endpoint.base_url)


def ready(text: str, here: Endpoint, own: OwnLog) -> Prepared:
    return prepared(read_experiment_file(text), {"here": here}, lambda _endpoint: [], own)


def test_a_sweep_is_run_checked_and_stored_as_by_the_page(
    here: Endpoint, own: OwnLog, experiments: Experiments, stage: Stage
) -> None:
    progress: list[int] = []
    made = run(ready(SWEEP, here, own), experiments, own, lambda done, _count: progress.append(done))
    rules = read_experiment_file(SWEEP).rules
    cases = cases_of(made, own, rules.checks)
    assert [(case.row, case.input_number, case.repeat, case.passed) for case in cases] == [
        (f"model {model}", number, repeat, capital == model)
        for model in ("Paris", "Rome")
        for number, capital in ((1, "Paris"), (2, "Rome"))
        for repeat in (1, 2)
    ]
    assert len(stage.bodies) == 8
    assert progress == sorted(progress)
    assert own.database
    entry = find_experiment(own.database, made.experiment_id)
    assert entry
    kept = read_sweep(entry)
    assert kept
    assert (kept.rules, kept.inputs[1]) == (rules, {"country": "Italy", "capital": "Rome"})
    assert cases_in_log(own, made.experiment_id, rules.checks) == cases
    with own.database.writer.begin() as connection:
        connection.execute(update(runs).values(prompt_tokens=9, completion_tokens=2))
    priced = cases_in_log(own, made.experiment_id, rules.checks, prices={"here": Prices(1.0, 2.0, "EUR")})
    assert {case.values["cost"] for case in priced} == {13e-6}


def test_a_comparison_is_run_without_its_muted_lanes(
    here: Endpoint, own: OwnLog, experiments: Experiments, stage: Stage
) -> None:
    made = run(ready(LANES, here, own), experiments, own)
    cases = cases_of(made, own, ())
    assert [(case.row, case.answer) for case in cases] == [("A · first", "Paris")] * 3 + [("B", "Rome")] * 3
    # Interleaved lanes begin with a warm-up of each model, which is not a case.
    assert len(stage.bodies) == 8
    assert [case.row for case in cases_in_log(own, made.experiment_id, ())] == [case.row for case in cases]


@pytest.mark.parametrize("text", [SWEEP, LANES])
def test_a_killed_experiment_is_continued_and_a_complete_one_repeated(
    text: str, here: Endpoint, own: OwnLog, experiments: Experiments, stage: Stage
) -> None:
    experiment = ready(text, here, own)
    save_experiment(own, ID, experiment.content, experiment.kind)
    counted = [cell for cell in experiment.cells if cell.repeat]
    begun = experiments.find(ID)
    begun.start(experiment.order(counted[:3]))
    wait_for(lambda: not begun.active)
    made = run(experiment, experiments, own)
    assert (made.experiment_id, made.resumed) == (ID, 3)
    assert len(cases_of(made, own, ())) == len(counted)
    assert sum(stage.models.count(model) for model in ("Paris", "Rome")) == len(experiment.cells)
    again = run(experiment, experiments, own)
    assert (again.experiment_id != ID, again.resumed) == (True, 0)


def test_a_run_cut_by_a_kill_is_repeated(here: Endpoint, own: OwnLog, experiments: Experiments, log: Log) -> None:
    experiment = ready(SWEEP, here, own)
    save_experiment(own, ID, experiment.content, experiment.kind)
    first, *others = experiment.cells
    begun = experiments.find(ID)
    begun.start(experiment.order(others))
    wait_for(lambda: not begun.active)
    lost = a_run("half", Status.LOST)
    lost.adopt(Placement(ID, first.lane, first.position, first.repeat, "interleaved", 1))
    written(log, lost)
    made = run(experiment, experiments, own)
    assert (made.experiment_id, made.resumed) == (ID, 7)
    assert {case.status for case in cases_of(made, own, ())} == {"ok"}


def test_an_experiment_claimed_by_another_process_is_not_run(
    here: Endpoint, own: OwnLog, experiments: Experiments, runner: Runner, log: Log, stage: Stage
) -> None:
    experiment = ready(SWEEP, here, own)
    save_experiment(own, ID, experiment.content, experiment.kind)
    another = Experiments(runner, log)
    assert another.find(ID).claim()
    with pytest.raises(CannotRun, match="Another process makes this experiment"):
        run(experiment, experiments, own, claim_s=0.0)
    assert stage.bodies == []
    another.find(ID).close()
    assert run(experiment, experiments, own).experiment_id == ID


def test_reused_answers_are_not_requested_again(
    here: Endpoint, own: OwnLog, experiments: Experiments, runner: Runner, stage: Stage
) -> None:
    run(ready(SWEEP, here, own), experiments, own)
    made = run(ready(f"{SWEEP}reuse: true\n", here, own), experiments, own)
    cases = cases_of(made, own, ())
    assert len(cases) == len(stage.bodies) == 8
    # Their times were measured under another load.
    assert {"ttft_ms" in case.values for case in cases} == {False}
    # A judge gets the inputs of this sweep for them.
    wait_for(lambda: own.database and find_experiment(own.database, made.experiment_id))
    reused = reused_answers(own, made.experiment_id)
    assert len(reused) == 8
    assert {values["capital"] for values in reused.values()} == {"Paris", "Rome"}
    judge = read_experiment_file(JUDGED).rules.checks
    assert (
        check_logged(own, reused, judge, Judges(runner, own, {"here": here}, lambda _endpoint: []), reused=reused) == 8
    )
    assert "Not judged yet." not in " ".join(
        result.reason for case in cases_in_log(own, made.experiment_id, judge) for result in case.results
    )


@pytest.mark.parametrize(
    ("text", "instead", "sentence"),
    [
        ("here", "there", "There is no endpoint there here. There are here: "),
        ("{{country}}", "{{land}}", "The prompt has {{land}}, and the data set has only country, capital. "),
        ("model: [Paris, Rome]", "endpoint: [here, there]", "Row 2: "),
    ],
)
def test_invalid_experiments_are_refused_before_anything_is_sent(
    text: str, instead: str, sentence: str, here: Endpoint, own: OwnLog, stage: Stage
) -> None:
    with pytest.raises(SweepProblem) as problem:
        ready(SWEEP.replace(text, instead, 1), here, own)
    assert problem.value.sentence.startswith(sentence)
    assert stage.bodies == []


def test_another_endpoint_can_replace_that_of_the_file(here: Endpoint, own: OwnLog) -> None:
    file = read_experiment_file(SWEEP.replace("here", "there"))
    found = prepared(file, {"here": here}, lambda _endpoint: [], own, endpoint="here")
    assert {cell.order.endpoint.name for cell in found.cells} == {"here"}


def test_a_judge_is_asked_once_per_distinct_answer_and_logged_verdicts_are_reused(
    here: Endpoint, own: OwnLog, experiments: Experiments, runner: Runner, stage: Stage
) -> None:
    made = run(ready(JUDGED, here, own), experiments, own)
    checks = read_experiment_file(JUDGED).rules.checks
    judges = Judges(runner, own, {"here": here}, lambda _endpoint: [])
    cases = cases_of(made, own, checks, judges)
    assert [case.passed for case in cases] == [True, True, False, False, None, None, True, True]
    assert cases[4].results[0].reason == "The judge says neither pass nor fail, or both: “well”."
    assert stage.models.count("judge") == 4
    again = cases_of(made, own, checks, Judges(runner, own, {"here": here}, lambda _endpoint: []))
    assert again == cases
    assert stage.models.count("judge") == 4
    # The runs store the verdicts.
    assert cases_of(made, own, checks) == cases

"""Drift: a change of a measure beyond its noise is marked with its time and cause."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from components.experiments.drift import Time, levels_of, series_in_log, times_of
from components.experiments.experiments import Experiments
from components.experiments.file_reading import read_experiment_file
from components.experiments.prepared import prepared
from components.experiments.repeatable import run
from components.log.log import Log
from components.log.owned import OwnLog
from tests.experiments.conftest import Stage, an_endpoint, in_turn
from tests.streaming.endpoint import serve

FILE = """\
tempera: 1
name: Nightly
base:
  endpoint: here
  model: Paris
  messages: [user: "Capital of France?"]
repeats: 4
checks:
  - contains: Paris
"""


@pytest.fixture
def log(sqlite_url: str) -> Iterator[Log]:
    opened = Log(sqlite_url)
    yield opened
    opened.close()


def times(rows: Sequence[Sequence[float]], measure: str, facts: Mapping[int, Mapping[str, str]]) -> list[Time]:
    known: dict[str, str] = {"served_model": "m", "system_fingerprint": "fp_1"}
    found = []
    for number, values in enumerate(rows):
        known = known | facts.get(number, {})
        found.append(Time(f"{number:032x}", f"2026-11-{number + 1:02}T06:00:00.000000Z", {measure: values}, known))
    return found


def test_a_change_is_marked_at_its_time_with_its_cause() -> None:
    rng = np.random.default_rng(1)
    rows = [list(rng.normal(200 if number < 6 else 320, 25, 10)) for number in range(12)]
    levels = levels_of(times(rows, "ttft_ms", {6: {"system_fingerprint": "fp_2"}}), "ttft_ms")
    [change] = [level for level in levels if level.before is not None]
    assert change.created_at.startswith("2026-11-07")
    assert change.changed_with == ("system fingerprint fp_1 → fp_2",)
    assert change.before == pytest.approx(200, abs=15)
    assert change.chance is not None
    assert change.chance < 0.001
    # The band belongs to one level, so it moves with the change.
    assert all(level.low < level.value < level.high for level in levels)
    assert max(level.high for level in levels[:6]) < min(level.low for level in levels[6:])


def test_a_dropped_pass_rate_is_a_change_unless_runs_are_too_few() -> None:
    rows = [[1.0] * 10] * 4 + [[0.0] * 8 + [1.0] * 2]
    [change] = [level for level in levels_of(times(rows, "pass_rate", {}), "pass_rate") if level.before is not None]
    assert (change.before, change.value, change.changed_with) == (1.0, 0.2, ())
    few = levels_of(times([[1.0] * 3, [0.0] * 3], "pass_rate", {}), "pass_rate")
    assert [level.before for level in few] == [None, None]


def answered(rows: Sequence[Sequence[str]]) -> list[Time]:
    return [
        replace(time, answers={("base", 0): texts})
        for time, texts in zip(times([[]] * len(rows), "", {}), rows, strict=True)
    ]


def drawn(rng: np.random.Generator, words: Sequence[str], count: int = 8) -> list[str]:
    return [" ".join(rng.choice(words, 6)) for _ in range(count)]


def test_different_answers_and_lost_determinism_are_changes() -> None:
    rng = np.random.default_rng(3)
    sea, moon = ("sea", "wave", "salt", "foam", "tide"), ("moon", "night", "stars", "silver", "orbit")
    levels = levels_of(answered([drawn(rng, sea if number < 5 else moon) for number in range(8)]), "answers")
    [change] = [level for level in levels if level.before is not None]
    assert change.created_at.startswith("2026-11-06")
    assert change.before > change.value
    levels = levels_of(answered([drawn(rng, sea)] * 5 + [["sea wave salt foam tide sea"] * 8] * 2), "answers")
    assert [level.before is None for level in levels] == [True] * 5 + [False, True]
    assert levels[5].value == 1
    levels = levels_of(answered([["The sea."] * 8] * 4 + [drawn(rng, sea)]), "determinism")
    assert [level.before for level in levels] == [None, None, None, None, 1.0]
    assert levels[-1].value < 0.2
    assert levels_of(answered([["a"], ["b"]]), "determinism") == []


def test_answers_of_an_unchanged_endpoint_do_not_drift() -> None:
    rng, words = np.random.default_rng(4), ("sea", "wave", "salt", "foam", "tide")
    changed, inside = 0, []
    for _ in range(10):
        found = answered([drawn(rng, words) for _ in range(6)])
        for measure in ("answers", "determinism"):
            levels = levels_of(found, measure)
            changed += any(level.before is not None for level in levels)
            inside += [level.low <= level.value <= level.high for level in levels]
    assert changed <= 2
    assert sum(inside) > 0.85 * len(inside)


def test_at_most_one_of_twenty_series_is_a_false_alarm() -> None:
    rng = np.random.default_rng(2)
    false = 0
    for _ in range(100):
        rows = [list(rng.exponential(80, 8) + 100) for _ in range(10)]
        false += any(level.before is not None for level in levels_of(times(rows, "ttft_ms", {}), "ttft_ms"))
    # 41 of 1,000 drift. At one in twenty, more than 10 of 100 would drift in one of a hundred trials.
    assert false <= 10


def test_repeated_runs_of_a_file_are_one_series(log: Log, experiments: Experiments) -> None:
    own, stage = OwnLog(log, log.owner), Stage(pause=0.0)
    with serve(stage.play) as endpoint:
        endpoints = {"here": an_endpoint(endpoint.base_url)}
        for file in (FILE, FILE, FILE.replace("Nightly", "Daily"), FILE.replace("repeats: 4", "repeats: 5")):
            made = prepared(read_experiment_file(file), endpoints, lambda _endpoint: [], own)
            run(made, experiments, own)
        stage.plays = {"Paris": in_turn(*["Rome"] * 4)}
        run(prepared(read_experiment_file(FILE), endpoints, lambda _endpoint: [], own), experiments, own)
    assert own.database
    [series] = series_in_log(own.database)
    assert (series.name, len(series.experiments)) == ("Nightly", 4)
    found = times_of(own, series)
    assert found[0].answers == {("base", 0): ["Paris"] * 4}
    assert [time.values["pass_rate"] for time in found] == [[1.0] * 4] * 3 + [[0.0] * 4]
    assert found[0].facts["model"] == "Paris"
    assert [level.before for level in levels_of(found, "pass_rate")] == [None, None, None, 1.0]

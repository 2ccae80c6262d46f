"""The same experiment at several times: when a measure changed by more than its noise, and what changed with it.

Each time is compared with all before it since the last change: numbers with the U test, shares with Fisher's exact
test, answers with a permutation test, corrected for the number of comparisons (C. E. Bonferroni, 1936).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from components.endpoints.endpoint import Prices
from components.experiments.cases import CACHED_TOKENS, Case, answers_of
from components.experiments.drift_samples import Samples, samples_of
from components.experiments.logged_cases import cases_in_log
from components.experiments.noise import CHANCE
from components.experiments.report import gauge_values
from components.experiments.store import COMPARISON, SWEEP, StoredExperiment, newest_experiments, reported_facts
from components.experiments.stored_sweep import stored_rules
from components.experiments.thresholds import ANSWERS, DETERMINISM, GAUGES
from components.log.database import Database
from components.log.owned import OwnLog
from components.log.record import FACTS

MEASURES = tuple(GAUGES)
"""The measures that are followed over time, by their names in files."""

_NEWEST = 300
_MAX_TIMES = 60
_MAX_RUNS = 20_000


@dataclass(frozen=True)
class Series:
    """The experiments with the same content, oldest first."""

    name: str
    experiments: tuple[StoredExperiment, ...]


@dataclass(frozen=True)
class Time:
    """An experiment of a series: the values of each measure, and the facts that the endpoint and Tempera reported.

    ``answers`` are those of complete runs, by row and input.
    """

    experiment_id: str
    created_at: str
    values: Mapping[str, Sequence[float]]
    facts: Mapping[str, str]
    answers: Mapping[tuple[str, int], Sequence[str]] = field(default_factory=dict)

    def sample(self, measure: str) -> Any:
        """The sample of a measure at this time; empty when there is none."""
        if measure not in (ANSWERS, DETERMINISM):
            return list(self.values.get(measure, ()))
        return {place: texts for place, texts in self.answers.items() if len(texts) > 1}


@dataclass(frozen=True)
class Level:
    """A measure at one time. ``low`` to ``high`` is where 95 % of such times lie as long as nothing changes.

    ``before`` is the value until then where the measure changed, and ``chance`` the corrected probability of such a
    change by chance alone. ``changed_with`` says what else changed then.
    """

    experiment_id: str
    created_at: str
    value: float
    count: int
    low: float
    high: float
    before: float | None = None
    chance: float | None = None
    changed_with: tuple[str, ...] = ()


def series_in_log(database: Database) -> list[Series]:
    """The experiments among the newest that were made at least twice, the newest series first. Raises QueryFailed."""
    newest = [stored for kind in (SWEEP, COMPARISON) for stored in newest_experiments(database, _NEWEST, kind)]
    groups: dict[str, list[StoredExperiment]] = {}
    for stored in sorted(newest, key=lambda stored: stored.created_at, reverse=True):
        groups.setdefault(_definition(stored), []).append(stored)
    return [Series(_name(times[0]), tuple(reversed(times[:_MAX_TIMES]))) for times in groups.values() if len(times) > 1]


def times_of(log: OwnLog, series: Series, prices: Mapping[str, Prices] | None = None) -> list[Time]:
    """The times of a series, oldest first, of at most 20,000 runs, at today's ``prices`` of endpoints by name.

    Raises CannotRun, QueryFailed.
    """
    times: list[Time] = []
    count = 0
    for stored in reversed(series.experiments):
        cases = cases_in_log(log, stored.id, stored_rules(json.loads(stored.content)).checks, prices=prices)
        count += len(cases)
        if count > _MAX_RUNS and times:
            break
        facts = (reported_facts(log.database, stored.id) if log.database else {}) | _cached(cases)
        values = {name: gauge_values(name, cases) for name in MEASURES if name not in (ANSWERS, DETERMINISM)}
        times.append(Time(stored.id, stored.created_at, values, facts, answers_of(cases)))
    return times[::-1]


def levels_of(times: Sequence[Time], measure: str) -> list[Level]:
    """The measure at each time that has it, with the changes beyond its noise. Deterministic."""
    samples = samples_of(measure)
    measured = [(time, sample) for time in times if (sample := time.sample(measure))]
    levels: list[Level] = []
    segment: list[Any] = []
    segment_start = 0
    for number, (time, sample) in enumerate(measured):
        chance = min(1.0, samples.chance(segment, sample) * (len(measured) - 1)) if segment else 1.0
        value = samples.level(sample, segment)
        level = Level(time.experiment_id, time.created_at, value, samples.count(sample), 0.0, 0.0)
        if chance < CHANCE:
            levels[segment_start:] = _with_band(levels[segment_start:], segment, samples)
            changes = _changes(measured[number - 1][0].facts, time.facts)
            value, before = samples.changed(sample, segment), samples.usual(segment)
            level = replace(level, value=value, before=before, chance=chance, changed_with=changes)
            segment_start, segment = number, []
        levels.append(level)
        segment.append(sample)
    levels[segment_start:] = _with_band(levels[segment_start:], segment, samples)
    return levels


def _with_band(levels: Sequence[Level], segment: Sequence[Any], samples: Samples) -> list[Level]:
    # Drawn from the same seed: levels of as many runs have the same band.
    bands = {count: samples.band(segment, count) for count in {level.count for level in levels}}
    return [replace(level, low=bands[level.count][0], high=bands[level.count][1]) for level in levels]


def _changes(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    names = [name for name in now if now[name] != before.get(name, "")]
    return tuple(f"{FACTS[name].label} {before.get(name) or 'n/a'} → {now[name] or 'n/a'}" for name in names)


def _cached(cases: Sequence[Case]) -> dict[str, str]:
    """In how many runs the endpoint had the prompt in its cache, which changes times; so few words hide noise."""
    in_cache = [case.values[CACHED_TOKENS] > 0 for case in cases if CACHED_TOKENS in case.values]
    words = "in all runs" if all(in_cache) else "in some runs" if any(in_cache) else "in no run"
    return {CACHED_TOKENS: words} if in_cache else {}


def _definition(experiment: StoredExperiment) -> str:
    content = {name: value for name, value in json.loads(experiment.content).items() if name not in ("reused", "name")}
    return hashlib.sha256(json.dumps([experiment.kind, content], sort_keys=True).encode()).hexdigest()


def _name(experiment: StoredExperiment) -> str:
    content = json.loads(experiment.content)
    if name := content.get("name"):
        return str(name)
    draft = content.get("draft", content)
    return next((turn["content"] for turn in draft.get("turns", ()) if turn.get("role") == "user"), experiment.id[:8])

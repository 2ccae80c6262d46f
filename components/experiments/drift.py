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
from components.experiments.cases import CACHED_TOKENS, Case
from components.experiments.drift_samples import Samples, samples_of
from components.experiments.kept_sweep import kept_rules
from components.experiments.logged_cases import cases_in_log
from components.experiments.noise import CHANCE
from components.experiments.report import gauge_values
from components.experiments.store import COMPARISON, SWEEP, KeptExperiment, newest_experiments, reported_facts
from components.experiments.thresholds import ANSWERS, DETERMINISM, GAUGES
from components.log.database import Database
from components.log.owned import OwnLog
from components.log.record import FACTS

MEASURES = tuple(GAUGES)
"""The measures that are followed over time, by their names in files."""

_NEWEST = 300
_MOST_TIMES = 60
_MOST_RUNS = 20_000


@dataclass(frozen=True)
class Series:
    """The experiments with the same content, oldest first."""

    name: str
    experiments: tuple[KeptExperiment, ...]


@dataclass(frozen=True)
class Time:
    """An experiment of a series: the values of each measure, and what the endpoint and Tempera said of themselves.

    ``answers`` are those of complete runs, by row and input.
    """

    experiment_id: str
    created_at: str
    values: Mapping[str, Sequence[float]]
    facts: Mapping[str, str]
    answers: Mapping[tuple[str, int], Sequence[str]] = field(default_factory=dict)

    def sample(self, measure: str) -> Any:
        """What this time has of a measure; empty for nothing."""
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
    newest = [kept for kind in (SWEEP, COMPARISON) for kept in newest_experiments(database, _NEWEST, kind)]
    found: dict[str, list[KeptExperiment]] = {}
    for kept in sorted(newest, key=lambda kept: kept.created_at, reverse=True):
        found.setdefault(_definition(kept), []).append(kept)
    return [Series(_name(times[0]), tuple(reversed(times[:_MOST_TIMES]))) for times in found.values() if len(times) > 1]


def times_of(log: OwnLog, series: Series, prices: Mapping[str, Prices] | None = None) -> list[Time]:
    """The times of a series, oldest first, of at most 20,000 runs, at today's ``prices`` of endpoints by name.

    Raises CannotRun, QueryFailed.
    """
    times: list[Time] = []
    count = 0
    for kept in reversed(series.experiments):
        cases = cases_in_log(log, kept.id, kept_rules(json.loads(kept.content)).checks, prices=prices or {})
        count += len(cases)
        if count > _MOST_RUNS and times:
            break
        facts = (reported_facts(log.database, kept.id) if log.database else {}) | _cached(cases)
        values = {name: gauge_values(name, cases) for name in MEASURES if name not in (ANSWERS, DETERMINISM)}
        times.append(Time(kept.id, kept.created_at, values, facts, _answers_of(cases)))
    return times[::-1]


def levels_of(times: Sequence[Time], measure: str) -> list[Level]:
    """The measure at each time that has it, with the changes beyond its noise. Deterministic."""
    samples = samples_of(measure)
    told = [(time, sample) for time in times if (sample := time.sample(measure))]
    levels: list[Level] = []
    segment: list[Any] = []
    begun = 0
    for number, (time, sample) in enumerate(told):
        chance = min(1.0, samples.chance(segment, sample) * (len(told) - 1)) if segment else 1.0
        value = samples.level(sample, segment)
        level = Level(time.experiment_id, time.created_at, value, samples.count(sample), 0.0, 0.0)
        if chance < CHANCE:
            levels[begun:] = _with_band(levels[begun:], segment, samples)
            changes = _changes(told[number - 1][0].facts, time.facts)
            value, before = samples.changed(sample, segment), samples.usual(segment)
            level = replace(level, value=value, before=before, chance=chance, changed_with=changes)
            begun, segment = number, []
        levels.append(level)
        segment.append(sample)
    levels[begun:] = _with_band(levels[begun:], segment, samples)
    return levels


def _with_band(levels: Sequence[Level], segment: Sequence[Any], samples: Samples) -> list[Level]:
    # Drawn anew alike: levels of as many runs have the same band.
    bands = {count: samples.band(segment, count) for count in {level.count for level in levels}}
    return [replace(level, low=bands[level.count][0], high=bands[level.count][1]) for level in levels]


def _answers_of(cases: Sequence[Case]) -> dict[tuple[str, int], list[str]]:
    found: dict[tuple[str, int], list[str]] = {}
    for case in cases:
        if not case.problem:
            found.setdefault((case.row, case.input_number), []).append(case.answer)
    return found


def _changes(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    names = [name for name in now if now[name] != before.get(name, "")]
    return tuple(f"{FACTS[name].label} {before.get(name) or 'n/a'} → {now[name] or 'n/a'}" for name in names)


def _cached(cases: Sequence[Case]) -> dict[str, str]:
    """In how many runs the endpoint had the prompt in its cache, which changes times; so few words hide noise."""
    told = [case.values[CACHED_TOKENS] > 0 for case in cases if CACHED_TOKENS in case.values]
    words = "in all runs" if all(told) else "in some runs" if any(told) else "in no run"
    return {CACHED_TOKENS: words} if told else {}


def _definition(kept: KeptExperiment) -> str:
    content = {name: value for name, value in json.loads(kept.content).items() if name not in ("reused", "name")}
    return hashlib.sha256(json.dumps([kept.kind, content], sort_keys=True).encode()).hexdigest()


def _name(kept: KeptExperiment) -> str:
    content = json.loads(kept.content)
    if name := content.get("name"):
        return str(name)
    draft = content.get("draft", content)
    return next((turn["content"] for turn in draft.get("turns", ()) if turn.get("role") == "user"), kept.id[:8])

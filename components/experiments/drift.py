"""The same experiment at several times: when a measure changed by more than its noise, and what changed with it.

Each time is compared with all before it since the last change: numbers with the U test, shares with Fisher's exact
test, corrected for the number of comparisons (C. E. Bonferroni, 1936).
"""

from __future__ import annotations

import hashlib
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from components.experiments.baseline import chance_of_shares
from components.experiments.kept_sweep import kept_rules
from components.experiments.logged_cases import cases_in_log
from components.experiments.noise import CHANCE, FEWEST_REPEATS, chance_of_numbers
from components.experiments.report import gauge_values
from components.experiments.store import COMPARISON, SWEEP, KeptExperiment, newest_experiments, reported_facts
from components.experiments.thresholds import ANSWERS, COST, GAUGES
from components.log.database import Database
from components.log.owned import OwnLog
from components.log.record import FACTS

MEASURES = tuple(name for name in GAUGES if name not in (ANSWERS, COST, "determinism"))
"""The measures that are followed over time, by their names in files."""

_NEWEST = 300
_MOST_TIMES = 60
_MOST_RUNS = 20_000
_RESAMPLES = 999
_SEED = 0


@dataclass(frozen=True)
class Series:
    """The experiments with the same content, oldest first."""

    name: str
    experiments: tuple[KeptExperiment, ...]


@dataclass(frozen=True)
class Time:
    """An experiment of a series: the values of each measure, and what the endpoint and Tempera said of themselves."""

    experiment_id: str
    created_at: str
    values: Mapping[str, Sequence[float]]
    facts: Mapping[str, str]


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


def times_of(log: OwnLog, series: Series) -> list[Time]:
    """The times of a series, oldest first, of at most 20,000 runs. Raises CannotRun, QueryFailed."""
    times: list[Time] = []
    count = 0
    for kept in reversed(series.experiments):
        cases = cases_in_log(log, kept.id, kept_rules(json.loads(kept.content)).checks)
        count += len(cases)
        if count > _MOST_RUNS and times:
            break
        facts = reported_facts(log.database, kept.id) if log.database else {}
        values = {name: gauge_values(name, cases) for name in MEASURES}
        times.append(Time(kept.id, kept.created_at, values, facts))
    return times[::-1]


def levels_of(times: Sequence[Time], measure: str) -> list[Level]:
    """The measure at each time that has it, with the changes beyond its noise. Deterministic."""
    share = GAUGES[measure].share
    told = [time for time in times if time.values.get(measure)]
    levels: list[Level] = []
    segment: list[list[float]] = []
    begun = 0
    for number, time in enumerate(told):
        values = list(time.values[measure])
        pooled = [value for each in segment for value in each]
        chance = 1.0
        if min(len(pooled), len(values)) >= FEWEST_REPEATS:
            test = chance_of_shares if share else chance_of_numbers
            chance = min(1.0, test(pooled, values) * (len(told) - 1))
        level = Level(time.experiment_id, time.created_at, _middle(values, share), len(values), 0.0, 0.0)
        if chance < CHANCE:
            levels[begun:] = _with_band(levels[begun:], pooled, share)
            before, begun, segment = _middle(pooled, share), number, []
            changes = _changes(told[number - 1].facts, time.facts)
            level = replace(level, before=before, chance=chance, changed_with=changes)
        levels.append(level)
        segment.append(values)
    levels[begun:] = _with_band(levels[begun:], [value for each in segment for value in each], share)
    return levels


def _middle(values: Sequence[float], share: bool) -> float:
    return statistics.fmean(values) if share else statistics.median(values)


def _with_band(levels: Sequence[Level], pooled: Sequence[float], share: bool) -> list[Level]:
    banded = []
    for level in levels:
        # Drawn anew alike: levels of as many runs have the same band.
        drawn = np.random.default_rng(_SEED).choice(np.asarray(pooled), (_RESAMPLES, level.count))
        middles = drawn.mean(axis=1) if share else np.median(drawn, axis=1)
        low, high = np.quantile(middles, (0.025, 0.975))
        banded.append(replace(level, low=float(low), high=float(high)))
    return banded


def _changes(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    names = [name for name in now if now[name] != before.get(name, "")]
    return tuple(f"{FACTS[name].label} {before.get(name) or 'n/a'} → {now[name] or 'n/a'}" for name in names)


def _definition(kept: KeptExperiment) -> str:
    content = {name: value for name, value in json.loads(kept.content).items() if name not in ("reused", "name")}
    return hashlib.sha256(json.dumps([kept.kind, content], sort_keys=True).encode()).hexdigest()


def _name(kept: KeptExperiment) -> str:
    content = json.loads(kept.content)
    if name := content.get("name"):
        return str(name)
    draft = content.get("draft", content)
    return next((turn["content"] for turn in draft.get("turns", ()) if turn.get("role") == "user"), kept.id[:8])

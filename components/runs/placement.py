"""The position of a run in an experiment."""

from __future__ import annotations

from dataclasses import dataclass

WARM_UP = 0
"""The repeat number of a warm-up run; its numbers are not counted."""


@dataclass(frozen=True)
class Placement:
    """A run's position in an experiment.

    ``lane`` is the lane's id, ``position`` its index from 0. ``repeat`` counts from 1; 0 is a warm-up. ``timing`` is
    the order in which the runs were made, ``concurrency`` their maximum at once. ``checks`` is the id of the run whose
    bytes this run repeats to compare the answers.
    """

    experiment_id: str
    lane: str
    position: int
    repeat: int
    timing: str
    concurrency: int
    checks: str | None = None

"""Where a run belongs that is one of several."""

from __future__ import annotations

from dataclasses import dataclass

WARM_UP = 0
"""The repeat of a run that only makes an endpoint ready; its numbers count for nothing."""


@dataclass(frozen=True)
class Placement:
    """A run's place in an experiment.

    ``lane`` is the lane's id, ``position`` its place from 0. ``repeat`` counts from 1; 0 is a warm-up. ``timing`` says
    in which order the runs were made, ``concurrency`` how many of them at once at most. ``checks`` is the id of a run
    whose bytes this one sends again to see whether the answer is the same.
    """

    experiment_id: str
    lane: str
    position: int
    repeat: int
    timing: str
    concurrency: int
    checks: str | None = None

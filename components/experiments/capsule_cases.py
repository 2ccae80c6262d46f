"""The answers of a capsule as a baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from components.checks.check import Check
from components.experiments import sentences
from components.experiments.cases import Case, case_of
from components.experiments.prepared import Place
from components.experiments.report_files import BaselineProblem
from components.log.record import RunRecord


def cases_of_capsule(
    runs: Mapping[str, RunRecord], places: Sequence[Place], checks: Sequence[Check], name: str
) -> list[Case]:
    """The cases of shared runs by their titles, under these checks.

    An experiment with one request takes all of them as its repeats; with lanes, each belongs to the lane that its title
    begins with. Raises BaselineProblem when one belongs to no lane, and for an experiment with a data set: a capsule
    has no inputs.
    """
    if any(place.input_number for place in places):
        raise BaselineProblem(sentences.CAPSULE_WITHOUT_INPUTS.format(name=name))
    rows = list(dict.fromkeys(place.row for place in places))
    return [case_of(record, _row(title, rows, name), 0, checks, {}) for title, record in runs.items()]


def _row(title: str, rows: Sequence[str], name: str) -> str:
    if len(rows) == 1:
        return rows[0]
    matching = [row for row in rows if title == row or title.startswith((f"{row} · ", f"{row}, repeat "))]
    if not matching:
        raise BaselineProblem(sentences.CAPSULE_OF_ANOTHER.format(name=name, title=title, rows=", ".join(rows)))
    return max(matching, key=len)

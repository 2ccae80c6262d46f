"""The specifications of the charts of a sweep."""

from __future__ import annotations

import pandas as pd
import pytest

from components.experiments.axes import BASE
from components.experiments.measures import LENGTH
from components.experiments.sweep_tables import ROW, VALUE
from components.ui.sweep.charts import MAX_POINTS, points


def table_of(answers: int) -> pd.DataFrame:
    """Half of the answers are the base's, with the values from 0 on; the others are higher by 1,000."""
    lines = [{ROW: name, VALUE: float(number)} for number in range(answers // 2) for name in (BASE, "warm")]
    table = pd.DataFrame(lines)
    table.loc[table[ROW] == "warm", VALUE] += 1_000
    return table


@pytest.mark.parametrize("answers", [MAX_POINTS, MAX_POINTS + 2])
def test_few_answers_are_points_and_many_a_line_for_each_value(answers: int) -> None:
    spec = points(table_of(answers), ROW, LENGTH).to_dict()
    (data,) = spec["datasets"].values()
    marks = [layer["mark"]["type"] for layer in spec["layer"]]
    if answers <= MAX_POINTS:
        assert marks == ["rect", "point", "tick"]
        assert len(data) == answers
        return
    assert marks == ["rect", "rule", "tick"]
    assert [(line["at"], line["lowest"], line["highest"], line[VALUE]) for line in data] == [
        (BASE, 0, 500, 250),
        ("warm", 1_000, 1_500, 1_250),
    ]
    assert {(line["low"], line["high"]) for line in data} == {(0, 500)}

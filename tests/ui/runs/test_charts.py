"""The data of the charts of the log."""

from __future__ import annotations

import pandas as pd

from components.ui.runs.charts import outcomes, settings_of, spread

RUNS = pd.DataFrame(
    [
        ("2026-11-26T10:05:00.000000Z", "ok", "mine", "temperature=0.7\nmax_tokens=null", 10.0),
        ("2026-11-26T10:55:00.000000Z", "ok", "mine", "temperature=0.7", 30.0),
        ("2026-11-26T11:05:00.000000Z", "ok", "mine", "temperature=1.5", 50.0),
        ("2026-11-26T11:06:00.000000Z", "ok", "theirs", "", None),
        ("2026-11-26T11:07:00.000000Z", "ok", "theirs", 'stop=["a=b"]', 7.0),
        ("2026-11-26T11:08:00.000000Z", "error", "theirs", "temperature=0.7", 1.0),
    ],
    columns=["created_at", "status", "endpoint", "settings", "ttft_ms"],
)


def test_each_setting_is_a_column_with_its_three_states() -> None:
    sent = settings_of(RUNS)
    assert sent["temperature"].tolist() == ["0.7", "0.7", "1.5", "omitted", "omitted", "0.7"]
    assert sent["max_tokens"].tolist() == ["null", *["omitted"] * 5]
    assert sent["stop"][4] == '["a=b"]'


def test_the_spread_of_a_number_is_by_value_and_of_successful_runs_only() -> None:
    table = spread(RUNS, settings_of(RUNS)["temperature"], "ttft_ms")
    assert table.to_dict("list") == {
        "value": ["omitted", "0.7", "1.5"],
        "low": [7.0, 15.0, 50.0],
        "median": [7.0, 20.0, 50.0],
        "high": [7.0, 25.0, 50.0],
        "runs": [1, 2, 1],
    }


def test_a_number_that_no_run_has_is_an_empty_table() -> None:
    assert spread(RUNS[3:4], RUNS["endpoint"][3:4], "ttft_ms").empty


def test_outcomes_are_counted_by_hour_or_over_long_periods_by_day() -> None:
    by_hour = outcomes(RUNS)
    assert by_hour["runs"].sum() == 6
    assert by_hour[["endpoint", "status", "runs"]].to_numpy().tolist()[0] == ["mine", "ok", 2]
    far = pd.concat([RUNS, RUNS.assign(created_at="2026-10-01T00:00:00.000000Z")])
    assert {moment.hour for moment in outcomes(far)["began"]} == {0}

"""Many runs against random faults, several at once, leave no thread and no open file behind."""

from __future__ import annotations

import pytest

from tests.faults.soak import soak

RUNS = 1_000


@pytest.mark.long
def test_many_runs_at_once_leave_no_thread_or_open_file() -> None:
    soaked = soak(RUNS)
    assert soaked.broken == []
    assert soaked.after.threads == soaked.before.threads
    assert soaked.after.files <= soaked.before.files
    assert sum(soaked.statuses.values()) == RUNS

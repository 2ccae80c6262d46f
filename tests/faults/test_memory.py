"""What is too large never comes into memory: the reader in a process of its own, measured at its peak."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from tests.faults.fault import GOOD, LIMITS, Fault, ok, stream
from tests.faults.playing import base_url_of
from tests.faults.server import serving
from tests.faults.table import FAULTS

MOST_MB_OVER_IDLE = 150
SIZED = [fault for fault in FAULTS if fault.size]


def peak_of(fault: Fault) -> tuple[dict[str, object], float]:
    """The command's last line, and its peak in MB."""
    with serving(fault.play) as server:
        finished = subprocess.run(
            [sys.executable, "-m", "tests.faults.measured", "--base-url", base_url_of(fault, server),
             "--limits", json.dumps({**LIMITS, **fault.limits})],
            input=b"{}", capture_output=True, timeout=60, check=False,
            env={name: value for name, value in os.environ.items() if name != "TEMPERA_API_KEY"},
        )  # fmt: skip
    peak = re.search(r"peak ([\d.]+) MB", finished.stderr.decode())
    assert peak, finished.stderr
    return json.loads(finished.stdout.splitlines()[-1]), float(peak[1])


@pytest.fixture(scope="module")
def idle_mb() -> float:
    return peak_of(ok("idle", stream(GOOD)))[1]


@pytest.mark.parametrize("fault", SIZED, ids=lambda fault: fault.id)
def test_memory_stays_bounded(fault: Fault, idle_mb: float) -> None:
    last, peak = peak_of(fault)
    assert (last["status"], last["error_kind"], last["http_status"]) == (fault.status, fault.kind, fault.http)
    assert peak - idle_mb < MOST_MB_OVER_IDLE
    print(f"{fault.id}: {peak - idle_mb:.1f} MB over {idle_mb:.1f} MB")  # noqa: T201 - a figure to read with -s

"""Too large answers are not loaded: the peak memory of the reader in its own process."""

from __future__ import annotations

import json

import pytest

from tests.faults.fault import GOOD, LIMITS, Fault, ok, stream
from tests.faults.playing import base_url_of
from tests.faults.server import serving
from tests.faults.table import FAULTS
from tests.log.processes import process

MAX_MB_OVER_IDLE = 150
SIZED = [fault for fault in FAULTS if fault.size]


MEASURE = """
import json
from tests.faults.measured import measured
say(json.dumps(measured(json.loads(sys.stdin.readline()))))
"""


def peak_of(fault: Fault) -> tuple[dict[str, object], float]:
    """The command's last line, and its peak in MB."""
    limits = json.dumps({**LIMITS, **fault.limits})
    with serving(fault.play) as server, process(MEASURE, "") as reader:
        reader.tell(json.dumps(["--base-url", base_url_of(fault, server), "--limits", limits]))
        last, peak = json.loads(reader.line())
    return json.loads(last), peak


@pytest.fixture(scope="module")
def idle_mb() -> float:
    return peak_of(ok("idle", stream(GOOD)))[1]


@pytest.mark.parametrize("fault", SIZED, ids=lambda fault: fault.id)
def test_memory_stays_bounded(fault: Fault, idle_mb: float) -> None:
    last, peak = peak_of(fault)
    assert (last["status"], last["error_kind"], last["http_status"]) == (fault.status, fault.kind, fault.http)
    assert peak - idle_mb < MAX_MB_OVER_IDLE
    print(f"{fault.id}: {peak - idle_mb:.1f} MB over {idle_mb:.1f} MB")  # noqa: T201 - a figure to read with -s

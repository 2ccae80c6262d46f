"""Prints every fault with its guarantee and result as a Markdown table: ``python -m tests.faults.matrix``.

Arguments select faults by parts of their names. The exit code is 1 when a guarantee is broken.
"""

# ruff: noqa: T201 - a command that prints
from __future__ import annotations

import sys
import time

from tests.faults.fault import Fault
from tests.faults.playing import play
from tests.faults.server import trusted
from tests.faults.table import FAULTS


def main() -> int:
    """Play the faults one after the other."""
    faults = [fault for fault in FAULTS if not sys.argv[1:] or any(part in fault.id for part in sys.argv[1:])]
    print("| fault | promised | observed | attempts | ms |\n|---|---|---|---|---|")
    with trusted():
        kept = sum([_line(fault) for fault in faults])
    print(f"\n{kept} of {len(faults)}")
    return int(kept < len(faults))


def _line(fault: Fault) -> bool:
    began = time.monotonic()
    played = play(fault)
    outcome, different = played.outcome, played.differences(fault)
    observed = " ".join(filter(None, [outcome.status, outcome.error_kind, str(outcome.http_status or "")]))
    cells = [fault.id, fault.promised(), "; ".join([observed, *different]).replace("|", "\\|"), str(outcome.attempts)]
    print(f"| {' | '.join(cells)} | {(time.monotonic() - began) * 1000:.0f} |", flush=True)
    return not different


if __name__ == "__main__":
    sys.exit(main())

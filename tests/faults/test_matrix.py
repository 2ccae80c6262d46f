"""Every fault of the table ends as promised, in its time, without leaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.faults.breaks import RESET_UNDER_TLS
from tests.faults.fault import Fault, Where
from tests.faults.playing import Resources, at_once, play
from tests.faults.server import trusted
from tests.faults.table import FAULTS

pytestmark = pytest.mark.clock

# Excluded are faults without a server, whose port another one may take, and the fault that needs seconds of a
# processor.
TOGETHER = [
    fault for fault in FAULTS if fault.where not in (Where.CLOSED_PORT, Where.FULL) and fault.id != "tokens_100k"
]
PLAIN = [fault for fault in FAULTS if fault.where is Where.SERVER and not fault.tls and not fault.certificate]


def differences_alone(fault: Fault) -> list[str]:
    before = Resources.now()
    return play(fault).differences(fault) + Resources.now().more_than(before)


@pytest.fixture(scope="module")
def _trusted() -> Iterator[None]:
    with trusted():
        yield


@pytest.fixture(scope="module")
def together(_trusted: None) -> tuple[dict[str, list[str]], list[str]]:
    """The broken guarantees of each fault when all are played at once, and the leaks of all of them."""
    found, left = at_once(lambda fault: play(fault).differences(fault), TOGETHER)
    return {fault.id: differences for fault, differences in zip(TOGETHER, found, strict=True)}, left


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_a_fault_ends_as_promised(fault: Fault, together: tuple[dict[str, list[str]], list[str]]) -> None:
    differences = together[0].get(fault.id)
    if differences is None or any(text.startswith("time: ") for text in differences):
        # Faults played at once may delay each other; alone, a fault ends in time.
        differences = differences_alone(fault)
    assert differences == []


@pytest.mark.long
@pytest.mark.usefixtures("_trusted")
@pytest.mark.parametrize("fault", PLAIN, ids=lambda fault: fault.id)
def test_a_plain_fault_ends_as_promised_under_tls(fault: Fault) -> None:
    if fault.kind == "reset" and not fault.text and RESET_UNDER_TLS != "reset":
        pytest.skip("before Python 3.13, ssl does not distinguish a reset from an end")
    kind = RESET_UNDER_TLS if fault.kind == "reset" else fault.kind
    # Encryption at both ends slows large transfers.
    under_tls = replace(fault, certificate="good", kind=kind, within_s=fault.within_s + 1)
    assert differences_alone(under_tls) == []


def test_faults_played_at_once_leave_no_thread_or_open_file(together: tuple[dict[str, list[str]], list[str]]) -> None:
    assert together[1] == []


def test_every_fault_has_a_unique_name() -> None:
    assert [name for name, count in Counter(fault.id for fault in FAULTS).items() if count > 1] == []

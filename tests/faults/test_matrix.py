"""Every fault of the table ends as its promise says, in its time, and leaves nothing behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.faults.breaks import RESET_UNDER_TLS
from tests.faults.fault import Fault, Where
from tests.faults.playing import Left, play
from tests.faults.server import trusted
from tests.faults.table import FAULTS

pytestmark = pytest.mark.clock

AT_ONCE = 8
# A port that is free at one moment is another server's at the next.
TOGETHER = [fault for fault in FAULTS if fault.where not in (Where.NOBODY, Where.FULL)]
PLAIN = [fault for fault in FAULTS if fault.where is Where.SERVER and not fault.tls and not fault.certificate]


def differences_alone(fault: Fault) -> list[str]:
    before = Left.now()
    return play(fault).differences(fault) + Left.now().more_than(before)


@pytest.fixture(scope="module")
def _trusted() -> Iterator[None]:
    with trusted():
        yield


@pytest.fixture(scope="module")
def left() -> list[str]:
    """What the faults leave behind that are played eight at once; filled by ``together``."""
    return []


@pytest.fixture(scope="module")
def together(_trusted: None, left: list[str]) -> dict[str, list[str]]:
    """What is not as promised when eight faults are played at once, by the fault's id."""
    play(FAULTS[-1])  # libraries load
    before = Left.now()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda fault: play(fault).differences(fault), TOGETHER)
        differences = {fault.id: each for fault, each in zip(TOGETHER, found, strict=True)}
    left += Left.now().more_than(before)
    return differences


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_a_fault_ends_as_promised(fault: Fault, together: dict[str, list[str]]) -> None:
    differences = together.get(fault.id)
    if differences is None or any(text.startswith("time: ") for text in differences):
        # Eight at once may be late because of each other; alone, a fault ends in its time.
        differences = differences_alone(fault)
    assert differences == []


@pytest.mark.long
@pytest.mark.usefixtures("_trusted")
@pytest.mark.parametrize("fault", PLAIN, ids=lambda fault: fault.id)
def test_a_plain_fault_ends_as_promised_under_tls_too(fault: Fault) -> None:
    if fault.kind == "reset" and not fault.text and RESET_UNDER_TLS != "reset":
        pytest.skip("before Python 3.13, ssl tells no reset from an end")
    kind = RESET_UNDER_TLS if fault.kind == "reset" else fault.kind
    # Both ends encrypt, which takes its time when much is sent.
    under_tls = replace(fault, certificate="good", kind=kind, within_s=fault.within_s + 1)
    assert differences_alone(under_tls) == []


@pytest.mark.usefixtures("together")
def test_faults_played_at_once_leave_nothing_behind(left: list[str]) -> None:
    assert left == []


def test_every_fault_has_a_name_of_its_own() -> None:
    assert [name for name, count in Counter(fault.id for fault in FAULTS).items() if count > 1] == []

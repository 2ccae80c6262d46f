"""Every fault of the table ends as its promise says, in its time, and leaves nothing behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.faults.fault import Fault
from tests.faults.playing import Left, play
from tests.faults.server import trusted
from tests.faults.table import FAULTS


@pytest.fixture(scope="module", autouse=True)
def _trusted() -> Iterator[None]:
    with trusted():
        yield


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_a_fault_ends_as_promised_and_leaves_nothing_behind(fault: Fault) -> None:
    before = Left.now()
    differences = play(fault).differences(fault)
    assert differences + Left.now().more_than(before) == []


def test_every_fault_has_a_name_of_its_own() -> None:
    assert [name for name, count in Counter(fault.id for fault in FAULTS).items() if count > 1] == []

"""Work in a separate process is done or refused with a sentence, without affecting this process."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from types import ModuleType

import pytest

from components.isolation import Isolation, TooMuch
from tests.isolation.work import asleep, endless, failing, much_memory, napping, process_id, reversed_text


@pytest.fixture
def page_as_main_module() -> Iterator[None]:
    """Replace the main module with a page, as Streamlit does."""
    before, page = sys.modules["__main__"], ModuleType("__main__")
    page.__file__ = "no/such/page.py"
    sys.modules["__main__"] = page
    yield
    sys.modules["__main__"] = before


@pytest.mark.usefixtures("page_as_main_module")
def test_the_result_is_returned_unchanged() -> None:
    assert Isolation().run(reversed_text, "a\r\n\ud800é€😀") == "😀€é\ud800\n\ra"


def test_work_runs_in_another_process() -> None:
    assert Isolation().run(process_id, "") != str(os.getpid())


@pytest.mark.parametrize(
    ("work", "isolation"),
    [
        (much_memory, Isolation(memory_bytes=200_000_000)),
        (endless, Isolation(processor_s=1)),
        (asleep, Isolation(total_s=0.2)),
        (failing, Isolation()),
    ],
    ids=["memory", "processor", "time", "fault"],
)
def test_excessive_work_is_refused_with_a_sentence(work, isolation: Isolation) -> None:
    with pytest.raises(TooMuch, match="more time or memory"):
        isolation.run(work, "x")


def test_concurrent_work_is_limited_and_refused_after_a_wait() -> None:
    one_at_a_time = Isolation(at_once=1, wait_s=0.05)
    first = threading.Thread(target=one_at_a_time.run, args=(napping, ""))
    first.start()
    with pytest.raises(TooMuch, match="busy"):  # noqa: PT012
        while first.is_alive():
            one_at_a_time.run(reversed_text, "a")
    first.join()
    assert one_at_a_time.run(reversed_text, "ab") == "ba"

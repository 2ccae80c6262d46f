"""Makes Streamlit refer the browser only to elements that it has.

A long element is sent once. Later scripts that draw it send its hash if the browser's last message listed it. But the
browser deletes elements that its last scripts did not draw, also while such a message is under way, and a page that is
referred to a deleted element stops for good. So a script here refers only to elements that the script before it drew,
which no browser has deleted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import ScriptRunnerEvent
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext


@dataclass
class _Elements:
    """The hashes of elements, each with the id of its fragment or an empty string."""

    finished: dict[str, str] = field(default_factory=dict)
    """Drawn by the last script that ended, or by the last one of their fragment."""
    begun: dict[str, str] = field(default_factory=dict)
    """Drawn by the script that runs. If it ends early to run again, what it drew last may not have been sent."""


_enqueue: Any = ScriptRunContext.enqueue
_reset: Any = ScriptRunContext.reset
_on_script_finished: Any = ScriptRunner._on_script_finished
# Each page session has one object of this class.
_elements: WeakKeyDictionary[PagesManager, _Elements] = WeakKeyDictionary()


def refer_to_drawn_elements() -> None:
    """Replace three functions of Streamlit with those of this module."""
    ScriptRunContext.enqueue = _note_element  # type: ignore[assignment,method-assign]
    ScriptRunContext.reset = _leave_out_older_elements  # type: ignore[assignment,method-assign]
    ScriptRunner._on_script_finished = _note_end  # type: ignore[assignment,method-assign]


def _note_element(script: ScriptRunContext, message: ForwardMsg) -> None:
    _enqueue(script, message)
    if message.metadata.cacheable:
        _of(script).begun[message.hash] = message.delta.fragment_id


def _leave_out_older_elements(script: ScriptRunContext, *, cached_message_hashes: frozenset[str], **more: Any) -> None:
    elements = _of(script)
    elements.begun.clear()
    _reset(script, cached_message_hashes=cached_message_hashes & elements.finished.keys(), **more)


def _note_end(runner: ScriptRunner, script: ScriptRunContext, event: ScriptRunnerEvent, *more: Any) -> None:
    # The browser deletes nothing when a script ends early to run again.
    if event != ScriptRunnerEvent.SCRIPT_STOPPED_FOR_RERUN:
        elements, fragments = _of(script), script.fragment_ids_this_run
        others = {hash_: of for hash_, of in elements.finished.items() if fragments and of not in fragments}
        _elements[script.pages_manager] = _Elements(others | elements.begun)
    _on_script_finished(runner, script, event, *more)


def _of(script: ScriptRunContext) -> _Elements:
    return _elements.setdefault(script.pages_manager, _Elements())

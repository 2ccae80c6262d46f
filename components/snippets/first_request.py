"""Keeps the first request that a reader of code finds, and notes that there are others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from components.snippets import sentences
from components.snippets.found import Budget, Found, has_request_keys, request_in
from components.snippets.problem import ImportProblem

_SEVERAL = "The code holds several requests; the first one was taken."
_SEVERAL_CALLS = "The code holds several calls; number {number}, the first with messages, was taken."


class FirstRequest:
    """Base of the readers of Python, JavaScript and PowerShell, which follow the values of a program."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.objects: list[dict[str, Any]] = []
        """Objects that may be requests, in the order of the code. They count when no call sends one."""
        self.calls = 0
        """The number of calls so far that may send a request."""
        self.several = False
        self._first: Found | None = None
        self._sent: dict[str, Any] = {}
        self._number = 0
        self._problem: ImportProblem | None = None

    @property
    def is_found(self) -> bool:
        """Whether a request was found."""
        return self._first is not None

    def found(self, read: Callable[[], object]) -> Found | None:
        """The first request that ``read`` passes to ``take``, else the first of ``objects``, else None.

        Raises ImportProblem when the code holds requests, but none whose values are known.
        """
        try:
            read()
        except ImportProblem as problem:
            self._problem = self._problem or problem
        except RecursionError:
            self._problem = self._problem or ImportProblem(sentences.TEXT_TOO_DEEP)
        for made in self.objects:
            self.take(made)
        if self._first is None:
            if self._problem is not None:
                raise self._problem
            return None
        notes = self._first.notes
        if self.calls > 1:
            notes += (_SEVERAL_CALLS.format(number=self._number),)
        elif self.several:
            notes += (_SEVERAL,)
        return replace(self._first, notes=notes)

    def take(self, value: Any, *, fills_in: bool = False) -> bool:
        """Keep a copy of the request that ``value`` is or holds, if it is the first; returns whether it was kept."""
        sent = request_in(value)
        if sent is None and isinstance(value, dict):
            bodies = (inner for key, inner in value.items() if key.lower() in ("body", "data", "json"))
            sent = next(filter(None, map(request_in, bodies)), None)
        if sent is None:
            return False
        if self._first is not None:
            # An object with the same messages, or a copy, is the same request on its way to the call.
            is_same = sent is self._sent or sent.get("messages") is self._sent.get("messages")
            self.several |= not is_same and sent != self._first.fields
            return False
        try:
            self._first = self.budget.request(sent, fills_in=fills_in)
        except ImportProblem as problem:
            self._problem = self._problem or problem
            return False
        self._sent = sent
        self._number = self.calls
        return True

    def noted(self, value: dict[str, Any]) -> dict[str, Any]:
        """``value``, which is added to ``objects`` if it may be a request."""
        if has_request_keys(value):
            self.objects.append(value)
        return value

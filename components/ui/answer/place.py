"""The place of a run on a page: the single one of the playground, or one of several lanes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Branching:
    """The action of *Continue here* at an alternative of a token; ``problem`` says why it is unavailable."""

    problem: str = ""
    act: Callable[[Mapping[str, Any]], object] = lambda _choice: None


@dataclass(frozen=True)
class Place:
    """``lane`` is None for a single run. ``name`` is announced before messages about the run.

    ``lanes`` is the number of runs on the page. Without ``branching``, no answer is continued from another token.
    """

    lane: str | None = None
    name: str = ""
    lanes: int = 1
    branching: Branching | None = None

    def key(self, key: str) -> str:
        """The key of an element such as ``answer`` in this place."""
        return key if self.lane is None else f"lane_{key}_{self.lane}"


ALONE = Place()

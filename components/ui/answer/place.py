"""The place of a run on a page: the single one of the playground, or one of several lanes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """``lane`` is None for a single run. ``name`` is announced before messages about the run.

    ``lanes`` is the number of runs on the page.
    """

    lane: str | None = None
    name: str = ""
    lanes: int = 1

    def key(self, key: str) -> str:
        """The key of an element such as ``answer`` in this place."""
        return key if self.lane is None else f"lane_{key}_{self.lane}"


ALONE = Place()

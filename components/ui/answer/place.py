"""Where on a page a run is drawn: the one place of the playground, or one of several lanes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """``lane`` is None where one run stands alone. ``name`` is said aloud before what is said of the run.

    ``lanes`` is how many runs are drawn on the page.
    """

    lane: str | None = None
    name: str = ""
    lanes: int = 1

    def key(self, key: str) -> str:
        """The key of an element that stands in each place, such as ``answer``, in this one."""
        return key if self.lane is None else f"lane_{key}_{self.lane}"


ALONE = Place()

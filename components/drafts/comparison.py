"""The lanes of a draft. Each holds only its changes, so that an edit of the draft applies to every lane.

The functions are pure: each takes a comparison and returns the new one.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from components.drafts.change import Change
from components.drafts.setting import Setting, sending
from components.drafts.variables import names_in

FEWEST_LANES = 2
MAX_LANES = 8
MAX_REPEATS = 20
MAX_NAME_CHARS = 40


class Timing(StrEnum):
    """The order of a comparison's runs."""

    PARALLEL = "parallel"
    """All lanes at once: fast, but they slow each other down."""
    ONE_AFTER_ANOTHER = "one after another"
    """Lane by lane, one request at a time."""
    INTERLEAVED = "interleaved"
    """One request at a time, the lanes in random order in each round, after a discarded warm-up."""


class Lane(Change):
    """A change of the draft in a comparison. System messages are the only messages that it changes.

    A muted lane is not run.
    """

    id: str
    name: str = ""
    muted: bool = False


class Comparison(BaseModel):
    """Two to eight lanes, the repeats of each, and the order of the runs.

    ``highest_id`` is the highest id ever used here, so that a new lane never gets the runs of a deleted one.
    """

    model_config = ConfigDict(frozen=True)

    lanes: tuple[Lane, ...] = Field(
        default=(
            Lane(id="1"),
            Lane(id="2", settings={"temperature": sending(0.0)}),
        ),
        min_length=FEWEST_LANES,
        max_length=MAX_LANES,
    )
    repeats: int = Field(default=1, ge=1, le=MAX_REPEATS)
    timing: Timing = Timing.PARALLEL
    highest_id: int = 2

    @property
    def variable_names(self) -> list[str]:
        """The variables in the lanes' own system messages, in order of appearance."""
        return names_in(lane.system for lane in self.lanes if lane.system is not None and not lane.literal)

    def lane(self, lane_id: str) -> Lane:
        """The lane with this id. Raises LookupError."""
        return self.lanes[self.position(lane_id)]

    def position(self, lane_id: str) -> int:
        """The position of a lane, from 0. Raises LookupError."""
        for position, lane in enumerate(self.lanes):
            if lane.id == lane_id:
                return position
        raise LookupError(lane_id)

    def letter(self, lane_id: str) -> str:
        """A for the first lane, B for the second. Raises LookupError."""
        return string.ascii_uppercase[self.position(lane_id)]

    def title(self, lane_id: str) -> str:
        """The lane's letter, followed by its name, if any. Raises LookupError."""
        name = self.lane(lane_id).name
        return f"{self.letter(lane_id)} · {name}" if name else self.letter(lane_id)


def added(comparison: Comparison, copied_id: str | None = None) -> Comparison:
    """The comparison with a new lane at the end, or with a copy of the lane ``copied_id`` right after it.

    Unchanged when it has eight lanes. Raises LookupError.
    """
    lanes = comparison.lanes
    if len(lanes) >= MAX_LANES:
        return comparison
    new_id = str(_highest_id(comparison) + 1)
    if copied_id is None:
        return _with_lanes(comparison, (*lanes, Lane(id=new_id)))
    after = comparison.position(copied_id) + 1
    copy = comparison.lane(copied_id).model_copy(update={"id": new_id, "name": ""})
    return _with_lanes(comparison, (*lanes[:after], copy, *lanes[after:]))


def removed(comparison: Comparison, lane_id: str) -> Comparison:
    """The comparison without this lane; unchanged when it has only two. Raises LookupError."""
    position = comparison.position(lane_id)
    if len(comparison.lanes) <= FEWEST_LANES:
        return comparison
    return _with_lanes(comparison, comparison.lanes[:position] + comparison.lanes[position + 1 :])


def moved(comparison: Comparison, lane_id: str, by: int) -> Comparison:
    """The comparison with a lane moved by ``by`` places (negative: left), at most to the end. Raises LookupError."""
    position = comparison.position(lane_id)
    lane = comparison.lanes[position]
    others = comparison.lanes[:position] + comparison.lanes[position + 1 :]
    target = min(max(position + by, 0), len(others))
    return _with_lanes(comparison, (*others[:target], lane, *others[target:]))


def changed(comparison: Comparison, lane_ids: Collection[str], **parts: Any) -> Comparison:
    """The comparison with some parts of these lanes set, such as ``name``, ``muted`` or ``model``."""
    return _with_lanes(
        comparison,
        tuple(lane.model_copy(update=parts) if lane.id in lane_ids else lane for lane in comparison.lanes),
    )


def with_setting(comparison: Comparison, lane_ids: Collection[str], field: str, setting: Setting | None) -> Comparison:
    """The comparison with one optional field changed in these lanes; None removes the change."""

    def changed_lane(lane: Lane) -> Lane:
        settings = {name: value for name, value in lane.settings.items() if name != field}
        if setting is not None:
            settings[field] = setting
        return lane.model_copy(update={"settings": settings})

    return _with_lanes(
        comparison, tuple(changed_lane(lane) if lane.id in lane_ids else lane for lane in comparison.lanes)
    )


def with_lane_set(comparison: Comparison, name: str) -> Comparison:
    """The comparison with its lanes replaced by those of a template. Raises LookupError."""
    first_id = _highest_id(comparison) + 1
    lanes = tuple(
        lane.model_copy(update={"id": str(first_id + number)}) for number, lane in enumerate(LANE_SETS[name]())
    )
    return _with_lanes(comparison, lanes)


def _with_lanes(comparison: Comparison, lanes: tuple[Lane, ...]) -> Comparison:
    return comparison.model_copy(update={"lanes": lanes, "highest_id": _highest_id(comparison, lanes)})


def _highest_id(comparison: Comparison, new_lanes: tuple[Lane, ...] = ()) -> int:
    return max(comparison.highest_id, *(int(lane.id) for lane in comparison.lanes + new_lanes))


def _each(field: str, *values: float | bool) -> tuple[Lane, ...]:
    return tuple(Lane(id="0", settings={field: sending(value)}) for value in values)


LANE_SETS: Mapping[str, Callable[[], tuple[Lane, ...]]] = MappingProxyType(
    {
        "Temperature 0 / 0.3 / 0.7 / 1": lambda: _each("temperature", 0.0, 0.3, 0.7, 1.0),
        "Safe prompt A/B": lambda: _each("safe_prompt", False, True),
        "Seeds 1 / 2 / 3 / 4": lambda: _each("random_seed", 1, 2, 3, 4),
        "Base twice": lambda: (Lane(id="0"), Lane(id="0")),
    }
)
"""Templates: lanes for common questions, by name."""

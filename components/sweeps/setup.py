"""What a person sets up before a sweep runs: axes as typed, how they come together, how often and how many at once."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from components.sweeps.axes import BASE, Axis, AxisProblem, read_values, read_word
from components.sweeps.planning import PlanKind, rows_of

MOST_REPEATS = 100
MOST_AT_ONCE = 32


class TypedAxis(BaseModel):
    """A field, and its values as they were typed."""

    model_config = ConfigDict(frozen=True)

    field: str
    text: str = ""


class Setup(BaseModel):
    """A sweep as it is set up."""

    model_config = ConfigDict(frozen=True)

    axes: tuple[TypedAxis, ...] = (TypedAxis(field="temperature", text="0 to 1 step 0.25"),)
    kind: PlanKind = PlanKind.ONE_AT_A_TIME
    repeats: int = Field(default=4, ge=1, le=MOST_REPEATS)
    at_once: int = Field(default=1, ge=1, le=MOST_AT_ONCE)
    shuffled: bool = True

    @property
    def fields(self) -> list[str]:
        """The fields that are swept, in the order of their axes."""
        return list(dict.fromkeys(axis.field for axis in self.axes))

    def plan(self) -> list[dict[str, str]]:
        """The rows that the axes make. Raises SweepProblem."""
        return rows_of(self.kind, [Axis(field=axis.field, values=self._values(axis)) for axis in self.axes])

    def problem_of(self, number: int) -> str | None:
        """What is wrong with the axis of that number, from 0, and what to do; None when it can be swept."""
        axis = self.axes[number]
        if axis.field in [earlier.field for earlier in self.axes[:number]]:
            return f"{axis.field} has an axis already. Put all its values on one."
        try:
            self._values(axis)
        except AxisProblem as problem:
            return str(problem)
        return None

    def _values(self, axis: TypedAxis) -> tuple[str, ...]:
        if self.kind is PlanKind.LIST:
            # Its values stand in its rows; what is typed beside the field waits for another plan.
            return (read_word(axis.field, BASE) or BASE,)
        return read_values(axis.field, axis.text)


def read_setup(text: str) -> Setup | None:
    """The set-up that was kept as JSON; None when it is none, such as one that a later version wrote."""
    try:
        return Setup.model_validate_json(text)
    except ValidationError:
        return None

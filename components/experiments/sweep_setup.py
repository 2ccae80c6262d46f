"""What a person sets up before a sweep runs: axes as typed, how they come together, how often and how many at once."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from components.experiments.axes import BASE, Axis, AxisProblem, read_values, read_word
from components.experiments.data_set import DataSet, read_data_set, sample
from components.experiments.sweep_plan import PlanKind, rows_of

MOST_REPEATS = 100
MOST_AT_ONCE = 32


class TypedAxis(BaseModel):
    """A field, and its values as they were typed."""

    model_config = ConfigDict(frozen=True)

    field: str
    text: str = ""


class Setup(BaseModel):
    """A sweep as it is set up.

    ``rows`` is the plan as a person has edited it, None when it is as the axes make it. ``data`` is the data set as it
    came, in a file or pasted, and ``data_name`` the file's name; of its rows ``sample_rows`` are taken at random, by
    ``sample_seed``, and all of them where that is None. With ``reuse``, the log's own
    answers are taken where it has some.
    """

    model_config = ConfigDict(frozen=True)

    axes: tuple[TypedAxis, ...] = (TypedAxis(field="temperature", text="0 to 1 step 0.25"),)
    kind: PlanKind = PlanKind.ONE_AT_A_TIME
    repeats: int = Field(default=4, ge=1, le=MOST_REPEATS)
    at_once: int = Field(default=1, ge=1, le=MOST_AT_ONCE)
    shuffled: bool = True
    rows: tuple[dict[str, str], ...] | None = None
    data: str = ""
    data_name: str = ""
    sample_rows: int | None = Field(default=None, ge=1)
    sample_seed: int = Field(default=1, ge=0)
    reuse: bool = False

    @property
    def fields(self) -> list[str]:
        """The fields that are swept, in the order of their axes."""
        return list(dict.fromkeys(axis.field for axis in self.axes))

    def plan(self) -> list[dict[str, str]]:
        """The rows that the axes make. Raises SweepProblem."""
        return rows_of(self.kind, [Axis(field=axis.field, values=self._values(axis)) for axis in self.axes])

    def edited_rows(self) -> list[dict[str, str]] | None:
        """The rows as they were edited, of the fields that are still swept; None when nobody edited them."""
        if self.rows is None:
            return None
        fields = self.fields
        rows = [{field: row[field] for field in fields if field in row} for row in self.rows]
        return list({tuple(row.items()): row for row in rows}.values())

    def data_set(self) -> DataSet | None:
        """The rows of the data set that are taken, or None when there is no data set. Raises DataSetProblem."""
        if not self.data:
            return None
        # It was small enough when it came; the inputs of a sweep from the log are longer as JSON lines than they were.
        whole = read_data_set(self.data_name, self.data.encode(), most_characters=None)
        return whole if self.sample_rows is None else sample(whole, self.sample_rows, self.sample_seed)

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

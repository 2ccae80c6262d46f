"""The set-up of a sweep: axes as typed, their combination, repeats and concurrency."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from components.experiments import sentences
from components.experiments.axes import BASE, Axis, AxisProblem, read_values, read_word
from components.experiments.data_set import DataSet, read_data_set, sample
from components.experiments.sweep_plan import PlanKind, rows_of

MAX_REPEATS = 100
MAX_AT_ONCE = 32


class TypedAxis(BaseModel):
    """A field and its values as typed."""

    model_config = ConfigDict(frozen=True)

    field: str
    text: str = ""


class Setup(BaseModel):
    """The set-up of a sweep.

    ``rows`` is the edited plan, None when unedited. ``data`` is the data set as received, in a file or pasted, and
    ``data_name`` the file's name. ``sample_rows`` of its rows are drawn at random with ``sample_seed``, all if None.
    With ``reuse``, logged answers are taken where there are any.
    """

    model_config = ConfigDict(frozen=True)

    axes: tuple[TypedAxis, ...] = (TypedAxis(field="temperature", text="0 to 1 step 0.25"),)
    kind: PlanKind = PlanKind.ONE_AT_A_TIME
    repeats: int = Field(default=4, ge=1, le=MAX_REPEATS)
    at_once: int = Field(default=1, ge=1, le=MAX_AT_ONCE)
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
        """The edited rows, of the fields that are still swept; None when unedited."""
        if self.rows is None:
            return None
        fields = self.fields
        rows = [{field: row[field] for field in fields if field in row} for row in self.rows]
        return list({tuple(row.items()): row for row in rows}.values())

    def data_set(self) -> DataSet | None:
        """The sampled rows of the data set, or None without a data set. Raises DataSetProblem."""
        if not self.data:
            return None
        # Its size was checked on arrival; inputs from the log are longer as JSON lines.
        received = read_data_set(self.data_name, self.data.encode(), max_characters=None)
        return received if self.sample_rows is None else sample(received, self.sample_rows, self.sample_seed)

    def problem_of(self, number: int) -> str | None:
        """The problem with the axis of that number, from 0, and what to do; None when it can be swept."""
        axis = self.axes[number]
        if axis.field in [earlier.field for earlier in self.axes[:number]]:
            return sentences.AXIS_TAKEN.format(field=axis.field)
        try:
            self._values(axis)
        except AxisProblem as problem:
            return str(problem)
        return None

    def _values(self, axis: TypedAxis) -> tuple[str, ...]:
        if self.kind is PlanKind.LIST:
            # The rows hold its values; typed values apply to other plans only.
            return (read_word(axis.field, BASE) or BASE,)
        return read_values(axis.field, axis.text)


def read_setup(text: str) -> Setup | None:
    """The set-up in stored JSON; None when invalid, such as one from a later version."""
    try:
        return Setup.model_validate_json(text)
    except ValidationError:
        return None

"""The description of one fact of a run: its label, its unit, and where it is shown."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass


@dataclass(frozen=True)
class Fact:
    """One fact of a run. ``label`` is its name on screen; ``definition`` its meaning where the label is not enough.

    ``public`` facts are part of capsules. ``length`` is the maximum of a short text, in characters.
    """

    label: str
    definition: str = ""
    _: KW_ONLY
    public: bool
    length: int | None = None

    @property
    def title(self) -> str:
        """The name for use without other context."""
        return self.label


@dataclass(frozen=True)
class Number(Fact):
    """A measured fact. ``name`` is its full name when the label is shorter; ``unit`` is empty for a count.

    ``place`` is its position in charts, documents and tables of numbers, 0 to leave it out. ``timed`` numbers
    depend on the load: sweeps measure them, and those ``of_answer``, which do not. ``listed`` gives it a column in
    the table of runs. ``sortable`` allows sorting by it, and makes its filter quick, with an index ``runs_by_…``; a
    number that becomes sortable later needs a migration for it.
    ``less_is_better`` is None where neither end is better.
    """

    _: KW_ONLY
    name: str = ""
    unit: str = ""
    place: int = 0
    timed: bool = False
    of_answer: bool = False
    listed: bool = False
    sortable: bool = False
    less_is_better: bool | None = None

    @property
    def title(self) -> str:
        """The full name, with the unit unless the name contains it."""
        name = self.name or self.label
        return f"{name}, ms" if self.unit == "ms" else name

    @property
    def short_title(self) -> str:
        """The label, with the unit unless the label contains it."""
        return f"{self.label}, ms" if self.unit == "ms" else self.label

"""Filters by the numbers of runs, such as ``perplexity > 3, TTFT < 500``; names and units are those of the facts."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, literal_column, select

from components.log import sentences
from components.log.fact import Number
from components.log.record import NUMBERS
from components.log.tables import owned, runs

_COMPARISONS: Mapping[str, Callable[[Any, float], ColumnElement[bool]]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}
_SIGN = re.compile("(" + "|".join(_COMPARISONS) + ")")
_SEPARATOR = re.compile(r"[,;\n]")


class NumberCondition(NamedTuple):
    """A condition on the number ``field`` of a run. ``sign`` is ``<=``, ``>=``, ``<``, ``>`` or ``=``."""

    field: str
    sign: str
    value: float

    @property
    def on_runs(self) -> ColumnElement[bool]:
        """The condition on the table ``runs``."""
        # The unary + keeps databases from reading all matches by the index to sort them, where few are wanted.
        return _COMPARISONS[self.sign](literal_column(f"+runs.{self.field}"), self.value)

    def ids(self, owner: str) -> Select[tuple[str]] | None:
        """The ids of the owner's runs that meet the condition, by the index; None without one."""
        if not NUMBERS[self.field].sortable:
            return None
        matches = _COMPARISONS[self.sign](runs.c[self.field], self.value)
        return select(runs.c.id).where(owned(runs, owner), matches)


def read_number_filter(text: str) -> list[NumberCondition]:
    """The conditions in a filter, separated by commas or lines. Raises ValueError with a sentence."""
    return [_condition(entry.strip()) for entry in _SEPARATOR.split(text) if entry.strip()]


def _condition(entry: str) -> NumberCondition:
    parts = [part.strip() for part in _SIGN.split(entry)]
    if len(parts) != 3 or not all(parts):
        raise ValueError(sentences.NUMBER_FILTER_UNREADABLE.format(entry=entry))
    name, sign, value = parts
    field = _FIELDS.get(_plain(name))
    if field is None:
        raise ValueError(sentences.NUMBER_UNKNOWN.format(name=name))
    return NumberCondition(field, sign, _value(value, NUMBERS[field]))


def _value(text: str, number: Number) -> float:
    """The number in a text, which may end with the unit; ``5 %`` is 0.05."""
    share = text.endswith("%")
    digits = text.removesuffix("%" if share else number.unit).strip()
    try:
        value = float(digits) / (100 if share else 1)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(sentences.NOT_A_NUMBER.format(value=text))
    return value


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").split())


_FIELDS = {
    _plain(name): field for field, number in NUMBERS.items() for name in (field, number.label, number.name) if name
}

"""The demands of an experiment file on measures: limits on values, and tolerances for changes since a baseline."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from components.experiments import measures
from components.experiments.measures import COMPLETION_TOKENS, DISTINCT_2, LENGTH, TIMED_MEASURES
from components.log.record import NUMBERS

PASS_RATE, SUCCESS_RATE, ANSWERS, DETERMINISM, COST = "pass_rate", "success_rate", "answers", "determinism", "cost"


@dataclass(frozen=True)
class Gauge:
    """A measure as a file names it: its name in words, its unit, and its better end; None where neither is better.

    A ``share`` is from 0 to 1, of all runs together.
    """

    label: str
    unit: str = ""
    less_is_better: bool | None = None
    share: bool = False


GAUGES: Mapping[str, Gauge] = {
    PASS_RATE: Gauge("pass rate", less_is_better=False, share=True),
    SUCCESS_RATE: Gauge("success rate", less_is_better=False, share=True),
    ANSWERS: Gauge("similarity of the answers", less_is_better=False, share=True),
    DETERMINISM: Gauge(measures.DETERMINISM.label, less_is_better=False, share=True),
    **{
        name: Gauge(measure.label, measure.unit, NUMBERS[name].less_is_better is not False)
        for name, measure in TIMED_MEASURES.items()
    },
    "length": Gauge(LENGTH.label, LENGTH.unit),
    "completion_tokens": Gauge(COMPLETION_TOKENS.label, COMPLETION_TOKENS.unit),
    "distinct_2": Gauge(DISTINCT_2.label),
    COST: Gauge("cost", "", less_is_better=True),
}
"""Each measure by its name in a file. All times and gaps are better when they are shorter."""


class Part(BaseModel):
    """A part of a file; it has no other fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Limit(Part):
    """A bound of a measure in each lane or row; ``of`` is the number that is bounded. Shares have only their mean."""

    of: Literal["median", "mean", "p95", "min", "max"] = "median"
    at_least: Annotated[float, Field(allow_inf_nan=False)] | None = None
    at_most: Annotated[float, Field(allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _bounds_something(self) -> Limit:
        if self.at_least is None and self.at_most is None:
            raise ValueError("give at_least or at_most")
        return self

    def is_broken_by(self, value: float) -> bool:
        """Whether a value in the measure's unit is beyond the limit."""
        is_low = self.at_least is not None and value < self.at_least
        return is_low or (self.at_most is not None and value > self.at_most)


@dataclass(frozen=True)
class Tolerance:
    """A change since the baseline that does not count: an amount in the measure's unit, or a share of the baseline."""

    amount: float
    relative: bool = False

    def __str__(self) -> str:
        return f"{self.amount * 100:.10g} %" if self.relative else f"{self.amount:.10g}"

    def to_value(self) -> JsonValue:
        """The value that ``read_tolerance`` reads as this tolerance."""
        return str(self) if self.relative else self.amount


def read_tolerance(value: JsonValue) -> Tolerance:
    """The tolerance written as a number or as ``10 %``. Raises ValueError."""
    relative = isinstance(value, str) and value.rstrip().endswith("%")
    text = value.rstrip().removesuffix("%") if relative and isinstance(value, str) else value
    try:
        amount = float(text) if relative or not isinstance(text, str) else math.nan  # type: ignore[arg-type]
    except (TypeError, ValueError):
        amount = math.nan
    if isinstance(value, bool) or not math.isfinite(amount) or amount < 0:
        raise ValueError("must be a number of 0 or more, or a percentage such as 10 %")
    return Tolerance(amount / 100 if relative else amount, relative)

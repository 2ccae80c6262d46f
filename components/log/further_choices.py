"""The choices of a run beyond the first, as the log keeps them."""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError

from components.log.record import RunRecord
from components.streaming.outcome import Choice

_choices = TypeAdapter(tuple[Choice, ...])


def further_choices(record: RunRecord) -> tuple[Choice, ...]:
    """The choices beyond the first, by index. Raises ValueError for what no run holds."""
    try:
        return _choices.validate_json(record.further_choices)
    except ValidationError:
        raise ValueError("These are no choices of a run.") from None

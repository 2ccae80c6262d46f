"""Reads the header Server-Timing (https://www.w3.org/TR/server-timing/)."""

from __future__ import annotations

import math
import re

QUEUE = "queue"
"""The metric that names how long a request waited for its turn."""

# Commas and semicolons inside a quoted string separate nothing; one that never ends reaches to the end.
_QUOTED = r'"(?:\\.|[^"\\])*+"?'
_METRIC = re.compile(rf'(?:{_QUOTED}|[^",])++', re.DOTALL)
_PARAMETER = re.compile(rf'(?:{_QUOTED}|[^";])++', re.DOTALL)
_DURATION = re.compile(
    r'\s*dur\s*=\s*("?)(?P<number>(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:e[+-]?[0-9]++)?)\1\s*', re.IGNORECASE
)


def queue_ms(header: str | None) -> float | None:
    """Milliseconds that the request waited for a slot, as the endpoint reported them; None where it did not."""
    for metric in _METRIC.findall(header or ""):
        name, _, parameters = metric.partition(";")
        if name.strip().lower() != QUEUE:
            continue
        for parameter in _PARAMETER.findall(parameters):
            if found := _DURATION.fullmatch(parameter):
                milliseconds = float(found["number"])
                return milliseconds if math.isfinite(milliseconds) else None
    return None

"""Reads the header Server-Timing (https://www.w3.org/TR/server-timing/)."""

from __future__ import annotations

import math
import re

QUEUE = "queue"
"""The metric with a request's wait for a slot."""

# Commas and semicolons in a quoted string do not separate; an unclosed string reaches to the end.
_QUOTED = r'"(?:\\.|[^"\\])*+"?'
_METRIC = re.compile(rf'(?:{_QUOTED}|[^",])++', re.DOTALL)
_PARAMETER = re.compile(rf'(?:{_QUOTED}|[^";])++', re.DOTALL)
_DURATION = re.compile(
    r'\s*dur\s*=\s*("?)(?P<number>(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:e[+-]?[0-9]++)?)\1\s*', re.IGNORECASE
)


def queue_ms(header: str | None) -> float | None:
    """The request's wait for a slot in milliseconds, as reported by the endpoint; None if it is not reported."""
    for metric in _METRIC.findall(header or ""):
        name, _, parameters = metric.partition(";")
        if name.strip().lower() != QUEUE:
            continue
        for parameter in _PARAMETER.findall(parameters):
            if match := _DURATION.fullmatch(parameter):
                milliseconds = float(match["number"])
                return milliseconds if math.isfinite(milliseconds) else None
    return None

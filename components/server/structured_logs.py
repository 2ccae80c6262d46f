"""Logs as JSON, one object a line, without prompts, answers and keys: TEMPERA_LOG_FORMAT=json."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime

from components.runs.runner import ENDED_RUNS


class JsonLines(logging.Formatter):
    """A record as one line of JSON.

    An error has its type and its frames; its message, which may quote what a visitor wrote, is left out.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info and record.exc_info[0]:
            frames = traceback.extract_tb(record.exc_info[2])
            line["error"] = record.exc_info[0].__name__
            line["frames"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return json.dumps(line, default=str)


def log_as_json() -> None:
    """Write all logs of this process as JSON from now on, and a line for each run that ends."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.StreamHandler())
    ENDED_RUNS.setLevel(logging.INFO)
    loggers = [root, *map(logging.getLogger, logging.root.manager.loggerDict)]
    for handler in {handler for logger in loggers for handler in logger.handlers}:
        handler.setFormatter(JsonLines())

"""Status lines from the child process to its parent: one JSON object per line on standard output."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, ValidationError


class ModelPhase(StrEnum):
    """The phase of the embedded model."""

    IDLE = "idle"
    FETCHING = "fetching"
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


class StatusLine(BaseModel):
    """One status line.

    Fetching has the bytes ``done`` and ``total``, ready has ``port`` and ``model``, failed has ``sentence``.
    """

    model_config = ConfigDict(frozen=True)

    phase: ModelPhase
    done: int = 0
    total: int = 0
    port: int = 0
    model: str = ""
    sentence: str = ""

    @classmethod
    def from_line(cls, line: str) -> StatusLine | None:
        """The status in ``line``; None for other output, such as that of a library."""
        try:
            return cls.model_validate_json(line)
        except ValidationError:
            return None

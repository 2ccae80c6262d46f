"""Status lines from the child process to its parent: one JSON object a line on standard output."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, ValidationError


class ModelPhase(StrEnum):
    """Where the embedded model stands."""

    IDLE = "idle"
    FETCHING = "fetching"
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


class StatusLine(BaseModel):
    """One line of the child.

    ``done`` and ``total`` are bytes and come while fetching. ``port`` and ``model`` come with ready, ``sentence`` with
    failed.
    """

    model_config = ConfigDict(frozen=True)

    phase: ModelPhase
    done: int = 0
    total: int = 0
    port: int = 0
    model: str = ""
    sentence: str = ""

    def to_line(self) -> str:
        """This status as one line of JSON, without the line end."""
        return self.model_dump_json(exclude_defaults=True)

    @classmethod
    def from_line(cls, line: str) -> StatusLine | None:
        """The status in ``line``, or None when it holds none: a library may have printed something of its own."""
        try:
            return cls.model_validate_json(line)
        except ValidationError:
            return None

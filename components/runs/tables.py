"""The log's one table. Its columns are the fields of ``RunRecord``."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, MetaData, String, Table, Text

from components.runs.run import RunRecord

metadata = MetaData()

runs = Table(
    "runs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("created_at", String(27), nullable=False),
    Column("heartbeat_at", String(27), nullable=False),
    Column("finished_at", String(27)),
    Column("status", String(16), nullable=False),
    Column("error_kind", String(32)),
    Column("error_message", Text),
    Column("raw_error", Text),
    Column("http_status", BigInteger),
    Column("endpoint", Text, nullable=False),
    Column("dialect", String(16), nullable=False),
    Column("model", Text, nullable=False),
    Column("request_body", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("reasoning", Text, nullable=False),
    Column("finish_reason", Text),
    Column("prompt_tokens", BigInteger),
    Column("completion_tokens", BigInteger),
    Column("total_tokens", BigInteger),
    Column("first_byte_ms", Double),
    Column("first_event_ms", Double),
    Column("reasoning_ms", Double),
    Column("ttft_ms", Double),
    Column("waited_ms", Double),
    Column("total_ms", Double),
    Column("tokens_per_second", Double),
    Column("chunk_count", BigInteger, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("streamed", Boolean, nullable=False),
    Column("warnings", Text, nullable=False),
    Column("retries", Text, nullable=False),
    Column("tool_calls", Text, nullable=False),
    Column("app_version", String(32), nullable=False),
    Index("runs_newest_first", "created_at", "id"),
)

_NO_CHARACTER = "\N{REPLACEMENT CHARACTER}"


def to_row(record: RunRecord) -> dict[str, Any]:
    """The record as every database can keep it.

    NUL and surrogates without their other half become U+FFFD; a number that is none, or needs more than 64 bits,
    becomes None.
    """
    return {field.name: _storable(getattr(record, field.name)) for field in fields(record)}


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return value.replace("\0", _NO_CHARACTER)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return None
    return value

"""Stores drafts and presets in the log's database, as the JSON text of a form."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass, fields, replace

from sqlalchemy import Connection, delete, select

from components.drafts import sentences
from components.drafts.presets import PresetProblem
from components.log.database import Database
from components.log.owned import OwnedLog
from components.log.query import is_id, read_rows
from components.log.record import utc_now
from components.log.storable import storable_text
from components.log.tables import drafts, owned, presets, upsert

MAX_NAME_CHARS = 80
MAX_CONTENT_CHARS = 1_000_000


@dataclass(frozen=True)
class Preset:
    """A saved preset. ``created_at`` is the time of the last save, in UTC."""

    id: str
    name: str
    content: str
    created_at: str


def save_draft(log: OwnedLog, draft_id: str, content: str) -> None:
    """Queue a draft to be stored, replacing the one of the same id. Never blocks or raises.

    ``draft_id`` must be 32 hexadecimal digits; other ids are ignored. While the database is unavailable, the newest
    content stays queued.
    """
    if not is_id(draft_id):
        return
    row = {"id": draft_id, "owner": log.owner, "content": storable_text(content), "updated_at": utc_now()}
    log.post(f"draft {draft_id}", lambda connection: connection.execute(upsert(connection.dialect.name, drafts), row))


def find_draft(database: Database, draft_id: str) -> str | None:
    """The content of the draft with exactly this id, or None. Raises QueryFailed."""
    statement = select(drafts.c.content).where(drafts.c.id == draft_id, owned(drafts, database.owner))
    rows = read_rows(database, statement) if is_id(draft_id) else []
    return rows[0]["content"] if rows else None


def list_presets(database: Database) -> list[Preset]:
    """All presets of the owner, by name. Raises QueryFailed."""
    columns = [presets.c[field.name] for field in fields(Preset)]
    saved = [Preset(**row) for row in read_rows(database, select(*columns).where(owned(presets, database.owner)))]
    # Sorted here, because databases order text differently.
    return sorted(saved, key=lambda preset: (preset.name.casefold(), preset.name))


def save_preset(log: OwnedLog, name: str, content: str) -> Preset:
    """Save a preset. It replaces the one of the same name and takes over its id.

    Raises PresetProblem for an invalid name or content, DatabaseUnavailable.
    """
    name = storable_text(name).strip()
    if not 1 <= len(name) <= MAX_NAME_CHARS:
        raise PresetProblem(sentences.PRESET_NAME.format(max_name_chars=MAX_NAME_CHARS))
    if len(content) > MAX_CONTENT_CHARS:
        raise PresetProblem(sentences.PRESET_TOO_LONG.format(max_content_chars=MAX_CONTENT_CHARS))
    preset = Preset(uuid.uuid4().hex, name, storable_text(content), utc_now())

    def work(connection: Connection) -> Preset:
        statement = upsert(connection.dialect.name, presets, "owner", "name").returning(presets.c.id)
        row = {**asdict(preset), "owner": log.owner}
        return replace(preset, id=connection.execute(statement, row).scalar_one())

    return log.write(work)


def delete_preset(log: OwnedLog, preset_id: str) -> None:
    """Delete the preset with exactly this id, if any. Raises DatabaseUnavailable."""
    if is_id(preset_id):
        own = delete(presets).where(presets.c.id == preset_id, owned(presets, log.owner))
        log.write(lambda connection: connection.execute(own))

"""Drafts and presets are stored in the log's database, so they are tested on the same databases."""

from tests.log.conftest import _postgresql_server, log, postgresql_url, sqlite_url, url

__all__ = ["_postgresql_server", "log", "postgresql_url", "sqlite_url", "url"]

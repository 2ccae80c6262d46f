"""Capsules stand in the log's database: they are tested on the same ones."""

from tests.log.conftest import _postgresql_server, log, postgresql_url, sqlite_url, url

__all__ = ["_postgresql_server", "log", "postgresql_url", "sqlite_url", "url"]

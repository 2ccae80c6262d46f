from tests.log.conftest import _postgresql_server, log, new_run, postgresql_url, sqlite_url, url

__all__ = ["_postgresql_server", "log", "new_run", "postgresql_url", "sqlite_url", "url"]

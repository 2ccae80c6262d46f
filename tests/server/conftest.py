from tests.log.conftest import sqlite_url

__all__ = ["sqlite_url"]

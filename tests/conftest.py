from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import Engine, event

from components.service import close_service
from tests.chromium import chromium, page
from tests.owners import check_owner

__all__ = ["chromium", "page"]

settings.register_profile("quick", max_examples=100, deadline=None)
settings.register_profile("long", max_examples=10_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

event.listen(Engine, "before_execute", check_owner)


@pytest.fixture(autouse=True)
def _own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test sees the settings or the runs of the person who runs it, nor those of another test."""
    for name in [name for name in os.environ if name.startswith("TEMPERA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TEMPERA_DATABASE_URL", f"sqlite:///{tmp_path / 'runs.sqlite3'}")
    yield
    close_service()

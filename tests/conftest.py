"""The shared set-up of all tests: their environment, their order and their workers.

The product is imported where it is used: the process that distributes the tests does not need it.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from tests.chromium import chromium, context, fresh_page, page
from tests.embedded.served import endpoint, model_file
from tests.workers import forking

__all__ = ["chromium", "context", "endpoint", "fresh_page", "model_file", "page"]

# The same 40 examples of a property in each run, so that failures come from the change; or a given number of new ones.
_new_examples = int(os.environ.get("NEW_EXAMPLES", 0))
settings.register_profile("tempera", max_examples=_new_examples or 40, deadline=None, derandomize=not _new_examples)
settings.load_profile("tempera")

# Collecting loads every module and makes thousands of tests, none of which is garbage: a fifth of its time is saved.
gc.disable()


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """Two workers a processor, because a worker often waits for servers and browsers; each collects all tests anew."""
    return 2 * (yield)


def pytest_configure(config: pytest.Config) -> None:
    """Fork the workers of pytest-xdist, unless they are chosen by hand."""
    processes = getattr(config.option, "tx", None)
    if processes and set(processes) == {"popen"}:
        stack = ExitStack()
        config.option.tx = [stack.enter_context(forking())] * len(processes)
        config.add_cleanup(stack.close)


_SHARED_STARTS = ("model_file", "scripted", "running")
"""Fixtures that start something once for all tests of a worker."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Function]) -> None:
    """Group tests that share expensive fixtures, so that pytest-xdist runs each group on one worker; groups first.

    Tests of the same embedded model are a group, and so are tests of the same app, the other files that use a browser,
    and each module that has its own fixtures; a file may name its group. Other tests run on any free worker.
    """
    browsers = {item.path for item in items if "chromium" in item.fixturenames}
    for item in items:
        scopes = {fixture.scope for found in item._fixtureinfo.name2fixturedefs.values() for fixture in found}
        shared = [start for start in _SHARED_STARTS if start in item.fixturenames]
        if item.get_closest_marker("xdist_group"):
            pass
        elif shared:
            item.add_marker(pytest.mark.xdist_group(shared[0]))
        elif item.path in browsers:
            item.add_marker(pytest.mark.xdist_group("chromium"))
        elif "module" in scopes:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
    items.sort(key=lambda item: (item.path not in browsers, not item.get_closest_marker("xdist_group")))
    if config.getoption("loadgroup", False):
        _append_group_names(items)


def _append_group_names(items: list[pytest.Function]) -> None:
    """Append each group to the test's id, the only data that the distributing process receives.

    pytest-xdist 3.8 does so too, where pytest 9.2 no longer looks: each test of a group ran on any worker, and each
    worker started what the group shares.
    """
    for item in items:
        if group := item.get_closest_marker("xdist_group"):
            item._id = type(item.id).parse(f"{item.nodeid}@{group.args[0]}")
            assert item.nodeid.endswith(f"@{group.args[0]}"), "this version of pytest cannot store the group in the id"


@pytest.fixture(scope="session", autouse=True)
def _every_statement_names_an_owner() -> None:
    from sqlalchemy import Engine, event

    from tests.owners import check_owner

    event.listen(Engine, "before_execute", check_owner)


def pytest_collection_finish() -> None:
    """Exclude all loaded modules from garbage collection, which otherwise takes 5 % of the time."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()
    # Streamlit's loggers do not propagate, so pytest would attach its handler to each of them three times per test.
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.propagate = True


@pytest.fixture(scope="session")
def migrated_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty migrated log to copy: migrating takes ten times as long as opening."""
    from components.log.database import Database

    path = tmp_path_factory.mktemp("migrated") / "log.sqlite3"
    Database(f"sqlite:///{path}").close()
    return path


@pytest.fixture(autouse=True)
def _isolated_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Isolate each test from the developer's settings and runs, and from those of other tests."""
    # Page tests replace the main module with a page, which child processes would load.
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    for name in [name for name in os.environ if name.startswith("TEMPERA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TEMPERA_DATABASE_URL", f"sqlite:///{tmp_path / 'runs.sqlite3'}")
    monkeypatch.setenv("TEMPERA_ENDPOINTS_FILE", str(tmp_path / "endpoints.toml"))
    yield
    if server := sys.modules.get("components.server.process"):
        server.close_service()

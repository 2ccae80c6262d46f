"""Imports the modules of the tests' apps and scripts once; the processes of tests/forks.py are forks of this one."""

from __future__ import annotations

import gc
import importlib
import importlib.util
import logging
import pkgutil

import uvicorn.main  # noqa: F401

import components

_BY_ITSELF = ("components.embedded.engine", "components.log.migrations")
"""The native library of the model, loaded by its own process only, and the migrations loaded by Alembic."""


def load() -> None:
    for module in pkgutil.walk_packages(components.__path__, "components."):
        if not module.name.endswith("__main__") and not module.name.startswith(_BY_ITSELF):
            importlib.import_module(module.name)
    if importlib.util.find_spec("psycopg"):
        importlib.import_module("psycopg")
    gc.freeze()


# Streamlit warns about each cached function without a running server.
logging.disable(logging.WARNING)
load()
logging.disable(logging.NOTSET)

"""The endpoints that were added on the page: a TOML file with mode 0600, in the form of the secrets file."""

from __future__ import annotations

import json
import os
import re
import threading
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from components.endpoints import sentences
from components.endpoints.typed import EndpointField, UnusableEndpoint, check
from components.streaming.session import origin_of
from components.user_error import UserError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_lock = threading.Lock()


def checked(typed: Mapping[EndpointField, str], before: Mapping[str, str], taken: Collection[str]) -> dict[str, str]:
    """The table of an endpoint for the file.

    ``before`` is its table so far, empty for a new endpoint. Without a typed key the endpoint keeps its key, but only
    for the same scheme, host and port. ``taken`` are the names of other endpoints. Raises UnusableEndpoint.
    """
    name = typed[EndpointField.NAME].strip()
    values, problems = check({**typed, EndpointField.BASE_URL: typed[EndpointField.BASE_URL].strip()})
    if not _NAME.fullmatch(name):
        problems[EndpointField.NAME] = sentences.NAME_UNUSABLE
    elif name in taken:
        problems[EndpointField.NAME] = sentences.NAME_TAKEN.format(name=name)
    if EndpointField.BASE_URL not in problems and not typed[EndpointField.KEY] and before.get("api_key"):
        if origin_of(values[EndpointField.BASE_URL]) == origin_of(before["base_url"]):
            values[EndpointField.KEY] = before["api_key"]
        else:
            problems[EndpointField.KEY] = sentences.KEY_OF_THE_ADDRESS_BEFORE
    if problems:
        raise UnusableEndpoint(problems)
    table = {
        "base_url": values[EndpointField.BASE_URL],
        "dialect": values[EndpointField.DIALECT],
        "api_key": values[EndpointField.KEY],
        "default_model": values[EndpointField.MODEL],
    }
    return {setting: value for setting, value in table.items() if value}


class AddedEndpoints:
    """The file. It is read on each use: other processes, and its owner, may change it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def tables(self) -> dict[str, Any]:
        """The table of each endpoint by its name. Raises UserError for a file that cannot be read."""
        try:
            return tomllib.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):  # the error's text may quote a key
            raise UserError(sentences.ADDED_UNREADABLE.format(path=self._path)) from None

    def save(self, name: str, table: Mapping[str, str]) -> None:
        """Add or replace an endpoint. Raises UserError."""
        with _lock:
            self._write({**self.tables(), name: dict(table)})

    def remove(self, name: str) -> None:
        """Remove an endpoint, if it exists. Raises UserError."""
        with _lock:
            self._write({added: table for added, table in self.tables().items() if added != name})

    def _write(self, tables: Mapping[str, Any]) -> None:
        lines: list[str] = []
        for name, table in tables.items():
            if not isinstance(table, Mapping) or not all(isinstance(value, str) for value in table.values()):
                raise UserError(sentences.ADDED_BY_HAND.format(path=self._path, name=name))
            settings = (f"{_quoted(key)} = {_quoted(value)}" for key, value in table.items())
            lines += [f"[{_quoted(name)}]", *settings, ""]
        part = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            part.unlink(missing_ok=True)
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write("\n".join(lines))
            part.replace(self._path)
        except OSError as failure:
            raise UserError(sentences.ADDED_UNWRITABLE.format(path=self._path, why=failure.strerror)) from None


def _quoted(text: str) -> str:
    """The text as a string of TOML: one of JSON, but for the delete character, which no setting may hold."""
    return json.dumps(text, ensure_ascii=False)

"""Reads the container's files."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_NOT_LOOKED_AT = {".git", ".venv", "node_modules"}


@cache
def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions in order, as name and arguments."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def instructions_named(name: str) -> list[str]:
    return [rest for instruction, rest in instructions() if instruction == name]


def environment() -> dict[str, str]:
    """The variables common to every stage, or to the last of its alternatives."""
    return dict(pair.split("=", 1) for rest in instructions_named("ENV") for pair in shlex.split(rest))


def is_sent(path: str) -> bool:
    """Whether .dockerignore admits a file of the project to the build."""
    parts = path.split("/")
    above = ["/".join(parts[:number]) for number in range(1, len(parts) + 1)]
    sent = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = re.escape(line.removeprefix("!")).replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*")
        if any(re.fullmatch(pattern, one) for one in above):
            sent = line.startswith("!")
    return sent


def files() -> Iterator[str]:
    """All files of the project by their relative path."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in _NOT_LOOKED_AT]
        yield from (str((Path(folder) / name).relative_to(ROOT)) for name in names)

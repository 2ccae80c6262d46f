"""Finds the request within other JSON: batch lines, HAR files, collections of API clients, notebooks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from components.contract.credentials import is_credential_name
from components.contract.strict_json import holds_too_much
from components.snippets import sentences
from components.snippets.found import BrokenJson, Found, read_body, request_in
from components.snippets.problem import ImportProblem


def json_request(text: str) -> Found:
    """The request in JSON, or the whole value when it has none. Raises ImportProblem; BrokenJson for invalid JSON."""
    try:
        return unwrapped(read_body(text))
    except BrokenJson:
        found = _first_line(text)
        if found is None:
            raise
        return found


def code_of_notebook(value: Any) -> str | None:
    """The code in the cells of a notebook; None when ``value`` is not a notebook."""
    cells = value.get("cells") if isinstance(value, dict) else None
    if not isinstance(cells, list):
        return None
    sources = [cell.get("source") for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "code"]
    texts = [source if isinstance(source, list) else [source] for source in sources]
    return "\n".join("".join(line for line in lines if isinstance(line, str)) for lines in texts)


def unwrapped(value: Any) -> Found:
    """The request in ``value``, else ``value`` itself."""
    if request_in(value) is value:
        return Found(value)
    requests = list(_requests(value))
    if not requests:
        log = value.get("log") if isinstance(value, dict) else None
        if isinstance(log, dict) and isinstance(log.get("entries"), list):
            raise ImportProblem(sentences.RECORDING_WITHOUT_CHAT.format(count=len(log["entries"])))
        return Found(value)
    # HAR files also record unrelated requests.
    chats = [one for one in requests if one.is_to_chat] or [one for one in requests if "model" in one.fields]
    return (chats or requests)[0].found()


@dataclass
class _Enclosed:
    """A request, its position in the outermost list, and the two objects around it."""

    fields: dict[str, Any]
    place: tuple[int, int]
    around: tuple[dict[str, Any], ...]

    @property
    def is_to_chat(self) -> bool:
        return any("chat/completions" in str(outer.get("url")) for outer in self.around)

    def found(self) -> Found:
        number, count = self.place
        said = f"The text holds {count:,} entries; number {number:,}, the first request, was taken."
        return Found(self.fields, (said,) if count > 1 else (), tuple(dict.fromkeys(self._credentials())))

    def _credentials(self) -> Iterator[str]:
        for outer in self.around:
            for key in ("headers", "header", "cookies"):
                entries = outer.get(key)
                for one in entries if isinstance(entries, list | dict) else ():
                    name = one.get("name", one.get("key")) if isinstance(one, dict) else one
                    if isinstance(name, str) and (key == "cookies" or is_credential_name(name)):
                        yield "cookies" if key == "cookies" else name


def _requests(value: Any) -> Iterator[_Enclosed]:
    """All requests in a value, in order."""
    waiting: list[tuple[Any, tuple[int, int], tuple[dict[str, Any], ...]]] = [(value, (0, 0), ())]
    while waiting:
        inner, place, around = waiting.pop()
        if (request := request_in(inner)) is not None:
            yield _Enclosed(request, place, around)
        elif isinstance(inner, dict):
            waiting += [(one, place, (inner, *around[:1])) for one in reversed(inner.values())]
        elif isinstance(inner, list):
            count = len(inner)
            waiting += [
                (one, place if place[1] else (number, count), around)
                for number, one in zip(range(count, 0, -1), reversed(inner), strict=True)
            ]


def _first_line(text: str) -> Found | None:
    """The first request in JSON Lines."""
    lines = [line for line in text.split("\n") if line.lstrip().startswith(("{", "["))]
    for number, line in enumerate([] if holds_too_much(text) else lines, 1):
        try:
            found = unwrapped(read_body(line))
        except ImportProblem:
            return None
        if request_in(found.fields) is not None:
            if len(lines) == 1:
                return found
            said = f"The text holds {len(lines):,} lines; number {number:,}, the first request, was taken."
            return replace(found, notes=(*found.notes, said))
    return None

"""Finds the request within other JSON: batch lines, HAR files, collections of API clients, notebooks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from components.contract.credentials import is_credential_name
from components.contract.strict_json import holds_too_much
from components.snippets import sentences
from components.snippets.problem import ImportProblem
from components.snippets.raw_request import BrokenJson, RawRequest, read_body, request_in


def json_request(text: str) -> RawRequest:
    """The request in JSON, or the whole value when it has none. Raises ImportProblem; BrokenJson for invalid JSON."""
    try:
        return unwrapped(read_body(text))
    except BrokenJson:
        if raw := _first_line(text):
            return raw
        raise


def code_of_notebook(value: Any) -> str | None:
    """The code in the cells of a notebook; None when ``value`` is not a notebook."""
    cells = value.get("cells") if isinstance(value, dict) else None
    if not isinstance(cells, list):
        return None
    sources = [cell.get("source") for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "code"]
    texts = [source if isinstance(source, list) else [source] for source in sources]
    return "\n".join("".join(line for line in lines if isinstance(line, str)) for lines in texts)


def unwrapped(value: Any) -> RawRequest:
    """The request in ``value``, else ``value`` itself."""
    if request_in(value) is value:
        return RawRequest(value)
    requests = list(_requests(value))
    if not requests:
        log = value.get("log") if isinstance(value, dict) else None
        if isinstance(log, dict) and isinstance(log.get("entries"), list):
            raise ImportProblem(sentences.RECORDING_WITHOUT_CHAT.format(count=len(log["entries"])))
        return RawRequest(value)
    # HAR files also record unrelated requests.
    chats = [each for each in requests if each.is_to_chat] or [each for each in requests if "model" in each.fields]
    return (chats or requests)[0].found()


@dataclass
class _Enclosed:
    """A request, its position in the outermost list, and the two objects around it."""

    fields: dict[str, Any]
    position: tuple[int, int]
    around: tuple[dict[str, Any], ...]

    @property
    def is_to_chat(self) -> bool:
        return any("chat/completions" in str(outer.get("url")) for outer in self.around)

    def found(self) -> RawRequest:
        number, count = self.position
        note = f"The text holds {count:,} entries; number {number:,}, the first request, was taken."
        return RawRequest(self.fields, (note,) if count > 1 else (), tuple(dict.fromkeys(self._credentials())))

    def _credentials(self) -> Iterator[str]:
        for outer in self.around:
            for key in ("headers", "header", "cookies"):
                entries = outer.get(key)
                for entry in entries if isinstance(entries, list | dict) else ():
                    name = entry.get("name", entry.get("key")) if isinstance(entry, dict) else entry
                    if isinstance(name, str) and (key == "cookies" or is_credential_name(name)):
                        yield "cookies" if key == "cookies" else name


def _requests(value: Any) -> Iterator[_Enclosed]:
    """All requests in a value, in order."""
    waiting: list[tuple[Any, tuple[int, int], tuple[dict[str, Any], ...]]] = [(value, (0, 0), ())]
    while waiting:
        inner, position, around = waiting.pop()
        if (request := request_in(inner)) is not None:
            yield _Enclosed(request, position, around)
        elif isinstance(inner, dict):
            waiting += [(item, position, (inner, *around[:1])) for item in reversed(inner.values())]
        elif isinstance(inner, list):
            count = len(inner)
            waiting += [
                (item, position if position[1] else (number, count), around)
                for number, item in zip(range(count, 0, -1), reversed(inner), strict=True)
            ]


def _first_line(text: str) -> RawRequest | None:
    """The first request in JSON Lines."""
    lines = [line for line in text.split("\n") if line.lstrip().startswith(("{", "["))]
    for number, line in enumerate([] if holds_too_much(text) else lines, 1):
        try:
            raw = unwrapped(read_body(line))
        except ImportProblem:
            return None
        if request_in(raw.fields) is not None:
            if len(lines) == 1:
                return raw
            note = f"The text holds {len(lines):,} lines; number {number:,}, the first request, was taken."
            return replace(raw, notes=(*raw.notes, note))
    return None

"""JSON that holds a request within something else: a batch, a recording of a browser, a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from components.contract.strict_json import holds_too_much
from components.snippets import sentences
from components.snippets.credentials import names_a_credential
from components.snippets.found import BrokenJson, Found, object_with_messages, read_body
from components.snippets.problem import ImportProblem


def json_request(text: str) -> Found:
    """What JSON says, taken out of what it stands in. Raises BrokenJson for text that is none, and ImportProblem."""
    try:
        return unwrapped(read_body(text))
    except BrokenJson:
        found = _first_line(text)
        if found is None:
            raise
        return found


def code_of_notebook(value: Any) -> str | None:
    """The code in the cells of a notebook, or None when ``value`` is none."""
    cells = value.get("cells") if isinstance(value, dict) else None
    if not isinstance(cells, list):
        return None
    sources = [cell.get("source") for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "code"]
    texts = [source if isinstance(source, list) else [source] for source in sources]
    return "\n".join("".join(line for line in lines if isinstance(line, str)) for lines in texts)


def unwrapped(value: Any) -> Found:
    """The request in ``value``, or ``value`` itself when it is not one of these."""
    if isinstance(value, list) and any(map(_request_in, value)):
        return _first(value)
    if not isinstance(value, dict) or "messages" in value:
        return Found(value)
    if isinstance(log := value.get("log"), dict) and isinstance(log.get("entries"), list):
        return _of_recording(log["entries"])
    request = _request_in(value)
    return Found(value) if request is None else Found(request, (), tuple(_credentials(value)))


def _request_in(value: Any) -> dict[str, Any] | None:
    """The request that an object is or has as its body."""
    request = object_with_messages(value) if isinstance(value, dict) else None
    for key in ("body", "data", "json", "payload") if request is None and isinstance(value, dict) else ():
        request = request or object_with_messages(value.get(key))
    return request


def _first(values: list[Any]) -> Found:
    number, value = next((number, value) for number, value in enumerate(values, 1) if _request_in(value))
    found = unwrapped(value)
    if len(values) == 1:
        return found
    return replace(
        found, notes=(f"The text holds {len(values):,} entries; number {number:,}, the first request, was taken.",)
    )


def _first_line(text: str) -> Found | None:
    """The first request in JSON Lines."""
    lines = [line for line in text.split("\n") if line.lstrip().startswith(("{", "["))]
    for number, line in enumerate([] if holds_too_much(text) else lines, 1):
        try:
            found = unwrapped(read_body(line))
        except ImportProblem:
            return None
        if isinstance(found.fields, dict) and "messages" in found.fields:
            if len(lines) == 1:
                return found
            said = f"The text holds {len(lines):,} lines; number {number:,}, the first request, was taken."
            return replace(found, notes=(*found.notes, said))
    return None


def _of_recording(entries: list[Any]) -> Found:
    """The first chat completion that a browser recorded in a HAR file."""
    chats: list[tuple[int, dict[str, Any], dict[str, Any]]] = []
    for number, entry in enumerate(entries, 1):
        asked = entry.get("request") if isinstance(entry, dict) else None
        asked = asked if isinstance(asked, dict) else {}
        data = asked.get("postData")
        request = object_with_messages(data.get("text")) if isinstance(data, dict) else None
        if request is not None:
            chats.append((number, request, asked))
    if not chats:
        raise ImportProblem(sentences.RECORDING_WITHOUT_CHAT.format(count=len(entries)))
    by_address = [chat for chat in chats if "chat/completions" in str(chat[2].get("url"))]
    number, request, asked = (by_address or chats)[0]
    credentials = tuple(dict.fromkeys(_credentials(asked)))
    if len(entries) == 1:
        return Found(request, (), credentials)
    said = f"The recording holds {len(entries):,} requests; number {number:,}, the first chat completion, was taken."
    return Found(request, (said,), credentials)


def _credentials(value: Mapping[str, Any]) -> Iterator[str]:
    """The names of credentials among the headers and cookies beside a body."""
    for key in ("headers", "cookies"):
        beside = value.get(key)
        for one in beside if isinstance(beside, list | dict) else ():
            name = one.get("name") if isinstance(one, dict) else one
            if isinstance(name, str) and (key == "cookies" or names_a_credential(name)):
                yield "cookies" if key == "cookies" else name

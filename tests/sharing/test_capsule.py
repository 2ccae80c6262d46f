"""The capsule: its content, its bytes, and the refusal of invalid ones."""

from __future__ import annotations

import json
import random
import time
import tracemalloc
import zlib
from base64 import b64encode
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.log.annotations import Annotation
from components.sharing.capsule import (
    MAX_BYTES,
    MAX_JSON_BYTES,
    Capsule,
    CapsuleRun,
    Kind,
    read_capsule,
    to_bytes,
)
from components.sharing.freezing import Choices, capsule_of
from components.sharing.linked_settings import linked_settings
from components.sharing.problem import LinkProblem
from tests.sharing.drafts import a_draft, drafts, settings_of
from tests.sharing.records import EVENTS, RUN_ID, a_capsule, a_record, choices, events, records, texts

DAMAGED = r"^This shared content is damaged\. Ask for it to be shared again\.$"
NEWER = r"^This was shared by a newer version of Tempera\. Update Tempera to open it\.$"
TOO_LARGE = r"^This is more than can be shared at once\. Share fewer runs, or leave the events out\.$"

PUBLIC_FIELDS = {
    "": ["app_version", "entries", "kind", "runs", "settings", "settings_without_system", "title", "version"],
    "runs": [
        *("app_version", "attempts", "cached_tokens", "chunk_count", "completion_tokens", "connect_ms", "created_at"),
        *("determinism", "dialect", "endpoint", "error_kind", "error_message", "event_count", "events"),
        *(
            "events_repeat_system",
            "finish_reason",
            "first_byte_ms",
            "first_event_ms",
            "label",
            "model",
            "notes",
            "checked",
        ),
        *("prompt_tokens", "queued_ms", "rating", "reasoning", "reasoning_ms", "repeat", "request_body"),
        *(
            "served_model",
            "status",
            "streamed",
            "system_fingerprint",
            "system_left_out",
            "tags",
            "text",
            "tokens_per_second",
            "tool_calls",
            "total_ms",
        ),
        *("total_tokens", "ttft_ms", "waited_ms", "warnings"),
        *("gap_count", "gap_max_ms", "gap_p50_ms", "gap_p95_ms", "rate_basis", "ttfo_ms"),
        *("mean_logprob", "perplexity", "lowest_probability", "mean_entropy", "probabilities_left_out"),
    ],
    "events": ["at_ms", "data", "name", "size"],
    "tool_calls": ["arguments", "id", "name"],
}
"""All fields that a capsule may make public, apart from those of a link. Add to them with care."""


def test_only_these_fields_become_public() -> None:
    content = json.loads(zlib.decompress(to_bytes(a_capsule())))
    run = content["runs"][0]
    found = {"": content, "runs": run, "events": run["events"][0], "tool_calls": run["tool_calls"][0]}
    assert {name: sorted(fields) for name, fields in found.items()} == {
        name: sorted(fields) for name, fields in PUBLIC_FIELDS.items()
    }


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(records, min_size=1, max_size=2), choices, events, texts, st.none() | drafts, st.integers(1, 5) | st.none()
)
def test_a_capsule_survives_storage_unchanged(given_records, chosen, given_events, title, draft, rating) -> None:
    made = capsule_of(
        given_records,
        kind=Kind.COMPARISON,
        title=title,
        choices=chosen,
        labels={RUN_ID: title},
        annotations={RUN_ID: Annotation(rating, ("sea",), title)},
        events={RUN_ID: given_events},
        settings=linked_settings(draft, comparison=True) if draft else None,
    )
    content = to_bytes(made)
    opened = read_capsule(content)
    assert opened == made
    assert to_bytes(opened) == content
    if made.settings:
        assert opened.settings.to_json() == made.settings.to_json()


def test_null_and_omitted_settings_are_distinguished() -> None:
    linked = linked_settings(a_draft(settings=settings_of(temperature=None)), comparison=False)
    made = capsule_of([], kind=Kind.SETTINGS, title="", choices=Choices(), settings=linked)
    fields = read_capsule(to_bytes(made)).settings.to_json()
    assert fields["temperature"] is None
    assert "top_p" not in fields


def test_events_can_be_replayed() -> None:
    assert read_capsule(to_bytes(a_capsule())).runs[0].events == tuple(EVENTS)
    assert a_capsule(choices=Choices(events=False)).runs[0].events is None


def packed(**changed: Any) -> bytes:
    content = json.loads(zlib.decompress(to_bytes(a_capsule()))) | changed
    return zlib.compress(json.dumps(content).encode())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        to_bytes(a_capsule())[:-1],
        to_bytes(a_capsule()) + b"x",
        zlib.compress(b""),
        zlib.compress(b"null"),
        zlib.compress(b"[" * 100_000),
        zlib.compress(b'{"version": 1}'),
        zlib.compress(b"\xff"),
        packed(owner="me"),
        packed(kind="settings"),
        packed(kind="other"),
        packed(runs=[]),
        packed(runs=json.loads(zlib.decompress(to_bytes(a_capsule())))["runs"] * 51),
        packed(title="x" * 201),
        packed(title=None),
        packed(settings={"base_url": "http://x"}),
        packed(app_version=5, more="x"),
        packed(entries=[{"link": "A" * 22}]),
        packed(kind="collection", entries=[{"link": "A" * 22}]),
        packed(kind="collection", runs=[], entries=[]),
        packed(kind="collection", runs=[], entries=[{"note": "No link"}]),
        packed(kind="collection", runs=[], entries=[{"link": "A" * 22}] * 22),
    ],
    ids=lambda content: repr(content[:20]),
)
def test_an_invalid_capsule_gives_one_sentence(content: bytes) -> None:
    with pytest.raises(LinkProblem, match=DAMAGED):
        read_capsule(content)


def test_a_newer_version_is_reported() -> None:
    with pytest.raises(LinkProblem, match=NEWER):
        read_capsule(packed(version=2, more="x"))
    with pytest.raises(LinkProblem, match=NEWER):
        read_capsule(packed(app_version="99.0", more="x"))


@given(st.data())
def test_damaged_bytes_give_one_sentence(data) -> None:
    content = bytearray(to_bytes(a_capsule()))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=3)):
        content[place] ^= data.draw(st.integers(1, 255))
    with suppress(LinkProblem):
        assert isinstance(read_capsule(bytes(content)), Capsule)


def test_a_bomb_takes_neither_time_nor_memory() -> None:
    bomb = zlib.compress(b" " * 200_000_000, 9)
    tracemalloc.start()
    begin = time.process_time()
    with pytest.raises(LinkProblem, match=DAMAGED):
        read_capsule(bomb)
    assert time.process_time() - begin < 1.0
    assert tracemalloc.get_traced_memory()[1] < 40 * 1024 * 1024
    tracemalloc.stop()


def test_a_too_large_capsule_is_refused_before_storage() -> None:
    assert read_capsule(to_bytes(a_capsule(a_record(text="x" * 1_000_000)))).runs[0].text == "x" * 1_000_000
    with pytest.raises(LinkProblem, match=TOO_LARGE):
        to_bytes(a_capsule(a_record(text="x" * MAX_JSON_BYTES)))
    incompressible = b64encode(random.Random(1).randbytes(MAX_BYTES)).decode()
    assert len(incompressible) < MAX_JSON_BYTES
    with pytest.raises(LinkProblem, match=TOO_LARGE):
        to_bytes(a_capsule(a_record(text=incompressible)))


def test_a_capsule_is_immutable() -> None:
    capsule = a_capsule()
    with pytest.raises(ValueError, match="frozen"):
        capsule.title = "other"  # type: ignore[misc]
    assert isinstance(capsule.runs[0], CapsuleRun)

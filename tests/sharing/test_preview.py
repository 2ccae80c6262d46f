"""The preview names exactly what becomes public."""

from __future__ import annotations

import json
import zlib
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.checks.kinds import read_check
from components.log.annotations import Annotation
from components.sharing.capsule import CapsuleRun, Kind, to_bytes
from components.sharing.freezing import Choices, capsule_of
from components.sharing.linked_settings import linked_settings
from components.sharing.preview import RUN_WORDS, public_text
from tests.sharing.drafts import a_draft, drafts, settings_of
from tests.sharing.records import RUN_ID, a_body, a_capsule, a_record, choices, events, records, texts


def test_every_field_has_a_unique_label() -> None:
    assert RUN_WORDS.keys() == CapsuleRun.model_fields.keys()
    assert len(set(RUN_WORDS.values())) == len(RUN_WORDS)


def test_a_run_is_described_field_by_field() -> None:
    body = a_body(("system", "Be a secret whale."), ("user", "Hello"))
    note = Annotation(4, ("sea", "calm"), "nice")
    capsule = a_capsule(
        a_record(request_body=body, app_version="0.9"),
        labels={RUN_ID: "A · temperature 0.9"},
        annotations={RUN_ID: note},
        choices=Choices(notes=True),
        settings=linked_settings(a_draft("Hello", settings=settings_of(top_p=None)), comparison=False),
    ).model_copy(update={"app_version": "1.0"})
    event = '{"id": "cmpl-1", "choices": [{"index": 0, "delta": {"content": "%s"}}]}'
    assert public_text(capsule) == [
        ("title", "A run"),
        ("shared as", "run"),
        ("shared with version", "1.0"),
        ("settings top p", "null"),
        ("settings model", "m"),
        ("settings messages 1 content", "Hello"),
        ("name", "A · temperature 0.9"),
        ("date", "2026-07-01T10:00:00.000000Z"),
        ("made with version", "0.9"),
        ("status", "ok"),
        ("endpoint", "mine"),
        ("dialect", "beezy"),
        ("model", "m"),
        ("request", body.replace("Be a secret whale.", "[system message left out]")),
        ("system message left out", "yes"),
        ("answer", "Hello there"),
        ("reasoning", "Hm."),
        ("tool call id", "call-1"),
        ("tool call name", "look"),
        ("tool call arguments", '{"at": "sea"}'),
        ("finish reason", "stop"),
        ("warning", "the answer came without a finish_reason"),
        ("prompt tokens", "3"),
        ("completion tokens", "2"),
        ("tokens in all", "5"),
        ("time to first byte, ms", "10.5"),
        ("time to first token, ms", "12.25"),
        ("time in all, ms", "99.0"),
        ("tokens per second", "50.125"),
        ("chunks", "2"),
        ("attempts", "1"),
        ("streamed", "yes"),
        ("repeat", "1"),
        ("sent again", "identical"),
        ("served model", "some-model-2026"),
        ("system fingerprint", "fp_1"),
        ("stars", "4"),
        ("tag 1", "sea"),
        ("tag 2", "calm"),
        ("notes", "nice"),
        ("events received", "2"),
        ("events as they came", f"12.25 ms message: {event % 'Hello'}\n50.0 ms message: {event % ' there'}"),
    ]


def test_several_runs_are_numbered() -> None:
    capsule = a_capsule(a_record(), a_record(), kind=Kind.RUNS)
    assert ("run 2 answer", "Hello there") in public_text(capsule)


def leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for one in value.values() for leaf in leaves(one)]
    if isinstance(value, list):
        return [leaf for one in value for leaf in leaves(one)]
    return [] if value is None or isinstance(value, bool) or value == "" else [str(value)]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(records, min_size=1, max_size=2), choices, events, texts, st.none() | drafts)
def test_the_preview_names_everything_that_becomes_public(given_records, chosen, given_events, title, draft) -> None:
    capsule = capsule_of(
        given_records,
        kind=Kind.COMPARISON,
        title=title,
        choices=chosen,
        annotations={RUN_ID: Annotation(3, (title,), title)},
        events={RUN_ID: given_events},
        settings=linked_settings(draft, comparison=True) if draft else None,
        checks=[read_check("contains", {"text": "Hello", "ignore_case": True}), read_check("length", {"at_most": 3})],
    )
    public = json.loads(zlib.decompress(to_bytes(capsule)))
    assert public.pop("version") == 1
    for run in public["runs"]:
        for event in run["events"] or []:
            # Named only if an event was cut.
            del event["size"]
    preview = "\n".join(text for _, text in public_text(capsule))
    assert [leaf for leaf in leaves(public) if leaf not in preview] == []

"""Runs to share, with a recognisable value in every field that must stay private."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from components.log.events import StoredEvent
from components.log.record import RunRecord
from components.sharing.capsule import Capsule, Kind
from components.sharing.freezing import Choices, capsule_of
from components.streaming.outcome import Status

RUN_ID = "c0ffee" + "0" * 26

PRIVATE: dict[str, Any] = {
    "id": RUN_ID,
    "heartbeat_at": "2001-01-01T00:00:00.000001Z",
    "finished_at": "2001-01-01T00:00:00.000002Z",
    "raw_error": "canary-raw-error",
    "http_status": 418_418_418,
    "retries": '["canary-retries"]',
    "draft": '{"canary": "draft"}',
    "experiment_id": "canary-experiment",
    "lane": "canary-lane",
    "position": 717_717_717,
    "timing": "canary-timing",
    "concurrency": 616_616_616,
    "checks": "canary-checks",
    "request_id": "canary-request",
    "further_choices": '[{"text": "canary-choice"}]',
    "prompt": "canary-prompt",
    "settings": "canary-settings",
    "owner": "canary-owner",
    "passed": False,
    "check_results": "canary-check-results",
}
"""The fields of a run that are in no capsule, with any choices."""


def a_body(*messages: tuple[str, str], **fields: Any) -> str:
    parts = [{"role": role, "content": content} for role, content in messages or [("user", "Hello")]]
    return json.dumps({"model": "m", "messages": parts, **fields}, ensure_ascii=False, indent=2)


def a_record(**fields: Any) -> RunRecord:
    record = RunRecord(
        **PRIVATE,
        created_at="2026-07-01T10:00:00.000000Z",
        status="ok",
        endpoint="mine",
        dialect="beezy",
        model="m",
        request_body=a_body(),
        app_version="0.9",
        text="Hello there",
        reasoning="Hm.",
        finish_reason="stop",
        prompt_tokens=3,
        completion_tokens=2,
        total_tokens=5,
        first_byte_ms=10.5,
        ttft_ms=12.25,
        total_ms=99.0,
        tokens_per_second=50.125,
        chunk_count=2,
        attempts=1,
        warnings='["the answer came without a finish_reason"]',
        tool_calls='[{"id": "call-1", "name": "look", "arguments": "{\\"at\\": \\"sea\\"}"}]',
        event_count=2,
        determinism="identical",
        served_model="some-model-2026",
        system_fingerprint="fp_1",
        repeat=1,
    )
    return replace(record, **fields)


def an_event(content: str, at_ms: float = 1.0, **more: Any) -> StoredEvent:
    data = json.dumps({"id": "cmpl-1", "choices": [{"index": 0, "delta": {"content": content}}], **more})
    return StoredEvent("message", data, at_ms, len(data))


def a_likely_event(token: str, other: str, at_ms: float = 1.0) -> StoredEvent:
    """An event with the probabilities of its token and of another one."""
    both = [{"token": text, "logprob": logprob} for text, logprob in ((token, -0.25), (other, -1.5))]
    choice = {"index": 0, "delta": {"content": token}, "logprobs": {"content": [{**both[0], "top_logprobs": both}]}}
    data = json.dumps({"id": "cmpl-1", "choices": [choice]})
    return StoredEvent("message", data, at_ms, len(data))


EVENTS = [an_event("Hello", 12.25), an_event(" there", 50.0)]


def a_capsule(*records: RunRecord, **given: Any) -> Capsule:
    defaults = {"kind": Kind.RUN, "title": "A run", "choices": Choices(), "events": {RUN_ID: EVENTS}}
    return capsule_of(records or [a_record()], **(defaults | given))


texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
times = st.none() | st.floats(allow_nan=False, allow_infinity=False)
counts = st.none() | st.integers(-(2**63), 2**63 - 1)
records = st.builds(
    a_record,
    status=st.sampled_from([status for status in Status if status is not Status.RUNNING]),
    endpoint=texts,
    model=texts,
    request_body=texts | st.builds(lambda text: a_body(("user", text), ("system", "Be " + text)), texts),
    text=texts,
    reasoning=texts,
    finish_reason=st.none() | texts,
    error_kind=st.none() | texts,
    error_message=st.none() | texts,
    determinism=st.none() | texts,
    served_model=st.none() | texts,
    system_fingerprint=st.none() | texts,
    warnings=texts | st.lists(texts, max_size=2).map(json.dumps),
    ttft_ms=times,
    total_ms=times,
    tokens_per_second=times,
    ttfo_ms=times,
    gap_p95_ms=times,
    gap_count=counts,
    rate_basis=st.none() | texts,
    completion_tokens=counts,
    repeat=counts,
    streamed=st.booleans(),
)
events = st.lists(st.builds(StoredEvent, texts, texts, st.floats(0, 1e9), st.integers(0, 9_999)), max_size=3)
choices = st.builds(
    Choices,
    system_message=st.booleans(),
    notes=st.booleans(),
    events=st.booleans(),
    probabilities=st.booleans(),
    checks=st.booleans(),
)

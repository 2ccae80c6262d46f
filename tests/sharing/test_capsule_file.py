"""Capsules in files: lossless, and changes are detected."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.log.log import Log
from components.sharing.capsule import Capsule, canonical_json
from components.sharing.capsule_file import MAX_FILE_MB, data_blocks, read_capsule_file
from components.sharing.problem import LinkProblem
from components.sharing.signing import Signature, SignatureState
from tests.sharing.records import RUN_ID, a_body, a_capsule, a_record, choices, events, records

on_one_log = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def page(capsule: Capsule, log: Log) -> bytes:
    return f"<!doctype html><p>Words</p>{data_blocks(capsule, log)}<script>run()</script>".encode()


@on_one_log
@given(record=records, chosen=choices, kept=events)
def test_a_file_contains_the_capsule_and_its_signature(log: Log, record: Any, chosen: Any, kept: Any) -> None:
    capsule = a_capsule(replace(record, dialect="beezy"), choices=chosen, events={RUN_ID: kept})
    opened = read_capsule_file(page(capsule, log), log.database)
    assert opened.capsule == capsule
    assert opened.signature.state is SignatureState.OWN
    assert opened.signature.key


def test_a_file_with_a_nul_in_a_message_opens(log: Log) -> None:
    capsule = a_capsule(a_record(request_body=a_body(("user", "\x00"))))
    assert read_capsule_file(page(capsule, log), log.database).capsule == capsule


def test_no_text_of_a_capsule_ends_its_block(log: Log) -> None:
    capsule = a_capsule(a_record(text="</script><script>window.x = 1</script><!-- <script>\u2028"))
    blocks = data_blocks(capsule, log)
    assert blocks.count("<") == 4
    assert read_capsule_file(blocks.encode(), log.database).capsule == capsule


@on_one_log
@given(data=st.data())
def test_a_changed_character_is_noticed(log: Log, data: st.DataObject) -> None:
    file = page(a_capsule(), log)
    begin, end = file.index(b">{") + 1, file.index(b"</script>")
    at = data.draw(st.integers(begin, end - 1))
    other = data.draw(st.binary(min_size=1, max_size=1).filter(lambda byte: byte != file[at : at + 1]))
    try:
        opened = read_capsule_file(file[:at] + other + file[at + 1 :], log.database)
    except LinkProblem:
        return
    assert opened.signature == Signature(SignatureState.CHANGED)


def test_another_log_has_another_key(log: Log, tmp_path: Any) -> None:
    other = Log(f"sqlite:///{tmp_path / 'other.sqlite3'}")
    try:
        file = page(a_capsule(), other)
        again = page(a_capsule(), other)
    finally:
        other.close()
    theirs = read_capsule_file(file, log.database).signature
    assert theirs.state is SignatureState.OTHER
    assert read_capsule_file(again, log.database).signature == theirs
    assert read_capsule_file(file, None).signature == theirs


@pytest.mark.parametrize("signature", ["", "{}", "[]", "null", '{"key": 1, "signature": 2}', "x" * 2_000, "[" * 900])
def test_an_unusable_signature_counts_as_none(log: Log, signature: str) -> None:
    file = page(a_capsule(), log)
    begin = file.index(b'id="tempera-signature">') + len(b'id="tempera-signature">')
    changed = file[:begin] + signature.encode() + file[file.index(b"</script>", begin) :]
    assert read_capsule_file(changed, log.database).signature == Signature(SignatureState.CHANGED)


def test_a_file_without_a_signature_is_reported(log: Log) -> None:
    unsigned = page(a_capsule(), log).replace(b"tempera-signature", b"other")
    assert read_capsule_file(unsigned, log.database).signature == Signature(SignatureState.MISSING)


@given(content=st.binary(max_size=200))
def test_any_other_file_is_refused(content: bytes) -> None:
    for file in (content, b'<script type="application/json" id="tempera-capsule">' + content + b"</script>"):
        with pytest.raises(LinkProblem):
            read_capsule_file(file, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("created_at", "yesterday"),
        ("created_at", "9999-99-99T00:00:00.000000Z"),
        ("dialect", "klingon"),
        ("status", "running"),
        ("rating", 1_000_000_000),
        ("model", "half \ud83d"),
        ("prompt_tokens", 10**30),
        ("text", 5),
    ],
)
def test_an_impossible_value_is_refused(field: str, value: Any) -> None:
    content = json.loads(canonical_json(a_capsule()))
    content["runs"][0][field] = value
    file = f'<script type="application/json" id="tempera-capsule">{json.dumps(content)}</script>'.encode()
    with pytest.raises(LinkProblem):
        read_capsule_file(file, None)


def test_a_file_of_a_newer_version_is_recognised() -> None:
    newer = canonical_json(a_capsule()).replace('"version":1', '"version":2')
    with pytest.raises(LinkProblem, match="newer version"):
        read_capsule_file(f'<script type="application/json" id="tempera-capsule">{newer}</script>'.encode(), None)


def test_a_file_beyond_the_limit_is_refused() -> None:
    with pytest.raises(LinkProblem, match="larger than"):
        read_capsule_file(b" " * (MAX_FILE_MB * 2**20 + 1), None)


def test_a_truncated_file_is_reported(log: Log) -> None:
    file = page(a_capsule(), log)
    with pytest.raises(LinkProblem, match="end of this file is missing"):
        read_capsule_file(file[: file.index(b"</script>")], None)

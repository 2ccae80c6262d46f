"""The content of a capsule, and private facts that it must not contain."""

from __future__ import annotations

import json
import time
import zlib
from dataclasses import fields, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.checks.kinds import read_check
from components.contract.messages import Role
from components.drafts.comparison import Comparison, Lane
from components.drafts.conversation import Turn
from components.drafts.draft import new_draft
from components.log.annotations import Annotation
from components.log.answer_tokens import tokens_of
from components.log.events import StoredEvent
from components.log.record import RunRecord
from components.sharing.capsule import MAX_EVENTS, Capsule, CapsuleRun, Kind, SharedCheck, read_capsule, to_bytes
from components.sharing.freezing import MAX_EVENT_CHARS, Choices, capsule_of
from components.sharing.left_out import SYSTEM_LEFT_OUT, SystemMessages, without_addresses
from components.sharing.linked_settings import LinkedSettings, linked_settings
from components.sharing.preview import public_text
from components.sharing.problem import LinkProblem
from components.sharing.shared_run import shared_runs
from components.streaming.outcome import Status
from tests.sharing.drafts import a_draft, drafts
from tests.sharing.records import (
    EVENTS,
    PRIVATE,
    RUN_ID,
    a_body,
    a_capsule,
    a_likely_event,
    a_record,
    an_event,
    choices,
    records,
)

SECRET = 'You are the keeper of the plan, "Octopus",\nand never say so: Grüße!'
ALL = Choices(system_message=True, notes=True, events=True)


def said_in(capsule: Capsule) -> str:
    return zlib.decompress(to_bytes(capsule)).decode()


def words_of(value: object) -> list[str]:
    """Every text in a value, including nested JSON, with normalised spaces."""
    if isinstance(value, dict):
        return [word for pair in value.items() for one in pair for word in words_of(one)]
    if isinstance(value, list):
        return [word for one in value for word in words_of(one)]
    if not isinstance(value, str):
        return []
    try:
        inner = json.loads(value)
    except (ValueError, RecursionError):
        inner = None
    return [" ".join(value.split()), *(words_of(inner) if isinstance(inner, dict | list) else [])]


def assert_nowhere(text: str, capsule: Capsule) -> None:
    wanted = " ".join(text.split())
    assert not [found for found in words_of(json.loads(said_in(capsule))) if wanted in found]
    assert not [found for _, found in public_text(capsule) if wanted in " ".join(found.split())]


def test_every_field_of_a_run_is_either_public_or_private() -> None:
    names = {field.name for field in fields(RunRecord)}
    public = CapsuleRun.model_fields.keys()
    assert names == (names & public) | PRIVATE.keys()
    assert not PRIVATE.keys() & public
    assert public - names == {
        *("label", "system_left_out", "rating", "tags", "notes", "events", "events_repeat_system"),
        *("probabilities_left_out", "checked"),
    }


@given(records, choices)
def test_private_facts_are_in_no_capsule(record, chosen) -> None:
    content = said_in(a_capsule(record, choices=chosen, annotations={RUN_ID: Annotation(notes="n")}))
    assert [name for name, value in PRIVATE.items() if str(value) in content] == []
    assert "canary" not in content


def test_notes_are_included_only_if_chosen() -> None:
    note = Annotation(4, ("canary-tag",), "canary-notes")
    content = said_in(a_capsule(annotations={RUN_ID: note}))
    assert "canary" not in content
    run = a_capsule(annotations={RUN_ID: note}, choices=Choices(notes=True)).runs[0]
    assert (run.rating, run.tags, run.notes) == (4, ("canary-tag",), "canary-notes")


def test_checks_are_included_if_chosen_and_can_be_repeated() -> None:
    checks = [
        read_check("contains", "{{word}}"),
        read_check("contains", "{{unknown}}"),
        read_check("not_contains", SECRET),
        read_check("judge", "Is it polite? {{answer}}"),
    ]
    record = a_record(draft='{"variables": {"word": "Hello"}}', request_body=a_body(("system", SECRET), ("user", "?")))
    assert a_capsule(record, checks=checks).runs[0].checked == ()
    capsule = a_capsule(record, checks=checks, choices=Choices(checks=True))
    assert [(one.kind, one.value, one.passed) for one in capsule.runs[0].checked] == [("contains", "Hello", True)]
    assert read_capsule(to_bytes(capsule)) == capsule
    [shared] = shared_runs("", capsule).values()
    assert shared.passed
    assert [check.words for check in shared.shared_checks] == ["contains “Hello”"]
    broken = a_record(draft='{"variables": 5}')
    assert a_capsule(broken, checks=checks, choices=Choices(checks=True)).runs[0].checked[0].kind == "not_contains"


def test_a_check_of_a_later_release_is_left_out() -> None:
    later = SharedCheck(kind="of_the_future", value=1, passed=True, reason="")
    capsule = a_capsule()
    run = capsule.runs[0].model_copy(update={"checked": (later,)})
    [shared] = shared_runs("", capsule.model_copy(update={"runs": (run,)})).values()
    assert (shared.passed, shared.shared_checks) == (None, ())


def test_events_are_included_only_if_chosen() -> None:
    assert a_capsule(choices=Choices(events=False)).runs[0].events is None
    assert "cmpl-1" not in said_in(a_capsule(choices=Choices(events=False)))
    assert len(a_capsule().runs[0].events) == 2


def test_the_first_events_are_included_up_to_a_limit() -> None:
    many = [an_event("x", float(number)) for number in range(MAX_EVENTS + 5)]
    run = a_capsule(a_record(event_count=len(many)), events={RUN_ID: many}).runs[0]
    assert run.events == tuple(many[:MAX_EVENTS])
    assert run.event_count == MAX_EVENTS + 5
    large = [StoredEvent("message", "x" * 400_000, 1.0, 400_000)] * 3
    assert len(a_capsule(events={RUN_ID: large}).runs[0].events) == MAX_EVENT_CHARS // 400_000


def test_an_interrupted_run_is_marked() -> None:
    for status in (Status.INTERRUPTED, Status.DAMAGED, Status.CANCELLED, Status.LOST, Status.ERROR, Status.REJECTED):
        record = a_record(status=status.value, error_kind="stall", error_message="The stream stopped.")
        run = a_capsule(record).runs[0]
        assert (run.status, run.error_kind, run.error_message) == (status, "stall", "The stream stopped.")
        assert ("status", status.value) in public_text(a_capsule(record))


def test_the_request_is_exact_when_nothing_is_left_out() -> None:
    body = '{ "model":"m",\n"messages": [{"role": "user", "content": "\\u0048i"}], "temperature": 1e2}'
    run = a_capsule(a_record(request_body=body)).runs[0]
    assert run.request_body == body
    assert not run.system_left_out
    body = a_body(("system", SECRET), ("user", "Hi"))
    run = a_capsule(a_record(request_body=body), choices=Choices(system_message=True)).runs[0]
    assert run.request_body == body
    assert not run.system_left_out


def test_a_marker_replaces_a_system_message() -> None:
    body = a_body(("system", "Be brief."), ("user", "Hi"), ("developer", "No."), ("assistant", "Yes"), temperature=0.5)
    run = a_capsule(a_record(request_body=body)).runs[0]
    assert run.system_left_out
    assert json.loads(run.request_body) == {
        "model": "m",
        "messages": [
            {"role": "system", "content": SYSTEM_LEFT_OUT},
            {"role": "user", "content": "Hi"},
            {"role": "developer", "content": SYSTEM_LEFT_OUT},
            {"role": "assistant", "content": "Yes"},
        ],
        "temperature": 0.5,
    }


REPEATED = {
    "in parts": a_body(("system", [{"type": "text", "text": SECRET}])),
    "another role": a_body(("boss", SECRET), ("user", "Hi")),
    "no role": json.dumps({"messages": [{"content": SECRET}]}),
    "a name": json.dumps({"messages": [{"role": "system", "content": "x", "name": SECRET}]}),
    "a role": json.dumps({"messages": [{"role": SECRET, "content": "x"}]}),
    "further field": a_body(("user", "Hi"), system=SECRET),
    "further messages": a_body(("user", "Hi"), input=[{"deep": {"role": "system", "content": SECRET}}]),
    "repeated by a user": a_body(("system", SECRET), ("user", f"You said: {SECRET}")),
    "a tool": a_body(("system", SECRET), tools=[{"function": {"description": SECRET, SECRET: json.dumps([SECRET])}}]),
    "not JSON": "{" + json.dumps({"role": "system", "content": SECRET}),
    "twice": '{"messages": [], "messages": ' + json.dumps([{"role": "system", "content": SECRET}]) + "}",
    "a list": json.dumps([{"role": "system", "content": SECRET}]),
    "deep": '{"a": ' + "[" * 900 + json.dumps({"role": "system", "content": SECRET}) + "]" * 900 + "}",
}


@pytest.mark.parametrize("name", REPEATED)
def test_a_system_message_is_nowhere_in_a_request(name: str) -> None:
    capsule = a_capsule(a_record(request_body=REPEATED[name], text="x"), events={})
    assert capsule.runs[0].system_left_out
    assert_nowhere(SECRET, capsule)
    assert_nowhere(json.dumps(SECRET)[1:-1], capsule)
    assert_nowhere("keeper of the plan", capsule)


def record_with_secret(**more: object) -> RunRecord:
    return a_record(request_body=a_body(("system", SECRET), ("user", "Hi")), **more)


def test_a_system_message_is_nowhere_else() -> None:
    wrapped = "My rules:\n\t" + SECRET.replace(" ", "\n") + " That is all."
    record = record_with_secret(
        text=wrapped,
        reasoning=SECRET,
        error_message=f"invalid message: {' '.join(SECRET.split())[:30]}…",
        finish_reason=SECRET,
        determinism=SECRET,
        served_model=SECRET,
        system_fingerprint=SECRET,
        model=SECRET,
        endpoint=SECRET,
        warnings=json.dumps([SECRET]),
        tool_calls=json.dumps([{"id": SECRET, "name": SECRET, "arguments": json.dumps({"to": SECRET})}]),
    )
    capsule = a_capsule(
        record,
        title=f"About {SECRET[:20]}…",
        labels={RUN_ID: f'A · system message "{SECRET[:20]}…"'},
        annotations={RUN_ID: Annotation(1, (SECRET,), json.dumps({"x": SECRET}))},
        choices=Choices(notes=True, events=True),
    )
    assert_nowhere(SECRET, capsule)
    assert_nowhere(SECRET[:12], capsule)
    assert capsule.runs[0].text == f"My rules:\n\t{SYSTEM_LEFT_OUT} That is all."
    assert capsule.runs[0].label == f'A · system message "{SYSTEM_LEFT_OUT}…"'
    assert json.loads(capsule.runs[0].tool_calls[0].arguments) == {"to": SYSTEM_LEFT_OUT}


def test_a_partly_repeated_system_message_is_removed_from_a_cut_answer() -> None:
    long = SECRET + " More rules follow here, and more, up to the very end."
    record = a_record(request_body=a_body(("system", long)), text=f"Sure: {long[:-5]}")
    assert a_capsule(record).runs[0].text == f"Sure: {SYSTEM_LEFT_OUT}"


def test_the_system_message_of_one_run_is_in_none_of_the_others() -> None:
    other = a_record(id="1" * 32, text=f"They said {SECRET}", request_body=a_body(("user", SECRET)))
    capsule = a_capsule(record_with_secret(), other, kind=Kind.COMPARISON)
    assert_nowhere(SECRET, capsule)
    assert capsule.runs[1].system_left_out


def test_an_event_that_repeats_the_system_message_is_changed() -> None:
    echo = an_event("Hello", prompt=f"<system>{SECRET}</system>")
    capsule = a_capsule(record_with_secret(), events={RUN_ID: [echo, *EVENTS]})
    assert_nowhere(SECRET, capsule)
    kept = capsule.runs[0].events
    assert json.loads(kept[0].data)["prompt"] == f"<system>{SYSTEM_LEFT_OUT}</system>"
    assert kept[0].size == echo.size
    assert kept[1:] == tuple(EVENTS)


@pytest.mark.parametrize("ascii_only", [True, False])
def test_invalid_or_cut_events_contain_no_system_message(ascii_only: bool) -> None:
    data = json.dumps({"prompt": SECRET, "rest": "x"}, ensure_ascii=ascii_only)
    damaged = StoredEvent("message", "{" + data, 1.0, len(data) + 1)
    cut = StoredEvent("message", data[:40], 1.0, len(data))
    # As escaped by PHP.
    slashed = StoredEvent("message", '{"x":"You are the keeper\\/of the plan', 1.0, 3_000)
    capsule = a_capsule(record_with_secret(), events={RUN_ID: [damaged, cut, slashed]})
    assert_nowhere(SECRET, capsule)
    assert_nowhere(json.dumps(SECRET, ensure_ascii=ascii_only)[1:-1], capsule)
    assert_nowhere("You are the keeper", capsule)
    assert [event.data for event in capsule.runs[0].events[1:]] == [SYSTEM_LEFT_OUT] * 2


@pytest.mark.parametrize("where", ["content", "reasoning_content", "arguments"])
def test_events_that_repeat_the_system_message_in_pieces_are_left_out(where: str) -> None:
    pieces = [SECRET[begin : begin + 3] for begin in range(0, len(SECRET), 3)]
    streamed = [
        StoredEvent("message", json.dumps({"choices": [{"index": 1, "delta": {"x": [{where: piece}]}}]}), 1.0, 99)
        for piece in pieces
    ]
    mixed = [event for piece in streamed for event in (piece, *EVENTS)]
    run = a_capsule(record_with_secret(), events={RUN_ID: mixed}).runs[0]
    assert run.events is None
    assert run.events_repeat_system
    # Events may contain only part of the repetition in the answer.
    run = a_capsule(record_with_secret(text=SECRET), events={RUN_ID: streamed[:5]}).runs[0]
    assert run.events_repeat_system
    assert not a_capsule(record_with_secret()).runs[0].events_repeat_system
    assert a_capsule(record_with_secret(text=SECRET), choices=ALL).runs[0].events is not None


def test_short_system_messages_are_not_searched_for_in_other_fields() -> None:
    run = a_capsule(a_record(request_body=a_body(("system", "Hello")), text="Hello there")).runs[0]
    assert run.text == "Hello there"
    assert run.events is not None


def settings_with_secret() -> LinkedSettings:
    draft = a_draft(
        turns=(
            Turn(id="1", role=Role.SYSTEM, content="You are {{persona}} and nothing else."),
            Turn(id="2", role=Role.USER, content="Ask {{who}}"),
        ),
        variables={"persona": "canary-persona-octopus", "who": "Ada"},
        extra_body='{"system": "canary-extra-system", "stop": ["."]}',
        comparison=Comparison(
            lanes=(
                Lane(id="1", system="canary-system-of-a-lane"),
                Lane(id="2", extra_body='{"system": "canary-in-a-lane",}', name="canary-system-of-a-lane"),
                Lane(id="3", system=""),
            )
        ),
    )
    return linked_settings(draft, comparison=True)


def test_settings_are_shared_without_their_system_messages() -> None:
    linked = settings_with_secret()
    capsule = capsule_of([], kind=Kind.SETTINGS, title="Mine", choices=Choices(), settings=linked)
    assert capsule.settings_without_system
    assert "canary" not in said_in(capsule)
    opened = capsule.settings.apply(new_draft())
    assert [turn.content for turn in opened.turns] == ["Ask {{who}}"]
    assert opened.variables == {"who": "Ada"}
    assert json.loads(opened.extra_body) == {"stop": ["."]}
    assert [lane.system for lane in opened.comparison.lanes] == [None, None, ""]
    assert opened.comparison.lanes[1].name == SYSTEM_LEFT_OUT


def test_complete_settings_are_shared_if_chosen() -> None:
    linked = settings_with_secret()
    capsule = capsule_of([], kind=Kind.SETTINGS, title="Mine", choices=ALL, settings=linked)
    assert capsule.settings.to_json() == linked.to_json()
    assert not capsule.settings_without_system
    plain = linked_settings(a_draft("Hello"), comparison=False)
    capsule = capsule_of([], kind=Kind.SETTINGS, title="Mine", choices=Choices(), settings=plain)
    assert capsule.settings.to_json() == plain.to_json()
    assert not capsule.settings_without_system


systems = st.text(st.characters(exclude_categories=("Cs", "Zs", "Zl", "Zp", "Cc")) | st.sampled_from(' \n\t"\\{}'))
systems = systems.map(lambda text: f"§{text}§canary-system")
"""Beginning with unique text."""


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(systems, records, drafts, st.data())
def test_a_system_message_that_is_left_out_is_nowhere(system, record, draft, data) -> None:
    around = st.sampled_from(["", "{}", "So: {} is it.", '{"a": [{}]}', "[{}"])

    def with_it() -> str:
        form = data.draw(around)
        return form.replace("{}", json.dumps(system) if "[" in form else system)

    turns = (Turn(id="7", role=Role.SYSTEM, content=system, literal=True), *draft.turns)
    lanes = (Lane(id="1", system=system, literal=True), Lane(id="2", extra_body=json.dumps({"system": system})))
    draft = draft.model_copy(
        update={
            "turns": (*turns, Turn(id="8", role=Role.USER, content=with_it(), literal=True)),
            "comparison": Comparison(lanes=lanes),
        }
    )
    record = replace(
        record,
        request_body=a_body(("system", system), ("user", with_it())),
        text=with_it(),
        reasoning=with_it(),
        error_message=with_it(),
        tool_calls=json.dumps([{"id": "1", "name": "x", "arguments": with_it()}]),
    )
    capsule = a_capsule(
        record,
        kind=Kind.COMPARISON,
        title=with_it(),
        labels={RUN_ID: with_it()},
        annotations={RUN_ID: Annotation(1, (with_it(),), with_it())},
        choices=Choices(notes=True, events=True),
        events={RUN_ID: [an_event(with_it()), StoredEvent("x", with_it(), 1.0, 9)]},
        settings=linked_settings(draft, comparison=True),
    )
    assert_nowhere(system, capsule)
    assert "canary-system" not in said_in(capsule)


def test_addresses_are_removed_from_errors() -> None:
    for sentence, left in {
        "The host name gpu-7 is not known here. Check": "The host name [address left out] is not known here. Check",
        "The address of gpu-7 was not found within 5 s.": "The address of [address left out] was not found within 5 s.",
        "gpu-7:8080 refused the connection.": "[address left out] refused the connection.",
        "10.0.0.7:8080 refused the connection.": "[address left out] refused the connection.",
        "[fe80::7]:8080 refused the connection.": "[address left out] refused the connection.",
        "a redirect to https://me:key@gpu-7/v1?k=1 which": "a redirect to [address left out] which",
        "a redirect to //gpu-7/v1 which": "a redirect to [address left out] which",
        "no file /home/me/model.gguf there": "no file [address left out] there",
        "The base URL should end in /v1. At 12:30, 16:9.": "The base URL should end in /v1. At 12:30, 16:9.",
    }.items():
        assert without_addresses(sentence) == left
        run = a_capsule(a_record(error_message=sentence, warnings=json.dumps([sentence]))).runs[0]
        assert (run.error_message, run.warnings) == (left, (left,))


def test_the_search_for_long_messages_takes_linear_time() -> None:
    begin = time.process_time()
    for piece, text in (("word " * 20_000, "word " * 100_000), ("a" * 50_000, ("a" * 49_999 + "b") * 10), ("ab", "a")):
        SystemMessages([piece, "a" * 70 + "b"]).out_of(text * 2)
    assert time.process_time() - begin < 2.0


def test_active_and_unshareable_runs_are_refused() -> None:
    with pytest.raises(LinkProblem, match=r"^A run in progress cannot be shared\."):
        a_capsule(a_record(status="running"))
    with pytest.raises(LinkProblem, match=r"^At most 50 runs can be shared at once\."):
        a_capsule(*[a_record()] * 51, kind=Kind.RUNS)
    with pytest.raises(LinkProblem, match=r"^There is nothing here to share\."):
        capsule_of([], kind=Kind.RUNS, title="", choices=Choices())
    with pytest.raises(LinkProblem, match=r"^This cannot be shared as it is\."):
        a_capsule(a_record(), a_record())


def test_texts_that_databases_refuse_are_corrected() -> None:
    record = a_record(text="a\0b\ud800", warnings='["\\ud800"]', ttft_ms=float("nan"))
    capsule = a_capsule(record, title=" A\0\n title ", choices=ALL)
    assert capsule.title == "A\ufffd title"
    assert capsule.runs[0].text == "a\ufffdb\ufffd"
    assert capsule.runs[0].ttft_ms is None
    assert to_bytes(capsule)
    assert len(a_capsule(title="x" * 500, labels={RUN_ID: "y" * 500}).title) == 200


@pytest.mark.parametrize("chosen", [False, True])
def test_probabilities_are_included_only_if_chosen(chosen: bool) -> None:
    events = [a_likely_event("Hello", "Canary", 12.25), a_likely_event(" there", "Canary", 50.0)]
    capsule = a_capsule(a_record(mean_logprob=-0.25), choices=Choices(probabilities=chosen), events={RUN_ID: events})
    run = capsule.runs[0]
    assert ("Canary" in said_in(capsule)) is chosen
    assert run.probabilities_left_out is not chosen
    assert shared_runs("", capsule)["Run 1"].has_probabilities is chosen
    found = tokens_of(run.events, run.text).pieces
    assert "".join(piece.text for piece in found) == "Hello there"
    assert any(piece.tokens for piece in found) is chosen
    assert (run.events == tuple(events)) is chosen


def test_a_cut_event_ends_before_its_probabilities() -> None:
    whole = a_likely_event("Hello", "Canary")
    cut = replace(whole, data=whole.data[: whole.data.index("Canary") + 6], size=9_999)
    (kept,) = a_capsule(events={RUN_ID: [cut]}).runs[0].events
    assert whole.data.startswith(kept.data)
    assert '"content": "Hello"' in kept.data
    assert "logprob" not in kept.data
    assert kept.size == 9_999

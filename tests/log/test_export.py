from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from components.log import export
from components.log.annotations import Annotation, annotate, annotation_of
from components.log.export import FORMATS, Steps, digest, finished_rows
from components.log.importing import ImportRefused, import_runs, lines_of, read_line
from components.log.log import Log
from components.log.record import RunRecord
from components.log.tables import events, runs, to_row
from components.runs.run import Run
from components.streaming.answer import TimedEvent
from components.streaming.outcome import Outcome, Status
from tests.log.conftest import make_run
from tests.log.exports import export_runs
from tests.log.make_gallery import GALLERY
from tests.log.many_rows import moment
from tests.orders import text_event

DOCUMENT = Path(__file__).parents[2] / "docs" / "runs.md"
TEXTS = st.text(st.characters(codec=None), max_size=50)
NUMBERS = st.none() | st.integers(-(2**70), 2**70)
TIMES = st.none() | st.floats()


def finished(text: str = "Hello \N{OCTOPUS}\u2028\x85") -> Run:
    run = make_run()
    run.take(text_event(text, 1.0))
    run.finish(Outcome(Status.OK))
    return run


def written(log: Log, count: int) -> list[RunRecord]:
    """Write finished runs, one a second, numbered from 0 by their prompt tokens, and then an active one."""
    records = [replace(finished().record(), created_at=moment(each), prompt_tokens=each) for each in range(count)]
    rows = [to_row(record) for record in (*records, make_run().record())]
    log.write(lambda connection: connection.execute(runs.insert(), rows))
    return records


def without_ids(lines: list[str]) -> list[str]:
    return [line.partition(",")[2] for line in lines]


@given(
    text=TEXTS,
    reasoning=TEXTS,
    error=st.none() | TEXTS,
    tokens=NUMBERS,
    time_ms=TIMES,
    warnings=st.lists(TEXTS),
    annotation=st.builds(Annotation, st.none() | st.integers(1, 5), st.lists(TEXTS, max_size=3).map(tuple), TEXTS),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_export_survives_an_import_unchanged(
    log: Log,
    text: str,
    reasoning: str,
    error: str | None,
    tokens: int | None,
    time_ms: float | None,
    warnings: list[str],
    annotation: Annotation,
) -> None:
    log.write(lambda connection: connection.execute(runs.delete()))
    record = replace(
        finished().record(),
        text=text,
        reasoning=reasoning,
        error_message=error,
        prompt_tokens=tokens,
        ttft_ms=time_ms,
        warnings=json.dumps(warnings),
    )
    log.write(lambda connection: connection.execute(runs.insert(), [to_row(record)]))
    annotate(log, record.id, annotation)
    kept = annotation_of(log.database, record.id)
    first = list(export_runs(log.database))
    log.write(lambda connection: connection.execute(runs.delete()))
    assert import_runs(log, first) == 1
    again = list(export_runs(log.database))
    assert without_ids(again) == without_ids(first)
    assert again[0] != first[0]
    assert annotation_of(log.database, json.loads(again[0])["id"]) == kept
    assert "".join(first).splitlines() == [line.removesuffix("\n") for line in first]


def test_an_export_moves_between_sqlite_and_postgresql(
    sqlite_url: str, postgresql_url: str, new_run: Callable[[], Run]
) -> None:
    one, other = Log(sqlite_url), Log(postgresql_url)
    for number in range(60):
        run = finished(f"{number} \N{OCTOPUS} \ud83d")
        one.begin(run)
        one.end(run)
    one.begin(new_run())
    exported = list(export_runs(one.database))
    assert import_runs(other, exported) == len(exported) == 60
    assert without_ids(list(export_runs(other.database))) == without_ids(exported)
    one.close()
    other.close()


def test_a_file_with_a_byte_order_mark_is_imported(log: Log) -> None:
    assert import_runs(log, ["\ufeff" + line_with(), line_with()]) == 2


def line_with(**changes: Any) -> str:
    """A line with its hash, like a careful forgery."""
    row = {name: value for name, value in to_row(finished().record()).items() if name in export.EXPORTED} | changes
    return json.dumps({**row, "sha256": digest(row)})


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("nonsense", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "changed after"),
        ("{}", "changed after"),
        (line_with().replace("Hello", "Hallo"), "changed after"),
        (line_with(mood="fine"), "newer version"),
        (line_with(text=None), "text is not"),
        (line_with(prompt_tokens="7"), "prompt_tokens is not"),
        (line_with(prompt_tokens=2**63), "a text or a number is not"),
        (line_with(ttft_ms=float("nan")), "a text or a number is not"),
        (line_with(text="a\0b"), "a text or a number is not"),
        (line_with(text="\ud800"), "is not valid in a run"),
        (line_with(status="running"), "status is not"),
        (line_with(status="best"), "status is not"),
        (line_with(created_at="yesterday"), "created_at is not"),
        (line_with(created_at="2026-11-00T00:00:00.000000Z"), "created_at is not"),
        (line_with(app_version="1" * 33), "app_version is not"),
        (line_with(warnings="{}"), "warnings is not"),
        (line_with(further_choices="[{}]"), "further_choices is not"),
        (line_with(rating=6), "rating is not valid in an annotation"),
        (line_with(rating="5"), "rating is not"),
        (line_with(tags=["a"]), "tags is not"),
        (line_with(notes="x" * 20_001), "notes is not"),
    ],
    ids=range(23),
)
def test_an_invalid_line_is_refused_with_its_number(log: Log, line: str, why: str) -> None:
    with pytest.raises(ImportRefused, match=f"^Line 3.*{why}"):
        import_runs(log, [line_with(), "\n", line])
    assert list(export_runs(log.database)) == []


def test_an_overlong_line_is_refused_without_reading_it_whole(log: Log) -> None:
    for file in ("x" * 24_000_001, "[" + "[]," * 150_001 + "1]"):
        lines = list(lines_of(io.StringIO("\n" + file)))
        assert max(map(len, lines)) <= 24_000_001
        with pytest.raises(ImportRefused, match="Line 2 is longer than any run"):
            import_runs(log, lines)


def test_every_line_verifies_against_its_hash() -> None:
    line = line_with()
    assert read_line(1, line)[0].text.startswith("Hello")
    for name in export.EXPORTED:
        if name != "id":
            content = json.loads(line)
            content[name] = "changed"
            with pytest.raises(ImportRefused, match="changed after"):
                read_line(1, json.dumps(content))


@pytest.mark.parametrize("path", sorted(GALLERY.glob("*.jsonl")), ids=lambda path: path.stem)
def test_the_export_of_each_release_is_imported(log: Log, path: Path) -> None:
    lines = path.read_text("utf-8").splitlines(keepends=True)
    assert import_runs(log, lines) == len(lines) > 3
    old = [read_line(1, line)[0] for line in lines]
    again = [read_line(1, line)[0] for line in export_runs(log.database)]
    assert sorted((replace(one, id="") for one in again), key=repr) == sorted(
        (replace(one, id="") for one in old), key=repr
    )


def test_a_line_of_an_older_release_verifies_without_its_later_fields() -> None:
    content = json.loads((GALLERY / "0.1.0.jsonl").read_text("utf-8").splitlines()[0])
    assert not {"event_count", "draft"} & content.keys()
    record = read_line(1, json.dumps(content)).record
    assert (record.event_count, record.draft) == (0, None)
    for added in ({"event_count": 0}, {"draft": None}, {"draft": "{}"}):
        with pytest.raises(ImportRefused, match="changed after"):
            read_line(1, json.dumps({**content, **added}))
    for name in ("event_count", "draft"):
        content = json.loads(line_with(draft="{}", event_count=3))
        del content[name]
        with pytest.raises(ImportRefused, match="changed after"):
            read_line(1, json.dumps(content))


def test_a_line_carries_the_draft_and_the_number_of_events_and_no_event(log: Log) -> None:
    run = make_run(draft='{"text": "\0\N{OCTOPUS}"}')
    run.take(TimedEvent("message", "canary", 1.0))
    run.finish(Outcome(Status.OK))
    log.begin(run)
    log.end(run)
    (line,) = export_runs(log.database)
    assert "canary" not in line
    record = read_line(1, line).record
    assert (record.event_count, record.draft) == (1, '{"text": "\ufffd\N{OCTOPUS}"}')
    assert import_runs(log, [line]) == 1


def test_an_export_is_read_in_steps(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "x" * 200_000
    for _ in range(8):
        rows = [to_row(finished(text).record()) for _ in range(25)]
        log.write(lambda connection, rows=rows: connection.execute(runs.insert(), rows))
    rows = []
    size = 0
    tracemalloc.start()
    for line in export_runs(log.database):
        size += len(line)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 40_000_000
    assert most < 20_000_000


def test_a_condition_leaves_out_all_other_runs(log: Log) -> None:
    steps = Steps(examined=7, read=2)
    written(log, 40)
    few = runs.c.prompt_tokens.in_((3, 17, 18, 19, 39))
    assert [json.loads(line)["prompt_tokens"] for line in export_runs(log.database, few)] == [3, 17, 18, 19, 39]
    for condition, found in ((few, [3, 17, 18, 19, 39]), (None, list(range(40)))):
        assert [row["prompt_tokens"] for row in finished_rows(log.database, condition, steps)] == found
    assert list(export_runs(log.database, runs.c.model == "another")) == []


def test_a_condition_may_use_another_table(log: Log) -> None:
    records = written(log, 3)
    segment = {"run_id": records[1].id, "first": 0, "content": b""}
    log.write(lambda connection: connection.execute(events.insert(), [segment]))
    condition = runs.c.id.in_(select(events.c.run_id))
    assert [row["id"] for row in finished_rows(log.database, condition)] == [records[1].id]


@pytest.mark.parametrize("ending", FORMATS)
def test_each_format_makes_a_file_and_is_documented(log: Log, ending: str) -> None:
    written(log, 1)
    assert b"prompt_tokens" in b"".join(FORMATS[ending].pieces(log.database, runs.c.status == "ok"))
    assert f"| {FORMATS[ending].label} | " in DOCUMENT.read_text()

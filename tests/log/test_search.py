"""Runs are found by words, filters and order, page by page, on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from components.log.database import Database
from components.log.record import RunRecord
from components.log.request_summary import summarize_request
from components.log.search import PageEnd, choices, measured, page_of, summary_of
from components.log.tables import run_annotations, runs, to_row
from components.log.view import FilterProblem, View

EXPERIMENT = "e" * 32


def a_record(number: int, prompt: str = "Hello", text: str = "Hi", *, sent: Any = None, **parts: Any) -> RunRecord:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": prompt}], **(sent or {})})
    moment = f"2026-11-{number % 30:02}T10:00:00.000000Z"
    known: dict[str, Any] = {
        "id": f"{number:032x}",
        "created_at": moment,
        "heartbeat_at": moment,
        "status": "ok",
        "endpoint": "mine",
        "dialect": "beezy",
        "model": "m",
        "request_body": body,
        "app_version": "0",
        "text": text,
        **summarize_request(body)._asdict(),
    }
    return RunRecord(**known | parts)


PASSED, FAILED, UNTOLD = ({"passed": passed, "check_results": "[]"} for passed in (True, False, None))
LIKELY = {"mean_logprob": -1.5, "perplexity": 4.48, "lowest_probability": 0.04}
RECORDS = [
    a_record(1, "Describe the sea", "Grey waves roll in.", sent={"temperature": 0.7}, ttft_ms=30.0, **PASSED),
    a_record(
        2,
        "Describe the moon",
        "Silver, and café-lit.",
        sent={"temperature": 1.0, "max_tokens": None},
        **UNTOLD,
        **LIKELY,
    ),
    a_record(3, "Name a colour", "Sea green", sent={"temperature": 1, "stop": ["a", "b%_"]}, ttft_ms=10.0, **FAILED),
    a_record(4, 'Say "sea foam"', "", status="error", model="other", endpoint="theirs", finish_reason="length"),
    a_record(5, "Describe the sea", "Waves", status="running"),
    a_record(
        6,
        "Count",
        "one two",
        ttft_ms=20.0,
        tokens_per_second=5.0,
        completion_tokens=7,
        experiment_id=EXPERIMENT,
        **FAILED,
    ),
]


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database(url)
    keep(opened, *RECORDS)
    with opened.writer.begin() as connection:
        for number, rating, tags in ((1, 5, "good\nsea"), (3, 2, "seaside"), (6, None, "sea")):
            annotation_values = {"rating": rating, "tags": tags, "notes": "", "changed_at": ""}
            connection.execute(insert(run_annotations).values(run_id=f"{number:032x}", **annotation_values))
    yield opened
    opened.close()


def keep(database: Database, *records: RunRecord) -> None:
    with database.writer.begin() as connection:
        connection.execute(insert(runs), [to_row(record) for record in records])


def found(database: Database, after: PageEnd | None = None, most: int = 50, **view: Any) -> list[int]:
    return [int(run_id, 16) for run_id in page_of(database, View(**view), after, most).runs["id"]]


def test_without_a_filter_all_runs_are_found_newest_first(database: Database) -> None:
    assert found(database) == [6, 5, 4, 3, 2, 1]
    assert found(database, descending=False) == [1, 2, 3, 4, 5, 6]
    assert not View(order="TTFT").filtered
    assert View(words="sea").filtered


FOUND: list[tuple[dict[str, Any], list[int]]] = [
    ({"words": "sea"}, [4, 3, 1]),
    ({"words": "SEA describe"}, [1]),
    ({"words": '"sea foam"'}, [4]),
    ({"words": '"foam sea"'}, []),
    ({"words": "waves"}, [1]),  # the active run is not searched yet
    ({"words": "café"}, [2]),
    ({"words": "nowhere"}, []),
    ({"status": "error"}, [4]),
    ({"endpoint": "theirs"}, [4]),
    ({"model": "m", "status": "ok"}, [6, 3, 2, 1]),
    ({"finish_reason": "length"}, [4]),
    ({"settings": "temperature 0.7"}, [1]),
    ({"settings": "temperature=1"}, [3, 2]),
    ({"settings": "temperature: 1.0"}, [3, 2]),
    ({"settings": "temperature omitted"}, [6, 5, 4]),
    ({"settings": "max_tokens null"}, [2]),
    ({"settings": "temperature 1, max_tokens omitted"}, [3]),
    ({"settings": "temp omitted", "status": "ok"}, [6, 3, 2, 1]),
    ({"settings": 'stop ["a"'}, []),
    ({"settings": 'stop ["a","b%_"], temperature 1'}, [3]),
    ({"settings": "max_tokens NULL"}, [2]),
    ({"settings": "temperature .7"}, [1]),
    ({"settings": "stream true"}, [6, 5, 4, 3, 2, 1]),
    ({"settings": "temperature %"}, []),
    ({"settings": '_ [["]]'}, []),  # a line without a letter or digit
    ({"since": "2026-11-03", "until": "2026-11-04"}, [4, 3]),
    # 10:00 in UTC is midnight of the next day on Kiritimati.
    ({"since": "2026-11-04", "until": "2026-11-04", "zone": "Pacific/Kiritimati"}, [3]),
    ({"ids": (f"{2:032x}", f"{5:032x}")}, [5, 2]),
    ({"tag": "sea"}, [6, 1]),
    ({"rating": 2}, [3, 1]),
    ({"rating": 5, "tag": "good"}, [1]),
    ({"experiment": EXPERIMENT}, [6]),
    ({"numbers": "TTFT > 10"}, [6, 1]),
    ({"numbers": "ttft_ms>=10, time to first token < 30 ms"}, [6, 3]),
    ({"numbers": "Completion Tokens = 7"}, [6]),
    ({"numbers": "lowest token < 5 %"}, [2]),
    ({"numbers": "perplexity <= 1e9\nmean_logprob > -3"}, [2]),
    ({"checks": "passed"}, [1]),
    ({"checks": "failed"}, [6, 3]),
    ({"checks": "n/a", "status": "ok"}, [2]),
    ({"words": "sea", "status": "ok", "settings": "temperature 0.7"}, [1]),
    ({"order": "TTFT"}, [1, 6, 3]),
    ({"order": "TTFT", "descending": False}, [3, 6, 1]),
    ({"order": "tokens/s"}, [6]),
]


def test_a_filter_finds_exactly_the_matching_runs(database: Database) -> None:
    assert [(view, found(database, **view)) for view, _ in FOUND] == FOUND
    for view, numbers in FOUND:
        assert summary_of(database, View(**{**view, "order": "started"})).count >= len(numbers), view


@pytest.mark.parametrize(
    "view", [View(), View(descending=False), View(order="TTFT"), View(words="sea"), View(tag="sea")]
)
def test_pages_follow_each_other_without_a_gap_or_a_repetition(database: Database, view: View) -> None:
    whole = page_of(database, view).runs["id"].tolist()
    after, read = None, []
    while True:
        page = page_of(database, view, after, 2)
        read += page.runs["id"].tolist()
        after = page.next
        if after is None:
            break
        # New runs do not move the pages.
        if len(read) == 2 and view == View():
            keep(database, a_record(20))
    assert read == whole


def test_runs_of_the_same_moment_are_all_found(database: Database) -> None:
    moment = {"created_at": "2026-12-01T00:00:00.000000Z"}
    keep(database, *(a_record(number, **moment) for number in range(100, 105)))
    first = page_of(database, View(), limit=3)
    second = page_of(database, View(), first.next, 3)
    both = [*first.runs["id"], *second.runs["id"]]
    assert [int(run_id, 16) for run_id in both] == [104, 103, 102, 101, 100, 6]


def test_an_ended_run_is_found_by_its_words_until_it_is_deleted(database: Database) -> None:
    assert 5 not in found(database, words="waves")
    with database.writer.begin() as connection:
        connection.execute(runs.update().where(runs.c.id == f"{5:032x}").values(status="ok", text="Waves and foam"))
    assert found(database, words="foam waves") == [5]
    with database.writer.begin() as connection:
        connection.execute(runs.delete().where(runs.c.id == f"{5:032x}"))
    assert found(database, words="waves") == [1]


def test_a_rare_setting_is_found_by_an_up_to_date_index(database: Database) -> None:
    rare, id_of_first = "top_p 0.123", f"{7:032x}"
    keep(database, a_record(7, sent={"top_p": 0.123}), a_record(8, sent={"top_p": 0.123}, status="running"))
    assert found(database, settings=rare) == [8, 7]
    with database.writer.begin() as connection:
        connection.execute(runs.update().where(runs.c.id == id_of_first).values(settings="top_p=0.5"))
    assert found(database, settings=rare) == [8]
    assert found(database, settings="top_p .5") == [7]
    with database.writer.begin() as connection:
        connection.execute(runs.delete().where(runs.c.id == id_of_first))
    assert found(database, settings="top_p .5") == []
    assert len(measured(database, View(settings=rare))) == 1


def test_more_runs_than_a_rare_setting_has_are_all_found(database: Database) -> None:
    keep(database, *(a_record(number, sent={"top_p": 0.25}) for number in range(100, 1_200)))
    assert summary_of(database, View(settings="top_p 0.25")).count == 1_100


def test_the_summary_covers_all_runs_of_the_view(database: Database) -> None:
    summary = summary_of(database, View(model="m"))
    assert (summary.count, summary.more, summary.ended, summary.ok, summary.ttft_ms) == (5, False, 4, 4, 20.0)
    assert (summary.tokens_per_second, summary.completion_tokens) == (5.0, 7)
    assert (summary.passed, summary.failed) == (1, 2)
    nothing = summary_of(database, View(status="lost"))
    assert (nothing.count, nothing.ok, nothing.ttft_ms, nothing.completion_tokens) == (0, 0, None, 0)


def test_filter_choices_are_the_values_in_the_log(database: Database) -> None:
    assert choices(database) == {"endpoint": ["mine", "theirs"], "model": ["m", "other"], "finish_reason": ["length"]}


UNREADABLE = [
    ({"settings": "temperature"}, "'temperature' has no value. Write temperature 0.7"),
    ({"since": "yesterday"}, "'yesterday' is not a day. Write it as 2026-11-26."),
    ({"until": "2026-1-1"}, "'2026-1-1' is not a day."),
    ({"since": "2026-11-31"}, "'2026-11-31' is not a day."),
    ({"settings": "temperature > 0.5"}, "'temperature > 0.5': only equal values are found."),
    ({"numbers": "perplexity"}, "'perplexity' is no condition on a number. Write perplexity > 3"),
    ({"numbers": "1 < perplexity < 3"}, "'1 < perplexity < 3' is no condition on a number."),
    ({"numbers": "temperature > 3"}, "'temperature' is no number of a run."),
    ({"numbers": "TTFT > fast"}, "'fast' is no number. Write 0.05 or 5 %."),
    ({"numbers": "TTFT > 1e999"}, "'1e999' is no number."),
    ({"settings": "model small"}, "A model is no setting. Choose it under More filters."),
    ({"settings": "stream omitted"}, "Every run says whether it streams."),
    ({"experiment": "x"}, "An experiment's id has 32 digits"),
    ({"settings": "[" * 20_000}, "This filter is longer than 1,000 characters. Shorten it."),
    ({"words": "word " * 201}, "This filter is longer than 1,000 characters. Shorten it."),
    ({"tag": "t" * 1_001}, "This filter is longer than 1,000 characters. Shorten it."),
]


def test_an_unreadable_filter_is_reported(database: Database) -> None:
    for view, sentence in UNREADABLE:
        with pytest.raises(FilterProblem) as refused:
            page_of(database, View(**view))
        assert str(refused.value).startswith(sentence)
        assert [refused.value.field] == list(view)


HOSTILE = st.text(max_size=60) | st.sampled_from(
    ['"', '""', "NEAR(a b)", "a OR", "-", "*", "^a", "prompt:x", "\0", "'; --"]
)


@pytest.fixture(scope="module")
def sqlite_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path_factory.mktemp('log') / 'log.sqlite3'}")
    keep(opened, *RECORDS)
    yield opened
    opened.close()


@given(words=HOSTILE, settings=HOSTILE, tag=HOSTILE, model=HOSTILE)
def test_any_input_is_searched_or_refused_with_a_sentence(
    sqlite_database: Database, words: str, settings: str, tag: str, model: str
) -> None:
    for view in (View(words=words), View(tag=tag), View(model=model)):
        page_of(sqlite_database, view)
    for view in (View(settings=settings), View(numbers=settings)):
        with suppress(FilterProblem):
            page_of(sqlite_database, view)


@given(prompt=st.text(min_size=1).filter(lambda setting: setting.strip()))
def test_a_setting_is_found_by_the_exact_value_sent(sqlite_database: Database, prompt: str) -> None:
    record = replace(a_record(9, sent={"user": prompt}), id="f" * 32)
    keep(sqlite_database, record)
    try:
        setting = f"user {json.dumps(prompt)}"
        if not any(end in setting for end in ",\n"):
            assert "f" * 32 in page_of(sqlite_database, View(settings=setting)).runs["id"].tolist()
    finally:
        with sqlite_database.writer.begin() as connection:
            connection.execute(runs.delete().where(runs.c.id == "f" * 32))

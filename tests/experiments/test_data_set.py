"""Data sets: read exactly, or refused in a sentence that names the line."""

from __future__ import annotations

import codecs
import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.drafts.draft import Draft
from components.experiments.data_set import (
    MAX_BYTES,
    MAX_CHARACTERS,
    MAX_DATA_ROWS,
    DataSet,
    DataSetProblem,
    as_json_lines,
    problem_with,
    read_data_set,
    sample,
    with_input,
)
from components.streaming.guard import safe_text
from tests.drafts.test_draft import a_draft, body_of

TWO = DataSet(("topic", "tone"), ({"topic": "cats", "tone": "dry"}, {"topic": "dogs", "tone": "warm"}))
cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
tables = st.lists(st.tuples(cells, cells.filter(str.strip)), min_size=1, max_size=5)


def numbered(count: int) -> DataSet:
    return DataSet(("n",), tuple({"n": str(number)} for number in range(count)))


def problem_of(name: str, content: bytes, size: int | None = None) -> str:
    with pytest.raises(DataSetProblem) as problem:
        read_data_set(name, content, size)
    return str(problem.value)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_csv_is_read_with_its_own_delimiter_line_ends_and_byte_order_mark(
    delimiter: str, line_end: str, mark: bytes
) -> None:
    lines = [["topic", " tone "], ["cats", "dry"], ["dogs", "warm"], [""]]
    text = line_end.join(delimiter.join(line) for line in lines)
    assert read_data_set("inputs.csv", mark + text.encode()) == TWO


def test_quotation_marks_may_hold_delimiters_line_ends_and_quotation_marks() -> None:
    content = b'topic;"tone, or\nmood"\n"a;""b""\r\nc";d,e\n'
    assert read_data_set("", content) == DataSet(
        ("topic", "tone, or\nmood"), ({"topic": 'a;"b"\r\nc', "tone, or\nmood": "d,e"},)
    )


def test_the_delimiter_must_fit_the_header_and_the_first_row() -> None:
    content = b"topic;tone, dry, or warm\ncats;dry\n"
    assert read_data_set("", content).rows == ({"topic": "cats", "tone, dry, or warm": "dry"},)


def test_a_single_column_and_lines_of_delimiters_alone_are_read() -> None:
    assert read_data_set("", b"topic\ncats and dogs\n\n  \n") == DataSet(("topic",), ({"topic": "cats and dogs"},))
    assert read_data_set("", b"topic,tone\ncats,dry\n,\n,\ndogs,warm\n,\n") == TWO


def test_json_lines_keep_other_values_as_json() -> None:
    content = b'{"a": "x", "b": 1.50}\n\n  \r\n{"b": {"c": [true]}, "a": null}\r\n'
    assert read_data_set("inputs.JSONL", content) == DataSet(
        ("a", "b"), ({"a": "x", "b": "1.5"}, {"b": '{"c": [true]}', "a": ""})
    )


def test_unusual_line_separators_stay_within_json_lines() -> None:
    assert read_data_set("a.jsonl", '{"a": "x\u2028y"}\n'.encode()).rows == ({"a": "x\u2028y"},)


def test_half_surrogates_in_json_become_replacement_characters() -> None:
    assert read_data_set("a.jsonl", rb'{"a\ud800": "\udfff"}').rows == ({"a\ufffd": "\ufffd"},)


@pytest.mark.parametrize(
    ("name", "content", "columns"),
    [
        ("", b'\n{"topic": 1}', ("topic",)),
        ("x.ndjson", b'{"topic": 1}', ("topic",)),
        ("x.csv", b'{"topic": 1}\na', ('{"topic": 1}',)),
        ("", b"{{topic}}\na", ("{{topic}}",)),
    ],
)
def test_the_format_is_detected_from_the_name_or_the_first_line(
    name: str, content: bytes, columns: tuple[str, ...]
) -> None:
    assert read_data_set(name, content).columns == columns


@given(tables, st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]))
def test_any_table_survives_csv(rows: list[tuple[str, str]], delimiter: str, line_end: str) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerows([("topic", "tone"), *rows])
    found = read_data_set("", text.getvalue().encode())
    assert [(row["topic"], row["tone"]) for row in found.rows] == rows


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), min_size=1, max_size=5))
def test_any_table_survives_json_lines(rows: list[tuple[str, str]]) -> None:
    text = "\n".join(json.dumps({"topic": topic, "tone": tone}) for topic, tone in rows)
    found = read_data_set("", text.encode())
    assert [(row["topic"], row["tone"]) for row in found.rows] == [tuple(map(safe_text, row)) for row in rows]


@given(
    st.binary(max_size=60) | st.text('ab,;"{}[]:\n\r', max_size=40).map(str.encode), st.sampled_from(["", "a.jsonl"])
)
def test_any_bytes_are_a_complete_data_set_or_refused(content: bytes, name: str) -> None:
    try:
        found = read_data_set(name, content)
    except DataSetProblem:
        return
    assert found.rows
    assert all(row.keys() == set(found.columns) for row in found.rows)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.csv", b"", "a.csv has no rows. Add at least one below the column names."),
        ("", b"topic\n", "The data set has no rows. Add at least one below the column names."),
        ("a.jsonl", b"\n\n", "a.jsonl has no rows. Add at least one below the column names."),
        ("a.csv", b"a\nb\n\xff", "Line 3 of a.csv is not UTF-8. Save the file as UTF-8 and try again."),
        (
            "a.csv",
            "a\nb".encode("utf-16"),
            "Line 1 of a.csv is not UTF-8. Save the file as UTF-8 and try again.",
        ),
        ("a.csv", b"a\n\x00", "Line 2 of a.csv contains a NUL character. Remove it."),
        (
            "a.csv",
            b'a,b\n"1\n2",3\n4\n',
            "Line 4 of a.csv has 1 column, and its first line names 2. "
            "Put a text that holds the delimiter in quotation marks.",
        ),
        (
            "a.csv",
            b"a,b\n1,2,3",
            "Line 2 of a.csv has 3 columns, and its first line names 2. "
            "Put a text that holds the delimiter in quotation marks.",
        ),
        ("a.csv", b"\na,,c\n1,2,3", "Line 2 of a.csv has no name for column 2. Add one."),
        ("a.csv", b"a,b,a \n1,2,3", "Line 1 of a.csv names two columns a. Rename one of them."),
        (
            "a.csv",
            b'a,b\n1,2\n3,"4\n5,6\n',
            "Line 3 of a.csv is not CSV: unexpected end of data. "
            "Check its quotation marks: one inside quoted text is written twice.",
        ),
        (
            "a.jsonl",
            b'{"a": 1}\n{"a": }',
            "Line 2 of a.jsonl is not JSON: Expecting value at character 7. Write one JSON object per line.",
        ),
        ("a.jsonl", b'{"a": NaN}', "Line 1 of a.jsonl cannot be read: NaN is not a JSON number."),
        ("a.jsonl", b'{"a": 1, "a": 2}', "Line 1 of a.jsonl cannot be read: the key 'a' occurs twice."),
        ("a.json", b"[1]", "Line 1 of a.json is not a JSON object with keys. Write one such object per line."),
        ("", b"{}", "Line 1 of the data set is not a JSON object with keys. Write one such object per line."),
        (
            "a.jsonl",
            b'{"a": ' + b"[" * 200 + b"]" * 200 + b"}",
            "Line 1 of a.jsonl has more than 100 levels of nesting. Make it flatter.",
        ),
        ("a.jsonl", b'{"a": 1, "b": 2}\n{"a": 1}', "Line 2 of a.jsonl lacks b. Use the same keys in every line."),
        (
            "a.jsonl",
            b'{"a": 1}\n\n{"a": 1, "c": 3}',
            "Line 3 of a.jsonl has c, which the first line lacks. Use the same keys in every line.",
        ),
    ],
)
def test_an_invalid_data_set_is_refused_with_reason_and_line(name: str, content: bytes, sentence: str) -> None:
    assert problem_of(name, content) == sentence


def test_a_file_that_is_too_large_is_refused_by_its_size_before_it_is_read() -> None:
    sentence = f"big.csv has more than {MAX_CHARACTERS:,} characters. Use a part of it."
    assert problem_of("big.csv", b"\xff", size=1_000_000_000) == sentence
    assert problem_of("big.csv", b"\xff" * (MAX_BYTES + 1)) == sentence
    assert problem_of("big.csv", b"a" * (MAX_CHARACTERS + 1)) == sentence


def test_a_data_set_may_have_the_documented_characters_and_rows() -> None:
    cell = "😀" * 9
    content = ("\n".join(["n" * 9, *[cell] * MAX_DATA_ROWS])).encode()
    assert len(read_data_set("", content).rows) == MAX_DATA_ROWS
    assert problem_of("a.csv", content + b"\nmore") == "a.csv has more than 10,000 rows. Use a part of it."
    most = (b"topic\n" + (b"x" * 99 + b"\n") * (MAX_DATA_ROWS - 1)).ljust(MAX_CHARACTERS, b"y")
    assert len(read_data_set("", most).rows) == MAX_DATA_ROWS


def test_a_file_of_many_columns_is_read_quickly() -> None:
    names = ",".join(map(str, range(80_000)))
    assert len(read_data_set("", f"{names}\n{names}".encode()).columns) == 80_000


@given(st.integers(0, 40), st.integers(1, 50), st.integers())
def test_a_sample_has_the_requested_number_of_rows_in_order(count: int, wanted: int, seed: int) -> None:
    data_set = numbered(count)
    taken = sample(data_set, wanted, seed)
    numbers = [int(row["n"]) for row in taken.rows]
    assert len(numbers) == min(count, wanted)
    assert numbers == sorted(set(numbers))
    assert taken.columns == ("n",)
    assert sample(data_set, wanted, seed) == taken


def test_another_seed_samples_other_rows_and_every_row_can_be_sampled() -> None:
    samples = [sample(numbered(10), 3, seed) for seed in range(50)]
    assert {row["n"] for taken in samples for row in taken.rows} == set(map(str, range(10)))


def a_prompt_with(*names: str) -> Draft:
    return a_draft(" ".join(f"{{{{{name}}}}}" for name in names))


@pytest.mark.parametrize("names", [["topic"], ["tone", "topic"]])
def test_columns_that_fill_every_variable_are_accepted(names: list[str]) -> None:
    assert problem_with(TWO, a_prompt_with(*names), ()) is None


def test_a_variable_without_a_column_is_named_with_the_columns() -> None:
    assert problem_with(TWO, a_prompt_with("topic", "place", "time"), ()) == (
        "The prompt has {{place}}, {{time}}, and the data set has only topic, tone. "
        "Name its columns like the variables."
    )


def test_a_problem_does_not_list_all_of_many_columns() -> None:
    many = DataSet(tuple(f"c{number}" for number in range(1_500)), ())
    assert "c9 and 1,490 more. Name" in (problem_with(many, a_prompt_with("x"), ()) or "")


def test_a_data_set_needs_a_variable_in_the_prompt() -> None:
    assert problem_with(TWO, a_prompt_with(), ()) == (
        "No variable in the prompt matches the data set. The data set has topic, tone: write {{topic}} into a message."
    )


def test_a_variable_with_a_value_or_an_axis_needs_no_column() -> None:
    draft = a_draft("{{topic}} {{place}} {{time}}", variables={"place": "here"})
    assert problem_with(TWO, draft, ["{{time}}"]) is None


def test_a_variable_that_a_row_leaves_empty_is_named_with_the_row() -> None:
    holes = DataSet(("a", "b"), ({"a": "x", "b": ""}, {"a": "", "b": "y"}))
    assert (
        problem_with(holes, a_prompt_with("a"), ())
        == "Row 2 of the data set has no value for {{a}}. Add it, or remove the row."
    )


@pytest.mark.parametrize("text", ["base", "null", "omitted", " ", "{{tone}}"])
def test_a_text_of_a_data_set_is_sent_verbatim(text: str) -> None:
    draft = with_input(a_draft("{{topic}}/{{tone}}", variables={"tone": "dry"}), {"topic": text, "unused": "x"})
    assert body_of(draft)["messages"][0]["content"] == f"{text}/dry"
    assert draft.variables == {"tone": "dry", "topic": text}


@given(st.lists(st.fixed_dictionaries({"topic": st.text(), "a b": st.text()}), min_size=1, max_size=5))
def test_rows_as_json_lines_are_the_same_rows(rows: list[dict[str, str]]) -> None:
    whole = [{key: safe_text(text).replace("\0", "") for key, text in row.items()} for row in rows]
    assert list(read_data_set("", as_json_lines(whole).encode()).rows) == whole


def test_a_stored_data_set_may_be_longer_than_an_uploaded_one() -> None:
    rows = [{"a_long_name_of_a_column": "x" * 200} for _ in range(5_000)]
    text = as_json_lines(rows).encode()
    assert list(read_data_set("", text, max_characters=None).rows) == rows
    with pytest.raises(DataSetProblem, match="more than 1,000,000 characters"):
        read_data_set("", text)


def test_very_long_column_names_are_refused() -> None:
    text = f"{'n' * 100_000}\n" + "x\n" * 5_000
    with pytest.raises(DataSetProblem, match="very long names"):
        read_data_set("names.csv", text.encode())


def test_too_many_empty_lines_are_refused_with_a_sentence() -> None:
    assert problem_of("", b"a" + b"\n" * 900_000 + b"1") == "The data set has more than 1,000 empty lines. Remove them."
    assert len(read_data_set("", b"a" + b"\n" * 900 + b"1").rows) == 1

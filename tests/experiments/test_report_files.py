"""A report as JSON, JUnit and Markdown, with model text escaped."""

from __future__ import annotations

import json
import resource
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from components.experiments.report import report_on
from components.experiments.report_files import (
    BaselineProblem,
    Links,
    read_baseline,
    to_json,
    to_junit,
    to_markdown,
    write_whole,
)
from components.experiments.rules import read_rules
from tests.experiments.test_report import PARIS, a_case

LINKS = Links("https://tempera.example.org", "sweep", "sweep")
CASES = (a_case("Paris", row="base", ttft_ms=120.0), a_case("Rome", row="temperature 1", ttft_ms=80.0))
REPORT = report_on("e" * 32, "Capitals", CASES, PARIS, problem="2 runs were not made.")


def test_the_report_in_json_is_a_baseline() -> None:
    written = to_json(REPORT, PARIS.checks, LINKS)
    content = json.loads(written)
    assert (content["outcome"], content["checks"]) == ("failed", ["contains “Paris”"])
    assert content["link"] == f"https://tempera.example.org/sweep?sweep={'e' * 32}"
    assert read_baseline(written.encode()) == list(CASES)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"{", "The baseline is no report of Tempera: "),
        (b'{"format": 1}', "The baseline is no report of Tempera: runs: Field required."),
        (b'{"format": 9, "runs": []}', "The baseline has the format 9, and this Tempera reads 1."),
        (b"\xff", "The baseline is no report of Tempera: "),
    ],
)
def test_another_file_is_refused_as_a_baseline(text: bytes, sentence: str) -> None:
    with pytest.raises(BaselineProblem) as problem:
        read_baseline(text)
    assert problem.value.sentence.startswith(sentence)


def test_junit_has_a_suite_for_each_row_and_a_failure_with_the_runs() -> None:
    suites = ElementTree.fromstring(to_junit(REPORT, LINKS))
    assert [suite.get("name") for suite in suites] == ["base", "temperature 1", "experiment"]
    assert (suites.get("tests"), suites.get("failures"), suites.get("errors")) == ("5", "1", "1")
    failure = suites.find("testsuite[@name='temperature 1']/testcase/failure")
    assert failure is not None
    assert failure.get("message") == "1 of 1 fail: “Paris” is not in the answer."
    link = f"https://tempera.example.org/?open={CASES[1].run_id}"
    assert failure.text == f"1 of 1 fail: “Paris” is not in the answer.\n{link}"
    error = suites.find("testsuite[@name='experiment']/testcase/error")
    assert error is not None
    assert error.get("message") == "2 runs were not made."


def test_each_test_of_a_suite_in_junit_has_its_own_name() -> None:
    rules = read_rules("checks:\n  - json_schema: {type: string}\n  - json_schema: {type: number}\n")
    twice = report_on("e" * 32, "Twice", [a_case("1", rules)], rules)
    names = [case.get("name") for case in ElementTree.fromstring(to_junit(twice, LINKS)).iter("testcase")]
    assert names == ["runs", "matches its JSON Schema", "matches its JSON Schema (2)"]


def test_markdown_has_a_table_of_the_rows_and_the_failures() -> None:
    written = to_markdown(REPORT, LINKS, {})
    assert "## ❌ Capitals: failed" in written
    assert "| base | 1 | 100% (21% to 100%, n = 1) | 120 ms | – | – |" in written
    assert f"[{CASES[1].run_id[:8]}](https://tempera.example.org/?open={CASES[1].run_id})" in written
    assert "](" not in to_markdown(REPORT, Links(), {})
    assert "| base: temperature 0 | 1 |" in to_markdown(REPORT, LINKS, {"base": "temperature 0"})


HOSTILE = [
    "![x](https://evil.example/p.png)",
    "<img src=x onerror=alert(1)>",
    "| a | b |\n|---|---|",
    "@everyone https://evil.example",
    "]]>&amp;\x00\x0b",
    "`code` **bold** #1",
]


@given(st.sampled_from(HOSTILE) | st.text(max_size=40))
def test_model_text_is_escaped_in_each_format(markup: str) -> None:
    rules = read_rules("checks:\n  - equals: Paris\n")
    report = report_on("e" * 32, markup, [a_case(markup, rules, row=markup or "base")], rules)
    ElementTree.fromstring(to_junit(report, LINKS))
    read_baseline(to_json(report, rules.checks, LINKS).encode())
    blocks = (
        MarkdownIt("gfm-like", {"html": True, "linkify": False}).enable("table").parse(to_markdown(report, Links(), {}))
    )
    inner = [token.type for block in blocks for token in block.children or []]
    assert {"image", "link_open", "html_inline", "em_open", "code_inline"}.isdisjoint(inner)
    assert "html_block" not in [token.type for token in blocks]
    assert [token.type for token in blocks].count("table_open") <= 2


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    write_whole(report, "one\n")
    report.chmod(0o640)
    write_whole(report, "two\n", append=True)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_whole(report, "x" * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["one\ntwo\n"]
    assert report.stat().st_mode & 0o777 == 0o640

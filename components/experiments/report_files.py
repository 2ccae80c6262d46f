"""A report as JSON, which is also a baseline, as JUnit XML and as Markdown."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from components import __version__
from components.checks.check import Check, Result
from components.experiments import sentences
from components.experiments.cases import Case, by_row, rate_in_words
from components.experiments.problem import SweepProblem
from components.experiments.report import Finding, Outcome, Report, number_in_words

_FORMAT = 1
_SHOWN_MEASURES = ("ttft_ms", "tokens_per_second", "completion_tokens")
_MAX_RUNS_SHOWN = 3
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+!|~])")
_MARKS = {Outcome.PASSED: "✅", Outcome.FAILED: "❌", Outcome.UNKNOWN: "❔"}


class BaselineProblem(SweepProblem):
    """A file is no baseline; the text says why."""


class Links:
    """The addresses of runs and experiments; empty ones where Tempera has no public address."""

    def __init__(self, address: str = "", page: str = "sweep", parameter: str = "sweep") -> None:
        self._address = address
        self._page = f"{page}?{parameter}="

    def run(self, run_id: str) -> str:
        """The address of a run."""
        return f"{self._address}/?open={run_id}" if self._address else ""

    def experiment(self, experiment_id: str) -> str:
        """The address of an experiment's page."""
        return f"{self._address}/{self._page}{experiment_id}" if self._address else ""


def to_json(report: Report, checks: Sequence[Check], links: Links) -> str:
    """The report with all its cases, a line each; ``read_baseline`` reads it."""
    runs = ",\n".join(json.dumps(_case_to_value(case)) for case in report.cases)
    content = {
        "tempera": __version__,
        "format": _FORMAT,
        "experiment": report.experiment_id,
        "link": links.experiment(report.experiment_id),
        "name": report.name,
        "outcome": report.outcome.value,
        "problem": report.problem,
        "checks": [check.words for check in checks],
        "findings": [
            {
                "row": finding.row,
                "subject": finding.subject,
                "outcome": finding.outcome.value,
                "sentence": finding.sentence,
                "runs": list(finding.run_ids),
            }
            for finding in report.findings
        ],
    }
    # Indenting the runs, too, would take longer than their checks.
    return f'{json.dumps(content, indent=1).removesuffix("}").rstrip()},\n "runs": [\n{runs}\n ]\n}}\n'


def _case_to_value(case: Case) -> dict[str, Any]:
    return {
        "row": case.row,
        "input": case.input_number,
        "repeat": case.repeat,
        "run": case.run_id,
        "status": case.status,
        "problem": case.problem,
        "passed": case.passed,
        "results": [{"passed": result.passed, "reason": result.reason} for result in case.results],
        "values": dict(case.values),
        "answer": case.answer,
    }


class _Case(BaseModel):
    """The fields of ``Case`` by their names in the file."""

    row: str
    input_number: int = Field(alias="input")
    repeat: int
    run_id: str = Field(alias="run")
    status: str
    problem: str | None
    results: tuple[Result, ...]
    values: dict[str, float]
    answer: str


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore")

    format: int
    runs: list[_Case]


def read_baseline(text: bytes) -> list[Case]:
    """The cases of a report in JSON. Raises BaselineProblem."""
    try:
        file = _File.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        sentence = sentences.BASELINE_UNREADABLE.format(where=place or "it", error=first["msg"])
        raise BaselineProblem(sentence) from None
    if file.format != _FORMAT:
        raise BaselineProblem(sentences.BASELINE_FORMAT.format(found=file.format, known=_FORMAT))
    return [Case(**dict(case)) for case in file.runs]


def to_junit(report: Report, links: Links) -> str:
    """The findings as JUnit XML, which CI systems show: a suite for each row, a test for each finding.

    GitLab shows the text of a failure, not its message, and of tests with the same name only the first.
    """
    missing = [Finding("experiment", "all runs", Outcome.UNKNOWN, report.problem)] if report.problem else []
    all_findings = [*report.findings, *missing]
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append(f"<testsuites name={_quoted(report.name or 'experiment')} {_counts(all_findings)}>")
    for row, findings in _findings_by_row(all_findings).items():
        lines.append(f"<testsuite name={_quoted(row)} {_counts(findings)}>")
        named: Counter[str] = Counter()
        for finding in findings:
            named[finding.subject] += 1
            lines.append(_junit_case(finding, named[finding.subject], links))
        lines.append("</testsuite>")
    return "\n".join([*lines, "</testsuites>", ""])


def _junit_case(finding: Finding, number: int, links: Links) -> str:
    name = finding.subject if number == 1 else f"{finding.subject} ({number})"
    case = f"<testcase classname={_quoted(finding.row)} name={_quoted(name)}"
    if finding.outcome is Outcome.PASSED:
        return f"{case}><system-out>{_xml(finding.sentence)}</system-out></testcase>"
    kind = "failure" if finding.outcome is Outcome.FAILED else "error"
    shown, hidden = finding.run_ids[:_MAX_RUNS_SHOWN], len(finding.run_ids) - _MAX_RUNS_SHOWN
    runs = [*(links.run(run_id) or run_id for run_id in shown), *([f"and {hidden:,} more"] if hidden > 0 else [])]
    text = "\n".join([finding.sentence, *runs])
    return f"{case}><{kind} message={_quoted(finding.sentence)}>{_xml(text)}</{kind}></testcase>"


def _counts(findings: Sequence[Finding]) -> str:
    failed = sum(finding.outcome is Outcome.FAILED for finding in findings)
    unknown = sum(finding.outcome is Outcome.UNKNOWN for finding in findings)
    return f'tests="{len(findings)}" failures="{failed}" errors="{unknown}"'


def to_markdown(report: Report, links: Links, changes: Mapping[str, str]) -> str:
    """The report for a summary of a CI system: a table of the rows, then all that did not pass.

    ``changes`` says how lanes differ from the base, by their rows.
    """
    title = _markdown(report.name or "Experiment")
    lines = [f"## {_MARKS[report.outcome]} {title}: {report.outcome.value}", ""]
    if report.problem:
        lines += [_markdown(report.problem), ""]
    lines += ["| row | runs | pass rate | TTFT | tokens/s | tokens |", "|---|--:|--:|--:|--:|--:|"]
    for row, cases in by_row(report.cases).items():
        title = f"{row}: {changes[row]}" if changes.get(row) else row
        cells = [_markdown(title), f"{len(cases):,}", rate_in_words([case.passed for case in cases])]
        lines.append(f"| {' | '.join([*cells, *(_median(measure, cases) for measure in _SHOWN_MEASURES)])} |")
    open_findings = [finding for finding in report.findings if finding.outcome is not Outcome.PASSED]
    if open_findings:
        lines += ["", "| | row | what | why | run |", "|---|---|---|---|---|"]
    for finding in open_findings:
        words = [_markdown(part) for part in (finding.row, finding.subject, finding.sentence)]
        lines.append(f"| {_MARKS[finding.outcome]} | {' | '.join(words)} | {_linked(finding, links)} |")
    link = links.experiment(report.experiment_id)
    lines += [
        "",
        f"[Experiment {report.experiment_id[:8]}]({link})" if link else f"Experiment {report.experiment_id}",
    ]
    return "\n".join([*lines, ""])


def _median(measure: str, cases: Sequence[Case]) -> str:
    values = [case.values[measure] for case in cases if measure in case.values]
    return number_in_words(measure, statistics.median(values)) if values else "–"


def _linked(finding: Finding, links: Links) -> str:
    if not finding.run_ids:
        return ""
    first = finding.run_ids[0]
    return f"[{first[:8]}]({links.run(first)})" if links.run(first) else first[:8]


def _findings_by_row(findings: Sequence[Finding]) -> Mapping[str, list[Finding]]:
    rows: dict[str, list[Finding]] = {}
    for finding in findings:
        rows.setdefault(finding.row, []).append(finding)
    return rows


def _xml(text: str) -> str:
    return html.escape(_NO_XML.sub("\ufffd", text), quote=True)


def _quoted(text: str) -> str:
    # A line end in an attribute would be read as a space.
    return f'"{_xml(text).replace(chr(10), "&#10;")}"'


def _markdown(text: str) -> str:
    """The text, escaped for a cell of a table: an answer in it makes no link, image or mention."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split())).replace("@", "&#64;").replace("://", ":&#47;/")


def write_whole(path: Path, text: str, *, append: bool = False) -> None:
    """Write a file, or add to its end, so that a failure leaves it as it was. Raises OSError."""
    target = path.resolve()
    if target.exists() and not target.is_file():  # a device or a pipe, such as /dev/stdout, cannot be replaced
        with target.open("a" if append else "w", encoding="utf-8") as opened:
            opened.write(text)
        return
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as written:
            if target.exists():
                shutil.copymode(target, part)
                if append:
                    written.write(target.read_bytes())
            written.write(text.encode())
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)

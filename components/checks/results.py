"""The checks of one answer, their results, and the form in which a run keeps them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from components.checks import sentences
from components.checks.check import Answer, Check, Result
from components.checks.judge import Judge
from components.log.record import RunRecord
from components.streaming.outcome import Status, ToolCall


def answer_of(record: RunRecord) -> Answer:
    """The answer of a run."""
    calls = tuple(ToolCall(**call) for call in json.loads(record.tool_calls))
    problem = problem_with(record.status, record.error_message)
    return Answer(record.text, record.finish_reason, calls, record.completion_tokens, problem)


def problem_with(status: str, message: str | None) -> str | None:
    """Why a run of this status has no complete answer; None when it has one."""
    return None if status == Status.OK else message or sentences.RUN_NOT_ENDED_WELL.format(status=status)


def check_answer(check: Check, answer: Answer, values: Mapping[str, str] | None = None) -> Result:
    """The result of a check on an answer; ``values`` are those of the row of the data set."""
    if answer.problem:
        return Result(None, answer.problem)
    if check.has_variables:
        if missing := next((name for name in check.variable_names if name not in (values or {})), None):
            return Result(None, sentences.NO_VALUE.format(name=missing))
        check = check.with_values(values or {})
    return check.judge(answer)


def all_passed(results: Iterable[Result]) -> bool | None:
    """Whether all of them passed; None when that is unknown, and without any."""
    outcomes = {result.passed for result in results}
    return None if not outcomes or (None in outcomes and False not in outcomes) else False not in outcomes


@dataclass(frozen=True)
class StoredResult:
    """The result of one check as a run keeps it.

    ``check`` is the check in words. ``judge`` identifies the question and the answer of a judge.
    """

    check: str
    passed: bool | None
    reason: str
    judge: str | None = None


@dataclass(frozen=True)
class AnswerChecks:
    """The checks of one answer; ``values`` are those of their variables."""

    checks: tuple[Check, ...]
    values: Mapping[str, str] = field(default_factory=dict)

    def facts(self, answer: Answer) -> dict[str, Any]:
        """The facts of a run with this answer: whether it passes, and each result. Judges have not been asked."""
        checks = () if answer.problem else self.checks
        return facts_of(checks, [check_answer(check, answer, self.values) for check in checks], self.values)


def facts_of(checks: Sequence[Check], results: Sequence[Result], values: Mapping[str, str]) -> dict[str, Any]:
    """The facts of a run with these results of its checks; none without any."""
    if not checks:
        return {"passed": None, "check_results": None}
    filled = [check.with_values(values) for check in checks]
    stored = [
        {"check": check.words, "passed": result.passed, "reason": result.reason}
        | ({"judge": judge_key(check)} if isinstance(check, Judge) else {})
        for check, result in zip(filled, results, strict=True)
    ]
    return {"passed": all_passed(results), "check_results": json.dumps(stored, ensure_ascii=False)}


def stored_results(check_results: str | None) -> list[StoredResult]:
    """The results in this fact of a run; none that a later release wrote."""
    try:
        return _results.validate_json(check_results) if check_results else []
    except ValidationError:
        return []


def in_words(results: Sequence[StoredResult]) -> str:
    """The results in a line: how many pass, and the first that does not; empty without any."""
    if not results:
        return ""
    passing = sum(result.passed is True for result in results)
    shown = next((result for result in results if result.passed is False), None) or next(
        (result for result in results if result.passed is None), None
    )
    return f"{passing} of {len(results)}" + (f" · {shown.check}: {shown.reason}" if shown else "")


def opinion_in_log(judge: Judge, record: RunRecord) -> Result | None:
    """The kept result of a judge, with its values, on a run's answer; None without one."""
    key = judge_key(judge)
    stored = next((result for result in stored_results(record.check_results) if result.judge == key), None)
    return Result(stored.passed, stored.reason) if stored else None


def judge_key(judge: Judge) -> str:
    """Identifies a judge with its prompt."""
    return hashlib.sha256(judge.model_dump_json().encode()).hexdigest()[:16]


_results = TypeAdapter(list[StoredResult])

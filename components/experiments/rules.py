"""The rules of an experiment: checks of its answers, limits of its measures, tolerances for changes.

They are part of an experiment file, and a text of their own on the pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field, JsonValue, ValidationError

from components.checks.check import Check, CheckProblem
from components.checks.kinds import MAX_CHECKS, read_check
from components.experiments import sentences
from components.experiments.file_problems import FileProblem, no_field, sentence_at, wrong
from components.experiments.thresholds import ANSWERS, GAUGES, Limit, Part, Tolerance, read_tolerance
from components.experiments.yaml_text import Document, Path, read_yaml, write_yaml


class WrittenRules(Part):
    """The rules as a file has them."""

    checks: list[dict[str, JsonValue]] = Field(default=[], max_length=MAX_CHECKS)
    limits: list[dict[str, JsonValue]] = Field(default_factory=list)
    tolerances: dict[str, JsonValue] = Field(default_factory=dict)


@dataclass(frozen=True)
class Rules:
    """Checks in their order, limits by the measure's name, and tolerances by the measure."""

    checks: tuple[Check, ...] = ()
    limits: tuple[tuple[str, Limit], ...] = ()
    tolerances: Mapping[str, Tolerance] = field(default_factory=dict)


def read_rules(text: str) -> Rules:
    """The rules in a text that has only them; none in an empty one. Raises SweepProblem with the line."""
    if not text.strip():
        return Rules()
    document = read_yaml(text)
    try:
        written = WrittenRules.model_validate({} if document.value is None else document.value)
    except ValidationError as error:
        raise wrong(document, error, {(): WrittenRules}) from None
    return RulesReading(document, written).rules()


def write_rules(rules: Rules) -> str:
    """A text from which ``read_rules`` reads the same rules; empty without any."""
    written = rules_to_value(rules)
    return write_yaml(written) if written else ""


def rules_to_value(rules: Rules) -> dict[str, Any]:
    """The rules as the fields of a file."""
    content: dict[str, Any] = {
        "checks": [{check.kind: _plain(check.to_value())} for check in rules.checks],
        "limits": [{name: _plain(limit.model_dump(exclude_defaults=True))} for name, limit in rules.limits],
        "tolerances": {name: _plain(tolerance.to_value()) for name, tolerance in rules.tolerances.items()},
    }
    return {name: part for name, part in content.items() if part}


@dataclass(frozen=True)
class RulesReading:
    """Rules of valid shape, and their conversion to values."""

    document: Document
    written: WrittenRules

    def problem(self, path: Path, what: str) -> FileProblem:
        """The problem with the part at a path; ``what`` is a sentence, or its end after the part's name."""
        return FileProblem(sentence_at(self.document, path, what))

    def rules(self) -> Rules:
        """The rules. Raises FileProblem."""
        return Rules(self._checks(), self._limits(), self._tolerances())

    def _checks(self) -> tuple[Check, ...]:
        checks = []
        for number, entry in enumerate(self.written.checks):
            kind, value = self._single_name(("checks", number), entry, "contains: Paris")
            try:
                checks.append(read_check(kind, value))
            except CheckProblem as problem:
                raise self.problem(("checks", number, kind, *problem.path), problem.sentence) from None
        return tuple(checks)

    def _limits(self) -> tuple[tuple[str, Limit], ...]:
        limits = []
        for number, entry in enumerate(self.written.limits):
            name, value = self._single_name(("limits", number), entry, "ttft_ms: {at_most: 500}")
            if name not in GAUGES:
                raise self.problem(("limits", number, name), no_field(name, GAUGES, what="measure"))
            if name == ANSWERS:
                raise self.problem(("limits", number, name), sentences.FILE_NO_LIMIT_OF_ANSWERS)
            try:
                limit = Limit.model_validate(value)
            except ValidationError as error:
                raise wrong(self.document, error, {(): Limit}, ("limits", number, name)) from None
            if GAUGES[name].share and "of" in limit.model_fields_set:
                raise self.problem(("limits", number, name, "of"), sentences.FILE_SHARE_OF.format(name=name))
            limits.append((name, limit))
        return tuple(limits)

    def _tolerances(self) -> dict[str, Tolerance]:
        tolerances = {}
        for name, value in self.written.tolerances.items():
            if name not in GAUGES:
                raise self.problem(("tolerances", name), no_field(name, GAUGES, what="measure"))
            try:
                tolerances[name] = read_tolerance(value)
            except ValueError as error:
                raise self.problem(("tolerances", name), str(error)) from None
        return tolerances

    def _single_name(self, path: Path, entry: Mapping[str, JsonValue], example: str) -> tuple[str, JsonValue]:
        if len(entry) != 1:
            raise self.problem(path, sentences.FILE_ONE_NAME.format(example=example))
        [(name, value)] = entry.items()
        return name, value


def _plain(value: Any) -> Any:
    """The value, with whole numbers as people write them."""
    if isinstance(value, dict):
        return {
            name: int(each) if isinstance(each, float) and each.is_integer() else each for name, each in value.items()
        }
    return int(value) if isinstance(value, float) and value.is_integer() else value

"""A view of the log: a search by words, settings and numbers, and its order; as an SQL condition."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Text,
    and_,
    cast,
    column,
    func,
    literal,
    literal_column,
    or_,
    select,
    table,
    text,
    true,
)
from sqlalchemy.dialects import postgresql

from components.contract.strict_json import read_json
from components.log import sentences
from components.log.database import Database
from components.log.number_filter import NumberCondition, read_number_filter
from components.log.query import is_id, read_rows
from components.log.request_summary import setting_line
from components.log.storable import storable_text
from components.log.tables import CHECKED, owned, run_annotations, runs
from components.user_error import UserError

CHECKED_AS = {"passed": runs.c.passed.is_(True), "failed": runs.c.passed.is_(False), "n/a": runs.c.passed.is_(None)}
"""The results of checks as a filter; n/a are runs with a check that could not be made."""

MAX_COUNTED = 10_000
"""The limit of runs that are counted and summarised, newest first."""
MAX_MATCHES = MAX_COUNTED + 1
"""The limit of runs with the words that are examined, newest first; one more shows that there are more."""
MAX_CHARACTERS = 1_000
"""The limit of one filter."""

_EXACT = 2**53
"""Smaller integers are exact as floats."""

_SETTING = re.compile(r"(?P<field>[^\s=:]+)\s*(?:[=:]\s*)?(?P<value>.*)", re.DOTALL)
# Possessive, and an unclosed quotation reaches to the end: text of any length is read only once.
_QUOTED = r'"(?:\\.?+|[^"\\])*+(?:"|\Z)'
_PART = re.compile(rf'(?:{_QUOTED}|\[(?:{_QUOTED}|[^\]"])*+(?:\]|\Z)|[^,\n])++', re.DOTALL)
"""Up to a comma or line end outside quotation marks and lists."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_RARE = 1_001
"""A setting or number of fewer runs is rare."""
_INDEXED = re.compile("[0-9A-Za-z]")
_UNFILTERED = ("order", "descending", "zone")
_OWN_FILTERS = {"model": sentences.FILTER_OF_MODELS, "messages": sentences.FILTER_OF_MESSAGES}
"""Fields that are not settings of a run."""


class FilterProblem(UserError):
    """A filter that cannot be parsed. The message says what to write.

    ``field`` is the field of the View that holds it.
    """

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True)
class View:
    """A search for runs and its order. Empty fields restrict nothing.

    ``words`` are searched in prompts and answers of ended runs: all must occur, words in quotation marks as a phrase.
    ``checks`` is a word of ``CHECKED_AS``.
    ``settings`` are separated by commas or lines. Each has a form such as ``temperature 0.7``, ``max_tokens null`` or
    ``temperature omitted``. ``numbers`` are conditions such as ``perplexity > 3``, separated in the same way.
    ``since`` and ``until`` are days of the time zone ``zone``, such as 2026-11-26, both included. ``rating`` is the
    minimum of stars. ``ids`` restricts the view to these runs.
    """

    words: str = ""
    status: str = ""
    endpoint: str = ""
    model: str = ""
    finish_reason: str = ""
    checks: str = ""
    settings: str = ""
    since: str = ""
    until: str = ""
    tag: str = ""
    numbers: str = ""
    rating: int = 0
    experiment: str = ""
    ids: tuple[str, ...] = ()
    zone: str = "UTC"
    order: str = "started"
    descending: bool = True

    @property
    def filtered(self) -> bool:
        """Whether the view restricts the runs."""
        return any(getattr(self, field.name) for field in fields(self) if field.name not in _UNFILTERED)


def quick_conditions(database: Database, view: View, max_matches: int = MAX_MATCHES) -> ColumnElement[bool]:
    """``conditions``, with the ids of the runs that have a rare setting or number.

    Without them a page is filled by looking through the log, newest runs first: a database cannot know that a setting
    is rarer than any that it has counted. Raises FilterProblem, QueryFailed.
    """
    all_conditions = [conditions(database, view, max_matches)]
    by_index = [condition.ids(database.owner) for condition in _numbers_of(view)]
    for entry in _entries(view.settings):
        lines = _lines_of(entry)
        # Words of other signs are not in SQLite's index.
        if not isinstance(lines, str) and all(map(_INDEXED.search, lines)):
            by_index.append(_with_lines(database, lines))
    for statement in by_index:
        if statement is None:
            continue
        ids = [row["id"] for row in read_rows(database, statement.limit(_RARE))]
        if len(ids) < _RARE:
            all_conditions.append(runs.c.id.in_(ids))
    return and_(*all_conditions)


def _with_lines(database: Database, lines: Collection[str]) -> Any:
    """The ids of the owner's runs that have one of these settings, by the index; on SQLite of some others, too."""
    matched = runs.alias("matched")
    if not database.is_sqlite:
        return select(matched.c.id).where(matched.c.owner == database.owner, _has_line("matched", lines))
    index = table("runs_search_settings", column("rowid"))
    query = " OR ".join('"{}"'.format(line.replace('"', '""')) for line in lines)
    matches = text("runs_search_settings match :lines").bindparams(lines=query)
    joined = select(matched.c.id).join_from(index, matched, literal_column("matched.rowid") == index.c.rowid)
    # "is true" keeps SQLite from scanning the owner's runs instead of using the full-text index.
    return joined.where(matches, (matched.c.owner == database.owner).is_(true()))


def conditions(database: Database, view: View, max_matches: int = MAX_MATCHES) -> ColumnElement[bool]:
    """The condition of a view on the table ``runs`` alone, including the owner.

    Raises FilterProblem.
    """
    for name in (field.name for field in fields(view) if field.name != "ids"):
        if len(str(getattr(view, name))) > MAX_CHARACTERS:
            raise FilterProblem(name, sentences.FILTER_TOO_LONG.format(max_characters=MAX_CHARACTERS))
    exact_names = ("status", "endpoint", "model", "finish_reason")
    result = [owned(runs, database.owner)]
    result += [runs.c[name] == storable_text(getattr(view, name)) for name in exact_names if getattr(view, name)]
    if view.checks in CHECKED_AS:
        result += [CHECKED, CHECKED_AS[view.checks]]
    if view.ids:
        result.append(runs.c.id.in_(view.ids))
    result += [_has_setting(database, entry) for entry in _entries(view.settings)]
    if view.since:
        result.append(runs.c.created_at >= _begin_of("since", view.since, view.zone))
    if view.until:
        result.append(runs.c.created_at < _begin_of("until", view.until, view.zone, days_later=1))
    result += [condition.on_runs for condition in _numbers_of(view)]
    if view.tag:
        lines = "\n" + run_annotations.c.tags + "\n"
        result.append(_annotated(lines.contains(f"\n{storable_text(view.tag.strip())}\n", autoescape=True)))
    if view.rating:
        result.append(_annotated(run_annotations.c.rating >= view.rating))
    if view.experiment:
        if not is_id(view.experiment):
            raise FilterProblem("experiment", sentences.NOT_AN_EXPERIMENT_ID)
        result.append(runs.c.experiment_id == view.experiment)
    if view.words.strip():
        result.append(_has_words(database, storable_text(view.words), max_matches))
    return and_(*result)


def _numbers_of(view: View) -> list[NumberCondition]:
    try:
        return read_number_filter(view.numbers)
    except ValueError as problem:
        raise FilterProblem("numbers", str(problem)) from None


def _annotated(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    # Needs no owner here: the condition on the run has it.
    return runs.c.id.in_(select(run_annotations.c.run_id).where(condition))


def _entries(settings: str) -> list[str]:
    return [entry for entry in _PART.findall(settings) if entry.strip()]


def _has_setting(database: Database, entry: str) -> ColumnElement[bool]:
    lines, stored = _lines_of(entry), literal("\n") + runs.c.settings + "\n"
    if isinstance(lines, str):
        return ~stored.contains(f"\n{lines}", autoescape=True)
    if not database.is_sqlite:
        return _has_line("runs", lines)
    return or_(*(stored.contains(f"\n{line}\n", autoescape=True) for line in lines))


def _has_line(alias: str, lines: Collection[str]) -> ColumnElement[bool]:
    # Must equal the expression of the index.
    indexed: ColumnElement[Any] = literal_column(f"string_to_array({alias}.settings, E'\\n')")
    return indexed.op("&&")(cast(list(lines), postgresql.ARRAY(Text)))


def _lines_of(entry: str) -> list[str] | str:
    """The lines of which a run's settings must have one, or the beginning of a line that they must lack.

    Raises FilterProblem.
    """
    match = _SETTING.fullmatch(entry.strip())
    if match is None or not match["value"]:
        what = f"{entry.strip()!r:.60} has no value."
        raise FilterProblem("settings", sentences.FILTER_WITHOUT_VALUE.format(what=what))
    field, value = match["field"], match["value"]
    if field in _OWN_FILTERS:
        raise FilterProblem("settings", _OWN_FILTERS[field])
    if value[0] in "<>=!":
        raise FilterProblem("settings", sentences.FILTER_NOT_EQUAL.format(filter=entry.strip(), field=field))
    if field == "stream" and value.lower() == "omitted":
        raise FilterProblem("settings", sentences.STREAM_NEVER_OMITTED)
    # stream=true is not stored in a run's settings, because nearly all runs have it.
    if value.lower() == "omitted" or (field == "stream" and value.lower() == "true"):
        return storable_text(setting_line(field, 0)[:-1])
    return sorted({storable_text(setting_line(field, each)) for each in _values(value)})


def _values(words: str) -> list[Any]:
    """The values that a filter's text may stand for: an integer also matches as a float."""
    entry = words.lower() if words.lower() in ("null", "true", "false") else words
    try:
        value = read_json(f"0{entry}" if re.fullmatch(r"\.\d+", entry) else entry)
    except ValueError:
        return [words]
    if isinstance(value, float) and value.is_integer():
        return [int(value), value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _EXACT:
        return [value, float(value)]
    return [value]


def _has_words(database: Database, words: str, max_matches: int) -> ColumnElement[bool]:
    phrases = [phrase or word for phrase, word in re.findall(r'"([^"]+)"|([^\s"]+)', words)]
    if not phrases:
        return true()
    if database.is_sqlite:
        # Quoted phrases contain no operators of FTS5.
        query = " ".join(f'"{phrase}"' for phrase in phrases)
        index = table("runs_search", column("rowid"))
        matched, owner = runs.alias("matched"), literal(database.owner)
        newest = (
            select(index.c.rowid)
            .join_from(index, matched, literal_column("matched.rowid") == index.c.rowid)
            # The unary + keeps SQLite from scanning the owner's runs instead of using the full-text index.
            .where(text("runs_search match :words").bindparams(words=query), literal_column("+matched.owner") == owner)
            .order_by(index.c.rowid.desc())
        )
        return literal_column("runs.rowid").in_(newest.limit(max_matches))
    matched = runs.alias("matched")
    indexed: ColumnElement[Any] = literal_column("matched.runs_search_words")
    has_words = indexed.op("@@")(func.websearch_to_tsquery(literal_column("'simple'"), words))
    latest = select(matched.c.id).where(matched.c.owner == database.owner, has_words)
    latest = latest.order_by(matched.c.created_at.desc(), matched.c.id.desc()).limit(max_matches)
    # As an array, so that PostgreSQL finds the words first: with few rows to show, it would read the newest runs until
    # it has them, which for a rare word are all.
    return runs.c.id == func.any(func.array(latest.scalar_subquery()))


def _begin_of(field: str, entry: str, zone: str, days_later: int = 0) -> str:
    """The begin of a day in that time zone, or of a later one, as the log stores times."""
    day = entry.strip()
    try:
        if not _DAY.fullmatch(day):
            raise ValueError
        begin = datetime.combine(date.fromisoformat(day) + timedelta(days=days_later), time(), ZoneInfo(zone))
        return begin.astimezone(UTC).isoformat()[:16]
    except (ValueError, OverflowError):
        raise FilterProblem(field, sentences.NOT_A_DAY.format(entry=entry)) from None

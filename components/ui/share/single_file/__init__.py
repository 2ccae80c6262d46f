"""A capsule as one HTML file that needs no server and sends no request.

The file contains the capsule's data, so that Tempera can open it again, and a signature of the data.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from components.checks.results import stored_results
from components.drafts.in_words import OMITTED, differing
from components.live.replay import lengths_after
from components.live.status_words import numbers, status_words
from components.live.token_rows import TokenRows
from components.log.log import Log
from components.log.record import NUMBERS, SHOWN
from components.markdown.answer import AnswerBlocks
from components.sharing import sentences
from components.sharing.capsule import Capsule, CapsuleRun, Kind
from components.sharing.capsule_file import data_block, data_blocks
from components.sharing.shared_run import SharedRun, shared_runs
from components.ui import theme
from components.ui.answer.answer_differences import answer_text, divergence_html, marked_words
from components.ui.answer.live_view import FOLDER as LIVE_VIEW
from components.ui.answer.run_differences import request_in_words

_FOLDER = Path(__file__).parent
_STYLES = (
    LIVE_VIEW / "live_view.css",
    LIVE_VIEW / "markdown.css",
    LIVE_VIEW.parent / "differences.css",
    _FOLDER / "page.css",
)
_SCRIPTS = (LIVE_VIEW / "assets" / "lens.js", _FOLDER / "page.js")
_SCRIPT = Markup("\n".join(path.read_text() for path in _SCRIPTS))  # noqa: S704 - this project's own scripts
_PAGE = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True
).get_template("page.html")
_PASSED = {True: "passed", False: "failed", None: "not known"}
_MEASURES = (
    "--st-font:system-ui,sans-serif;--st-heading-font:ui-serif,Georgia,serif;--st-code-font:ui-monospace,monospace;"
    "--st-base-radius:6px;--st-button-radius:6px;--st-code-font-size:0.85rem;--st-code-font-weight:400;"
    "--st-border-color-light:var(--st-border-color);--st-heading-color:var(--st-text-color);"
    + "".join(f"--st-heading-font-size-{level}:{1.6 - level / 10:.1f}rem;" for level in range(1, 7))
    + "".join(f"--st-heading-font-weight-{level}:600;" for level in range(1, 7))
)


def single_file(capsule: Capsule, log: Log) -> str:
    """The HTML of the file; a collection has the capsules of its links.

    Raises LinkProblem when the capsule is too large, and DatabaseUnavailable.
    """
    data = data_blocks(capsule, log)  # first: what is too large is not rendered
    style = _style()
    is_collection = capsule.kind is Kind.COLLECTION
    parts = list(_parts(capsule)) if is_collection else [_part(capsule)]
    runs = [run for part in parts for run in part.get("runs", ())]
    for number, run in enumerate(runs):
        run["number"] = number
    drawn = [{"replay": run["replay"], "tokens": run["tokens"]} for run in runs]
    page: str = _PAGE.render(
        title=capsule.title or "Shared",
        version=capsule.app_version,
        date=_date(capsule),
        is_collection=is_collection,
        parts=parts,
        missing=sentences.LINK_MISSING,
        omitted=OMITTED,
        passed=_PASSED,
        # Both escape the signs that could end a block.
        data=Markup(data),  # noqa: S704
        drawn=Markup(data_block("drawn", json.dumps(drawn, ensure_ascii=False, separators=(",", ":")))),  # noqa: S704
        style=style,
        script=_SCRIPT,
        policy=f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(_SCRIPT)}; "
        "base-uri 'none'; form-action 'none'",
    )
    return page


def _parts(collection: Capsule) -> Iterator[dict[str, Any]]:
    """The notes and capsules of a collection; a link without a capsule is missing."""
    for entry in collection.entries:
        part = _part(entry.capsule) if entry.capsule else {"missing": entry.link is not None}
        yield {"note": _markdown(entry.note), **part}


def _part(capsule: Capsule) -> dict[str, Any]:
    """The part of the page that shows a capsule."""
    records = shared_runs("", capsule)
    runs = [_run(title, record, run) for (title, record), run in zip(records.items(), capsule.runs, strict=True)]
    answered = {title: record for title, record in records.items() if answer_text(record)}
    first = next(iter(answered.values()), None)
    return {
        "title": capsule.title or "Shared",
        "version": capsule.app_version,
        "date": _date(capsule),
        "prompt": next(iter(prompts)) if len(prompts := {record.prompt for record in records.values()}) == 1 else "",
        "runs": runs,
        "settings": [(change.field, change.after) for change in capsule.settings.changes()] if capsule.settings else [],
        "differing": differing([run["settings"] for run in runs]),
        "table": list(_table(records)),
        "divergence": Markup(divergence_html(answered)) if len(answered) > 1 else "",  # noqa: S704 - escapes all text
        "differences": [
            {"title": title, "marked": Markup(marked_words(first, record))}  # noqa: S704 - escapes all text
            for title, record in list(answered.items())[1:]
            if first
        ],
    }


def _date(capsule: Capsule) -> str:
    began = min((run.created_at for run in capsule.runs), default="")
    return f"{pd.Timestamp(began):%-d %B %Y}" if began else ""


def _run(title: str, record: SharedRun, run: CapsuleRun) -> dict[str, Any]:
    stars = "★" * (run.rating or 0)
    return {
        "title": title,
        "status": status_words(record)[0],
        "error": record.error_message,
        "reasoning": _markdown(record.reasoning),
        "answer": _markdown(record.text),
        "tool_calls": run.tool_calls,
        "numbers": numbers(record),
        "checks": stored_results(record.check_results),
        "notes": "\n".join(filter(None, (f"{stars} {' '.join(run.tags)}".strip(), run.notes))),
        "request": record.request_body,
        "system_left_out": run.system_left_out,
        "probabilities_left_out": run.probabilities_left_out,
        "settings": request_in_words(record),
        "replay": list(_moments(record)),
        "tokens": _token_rows(record) if record.has_probabilities else None,
    }


def _token_rows(record: SharedRun) -> list[str]:
    rows = TokenRows()
    rows.take(record.shared_events)
    rows.update(record.text, ended=True)
    return rows.blocks


def _markdown(text: str) -> Markup:
    blocks = AnswerBlocks("markdown")
    blocks.update(text, ended=True)
    return Markup("".join(blocks.blocks))  # noqa: S704 - the room's HTML is safe


def _moments(record: SharedRun) -> Iterator[tuple[float, int]]:
    """For each event its time in ms, and the length of the text so far in UTF-16 units, as JavaScript counts."""
    events = list(record.shared_events)
    units, before = 0, 0
    for event, length in zip(events, lengths_after(events, record.text), strict=True):
        units += len(record.text[before:length].encode("utf-16-le", "surrogatepass")) // 2
        before = length
        yield round(event.at_ms, 1), units


def _table(records: Mapping[str, SharedRun]) -> Iterator[tuple[str, list[str]]]:
    for name in SHOWN:
        values = [getattr(record, name) for record in records.values()]
        if any(value is not None for value in values):
            yield NUMBERS[name].title, ["n/a" if value is None else f"{value:,.6g}" for value in values]


def _style() -> Markup:
    rules = "".join(path.read_text() for path in _STYLES)
    root = theme.root_rule(f"color-scheme:light dark;{_MEASURES}")
    return Markup(f"{root}\n{rules}")  # noqa: S704 - style sheets of this project


def _hash(content: str) -> str:
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"

"""The summaries of an experiment as CI systems show them: Markdown as GitHub does, JUnit as GitLab does."""

from __future__ import annotations

import contextlib
import html
import io
import os
import tempfile
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

from markdown_it import MarkdownIt

from components.experiments.__main__ import main

_FILE = """\
tempera: 1
name: Capitals
base:
  endpoint: embedded
  messages:
    - user: "Complete: The capital of France is"
  settings: {max_tokens: 24, temperature: 0}
lanes:
  - {}
  - name: warmer
    settings: {temperature: 0.9}
repeats: 8
checks:
  - contains: Paris
  - length: {at_most: 30, unit: words}
limits:
  - pass_rate: {at_least: 0.3}
  - total_ms: {of: p95, at_most: 60000}
tolerances:
  answers: 0.05
  pass_rate: 0.05
  completion_tokens: 10 %
"""
_CHANGED = ("Complete: The capital of France is", "Say in verse: the capital of France")
_GITHUB = """
body { margin: 24px; font: 16px/1.5 -apple-system, "Segoe UI", "Noto Sans", Arial, sans-serif; color: #1f2328 }
h2 { padding-bottom: .3em; border-bottom: 1px solid #d1d9e0b3; font-size: 24px; font-weight: 600 }
table { border-collapse: collapse; margin-bottom: 16px }
th, td { padding: 6px 13px; border: 1px solid #d1d9e0 }
th { font-weight: 600 }
tr:nth-child(2n) { background: #f6f8fa }
a { color: #0969da }
.passed { color: #1a7f37 } .failed { color: #d1242f } .untold { color: #59636e }
"""
_GITLAB = """
body { margin: 24px; font: 14px/1.4 "GitLab Sans", -apple-system, "Noto Sans", Arial, sans-serif; color: #3a383f }
h3 { font-size: 16px }
table { width: 100%; border-collapse: collapse }
th, td { padding: 12px 8px; border-bottom: 1px solid #dcdcde; text-align: left; vertical-align: top }
pre { margin: 8px 0 0; padding: 8px; background: #ececef; white-space: pre-wrap; font-size: 12px }
.failed { color: #c02f12 } .error { color: #9e5400 } .success { color: #2f7549 }
"""


@cache
def summaries() -> tuple[str, str]:
    """A summary in Markdown and in JUnit: the embedded model, after a change of the prompt."""
    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stdout(io.StringIO()):
        folder = Path(name)
        file, log = folder / "capitals.yaml", f"sqlite:///{folder / 'runs.sqlite3'}"
        baseline, markdown, junit = (folder / kind for kind in ("report.json", "summary.md", "junit.xml"))
        os.environ["TEMPERA_PUBLIC_URL"] = "https://tempera.example.org"
        file.write_text(_FILE)
        main(["run", str(file), "--log", log, "--json", str(baseline)])
        file.write_text(_FILE.replace(*_CHANGED))
        changed = ["run", str(file), "--log", log, "--baseline", str(baseline)]
        main([*changed, "--markdown", str(markdown), "--junit", str(junit)])
        return markdown.read_text(), junit.read_text()


def as_github(markdown: str) -> str:
    """The page of a summary in Markdown, with letters for its symbols, whose font is rarely installed."""
    html = MarkdownIt("gfm-like", {"html": True, "linkify": False}).enable("table").render(markdown)
    for sign, letter, name in (("✅", "✔", "passed"), ("❌", "✖", "failed"), ("❔", "?", "untold")):
        html = html.replace(sign, f'<b class="{name}">{letter}</b>')
    return f"<style>{_GITHUB}</style>{html}"


def as_gitlab(junit: str) -> str:
    """The page of a JUnit file: of each test its suite, its name, and the text of its failure; failed ones first."""
    rows = []
    for case in ElementTree.fromstring(junit).iter("testcase"):
        broken = next((part for part in case if part.tag in ("failure", "error")), None)
        status = {None: "success", "failure": "failed", "error": "error"}[broken.tag if broken is not None else None]
        text = f"<pre>{html.escape(broken.text or '')}</pre>" if broken is not None else ""
        cells = [html.escape(case.get(name) or "") for name in ("classname", "name")]
        rows.append((status, f"<td>{cells[0]}</td><td>{cells[1]}{text}</td><td class={status}>{status}</td>"))
    rows.sort(key=lambda row: ("failed", "error", "success").index(row[0]))
    counts = ", ".join(f"{sum(row[0] == status for row in rows)} {status}" for status in ("failed", "error", "success"))
    body = "".join(f"<tr>{row}</tr>" for _status, row in rows)
    head = "<tr><th>Suite</th><th>Name</th><th>Status</th></tr>"
    return f"<style>{_GITLAB}</style><h3>{len(rows)} tests: {counts}</h3><table>{head}{body}</table>"

"""An experiment file on the embedded model, as CI runs it: it passes, and fails after a change of the prompt."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from components.experiments.__main__ import main
from tests.embedded.conftest import KEY, Endpoint

FILE = """\
tempera: 1
name: Capitals
base:
  endpoint: environment
  messages:
    - user: What is the capital of {{country}}?
  settings: {temperature: 0, max_tokens: 8}
data:
  rows:
    - {country: France, other: Berlin}
repeats: 4
checks:
  - not_contains: "{{other}}"
  - length: {at_least: 5}
limits:
  - success_rate: {at_least: 1}
tolerances:
  answers: 0.05
"""


@pytest.fixture
def folder(endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("TEMPERA_BASE_URL", endpoint.base_url)
    monkeypatch.setenv("TEMPERA_API_KEY", KEY)
    before = os.umask(0)
    yield tmp_path
    os.umask(before)


def exit_code(folder: Path, text: str, *arguments: str) -> int:
    file = folder / "capitals.yaml"
    file.write_text(text)
    return main(["run", str(file), "--log", f"sqlite:///{folder / 'log.sqlite3'}", *arguments])


def test_the_file_passes_and_another_prompt_fails_the_build(folder: Path) -> None:
    report, junit, summary = (folder / name for name in ("report.json", "junit.xml", "summary.md"))
    files = ("--json", str(report), "--junit", str(junit), "--markdown", str(summary))
    assert exit_code(folder, FILE, *files) == 0
    assert ElementTree.parse(junit).getroot().get("failures") == "0"
    changed = FILE.replace("What is the capital", "Name a river")
    assert exit_code(folder, changed, "--baseline", str(report), "--junit", str(junit), "--markdown", str(summary)) == 1
    failed = {
        case.get("name") for case in ElementTree.parse(junit).iter("testcase") if case.find("failure") is not None
    }
    assert "baseline: similarity of the answers" in failed
    # A summary is appended: each job of a workflow adds its own.
    titles = [line for line in summary.read_text().splitlines() if line.startswith("## ")]
    assert [title.rpartition(": ")[2] for title in titles] == ["passed", "failed"]

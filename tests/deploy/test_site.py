"""The documentation as a site."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.deploy.container import ROOT

# Resources that a page loads; links may lead elsewhere.
_LOADED = re.compile(
    r"""(?:<(?:script|img|iframe|source)[^>]*\ssrc=|<link[^>]*\srel="?(?:stylesheet|icon|preload|preconnect)[^>]*\shref=|url\()["']?(?:https?:)?//[^"'>)]+"""
)


def test_every_document_is_a_page_without_dead_links_that_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHON": sys.executable}
    built = subprocess.run([ROOT / "deploy" / "build-site", tmp_path], env=environment, capture_output=True, text=True)
    assert (built.returncode, built.stderr) == (0, "")
    found = json.loads((tmp_path / "search" / "search_index.json").read_text())
    pages = {entry["location"].partition("#")[0] for entry in found["docs"]}
    documents = {f"docs/{path.stem}.html" for path in (ROOT / "docs").glob("*.md")}
    assert documents <= pages
    [navigation] = re.findall(
        r'<nav class="md-nav md-nav--primary.*?</nav>\s*</div>', (tmp_path / "index.html").read_text(), re.S
    )
    assert documents <= set(re.findall(r'href="([^"#]+)"', navigation))
    texts = [path.read_text() for path in tmp_path.rglob("*") if path.suffix in (".html", ".css")]
    assert [loaded for text in texts for loaded in _LOADED.findall(text)] == []

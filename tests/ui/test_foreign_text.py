"""Foreign text reaches the page by few doors. Read from the source, so that a new door is noticed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "components").rglob("*.py")])
RAW_HTML = {"html", "iframe", "components", "vega_lite_chart", "graphviz_chart"}


def calls(path: Path) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_shows_raw_html(path: Path) -> None:
    for call in calls(path):
        assert not any(keyword.arg in ("unsafe_allow_html", "unsafe_allow_javascript") for keyword in call.keywords)
        if isinstance(call.func, ast.Attribute) and call.func.attr in RAW_HTML:
            if path.name == "own_html.py":
                continue  # its tests stand in test_own_html.py
            # The other exception: our own style sheets, by their paths.
            assert ast.unparse(call).endswith(".css')"), f"line {call.lineno}: {ast.unparse(call)}"


def test_components_are_made_of_our_own_files() -> None:
    made = {
        f"{path.parent.name}/{path.stem}": {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        for path in SOURCES
        for call in calls(path)
        if ast.unparse(call.func).endswith("v2.component")
    }
    assert made == {
        "live_view/__init__": {
            "html": "(FOLDER / 'live_view.html').read_text()",
            "js": "(FOLDER / 'loader.js').read_text()",
            "isolate_styles": "False",
        },
        "answer/copy_button": {
            "html": '\'<button type="button" class="copy-text">Copy</button>\'',
            "js": "Path(__file__).with_suffix('.js').read_text()",
            "isolate_styles": "False",
        },
        "answer/html_text": {
            "html": "(FOLDER / 'blocks.html').read_text()",
            "js": "(FOLDER / 'assets' / 'blocks.js').read_text()",
            "isolate_styles": "False",
        },
        "runs_list/__init__": {
            "html": "'<div class=\"runs-list\"></div>'",
            "css": "(_FOLDER / 'runs_list.css').read_text()",
            "js": "(_FOLDER / 'runs_list.js').read_text()",
            "isolate_styles": "False",
        },
        "page_script/__init__": {
            "js": "(Path(__file__).parent / 'page_script.js').read_text()",
            "isolate_styles": "False",
        },
    }


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_an_endpoint_said_is_never_markdown_as_it_came(path: Path) -> None:
    """``.text``, ``.reasoning`` and the like of a run are drawn by ``draw_text``, or as plain text."""
    foreign = {"text", "reasoning", "raw_error", "error_message", "request_body", "arguments"}
    for call in calls(path):
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("markdown", "caption", "error", "warning"):
            for argument in call.args:
                assert not (isinstance(argument, ast.Attribute) and argument.attr in foreign), (
                    f"line {call.lineno}: {ast.unparse(call)}"
                )

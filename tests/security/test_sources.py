"""Rules that the source must keep: each new place for untrusted text, data or connections fails a test."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.browser.conftest import ROOT

COMPONENTS = ROOT / "components"
SOURCES = sorted([ROOT / "app.py", *(ROOT / "pages").rglob("*.py"), *COMPONENTS.rglob("*.py")])


def place(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text())))


def called(*names: str) -> set[str]:
    """The places that call one of these names or pass it as a keyword, as ``file: name``."""
    found = set()
    for path in SOURCES:
        for node in nodes(path):
            name = None
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", None))
            elif isinstance(node, ast.keyword):
                name = node.arg
            if name in names:
                found.add(f"{place(path)}: {name}")
    return found


def imported(*names: str) -> set[str]:
    """The files that import one of these modules or from them."""
    found = set()
    for path in SOURCES:
        for node in nodes(path):
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                modules = [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
            found |= {place(path) for module in modules for name in names if f"{module}.".startswith(f"{name}.")}
    return found


def test_html_is_drawn_in_one_module_apart_from_style_sheets() -> None:
    drawn = {
        f"{place(path)}: {ast.unparse(node)}"
        for path in SOURCES
        for node in nodes(path)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".html")
    }
    assert drawn == {
        "components/ui/answer/own_html.py: st.html(f'<style>{css}</style>')",
        "components/ui/answer/own_html.py: "
        "st.html(nh3.clean(html, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=set()))",
        "pages/navigation.py: st.html(Path(ui.__file__).parent / 'style.css')",
        "pages/navigation.py: st.html(live_view.FOLDER / 'live_view.css')",
        "pages/navigation.py: st.html(live_view.FOLDER / 'markdown.css')",
        "pages/navigation.py: st.html(live_view.FOLDER.parent / 'differences.css')",
    }


def test_components_use_own_files_only() -> None:
    made = {
        f"{path.parent.name}/{path.stem}": {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        for path in SOURCES
        for node in nodes(path)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("v2.component")
    }
    assert made == {
        "live_view/__init__": {
            "html": "(FOLDER / 'live_view.html').read_text()",
            "js": "(FOLDER / 'loader.js').read_text()",
            "isolate_styles": "False",
        },
        "answer/view_switches": {
            "html": '\'<button type="button" class="copy-text">Copy</button>\'',
            "js": "Path(__file__).with_name('copy_button.js').read_text()",
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
        "ui/replica_check": {"js": "_SCRIPT"},
    }


def test_endpoint_text_is_never_markdown() -> None:
    """``.text``, ``.reasoning`` and the like of a run are drawn by ``draw_text``, or as plain text."""
    foreign = {"text", "reasoning", "raw_error", "error_message", "request_body", "arguments"}
    draws_markdown = {"markdown", "caption", "error", "warning"}
    drawn = {
        f"{place(path)}: {ast.unparse(node)}"
        for path in SOURCES
        for node in nodes(path)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", None) in draws_markdown
        if any(isinstance(argument, ast.Attribute) and argument.attr in foreign for argument in node.args)
    }
    assert drawn == set()


def test_files_are_uploaded_in_one_place() -> None:
    takes_files = called("file_uploader", "camera_input", "audio_input", "accept_file", "accept_audio")
    assert takes_files == {"components/ui/uploads.py: file_uploader"}


def test_streamlit_is_imported_under_one_name() -> None:
    """The rules in this file depend on it to find every call."""
    whole = {
        f"{alias.name} as {alias.asname}"
        for path in SOURCES
        for node in nodes(path)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name.startswith("streamlit")
    }
    assert whole == {"streamlit as st"}
    assert not [path for path in SOURCES if "getattr(st," in path.read_text()]


def test_nothing_executes_untrusted_text() -> None:
    assert called("unsafe_allow_html", "unsafe_allow_javascript", "iframe", "declare_component") == set()
    assert called("vega_lite_chart", "graphviz_chart", "pydeck_chart", "bokeh_chart", "plotly_chart") == set()
    assert imported("streamlit.components.v1") == set()
    evaluates = {"components/checks/expression.py: eval"}  # simpleeval's, of comparisons and arithmetic
    assert {use for use in called("eval", "exec", "compile") if not _is_of_re(use)} == evaluates


def _is_of_re(use: str) -> bool:
    """Whether that file compiles patterns only."""
    file, _, name = use.partition(": ")
    source = (ROOT / file).read_text()
    return name == "compile" and source.count("compile(") == len(re.findall(r"\bre(?:gex)?\.compile\(", source))


def test_charts_have_own_fields_and_untrusted_values_only() -> None:
    """Altair gets a table of values; no expression is evaluated in the browser."""
    assert called("transform_calculate", "transform_filter", "ExprRef", "UrlData", "InlineData", "mark_image") == set()
    for chart in imported("altair"):
        specification = ("from_dict", "from_json", "expr")
        assert not [use for use in called(*specification) if use.startswith(chart)]


CACHED_BY_A_PART = {
    # By the id and full text of a run, which the caller already has.
    "_cached_curve(run_id, text, _read)",
    "_tokens(run_id, text, _read)",
    "_cached_pieces(run_id, text, _read)",
    # By an endpoint of the operator, whose key belongs to no visitor.
    "_listed(name, base_url, _endpoint)",
    # By the endpoint of a visitor, which each session has for itself.
    "_listed_for_session(name, base_url, _endpoint) SESSION",
}
"""Caches ignore arguments whose name begins with ``_``; each one here has a reason."""


def cached() -> Iterator[tuple[Path, ast.FunctionDef, str]]:
    """The cached functions with their keys."""
    for path in SOURCES:
        for node in nodes(path):
            if not isinstance(node, ast.FunctionDef):
                continue
            for decorator in map(ast.unparse, node.decorator_list):
                if any(kind in decorator for kind in ("cache_data", "cache_resource", "lru_cache", "functools.cache")):
                    arguments = ", ".join(argument.arg for argument in node.args.args)
                    kept_for = " BY_OWNER" if "hash_funcs=BY_OWNER" in decorator else ""
                    kept_for += " SESSION" if "scope='session'" in decorator else ""
                    yield path, node, f"{node.name}({arguments}){kept_for}"


def test_shared_caches_have_complete_keys() -> None:
    """Caches are shared: their content must belong to no visitor or have the owner in the key."""
    found = [(node, key) for path, node, key in cached() if place(path).startswith("components/ui/")]
    assert {key for _, key in found if re.search(r"[(, ]_\w", key.partition("(")[2])} == CACHED_BY_A_PART
    for node, key in found:
        # A log is keyed by its owner, which alone distinguishes two logs.
        assert ("BY_OWNER" in key) == ("log" in key.partition("(")[2]), key
        body = "\n".join(map(ast.unparse, node.body))
        assert not re.search(r"session_state|st\.(context|user|query_params)|own_log|\bowner\(|\bnetwork\(", body), key


def test_no_function_below_the_pages_caches_visitor_data() -> None:
    elsewhere = {key for path, _, key in cached() if not place(path).startswith("components/ui/")}
    # By the text of a check alone, which the caller provides.
    of_checks = {"_validator(schema)", "_compiled(pattern, ignore_case)", "parsed_expression(expression)"}
    # Made anew for each call, which is for one owner.
    of_one_call = {"inputs(experiment_id)"}
    assert elsewhere <= {"profile_named(name)", *of_checks, *of_one_call}


def test_the_only_replaced_global_has_no_visitor_data() -> None:
    found = {
        f"{place(path)}: {name}"
        for path in SOURCES
        for node in nodes(path)
        if isinstance(node, ast.Global)
        for name in node.names
    }
    assert found == {"components/server/process.py: _service"}


def test_connections_are_made_in_one_package() -> None:
    """All outgoing requests pass ``components/streaming``; import-linter checks the libraries within packages."""
    clients = "requests", "urllib3", "httpx", "aiohttp", "socket", "subprocess"
    assert all(file.startswith("components/") for file in imported(*clients))
    modules = imported("urllib.request", "http.client")
    assert all(file.startswith("components/streaming/") for file in modules)
    connects = called("create_connection", "connect", "connect_ex", "urlopen", "Session")
    # Models are listed with the session of that package; the log connects to its database.
    assert {use.split("/")[1] for use in connects} <= {"streaming", "endpoints", "log"}
    assert called("popen", "create_subprocess_exec", "create_subprocess_shell", "spawnv") == set()


def test_pages_show_no_files_or_images_by_address() -> None:
    """Streamlit fetches or reads the arguments of these; untrusted addresses or paths must not reach them."""
    shows = called("image", "audio", "video", "logo", "pdf", "camera_input", "audio_input", "avatar")
    assert shows == {"pages/navigation.py: logo"}  # a file of Tempera

"""The compared pages: how each is served, where its answer is, and how it is run."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.benchmarks.live_view.comparison import keep_comparison
from tests.benchmarks.live_view.llama_ui import llama_server, model
from tests.benchmarks.live_view.source import ROOT, Source, running_source
from tests.browser.conftest import app_process, free_port
from tests.waiting import wait_for

APPS = Path(__file__).parent / "apps"
NAVIGATION = ROOT / "pages" / "navigation.py"


class LeftOut(Exception):
    """A rival cannot be served here; the text says why."""


@dataclass(frozen=True)
class Case:
    """The streams of one measurement: lanes and tokens per second in each, zero for full speed."""

    tokens: int
    rate: float
    lanes: int = 1


@dataclass(frozen=True)
class Served:
    """A rival that runs. ``server`` is the process between source and page, ``database`` its log, if there is one."""

    address: str
    source: Source
    server: int | None = None
    database: Path | None = None


@dataclass(frozen=True)
class Rival:
    """``answer`` and ``run`` are selectors; ``prompt`` is that of a field which must hold something first."""

    name: str
    serve: Callable[[Case, Path], AbstractContextManager[Served]]
    answer: str
    run: str
    prompt: str | None = None


@contextmanager
def bare_page(case: Case, _folder: Path) -> Iterator[Served]:
    with running_source(case.tokens, case.rate) as source:
        yield Served(f"{source.address}/bare?lanes={case.lanes}", source)


def streamlit_app(script: str) -> Callable[[Case, Path], AbstractContextManager[Served]]:
    """A Streamlit app with Streamlit's defaults."""

    @contextmanager
    def serve(case: Case, folder: Path) -> Iterator[Served]:
        port = free_port()
        flags = ["--server.address", "127.0.0.1", "--server.port", str(port), "--server.headless", "true"]
        command = [sys.executable, "-m", "streamlit", "run", str(APPS / script), *flags]
        settings = {"STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false"}
        with (
            running_source(case.tokens, case.rate) as source,
            _app(command, folder, port, **settings, BASE_URL=source.base_url) as server,
        ):
            yield Served(f"http://127.0.0.1:{port}", source, server)

    return serve


def gradio_chat(python: str | None) -> Callable[[Case, Path], AbstractContextManager[Served]]:
    """Gradio, run by a Python that has it."""

    @contextmanager
    def serve(case: Case, folder: Path) -> Iterator[Served]:
        if python is None:
            raise LeftOut("Gradio is left out: --gradio-python names a Python that has it.")
        port = free_port()
        with (
            running_source(case.tokens, case.rate) as source,
            _app(
                [python, str(APPS / "gradio_chat.py")],
                folder,
                port,
                GRADIO_ANALYTICS_ENABLED="False",
                GRADIO_SERVER_PORT=str(port),
                BASE_URL=source.base_url,
            ) as server,
        ):
            yield Served(f"http://127.0.0.1:{port}", source, server)

    return serve


@contextmanager
def llama_ui(case: Case, _folder: Path) -> Iterator[Served]:
    weights = model()
    if weights is None:
        raise LeftOut(
            "llama.cpp's page is left out: its server wants the embedded model, which is not on this machine."
        )
    with llama_server(weights) as behind, running_source(case.tokens, case.rate, behind) as source:
        yield Served(source.address, source)


@contextmanager
def tempera(case: Case, folder: Path) -> Iterator[Served]:
    port = free_port()
    with (
        running_source(case.tokens, case.rate) as source,
        app_process(folder, port, TEMPERA_BASE_URL=source.base_url, TEMPERA_MODEL="m") as process,
    ):
        yield Served(f"http://127.0.0.1:{port}", source, process.pid, _database(folder))


def on_compare_page(
    serve: Callable[[Case, Path], AbstractContextManager[Served]],
) -> Callable[[Case, Path], AbstractContextManager[Served]]:
    """Tempera's compare page with the lanes of the case, on a server started this way."""

    @contextmanager
    def serve_compare_page(case: Case, folder: Path) -> Iterator[Served]:
        draft = keep_comparison(f"sqlite:///{_database(folder)}", case.lanes)
        with serve(case, folder) as served:
            yield replace(served, address=f"{served.address}/compare?draft={draft}")

    return serve_compare_page


def bench_app(script: Path) -> Callable[[Case, Path], AbstractContextManager[Served]]:
    """Tempera's own server with a page of the benchmark and a route that starts unwatched runs."""

    @contextmanager
    def serve(case: Case, folder: Path) -> Iterator[Served]:
        port = free_port()
        command = [sys.executable, "-m", "streamlit", "run", str(APPS / "bench.py"), "--server.port", str(port)]
        with (
            running_source(case.tokens, case.rate) as source,
            _app(
                command,
                folder,
                port,
                ROOT,
                BENCH_SCRIPT=str(script),
                TEMPERA_BASE_URL=source.base_url,
                TEMPERA_DATABASE_URL=f"sqlite:///{_database(folder)}",
                STREAMLIT_SECRETS_FILES=str(folder / "secrets.toml"),
            ) as server,
        ):
            yield Served(f"http://127.0.0.1:{port}", source, server, _database(folder))

    return serve


BARE_PAGE = Rival("bare page", bare_page, answer=".answer", run="button")
TEMPERA = Rival("Tempera", tempera, answer=".st-key-answer", run=".st-key-run button")
COMPARE = Rival(
    "Tempera",
    on_compare_page(tempera),
    answer="[class*=st-key-lane_answer_] .live-text",
    run=".st-key-run button",
)
LANES = {"bare": BARE_PAGE, "tempera": COMPARE}
"""Those that show several answers side by side: a click on ``run`` starts ``case.lanes`` streams, and ``answer`` finds
as many elements. Words carry their stream's name, so it does not matter which lane shows which stream."""
WRITE_STREAM = Rival(
    "`st.write_stream`", streamlit_app("write_stream.py"), answer=".st-key-answer", run=".st-key-run button"
)
FORM = replace(WRITE_STREAM, name="Streamlit, as many widgets", serve=streamlit_app("form.py"))
"""Not run: it shows how soon a page of that size is ready."""
BENCH_PLAYGROUND = replace(TEMPERA, serve=bench_app(NAVIGATION))
BENCH_COMPARE = replace(COMPARE, serve=on_compare_page(bench_app(NAVIGATION)))
"""The two on a server that can also start unwatched runs."""
BENCH_WIDGETS = replace(TEMPERA, serve=bench_app(APPS / "touched.py"))


def rivals(gradio_python: str | None) -> dict[str, Rival]:
    """All that show one answer, by the name for the command line, in the order of the table."""
    return {
        "bare": BARE_PAGE,
        "write_stream": WRITE_STREAM,
        "gradio": Rival(
            "Gradio",
            gradio_chat(gradio_python),
            answer="[data-testid=bot]",
            run="[data-testid=submit-button]",
            prompt="[data-testid=textbox]",
        ),
        "llama_ui": Rival(
            "llama.cpp's page", llama_ui, answer=".chat-message-assistant", run="button[type=submit]", prompt="textarea"
        ),
        "tempera": TEMPERA,
    }


def _database(folder: Path) -> Path:
    # The same path as in ``app_process``.
    return folder / "runs.sqlite3"


@contextmanager
def _app(
    command: list[str], folder: Path, port: int, working_folder: Path | None = None, **environment: str
) -> Iterator[int]:
    """The process of a server, once it listens. ``folder`` gets its log and is its default working directory."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TEMPERA_")}
    with (
        open(folder / "app.log", "a") as log,
        subprocess.Popen(
            command, cwd=working_folder or folder, env={**clean, **environment}, stdout=log, stderr=log
        ) as process,
    ):
        try:
            wait_for(lambda: _listens(port), 60)
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0

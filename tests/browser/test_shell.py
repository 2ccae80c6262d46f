"""What the server says of itself: the page's own HTML, its headers, numbers for the operator."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from sqlalchemy import insert

from app import frame_ancestors
from components.runs.database import Database
from components.runs.run import utc_now
from components.runs.tables import capsules
from tests.browser.conftest import serve_app
from tests.runs.test_finding import RECORDS, a_record, keep


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shell")


@pytest.fixture(scope="module")
def app(folder: Path) -> Iterator[str]:
    database = Database(f"sqlite:///{folder / 'runs.sqlite3'}")
    lately = [a_record(90 + number, created_at=utc_now(), ttft_ms=100.0 * number) for number in range(1, 4)]
    keep(database, *RECORDS, *lately)
    with database.writer.begin() as connection:
        shared = {"id": "A" * 22, "kind": "run", "title": "A private title", "content": b"x", "owner": "local"}
        moments = {"created_at": utc_now(), "expires_at": utc_now(-1000)}
        connection.execute(insert(capsules), shared | moments)
    database.close()
    own = {"TEMPERA_FRAME_ANCESTORS": "https://school.example 'none' javascript:x", "TEMPERA_DEMO": "1"}
    with serve_app(folder, **own) as address:
        yield address


def get(address: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(address, timeout=10)


@pytest.mark.parametrize("path", ["/", "/shared?c=" + "A" * 22, "/shared?c=nothing", "/runs?find=secret", "/?s=1.x.y"])
def test_programs_that_only_read_html_find_a_title_and_nothing_private(app: str, path: str) -> None:
    answer = get(app + path)
    title = "A shared answer · Tempera" if path.startswith("/shared") else "Tempera"
    assert f"<title>{title}</title>" in answer.text
    assert f'property="og:title" content="{title}"' in answer.text
    for private in ("A private title", "Grey waves", "secret", "A" * 22, "1.x.y"):
        assert private not in answer.text
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert answer.text.rstrip().endswith("</html>")


def test_what_is_there_and_what_is_not_has_the_same_html(app: str) -> None:
    assert get(f"{app}/shared?c={'A' * 22}").text == get(f"{app}/shared?c={'B' * 21}A").text


def test_only_sites_that_the_operator_names_may_frame_it(app: str) -> None:
    policy = get(app).headers["Content-Security-Policy"]
    assert re.search(r"frame-ancestors 'self' https://school\.example;", policy)
    assert frame_ancestors({}) == "'self'"
    assert frame_ancestors({"TEMPERA_FRAME_ANCESTORS": "* https://a; x"}) == "'self'"


def test_search_engines_are_sent_away(app: str) -> None:
    assert get(f"{app}/robots.txt").text == "User-agent: *\nDisallow: /\n"
    for path in ("/", "/healthz", "/metrics", "/robots.txt", "/shared?c=x", "/no/such", "/_stcore/health"):
        assert get(app + path).headers["X-Robots-Tag"] == "noindex, nofollow"


def test_the_operator_reads_numbers_and_no_words(app: str) -> None:
    answer = get(f"{app}/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    lines = dict(line.rsplit(" ", 1) for line in answer.text.splitlines())
    assert lines['tempera_runs_last_day{status="ok"}'] == "3"
    assert lines['tempera_ttft_ms{quantile="0.5"}'] == "200.0"
    assert lines['tempera_ttft_ms{quantile="0.95"}'] == "290.0"
    assert lines["tempera_demo_tokens_left"] == "200000"
    assert not any(word in answer.text for word in ("mine", "Grey", "local", "model"))

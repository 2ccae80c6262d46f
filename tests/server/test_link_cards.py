"""The HTML of a link for programs without JavaScript: it has a card only if the owner chose one."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import FileResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit import file_util

from components.log.owned import OwnLog
from components.server import link_cards
from components.server.page_shell import PageShell
from components.server.process import service
from components.sharing.capsules import publish, restore, revoke
from tests.sharing.records import a_capsule

ADDRESS = "https://tempera.example.org"
TITLE = 'The <sea> & "more"'
NOTHING = "/shared?c=" + "A" * 22


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("TEMPERA_PUBLIC_URL", ADDRESS)
    index = Path(file_util.get_static_dir()) / "index.html"
    routes = [*link_cards.routes(), Route("/shared", lambda _request: FileResponse(index))]
    with TestClient(Starlette(routes=routes, middleware=[Middleware(PageShell)])) as client:
        yield client


def shared(*, has_card: bool) -> str:
    return publish(own(), a_capsule(title=TITLE), has_card=has_card).id


def own() -> OwnLog:
    return OwnLog(service().log, "me")


def test_a_chosen_card_is_in_the_page_until_the_link_is_revoked(client: TestClient) -> None:
    nothing = client.get(NOTHING).content
    capsule_id = shared(has_card=True)
    page = client.get(f"/shared?c={capsule_id}").text
    assert '<meta property="og:title" content="The &lt;sea&gt; &amp; &quot;more&quot;">' in page
    assert f'<meta property="og:image" content="{ADDRESS}/cards/{capsule_id}.png">' in page
    assert 'content="summary_large_image"' in page
    picture = client.get(f"/cards/{capsule_id}.png")
    assert picture.headers["content-type"] == "image/png"
    assert Image.open(BytesIO(picture.content)).size == (1200, 630)
    revoked = revoke(own(), capsule_id)
    assert revoked
    assert client.get(f"/shared?c={capsule_id}").content == nothing
    assert client.get(f"/cards/{capsule_id}.png").status_code == 404
    restore(own(), revoked)
    assert client.get(f"/shared?c={capsule_id}").text == page


def test_the_page_of_every_other_link_is_the_same(client: TestClient) -> None:
    nothing, without = client.get(NOTHING).content, shared(has_card=False)
    for query in (
        f"c={without}",
        "",
        "c=",
        "c=%00",
        "c=x&" * 2_000,
        "c=" + "x" * 9_000,
        "c=' or 1=1 --",
        "c=%ff",
        "&&;",
    ):
        assert client.get(f"/shared?{query}").content == nothing
    assert client.get(f"/cards/{without}.png").status_code == 404


@pytest.mark.parametrize("setting", [{"TEMPERA_LINK_CARDS": "0"}, {"TEMPERA_DEMO": "1"}, {"TEMPERA_PUBLIC_URL": ""}])
def test_no_link_has_a_card_where_the_operator_does_not_allow_it(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, setting: dict[str, str]
) -> None:
    for name, value in setting.items():
        monkeypatch.setenv(name, value)
    capsule_id = shared(has_card=True)
    assert client.get(f"/shared?c={capsule_id}").content == client.get(NOTHING).content
    assert client.get(f"/cards/{capsule_id}.png").status_code == 404

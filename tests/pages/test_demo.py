"""A demo: its limits are shown and enforced, and visitors are separated."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from components.contract.messages import Role
from components.drafts.comparison import Comparison, Lane
from components.drafts.conversation import Turn
from components.drafts.draft import new_draft
from components.drafts.setting import FieldState, Setting
from components.log.owned import OwnLog
from components.log.query import count_runs
from components.server.process import close_service, service
from components.service import Secrets, Service
from components.settings import read_settings
from components.sharing.settings_link import settings_link
from components.ui import state
from components.ui.form import keys as form_keys
from components.ui.playground import keys as playground_keys
from components.ui.runs import keys as runs_keys
from components.ui.visitor import VISITOR
from tests.pages.conftest import Chat, new_page, run_to_the_end, texts, until_it_ended
from tests.waiting import wait_for


@pytest.fixture(autouse=True)
def _demo(monkeypatch: pytest.MonkeyPatch, chat: Chat) -> None:
    monkeypatch.setenv("TEMPERA_DEMO", "1")
    monkeypatch.setenv("TEMPERA_MODEL", "alpha")


def errors(page: AppTest) -> str:
    return "\n".join(error.value for error in page.error)


def pressed(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click().run()
    assert not page.exception
    return page


def by_link(prompt: str = "Hello", **parts: Any) -> AppTest:
    """The playground, opened by a link with these settings."""
    turns = (Turn(id="1", role=Role.USER, content=prompt),)
    draft = new_draft().model_copy(update={"turns": turns, "model": "alpha", "endpoint": "environment"} | parts)
    page = new_page()
    page.query_params["s"] = settings_link(draft)
    return page.run()


def test_the_limits_are_shown_in_advance(page: AppTest) -> None:
    assert page.expander[0].label == r"This is a demo\: 10 runs left now, 200 today, with 20,000 tokens"
    assert "you may use 20,000 of them, and all of your network together 50,000" in texts(page)
    assert "An answer may have 512 tokens, and take 60 s." in texts(page)
    run_to_the_end(page)
    assert page.run().expander[0].label.startswith(r"This is a demo\: 9 runs left now")


def test_an_omitted_max_tokens_is_sent_as_the_limit_shown(page: AppTest, chat: Chat) -> None:
    assert "sent: 512, the maximum here" in texts(page)
    run_to_the_end(page)
    assert [body["max_tokens"] for body in chat.bodies] == [512]


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"extra_body": '{"n": 5}'}, "sends no extra fields"),
        ({"model": "beta"}, "This model is not part of this demo"),
        ({"prompt": "x" * 12_001}, "The messages have 12,001 characters, and this demo takes 12,000"),
    ],
)
def test_the_limits_apply_to_opened_links(chat: Chat, parts: dict[str, Any], sentence: str) -> None:
    page = pressed(by_link(**parts), "run")
    wait_for(lambda: sentence in texts(page.run()))
    assert chat.bodies == []


def test_more_tokens_than_allowed_are_refused_also_when_sent_anyway(chat: Chat) -> None:
    settings = {**new_draft().settings, "max_tokens": Setting(state=FieldState.VALUE, value=100_000)}
    page = by_link(settings=settings)
    pressed(page, "run")
    assert "max\\_tokens must be at most 512" in errors(page)
    page.checkbox(key=state.SEND_ANYWAY).check().run()
    pressed(page, "run")
    wait_for(lambda: "This demo" in texts(page.run()) or "Nothing was sent" in errors(page))
    assert chat.bodies == []


def demo_page(**settings: Any) -> AppTest:
    """The page of a demo whose secrets file has these settings."""
    page = new_page()
    page.secrets["demo"] = {"enabled": True, **settings}
    return page.run()


def test_the_limit_of_runs_refuses_with_a_wait(chat: Chat) -> None:
    page = demo_page(runs_a_minute=2)
    for _ in range(2):
        run_to_the_end(page)
    pressed(page, "run")
    wait_for(lambda: "This demo allows 2 runs a minute" in texts(page.run()))
    assert len(chat.bodies) == 2
    assert page.expander[0].label.startswith(r"This is a demo\: 0 runs left now")


def test_configuration_problems_are_shown_to_the_operator_only(caplog: pytest.LogCaptureFixture) -> None:
    assert "runs_an_hour" not in texts(demo_page(runs_an_hour=2))
    assert "[demo] has the unknown setting runs_an_hour." in caplog.text


def test_visitors_do_not_see_each_others_runs(page: AppTest) -> None:
    run_to_the_end(page)
    run_id = page.session_state[state.SHOWN_RUN]
    other = new_page()
    other.query_params["run"] = run_id
    other.run()
    assert "Hello you" not in texts(other)
    other.switch_page("runs.py").run()
    assert [message.value.partition(".")[0] for message in other.info] == ["This run is not in the log", "No runs yet"]
    for stolen in ("experiment", "sweep", "draft", "plan"):
        thief = new_page()
        thief.query_params[stolen] = page.query_params.get("draft", run_id)
        assert "Hello you" not in texts(thief.run())
    mine = page.switch_page("runs.py").run()
    assert len(mine.session_state[runs_keys.LISTED_RUNS]) == 1
    owner = f"visitor {page.session_state[VISITOR]}"
    assert count_runs(OwnLog(service().log, owner).database) == 1
    assert count_runs(service().log.database) == 0


def test_a_claimed_identity_is_ignored(page: AppTest) -> None:
    run_to_the_end(page)
    for name in ("owner", "user", "visitor", "sub"):
        other = new_page()
        other.query_params[name] = page.session_state[VISITOR]
        other.switch_page("runs.py").run()
        assert other.session_state[VISITOR] != page.session_state[VISITOR]
        assert other.info[0].value.startswith("No runs yet.")


def test_addresses_of_endpoints_are_not_shown(page: AppTest, chat: Chat) -> None:
    host = chat.server.base_url.partition("//")[2].partition("/")[0]
    for part in ("Request", "Code"):
        page.session_state[playground_keys.VIEW] = part
        page.session_state[form_keys.LANGUAGE] = "curl"
        page.run()
        shown = texts(page) + "".join(code.value for code in page.code)
        assert host not in shown
    page.switch_page("runs.py")
    page.session_state[runs_keys.UPKEEP] = True
    assert "The log uses" not in texts(page.run())
    with pytest.raises(ValueError, match="Could not find a navigation page"):
        page.switch_page("endpoints.py")


def test_only_endpoints_chosen_by_the_operator_are_offered() -> None:
    secrets = Secrets({"demo": {"enabled": True, "endpoints": ["environment"]}})
    with closing(Service(read_settings, lambda: secrets)) as demo:
        assert list(demo.configuration().endpoints) == ["environment"]


def test_the_switch_stops_new_runs_and_keeps_pages_readable(
    page: AppTest, chat: Chat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = tmp_path / "stop"
    monkeypatch.setenv("TEMPERA_DEMO_STOP_FILE", str(stop))
    close_service()
    page = new_page().run()
    run_to_the_end(page)
    stop.touch()
    wait_for(lambda: page.run().warning)
    pressed(page, "run")
    until_it_ended(page)
    assert len(chat.bodies) == 1
    page.switch_page("runs.py").run()
    assert len(page.session_state[runs_keys.LISTED_RUNS]) == 2
    stop.unlink()
    wait_for(lambda: not new_page().run().warning)


def test_a_comparison_of_a_demo_has_limited_lanes(page: AppTest, chat: Chat) -> None:
    page.switch_page("compare.py").run()
    page.session_state[form_keys.COMPARISON] = Comparison(lanes=tuple(Lane(id=str(number)) for number in range(1, 6)))
    page.run()
    pressed(page, "run")
    assert "This demo runs 4 lanes at most. Mute or delete 1." in errors(page).replace("\\", "")
    assert chat.bodies == []


def test_without_a_log_nothing_is_sent(chat: Chat, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TEMPERA_DATABASE_URL", f"sqlite:///{tmp_path / 'no' / 'such'}")
    (tmp_path / "no").touch()
    close_service()
    page = new_page().run()
    assert str(tmp_path) not in texts(page) + "".join(each.value for each in page.warning)
    pressed(page, "run")
    until_it_ended(page)
    assert chat.bodies == []
    assert "counters cannot be reached" in texts(page)


def test_the_request_shown_equals_the_request_sent(page: AppTest, chat: Chat) -> None:
    page.session_state[playground_keys.VIEW] = "Request"
    page.run()
    shown = next(json.loads(code.value) for code in page.code if code.value.startswith("{"))
    run_to_the_end(page)
    assert chat.bodies == [shown]

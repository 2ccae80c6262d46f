"""Shared answers: chosen, previewed, opened by link, revoked."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from components.contract.messages import Role
from components.drafts.comparison import Comparison, Lane
from components.drafts.conversation import Turn
from components.drafts.draft import new_draft
from components.log.annotations import Annotation, annotate
from components.log.events import StoredEvent
from components.log.query import events_of, find_run
from components.log.tables import runs
from components.server.process import service
from components.sharing.capsule import Capsule, Kind
from components.sharing.capsules import open_capsule, own_capsules, publish, revoke
from components.sharing.collection import with_links_opened
from components.sharing.freezing import Choices, capsule_of
from components.sharing.linked_settings import linked_settings
from components.sharing.lookups import Lookups
from components.snippets.export import Language
from components.ui import state
from components.ui.experiment_file.keys import RULES
from components.ui.form import keys as form_keys
from components.ui.runs import keys as runs_keys
from components.ui.share import keys as share_keys
from components.ui.share.single_file import single_file
from tests.pages.conftest import Chat, new_page, run_to_the_end, text_components, texts
from tests.sharing.records import a_record
from tests.waiting import wait_for

NOTHING = "There is nothing here. The link has expired, was revoked, or is incomplete."
SYSTEM = "You are a pirate of the seven seas."


def opened(**parameters: str) -> AppTest:
    page = new_page().switch_page("shared.py")
    for name, value in parameters.items():
        page.query_params[name] = value
    return page.run()


def with_system(page: AppTest) -> AppTest:
    next(button for button in page.button if button.label.startswith("system")).click().run()
    box = next(area for area in page.text_area if area.value == "" and str(area.key).startswith("message_"))
    return box.set_value(SYSTEM).run()


def pressed(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click().run()
    assert not page.exception
    return page


def published(page: AppTest) -> str:
    """The id in the link that the dialog gives."""
    url = next(code.value for code in page.code if "shared?c=" in code.value)
    return str(url).partition("?c=")[2]


def shared(capsule: Capsule, **more: Any) -> str:
    new_page().run()
    return publish(service().log, capsule, **more).id


def a_capsule(**choices: bool) -> Capsule:
    record = a_record()
    data = json.dumps({"choices": [{"index": 0, "delta": {"content": record.text}}]})
    events = [StoredEvent("", data, 5.0, len(data))] * 2
    return capsule_of(
        [record],
        kind=Kind.RUN,
        title="The sea",
        choices=Choices(**choices),
        annotations={record.id: Annotation(4, ("calm",), "A note")},
        events={record.id: events},
    )


def test_an_answer_is_shared_and_visible_with_the_link(page: AppTest, chat: Chat) -> None:
    with_system(page)
    run_to_the_end(page)
    pressed(page, "share")
    assert any("Nothing is public yet." in caption.value for caption in page.caption)
    preview = next(code.value for code in page.code if code.value.startswith("title: "))
    assert "answer: Hello you" in preview
    assert SYSTEM not in preview
    assert own_capsules(service().log.database) == []
    pressed(page, "publish")
    other = opened(c=published(page))
    assert "Hello you" in texts(other)
    assert "Text made by a model, not checked by anyone." in texts(other)
    assert SYSTEM not in texts(other) + str([code.value for code in other.code])
    assert "The system message is not shared" in texts(other)
    assert len(chat.bodies) == 1


def test_the_system_message_is_shared_only_when_ticked(page: AppTest, chat: Chat) -> None:
    with_system(page)
    run_to_the_end(page)
    pressed(page, "share")
    page.checkbox(key=share_keys.SHARE_SYSTEM).check().run()
    pressed(page, "publish")
    other = opened(c=published(page))
    assert any(SYSTEM in code.value for code in other.code)


def test_other_choices_create_another_link(page: AppTest, chat: Chat) -> None:
    run_to_the_end(page)
    pressed(page, "share")
    pressed(page, "publish")
    first = published(page)
    page.checkbox(key=share_keys.SHARE_EVENTS).uncheck().run()
    assert not any("shared?c=" in code.value for code in page.code)
    pressed(page, "publish")
    assert published(page) != first
    assert len(own_capsules(service().log.database)) == 2


@pytest.mark.parametrize(
    "capsule_id", ["", ":id", "0", "None", "%00", "A" * 22, "x" * 10_000, "' or 1=1 --", "\u202e", "%", "_" * 22]
)
def test_all_missing_capsules_have_the_same_message(chat: Chat, capsule_id: str) -> None:
    page = opened(c=capsule_id)
    assert not page.exception
    assert [info.value for info in page.info] == [NOTHING]


def test_expired_and_revoked_links_look_unknown(chat: Chat) -> None:
    ended, back = shared(a_capsule(), days=1e-9), shared(a_capsule())
    page = opened()
    pressed(page, f"revoke_{back}")
    assert [info.value for info in page.info] == [
        "You have no shared links. *Share* creates one for an answer or a comparison."
    ]
    for gone in (ended, back, "A" * 22):
        assert [info.value for info in opened(c=gone).info] == [NOTHING]
    pressed(page, "restore_link")
    assert opened(c=back).subheader


def test_guessing_is_rate_limited(chat: Chat) -> None:
    service().lookups = Lookups(2, clock=lambda: 0.0)  # otherwise a slow machine would be allowed another one
    for _ in range(2):
        assert opened(c="A" * 22).info[0].value == NOTHING
    assert opened(c="A" * 22).info[0].value.startswith("Too many invalid links were opened from here.")


def test_a_link_is_unchanged_by_later_changes_of_the_run(page: AppTest, chat: Chat) -> None:
    run_to_the_end(page)
    pressed(page, "share")
    pressed(page, "publish")
    capsule_id = published(page)
    before = texts(opened(c=capsule_id))
    service().log.write(lambda connection: connection.execute(update(runs).values(text="changed")))
    assert texts(opened(c=capsule_id)) == before
    service().log.write(lambda connection: connection.execute(runs.delete()))
    assert texts(opened(c=capsule_id)) == before


def test_notes_are_shared_only_when_they_are_ticked(page: AppTest, chat: Chat) -> None:
    run_to_the_end(page)
    run_id = page.session_state[state.SHOWN_RUN]
    annotate(service().log, run_id, Annotation(4, ("calm",), "A private note"))
    pressed(page, "share")
    pressed(page, "publish")
    assert "A private note" not in texts(opened(c=published(page)))
    page.checkbox(key=share_keys.SHARE_NOTES).check().run()
    pressed(page, "publish")
    shown = texts(opened(c=published(page)))
    assert "A private note" in shown
    assert "★★★★" in shown


def test_a_copy_opens_in_the_playground_and_sends_nothing(chat: Chat) -> None:
    page = opened(c=shared(a_capsule(system_message=True)))
    pressed(page, "fork_run")
    messages = [area.value for area in page.text_area if str(area.key).startswith("message_")]
    assert messages[-1] in a_record().request_body
    assert any("Opened from a shared link." in text.value for text in page.markdown)
    assert chat.bodies == []


def test_a_copy_without_a_shared_system_message_has_none(chat: Chat) -> None:
    record = replace(
        a_record(),
        request_body='{"model":"m","messages":[{"role":"system","content":"A secret message"},'
        '{"role":"user","content":"Hello"}],"stream":true}',
    )
    capsule = capsule_of([record], kind=Kind.RUN, title="", choices=Choices())
    page = opened(c=shared(capsule))
    assert page.button(key=share_keys.REPRODUCE).disabled
    pressed(page, "fork_run")
    assert [area.value for area in page.text_area if str(area.key).startswith("message_")] == ["Hello"]


def test_a_visitor_reproduces_an_answer_and_the_link_stores_the_verdict(page: AppTest, chat: Chat) -> None:
    run_to_the_end(page)
    pressed(page, "share")
    page.checkbox(key=share_keys.SHARE_REPRODUCTIONS).check().run()
    pressed(page, "publish")
    link = published(page)
    other = opened(c=link)
    assert "Reproduced" not in texts(other)
    pressed(other, share_keys.REPRODUCE)
    # The verdict is stored even if the visitor's page is not drawn again.
    wait_for(lambda: "Reproduced by visitors: identical once" in texts(opened(c=link)))
    assert len(chat.bodies) == 5
    assert set(map(str, chat.bodies)) == {str(chat.bodies[0])}
    shown = texts(other.run())
    assert "Every new answer equals an original one." in shown
    assert "Identical: **Run 1, New answer 1** (2 of 2)" in shown
    revoke(service().log, link)
    assert "The link was revoked or has expired meanwhile." in texts(other.run())


def test_shared_checks_are_shown_and_run_on_new_answers(page: AppTest, chat: Chat) -> None:
    page.session_state[RULES] = "checks:\n  - contains: Hello\n  - length: {at_most: 1, unit: words}\n"
    run_to_the_end(page)
    pressed(page, "share")
    page.checkbox(key=share_keys.SHARE_CHECKS).check().run()
    pressed(page, "publish")
    other = opened(c=published(page))
    assert "**contains “Hello”** “Hello” is at character 1." in texts(other)
    pressed(other, share_keys.REPRODUCE)
    wait_for(lambda: "Every new answer equals an original one." in texts(other.run()))
    assert other.table[0].value.loc["checks passed"].tolist() == ["0 of 1 → 0 of 4 · identical"]


def test_a_collection_contains_links_that_can_each_be_reproduced(page: AppTest, chat: Chat) -> None:
    run_to_the_end(page)
    pressed(page, "share")
    page.checkbox(key=share_keys.SHARE_REPRODUCTIONS).check().run()
    pressed(page, "publish")
    first, gone = published(page), shared(a_capsule())
    shared(capsule_of([a_record(text="x" * 12_000)], kind=Kind.RUN, title="Long", choices=Choices()))
    own = pressed(opened(), "new_collection")
    names = own.multiselect(key=share_keys.COLLECTED).options  # the newest link is the first
    own.multiselect(key=share_keys.COLLECTED).set_value(names).run()
    own.text_input(key=share_keys.COLLECTION_TITLE).set_value("My report").run()
    own.text_area(key=f"{share_keys.COLLECTION_NOTE}{first}").set_value("A **note** ![x](http://x/)").run()
    pressed(own, "publish")
    link = own_capsules(service().log.database)[0].id
    assert any(link in code.value for code in own.code)
    pressed(own, f"revoke_{gone}")
    other = opened(c=link)
    assert other.title[0].value == "My report"
    assert [info.value for info in other.info] == ["This link was revoked or has expired."]
    notes = [block for drawn in text_components(other) for block in drawn.get("blocks", ())]
    assert any("<strong>note</strong>" in block for block in notes)
    assert not any("<img" in block for block in notes)
    assert any("Hello you" in block for block in notes)
    assert max(map(len, notes)) < 11_000
    assert "The first 10,000 of 12,000 characters." in texts(other)
    pressed(other, f"{share_keys.REPRODUCE}3")
    wait_for(lambda: "Reproduced by visitors: identical once" in texts(opened(c=link)))
    assert "Every new answer equals an original one." in texts(other.run())
    # The file contains a copy of the shown content.
    file = single_file(
        with_links_opened(service().log.database, open_capsule(service().log.database, link)), service().log
    )
    assert "This link was revoked or has expired." in file
    revoke(service().log, first)
    assert len(opened(c=link).info) == 2
    read = opened()
    read.file_uploader(key="shared_file").upload("report.html", file.encode(), "text/html").run()
    assert [alert.value for alert in read.success] == ["Unchanged since this Tempera signed it."]
    assert len(read.info) == 1
    read.selectbox(key=share_keys.SHOWN_ENTRY).set_value(1).run()
    assert not read.exception
    assert "Hello you" in texts(read)


def test_an_answer_whose_system_message_is_not_shared_cannot_be_reproduced(page: AppTest, chat: Chat) -> None:
    run_to_the_end(with_system(page))
    pressed(page, "share")
    pressed(page, "publish")
    button = opened(c=published(page)).button(key=share_keys.REPRODUCE)
    assert button.disabled
    assert button.help == "The system message is not shared, so the requests cannot be sent again."


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        ("", "", "Unchanged since this Tempera signed it."),
        ("Hello there", "Hello where", "Changed after it was signed. Do not rely on anything in it."),
        ("tempera-signature", "other", "Not signed: anyone may have changed it."),
        ("tempera-capsule", "other", "This file holds nothing shared by Tempera. Choose one that Tempera saved."),
        ("</script>", "", "The end of this file is missing. Ask for it to be sent again."),
        (
            '"app_version":"',
            '"of_the_future":1,"app_version":"9',
            "This was shared by a newer version of Tempera. Update Tempera to open it.",
        ),
    ],
)
def test_a_shared_file_is_opened_and_checked(chat: Chat, before: str, now: str, words: str) -> None:
    page = opened()
    file = single_file(a_capsule(), service().log).replace(before, now)
    page.file_uploader(key="shared_file").upload("sea.html", file.encode(), "text/html").run()
    assert not page.exception
    assert [alert.value for alert in (*page.success, *page.warning, *page.error)] == [words]
    assert ("Hello" in texts(page)) is ("signed" in words)
    assert chat.bodies == []


def test_a_comparison_is_shared_with_its_lanes(chat: Chat) -> None:
    first = a_record()
    other = replace(first, id="f" * 32, text="Another answer")
    lanes = Comparison(lanes=(Lane(id="1", name="calm"), Lane(id="2")))
    turns = (Turn(id="1", role=Role.USER, content="Hello"),)
    draft = new_draft().model_copy(update={"comparison": lanes, "turns": turns})
    capsule = capsule_of(
        [first, other],
        kind=Kind.COMPARISON,
        title="Two",
        choices=Choices(),
        labels={first.id: "A · calm", other.id: "B"},
        settings=linked_settings(draft, comparison=True),
    )
    page = opened(c=shared(capsule))
    shown = texts(page)
    assert "**A · calm**" in shown
    assert first.text in shown
    assert "Request" in shown
    assert "words added" in shown
    pressed(page, "fork_comparison")
    assert [lane.name for lane in page.session_state[form_keys.COMPARISON].lanes] == ["calm", ""]
    assert chat.bodies == []


def test_several_runs_of_the_log_are_shared_at_once(page: AppTest, chat: Chat) -> None:
    run_to_the_end(page)
    page.text_area(key="message_1").set_value("Second").run()
    run_to_the_end(page)
    page.switch_page("runs.py").run()
    page.session_state[runs_keys.CHOSEN_RUNS] = page.session_state[runs_keys.LISTED_RUNS][:2]
    page.run()
    pressed(page, "share_runs")
    pressed(page, "publish")
    assert "Second" in str([code.value for code in opened(c=published(page)).code])


def test_events_are_shared_for_a_replay(page: AppTest, chat: Chat) -> None:
    run_to_the_end(page)
    run_id = page.session_state[state.SHOWN_RUN]
    wait_for(lambda: events_of(service().log.database, run_id))
    pressed(page, "share")
    pressed(page, "publish")
    other = opened(c=published(page))
    other.session_state[share_keys.RUN_PART] = "Events"
    table = other.run().dataframe[-1].value
    assert table["data"].str.contains("Hello").any()
    record = find_run(service().log.database, run_id)
    assert record is not None
    assert len(table) == record.event_count


def test_shared_code_contains_no_address(page: AppTest, chat: Chat) -> None:
    run_to_the_end(page)
    pressed(page, "share")
    pressed(page, "publish")
    other = opened(c=published(page))
    other.session_state[share_keys.RUN_PART] = "Code"
    other.session_state[form_keys.LANGUAGE] = Language.CURL.label
    other.run()
    shown = str([code.value for code in other.code]) + texts(other)
    assert "https://host/v1" in shown
    assert "127.0.0.1" not in shown

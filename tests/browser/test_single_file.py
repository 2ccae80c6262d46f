"""A capsule as one file, opened from disk in Chromium without a network."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from components.log.log import Log
from components.sharing.capsule import Capsule, Entry, Kind
from components.sharing.freezing import Choices, capsule_of
from components.ui.share.single_file import single_file
from tests.browser.hostile import LEAK, STRINGS
from tests.chromium import new_context
from tests.sharing.records import RUN_ID, a_likely_event, a_record, an_event


def opened(page: Page, folder: Path, capsule: Capsule) -> list[str]:
    """Open the file; returns the addresses that the page asks for, the file's own first."""
    log = Log(f"sqlite:///{folder / 'log.sqlite3'}")
    try:
        content = single_file(capsule, log)
    finally:
        log.close()
    file = folder / "capsule.html"
    file.write_text(content)
    requests: list[str] = []
    problems: list[str] = []

    def note(request: Request) -> None:
        requests.append(request.url)

    page.on("request", note)
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(file.as_uri())
    assert not problems
    return requests


@pytest.fixture
def offline(chromium: Browser) -> Page:
    context = new_context(chromium)
    context.set_offline(True)
    return context.new_page()


def two_lanes() -> Capsule:
    words = {"1" * 32: ["The ", "sea ", "is 🌊 ", "calm."], "2" * 32: ["The ", "sea ", "is 🌊 ", "wild."]}
    return capsule_of(
        [a_record(id=name, text="".join(pieces), event_count=4) for name, pieces in words.items()],
        kind=Kind.COMPARISON,
        title="The sea",
        choices=Choices(),
        labels=dict(zip(words, "AB", strict=True)),
        events={
            name: [an_event(word, 100.0 * number) for number, word in enumerate(pieces, 1)]
            for name, pieces in words.items()
        },
    )


def collection(*parts: tuple[str, Capsule | None]) -> Capsule:
    entries = tuple(Entry(note=note, link="A" * 22, capsule=capsule) for note, capsule in parts)
    return Capsule(kind=Kind.COLLECTION, title="A report", app_version="1.0.0", entries=entries)


def test_a_file_shows_answers_differences_events_and_a_replay(offline: Page, tmp_path: Path) -> None:
    assert opened(offline, tmp_path, two_lanes()) == [(tmp_path / "capsule.html").as_uri()]
    first = offline.locator("article").first
    expect(first.locator(".final")).to_have_text("The sea is 🌊 calm.")
    expect(offline.locator(".branch").first).to_contain_text("The sea is 🌊")
    expect(offline.locator(".word-difference ins")).to_contain_text("wild")
    slider = first.get_by_role("slider")
    slider.fill("3")
    expect(first.locator(".played")).to_have_text("The sea is 🌊")
    expect(first.locator(".final")).to_be_hidden()
    expect(first.locator("output")).to_have_text("0.30 s · event 3 of 4")
    first.get_by_role("button", name="Replay").click()
    expect(first.locator(".final")).to_be_visible()
    first.get_by_text("Events").click()
    expect(first.locator(".events tr")).to_have_count(4)
    expect(first.locator(".events tr").nth(2)).to_contain_text("300.0 ms")


def test_a_collection_is_one_file_in_which_each_answer_has_its_replay_and_events(offline: Page, tmp_path: Path) -> None:
    one = capsule_of(
        [a_record(text="Far away")],
        kind=Kind.RUN,
        title="One",
        choices=Choices(),
        events={RUN_ID: [an_event("Far away", 50.0)]},
    )
    assert len(opened(offline, tmp_path, collection(("**First**", one), ("", None), ("", two_lanes())))) == 1
    expect(offline.locator(".note strong")).to_have_text("First")
    expect(offline.get_by_text("This link was revoked or has expired.")).to_be_visible()
    expect(offline.locator("h2")).to_have_text(["One", "The sea"])
    last = offline.locator("article").last
    last.get_by_role("slider").fill("4")
    expect(last.locator(".final")).to_have_text("The sea is 🌊 wild.")
    last.get_by_role("slider").fill("3")
    expect(last.locator(".played")).to_have_text("The sea is 🌊")
    last.get_by_text("Events").click()
    expect(last.locator(".events tr")).to_have_count(4)
    offline.locator("article").first.get_by_text("Events").click()
    expect(offline.locator("article").first.locator(".events tr")).to_contain_text("Far away")


def test_a_file_shows_the_probabilities_that_were_chosen(offline: Page, tmp_path: Path) -> None:
    capsule = capsule_of(
        [a_record(text="The sea", mean_logprob=-0.25)],
        kind=Kind.RUN,
        title="The sea",
        choices=Choices(probabilities=True),
        events={RUN_ID: [a_likely_event("The", "<b>A"), a_likely_event(" sea", "</script> lake")]},
    )
    assert len(opened(offline, tmp_path, capsule)) == 1
    offline.get_by_text("Token probabilities").click()
    sea = offline.locator(".token", has_text=" sea")
    expect(sea).to_have_class("token token-1")  # 77.9 %
    sea.hover()
    expect(offline.locator(".lens-card")).to_contain_text("“␣sea”")
    expect(offline.locator(".lens-alternative").nth(1)).to_contain_text("“</script> lake”22.3 %")
    offline.locator(".live-text").press("Home")
    expect(offline.locator(".lens-alternative").nth(1)).to_contain_text("“<b>A”")


def test_hostile_texts_run_and_load_nothing(offline: Page, tmp_path: Path) -> None:
    texts = [text.replace(LEAK, "http://127.0.0.1:9") for text in STRINGS]
    hostile = "\n\n".join(texts)
    records = [
        a_record(
            id=f"{number:032x}",
            text=hostile,
            reasoning=hostile,
            model=texts[number],
            finish_reason=texts[number],
            error_message=texts[-number],
            served_model=texts[number],
        )
        for number in range(1, 4)
    ]
    inner = capsule_of(
        records,
        kind=Kind.RUNS,
        title=texts[24],
        choices=Choices(notes=True),
        labels={record.id: text for record, text in zip(records, texts[22:], strict=False)},
        events={record.id: [an_event(text, 1.0) for text in texts] for record in records},
    )
    requested = opened(offline, tmp_path, collection((hostile, inner)).model_copy(update={"title": texts[24]}))
    for events in offline.locator(".events summary").all():
        events.click()
    for reasoning in offline.get_by_text("Reasoning").all():
        reasoning.click()
    assert len(requested) == 1
    assert offline.evaluate("window.__xss") is None
    assert offline.locator("img, iframe, object, embed, form, link, base, main script, main style").count() == 0

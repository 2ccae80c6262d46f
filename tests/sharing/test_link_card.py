"""The card of a capsule: settings that differ, and a picture without words."""

from __future__ import annotations

from components.sharing.capsule import Kind
from components.sharing.collection import collection_of
from components.sharing.link_card import link_card
from tests.sharing.records import a_body, a_capsule, a_record


def lanes(*texts: str, **fields: list[object]):
    records = [
        a_record(
            id=f"{number:032x}",
            text=text,
            request_body=a_body(**{name: values[number] for name, values in fields.items()}),
        )
        for number, text in enumerate(texts)
    ]
    return a_capsule(*records, kind=Kind.COMPARISON, title="The sea")


def test_a_card_of_a_collection_shows_no_content() -> None:
    card = link_card(collection_of("My report", [("A" * 22, "A private note")]))
    assert card.title == "My report"
    assert card.description == "Answers of models, with their settings and timing, and notes between them."


def test_a_card_names_the_settings_that_differ() -> None:
    capsule = lanes("One", "Two", temperature=[0.5, 1.0], max_tokens=[9, 9], stop=[["canary text"], ["other"]])
    assert link_card(capsule).description == "temperature 0.5 / 1.0"


def test_the_picture_shows_the_shape_of_the_answers_without_their_text() -> None:
    first, second = lanes("The calm sea", "The wild sea"), lanes("Mon tout vif", "Mon cher vif")
    assert link_card(first).picture == link_card(second).picture
    assert link_card(first).picture != link_card(lanes("The calm sea", "The calm sea")).picture


def test_hidden_characters_in_a_title_are_marked() -> None:
    assert link_card(a_capsule(title="sea\u202eaes")).title == "sea⟨U+202E⟩aes"


def test_a_card_is_small_for_any_content() -> None:
    capsule = lanes(*["x" * 300_000 + " word" * 100_000] * 7, model=["m" * 10_000] * 7)
    assert len(link_card(capsule).picture) < 60_000

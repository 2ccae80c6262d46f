"""Typed and chosen values stay, even if the browser sends a message before it receives the server's update.

Each message carries every widget's value. A run that ends, a switch or a second press sends one at any time.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.security.conftest import App
from tests.security.open_page import OpenPage
from tests.security.session import session


@pytest.fixture
def page(running: App) -> Iterator[OpenPage]:
    with session(running.address) as connection:
        yield OpenPage(connection)


def test_a_number_typed_as_a_run_ended_is_sent(page: OpenPage) -> None:
    page.send(temperature=0.2)
    page.wait()
    page.send()  # the browser has not yet received the update
    page.learn()
    assert (page.value("temperature"), page.value("temperature_state")) == (0.2, "value")


def test_a_number_typed_just_before_another_message_is_sent(page: OpenPage) -> None:
    page.send(temperature=0.2)
    page.send()
    page.send()
    page.learn()
    assert (page.value("temperature"), page.value("temperature_state")) == (0.2, "value")


def test_null_chosen_right_after_typing_a_number_is_kept(page: OpenPage) -> None:
    page.send(temperature=0.2)
    page.wait()
    page.send(temperature_state="null")
    page.send()
    page.learn()
    assert (page.value("temperature"), page.value("temperature_state")) == (0.2, "null")


def test_omit_chosen_after_the_value_was_shown_is_kept(page: OpenPage) -> None:
    page.send(temperature=0.2)
    page.learn()
    page.send(temperature_state="omit")
    page.wait()
    page.send()
    page.learn()
    assert page.value("temperature_state") == "omit"


def test_the_slider_and_the_number_keep_the_last_choice(page: OpenPage) -> None:
    page.send(temperature=0.2)
    page.learn()
    page.send(temperature_slider=0.9)
    page.wait()
    page.send()
    page.learn()
    assert (page.value("temperature"), page.value("temperature_slider")) == (0.9, 0.9)
    page.send(temperature=0.4)
    page.wait()
    page.send()
    page.learn()
    assert (page.value("temperature"), page.value("temperature_slider")) == (0.4, 0.4)


def test_a_number_beyond_the_slider_stays(page: OpenPage) -> None:
    page.send(temperature=0.2)
    page.learn()
    page.send(temperature=7.5)
    page.wait()
    page.send()
    page.learn()
    assert page.value("temperature") == 7.5


def test_a_reset_as_a_run_ended_is_kept(page: OpenPage) -> None:
    page.send(temperature=0.2, stream=False)
    page.learn()
    page.send("reset_all")
    page.wait()
    page.send()
    page.learn()
    assert (page.value("temperature_state"), page.value("stream")) == ("omit", True)
    page.send("undo")
    page.wait()
    page.send()
    page.learn()
    assert (page.value("temperature_state"), page.value("stream")) == ("value", False)


def test_a_message_keeps_text_typed_at_the_end_of_a_run(page: OpenPage) -> None:
    page.send(message_1="Typed now.")
    page.send()
    page.learn()
    assert page.value("message_1") == "Typed now."

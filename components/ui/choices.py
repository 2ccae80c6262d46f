"""Controls shared by several pages: a choice of views, buttons of actions and files, popovers, menus, and steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from components.ui import presses


def choose_view(label: str, views: Sequence[str], key: str, *, first: str | None = None) -> str:
    """Draw a choice of views; returns the chosen one. It begins with ``first``, or the first view."""
    chosen: str = st.segmented_control(
        label,
        views,
        default=first or views[0],
        key=key,
        required=True,
        label_visibility="collapsed",
        persist_state="session",
    )
    return chosen


def draw_action(label: str, key: str, icon: str, action: Callable[..., object], *args: Any, **options: Any) -> None:
    """Draw a button without a border; a press queues the action. ``options`` are further ones of ``st.button``."""
    st.button(label, key=key, type="tertiary", icon=icon, on_click=presses.soon(action, *args), **options)


def draw_file_button(
    label: str, key: str, make: Callable[[], str | bytes], name: str, media_type: str, what: str | None = None
) -> None:
    """Draw a button without a border that saves a file of that name; ``make`` is called when it is pressed."""
    st.download_button(
        label,
        make,
        name,
        media_type,
        key=key,
        help=what,
        type="tertiary",
        icon=":material/download:",
        on_click="ignore",
    )


def draw_popover(label: str, key: str, icon: str, draw: Callable[[], object], **options: Any) -> None:
    """Draw a popover without a border; ``draw`` draws its content, only while it is open.

    ``options`` are further ones of ``st.popover``.
    """
    popover = st.popover(label, key=key, type="tertiary", icon=icon, on_change="rerun", **options)
    if popover.open:
        with popover:
            draw()


def draw_more(label: str, actions: Mapping[str, Callable[[], object]], key: str) -> None:
    """Draw the menu of further actions, by their labels."""
    st.menu_button(
        label,
        list(actions),
        key=key,
        type="tertiary",
        icon=":material/more_horiz:",
        on_click=presses.soon_chosen(key, lambda chosen: actions[chosen]()),
    )


def draw_steps(item: str, number: int, count: int, *, key: Callable[[str], str], go: Callable[[int], None]) -> None:
    """Draw the position ``number`` of ``count``, from 1, between the buttons for the previous and the next item.

    ``item`` is the word for an item. ``key`` makes a button's key of ``previous`` or ``next``; ``go`` gets -1 or 1.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall", width="content"):
        for step, icon, name in ((-1, ":material/chevron_left:", "Previous"), (1, ":material/chevron_right:", "Next")):
            if step == 1:
                st.markdown(f":small[{number}/{count}]", width="content")
            is_there = 1 <= number + step <= count
            draw_action(f"{name} {item}", key(name.lower()), icon, go, step, disabled=not is_there)

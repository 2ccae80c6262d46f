"""Buttons for the previous and the next of several items: ‹ 2/5 ›."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from components.ui.choices import draw_action


def draw_steps(item: str, number: int, count: int, *, key: Callable[[str], str], go: Callable[[int], None]) -> None:
    """Draw the position ``number`` of ``count``, from 1, and both buttons.

    ``item`` is the word for an item. ``key`` makes a button's key of ``previous`` or ``next``; ``go`` gets -1 or 1.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall", width="content"):
        for step, icon, name in ((-1, ":material/chevron_left:", "Previous"), (1, ":material/chevron_right:", "Next")):
            if step == 1:
                st.markdown(f":small[{number}/{count}]", width="content")
            is_there = 1 <= number + step <= count
            draw_action(f"{name} {item}", key(name.lower()), icon, go, step, disabled=not is_there)

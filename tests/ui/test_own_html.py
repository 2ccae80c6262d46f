"""The sanitizer for the app's own HTML."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<style>*{display:none}</style>",
    "<a href='javascript:alert(1)'>x</a>",
    "<div onclick=alert(1) style='position:fixed' id=x>y</div>",
    "<svg onload=alert(1)></svg>",
]


def drawn(function: str, text: str) -> str:
    def script(function: str, text: str) -> None:
        from components.ui.answer import own_html

        getattr(own_html, function)(text)

    page = AppTest.from_function(script, args=(function, text)).run()
    assert not page.exception
    return "".join(element.proto.body for element in page.get("html"))


@pytest.mark.parametrize("text", HOSTILE)
def test_only_diff_marks_are_kept(text: str) -> None:
    shown = drawn("draw_marked", f'<div class="branch">{text}<ins>new</ins></div>')
    assert "<ins>new</ins>" in shown
    assert not any(sign in shown for sign in ("alert", "<img", "<style", "<a", "<svg", "style=", "id="))


def test_a_style_with_a_closing_tag_is_refused() -> None:
    with pytest.raises(AssertionError):
        drawn("draw_style", "a {} </style><script>alert(1)</script>")


def test_a_style_is_drawn() -> None:
    assert drawn("draw_style", ".x { display: none }") == "<style>.x { display: none }</style>"

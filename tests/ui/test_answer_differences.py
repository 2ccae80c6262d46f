"""The compared answers: of runs with several choices, the selected ones."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def script() -> None:
    import json
    from dataclasses import replace

    from components.ui.answer.answer_differences import draw_first_divergence, draw_word_differences
    from tests.sharing.records import a_record

    choices = [
        {"text": text, "reasoning": "", "tool_calls": [], "finish_reason": "stop"} for text in ("red sky", "wide sea")
    ]
    record = replace(a_record(), id="", text="blue sky", tool_calls="[]", further_choices=json.dumps(choices))
    draw_word_differences({"A": record, "B": replace(record, text="wide sea", further_choices="[]")}, "A")
    draw_first_divergence({"C": replace(record, id="x")})


def visible_text(page: AppTest) -> str:
    return " ".join([each.value for each in page.markdown] + [each.proto.body for each in page.get("html")])


def test_further_choices_of_a_run_can_be_compared() -> None:
    page = AppTest.from_function(script).run()
    assert not page.exception
    pair, one = page.multiselect
    assert pair.options == ["A", "A, choice 2", "A, choice 3", "B"]
    assert pair.value == ["A", "B"], "the first choices, until others are selected"
    assert one.value == ["C", "C, choice 2", "C, choice 3"], "all choices of one run alone"
    assert "<b>C, choice 2</b>" in visible_text(page)
    page = pair.set_value(["A, choice 2", "A, choice 3", "B"]).run()
    assert "**A, choice 3** :small[:gray[against A, choice 2:" in visible_text(page)
    assert not page.multiselect[0].set_value([]).run().exception

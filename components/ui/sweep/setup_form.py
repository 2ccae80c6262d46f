"""The set-up of a sweep as widgets, stored so that a reload finds it again."""

from __future__ import annotations

import uuid
from typing import Any

import streamlit as st

from components.counted import counted
from components.drafts.draft import Draft
from components.drafts.store import find_draft, save_draft
from components.experiments.axes import field_names
from components.experiments.sweep_plan import PlanKind
from components.experiments.sweep_setup import MAX_AT_ONCE, MAX_REPEATS, Setup, TypedAxis, read_setup
from components.ui import presses
from components.ui.choices import draw_action
from components.ui.form import draft_form
from components.ui.plain_words import plain_words
from components.ui.sweep import keys
from components.ui.user_errors import show_errors
from components.ui.visitor import own_log

_KINDS = {
    PlanKind.ONE_AT_A_TIME: ("One factor at a time", "The base, then each value of each axis alone."),
    PlanKind.ZIP: ("Zip", "The first values of all axes together, then the second ones."),
    PlanKind.PRODUCT: ("Grid", "Every value of each axis with every value of the others."),
    PlanKind.LIST: ("List", "Your own rows."),
}
_PROMPT_CHARACTERS = 60
_VALUES_HELP = """
Values separated by commas or lines. Ranges: `0 to 1 step 0.25`, `1..5`; for random_seed `seeds 10`.
`omitted` and `null` are values, too. System messages and variables: one value per line.
"""


def begin(fallback: Setup | None = None) -> None:
    """Start a session's set-up from the query parameter, else from ``fallback``, else from an example.

    Like a draft, a stored set-up is copied under an id of this session, and the original is never changed.
    """
    if keys.SWEEP_SETUP not in st.session_state:
        stored = _stored(st.query_params.get(keys.PLAN_PARAMETER))
        st.session_state[keys.PLAN_PARAMETER] = uuid.uuid4().hex
        st.session_state[keys.SWEEP_SETUP] = stored or fallback or Setup()
        if stored:
            _store(stored)
    if st.query_params.get(keys.PLAN_PARAMETER) != st.session_state[keys.PLAN_PARAMETER]:
        st.query_params[keys.PLAN_PARAMETER] = st.session_state[keys.PLAN_PARAMETER]


def read() -> Setup:
    """The current set-up."""
    setup: Setup = st.session_state[keys.SWEEP_SETUP]
    return setup


def put(setup: Setup) -> None:
    """Replace the set-up; call it before the widgets are drawn."""
    st.session_state[keys.SWEEP_SETUP] = setup
    st.session_state[keys.AXES_DRAWN] = _drawn() + 1
    st.session_state.pop(keys.PLAN_SOURCE, None)
    _store(setup)


def change(**parts: Any) -> None:
    """Change and store parts of the set-up."""
    st.session_state[keys.SWEEP_SETUP] = read().model_copy(update=parts)
    _store(read())


def in_words(setup: Setup, draft: Draft) -> str:
    """The set-up as one line of Markdown: the prompt and model, the axes with their values, the plan and repeats."""
    axes = " × ".join(f"{axis.field} {', '.join(axis.text.splitlines())}" for axis in setup.axes)
    prompt = " ".join(draft.text_of(draft.turns[-1]).split()) if draft.turns else ""
    repeats = counted(setup.repeats, "repeat")
    parts = [_KINDS[setup.kind][0], repeats, f"concurrency {setup.at_once}", draft.model or "no model"]
    prompt_words = f" :gray[· {plain_words(prompt, _PROMPT_CHARACTERS)}]" if prompt else ""
    return f"**{plain_words(axes, 300)}** · {plain_words(' · '.join(parts))}{prompt_words}"


def draw_axes(draft: Draft) -> None:
    """Draw each axis with its values and their problems."""
    setup, drawn = read(), _drawn()
    fields = list(dict.fromkeys([*field_names(draft), *draft_form.chosen_profile().further_fields]))
    for number, axis in enumerate(setup.axes):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            options = fields if axis.field in fields else [axis.field, *fields]
            st.selectbox(
                _axis_name(number),
                options,
                index=options.index(axis.field),
                accept_new_options=True,
                key=_key("field", number, drawn),
                on_change=presses.soon(_apply_axes, drawn),
                width=220,
                help="A field, a variable of the messages, or the name of an extra body field.",
            )
            st.text_area(
                f"Values of {_axis_name(number)}",
                axis.text,
                key=_key("text", number, drawn),
                on_change=presses.soon(_apply_axes, drawn),
                height=68,
                help=_VALUES_HELP,
            )
            with st.container(key=f"delete_axis_{number}", width="content"):
                label = f"Delete axis {number + 1}"
                key = _key("delete_axis", number, drawn)
                only = len(setup.axes) == 1
                draw_action(label, key, ":material/delete:", _delete, number, drawn, disabled=only)
        if problem := setup.problem_of(number):
            st.markdown(f":red[:material/error: :small[{plain_words(problem)}]]")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        draw_action("Add axis", "add_axis", ":material/add:", _add)
        st.space("stretch")
        st.selectbox(
            "Plan",
            list(_KINDS),
            index=list(_KINDS).index(setup.kind),
            format_func=lambda kind: _KINDS[kind][0],
            key=_key("kind", 0, drawn),
            help="\n".join(f"- **{name}**: {words}" for name, words in _KINDS.values()),
            on_change=presses.soon(_apply_number, "kind", drawn),
            width=190,
        )
        st.number_input(
            "Repeats",
            1,
            MAX_REPEATS,
            setup.repeats,
            key=_key("repeats", 0, drawn),
            on_change=presses.soon(_apply_number, "repeats", drawn),
            width=130,
        )
        st.number_input(
            "Concurrency",
            1,
            MAX_AT_ONCE,
            setup.at_once,
            key=_key("at_once", 0, drawn),
            help="The number of concurrent requests. More of them finish earlier, but each takes longer.",
            on_change=presses.soon(_apply_number, "at_once", drawn),
            width=130,
        )
        st.toggle(
            "Random order",
            setup.shuffled,
            key=_key("shuffled", 0, drawn),
            help="Shuffles each round, so that drift does not look like an effect.",
            on_change=presses.soon(_apply_number, "shuffled", drawn),
        )


def _axis_name(number: int) -> str:
    """The name of an axis: the first two span the grid."""
    return f"Axis {number + 1}: {'XY'[number]}" if number < 2 else f"Axis {number + 1}"


def _drawn() -> int:
    """The number of times that the axes were replaced: a quick second click may still refer to the previous ones."""
    drawn: int = st.session_state.get(keys.AXES_DRAWN, 0)
    return drawn


def _key(part: str, number: int, drawn: int) -> str:
    return f"axis_{part}_{number}_{drawn}"


def _typed() -> tuple[TypedAxis, ...]:
    """The axes with the text in their widgets, which may be newer than the last callback."""
    return tuple(
        TypedAxis(
            field=st.session_state.get(_key("field", number, _drawn())) or axis.field,
            text=st.session_state.get(_key("text", number, _drawn()), axis.text),
        )
        for number, axis in enumerate(read().axes)
    )


def _apply_axes(drawn: int) -> None:
    # Otherwise the text was read just before, when a click in the same moment removed an axis.
    if drawn == _drawn():
        change(axes=_typed())


def _apply_number(part: str, drawn: int) -> None:
    value = st.session_state[_key(part, 0, drawn)]
    if value is not None:
        change(**{part: value})


def _add() -> None:
    axes = _typed()
    used = {axis.field for axis in axes}
    field = next((name for name in ("top_p", "max_tokens", "random_seed", "temperature") if name not in used), "model")
    change(axes=(*axes, TypedAxis(field=field)))


def _delete(number: int, drawn: int) -> None:
    axes = _typed()
    if drawn != _drawn() or len(axes) == 1:
        return
    st.session_state[keys.AXES_DRAWN] = drawn + 1
    change(axes=axes[:number] + axes[number + 1 :])


def _store(setup: Setup) -> None:
    save_draft(own_log(), st.session_state[keys.PLAN_PARAMETER], setup.model_dump_json())


def _stored(plan_id: str | None) -> Setup | None:
    database = own_log().database
    with show_errors():
        text = find_draft(database, plan_id) if database and plan_id else None
        return read_setup(text) if text else None
    return None

"""The set-up of a sweep as widgets, kept so that a reload finds it again."""

from __future__ import annotations

import uuid
from typing import Any

import streamlit as st

from components.drafts.draft import Draft
from components.drafts.store import find_draft, save_draft
from components.runs.query import QueryFailed
from components.service import service
from components.sweeps.axes import AxisProblem, field_names, read_values
from components.sweeps.planning import PlanKind
from components.sweeps.setup import MOST_AT_ONCE, MOST_REPEATS, Setup, TypedAxis, read_setup
from components.ui import state
from components.ui.plain_words import plain_words

_KINDS = {
    PlanKind.ONE_AT_A_TIME: "The base, then each value of each axis alone.",
    PlanKind.ZIP: "The first values of all axes together, then the second ones.",
    PlanKind.PRODUCT: "Every value of each axis with every value of the others.",
    PlanKind.LIST: "Rows as you write them.",
}
_VALUES_HELP = """
Values with commas between, or one a line. Ranges: `0 to 1 step 0.25`, `1..5`; for random_seed `seeds 10`.
`omitted` and `null` are values like any other. System messages and variables: one value a line.
"""


def begin() -> None:
    """Begin a new session's set-up with the one that the URL names, else with an example."""
    if state.SWEEP_SETUP not in st.session_state:
        st.session_state[state.SWEEP_SETUP] = _kept(st.query_params.get(state.PLAN_PARAMETER)) or Setup()
    if state.PLAN_PARAMETER not in st.session_state:
        st.session_state[state.PLAN_PARAMETER] = uuid.uuid4().hex
    st.query_params[state.PLAN_PARAMETER] = st.session_state[state.PLAN_PARAMETER]


def read() -> Setup:
    """The set-up as it stands."""
    setup: Setup = st.session_state[state.SWEEP_SETUP]
    return setup


def put(setup: Setup) -> None:
    """Put another set-up in its place; call it before the widgets are drawn."""
    st.session_state[state.SWEEP_SETUP] = setup
    st.session_state[state.AXES_DRAWN] = st.session_state.get(state.AXES_DRAWN, 0) + 1
    _keep(setup)


def draw_axes(draft: Draft) -> None:
    """Draw each axis with its values, and what is wrong with them beside it."""
    setup, fields = read(), field_names(draft)
    for number, axis in enumerate(setup.axes):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            options = fields if axis.field in fields else [axis.field, *fields]
            st.selectbox(
                f"Axis {number + 1}",
                options,
                index=options.index(axis.field),
                accept_new_options=True,
                key=_key("field", number),
                on_change=_take,
                args=(number,),
                width=220,
                help="Any field, a variable of the messages, or the name of an extra body field.",
            )
            st.text_area(
                f"Values of axis {number + 1}",
                axis.text,
                key=_key("text", number),
                on_change=_take,
                args=(number,),
                height=68,
                help=_VALUES_HELP,
            )
            with st.container(key=f"delete_axis_{number}", width="content"):
                st.button(
                    f"Delete axis {number + 1}",
                    key=_key("delete_axis", number),
                    type="tertiary",
                    icon=":material/delete:",
                    disabled=len(setup.axes) == 1,
                    on_click=_delete,
                    args=(number,),
                )
        try:
            read_values(axis.field, axis.text)
        except AxisProblem as problem:
            st.markdown(f":red[:material/error: :small[{plain_words(str(problem))}]]")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.button("Add axis", key="add_axis", type="tertiary", icon=":material/add:", on_click=_add)
        st.space("stretch")
        st.selectbox(
            "Plan",
            list(_KINDS),
            index=list(_KINDS).index(setup.kind),
            format_func=str,
            key=_key("kind", 0),
            help="\n".join(f"- **{kind}**: {words}" for kind, words in _KINDS.items()),
            on_change=_take_number,
            args=("kind",),
            width=170,
        )
        st.number_input(
            "Repeats",
            1,
            MOST_REPEATS,
            setup.repeats,
            key=_key("repeats", 0),
            on_change=_take_number,
            args=("repeats",),
            width=130,
        )
        st.number_input(
            "At once",
            1,
            MOST_AT_ONCE,
            setup.at_once,
            key=_key("at_once", 0),
            help="How many requests are under way at the same time. More is quicker, and makes each slower.",
            on_change=_take_number,
            args=("at_once",),
            width=130,
        )
        st.toggle(
            "Random order",
            setup.shuffled,
            key=_key("shuffled", 0),
            help="Each round in an order of its own, so that drift does not look like an effect.",
            on_change=_take_number,
            args=("shuffled",),
        )


def _key(part: str, number: int) -> str:
    return f"axis_{part}_{number}_{st.session_state.get(state.AXES_DRAWN, 0)}"


def _take(number: int) -> None:
    axes = list(read().axes)
    field = st.session_state[_key("field", number)] or axes[number].field
    axes[number] = TypedAxis(field=field, text=st.session_state[_key("text", number)])
    _change(axes=tuple(axes))


def _take_number(part: str) -> None:
    value = st.session_state[_key(part, 0)]
    if value is not None:
        _change(**{part: value})


def _add() -> None:
    axes = read().axes
    taken = {axis.field for axis in axes}
    field = next((name for name in ("top_p", "max_tokens", "random_seed", "temperature") if name not in taken), "model")
    put(read().model_copy(update={"axes": (*axes, TypedAxis(field=field))}))


def _delete(number: int) -> None:
    axes = read().axes
    put(read().model_copy(update={"axes": axes[:number] + axes[number + 1 :]}))


def _change(**parts: Any) -> None:
    st.session_state[state.SWEEP_SETUP] = read().model_copy(update=parts)
    _keep(read())


def _keep(setup: Setup) -> None:
    save_draft(service().log, st.session_state[state.PLAN_PARAMETER], setup.model_dump_json())


def _kept(plan_id: str | None) -> Setup | None:
    database = service().log.database
    try:
        text = find_draft(database, plan_id) if database and plan_id else None
    except QueryFailed as failure:
        st.error(str(failure))
        return None
    return read_setup(text) if text else None

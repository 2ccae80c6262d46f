"""The conversation as widgets: messages are edited in place, moved, branched and restored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import streamlit as st

from components.contract.messages import Role
from components.drafts import conversation
from components.drafts.conversation import Turn, Turns
from components.drafts.draft import variables_in
from components.drafts.variables import names_in
from components.ui import presses, shortcuts
from components.ui.choices import draw_action, draw_more, draw_steps
from components.ui.form import draft_form, keys
from components.ui.form.draft_form import Undo
from components.ui.page_script import focus
from components.ui.plain_words import plain_words

_PLACEHOLDERS = {
    Role.SYSTEM: "Rules for the whole answer",
    Role.USER: "Your prompt. {{name}} makes a variable.",
    Role.ASSISTANT: "The assistant's message",
    Role.TOOL: "The tool's result",
}

_MAX_IN_SIGHT = 2
_LONG_HEIGHT = 400
_PREFIX_HELP = "The answer must begin with this text. Sent as prefix: true, only on a last assistant message."


def draw_messages(*, with_undo: bool = True) -> None:
    """Draw every message with its controls, and the buttons to add one.

    Without ``with_undo``, the page draws *Undo* itself.
    """
    turns: Turns = st.session_state[keys.TURNS]
    with st.container(key="messages", gap="small"):
        # A long conversation scrolls in its own container, so that Run and the answer stay visible.
        long = len(turns) > _MAX_IN_SIGHT
        with st.container(height=_LONG_HEIGHT if long else "content", border=False, autoscroll=long, gap="small"):
            for turn in turns:
                draw_turn(turn, turns)
        draw_additions(Role, with_undo=with_undo)


def draw_additions(roles: Iterable[Role], then: Callable[[str], None] | None = None, *, with_undo: bool = True) -> None:
    """Draw a button for a message of each role, and *Undo* and *Redo*. ``then`` gets the id of an added message."""
    roles = list(roles)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="add_message"):
        if roles:
            st.markdown(":small[:gray[Add]]", width="content")
        for role in roles:
            st.button(
                role.value,
                key=f"add_{role.value}",
                type="tertiary",
                icon=":material/add:",
                help=f"Add a message of the role {role.value}, at the {'beginning' if role is Role.SYSTEM else 'end'}.",
                shortcut=shortcuts.ADD_USER if role is Role.USER else None,
                on_click=presses.soon(_add, role, then),
            )
        if with_undo:
            draw_undo()


def draw_undo() -> None:
    """Draw *Undo* and *Redo* of the last deletion or import; nothing when there is none."""
    if label := draft_form.can_undo():
        draw_action(label, "undo", ":material/undo:", draft_form.undo, shortcut=shortcuts.UNDO)
    if label := draft_form.can_redo():
        draw_action(label, "redo", ":material/redo:", draft_form.redo)


def draw_notes() -> None:
    """Draw the changes and omissions of an import, until the next run."""
    for note in st.session_state.get(keys.NOTES, ()):
        st.caption(f":material/info: {plain_words(note)}")


def draw_variables(*, with_lanes: bool = False) -> None:
    """Draw an input for each variable in the messages, which were drawn before, and in those of the lanes."""
    names = variables_in(draft_form.current_turns())
    if with_lanes:
        names = list(dict.fromkeys([*names, *draft_form.read().comparison.variable_names]))
    if not names:
        return
    with st.container(horizontal=True, key="variables", gap="small"):
        for name in names:
            st.text_input(
                plain_words(f"{{{{{name}}}}}"),
                draft_form.start().variables.get(name, ""),
                key=keys.variable_key(name),
                placeholder="Its value",
                width=220,
                persist_state="session",
            )


def draw_turn(turn: Turn, turns: Turns, *, done: Callable[[str], None] | None = None) -> None:
    """Draw a message as its form. ``done`` adds a button that is called with the turn's id."""
    index, last = conversation.index_of(turns, turn.id), turns[-1]
    with st.container(key=f"turn_{turn.id}", border=True, gap="xxsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            role = Role(
                st.selectbox(
                    f"Role of message {index + 1}",
                    [role.value for role in Role],
                    index=list(Role).index(turn.role),
                    key=keys.part_key("role", turn.id),
                    label_visibility="collapsed",
                    width=130,
                    persist_state="session",
                )
            )
            if role is Role.ASSISTANT and (turn is last or turn.prefix):
                st.checkbox(
                    "prefix",
                    turn.prefix,
                    key=keys.part_key("prefix", turn.id),
                    help=_PREFIX_HELP,
                    persist_state="session",
                )
            st.space("stretch")
            _draw_branches(turn)
            _draw_menu(turn, turns)
            if done:
                draw_action("Done", keys.part_key("done", turn.id), ":material/check:", done, turn.id)
        st.text_area(
            f"Message {index + 1}",
            turn.content,
            key=keys.message_key(turn.id),
            height="content",
            placeholder=_PLACEHOLDERS[role],
            label_visibility="collapsed",
            persist_state="session",
        )
        # For any role, so that every sent value can be seen and cleared.
        if role is Role.TOOL or turn.tool_call_id or turn.name:
            _draw_call(turn)
        if turn.tool_calls:
            st.text_area(
                "tool_calls",
                turn.tool_calls,
                key=keys.part_key("tool_calls", turn.id),
                height="content",
                help="The assistant's tool calls, as JSON.",
                persist_state="session",
            )


def _draw_call(turn: Turn) -> None:
    with st.container(horizontal=True, gap="small"):
        for part, text in (
            ("tool_call_id", "The id of this result's tool call."),
            ("name", "The name of the tool, if the endpoint requires it."),
        ):
            st.text_input(
                part,
                getattr(turn, part),
                key=keys.part_key(part, turn.id),
                help=text,
                width=220,
                persist_state="session",
            )


def _draw_branches(turn: Turn) -> None:
    number, count = turn.branch
    if count == 1:
        return
    draw_steps(
        "branch",
        number,
        count,
        key=lambda name: keys.part_key(name, turn.id),
        go=lambda step: _choose_branch(turn.id, step),
    )


def _draw_menu(turn: Turn, turns: Turns) -> None:
    actions: dict[str, Callable[[], None]] = {}
    if conversation.movable(turns, turn.id, -1):
        actions[":material/arrow_upward: Move up"] = partial(_move, turn.id, -1)
    if conversation.movable(turns, turn.id, 1):
        actions[":material/arrow_downward: Move down"] = partial(_move, turn.id, 1)
    actions[":material/content_copy: Duplicate"] = partial(_change_with_new, conversation.duplicated, turn.id)
    actions[":material/fork_right: Branch from here"] = partial(_change_with_new, conversation.branched, turn.id)
    if names_in([st.session_state.get(keys.message_key(turn.id), turn.content)]):
        what = "Treat {{names}} as variables" if turn.literal else "Treat {{names}} as text"
        actions[f":material/data_object: {what}"] = partial(_set_literal, turn.id, not turn.literal)
    if len(turns) > 1 or turn.branch[1] > 1:
        what = "branch" if turn.branch[1] > 1 else "message"
        actions[f":material/delete: Delete {what}"] = partial(_delete, turn.id, what)
    draw_more(f"Message {conversation.index_of(turns, turn.id) + 1}: more", actions, keys.part_key("menu", turn.id))


def _add(role: Role, then: Callable[[str], None] | None = None) -> None:
    last = draft_form.current_turns()[-1]
    if role is last.role and not last.content.strip() and not last.tool_calls:
        focus(keys.message_key(last.id))  # an empty message already exists
        return
    new = draft_form.next_turn_id()
    draft_form.change_turns(lambda turns: conversation.added(turns, role, new))
    focus(keys.message_key(new))
    if then:
        then(new)


def _set_literal(turn_id: str, literal: bool) -> None:
    def change(turns: Turns) -> Turns:
        turn = turns[conversation.index_of(turns, turn_id)]
        return conversation.replaced(turns, turn.model_copy(update={"literal": literal}))

    draft_form.change_turns(change)


def _move(turn_id: str, by: int) -> None:
    draft_form.change_turns(lambda turns: conversation.moved(turns, turn_id, by))


def _change_with_new(change: Callable[[Turns, str, str], Turns], turn_id: str) -> None:
    draft_form.change_turns(lambda turns: change(turns, turn_id, draft_form.next_turn_id()))


def _choose_branch(turn_id: str, step: int) -> None:
    draft_form.change_turns(lambda turns: conversation.branch_chosen(turns, turn_id, step))
    st.session_state[keys.BRANCH_CHOSEN] = True


def _delete(turn_id: str, what: str) -> None:
    try:
        turns, deletion = conversation.deleted(draft_form.current_turns(), turn_id)
    except LookupError:
        return  # a second click before the page was redrawn
    st.session_state[keys.TURNS] = turns
    draft_form.offer_undo(
        Undo(
            f"Undo: {what} deleted",
            lambda: draft_form.change_turns(lambda turns_now: conversation.restored(turns_now, deletion)),
        )
    )

"""The request as code in several languages, and code that becomes the request."""

from __future__ import annotations

import streamlit as st

from components.contract.profile import BEEZY, Profile, profile_named
from components.contract.request import ChatCompletionStreamRequest
from components.endpoints.endpoint import AnyEndpoint
from components.server.process import service
from components.sharing.settings_file import read_settings_file
from components.snippets.export import export
from components.snippets.importing import import_request
from components.snippets.language import CannotSay, Language
from components.ui import presses, state
from components.ui.form import draft_form
from components.ui.plain_words import plain_words
from components.ui.share.arriving import take_settings
from components.ui.uploads import draw_uploader
from components.ui.user_errors import draw_kept, shown_next

_PLACEHOLDER = "curl https://host/v1/chat/completions -d '{\"model\": …}'"


_ANYWHERE = "https://host/v1"


def draw_code(
    endpoint: AnyEndpoint | None, request: ChatCompletionStreamRequest | None, profile: Profile | None = None
) -> None:
    """Draw the request that Run would send as code; ``request`` is None while the form makes none.

    Without an endpoint the code names no address; ``profile`` says its dialect then.
    """
    languages = list(Language)
    chosen = st.segmented_control(
        "Language",
        [language.label for language in languages],
        default=languages[0].label,
        key=state.LANGUAGE,
        required=True,
        label_visibility="collapsed",
        persist_state="session",
    )
    if request is None:
        st.caption("The form makes no request yet. What is missing stands beside its field.")
        return
    language = next(language for language in languages if language.label == chosen)
    # Where a demo's endpoints are is the operator's to know.
    if endpoint and not service().demo:
        address = endpoint.known_address
        base_url = address.base_url if address else "http://127.0.0.1:8601/v1"
        key_variable = "API_KEY" if address is None or address.key else None
        profile = endpoint.profile
    else:
        base_url, key_variable = _ANYWHERE, "API_KEY"
        profile = endpoint.profile if endpoint else profile
    try:
        code = export(request, profile or BEEZY, base_url, language, key_variable)
    except CannotSay as problem:
        st.info(plain_words(str(problem)), icon=":material/info:")
        return
    st.code(code, language=language.highlighting, wrap_lines=True)
    if key_variable:
        st.caption(f"The key is read from the environment variable {key_variable}; it is never part of the code.")


def draw_import(profile: Profile) -> None:
    """Draw where a request can be pasted, in a popover; its content is made when it is opened."""
    popover = st.popover(
        "Import", type="tertiary", icon=":material/content_paste:", key=state.IMPORT, on_change="rerun"
    )
    if not popover.open:
        return
    with popover, st.form("import_form", border=False):
        st.text_area(
            "Paste JSON, a curl or PowerShell command, or Python or JavaScript code",
            key=state.IMPORT_TEXT,
            height=200,
            placeholder=_PLACEHOLDER,
        )
        draw_uploader("Or a settings file of Tempera", type="json", key=state.IMPORT_FILE)
        st.form_submit_button("Import", icon=":material/input:", on_click=presses.soon(_import, profile.name))
        draw_kept(state.IMPORT_PROBLEM)


@shown_next(state.IMPORT_PROBLEM)
def _import(dialect: str) -> None:
    """Fill the form from what was pasted; what is wrong with it is said below it, and nothing is changed."""
    profile = profile_named(dialect)
    if file := st.session_state.get(state.IMPORT_FILE):
        take_settings(read_settings_file(file.getvalue()), "file")
        st.session_state[state.IMPORT] = False
        return
    imported = import_request(st.session_state[state.IMPORT_TEXT], profile)
    draft = draft_form.read().asking(imported.request, profile).model_copy(update={"variables": {}})
    draft_form.fill(draft, "request imported")
    st.session_state[state.NOTES] = imported.notes
    st.session_state[state.IMPORT_TEXT] = ""
    st.session_state[state.IMPORT] = False

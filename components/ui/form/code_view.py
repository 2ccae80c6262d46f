"""The request as code in several languages, and code imported as a request."""

from __future__ import annotations

import streamlit as st

from components.contract.profile import BEEZY, Profile, profile_named
from components.contract.request import ChatCompletionStreamRequest
from components.embedded.defaults import DEFAULT_HOST, DEFAULT_PORT
from components.endpoints.endpoint import AnyEndpoint, EmbeddedEndpoint
from components.server.process import service
from components.sharing.settings_file import read_settings_file
from components.snippets.export import Language, export
from components.snippets.importing import import_request
from components.snippets.problem import CannotExport
from components.ui import presses
from components.ui.choices import choose_view
from components.ui.form import draft_form, keys
from components.ui.form.link_bar import apply_settings
from components.ui.plain_words import plain_words
from components.ui.uploads import draw_uploader
from components.ui.user_errors import draw_error, show_errors_later

_PLACEHOLDER = "curl https://host/v1/chat/completions -d '{\"model\": …}'"


_ANYWHERE = "https://host/v1"
_KEY_VARIABLE = "API_KEY"
_SERVE = f"""\
# In one terminal
python -m components.embedded --port {DEFAULT_PORT} --api-key my-key

# In another one, before the code above
export {_KEY_VARIABLE}=my-key"""


def draw_code(
    endpoint: AnyEndpoint | None, request: ChatCompletionStreamRequest | None, profile: Profile | None = None
) -> None:
    """Draw the form's request as code; ``request`` is None while the form makes none.

    Without an endpoint the code has no address, and ``profile`` sets the dialect.
    """
    languages = list(Language)
    chosen = choose_view("Language", [language.label for language in languages], keys.LANGUAGE)
    if request is None:
        st.caption("The form has no valid request yet. The problem is shown beside its field.")
        return
    language = next(language for language in languages if language.label == chosen)
    # The endpoint addresses of a demo are for the operator only.
    key_variable: str | None = _KEY_VARIABLE
    if endpoint is None or service().demo:
        base_url = _ANYWHERE
    elif isinstance(endpoint, EmbeddedEndpoint):
        # The embedded model's process has a new port and key at each start, both private.
        base_url = f"http://{DEFAULT_HOST}:{DEFAULT_PORT}/v1"
    else:
        base_url = endpoint.fixed_address.base_url
        key_variable = _KEY_VARIABLE if endpoint.fixed_address.key else None
    profile = endpoint.profile if endpoint else profile
    try:
        code = export(request, profile or BEEZY, base_url, language, key_variable)
    except CannotExport as problem:
        st.info(plain_words(str(problem)), icon=":material/info:")
        return
    st.code(code, language=language.highlighting, wrap_lines=True)
    if language is Language.JSON:
        return
    if language.packages:
        st.caption(f"Install: `pip install {language.packages}`")
    if base_url != _ANYWHERE and isinstance(endpoint, EmbeddedEndpoint):
        with st.expander("Serve this model for the code, with your own key", icon=":material/dns:"):
            st.code(_SERVE, language="bash", wrap_lines=True)
    elif key_variable:
        st.caption(f"Set the endpoint's key, which is never part of the code: `export {key_variable}=…`")


def draw_import(profile: Profile) -> None:
    """Draw the input for a pasted request in a popover; its content is made when it is opened."""
    popover = st.popover("Import", type="tertiary", icon=":material/content_paste:", key=keys.IMPORT, on_change="rerun")
    if not popover.open:
        return
    with popover, st.form("import_form", border=False):
        st.text_area(
            "Paste JSON, a curl or PowerShell command, or Python or JavaScript code",
            key=keys.IMPORT_TEXT,
            height=200,
            placeholder=_PLACEHOLDER,
        )
        draw_uploader("Or a settings file from Tempera", type="json", key=keys.IMPORT_FILE)
        st.form_submit_button("Import", icon=":material/input:", on_click=presses.soon(_import, profile.name))
        draw_error(keys.IMPORT_PROBLEM)


@show_errors_later(keys.IMPORT_PROBLEM)
def _import(dialect: str) -> None:
    """Fill the form from the pasted text; an error is shown below it, and nothing is changed."""
    profile = profile_named(dialect)
    if file := st.session_state.get(keys.IMPORT_FILE):
        apply_settings(read_settings_file(file.getvalue()), "file")
        st.session_state[keys.IMPORT] = False
        return
    imported = import_request(st.session_state[keys.IMPORT_TEXT], profile)
    draft = draft_form.read().with_request(imported.request, profile).model_copy(update={"variables": {}})
    draft_form.fill(draft, "request imported")
    st.session_state[keys.NOTES] = imported.notes
    st.session_state[keys.IMPORT_TEXT] = ""
    st.session_state[keys.IMPORT] = False

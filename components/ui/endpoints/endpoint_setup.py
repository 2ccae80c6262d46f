"""Instructions to add an endpoint. There is no form, because an operator's key does not belong in a page."""

from __future__ import annotations

import streamlit as st

from components.contract.profile import BEEZY, PROFILES
from components.endpoints.kinds import KINDS

_ANY_ADDRESS = "https://host/v1"


def draw_endpoint_setup() -> None:
    """Draw the text to copy into the secrets file or the environment, for each dialect."""
    dialect = st.segmented_control(
        "Dialect of the new endpoint", list(PROFILES), default=BEEZY.name, key="new_dialect", required=True
    )
    base_url = next((kind.base_url for kind in KINDS if kind.name == dialect), _ANY_ADDRESS)
    file, environment = st.columns(2, gap="medium")
    with file:
        st.markdown(":small[In `.streamlit/secrets.toml`, for any number of endpoints. Then reload this page.]")
        st.code(
            "[endpoints.mine]\n"
            f'base_url = "{base_url}"\n'
            f'dialect = "{dialect}"\n'
            'api_key = "your-key"\n'
            'default_model = "some-model"\n',
            language="toml",
        )
    with environment:
        st.markdown(":small[In the environment, for one endpoint. Then start Tempera again.]")
        st.code(
            f"export TEMPERA_BASE_URL={base_url}\n"
            f"export TEMPERA_DIALECT={dialect}\n"
            "export TEMPERA_API_KEY=your-key\n"
            "export TEMPERA_MODEL=some-model\n",
            language="bash",
        )
    st.caption(
        "Only base_url is required. A key is sent only to the origin (scheme, host and port) of its base_url. "
        "It is never part of a page, a link, the log or an error."
    )

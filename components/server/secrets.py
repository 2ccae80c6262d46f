"""The operator's secrets file, as Streamlit reads it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit import config
from streamlit.errors import StreamlitSecretNotFoundError

from components.server import sentences
from components.service import Secrets


def read_secrets() -> Secrets:
    """The current content of the file. Streamlit also puts its top-level values into the environment."""
    files = tuple(map(Path, config.get_option("secrets.files")))
    try:
        return Secrets(st.secrets.to_dict(), files)
    except StreamlitSecretNotFoundError as error:
        if error.error_id == "no-secrets-found":
            return Secrets({}, files)
        problem = sentences.SECRETS_NOT_TOML
    except (OSError, UnicodeDecodeError):
        problem = sentences.SECRETS_UNREADABLE
    # The error's own text may quote a key.
    return Secrets({}, files, problem)

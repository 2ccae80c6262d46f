"""Checks before the start that the protection that the operator configured is in force."""

from __future__ import annotations

from pathlib import Path

from components.access.login import login_problem
from components.demo.settings import demo_settings
from components.server import sentences
from components.server.options import cookie_secret, is_set
from components.server.secrets import read_secrets
from components.settings import read_settings

_ROOT = Path(__file__).parents[2]
_SECRETS = _ROOT / ".streamlit" / "secrets.toml"


def reason_not_to_start() -> str | None:
    """The reason not to start, as a sentence with what to do; None when the server may start."""
    secrets = read_secrets()
    settings = read_settings()
    if secrets.problem:
        return sentences.SECRETS_UNUSABLE
    if settings.secrets_files and not is_set("secrets.files"):
        return sentences.SECRETS_FILES_OF_STREAMLIT
    # Streamlit searches the current folder; only `streamlit run` searches the folder of app.py as well.
    files = {path.resolve() for path in secrets.files}
    if not is_set("secrets.files") and _SECRETS.is_file() and _SECRETS.resolve() not in files:
        return sentences.SECRETS_NOT_READ_HERE.format(file=_SECRETS, folder=_ROOT)
    if problems := settings.problems.get("public_url"):
        return problems[0]
    if problem := login_problem(settings, secrets.values):
        return problem
    is_shared = not settings.database_url.startswith("sqlite")
    is_own = is_set("server.cookieSecret")
    if demo_settings(settings, secrets.values) and (not cookie_secret() or (is_shared and not is_own)):
        return sentences.REPLICAS_SIGN_DIFFERENTLY
    return None

"""The address under which other people reach this Tempera, as its operator gives it."""

from __future__ import annotations

import os

PUBLIC_URL = "TEMPERA_PUBLIC_URL"
"""The environment variable that says under which address other people reach this Tempera."""
SPACE_HOST = "SPACE_HOST"
"""Hugging Face sets it, in a Space, to the host under which others reach that."""


def public_url_of_operator() -> str:
    """The address that whoever runs Tempera gave, without a slash at its end; empty when they gave none."""
    space = os.environ.get(SPACE_HOST, "").strip()
    return os.environ.get(PUBLIC_URL, "").strip().rstrip("/") or (f"https://{space}" if space else "")

"""What is wrong with a draft or a preset."""

from __future__ import annotations

from components.user_error import UserError


class PresetProblem(UserError):
    """A preset cannot be saved, or cannot be read."""

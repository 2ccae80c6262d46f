"""Errors of presets."""

from __future__ import annotations

from components.user_error import UserError


class PresetProblem(UserError):
    """A preset cannot be saved or read."""

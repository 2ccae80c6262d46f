"""Session keys of the Playground page."""

from __future__ import annotations

VIEW = "view"
ANSWERS = "answers"
"""The runs of this session by their request, oldest first."""
GO_TO_COMPARE = "go_to_compare"
"""Set when the compare page is to be shown next."""
PREVIEW = "preview"

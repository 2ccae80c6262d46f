"""Who owns the rows of the log."""

from __future__ import annotations

LOCAL = "local"
"""Who owns everything where nobody logs in, and what was made before somebody could."""

WHOLE_LOG = {"whole_log": True}
"""The execution options of the few statements that look after the log itself, whosever its rows are."""

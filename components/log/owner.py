"""The owner of rows without a login, and access to the rows of all owners."""

from __future__ import annotations

LOCAL = "local"
"""The owner of all rows without a login, and of rows from before logins existed."""

WHOLE_LOG = {"whole_log": True}
"""The execution options of the few maintenance statements that reach the rows of all owners."""

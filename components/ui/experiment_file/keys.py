"""Session keys of experiment files and rules."""

from __future__ import annotations

RULES = "rules"
"""The rules as typed."""
RULES_BOX = "rules_box"
"""Whether the rules are open."""
RULES_READ = "rules_read"
"""The last text of rules with its value."""
OPENED_FILE = "opened_file"
"""An experiment file that was opened and is to be put into the form."""
FILE = "experiment_file"
FILE_PROBLEM = "experiment_file_problem"
FILE_MENU = "file_actions"

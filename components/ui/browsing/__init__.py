"""The Runs page: what is looked for, the table, and one or several runs opened from it."""

"""The Runs page: filters, the table, charts, and one or several runs opened from it."""

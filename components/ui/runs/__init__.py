"""The Runs page: filters, table, charts, and one or several opened runs."""

"""One run on a page: its live answer, status, events, times and actions."""

"""One run on a page: its answer as it comes, its status, its events and times, and what can be done with it."""

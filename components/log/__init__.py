"""The log: one list of a run's facts, the tables that keep it, searching, owners, retention, export and import."""

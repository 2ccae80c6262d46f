"""Limits of a public demo: budgets, slots with a queue, checks of requests, and an off switch."""

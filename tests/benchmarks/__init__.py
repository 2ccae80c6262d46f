"""Measurements, each a ratio taken in one run. Nothing here is a test: figures are read, not asserted."""

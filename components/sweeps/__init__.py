"""Sweeps: many runs that each change some fields of one draft, planned, priced, and read when they are done."""

"""Reads one answer: the call, its limits, its timed events, its faults and its outcome."""

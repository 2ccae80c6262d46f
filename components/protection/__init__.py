"""Limits that keep one visitor from using up the machine: places, uploads, private files. Knows nothing of runs."""

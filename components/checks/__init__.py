"""Checks on answers: their kinds, how they are read and made, and the form in which a run keeps their results."""

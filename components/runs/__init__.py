"""Runs, the threads that own them, and the log that keeps them."""

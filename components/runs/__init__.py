"""Runs in progress, the threads that own them, and the gate before each."""

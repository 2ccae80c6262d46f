"""Runs: what is going on now, the threads that own it, and the gate before each."""

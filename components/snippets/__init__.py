"""Generates code from a request, and parses code into a request. Nothing is sent, and no pasted code is executed."""

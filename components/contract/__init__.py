"""The wire format: the request, its messages, the chunks and errors of a response, and the dialects.

Imports no other room and opens no socket.
"""

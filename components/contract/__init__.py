"""What goes over the wire: the request, its messages, the chunks and errors that come back, and the dialects.

Imports nothing else of ours and opens no socket.
"""

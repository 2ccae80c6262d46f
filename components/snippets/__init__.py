"""A request as code, and code as a request.

Only text is made and read here: nothing is sent, and nothing that was pasted is ever executed.
"""

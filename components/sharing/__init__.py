"""Settings on their way to another person, in a link or in a file.

Nothing is sent or stored here, and neither an address nor a key of an endpoint ever travels.
"""

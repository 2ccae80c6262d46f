"""Settings, runs and comparisons on their way to another person: in a link, in a file, or in a capsule.

A capsule is a frozen copy that the log's database keeps for whoever has its id, until it expires or its owner takes it
back. Nothing is sent from here, and neither an address nor a key of an endpoint ever travels.
"""

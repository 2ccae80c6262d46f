"""Shares settings, runs and comparisons: in a link, in a file, or in a capsule.

A capsule is a frozen copy in the log's database, readable by id until it expires or its owner revokes it. Nothing is
sent from here, and no address or key of an endpoint is ever shared.
"""

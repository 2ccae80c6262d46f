"""The parts of the endpoints page: the endpoints, their dialects, and the visitor's own endpoint."""

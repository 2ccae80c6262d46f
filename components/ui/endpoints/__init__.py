"""The endpoints on a page: which there are, choosing one, and one of the visitor's own."""

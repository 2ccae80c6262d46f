"""The endpoints on a page: their list, their choice, and the visitor's own."""

"""Drafts of requests, and their storage."""

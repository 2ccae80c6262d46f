"""Answers on a page: live or ended, with status, events and times, and the differences of several."""

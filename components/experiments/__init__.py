"""Answers side by side: where they differ, whether that is more than noise, and which of them people preferred."""

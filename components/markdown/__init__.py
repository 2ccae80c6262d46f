"""Renders a model's text as safe HTML: Markdown, formulas, code and JSON, all of it sanitized."""

"""A model's text as HTML that may enter a page: Markdown, formulas, code, JSON, and the gate that all of it passes."""

"""The request as a form: messages, settings, variables, presets, code and request preview."""

"""The request as a form: endpoint, messages, settings, variables, presets, code and imports."""

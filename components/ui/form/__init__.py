"""The request as a form: messages, settings, variables, presets, code, and the bytes that it makes."""

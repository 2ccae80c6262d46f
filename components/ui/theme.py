"""The colours of the theme as CSS variables; ``.streamlit/config.toml`` has their values."""

from __future__ import annotations

from streamlit import config

_COLOURS = (
    *("primaryColor", "backgroundColor", "secondaryBackgroundColor", "textColor", "borderColor", "linkColor"),
    *("codeBackgroundColor", "codeTextColor", "redColor", "greenColor", "blueColor", "orangeColor", "grayColor"),
)


def root_rule(further: str = "") -> str:
    """A rule with a variable for each colour, for light and dark pages, such as ``--st-gray-color``."""
    pairs = ((name, *(config.get_option(f"theme.{theme}.{name}") for theme in ("light", "dark"))) for name in _COLOURS)
    variables = (f"--st-{_dashed(name)}:light-dark({light},{dark});" for name, light, dark in pairs if light and dark)
    return f":root{{{further}{''.join(variables)}}}"


def _dashed(name: str) -> str:
    return "".join(f"-{sign.lower()}" if sign.isupper() else sign for sign in name)

"""Texts for files that a spreadsheet opens."""

from __future__ import annotations

_FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r")


def formula_safe(cell: object) -> object:
    """The cell; a text that a spreadsheet would compute gets an apostrophe before it, and numbers stay numbers.

    Which beginnings those are: https://owasp.org/www-community/attacks/CSV_Injection
    """
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_BEGINS) else cell

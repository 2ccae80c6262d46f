"""Texts for files that a spreadsheet opens."""

from __future__ import annotations

import re
import unicodedata

_SIGNS = frozenset("=+-@＝＋－＠")
_BLANK_BEGINS = ("\t", "\r")
_SEPARATORS = re.compile("([;\t])")
_UNSEEN = ("Zs", "Zl", "Zp", "Cc", "Cf")
"""The categories of blanks, of control characters, and of what has no width, such as a byte order mark."""


def formula_safe(cell: object) -> object:
    """The cell; a text that a spreadsheet would compute gets an apostrophe before it, and numbers stay numbers.

    Where decimals are written with a comma, a spreadsheet parts a line at semicolons, and it can be told to part it at
    tabs. So a part of a text that would be computed then gets an apostrophe as well.
    """
    if not isinstance(cell, str):
        return cell
    first, *others = _SEPARATORS.split(cell)
    begin = "'" if cell.startswith(_BLANK_BEGINS) or _begins_a_formula(cell) else ""
    return begin + first + "".join(f"'{part}" if _begins_a_formula(part) else part for part in others)


def _begins_a_formula(text: str) -> bool:
    """Whether the first character that is seen is a sign of https://owasp.org/www-community/attacks/CSV_Injection."""
    # A quotation mark vanishes where a line is parted before it.
    seen = (each for each in text if each not in "\"'" and unicodedata.category(each) not in _UNSEEN)
    return next(seen, "") in _SIGNS

"""Makes texts safe for files that a spreadsheet opens."""

from __future__ import annotations

import re
import unicodedata

_SIGNS = frozenset("=+-@＝＋－＠")
_BLANK_BEGINS = ("\t", "\r")
_SEPARATORS = re.compile("([;\t])")
_UNSEEN = ("Zs", "Zl", "Zp", "Cc", "Cf")
"""The Unicode categories of blanks, control characters and zero-width characters such as a byte order mark."""


def formula_safe(cell: object) -> object:
    """The cell, with an apostrophe before a text that a spreadsheet would compute. Numbers stay numbers.

    With a decimal comma, spreadsheets split a line at semicolons, and they can be set to split at tabs. So each part
    that would be computed after such a split gets an apostrophe as well.
    """
    if not isinstance(cell, str):
        return cell
    first, *others = _SEPARATORS.split(cell)
    begin = "'" if cell.startswith(_BLANK_BEGINS) or _begins_a_formula(cell) else ""
    return begin + first + "".join(f"'{part}" if _begins_a_formula(part) else part for part in others)


def _begins_a_formula(text: str) -> bool:
    """Whether the first visible character is listed in https://owasp.org/www-community/attacks/CSV_Injection."""
    # A quotation mark disappears where a line is split before it.
    visible = (each for each in text if each not in "\"'" and unicodedata.category(each) not in _UNSEEN)
    return next(visible, "") in _SIGNS

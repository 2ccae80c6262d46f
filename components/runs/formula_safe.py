"""Texts for files that a spreadsheet opens."""

from __future__ import annotations

_FORMULA_BEGINS = tuple("=+-@＝＋－＠")
_BLANK_BEGINS = ("\t", "\r")


def formula_safe(cell: object) -> object:
    """The cell; a text that a spreadsheet would compute gets an apostrophe before it, and numbers stay numbers.

    Which beginnings those are: https://owasp.org/www-community/attacks/CSV_Injection
    """
    return f"'{cell}" if isinstance(cell, str) and begins_a_formula(cell) else cell


def begins_a_formula(cell: str) -> bool:
    """Whether a spreadsheet would compute this text; blanks before it, and signs of full width, do not hinder some."""
    return cell.startswith(_BLANK_BEGINS) or cell.lstrip().startswith(_FORMULA_BEGINS)

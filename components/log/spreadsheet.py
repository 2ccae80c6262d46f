"""Runs as CSV, for spreadsheets. It is not read back: what an export may import again is JSON Lines."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator

from sqlalchemy import ColumnElement

from components.log.database import Database
from components.log.export import COLUMNS, finished_rows
from components.log.formula_safe import formula_safe


class _Piece:
    """What ``csv.writer`` writes to: each line comes back as what ``writerow`` returns."""

    def write(self, line: str) -> bytes:
        return line.encode()


def csv_pieces(database: Database, where: ColumnElement[bool] | None = None) -> Iterator[bytes]:
    """The names of the COLUMNS, then every finished run that ``finished_rows`` gives, one line each.

    UTF-8 as RFC 4180 has it, behind the mark without which a spreadsheet that opens the file takes it for another
    encoding; what is not known is an empty cell. A text that a spreadsheet would compute begins with an apostrophe
    there. Raises QueryFailed.
    """
    # Line ends as RFC 4180 has them: so a text with either of their halves is quoted.
    writer = csv.writer(_Piece(), lineterminator="\r\n")
    yield codecs.BOM_UTF8 + writer.writerow(COLUMNS)
    for row in finished_rows(database, where):
        yield writer.writerow([formula_safe(row[name]) for name in COLUMNS])

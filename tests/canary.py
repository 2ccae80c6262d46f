"""A key that is easy to recognise, and the search for it in all files that the tests leave behind."""

from __future__ import annotations

import base64
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pyarrow.parquet as parquet

KEY = "tempera-canary/J8x+Vq2nZ7wRk4LmT0yP"
"""The key of apps under test. It has characters that are escaped in a URL."""

PROOF = "canary-was-sent.txt"
"""A file of this name proves that an app sent the key; without it, an empty search proves nothing."""

_PARQUET = b"PAR1"


def forms(secret: str) -> dict[bytes, str]:
    """The encodings of a secret by name; its halves reveal a cut or partly masked one."""
    half = len(secret) // 2
    found = {
        secret: "as it is",
        secret[:half]: "its first half",
        secret[half:]: "its second half",
        secret[::-1]: "backwards",
        quote(secret, safe=""): "in a URL",
        secret.encode().hex(): "in hexadecimal digits",
        secret.replace("/", "\\/"): "in JSON",
        secret.replace("+", "\\u002b"): "in JSON that escapes",
    }
    for offset in range(3):
        # Each alignment of a text in base64, without the characters that depend on its neighbours.
        padded = base64.b64encode(b"\0" * offset + secret.encode()).rstrip(b"=").decode()
        inner = padded[offset + 1 if offset else 0 : -1]
        found |= {inner: "in base64", inner.replace("+", "-").replace("/", "_"): "in base64 for URLs"}
    return {form.encode(): name for form, name in found.items()}


def found_in(data: bytes, secret: str = KEY) -> list[str]:
    """The encodings of the secret found in the data."""
    return [name for form, name in forms(secret).items() if form in data]


def pieces_of(path: Path) -> Iterator[tuple[str, bytes]]:
    """The contents of a file: its bytes, and the unpacked values of a database or a Parquet file."""
    data = path.read_bytes()
    yield str(path), data
    if data.startswith(b"SQLite format 3"):
        yield from _packed(path)
    elif data.startswith(_PARQUET):
        yield f"{path} (its table)", repr(parquet.read_table(path).to_pylist()).encode()


def leaks_in(folder: Path, secret: str = KEY) -> list[str]:
    """The files in a folder that contain the secret, with its encodings."""
    return [
        f"{name}: {way}"
        for path in files_in(folder)
        for name, data in pieces_of(path)
        for way in found_in(data, secret)
    ]


def files_in(folder: Path) -> Iterable[Path]:
    """The ordinary files below a folder."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _packed(path: Path) -> Iterator[tuple[str, bytes]]:
    """Every deflated value of a database, such as events and capsules. A damaged database was searched as bytes."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as database:
            tables = database.execute("select name from sqlite_master where type = 'table'").fetchall()
            for (table,) in tables:
                for row in database.execute(f'select * from "{table}"'):
                    for value in row:
                        if isinstance(value, bytes) and (text := _inflated(value)):
                            yield f"{path}, {table}", text
    except sqlite3.Error:
        return


def _inflated(value: bytes) -> bytes:
    try:
        return zlib.decompress(value)
    except zlib.error:
        return b""

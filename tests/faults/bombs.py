"""Compressed bodies that inflate to a gigabyte, made quickly by repeating one compressed block."""

from __future__ import annotations

import gzip
import zlib
from functools import cache

_BLOCK = 1_000_000
_GIGABYTE = 1_000_000_000


def _inflating(first: bytes, header: bytes) -> bytes:
    compressor = zlib.compressobj(9, wbits=-15)
    begin = compressor.compress(first) + compressor.flush(zlib.Z_FULL_FLUSH)
    block = compressor.compress(b"x" * _BLOCK) + compressor.flush(zlib.Z_FULL_FLUSH)
    return header + begin + block * (_GIGABYTE // _BLOCK)


@cache
def gzip_bomb(first: bytes = b"") -> bytes:
    """A gigabyte of x as gzip, behind ``first``; its checksum is never reached."""
    return _inflating(first, b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03")


@cache
def zlib_bomb(first: bytes = b"") -> bytes:
    """The same for Content-Encoding: deflate."""
    return _inflating(first, b"\x78\xda")


@cache
def nested_gzip_bomb(first: bytes = b"") -> bytes:
    """The same, compressed twice: some ten kilobytes."""
    return gzip.compress(gzip_bomb(first))

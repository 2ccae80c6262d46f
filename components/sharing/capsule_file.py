"""A capsule in a file: its JSON and a signature, in two data blocks of an HTML page.

The signature covers the bytes of the first block as they are in the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from components.contract.profile import PROFILES
from components.log.database import Database
from components.log.importing import wrong_facts
from components.log.log import Log
from components.sharing import sentences
from components.sharing.capsule import Capsule, canonical_json, read_json_capsule
from components.sharing.problem import LinkProblem
from components.sharing.shared_run import shared_runs
from components.sharing.signing import Signature, check, sign

MAX_FILE_MB = 8
"""The limit of a file that is opened, in MB of 2^20 bytes."""

_CAPSULE_BLOCK = "tempera-capsule"
_SIGNATURE_BLOCK = "tempera-signature"
_BLOCK_BEGINS = '<script type="application/json" id="{name}">'
# No text within a block can end it.
_ESCAPES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


@dataclass(frozen=True)
class OpenedFile:
    """The content of a file, and the result of the check of its signature."""

    capsule: Capsule
    signature: Signature


def data_blocks(capsule: Capsule, log: Log) -> str:
    """The two data blocks as HTML. Raises LinkProblem when the capsule is too large, and DatabaseUnavailable."""
    content = canonical_json(capsule).translate(_ESCAPES)
    if len(content.encode()) > MAX_FILE_MB * 2**20 // 2:
        raise LinkProblem(sentences.CAPSULE_TOO_LARGE)
    signature = sign(log, content.encode())
    return data_block(_CAPSULE_BLOCK, content) + "\n" + data_block(_SIGNATURE_BLOCK, signature)


def data_block(name: str, json_text: str) -> str:
    """JSON as a data block of an HTML page."""
    return f"{_BLOCK_BEGINS.format(name=name)}{json_text.translate(_ESCAPES)}</script>"


def read_capsule_file(content: bytes, database: Database | None) -> OpenedFile:
    """The capsule in a file. Raises LinkProblem for any other content, and QueryFailed."""
    if len(content) > MAX_FILE_MB * 2**20:
        raise LinkProblem(sentences.CAPSULE_FILE_TOO_LARGE.format(limit=MAX_FILE_MB))
    block = _block(content, _CAPSULE_BLOCK)
    if block is None:
        begins = _BLOCK_BEGINS.format(name=_CAPSULE_BLOCK).encode() in content
        raise LinkProblem(sentences.CAPSULE_FILE_CUT if begins else sentences.CAPSULE_FILE_OF_ANOTHER_KIND)
    capsule = read_json_capsule(block)
    for run in chain.from_iterable(shared_runs("", part).values() for part in capsule.parts):
        wrong = next(wrong_facts(run), None) if run.dialect in PROFILES else "dialect"
        if wrong:
            raise LinkProblem(sentences.CAPSULE_FILE_WRONG_FACT.format(wrong=wrong))
    return OpenedFile(capsule, check(block, _block(content, _SIGNATURE_BLOCK), database))


def _block(content: bytes, name: str) -> bytes | None:
    after_begin = content.partition(_BLOCK_BEGINS.format(name=name).encode())[2]
    block, end, _ = after_begin.partition(b"</script>")
    return block if end else None

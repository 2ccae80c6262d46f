"""Signs shared files with the key of this Tempera, and checks signatures.

The key is in the log's database: replicas share it, and a backup contains it. Read access to the database is enough to
sign.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, false, select

from components.log.database import Database
from components.log.log import Log
from components.log.query import read_rows
from components.log.tables import signing_key, upsert

_ALGORITHM = "Ed25519"
_MAX_BYTES = 1_000
_ONLY_ROW = 1


class SignatureState(StrEnum):
    """The result of checking the signature of a file."""

    OWN = "own"
    """This Tempera signed the content, and it is unchanged."""
    OTHER = "other"
    """The holder of another key signed the content, and it is unchanged."""
    CHANGED = "changed"
    """The content or its signature was changed after signing."""
    MISSING = "missing"
    """The file has no signature."""


@dataclass(frozen=True)
class Signature:
    """The result of a check. ``key`` is a short fingerprint of the signer's public key; None without a valid one."""

    state: SignatureState
    key: str | None = None


def sign(log: Log, content: bytes) -> str:
    """The signature of the content as JSON text. Raises DatabaseUnavailable."""
    key = Ed25519PrivateKey.from_private_bytes(log.write(_own_seed))
    public = key.public_key().public_bytes_raw()
    return json.dumps({"algorithm": _ALGORITHM, "key": _text(public), "signature": _text(key.sign(content))})


def check(content: bytes, signature: bytes | None, database: Database | None) -> Signature:
    """Whether the signature is that of the content, and whether it is this Tempera's.

    Without a database, no signature is this Tempera's. Raises QueryFailed.
    """
    if signature is None:
        return Signature(SignatureState.MISSING)
    try:
        fields = json.loads(signature) if len(signature) <= _MAX_BYTES else {}
        public, signed = (base64.b64decode(fields[name], validate=True) for name in ("key", "signature"))
        Ed25519PublicKey.from_public_bytes(public).verify(signed, content)
    except (InvalidSignature, ValueError, KeyError, TypeError, binascii.Error, RecursionError):
        return Signature(SignatureState.CHANGED)
    state = SignatureState.OWN if public == _own_public(database) else SignatureState.OTHER
    return Signature(state, hashlib.sha256(public).hexdigest()[:16])


def _own_seed(connection: Connection) -> bytes:
    statement = select(signing_key.c.seed)
    seed = connection.execute(statement).scalar_one_or_none()
    if seed is None:
        row = {"id": _ONLY_ROW, "seed": Ed25519PrivateKey.generate().private_bytes_raw()}
        # Another replica may have made the key in the meantime.
        connection.execute(upsert(connection.dialect.name, signing_key, only_if=false()), row)
        seed = connection.execute(statement).scalar_one()
    return bytes(seed)


def _own_public(database: Database | None) -> bytes | None:
    rows = read_rows(database, select(signing_key.c.seed)) if database else []
    return (
        Ed25519PrivateKey.from_private_bytes(bytes(rows[0]["seed"])).public_key().public_bytes_raw() if rows else None
    )


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()

"""Judges who logged in: whether that still holds, whether they may come in, and under which name they own things.

The claims are those of the OpenID Connect ID token, which Streamlit has verified. When they end, it does not heed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_EVERYBODY: tuple[str, ...] = ()


class NotLetIn(Exception):
    """Somebody is not let in. The message is a sentence that says what to do."""


class LoginEnded(NotLetIn):
    """What was logged in with has ended, so logging in again is all it takes."""


@dataclass(frozen=True)
class Access:
    """Who may come in once they have logged in: e-mail addresses, ``@domain`` for all of a domain, ``sub:`` subjects.

    None given lets in everybody whom the provider knows. ``closed`` is a sentence when the list cannot be read: then
    nobody is let in.
    """

    allow: tuple[str, ...] = _EVERYBODY
    closed: str | None = None


def access_of(secrets: Mapping[str, object]) -> Access:
    """The list in the table ``[access]`` of the secrets file, as ``allow = ["anna@example.org", "@example.com"]``."""
    table = secrets.get("access", {})
    allow = table.get("allow", ()) if isinstance(table, Mapping) else None
    if not isinstance(allow, Sequence) or isinstance(allow, str) or not all(isinstance(one, str) for one in allow):
        return Access(closed='Nobody is let in: [access] in the secrets file must have allow = ["@example.org"].')
    return Access(tuple(one.strip() for one in allow))


def owner_of(claims: Mapping[str, object], access: Access, now_s: float) -> str:
    """Under which name that person owns what they make: the issuer and the subject, which never change.

    ``now_s`` is in seconds since 1970. Raises LoginEnded, NotLetIn.
    """
    issuer, subject, ends = claims.get("iss"), claims.get("sub"), claims.get("exp")
    if not isinstance(subject, str) or not subject or not isinstance(issuer, str):
        raise NotLetIn("Whoever runs the login did not say who you are. Ask whoever runs this Tempera.")
    if isinstance(ends, bool) or not isinstance(ends, int | float) or ends <= now_s:
        raise LoginEnded("Your login has ended. Log in again; everything is still there.")
    if access.closed:
        raise NotLetIn(access.closed)
    if access.allow and not _is_allowed(claims, subject, access.allow):
        raise NotLetIn("You are logged in, but not on the list of those who may use this Tempera. Ask who runs it.")
    return f"{issuer} {subject}"


def _is_allowed(claims: Mapping[str, object], subject: str, allow: Sequence[str]) -> bool:
    if f"sub:{subject}" in allow:
        return True
    email = claims.get("email")
    # Anybody can write any address into some providers; what is not said to be verified does not count.
    if not isinstance(email, str) or "@" not in email or claims.get("email_verified") is not True:
        return False
    email = email.lower()
    listed = {one.lower() for one in allow}
    return email in listed or f"@{email.rpartition('@')[2]}" in listed

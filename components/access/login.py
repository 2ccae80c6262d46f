"""Checks a login: whether it is still valid, whether the person is allowed, and the owner name of what they make.

The claims come from the OpenID Connect ID token, which Streamlit has verified. Streamlit ignores their expiry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.access import sentences
from components.settings import Settings, variable_name
from components.user_error import UserError

_COMMON_KEYS = ("redirect_uri", "cookie_secret")
_PROVIDER_KEYS = ("client_id", "client_secret", "server_metadata_url")


class NotLetIn(UserError):
    """Access is refused. The message says what to do."""


class LoginEnded(NotLetIn):
    """The login has expired; logging in again is enough."""


@dataclass(frozen=True)
class Access:
    """The people allowed after login: e-mail addresses, ``@domain`` for a whole domain, ``sub:`` subjects.

    An empty list allows everyone whom the provider authenticates. ``closed`` is a sentence when the list cannot be
    read: then no login is allowed.
    """

    allow: tuple[str, ...] = ()
    closed: str | None = None


def login_is_configured(settings: Settings, secrets: Mapping[str, object]) -> bool:
    """Whether a login is required."""
    return "auth" in secrets or bool(settings.login)


def login_problem(settings: Settings, secrets: Mapping[str, object]) -> str | None:
    """Why the intended login cannot work, in a sentence with what to do; None when nothing is wrong."""
    if problems := settings.problems.get("login"):
        return problems[0]
    auth = secrets.get("auth")
    if auth is None:
        if settings.login:
            return sentences.NO_AUTH_TABLE.format(name=variable_name("login"))
        if "access" in secrets:
            return sentences.ACCESS_WITHOUT_AUTH
        return None
    if not isinstance(auth, Mapping):
        return sentences.AUTH_NOT_A_TABLE
    missing = [name for name in _COMMON_KEYS if not auth.get(name)]
    providers = {f"{name}.": auth[name] for name in providers_of(auth)} or {"": auth}
    missing += [f"{at}{name}" for at, table in providers.items() for name in _PROVIDER_KEYS if not table.get(name)]
    return sentences.AUTH_INCOMPLETE.format(missing=", ".join(missing)) if missing else None


def providers_of(auth: Mapping[str, object]) -> list[str]:
    """The names of the providers in ``[auth]`` that have a table of their own."""
    return [name for name, table in auth.items() if isinstance(table, Mapping) and name != "client_kwargs"]


def access_of(secrets: Mapping[str, object]) -> Access:
    """The list in the table ``[access]`` of the secrets file, as ``allow = ["anna@example.org", "@example.com"]``."""
    table = secrets.get("access", {})
    allow = table.get("allow", ()) if isinstance(table, Mapping) else None
    if not isinstance(allow, Sequence) or isinstance(allow, str) or not all(isinstance(entry, str) for entry in allow):
        return Access(closed=sentences.ACCESS_UNREADABLE)
    return Access(tuple(entry.strip() for entry in allow))


def owner_of(claims: Mapping[str, object], access: Access, now_s: float) -> str:
    """The owner name of a person: the issuer and the subject, which never change.

    ``now_s`` is in seconds since 1970. Raises LoginEnded, NotLetIn.
    """
    issuer, subject, ends = claims.get("iss"), claims.get("sub"), claims.get("exp")
    if not isinstance(subject, str) or not subject or not isinstance(issuer, str):
        raise NotLetIn(sentences.NOT_IDENTIFIED)
    if isinstance(ends, bool) or not isinstance(ends, int | float) or ends <= now_s:
        raise LoginEnded(sentences.LOGIN_ENDED)
    if access.closed:
        raise NotLetIn(access.closed)
    if access.allow and not _is_allowed(claims, subject, access.allow):
        raise NotLetIn(sentences.NOT_ON_THE_LIST)
    return f"{issuer} {subject}"


def _is_allowed(claims: Mapping[str, object], subject: str, allow: Sequence[str]) -> bool:
    if f"sub:{subject}" in allow:
        return True
    email = claims.get("email")
    # Some providers let users enter any address, so an address counts only when marked as verified.
    if not isinstance(email, str) or "@" not in email or claims.get("email_verified") is not True:
        return False
    email = email.lower()
    listed = {entry.lower() for entry in allow}
    return email in listed or f"@{email.rpartition('@')[2]}" in listed

"""Judges who logged in: whether that still holds, whether they may come in, and under which name they own things.

The claims are those of the OpenID Connect ID token, which Streamlit has verified. When they end, it does not heed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LOGIN = "TEMPERA_LOGIN"
"""The environment variable that says ``required``: nobody comes in without a login, whatever the secrets file says."""

_EVERYBODY: tuple[str, ...] = ()
_OF_ALL = ("redirect_uri", "cookie_secret")
_OF_PROVIDER = ("client_id", "client_secret", "server_metadata_url")


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


def login_is_configured(environment: Mapping[str, str], secrets: Mapping[str, object]) -> bool:
    """Whether nobody may come in without a login."""
    return "auth" in secrets or bool(environment.get(LOGIN))


def login_problem(environment: Mapping[str, str], secrets: Mapping[str, object]) -> str | None:
    """Why a login that is meant cannot be had, in a sentence with what to do; None when nothing is wrong."""
    required = environment.get(LOGIN, "")
    if required not in ("", "required"):
        return f"{LOGIN} must be required, or not be set."
    auth = secrets.get("auth")
    if auth is None:
        if required:
            return f"{LOGIN} says that a login is required, and the secrets file has no table [auth]. Add it."
        if "access" in secrets:
            return "The secrets file has [access] and no [auth], so nobody would have to log in. Add [auth]."
        return None
    if not isinstance(auth, Mapping):
        return "[auth] in the secrets file must be a table."
    missing = [name for name in _OF_ALL if not auth.get(name)]
    providers = {f"{name}.": auth[name] for name in providers_of(auth)} or {"": auth}
    missing += [f"{at}{name}" for at, table in providers.items() for name in _OF_PROVIDER if not table.get(name)]
    return f"[auth] in the secrets file has no {', '.join(missing)}. Add what is missing." if missing else None


def providers_of(auth: Mapping[str, object]) -> list[str]:
    """The names of the providers in ``[auth]`` that have a table of their own."""
    return [name for name, table in auth.items() if isinstance(table, Mapping) and name != "client_kwargs"]


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

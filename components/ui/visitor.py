"""Who looks at the page, from where, and what of the log is theirs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import streamlit as st

from components.access.login import LoginEnded, NotLetIn, access_of, owner_of
from components.demo.visitors import UNKNOWN, network_of, new_visitor_id
from components.log.database import Database
from components.log.owned import OwnLog
from components.log.owner import LOCAL
from components.server.cookies import visitor_of
from components.server.process import service
from components.server.secrets import read_secrets

VISITOR = "visitor"
"""The id of a visitor of a demo who did not log in."""

BY_OWNER: dict[type | str, Callable[[Any], Any]] = {OwnLog: lambda log: log.owner}
"""How what is cached for all visitors tells their logs apart."""


def owner() -> str:
    """Who owns what is made on this page. Raises NotLetIn where one must log in, and is not or no longer."""
    if login_is_needed():
        secrets = read_secrets().values
        if "auth" not in secrets:
            raise NotLetIn("Nobody can log in now. Ask whoever runs this Tempera to look at its secrets file.")
        claims = st.user.to_dict()
        if not claims.get("is_logged_in"):
            raise LoginEnded("Log in first.")
        return f"user {owner_of(claims, access_of(secrets), time.time())}"
    if service().demo:
        return f"visitor {_visitor()}"
    return LOCAL


def login_is_needed() -> bool:
    """Whether the operator has set up a login: also when the file that said so is broken or gone by now."""
    secrets = read_secrets()
    return service().needs_login or "auth" in secrets.values or secrets.are_broken_with("auth")


def own_log() -> OwnLog:
    """The log as the visitor has it."""
    return OwnLog(service().log, owner(), network())


def is_known() -> bool:
    """Whether the visitor may make anything: nobody has to log in, or this one has."""
    try:
        owner()
    except NotLetIn:
        return False
    return True


def who_looks() -> str:
    """Who looks something up, as far as that is to be slowed down: the network, and without one the owner."""
    found = network() or network_of(_remote(), None, 0)
    return found if found != UNKNOWN or not is_known() else owner()


def links() -> Database | None:
    """Where what others share is looked up: whoever has the id of a capsule may read it."""
    return service().log.database


def network() -> str | None:
    """Where the visitor calls from, as far as limits are concerned; None where there are none."""
    demo = service().demo
    if demo is None:
        return None
    said = st.context.headers.get_all("X-Forwarded-For")
    return network_of(_remote(), ",".join(said), demo.proxy_hops)


def _remote() -> str | None:
    # None on this machine itself, and something else in Streamlit's tests of pages.
    remote: object = st.context.ip_address
    return remote if isinstance(remote, str) else None


def _visitor() -> str:
    """The id in the cookie, or for browsers that keep none, one for this session alone."""
    known: str | None = st.session_state.get(VISITOR)
    if known is None:
        known = visitor_of(st.context.cookies) or new_visitor_id()
        # Kept: a cookie that ends while the page is open must not take the visitor's runs away.
        st.session_state[VISITOR] = known
    return known

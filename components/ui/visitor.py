"""The visitor of a page, their network, and their part of the log."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import streamlit as st

from components.access import sentences
from components.access.login import LoginEnded, NotLetIn, access_of, owner_of
from components.demo.visitors import UNKNOWN, network_of, new_visitor_id
from components.experiments.experiment import Experiment
from components.log.database import Database
from components.log.owned import OwnLog
from components.log.record import LOCAL
from components.server.cookies import visitor_of
from components.server.process import service
from components.server.secrets import read_secrets

VISITOR = "visitor"
"""The id of a demo visitor without a login."""

BY_OWNER: dict[type | str, Callable[[Any], Any]] = {OwnLog: lambda log: log.owner}
"""The cache argument that separates the logs of visitors."""


def owner() -> str:
    """The owner of everything made on this page. Raises NotLetIn when a required login is missing or has ended."""
    if login_is_needed():
        secrets = read_secrets().values
        if "auth" not in secrets:
            raise NotLetIn(sentences.LOGIN_UNAVAILABLE)
        claims = st.user.to_dict()
        if not claims.get("is_logged_in"):
            raise LoginEnded(sentences.LOG_IN_FIRST)
        return f"user {owner_of(claims, access_of(secrets), time.time())}"
    if service().demo:
        return f"visitor {_visitor()}"
    return LOCAL


def login_is_needed() -> bool:
    """Whether the operator has set up a login, also when its file is broken or gone by now."""
    secrets = read_secrets()
    return service().needs_login or "auth" in secrets.values or secrets.are_broken_with("auth")


def own_log() -> OwnLog:
    """The log, limited to the visitor's entries."""
    return OwnLog(service().log, owner(), network())


def own_experiment(experiment_id: str | None) -> Experiment | None:
    """The visitor's experiment with that id, made in this process or not; None without an id."""
    return service().experiments.find(experiment_id, owner()) if experiment_id else None


def is_known() -> bool:
    """Whether the visitor may create anything: no login is required, or the visitor is logged in."""
    try:
        owner()
    except NotLetIn:
        return False
    return True


def rate_limit_key() -> str:
    """The key by which lookups are rate-limited: the network, or the owner when the network is unknown."""
    key = network() or network_of(_remote(), None, 0)
    return key if key != UNKNOWN or not is_known() else owner()


def links() -> Database | None:
    """The database of shared capsules: anyone with a capsule's id may read it."""
    return service().log.database


def network() -> str | None:
    """The visitor's network for limits; None where no limits apply."""
    demo = service().demo
    if demo is None:
        return None
    forwarded = st.context.headers.get_all("X-Forwarded-For")
    return network_of(_remote(), ",".join(forwarded), demo.proxy_hops)


def _remote() -> str | None:
    # None on this machine itself, and another value in Streamlit's page tests.
    remote: object = st.context.ip_address
    return remote if isinstance(remote, str) else None


def _visitor() -> str:
    """The id in the cookie, or an id for this session in browsers without cookies."""
    visitor_id: str | None = st.session_state.get(VISITOR)
    if visitor_id is None:
        visitor_id = visitor_of(st.context.cookies) or new_visitor_id()
        # Kept: a cookie that expires while the page is open must not hide the visitor's runs.
        st.session_state[VISITOR] = visitor_id
    return visitor_id

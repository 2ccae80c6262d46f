"""A sentence on pages whose requests reach other replicas than the one that draws them, and the route to find out."""

from __future__ import annotations

from functools import partial

import streamlit as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route

from components.server.options import route_path
from components.server.process import service

REPLICA_CHECK = "replica_check"

_PATH = "replica"
_SCATTERED = "scattered_replicas"
"""The replicas whose page's requests reached others."""

# Several requests: a proxy that takes turns sends one of two to the right replica.
_SCRIPT = """
const TIMES = 4;
let checked = null;

export default async ({ data, setTriggerValue }) => {
  if (checked === data.replica) return;
  checked = data.replica;
  for (let time = 0; time < TIMES; time++) {
    const answer = await fetch(new URL(data.path, location.href), { cache: "no-store" }).catch(() => null);
    if (answer?.ok && (await answer.text()) !== data.replica) return setTriggerValue("scattered", data.replica);
  }
};
"""
_check = st.components.v2.component("tempera_replica_check", js=_SCRIPT)


def draw_replica_check() -> None:
    """Draw the sentence where it is true. Only a log on PostgreSQL has replicas."""
    database = service().log.database
    if database is None or database.is_sqlite:
        return
    replica = service().experiments.process
    # Kept here and not as a value of the widget: a message with values requests no page (server/whole_messages.py).
    scattered: set[str] = st.session_state.setdefault(_SCATTERED, set())
    data = {"path": _PATH, "replica": replica}
    _check(key=REPLICA_CHECK, data=data, on_scattered_change=partial(scattered.add, replica))
    # A page that came from a replica that has ended is checked again.
    if replica in scattered:
        st.warning(
            "This page's requests reach several replicas, so uploads, downloads and live text may fail. "
            "The operator has to let the proxy keep each browser at one replica (sticky sessions).",
            icon=":material/alt_route:",
        )


def routes() -> list[BaseRoute]:
    """The route of this process's name, under the path of the pages."""
    return [Route(route_path(_PATH), _name)]


def _name(_request: Request) -> PlainTextResponse:
    return PlainTextResponse(service().experiments.process, headers={"Cache-Control": "no-store"})

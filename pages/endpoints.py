"""The configured endpoints: their state and models; add, test, edit and find some."""

import streamlit as st

from components.server.process import service
from components.ui.choices import draw_action
from components.ui.endpoints import keys
from components.ui.endpoints.added_form import (
    added_endpoints,
    draw_add_buttons,
    draw_form,
    draw_local_servers,
    draw_undo,
    may_add,
)
from components.ui.endpoints.endpoint_panel import await_answers, check_again, draw_endpoint
from components.ui.endpoints.endpoint_setup import draw_endpoint_setup
from components.ui.endpoints.own_endpoint import draw_own_endpoint
from components.ui.page_heading import draw_heading_row
from components.ui.user_errors import draw_error, show_errors

endpoints = list(service().configuration().endpoints.values())
local = may_add()

with draw_heading_row("Endpoints", "Where requests are sent, and which models answer there"):
    if local:
        draw_add_buttons()
    draw_action("Check all again", "check_all", ":material/refresh:", check_again, endpoints)

added: set[str] = set()
if local:
    draw_error(keys.PROBLEM)
    draw_undo()
    draw_form()
    draw_local_servers(endpoints)
    with show_errors():
        added = set(added_endpoints().tables())

awaited = [endpoint for endpoint in endpoints if draw_endpoint(endpoint, is_added=endpoint.name in added)]

draw_own_endpoint()

with st.expander("Add one by a file or the environment", icon=":material/terminal:", key="endpoint_setup"):
    draw_endpoint_setup()

if awaited:
    await_answers(awaited)

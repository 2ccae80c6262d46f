"""The configured endpoints: their state, their models, and how to add one."""

import streamlit as st

from components.server.process import service
from components.settings import read_settings
from components.ui.endpoints.endpoint_panel import await_answers, check_again, draw_endpoint
from components.ui.endpoints.endpoint_setup import draw_endpoint_setup
from components.ui.endpoints.own_endpoint import draw_own_endpoint
from components.ui.visitor import own_log

endpoints = list(service().configuration().endpoints.values())

with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    st.subheader("Endpoints", anchor=False, width="content")
    st.button(
        "Check all again",
        key="check_all",
        type="tertiary",
        icon=":material/refresh:",
        on_click=check_again,
        args=(endpoints,),
    )

awaited = [endpoint for endpoint in endpoints if draw_endpoint(endpoint, own_log().database)]

if read_settings().own_endpoints:
    st.subheader("Your own endpoint", anchor=False)
    draw_own_endpoint()

st.subheader("Add an endpoint", anchor=False)
draw_endpoint_setup()

await_answers(awaited)

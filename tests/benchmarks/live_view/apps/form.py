"""A form with as many widgets as Tempera's playground, and nothing else."""

import streamlit as st

st.set_page_config(layout="wide")
work, settings = st.columns([5, 3], gap="large")

with settings:
    for label in ("endpoint", "model"):
        st.selectbox(label, ["one", "two"])
    for label in ("Presets", "Import", "Share"):
        with st.popover(label):
            st.write(label)
    for number in range(5):
        st.markdown(f":small[field {number}]", help="What the field is for.")
        st.segmented_control(f"state {number}", ["omit", "value"], default="omit")
        st.number_input(f"value {number}", value=1.0, help="What the value means.")
    st.toggle("stream")
    with st.expander("More"):
        st.text_area("Further fields")

with work:
    st.selectbox("role", ["user", "system"])
    st.text_area("message")
    st.menu_button("More actions", ["Move up", "Delete"])
    for label in ("system", "user", "assistant", "tool", "Reset all"):
        st.button(label, type="tertiary")
    with st.container(horizontal=True):
        st.button("Run", key="run", type="primary")
        st.button("Stop", key="stop")
    st.segmented_control("view", ["Answer", "Request"], default="Answer")
    for number in range(7):
        st.markdown(f":small[a remark, {number}]")
    st.container(border=True, key="answer").caption("The answer appears here.")

import json
import os
from collections.abc import Iterator

import requests
import streamlit as st


def tokens() -> Iterator[str]:
    url = os.environ["BASE_URL"] + "/chat/completions"
    for line in requests.post(url, json={"stream": True}, stream=True).iter_lines():
        if line.startswith(b"data: {"):
            yield json.loads(line[6:])["choices"][0]["delta"].get("content") or ""


if st.button("Run", key="run"):
    with st.container(key="answer"):
        st.write_stream(tokens())

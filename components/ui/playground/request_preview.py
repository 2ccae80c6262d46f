"""The request preview, byte for byte, with its address and headers; the key never shows."""

from __future__ import annotations

import streamlit as st

from components.endpoints.endpoint import AnyEndpoint
from components.log.record import RunRecord
from components.server.process import service
from components.streaming.call import shown_headers
from components.ui.playground import keys

_UNKNOWN_ADDRESS = "(the address is known once the embedded model is ready)"


def draw_request(endpoint: AnyEndpoint, body: bytes | None, record: RunRecord | None, *, stale: bool) -> None:
    """Draw the form's request, followed by the request of the shown answer when it differs.

    ``body`` is None while the form makes no request; its fields show the reason. ``stale`` says that the shown answer
    is to another request.
    """
    with st.container(key=keys.PREVIEW, gap="small"):
        if body is None:
            st.caption("The form has no valid request yet. The problem is shown beside its field.")
        else:
            st.markdown(f":small[Run would send these {len(body):,} bytes]")
            st.code(_head(endpoint, body), language="http", wrap_lines=True)
            st.code(body.decode(), language="json", wrap_lines=True)
    if record and stale:
        with st.expander("Request of the shown answer"):
            st.code(record.request_body, language="json", wrap_lines=True)


def _head(endpoint: AnyEndpoint, body: bytes) -> str:
    address = None if service().demo else endpoint.known_address
    if address is None:
        return f"POST /v1/chat/completions {_UNKNOWN_ADDRESS}"
    url = f"{address.base_url}/chat/completions"
    headers = shown_headers(url, body, address.key)
    return "\n".join([f"POST {url}", *(f"{name}: {value}" for name, value in headers.items())])

"""Generates Python code for requests and sseclient-py, the libraries that Tempera uses."""

from __future__ import annotations

import json

from components.snippets.python_literal import python_literal

_STREAMED = '''\
import json
{import_os}import sys

import requests
from sseclient import SSEClient

body = {body}


def pieces(response):
    """The answer in the pieces in which it arrives, each at once."""
    while piece := response.raw.read1(65536, decode_content=True):
        yield piece


with requests.post(
    {url},
    headers={{
{headers}    }},
    data={data},
    stream=True,
    timeout=(10, 300),
) as response:
    if not response.ok:
        sys.exit(f"HTTP {{response.status_code}}: {{response.text}}")
    for event in SSEClient(pieces(response)).events():
        if event.data == "[DONE]":
            break
        chunk = json.loads(event.data)
        if chunk.get("error"):
            sys.exit(f"The stream ended with an error: {{chunk['error']}}")
        for choice in chunk.get("choices", [])[:1]:
            print(choice["delta"].get("content") or "", end="", flush=True)
print()
'''

_AT_ONCE = """\
import json
{import_os}import sys

import requests

body = {body}

response = requests.post(
    {url},
    headers={{
{headers}    }},
    data={data},
    timeout=(10, 300),
)
if not response.ok:
    sys.exit(f"HTTP {{response.status_code}}: {{response.text}}")
print(response.json()["choices"][0]["message"]["content"])
"""


def to_requests(body: str, base_url: str, key_variable: str | None) -> str:
    """A program that posts the bytes of ``body`` and prints the answer as it arrives.

    Raises CannotExport when the body nests too deeply for Python code.
    """
    fields = json.loads(body)
    template = _STREAMED if fields["stream"] else _AT_ONCE
    return template.format(
        import_os="import os\n" if key_variable else "",
        body=python_literal(fields),
        url=python_literal(f"{base_url}/chat/completions"),
        headers="".join(f"        {line},\n" for line in _headers(key_variable)),
        data=f"json.dumps(body, ensure_ascii=False, indent=2).encode({_handling_of_half_characters(body)})",
    )


def _headers(key_variable: str | None) -> list[str]:
    headers = ['"Accept": "text/event-stream"', '"Content-Type": "application/json"']
    if key_variable:
        headers.insert(0, f'"Authorization": f"Bearer {{os.environ[\'{key_variable}\']}}"')
    return headers


def _handling_of_half_characters(body: str) -> str:
    try:
        json.dumps(json.loads(body), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return '"utf-8", "backslashreplace"'
    return ""

import json
import os
from collections.abc import Iterator

import gradio
import httpx


def answer(message: str, history: list[dict[str, str]]) -> Iterator[str]:
    text = ""
    url = os.environ["BASE_URL"] + "/chat/completions"
    with httpx.stream("POST", url, json={"stream": True}, timeout=None, trust_env=False) as response:
        for line in response.iter_lines():
            if line.startswith("data: {"):
                text += json.loads(line[6:])["choices"][0]["delta"].get("content") or ""
                yield text


gradio.ChatInterface(answer).launch(server_name="127.0.0.1")

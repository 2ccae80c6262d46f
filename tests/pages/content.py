"""The content of a page's components: their HTML, or the data that the socket would send now."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any

import pandas as pd
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block

from components.live.channels import Shown
from components.live.subscription import Subscription
from components.markdown.answer import AnswerBlocks
from components.server.process import service

Data = dict[str, Any]


def text_components(page: AppTest | Block) -> list[Data]:
    """The data of each component with text, in the order of the page."""
    components = [json.loads(element.proto.json) for element in page.get("bidi_component")]
    return [data for data in components if "token" in data or "blocks" in data]


def listed(page: AppTest) -> pd.DataFrame:
    """The rows of the run log by the titles of its columns; ``pd.DataFrame()`` where none is drawn."""
    components = [json.loads(element.proto.json) for element in page.get("bidi_component")]
    lists = [data for data in components if "rows" in data]
    if not lists:
        return pd.DataFrame()
    columns = [column["title"] for column in lists[0]["columns"]]
    return pd.DataFrame([row["cells"] for row in lists[0]["rows"]], columns=columns)


def shown_run(data: Data) -> Shown | None:
    """The run that this live view component may see."""
    channel = service().channels.find(data["token"])
    return channel.find(data["run"]) if channel and data["run"] else None


def blocks(data: Data) -> Iterator[str]:
    """The blocks of HTML that this component draws, and the note instead of an answer."""
    if "blocks" in data:
        yield from data["blocks"]
    elif run := shown_run(data):
        for first, *more in Subscription(
            run, None if data["part"] == "status" else AnswerBlocks(data["part"])
        ).messages():
            if isinstance(first, dict):
                yield html.escape(str(first.get("note", "")))
            else:
                yield from map(str, more[1:])


def markup(page: AppTest | Block) -> str:
    """The HTML of all components."""
    return "\n".join("".join(blocks(data)) for data in text_components(page))


def words(page: AppTest | Block) -> str:
    """The visible text of the components."""
    return html.unescape(re.sub(r"<button.*?</button>|<[^>]+>", "", markup(page)))

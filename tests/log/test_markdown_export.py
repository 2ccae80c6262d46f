from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from components.log.markdown_export import as_markdown
from components.log.record import RunRecord
from components.log.storable import storable_text
from tests.log.conftest import make_run

READER = MarkdownIt("commonmark").enable("table")
MARKUP = st.text(st.sampled_from("`~# \n\r\t|<>!-[]()&;\\x\u2028\0\ud83d"), min_size=1)
TEXTS = MARKUP | st.text(st.characters(codec=None), min_size=1)


def record(**changes: Any) -> RunRecord:
    begun = make_run().record()
    return replace(begun, created_at="2026-11-26T11:08:58.294705Z", status="ok", total_ms=1234.56, **changes)


def body_of(*messages: Any, **fields: Any) -> str:
    return json.dumps({"model": "m", "messages": list(messages), **fields})


def user(content: Any, role: Any = "user") -> dict[str, Any]:
    return {"role": role, "content": content}


def with_texts(text: str, name: str) -> RunRecord:
    return record(
        model=name,
        endpoint=name,
        error_kind=name,
        finish_reason=name,
        error_message=text,
        text=text,
        reasoning=text,
        warnings=json.dumps([text], ensure_ascii=False),
        request_body=body_of(user(text, name), stop=text),
    )


def fences(document: str) -> list[str]:
    return [token.content.removesuffix("\n") for token in READER.parse(document) if token.type == "fence"]


def shape(document: str) -> list[Any]:
    def kinds(tokens: list[Token]) -> list[Any]:
        return [
            (token.type, token.tag, token.info.strip(), [child.type for child in token.children or []])
            for token in tokens
        ]

    return kinds(READER.parse(document))


def as_read(text: str) -> str:
    """The text with the line ends of CommonMark."""
    return re.sub("\r\n?", "\n", storable_text(text))


@given(text=TEXTS, name=TEXTS)
def test_no_text_breaks_out_of_its_block(text: str, name: str) -> None:
    document = as_markdown(with_texts(text, name))
    assert shape(document) == shape(as_markdown(with_texts("harmless", "harmless")))
    error, message, settings, answer, reasoning, warnings, exact = fences(document)
    assert error == message == answer == reasoning == as_read(text)
    assert json.loads(settings) == {"stop": json.loads(json.dumps(text))}
    assert warnings == as_read(json.dumps([text], ensure_ascii=False))
    assert exact == body_of(user(text, name), stop=text)
    document.encode()


@pytest.mark.parametrize(
    "text", ["```", "```\n# Out", "````\n```", "~~~\n", "x\n   ```", "\n```text\nx\n```", "`" * 5_000]
)
def test_a_fence_is_longer_than_any_in_the_text(text: str) -> None:
    assert fences(as_markdown(record(text=text)))[-2] == text


def test_a_run_is_exported_from_the_prompt_to_the_answer() -> None:
    run = record(
        id="1f",
        app_version="1.2.3",
        attempts=1,
        http_status=200,
        finish_reason="stop",
        text="Hello\nyou",
        ttft_ms=12.5,
        tokens_per_second=133.333,
        rate_basis="completion tokens",
        gap_p95_ms=40.04,
        gap_count=7,
        prompt_tokens=7,
        served_model="m-2026",
        request_id="r`1",
        request_body='{"model": "m", "messages": [{"role": "user", "content": "Hi"}], "top_p": null}',
    )
    assert (
        as_markdown(run)
        == """# `m` on `mine`, 2026-11-26 11:08:58 UTC

Ended as `ok`, HTTP 200, finish reason `stop`, 1 attempt. Run `1f`, made by Tempera `1.2.3`.

| number | value |
| :-- | --: |
| TTFT | 12.5 ms |
| TTFO | – |
| tokens/s | 133.3 |
| chunk gap p50 | – |
| chunk gap p95 | 40.0 ms |
| chunk gap max | – |
| chunk gaps | 7 |
| prompt tokens | 7 |
| completion tokens | not reported |
| total | 1234.6 ms |

The rate counts: `completion tokens`.

Reported by the endpoint: served model `m-2026`, request id ``r`1``.

## Request

### Message, role `user`

```text
Hi
```

### Settings

```json
{
  "top_p": null
}
```

## Answer

```text
Hello
you
```

## Exact request

```json
{"model": "m", "messages": [{"role": "user", "content": "Hi"}], "top_p": null}
```
"""
    )


def test_omitted_settings_are_absent_and_null_is_null() -> None:
    body = body_of(user("Hi"), temperature=None, max_tokens=5)
    assert json.loads(fences(as_markdown(record(request_body=body)))[1]) == {"temperature": None, "max_tokens": 5}


def test_parts_and_further_keys_of_messages_are_json() -> None:
    parts = [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": "x"}]
    call = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}
    read = fences(as_markdown(record(request_body=body_of(user(parts), call, "odd", user("x", role=None)))))
    assert [json.loads(each) for each in read[:3]] == [parts, {"tool_calls": [{"id": "1"}]}, "odd"]
    assert read[3] == "x"


@pytest.mark.parametrize(
    "body", ["no JSON", "[]", '{"a": 1, "a": 2}', '{"a": ' + "[" * 100_000, '{"a": ' + "[" * 900 + "]" * 900 + "}"]
)
def test_a_body_with_several_interpretations_is_shown_as_sent(body: str) -> None:
    document = as_markdown(record(request_body=body))
    assert fences(document)[-1] == body


@pytest.mark.parametrize("messages", ["text", None, 7, {}])
def test_invalid_messages_appear_in_the_exact_request_only(messages: Any) -> None:
    document = as_markdown(record(request_body=json.dumps({"messages": messages})))
    assert "### Message" not in document
    assert "### Settings" in document


def test_a_running_run_is_marked_as_running() -> None:
    document = as_markdown(make_run().record())
    assert "Still running, 0 attempts." in document
    assert "No text arrived." in document


def test_further_sections_appear_only_with_content() -> None:
    assert not re.search("Reasoning|Tool calls|Warnings|Retries", as_markdown(record(text="x")))
    document = as_markdown(record(tool_calls='[{"name": "f"}]', retries="[{}]", reasoning="r"))
    assert re.findall("^## (.*)$", document, re.MULTILINE) == [
        "Request",
        "Answer",
        "Reasoning",
        "Tool calls",
        "Retries",
        "Exact request",
    ]

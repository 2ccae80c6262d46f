"""Fields that an operator declares, or that an endpoint's own OpenAPI document names."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from components.contract.fields import Kind
from components.contract.lint import lint
from components.contract.profile import BEEZY, OPENAI
from components.contract.request import ChatCompletionStreamRequest
from components.embedded.process import EmbeddedModel
from components.endpoints.configuration import Configuration, read_configuration
from components.endpoints.endpoint import Endpoint
from components.endpoints.openapi import NoDocument, OpenApiFields, fields_in, read_fields
from components.endpoints.own_fields import with_declared
from components.settings import Settings
from tests.streaming.endpoint import serve
from tests.waiting import wait_for

PATH = "/v1/chat/completions"


def configured(**settings: Any) -> Configuration:
    secrets = {"endpoints": {"mine": {"base_url": "http://127.0.0.1:9/v1", **settings}}}
    return read_configuration(secrets, Settings(), EmbeddedModel())


def posted(schema: dict[str, Any], path: str = PATH, **schemas: Any) -> dict[str, Any]:
    body = {"content": {"application/json": {"schema": schema}}}
    return {"paths": {path: {"post": {"requestBody": body}}}, "components": {"schemas": schemas}}


def nullable(*types: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"anyOf": [*types, {"type": "null"}], **more}


# Written by pydantic: vLLM, SGLang and other FastAPI servers.
WITH_PYDANTIC = posted(
    {"$ref": "#/components/schemas/ChatCompletionRequest"},
    ChatCompletionRequest={
        "properties": {
            "messages": {"items": {}, "type": "array"},
            "model": nullable({"type": "string"}),
            "temperature": nullable({"type": "number"}),
            "seed": nullable({"type": "integer", "maximum": 9, "minimum": -9}, title="Seed"),
            "stop": nullable({"type": "string"}, {"items": {"type": "string"}, "type": "array"}, default=[]),
            "top_k": nullable({"type": "integer"}, title="Top K"),
            "min_p": nullable({"type": "number"}, default=0.0),
            "skip_special_tokens": {"type": "boolean", "default": True},
            "reasoning_effort": nullable({"type": "string", "enum": ["low", "high"]}),
            "mode": {"$ref": "#/components/schemas/Mode"},
            "template_arguments": nullable({"additionalProperties": True, "type": "object"}, description="For **it**."),
            "bad words": {"type": "string"},
        }
    },
    Mode={"enum": ["fast", "slow"], "type": "string"},
)
# OpenAPI 3.0, as written by Rust servers: nullable, format, example.
WITH_NULLABLE = posted(
    {"$ref": "#/components/schemas/ChatRequest"},
    ChatRequest={
        "type": "object",
        "required": ["messages"],
        "properties": {
            "top_logprobs": {"type": "integer", "format": "int32", "nullable": True, "minimum": 0, "example": 5},
            "repetition_penalty": {
                "type": "number",
                "format": "float",
                "nullable": True,
                "exclusiveMinimum": True,
                "minimum": 0,
            },
        },
    },
)
# With ranges, allOf and another path prefix.
WITH_RANGES = posted(
    {
        "allOf": [
            {"type": "object", "properties": {"top_k": {"type": "integer", "minimum": 0, "exclusiveMaximum": 1000}}},
            {"properties": {"mirostat_mode": {"enum": [0, 1, 2], "type": "integer", "default": 0}}},
        ]
    },
    path="/api/v3/chat/completions",
)


def test_a_declared_field_has_its_kind_range_default_and_first_value() -> None:
    fields = {
        "top_k": {"kind": "whole", "minimum": 1.0, "maximum": 100.0, "default": "off", "begins_with": 40},
        "mode": {"kind": "choice", "choices": ["fast", "slow"]},
        "stop": {"default": "the model's default"},
        "temperature": {"maximum": 5.0},
    }
    endpoint = configured(fields=fields).endpoints["mine"]
    profile = endpoint.profile
    assert (profile.field("top_k").kind, profile.field("top_k").begins_with) == (Kind.WHOLE, 40)
    assert profile.fields["top_k"].range_problem(0) == "top_k must be at least 1; 0 is less."
    assert profile.field("mode").begins_with == "fast"
    assert (profile.field("stop").kind, profile.fields["stop"].default) == (Kind.TEXTS, "the model's default")
    assert profile.fields["temperature"].range_problem(4.0) is None
    assert profile.further_fields == ("top_k", "mode", "stop")
    assert BEEZY.further_fields == ()
    request = ChatCompletionStreamRequest.model_validate(
        {"model": "m", "messages": [{"role": "user", "content": "x"}], "extra_body": {"top_k": 500, "mode": 1}}
    )
    assert [remark.sentence for remark in lint(request, profile)] == [
        "top_k must be at most 100; 500 is more.",
        "mode must be a text.",
    ]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"fields": {"top k": {"kind": "whole"}}}, "cannot be the name of a field"),
        ({"fields": {"stream": {"kind": "switch"}}}, "cannot be the name of a field"),
        ({"fields": {"top_k": {}}}, "fields.top_k must have the kind one of decimal, whole"),
        ({"fields": {"stop": {"kind": "whole"}}}, "fields.stop must have the kind texts"),
        ({"fields": {"top_k": {"kind": "whole", "range": 5}}}, "fields.top_k, range: "),
        ({"fields": {"top_k": 5}}, "fields.top_k: "),
        ({"fields": 5}, "write its fields as tables"),
        ({"openapi": "http://other/openapi.json"}, "openapi must be true, or a path"),
        ({"openapi": "//other/openapi.json"}, "openapi must be true, or a path"),
    ],
)
def test_a_mistake_disables_its_own_endpoint_only_and_shows_the_syntax(settings: dict[str, Any], words: str) -> None:
    found = configured(**settings)
    assert list(found.endpoints) == ["embedded"]
    assert words in found.problems[0]


def test_a_field_of_the_document_cannot_take_the_key_of_a_contract_field() -> None:
    found = fields_in(WITH_PYDANTIC, PATH)
    assert "seed" not in with_declared(OPENAI, found).own
    assert with_declared(BEEZY, found).field("seed").kind is Kind.WHOLE


def test_a_pydantic_document_defines_kinds_nulls_and_defaults() -> None:
    found = fields_in(WITH_PYDANTIC, PATH)
    kinds = {name: one.row.kind for name, one in found.items()}
    assert kinds == {
        "seed": Kind.WHOLE,
        "stop": Kind.TEXTS,
        "top_k": Kind.WHOLE,
        "min_p": Kind.DECIMAL,
        "skip_special_tokens": Kind.SWITCH,
        "reasoning_effort": Kind.CHOICE,
        "mode": Kind.CHOICE,
        "template_arguments": Kind.JSON,
    }
    assert (found["seed"].rules.minimum, found["seed"].rules.nullable) == (-9, True)
    assert (found["min_p"].rules.default, found["min_p"].row.begins_with) == ("default 0.0", 0.0)
    assert not found["skip_special_tokens"].rules.nullable
    assert found["mode"].row.choices == ("fast", "slow")
    assert found["template_arguments"].row.description == "For **it**."


def test_documents_of_other_servers_are_read() -> None:
    found = fields_in(WITH_NULLABLE, PATH)
    assert (found["top_logprobs"].rules.minimum, found["top_logprobs"].rules.nullable) == (0, True)
    assert (found["repetition_penalty"].row.kind, found["repetition_penalty"].rules.minimum) == (Kind.DECIMAL, 0)
    found = fields_in(WITH_RANGES, PATH)
    assert (found["top_k"].rules.minimum, found["top_k"].rules.maximum) == (0, 999)
    assert found["mirostat_mode"].row.kind is Kind.WHOLE


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"paths": []},
        posted({"$ref": "http://other/schema"}),
        posted({"$ref": "#/components/schemas/A"}, A={"$ref": "#/components/schemas/A"}),
        posted({"$ref": "#/components/schemas/A"}, A={"anyOf": [{"$ref": "#/components/schemas/A"}] * 50}),
    ],
)
def test_a_document_without_fields_is_reported_soon(document: dict[str, Any]) -> None:
    before = time.process_time()
    with pytest.raises(NoDocument, match="it names no further fields"):
        fields_in(document, PATH)
    assert time.process_time() - before < 1


def an_answer(body: bytes, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


def test_the_document_is_fetched_once_from_the_endpoints_origin() -> None:
    with serve(
        lambda connection, _request: connection.sendall(an_answer(json.dumps(WITH_PYDANTIC).encode()))
    ) as server:
        known = OpenApiFields()
        endpoint = configured(base_url=server.base_url, openapi=True, fields={"top_k": {"kind": "decimal"}})
        mine = endpoint.endpoints["mine"]
        assert isinstance(mine, Endpoint)
        wait_for(lambda: known.extended(mine).profile.knows("min_p"))
        assert known.extended(mine).profile.field("top_k").kind is Kind.DECIMAL
        assert len(server.requests) == 1
        assert server.requests[0].startswith(b"GET /openapi.json ")
        assert known.problems == ()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (an_answer(b"no", "404 Not Found"), "HTTP 404"),
        (an_answer(b"[]"), "not a JSON object"),
        (an_answer(b"{}"), "names no further fields"),
        (an_answer(b" " * (4 * 1024 * 1024 + 1)), "too large"),
    ],
)
def test_an_unavailable_document_is_reported(answer: bytes, words: str) -> None:
    with serve(lambda connection, _request: connection.sendall(answer)) as server:
        mine = configured(base_url=server.base_url, openapi=True).endpoints["mine"]
        assert isinstance(mine, Endpoint)
        with pytest.raises(NoDocument, match=words):
            read_fields(mine.fixed_address, str(mine.openapi))

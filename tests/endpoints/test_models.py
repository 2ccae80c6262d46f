from __future__ import annotations

import pytest

from components.endpoints import models
from components.endpoints.endpoint import Address
from components.endpoints.models import ModelCard, ModelsUnavailable, list_models
from components.streaming.session import ApiKey
from tests.streaming.endpoint import document, head, serve


def test_models_are_unique_in_the_endpoints_order_with_their_facts() -> None:
    cards = [
        {"id": "b", "max_context_length": 2048, "default_model_temperature": 0.3, "odd": {}},
        {"id": "a"},
        {"id": "b"},
        {"id": 7},
        "c",
        {"id": "d", "max_context_length": "long"},
        {"id": "e", "max_context_length": float("inf"), "default_model_temperature": 10**400},
        {"id": "f", "max_context_length": 10**30, "default_model_temperature": float("nan")},
    ]
    with serve(document({"object": "list", "data": cards})) as server:
        found = list_models(Address(server.base_url))
    assert found == [ModelCard("b", 2048, 0.3), *(ModelCard(name) for name in "adef")]


@pytest.mark.parametrize(
    "answer",
    [
        [{"id": "a", "object": "model", "context_length": 4096}, {"id": "b"}],
        {"models": [{"id": "a", "max_model_len": 4096}, {"id": "b"}]},
        {"object": "list", "data": [], "models": [{"id": "a", "context_window": 4096}, {"id": "b"}]},
        {"models": [{"name": "a", "model": "a", "context_length": 4096, "details": {}}, {"name": "b", "model": "b"}]},
        {"models": [{"name": "a", "endpoints": ["chat"], "context_length": 4096.0}, {"name": "b", "id": None}]},
    ],
    ids=["bare", "models", "both", "ollama", "cohere"],
)
def test_model_lists_of_all_providers_are_read(answer: object) -> None:
    with serve(document(answer)) as server:
        assert list_models(Address(server.base_url)) == [ModelCard("a", 4096), ModelCard("b")]


@pytest.mark.parametrize(
    ("chat", "other"),
    [
        ({"endpoints": ["generate", "chat"]}, {"endpoints": ["embed"]}),
        ({"type": "chat"}, {"type": "embedding"}),
        ({"type": "vlm"}, {"type": "embeddings"}),
        ({"type": "model"}, {"type": "rerank"}),
        ({"task": "image-text-to-text"}, {"task": "text-to-image"}),
        ({"capabilities": {"completion_chat": True}}, {"capabilities": {"completion_chat": False}}),
        ({"capabilities": ["completion", "tools"]}, {"capabilities": ["embedding"]}),
        (
            {"architecture": {"output_modalities": ["image", "text"]}},
            {"architecture": {"output_modalities": ["image"]}},
        ),
        ({"endpoints": [], "type": None}, {"type": "image"}),
    ],
    ids=lambda listed: str(listed)[:40],
)
def test_only_chat_models_are_listed_if_the_list_names_kinds(chat: dict[str, object], other: dict[str, object]) -> None:
    with serve(document({"data": [{"id": "other", **other}, {"id": "chat", **chat}]})) as server:
        assert list_models(Address(server.base_url)) == [ModelCard("chat")]


def test_the_key_is_sent_and_stays_out_of_the_sentence() -> None:
    with serve(document({"detail": "No: canary-key-3"}, "401 Unauthorized")) as server:
        with pytest.raises(ModelsUnavailable, match=r"No: \*\*\*"):
            list_models(Address(server.base_url, ApiKey("canary-key-3", server.base_url)))
        assert b"Authorization: Bearer canary-key-3" in server.requests[0]
        assert server.requests[0].startswith(b"GET /v1/models ")


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (document("<html>login</html>", content_type="text/html"), "did not answer with a list"),
        (document([1, 2]), "did not answer with a list"),
        (document({"detail": "Not Found"}, "404 Not Found"), "Not Found"),
        (head("302 Found", "Location: http://127.0.0.1:1/", "Content-Length: 0"), "302"),
        (b"", "closed the connection"),
    ],
)
def test_an_invalid_list_is_reported_with_a_sentence(answer: bytes, sentence: str) -> None:
    with serve(answer) as server, pytest.raises(ModelsUnavailable, match=sentence):
        list_models(Address(server.base_url))


def test_a_silent_endpoint_times_out() -> None:
    assert models.ANSWER_S == 5, "as documented"
    play = lambda connection, request: server.until_closed(connection, request)  # noqa: E731
    with serve(play) as server, pytest.raises(ModelsUnavailable, match=r"within 0\.1 s"):
        list_models(Address(server.base_url), within_s=0.1)


def test_an_answer_without_models_is_an_empty_list() -> None:
    for answer in ({"data": None}, [], {"models": []}):
        with serve(document(answer)) as server:
            assert list_models(Address(server.base_url)) == []

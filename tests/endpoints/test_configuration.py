from __future__ import annotations

import pickle
from collections.abc import Iterator

import pytest

from components.embedded.process import EmbeddedModel
from components.embedded.status_line import ModelPhase
from components.endpoints.configuration import EMBEDDED, ENVIRONMENT, Configuration, read_configuration
from components.endpoints.endpoint import Prices
from components.settings import read_settings
from components.streaming.faults import StreamFault

CANARY = "canary-key-7"


@pytest.fixture
def model() -> Iterator[EmbeddedModel]:
    made = EmbeddedModel()
    yield made
    made.stop()


def test_without_configuration_the_embedded_model_is_available_and_not_started(model: EmbeddedModel) -> None:
    found = read_configuration({}, read_settings({}), model)
    assert list(found.endpoints) == [EMBEDDED]
    assert found.problems == ()
    assert model.state.phase is ModelPhase.IDLE


def test_endpoints_of_the_environment_precede_the_secrets_and_the_embedded_model(model: EmbeddedModel) -> None:
    secrets = {"endpoints": {"mine": {"base_url": "https://a.example/v1/", "dialect": "mistral", "api_key": CANARY}}}
    environment = {"TEMPERA_BASE_URL": "http://127.0.0.1:9/v1", "TEMPERA_DIALECT": "openai", "TEMPERA_API_KEY": "k"}
    found = read_configuration(secrets, read_settings(environment), model)
    assert list(found.endpoints) == [ENVIRONMENT, "mine", EMBEDDED]
    assert found.problems == ()
    mine = found.endpoints["mine"]
    address = mine.address(lambda: False)
    assert (mine.profile.name, address.base_url) == ("mistral", "https://a.example/v1")
    assert address.key.header_for("https://a.example/v1/models") == f"Bearer {CANARY}"
    assert found.endpoints[ENVIRONMENT].profile.name == "openai"


def test_a_key_goes_to_its_own_origin_only_and_is_shown_nowhere(model: EmbeddedModel) -> None:
    secrets = {"endpoints": {"mine": {"base_url": "https://a.example/v1", "api_key": CANARY}}}
    found = read_configuration(secrets, read_settings({}), model)
    key = found.endpoints["mine"].address(lambda: False).key
    for other in ("http://a.example/v1", "https://a.example:444/v1", "https://b.example/v1", "https://a.example.b/v1"):
        with pytest.raises(StreamFault):
            key.header_for(other)
    shown = f"{found!r} {found} {key!r} {key:}".encode() + pickle.dumps(key)
    assert CANARY.encode() not in shown


def problems_of(settings: object, model: EmbeddedModel) -> str:
    found: Configuration = read_configuration({"endpoints": {"bad": settings, "good": GOOD}}, read_settings({}), model)
    assert list(found.endpoints) == ["good", EMBEDDED]
    (problem,) = found.problems
    assert problem.startswith("The endpoint [endpoints.bad] cannot be used: ")
    assert CANARY not in problem
    return problem


GOOD = {"base_url": "https://good.example/v1"}


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (CANARY, "write it as a table"),
        ({}, "base_url is missing"),
        ({"base_url": "ftp://x/v1", "api_key": CANARY}, "must begin with http"),
        ({"base_url": f"https://me:{CANARY}@x/v1"}, "user name or password"),
        ({"base_url": "http://127.0.0.1\\@x/v1"}, "backslash"),
        ({"base_url": "https://x/v1?a=b"}, "query"),
        ({"base_url": "https://x:99999/v1"}, "cannot be read"),
        ({"base_url": "https://x/v1", "dialect": "klingon"}, "beezy, mistral, openai"),
        ({"base_url": "https://x/v1", "apikey": CANARY}, "unknown setting apikey"),
        ({"base_url": "https://x/v1", "api_key": 7}, "quotation marks"),
        ({"base_url": "https://x/v1", "api_key": f"{CANARY} \n x"}, "holds a blank"),
    ],
)
def test_a_mistake_disables_its_own_endpoint_only_with_a_next_step(
    settings: object, problem: str, model: EmbeddedModel
) -> None:
    assert problem in problems_of(settings, model)


def test_prices_are_per_million_tokens_with_a_currency(model: EmbeddedModel) -> None:
    secrets = {"endpoints": {"mine": {"base_url": "https://host/v1", "prices": "2.50 10 EUR"}}}
    found = read_configuration(secrets, read_settings({}), model).endpoints
    assert (found["mine"].prices, found[EMBEDDED].prices) == (Prices(2.5, 10.0, "EUR"), None)


@pytest.mark.parametrize("prices", ["2.50 EUR", "cheap", "2.50 nan EUR", "-1 2 EUR", "1 2 3 EUR"])
def test_invalid_prices_show_the_format(prices: str, model: EmbeddedModel) -> None:
    assert "2.50 10.00 EUR" in problems_of({"base_url": "https://host/v1", "prices": prices}, model)


def test_the_names_of_built_in_endpoints_are_reserved(model: EmbeddedModel) -> None:
    found = read_configuration({"endpoints": {EMBEDDED: GOOD}}, read_settings({}), model)
    assert "name is taken" in found.problems[0]


def test_endpoints_that_are_not_tables_are_reported(model: EmbeddedModel) -> None:
    found = read_configuration({"endpoints": "https://x/v1"}, read_settings({}), model)
    assert "one table per endpoint" in found.problems[0]


def test_a_broken_environment_endpoint_does_not_affect_the_others(model: EmbeddedModel) -> None:
    found = read_configuration({}, read_settings({"TEMPERA_BASE_URL": "nowhere"}), model)
    assert list(found.endpoints) == [EMBEDDED]
    assert "TEMPERA_BASE_URL" in found.problems[0]

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from components.demo.settings import DemoSettings, demo_settings
from components.endpoints.endpoint import Endpoint
from components.settings import read_settings
from components.streaming.limits import Limits
from tests.demo.conftest import SETTINGS, demo_endpoint


@pytest.mark.parametrize(
    ("environment", "secrets"),
    [
        ({"TEMPERA_DEMO": "1"}, {}),
        ({"TEMPERA_DEMO": " True "}, {}),
        ({"TEMPERA_DEMO": "yes"}, {}),
        ({}, {"demo": {"enabled": True}}),
        ({"TEMPERA_DEMO": "0"}, {"demo": {"enabled": True}}),
        ({}, {"demo": True}),
    ],
)
def test_the_environment_or_the_secrets_switch_a_demo_on(environment: dict, secrets: dict) -> None:
    assert demo_settings(read_settings(environment), secrets) == SETTINGS


@pytest.mark.parametrize(
    ("environment", "secrets"),
    [
        ({}, {}),
        ({"TEMPERA_DEMO": "0"}, {}),
        ({"TEMPERA_DEMO": "false"}, {"demo": {"enabled": False}}),
        ({}, {"demo": {"runs_a_day": 5}}),
        ({}, {"endpoints": {}}),
    ],
)
def test_other_settings_do_not_switch_a_demo_on(environment: dict, secrets: dict) -> None:
    assert demo_settings(read_settings(environment), secrets) is None


@pytest.mark.parametrize(
    ("environment", "secrets"),
    [
        ({"TEMPERA_DEMO": "please"}, {}),
        ({}, {"demo": {"enabled": "no"}}),
        ({}, {"demo": {"enabled": 0}}),
        ({}, {"demo": ["x"]}),
    ],
)
def test_an_unreadable_switch_counts_as_on_and_is_reported(environment: dict, secrets: dict) -> None:
    environment_settings = read_settings(environment)
    settings = demo_settings(environment_settings, secrets)
    assert settings
    assert len(settings.problems) + len(environment_settings.problems) == 1
    assert replace(settings, problems=()) == SETTINGS


def test_the_defaults_are_the_documented_ones() -> None:
    assert (
        DemoSettings(
            input_characters=12_000,
            max_tokens=512,
            run_s=60,
            runs_a_minute=10,
            runs_a_day=200,
            runs_at_once=2,
            sweep_runs=20,
            sweep_tokens=10_000,
            compare_lanes=4,
            slots=4,
            queue=20,
            tokens_a_day=200_000,
            visitor_percent=10,
            network_percent=25,
            proxy_hops=0,
        )
        == SETTINGS
    )


def test_the_table_sets_every_limit() -> None:
    table = {"enabled": True, "runs_a_day": 5, "proxy_hops": 2, "endpoints": ["mine"], "stop_file": "/tmp/stop"}
    settings = demo_settings(read_settings({}), {"demo": {**table, "models": {"mine": ["a", "b"]}}})
    assert settings
    assert (settings.runs_a_day, settings.proxy_hops, settings.stop_file) == (5, 2, "/tmp/stop")
    assert settings.allows_endpoint("mine")
    assert not settings.allows_endpoint("other")
    assert settings.models_of(demo_endpoint()) == ("a", "b")
    assert settings.problems == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("runs_a_day", 0),
        ("runs_a_day", -1),
        ("runs_a_day", "5"),
        ("max_tokens", True),
        ("max_tokens", 1.5),
        ("max_tokens", None),
        ("slots", 10**12),
        ("proxy_hops", -1),
        ("visitor_percent", 0),
        ("network_percent", 101),
        ("models", "m"),
        ("models", {"mine": "m"}),
        ("models", {"mine": [1]}),
        ("models", {"mine": []}),
        ("stop_file", 7),
        ("runs_a_dya", 5),
    ],
)
def test_an_invalid_value_is_reported_and_the_default_applies(name: str, value: object) -> None:
    settings = demo_settings(read_settings({"TEMPERA_DEMO": "1"}), {"demo": {name: value}})
    assert settings
    assert len(settings.problems) == 1
    assert "[demo" in settings.problems[0]
    assert replace(settings, problems=()) == SETTINGS


@pytest.mark.parametrize("value", ["mine", 7, [7], {"mine": True}])
def test_an_unreadable_list_of_endpoints_allows_none(value: object) -> None:
    settings = demo_settings(read_settings({"TEMPERA_DEMO": "1"}), {"demo": {"endpoints": value}})
    assert settings
    assert len(settings.problems) == 1
    assert not settings.allows_endpoint("mine")


def test_without_lists_each_configured_endpoint_has_its_default_model_only() -> None:
    settings = demo_settings(read_settings({"TEMPERA_DEMO": "1"}), {"demo": {"endpoints": []}})
    assert settings
    assert settings.allows_endpoint("mine")
    assert settings.models_of(demo_endpoint()) == ("m",)
    endpoint = demo_endpoint()
    assert settings.models_of(Endpoint(endpoint.name, endpoint.profile, endpoint.fixed_address)) == ()


def test_the_stop_file_may_be_named_in_the_environment() -> None:
    settings = demo_settings(read_settings({"TEMPERA_DEMO": "1", "TEMPERA_DEMO_STOP_FILE": "/tmp/stop"}), {})
    assert settings
    assert settings.stop_file == "/tmp/stop"


def test_runs_have_the_total_time_of_the_demo() -> None:
    assert SETTINGS.limits().total_s == 60
    assert DemoSettings(run_s=1_000_000).limits().total_s == Limits().total_s


def test_visitors_can_read_every_limit() -> None:
    numbers = re.findall(r"\d[\d,]*", " ".join(SETTINGS.in_words()))
    runs = ["12,000", "512", "60", "10", "200", "2", "20", "10,000", "4", "4", "20"]
    assert numbers == [*runs, "200,000", "20,000", "50,000", "6", "20"]

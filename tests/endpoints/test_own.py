from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from components.contract.messages import Message, Role
from components.contract.request import ChatCompletionStreamRequest
from components.embedded.process import EmbeddedModel
from components.endpoints.configuration import read_configuration
from components.endpoints.endpoint import Endpoint
from components.endpoints.health import HealthVerdict, check
from components.endpoints.models import ModelCard, ModelsUnavailable, list_models
from components.endpoints.own import OWN_NAME, own_endpoint
from components.endpoints.typed import EndpointField, UnusableEndpoint
from components.log.log import Log
from components.log.query import find_run
from components.runs.runner import Runner
from components.settings import Settings, read_settings
from components.streaming.limits import Limits
from components.streaming.stream import AnswerStream
from components.user_error import UserError
from tests.orders import order_of
from tests.streaming.endpoint import DONE, chunk, document, head, serve
from tests.streaming.recorder import recording

ALLOWED = Settings(own_endpoints=True)


def allowed_in(network: str) -> Settings:
    return Settings(own_endpoints=True, own_endpoints_networks=(ip_network(network),))


LOOPBACK_ALLOWED = allowed_in("127.0.0.0/8")
VISITORS_KEY = "canary-of-the-visitor"
OPERATORS_KEY = "canary-of-the-operator"
LIMITS = Limits(retries_before_first_byte=0)
REQUEST = ChatCompletionStreamRequest(model="m", messages=[Message(role=Role.USER, content="Hello")])

SPELLINGS = [  # SEC-04
    "http://127.0.0.1\\@host.example/v1",
    "http://host.example\\.evil.example/v1",
    "http:\\\\127.0.0.1/v1",
    "http://me@127.0.0.1/v1",
    "http://host.example:80@127.0.0.1/v1",
    "http://me:secret@host.example/v1",
    "http://127.0.0.1%2f@host.example/v1",
    " http://host.example/v1",
    "http://host.example/v1 ",
    "http://host.example /v1",
    "http://host.example\t/v1",
    "http://host.example/v1\r\nX-Header: 1",
    "http://host.example\x00.evil.example/v1",
    "http://host.example/v1\x7f",
    "http://host\u200b.example/v1",
    "http://\u202eelpmaxe.tsoh/v1",
    "http://host\u2028.example/v1",
    "file:///etc/passwd",
    "ftp://host.example/v1",
    "gopher://127.0.0.1:6379/_x",
    "javascript:alert(1)",
    "unix:///run/docker.sock",
    "//host.example/v1",
    "host.example/v1",
    "http:host.example/v1",
    "http:///v1",
    "http://host.example#@127.0.0.1/v1",
    "http://host.example/v1?url=http://127.0.0.1",
    "http://host.example:99999/v1",
    "http://[::1/v1",
    "",
]
THIS_MACHINE = ["127.0.0.1", "127.1", "0x7f.0.0.1", "0x7f000001", "2130706433", "017700000001", "0", "[::1]"]
THIS_MACHINE += ["[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"]
OTHERS_INSIDE = ["10.0.0.1", "169.254.169.254", "100.64.0.1", "[fd00::1]", "[fe80::1%25lo]", "192.168.1.1"]


def made(base_url: str = "https://host.example/v1", key: str = "", **more: object) -> Endpoint:
    given: dict[str, object] = {"base_url": base_url, "key": key, "dialect": "openai", "model": ""} | more
    settings, taken = given.pop("settings", ALLOWED), given.pop("taken", ())
    typed = {EndpointField(field): text for field, text in given.items()}
    return own_endpoint(typed, settings, taken)  # type: ignore[arg-type]


def problems_of(*arguments: str, **more: object) -> dict[EndpointField, str]:
    with pytest.raises(UnusableEndpoint) as refused:
        made(*arguments, **more)
    assert isinstance(refused.value, UserError)
    assert VISITORS_KEY not in str(refused.value)
    return dict(refused.value.problems)


@pytest.mark.parametrize(
    ("value", "allowed"),
    [("1", True), ("true", True), (" On ", True), ("", False), ("0", False), ("no", False), ("perhaps", False)],
)
def test_own_endpoints_need_the_operators_permission(value: str, allowed: bool) -> None:
    settings = read_settings({"TEMPERA_OWN_ENDPOINTS": value})
    assert settings.own_endpoints is allowed
    if not allowed:
        assert "not allowed here" in problems_of(settings=settings)[EndpointField.BASE_URL]


def test_own_endpoints_are_off_by_default() -> None:
    assert not read_settings({}).own_endpoints


def test_typed_values_become_an_endpoint_with_a_unique_name() -> None:
    endpoint = made("https://host.example/v1/", f" {VISITORS_KEY} ", model=" some-model ")
    assert (endpoint.name, endpoint.profile.name, endpoint.default_model) == (OWN_NAME, "openai", "some-model")
    address = endpoint.address(lambda: False)
    assert address is endpoint.known_address
    assert address.base_url == "https://host.example/v1"
    assert address.key.header_for("https://host.example/v1/models") == f"Bearer {VISITORS_KEY}"
    assert made().fixed_address.key is None
    assert made().default_model is None


def test_its_name_differs_from_those_of_configured_endpoints() -> None:
    assert made(taken=("mine", "embedded")).name == OWN_NAME
    assert made(taken=(OWN_NAME, f"{OWN_NAME} 2")).name == f"{OWN_NAME} 3"


def test_the_key_is_shown_nowhere() -> None:
    endpoint = made(key=VISITORS_KEY)
    shown = f"{endpoint!r} {endpoint} {endpoint.fixed_address}".encode() + pickle.dumps(endpoint.fixed_address)
    assert VISITORS_KEY.encode() not in shown


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_an_ambiguous_base_url_is_refused_before_any_call(spelled: str) -> None:
    for settings in (ALLOWED, LOOPBACK_ALLOWED):
        sentence = problems_of(spelled, settings=settings)[EndpointField.BASE_URL]
        assert sentence.startswith("The base URL")
        assert sentence.endswith("Give it as https://host/v1.")


@pytest.mark.parametrize("host", [*THIS_MACHINE, *OTHERS_INSIDE])
def test_a_private_numeric_address_is_refused_at_once(host: str) -> None:
    assert "not public" in problems_of(f"http://{host}:8080/v1")[EndpointField.BASE_URL]


def test_public_and_allowed_addresses_are_accepted() -> None:
    made("http://8.8.8.8/v1")
    made(
        "http://10.1.2.3:8000/v1",
        settings=ALLOWED.model_copy(update={"own_endpoints_networks": (ip_network("10.0.0.0/8"),)}),
    )


def test_each_field_that_must_change_has_a_sentence() -> None:
    problems = problems_of("nowhere", f"{VISITORS_KEY} x", dialect="klingon", model="a\x00b")
    assert list(problems) == [field for field in EndpointField if field is not EndpointField.NAME]
    assert "Copy it again" in problems[EndpointField.KEY]
    assert "beezy, mistral, openai" in problems[EndpointField.DIALECT]
    assert "cannot be seen" in problems[EndpointField.MODEL]


def test_unreadable_networks_allow_nothing_and_are_named() -> None:
    environment = {
        "TEMPERA_OWN_ENDPOINTS": "perhaps",
        "TEMPERA_OWN_ENDPOINTS_NETWORKS": " 10.0.0.0/8, , 192.168.0.1/16, everything,fd12::/16 ",
    }
    settings = read_settings(environment)
    assert [str(network) for network in settings.own_endpoints_networks] == ["10.0.0.0/8", "fd12::/16"]
    problems = [sentence for sentences in settings.problems.values() for sentence in sentences]
    assert len(problems) == 3
    assert "must be 1 or 0" in problems[0]
    assert "'192.168.0.1/16'" in problems[1]
    assert "'everything'" in problems[2]


def answer_of(endpoint: Endpoint) -> AnswerStream:
    address = endpoint.fixed_address
    stream = AnswerStream(address.base_url, b"{}", key=address.key, limits=LIMITS, allows=address.allows)
    for _ in stream:
        pass
    return stream


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1.", "①②⑦.0.0.1", "１２７.0.0.1", "127。0。0。1"])
def test_a_name_that_resolves_to_this_machine_is_refused_when_called(host: str) -> None:
    with recording() as recorder:
        endpoint = made(f"http://{host}:{recorder.port}/v1", VISITORS_KEY)
        outcome = answer_of(endpoint).outcome
        assert outcome.error_kind.value in ("address_refused", "dns", "protocol")
        with pytest.raises(ModelsUnavailable):
            list_models(endpoint.fixed_address)
        assert recorder.seen() == (0, b"")


def test_listing_models_and_checking_health_obey_the_address_policy() -> None:
    with recording() as recorder:
        address = made(f"http://localhost:{recorder.port}/v1", VISITORS_KEY).fixed_address
        with pytest.raises(ModelsUnavailable, match="not public, so nothing was sent"):
            list_models(address)
        health = check(address)
        assert (health.verdict, health.milliseconds) == (HealthVerdict.DOES_NOT_ANSWER, None)
        assert "ask Tempera's operator" in health.problem
        assert recorder.seen() == (0, b"")


def playing(location: Callable[[], str]) -> Callable[..., object]:
    """A play with one model that redirects requests for the model ``elsewhere``."""

    def play(connection, request: bytes) -> None:  # type: ignore[no-untyped-def]
        if request.startswith(b"GET"):
            connection.sendall(document({"data": [{"id": "m"}]}))
        elif b"elsewhere" in request:
            connection.sendall(head("307 Temporary Redirect", f"Location: {location()}/chat/completions"))
        else:
            connection.sendall(head() + chunk("Hello", "stop") + DONE)

    return play


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    opened = Log(f"sqlite:///{tmp_path / 'own.sqlite3'}")
    yield opened
    opened.close()


def test_an_endpoint_in_an_allowed_network_is_called_and_each_key_reaches_its_own_origin_only(
    log: Log, tmp_path: Path
) -> None:
    model, runner = EmbeddedModel(), Runner(log)
    with (
        serve(playing(lambda: visitors.base_url)) as operators,
        serve(playing(lambda: operators.base_url)) as visitors,
    ):
        secrets = {"endpoints": {"mine": {"base_url": operators.base_url, "api_key": OPERATORS_KEY}}}
        configured = read_configuration(secrets, LOOPBACK_ALLOWED, model).endpoints["mine"]
        assert isinstance(configured, Endpoint)
        keyed = made(visitors.base_url, VISITORS_KEY, settings=LOOPBACK_ALLOWED)
        keyless = made(visitors.base_url, settings=LOOPBACK_ALLOWED)
        # A visitor who types the operator's base URL does not get the operator's key.
        at_operators = made(operators.base_url, settings=LOOPBACK_ALLOWED)
        runs = []
        for endpoint in (configured, keyed, keyless, at_operators):
            assert list_models(endpoint.fixed_address) == [ModelCard("m")]
            for request in (REQUEST, REQUEST.model_copy(update={"model": "elsewhere"})):
                runs.append(runner.start(order_of(endpoint, request)))
                runs[-1].written.result()
    runner.shutdown()
    model.stop()
    found = [find_run(log.database, run.id) for run in runs]
    assert [(record.endpoint, record.text or record.error_kind) for record in found] == [
        (name, outcome) for name in ("mine", *[OWN_NAME] * 3) for outcome in ("Hello", "redirect_refused")
    ]
    assert len(operators.requests) == len(visitors.requests) == 6
    to_operators, to_visitors = b"".join(operators.requests), b"".join(visitors.requests)
    assert (to_operators.count(OPERATORS_KEY.encode()), to_operators.count(VISITORS_KEY.encode())) == (3, 0)
    assert (to_visitors.count(OPERATORS_KEY.encode()), to_visitors.count(VISITORS_KEY.encode())) == (0, 3)
    log.close()
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.is_file())
    assert OWN_NAME.encode() in written
    assert VISITORS_KEY.encode() not in written
    assert OPERATORS_KEY.encode() not in written

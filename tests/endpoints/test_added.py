"""Endpoints added on the page: validation and their file."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.embedded.process import EmbeddedModel
from components.endpoints.added import AddedEndpoints, checked
from components.endpoints.configuration import read_configuration
from components.endpoints.kinds import Kind, find_local
from components.endpoints.typed import EndpointField, UnusableEndpoint
from components.settings import Settings
from components.user_error import UserError
from tests.streaming.endpoint import document, serve

SAVED = {"base_url": "https://one.test/v1", "dialect": "openai", "api_key": "secret"}


def typed(**fields: str) -> dict[EndpointField, str]:
    usual = {"name": "mine", "base_url": "https://one.test/v1", "key": "", "dialect": "openai", "model": ""}
    return {EndpointField(name): text for name, text in {**usual, **fields}.items()}


def problems(before: dict[str, str] | None = None, **fields: str) -> dict[EndpointField, str]:
    with pytest.raises(UnusableEndpoint) as unusable:
        checked(typed(**fields), before or {}, {"theirs"})
    assert "secret" not in str(unusable.value)
    return dict(unusable.value.problems)


def test_a_new_endpoint_has_the_settings_that_were_typed() -> None:
    table = checked(typed(base_url=" https://one.test/v1/ ", key=" secret ", model="m"), {}, ())
    assert table == {**SAVED, "default_model": "m"}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, EndpointField.NAME),
        ({"name": "a b"}, EndpointField.NAME),
        ({"name": "theirs"}, EndpointField.NAME),
        ({"base_url": "one.test"}, EndpointField.BASE_URL),
        ({"base_url": "http://one.test\\@two.test/v1"}, EndpointField.BASE_URL),
        ({"key": "secret with blanks"}, EndpointField.KEY),
        ({"dialect": "latin"}, EndpointField.DIALECT),
        ({"model": "m\x07"}, EndpointField.MODEL),
    ],
)
def test_each_problem_names_its_field(fields: dict[str, str], field: EndpointField) -> None:
    assert list(problems(**fields)) == [field]


def test_a_stored_key_is_sent_to_no_other_address() -> None:
    assert checked(typed(base_url="https://one.test/v2"), SAVED, ())["api_key"] == "secret"
    for other in ("https://two.test/v1", "http://one.test/v1", "https://one.test:444/v1"):
        assert list(problems(SAVED, base_url=other)) == [EndpointField.KEY]
    assert checked(typed(base_url="https://two.test/v1", key="new"), SAVED, ())["api_key"] == "new"


def test_the_file_is_private_and_has_the_saved_endpoints(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "endpoints.toml"
    added = AddedEndpoints(path)
    assert added.tables() == {}
    added.save("llama.cpp", {**SAVED, "default_model": 'a "quoted" \\ 🌊'})
    added.save("other", SAVED)
    assert path.stat().st_mode & 0o777 == 0o600
    assert AddedEndpoints(path).tables()["llama.cpp"]["default_model"] == 'a "quoted" \\ 🌊'
    added.remove("llama.cpp")
    assert added.tables() == {"other": SAVED}
    assert [each.name for each in path.parent.iterdir()] == ["endpoints.toml"]


def test_a_file_that_cannot_be_read_or_was_edited_by_hand_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "endpoints.toml"
    for content in ("[mine", '[mine]\nbase_url = "https://one.test/v1"\n[mine.fields.x]\nkind = "switch"\n'):
        path.write_text(content)
        with pytest.raises(UserError):
            AddedEndpoints(path).save("new", SAVED)
        assert path.read_text() == content


def test_an_added_endpoint_cannot_have_the_name_of_a_configured_one() -> None:
    secrets = {"endpoints": {"mine": {"base_url": "https://configured.test/v1"}}}
    found = read_configuration(secrets, Settings(), EmbeddedModel(), {"mine": SAVED, "other": SAVED})
    addresses = {name: endpoint.known_address for name, endpoint in found.endpoints.items()}
    assert addresses["mine"].base_url == "https://configured.test/v1"
    assert addresses["other"].key.header_for("https://one.test/v1") == "Bearer secret"
    assert list(addresses) == ["mine", "other", "embedded"]


def test_servers_on_this_machine_are_found_with_their_models() -> None:
    with serve(document({"data": [{"id": "alpha"}]})) as server:
        there = Kind("There", "there", server.base_url, "openai", local=True)
        nowhere = Kind("Nowhere", "nowhere", "http://127.0.0.1:9/v1", "openai", local=True)
        hosted = Kind("Hosted", "hosted", server.base_url, "openai")
        (found,) = find_local([there, nowhere, hosted])
    assert found.kind == there
    assert [card.id for card in found.models] == ["alpha"]
    assert len(server.requests) == 1

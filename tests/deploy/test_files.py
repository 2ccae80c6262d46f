"""The files that start Tempera in containers are consistent and contain no secret."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.deploy.container import ROOT, environment, files, instructions_named, is_sent

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
REPLICAS = {name: service for name, service in SERVICES.items() if "build" in service}


def test_the_files_copied_into_the_image_exist_in_the_build_context() -> None:
    sent = [path for path in files() if is_sent(path)]
    for copy in instructions_named("COPY"):
        for source in copy.split()[:-1]:
            assert any(path == source or path.startswith(f"{source.rstrip('/')}/") for path in sent), source


def test_the_build_context_contains_only_files_of_the_app() -> None:
    roots = {path.partition("/")[0] for path in files() if is_sent(path)}
    assert roots == {"app.py", "components", "pages", ".streamlit", "requirements.txt", "deploy"}
    assert {path for path in files() if is_sent(path) and path.startswith((".streamlit", "deploy"))} == {
        ".streamlit/config.toml",
        "deploy/requirements.txt",
        "deploy/start",
    }


@pytest.mark.parametrize(
    "path",
    [
        ".streamlit/secrets.toml",
        "deploy/secrets/database_password",
        "deploy/secrets/tempera.toml",
        "deploy/secrets.example.toml",
        "tests/conftest.py",
        "tests/requirements.txt",
        ".git/config",
        ".env",
        ".venv/bin/python",
        "runs.sqlite3",
        "components/ui/__pycache__/state.pyc",
    ],
)
def test_the_build_context_contains_no_secret_and_no_test(path: str) -> None:
    assert not is_sent(path)


def test_the_image_runs_as_its_own_user_and_writes_only_to_the_volume() -> None:
    variables = environment()
    assert instructions_named("USER") == ["tempera"]
    assert any("useradd --uid 1000 " in run for run in instructions_named("RUN"))
    assert variables["TEMPERA_VOLUME"] == "/data"
    assert variables["TEMPERA_DATABASE_URL"].startswith("sqlite:////data/")
    assert variables["STREAMLIT_SERVER_PORT"] in instructions_named("EXPOSE")


def test_the_start_does_not_look_up_its_public_address() -> None:
    assert environment()["STREAMLIT_LOGGER_HIDE_WELCOME_MESSAGE"] == "true"


@pytest.mark.parametrize("weights", ["start", "build"])
def test_the_image_argument_adds_the_weights(weights: str) -> None:
    text = (ROOT / "Dockerfile").read_text()
    stage = text.partition(f"FROM app AS weights-at-{weights}\n")[2].partition("FROM ")[0]
    assert ("ensure(" in stage) is (weights == "build")
    # Files fetched at build time must not be hidden by a volume.
    assert ("TEMPERA_CACHE_DIR=/data/" in stage) is (weights == "start")
    assert text.rstrip().endswith("FROM weights-at-${WEIGHTS}")


def test_two_replicas_differ_only_in_their_name() -> None:
    first, second = REPLICAS.values()
    assert first == second
    text = (ROOT / "deploy" / "Caddyfile").read_text()
    assert re.findall(r"(\S+):(\d+)\b", text.partition("reverse_proxy ")[2].partition("{")[0]) == [
        (name, instructions_named("EXPOSE")[0]) for name in REPLICAS
    ]
    assert "lb_policy cookie" in text


def test_only_the_proxy_is_reachable_and_logs_are_limited() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert SERVICES["database"]["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert "inside" not in SERVICES["proxy"]["networks"]
    for service in SERVICES.values():
        assert service["mem_limit"]
        assert service["cpus"]
        assert "no-new-privileges:true" in service["security_opt"]
    for service in (*REPLICAS.values(), SERVICES["proxy"]):
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]


def test_secrets_come_from_files_only() -> None:
    for service in SERVICES.values():
        named = {f"/run/secrets/{name}" for name in service.get("secrets", [])}
        variables = {name: str(value) for name, value in service.get("environment", {}).items()}
        assert {value for name, value in variables.items() if "_FILE" in name} == named
        assert not [name for name in variables if re.search(r"(PASSWORD|SECRET|KEY)$", name)]
        assert "@" not in variables.get("TEMPERA_DATABASE_URL", "").partition("tempera@")[2]
    start = (ROOT / "deploy" / "start").read_text()
    read = set(re.findall(r"^for name in (.*); do$", start, re.MULTILINE)[0].split())
    for replica in REPLICAS.values():
        given = {name.removesuffix("_FILE") for name in replica["environment"] if name.endswith("_FILE")}
        assert given <= read
    assert {secret["file"].rpartition("/")[0] for secret in COMPOSE["secrets"].values()} == {"secrets"}
    assert "deploy/secrets/" in (ROOT / ".gitignore").read_text().splitlines()


def test_every_named_volume_and_path_exists() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (ROOT / "deploy" / source).is_file()
    for replica in REPLICAS.values():
        assert replica["volumes"] == [f"data:{environment()['TEMPERA_VOLUME']}"]
        assert (ROOT / "deploy" / replica["build"]["context"] / "Dockerfile").is_file()


def test_the_space_has_the_port_of_the_image() -> None:
    text = (ROOT / "deploy" / "space" / "README.md").read_text()
    header = yaml.safe_load(text.split("---\n")[1])
    assert (header["sdk"], str(header["app_port"])) == ("docker", instructions_named("EXPOSE")[0])
    assert len(header["short_description"]) <= 60

"""Installed packages: no release with a relevant vulnerability, and all locked by hash."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.browser.conftest import ROOT

FLOORS = {
    # CVE-2024-47081 (credentials from netrc), CVE-2018-18074.
    "requests": "2.32.4",
    # CVE-2025-66418, CVE-2025-66471, CVE-2026-21441, CVE-2026-44432 (memory), CVE-2025-50181 (redirects).
    "urllib3": "2.7.0",
    # CVE-2026-33682, and CVE-2026-10804 before it.
    "streamlit": "1.54",
    # CVE-2026-48818.
    "starlette": "1.1",
    # CVE-2025-43859: chunked bodies that proxies read differently.
    "h11": "0.16.0",
    "jinja2": "3.1.6",
}
LOCKS = ["requirements.txt", "tests/requirements.txt"]
_PIN = re.compile(
    r"^(?P<name>[a-z0-9][a-z0-9._-]*)(?:\[[a-z0-9,._-]+\])?==(?P<version>\S+)(?P<rest>.*)$", re.IGNORECASE
)


def pins(lock: str) -> dict[str, tuple[str, list[str]]]:
    """Each package of a lock: its version, and its hashes."""
    found: dict[str, tuple[str, list[str]]] = {}
    for entry in re.split(r"\n(?=\S)", (ROOT / lock).read_text()):
        lines = [line.strip().removesuffix("\\").strip() for line in entry.splitlines() if line.strip()]
        if not lines or lines[0].startswith("#"):
            continue
        pin = _PIN.match(lines[0])
        assert pin, f"{lock}: {lines[0]} is not one version"
        hashes = [line.removeprefix("--hash=") for line in lines[1:] if line.startswith("--hash=")]
        found[pin["name"].lower().replace("_", "-")] = pin["version"], hashes
    return found


@pytest.mark.parametrize("name", FLOORS)
def test_installed_versions_meet_the_security_floors(name: str) -> None:
    assert Version(version(name)) >= Version(FLOORS[name])


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_locked_to_one_version_with_its_hashes(lock: str) -> None:
    found = pins(lock)
    assert len(found) > 40
    for name, (_, hashes) in found.items():
        assert hashes, f"{name} has no hash"
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", one) for one in hashes), name
    for name, floor in FLOORS.items():
        assert Version(found[name][0]) >= Version(floor), name


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_uses_another_index(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert not re.search(
        r"^\s*(--(extra-)?index-url|--find-links|--trusted-host|-e |git\+)| @ (https?|file|git)", text, re.M
    )


def test_the_project_requires_the_security_floors() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needs = {need.name: need for need in map(Requirement, project["project"]["dependencies"])}
    for name in ("requests", "urllib3", "starlette", "streamlit"):
        assert min(Version(part.version.removesuffix(".*")) for part in needs[name].specifier) >= Version(FLOORS[name])


def test_the_locks_do_not_contain_litellm() -> None:
    for lock in LOCKS:
        assert "litellm" not in pins(lock)


def test_installed_versions_are_the_locked_ones() -> None:
    locked = pins("requirements.txt")
    for name in ("requests", "urllib3", "streamlit", "starlette", "nh3", "sseclient-py", "itsdangerous"):
        assert version(name) == locked[name][0]


def test_the_make_file_installs_the_locks_only() -> None:
    installs = re.findall(r"pip install .*", (Path(ROOT) / "Makefile").read_text())
    assert installs
    # pip asks for the hash of every package as soon as one has one.
    assert all(re.search(r"-r (tests/)?requirements\.txt$", line) for line in installs)

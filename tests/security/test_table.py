"""``docs/security.md`` names an existing test for each requirement."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import ROOT

TEXT = (ROOT / "docs" / "security.md").read_text()
WANTED = [
    f"{kind}-{number:02}"
    for kind, last in (("SEC", 34), ("DOS", 9), ("LNK", 14), ("PUB", 13))
    for number in range(1, last + 1)
]
_ROW = re.compile(r"^\| (?P<id>(?:SEC|DOS|LNK|PUB)-\d\d) \| (?P<held>[^|]+) \| (?P<tests>[^|]+) \|$", re.MULTILINE)
_TEST = re.compile(r"`(?P<file>tests/[\w/]+\.py)::(?P<name>\w+)`")

ROWS = {row["id"]: row for row in _ROW.finditer(TEXT)}


def test_every_requirement_has_exactly_one_row() -> None:
    assert re.findall(r"^\| ((?:SEC|DOS|LNK|PUB)-\d\d) ", TEXT, re.MULTILINE) == WANTED
    assert list(ROWS) == WANTED


@pytest.mark.parametrize("name", WANTED)
def test_the_tests_of_a_requirement_exist(name: str) -> None:
    tests = ROWS[name]["tests"]
    named = list(_TEST.finditer(tests))
    # A row without a test has a reason.
    assert named or re.match(r"none: \w.{20,}", tests), tests
    for test in named:
        source = (ROOT / test["file"]).read_text()
        assert re.search(rf"^\s*def {test['name']}\(", source, re.MULTILINE), f"{test[0]} is not there"
    assert tests.count("`") == 2 * len(named), f"other code marks: {tests}"


def test_the_named_settings_exist_in_the_code() -> None:
    places = [ROOT / "app.py", *(ROOT / "components").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
    # Variables of the environment are in a table generated from the code.
    code = "\n".join(path.read_text() for path in [*places, ROOT / "docs" / "settings.md"])
    assert [name for name in sorted(set(re.findall(r"TEMPERA_[A-Z_]+", TEXT))) if name not in code] == []

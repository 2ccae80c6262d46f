"""The workflow files for CI systems use existing options of the command and keep its output."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from components.endpoints.configuration import ENVIRONMENT
from components.experiments.__main__ import main
from tests.deploy.container import ROOT

FILES = sorted((ROOT / "deploy" / "ci").glob("*.yml"))


def texts(content: Any) -> Iterator[str]:
    """All texts in a file."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict | list):
        for part in content.values() if isinstance(content, dict) else content:
            yield from texts(part)


def test_both_ci_systems_have_a_file() -> None:
    assert [file.stem for file in FILES] == ["github", "gitlab"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_workflow_calls_the_command_with_existing_options(file: Any, capsys: pytest.CaptureFixture[str]) -> None:
    found = list(texts(yaml.safe_load(file.read_text())))
    [line] = [text for text in found if text.startswith("tempera ")]
    program, command, *arguments = shlex.split(line)
    # The file of a page names the endpoint of that page.
    begins = ["run", "capitals.yaml", "--endpoint", ENVIRONMENT]
    assert (program, command, arguments[:4]) == ("tempera", "experiment", begins)
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    options = capsys.readouterr().out
    for option, written in zip(arguments[4::2], arguments[5::2], strict=True):
        assert option in options
        assert written.startswith("$") or any(written in text.split() for text in found if text != line)

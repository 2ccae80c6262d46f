"""The command that runs an experiment file: its output, its files and its exit code."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from components.experiments.__main__ import main
from components.experiments.store import COMPARISON, SWEEP, find_experiment, newest_experiments, runs_of
from components.log.log import Log
from components.sharing.capsule import Kind
from components.sharing.capsule_file import data_blocks
from components.sharing.freezing import Choices, capsule_of
from tests.experiments.conftest import Stage, in_turn
from tests.streaming.endpoint import Endpoint, serve

FILE = """\
tempera: 1
name: Capitals
base:
  endpoint: environment
  model: Paris
  messages: [user: "Capital of {{country}}?"]
axes:
  model: [Paris, Rome]
combine: product
data:
  file: countries.csv
repeats: 4
checks:
  - contains: "{{capital}}"
limits:
  - ttft_ms: {at_most: 60000}
tolerances:
  answers: 0.1
"""
LANES = """\
tempera: 1
base:
  endpoint: environment
  model: Paris
  messages: [user: "Capital of France?"]
lanes:
  - name: {name}
  - model: Rome
repeats: 5
order: interleaved
tolerances:
  answers: 0.1
"""
Command = Callable[..., int]


@pytest.fixture
def stage() -> Stage:
    return Stage(pause=0.0)


@pytest.fixture
def endpoint(stage: Stage) -> Iterator[Endpoint]:
    def play(connection: socket.socket, request: bytes) -> None:
        if request.startswith(b"GET"):
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        else:
            stage.play(connection, request)

    with serve(play) as served:
        yield served


@pytest.fixture
def command(endpoint: Endpoint, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """Run a file like the command line, with the endpoint in the environment."""
    monkeypatch.setenv("TEMPERA_BASE_URL", endpoint.base_url)
    monkeypatch.setenv("TEMPERA_PUBLIC_URL", "https://tempera.example.org")
    (tmp_path / "countries.csv").write_text("country,capital\nFrance,Paris\n")

    def run(text: str, *arguments: str) -> int:
        file = tmp_path / "capitals.yaml"
        file.write_text(text)
        return main(["run", str(file), "--log", sqlite_url, *arguments])

    before = os.umask(0)
    yield run
    os.umask(before)


def test_a_failing_check_fails_the_command_and_is_in_each_file(
    command: Command, sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {kind: tmp_path / kind for kind in ("json", "junit", "markdown")}
    handler = signal.getsignal(signal.SIGTERM)
    assert command(FILE, *(part for kind, path in names.items() for part in (f"--{kind}", str(path)))) == 1
    assert signal.getsignal(signal.SIGTERM) is handler
    report = json.loads(names["json"].read_text())
    assert [run["passed"] for run in report["runs"]] == [True] * 4 + [False] * 4
    suites = ElementTree.parse(names["junit"]).getroot()
    assert suites.get("failures") == "1"
    assert "Capitals: failed" in names["markdown"].read_text()
    out = capsys.readouterr().out
    assert "failed: model Rome, input 1: contains “{{capital}}”: 4 of 4 fail: “Paris” is not in the answer." in out
    assert f"https://tempera.example.org/sweep?sweep={report['experiment']}" in out
    log = Log(sqlite_url)
    assert log.database
    assert [kept.id for kept in newest_experiments(log.database, 5, SWEEP)] == [report["experiment"]]
    assert find_experiment(log.database, report["experiment"])
    log.close()


def test_a_baseline_is_a_report_or_an_experiment_of_the_log(
    command: Command, stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    passing = FILE.replace("[Paris, Rome]", "[Paris]")
    report = tmp_path / "report.json"
    assert command(passing, "--json", str(report)) == 0
    before = json.loads(report.read_text())["experiment"]
    for baseline in (str(report), before):
        assert command(passing, "--baseline", baseline) == 0
    stage.plays = {"Paris": in_turn(*["Well, Paris of course, as each child knows"] * 8)}
    for baseline in (str(report), before):
        assert command(passing, "--baseline", baseline) == 1
    assert "failed: model Paris: baseline: similarity of the answers: 100.0 % → " in capsys.readouterr().out


def test_a_shared_comparison_is_a_baseline(
    command: Command, stage: Stage, sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lanes = LANES.format(name="first")
    assert command(lanes) == 0
    log = Log(sqlite_url)
    assert log.database
    [made] = newest_experiments(log.database, 1, COMPARISON)
    records = [record for record in runs_of(log.database, made.id) if record.repeat]
    titles = {"1": "A · first · temperature 0.3", "2": "B · model Rome"}
    labels = {record.id: f"{titles[record.lane or '']}, repeat {record.repeat}" for record in records}
    shared = capsule_of(records, kind=Kind.COMPARISON, title="", choices=Choices(), labels=labels)
    capsule = tmp_path / "shared.html"
    blocks = data_blocks(shared, log)
    log.close()
    capsule.write_text(blocks)
    assert command(lanes, "--baseline", str(capsule)) == 0
    stage.plays = {"Paris": in_turn(*["Well, Paris of course, as each child knows"] * 6)}
    assert command(lanes, "--baseline", str(capsule)) == 1
    assert "failed: A · first: baseline: similarity of the answers: 100.0 % → " in capsys.readouterr().out
    # Not the comparison of this file, so nothing is sent.
    before = len(stage.bodies)
    assert command(LANES.format(name="another"), "--baseline", str(capsule)) == 2
    assert "has the answer A · first · temperature 0.3, repeat 1, and the lanes" in capsys.readouterr().err
    capsule.write_text(blocks.replace("Paris", "Nice"))
    assert command(lanes, "--baseline", str(capsule)) == 2
    assert "shared.html was changed after it was signed." in capsys.readouterr().err
    assert len(stage.bodies) == before


@pytest.mark.parametrize(
    ("text", "arguments", "sentence"),
    [
        (FILE.replace("repeats", "repeat"), (), "Line 12: There is no field repeat. Did you mean repeats?"),
        (FILE.replace("endpoint: environment", "endpoint: nowhere"), (), "Line 4: There is no endpoint nowhere here. "),
        (
            FILE.replace('contains: "{{capital}}"', 'judge: {prompt: "{{answer}}?", endpoint: nowhere}'),
            (),
            "Line 14: There is no endpoint nowhere here. ",
        ),
        (FILE, ("--endpoint", "nowhere"), "There is no endpoint nowhere here. "),
        (FILE.replace("countries.csv", "none.csv"), (), "Line 11: The data set none.csv cannot be read: No such file"),
        (FILE, ("--junit", "none/junit.xml"), "There is no folder none for junit.xml. "),
        (FILE, ("--baseline", "none.json"), "none.json cannot be read or written: No such file"),
        (FILE, ("--baseline", "0" * 32), "The log has no experiment 00000000000000000000000000000000. "),
        (FILE[: FILE.index("tolerances")], ("--baseline", "x"), "The file sets no tolerances, "),
    ],
)
def test_invalid_experiments_exit_with_2_and_a_reason(
    text: str,
    arguments: tuple[str, ...],
    sentence: str,
    command: Command,
    stage: Stage,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command(text, *arguments) == 2
    assert capsys.readouterr().err.startswith(sentence)
    assert stage.bodies == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full disk")
def test_a_full_disk_is_named_and_the_other_files_are_written(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    markdown = tmp_path / "summary.md"
    passing = FILE.replace("[Paris, Rome]", "[Paris]")
    assert command(passing, "--json", "/dev/full", "--markdown", str(markdown)) == 2
    assert capsys.readouterr().err.startswith("full could not be written: No space left on device. The runs are in")
    assert "Capitals: passed" in markdown.read_text()


def test_refused_requests_are_reported_as_unsuccessful_runs_and_not_as_failed_checks(
    command: Command, endpoint: Endpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint.play = lambda connection, _request: connection.sendall(
        b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
    )
    assert command(FILE.replace("repeats: 4", "repeats: 8")) == 2
    out = capsys.readouterr().out
    assert "did not end well" in out
    assert "Paused. The last 10 failed." in out

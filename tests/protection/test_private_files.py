"""Tempera's files are readable by their user only."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from components.protection.private_files import open_to_others
from components.server.process import service
from tests import forks
from tests.browser.conftest import ROOT, free_port, wait_until_it_answers


def test_the_log_and_its_folder_are_created_readable_by_their_owner_only(tmp_path: Path) -> None:
    port, output = free_port(), tmp_path / "output"
    command = ["streamlit", "run", "app.py", "--server.port", str(port)]
    process = forks.start(command, ROOT, {"XDG_DATA_HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}, output)
    try:
        wait_until_it_answers(f"http://127.0.0.1:{port}/healthz", output)
        folder = tmp_path / "tempera"
        modes = {path.name: path.stat().st_mode & 0o777 for path in [folder, *folder.iterdir()]}
    finally:
        process.terminate()
        process.join()
    assert {"runs.sqlite3", "runs.sqlite3-wal", "runs.sqlite3-shm"} <= modes.keys()
    assert {mode for name, mode in modes.items() if name != "tempera"} == {0o600}
    assert modes["tempera"] == 0o700
    assert "chmod" not in output.read_text()


def test_readable_files_are_named_once_with_a_next_step(tmp_path: Path) -> None:
    mine, loose, folder = tmp_path / "mine", tmp_path / "their file", tmp_path / "folder"
    for path, mode in ((mine, 0o600), (loose, 0o640)):
        path.touch()
        path.chmod(mode)
    folder.mkdir()
    folder.chmod(0o755)
    sentence = open_to_others([mine, loose, folder, tmp_path / "missing"])
    assert sentence is not None
    assert sentence.endswith(f"chmod go= {folder} '{loose}'")
    loose.chmod(0o600)
    folder.chmod(0o700)
    assert open_to_others([mine, loose, folder]) is None


def test_a_readable_log_of_an_earlier_release_is_reported_at_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = tmp_path / "runs.sqlite3"
    log.touch(0o644)
    log.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        service()
    (warning,) = [record.message for record in caplog.records if "chmod" in record.message]
    assert str(log) in warning

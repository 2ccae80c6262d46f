"""What Tempera writes is for the user who runs it, and nobody else on the machine."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from components.protection.private_files import open_to_others
from components.server.process import service
from tests.browser.conftest import ROOT

_MAKES_A_LOG = """
import app
from components.server.process import close_service, service
log = service().log
log.write(lambda connection: None)
print(*("%s %o" % (path.name, path.stat().st_mode & 0o777) for path in sorted(log.database.files())), sep="\\n")
"""


def test_the_log_and_its_folder_are_their_owners_alone_as_the_app_makes_them(tmp_path: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-c", f"import os; os.umask(0o022)\n{_MAKES_A_LOG}"],
        cwd=ROOT,
        env={"XDG_DATA_HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    modes = dict(line.rsplit(" ", 1) for line in made.stdout.splitlines())
    assert {"runs.sqlite3", "runs.sqlite3-wal", "runs.sqlite3-shm", "tempera"} <= modes.keys()
    assert set(modes.values()) == {"600", "700"}
    assert modes["tempera"] == "700"
    assert "chmod" not in made.stderr


def test_what_others_may_read_is_named_once_with_what_to_do(tmp_path: Path) -> None:
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


def test_a_log_of_an_earlier_release_is_named_at_start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = tmp_path / "runs.sqlite3"
    log.touch(0o644)
    log.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        service()
    (said,) = [record.message for record in caplog.records if "chmod" in record.message]
    assert str(log) in said

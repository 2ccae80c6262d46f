from __future__ import annotations

import stat
import sys
from contextlib import closing
from pathlib import Path

import pytest

from components.__main__ import main
from components.log.backup import BackupFailed, restore, save
from components.log.deletion import delete_run
from components.log.log import Log
from components.log.query import find_run
from tests.log.conftest import make_run


def test_a_backup_of_a_log_in_use_restores_a_deleted_run(url: str, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    with closing(Log(url)) as log:
        run = make_run()
        log.begin(run)
        log.wait_until_committed(run)
        save(url, file)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        with pytest.raises(BackupFailed, match="exists"):
            save(url, file)
        run.stop()
    with closing(Log(url)) as log:
        log.write(lambda connection: connection.exec_driver_sql("update runs set status = 'ok'"))
        assert delete_run(log, run.id)
        assert find_run(log.database, run.id) is None
    restore(url, file)
    with closing(Log(url)) as log:
        assert find_run(log.database, run.id)


@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")  # the tests have loaded the module
@pytest.mark.parametrize("command", ["backup", "restore"])
def test_the_help_of_a_command_shows_that_command(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["tempera", command, "--help"])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out.startswith(f"usage: tempera {command} [-h] FILE\n")


def test_an_invalid_backup_changes_nothing(url: str, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no backup")
    for wrong in ("text", "missing"):
        with pytest.raises(BackupFailed):
            restore(url, tmp_path / wrong)
    with closing(Log(url)) as log:
        assert log.problem is None

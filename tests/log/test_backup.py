from __future__ import annotations

import stat
from contextlib import closing
from pathlib import Path

import pytest

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


def test_an_invalid_backup_changes_nothing(url: str, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no backup")
    for wrong in ("text", "missing"):
        with pytest.raises(BackupFailed):
            restore(url, tmp_path / wrong)
    with closing(Log(url)) as log:
        assert log.problem is None

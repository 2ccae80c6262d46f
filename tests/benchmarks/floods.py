"""The load that one visitor can cause: uploads and lanes of the live view; and the cost of counting stored bytes.

python -m tests.benchmarks.floods
"""

from __future__ import annotations

import json
import re
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

from sqlalchemy import insert, text
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from components.log.database import Database
from components.log.log import Log
from components.log.tables import runs, to_row
from tests.browser.conftest import app_process, free_port
from tests.log.many_rows import fill
from tests.log.test_export import finished
from tests.security.session import session
from tests.security.test_doors import put

_TABLE = ("| a | b |\n|---|---|\n" + "| one of them | two |\n" * 34_000)[:780_000]


def main() -> None:
    folder, port = Path(tempfile.mkdtemp()), free_port()
    address = f"http://127.0.0.1:{port}"
    log = Log(f"sqlite:///{folder / 'runs.sqlite3'}")
    record = replace(finished().record(), text=_TABLE, status="ok")
    log.write(lambda connection: connection.execute(insert(runs), [to_row(record)]))
    log.close()
    with app_process(folder, port) as process, session(address) as visitor:
        visitor.open("sweep")
        before = _megabytes(process.pid)
        statuses = Counter(put(address, visitor.id, f"{number}")[0] for number in range(150))
        print(f"150 uploads: {dict(statuses)}, {before} MB, then {_megabytes(process.pid)} MB")
        page = visitor.open("runs", f"run={record.id}")
        found = re.search(rb'"token": ?"([A-Za-z0-9_-]{32})"', page)
        assert found
        with ExitStack() as stack:
            for _ in range(12):
                connection = stack.enter_context(
                    connect(f"ws://127.0.0.1:{port}/live", origin=address, proxy=None, max_size=None, close_timeout=1)
                )
                _watch(connection, found[1].decode(), record.id)
            slowest = max(_first_page_s(address) for _ in range(4))
            time.sleep(10)
            print(f"360 lanes: {_megabytes(process.pid)} MB, another's first page took {slowest:.1f} s at most")
    _count(Database(f"sqlite:///{folder / 'many.sqlite3'}"))


def _watch(connection: ClientConnection, token: str, run_id: str) -> None:
    connection.send(json.dumps({"token": token}))
    with suppress(ConnectionClosed):
        for lane in range(30):
            connection.send(json.dumps({"watch": run_id, "lane": lane, "part": "markdown"}))
    threading.Thread(target=lambda: Counter(connection), daemon=True).start()


def _first_page_s(address: str) -> float:
    time.sleep(1)
    began = time.monotonic()
    with session(address) as other:
        other.open()
    return time.monotonic() - began


def _count(database: Database) -> None:
    fill(database, 100_000)
    change = text("update runs set text = text || 'x' where id = :id")
    for counting in ("counting", "not counting"):
        with database.writer.begin() as connection:
            ids = connection.execute(text("select id from runs limit 1000")).scalars().all()
            began = time.monotonic()
            for run_id in ids:
                connection.execute(change, {"id": run_id})
            print(f"a write, {counting}: {time.monotonic() - began:.3f} ms")
            connection.execute(text("drop trigger if exists runs_kept_update"))
    for what in ("select sum(length(request_body) + length(text)) from runs", "select bytes from kept_bytes"):
        with database.writer.begin() as connection:
            began = time.monotonic()
            connection.execute(text(f"{what} where owner = 'local'")).scalar()
            print(f"{what}: {1000 * (time.monotonic() - began):.1f} ms")


def _megabytes(pid: int) -> int:
    resident = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(resident.split()[1]) // 1024


if __name__ == "__main__":
    main()

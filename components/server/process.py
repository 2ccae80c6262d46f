"""The one ``Service`` of this process, created on first use; and the work of Dask workers for another process."""

from __future__ import annotations

import threading
import time
from functools import partial

from components.experiments.workers import Job, workers_of
from components.protection.private_files import keep_new_files_private
from components.runs.order import Placement
from components.server import sentences
from components.server.secrets import read_secrets
from components.service import Service
from components.settings import read_settings
from components.streaming.outcome import Status

_POLL_S = 0.05

_lock = threading.Lock()
_service: Service | None = None


def service() -> Service:
    """This process's service."""
    return _made(serves_pages=True)


def close_service() -> None:
    """Close this process's service if there is one; the next call of ``service`` makes a new one."""
    global _service
    with _lock:
        if _service is not None:
            _service.close()
            _service = None


def make_in_worker(job: Job) -> Status:
    """Run a cell in this worker's process; returns the run's status once it is logged.

    Raises LookupError when no endpoint of that name is configured here.
    """
    keep_new_files_private()
    # A worker runs its cells itself, even if its environment, inherited from its parent, names other workers.
    worker = _made(serves_pages=False)
    endpoint = worker.configuration().endpoints.get(job.endpoint)
    if endpoint is None:
        raise LookupError(sentences.WORKER_WITHOUT_ENDPOINT.format(endpoint=job.endpoint))
    while worker.runner.must_wait_to_retry(job.endpoint):
        time.sleep(_POLL_S)
    run = worker.runner.start(job.order(endpoint))
    run.written.result()
    return run.ended.result()


def stop_in_worker(placement: Placement) -> bool:
    """Stop the run at that placement; returns whether this worker had it."""
    return _service is not None and _service.runner.stop_at(placement)


def _made(*, serves_pages: bool) -> Service:
    global _service
    with _lock:
        if _service is None:
            connect = partial(workers_of, perform=make_in_worker, stop=stop_in_worker) if serves_pages else None
            _service = Service(read_settings, read_secrets, connect)
        return _service

"""Makes cells in Dask workers, with futures of ``concurrent.futures``."""

from __future__ import annotations

import importlib.util
import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary, ref

from components.endpoints.endpoint import AnyEndpoint
from components.experiments import sentences
from components.experiments.cell_run import CellRun
from components.runs.order import Order, Placement
from components.settings import variable_name
from components.streaming.outcome import Status
from components.user_error import UserError

_SCHEDULER = variable_name("dask_scheduler")
_LOCAL = "local"
_THREADS_OF_A_WORKER = 16
"""Threads of a worker started here. A cell mostly waits, so a processor serves many."""
_CONNECT_S = 10.0
_CONNECTED = "running"
_POLL_S = 1.0
_WITHOUT_WORKER_S = 5.0
"""Longer than a worker takes to be started again."""
_PACKAGE = "components"


class WorkersUnavailable(UserError):
    """Cells cannot be made by workers. The message is a sentence that says why and what to do."""


@dataclass(frozen=True)
class Job:
    """A serializable order with the endpoint's name; its address and key never leave a process."""

    endpoint: str
    rest: Mapping[str, Any]

    def order(self, endpoint: AnyEndpoint) -> Order:
        """The order, for the endpoint of that name."""
        return Order(endpoint, **self.rest)


def job_of(order: Order) -> Job:
    """The serializable form of an order."""
    rest = {name: value for name, value in vars(order).items() if name != "endpoint"}
    return Job(order.endpoint.name, rest)


class Workers:
    """Makes cells in Dask workers. When a worker dies, another makes its cells again."""

    ahead = False

    def __init__(
        self,
        new_client: Callable[[], Any],
        perform: Callable[[Job], Status],
        stop: Callable[[Placement], bool],
        cluster: Any = None,
    ) -> None:
        """``new_client`` returns a new client. ``perform`` and ``stop`` run in the workers: importable functions."""
        self._new_client = new_client
        self._client = new_client()
        self._cluster = cluster
        self._perform = perform
        self._stop = stop
        self._unfinished: WeakKeyDictionary[Future[Any], str] = WeakKeyDictionary()
        """What the experiments wait for, with the id of the scheduler that has the cell."""
        self._settling = threading.RLock()
        self._check_lock = threading.Lock()
        self._check_at = 0.0
        self._had_worker_at = time.monotonic()
        self._problem: str | None = None

    def make(self, order: Order) -> CellRun:
        """Submit a cell and return at once.

        Raises ValueError for an order without a placement, WorkersUnavailable without a scheduler.
        """
        if order.placement is None:
            raise ValueError("Workers make cells of experiments only.")
        try:
            if self._client.status != _CONNECTED:
                raise ConnectionError
            scheduler = self._client.scheduler_info(n_workers=0)["id"]
        except OSError:
            raise WorkersUnavailable(sentences.SCHEDULER_GONE) from None
        made: Future[Any] = self._client.get_executor(pure=False).submit(self._perform, job_of(order))
        result: Future[Any] = Future()
        with self._settling:
            self._unfinished[result] = scheduler
        made.add_done_callback(partial(self._settle, result))
        return CellRun(
            run_id=None,
            ended=result,
            written=result,
            # Dask repeats the cell of a dead worker while this process refers to it.
            stop=partial(self._stop_one, ref(made), order.placement),
            waits=lambda: False,
        )

    def scheduler_knows(self, package: str) -> bool:
        """Whether the scheduler's process finds a package: it unpacks what it passes on."""
        spec: object = self._client.run_on_scheduler(importlib.util.find_spec, package)
        return spec is not None

    def problem(self) -> str | None:
        """Why no cell is made now, as a sentence; None when workers make them. Called again and again.

        Without a scheduler, the cells under way are cancelled, and a new connection is tried.
        """
        with self._check_lock:
            if time.monotonic() >= self._check_at:
                self._problem = self._check_connection()
                self._check_at = time.monotonic() + _POLL_S
            return self._problem

    def _check_connection(self) -> str | None:
        if self._client.status != _CONNECTED:
            self._lose_cells()
            if self._client.status == "closed":
                with suppress(OSError, ValueError):
                    self._client = self._new_client()
            return sentences.SCHEDULER_GONE
        now = time.monotonic()
        with suppress(OSError):
            info = self._client.scheduler_info()
            # Dask reconnects to the next scheduler, and never reports some cells of the last one.
            self._lose_cells(all_but=info["id"])
            if info["workers"]:
                self._had_worker_at = now
        return sentences.NO_WORKER if now - self._had_worker_at > _WITHOUT_WORKER_S else None

    def close(self) -> None:
        """Disconnect, and end the workers started here."""
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()

    def _lose_cells(self, all_but: str | None = None) -> None:
        with self._settling:
            for result, scheduler in list(self._unfinished.items()):
                if scheduler != all_but:
                    self._settle(result)

    def _settle(self, result: Future[Any], made: Future[Any] | None = None) -> None:
        """End what the experiment waits for as ``made`` ended, or as cancelled. The first end counts.

        Dask's thread and the one that looks for problems may both call it.
        """
        with self._settling:
            if result.done():
                return
            if made is None or made.cancelled():
                result.cancel()
                result.set_running_or_notify_cancel()
            elif error := made.exception():
                result.set_exception(error)
            else:
                result.set_result(made.result())

    def _stop_one(self, submitted: ref[Future[Any]], placement: Placement) -> None:
        if self._client.status != _CONNECTED:
            return  # ``problem`` cancels it
        # Bypasses the queue: busy workers receive this too.
        if not any(self._client.run(self._stop, placement).values()) and (running := submitted()):
            running.cancel()


def workers_of(
    scheduler: str,
    database_url: str,
    perform: Callable[[Job], Status],
    stop: Callable[[Placement], bool],
    connect_s: float = _CONNECT_S,
) -> Workers | None:
    """The workers of a scheduler, given by address or ``local``; None without one. Raises WorkersUnavailable."""
    if not scheduler:
        return None
    if not database_url.startswith("postgres"):
        raise WorkersUnavailable(sentences.WORKERS_NEED_POSTGRESQL.format(variable=_SCHEDULER))
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError:
        raise WorkersUnavailable(sentences.WORKERS_NEED_DASK.format(variable=_SCHEDULER)) from None
    cluster = None
    try:
        if scheduler == _LOCAL:
            count = os.cpu_count() or 1
            cluster = distributed.LocalCluster(
                n_workers=count, threads_per_worker=_THREADS_OF_A_WORKER, processes=True, dashboard_address=None
            )
        new_client = partial(distributed.Client, cluster or scheduler, timeout=connect_s)
        workers = Workers(new_client, perform, stop, cluster)
        if not workers.scheduler_knows(_PACKAGE):
            workers.close()
            raise WorkersUnavailable(sentences.SCHEDULER_WITHOUT_TEMPERA.format(address=scheduler))
        return workers
    except (OSError, ValueError) as error:
        if cluster is not None:
            cluster.close()
        raise WorkersUnavailable(
            sentences.NO_SCHEDULER.format(address=scheduler, variable=_SCHEDULER, error=error)
        ) from None

"""Cells made past this process: by Dask's workers, through futures that are those of ``concurrent.futures`` as well."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any
from weakref import ref

from components.endpoints.endpoint import AnyEndpoint
from components.experiments import sentences
from components.experiments.making import Making
from components.runs.order import Order
from components.runs.placement import Placement
from components.settings import variable_name
from components.streaming.outcome import Status
from components.user_error import UserError

_SCHEDULER = variable_name("dask_scheduler")
_LOCAL = "local"
_THREADS_OF_A_WORKER = 16
"""Of a worker that is started here. A cell mostly waits, so a processor does well with many."""
_CONNECT_S = 10.0


class WorkersUnavailable(UserError):
    """Cells cannot be made by workers. The message is a sentence that says why and what to do."""


@dataclass(frozen=True)
class Job:
    """An order as it travels, with the endpoint's name: neither its address nor its key leaves a process."""

    endpoint: str
    rest: Mapping[str, Any]

    def order(self, endpoint: AnyEndpoint) -> Order:
        """The order again, for the endpoint of that name."""
        return Order(endpoint, **self.rest)


def job_of(order: Order) -> Job:
    """The order as it travels."""
    rest = {name: value for name, value in vars(order).items() if name != "endpoint"}
    return Job(order.endpoint.name, rest)


class Workers:
    """Makes cells by Dask's workers. A worker that dies loses none: its cells are made again by another."""

    def __init__(
        self,
        client: Any,
        perform: Callable[[Job], Status],
        stop: Callable[[Placement], bool],
        cluster: Any = None,
    ) -> None:
        """``perform`` and ``stop`` are called in the workers: functions of modules, which they can import."""
        self._client = client
        self._cluster = cluster
        self._executor = client.get_executor(pure=False)
        self._perform = perform
        self._stop = stop

    def make(self, order: Order) -> Making:
        """Send a cell off, and return at once. Raises ValueError for an order without a placement."""
        if order.placement is None:
            raise ValueError("Workers make cells of experiments only.")
        made: Future[Any] = self._executor.submit(self._perform, job_of(order))
        told: Future[Any] = Future()
        made.add_done_callback(partial(_tell, told))
        return Making(
            run_id=None,
            ended=told,
            written=told,
            # Dask makes a cell again when its worker dies, as long as anything here refers to it.
            stop=partial(self._stop_one, ref(made), order.placement),
            waits=lambda: False,
        )

    def close(self) -> None:
        """Leave the workers, and end those that were started here."""
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()

    def _stop_one(self, making: ref[Future[Any]], placement: Placement) -> None:
        # Past the queue: a worker that is busy making cells hears this all the same.
        if not any(self._client.run(self._stop, placement).values()) and (made := making()):
            made.cancel()


def _tell(told: Future[Any], made: Future[Any]) -> None:
    if made.cancelled():
        told.cancel()
        told.set_running_or_notify_cancel()
    elif error := made.exception():
        told.set_exception(error)
    else:
        told.set_result(made.result())


def workers_of(
    scheduler: str,
    database_url: str,
    perform: Callable[[Job], Status],
    stop: Callable[[Placement], bool],
    connect_s: float = _CONNECT_S,
) -> Workers | None:
    """The workers of a scheduler, by its address or ``local``; None without one. Raises WorkersUnavailable."""
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
        return Workers(distributed.Client(cluster or scheduler, timeout=connect_s), perform, stop, cluster)
    except (OSError, ValueError) as error:
        if cluster is not None:
            cluster.close()
        raise WorkersUnavailable(
            sentences.NO_SCHEDULER.format(address=scheduler, variable=_SCHEDULER, error=error)
        ) from None

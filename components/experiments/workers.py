"""Makes cells in Dask workers, with futures of ``concurrent.futures``."""

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
"""Threads of a worker started here. A cell mostly waits, so a processor serves many."""
_CONNECT_S = 10.0


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

    def __init__(
        self,
        client: Any,
        perform: Callable[[Job], Status],
        stop: Callable[[Placement], bool],
        cluster: Any = None,
    ) -> None:
        """``perform`` and ``stop`` run in the workers: importable functions of modules."""
        self._client = client
        self._cluster = cluster
        self._executor = client.get_executor(pure=False)
        self._perform = perform
        self._stop = stop

    def make(self, order: Order) -> Making:
        """Submit a cell and return at once. Raises ValueError for an order without a placement."""
        if order.placement is None:
            raise ValueError("Workers make cells of experiments only.")
        made: Future[Any] = self._executor.submit(self._perform, job_of(order))
        told: Future[Any] = Future()
        made.add_done_callback(partial(_tell, told))
        return Making(
            run_id=None,
            ended=told,
            written=told,
            # Dask repeats the cell of a dead worker while this process refers to it.
            stop=partial(self._stop_one, ref(made), order.placement),
            waits=lambda: False,
        )

    def close(self) -> None:
        """Disconnect, and end the workers started here."""
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()

    def _stop_one(self, making: ref[Future[Any]], placement: Placement) -> None:
        # Bypasses the queue: busy workers receive this too.
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
        return Workers(distributed.Client(cluster or scheduler, timeout=connect_s), perform, stop, cluster)
    except (OSError, ValueError) as error:
        if cluster is not None:
            cluster.close()
        raise WorkersUnavailable(
            sentences.NO_SCHEDULER.format(address=scheduler, variable=_SCHEDULER, error=error)
        ) from None

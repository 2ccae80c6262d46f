"""The long-lived objects of this process: one log, one runner, one embedded model, made when first asked for."""

from __future__ import annotations

import os
import threading

from components.embedded.process import EmbeddedModel
from components.experiments.experiment import Experiments
from components.live.channels import Channels
from components.runs.database import database_url
from components.runs.log import Log
from components.runs.runner import Runner
from components.streaming.limits import Limits


class Service:
    """What all visitors of this process share. Nothing in it comes from a visitor but the runs."""

    def __init__(self) -> None:
        limits = Limits()
        self.log = Log(database_url(os.environ), limits)
        self.runner = Runner(self.log, limits)
        self.experiments = Experiments(self.runner, self.log)
        self.model = EmbeddedModel()
        self.channels = Channels()

    def close(self) -> None:
        """End the runs, write them, and end the embedded model."""
        self.experiments.stop()
        self.runner.shutdown()
        self.log.close()
        self.model.stop()


_lock = threading.Lock()
_service: Service | None = None


def service() -> Service:
    """This process's service."""
    global _service
    with _lock:
        if _service is None:
            _service = Service()
        return _service


def close_service() -> None:
    """Close this process's service if there is one; the next call of ``service`` makes a new one."""
    global _service
    with _lock:
        if _service is not None:
            _service.close()
            _service = None

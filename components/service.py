"""The long-lived objects of a process: one log, one runner, one embedded model."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from components.access.login import login_is_configured
from components.demo.demo_gate import DemoGate
from components.demo.requests import profile_of_demo
from components.demo.settings import demo_settings
from components.embedded.process import EmbeddedModel
from components.endpoints.configuration import Configuration, read_configuration
from components.endpoints.openapi import OpenApiFields
from components.experiments.experiment import Experiments
from components.experiments.workers import Workers, WorkersUnavailable
from components.live.channels import Channels
from components.log.log import Log
from components.log.tickets import Tickets
from components.protection.places import Most, Places
from components.protection.private_files import open_to_others
from components.protection.uploads import Uploads
from components.runs.runner import Runner
from components.settings import Settings
from components.sharing.lookups import Lookups
from components.streaming.limits import Limits


@dataclass(frozen=True)
class Secrets:
    """What the operator's secrets file holds, and a sentence when there is one that cannot be read."""

    values: Mapping[str, Any]
    files: tuple[Path, ...] = ()
    """Where it is looked for."""
    problem: str | None = None

    def are_broken_with(self, table: str) -> bool:
        """Whether a file that is not valid has such a table: what it asks for must not be forgotten."""
        if self.problem is None:
            return False
        begins = re.compile(rf"^\s*\[\[?\s*[\"']?{table}\b", re.MULTILINE)
        for path in self.files:
            try:
                text = path.read_text(errors="replace") if path.is_file() else ""
            except OSError:
                continue
            if begins.search(text):
                return True
        return False


class Service:
    """What all visitors of this process share. Nothing in it comes from a visitor but the runs.

    ``demo`` are the limits of a demo, None where this is none. ``needs_login`` holds to the end of the process.
    ``workers_problem`` is a sentence when there should be workers for sweeps and are none; cells are made here then.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        secrets: Callable[[], Secrets],
        connect_workers: Callable[[str, str], Workers | None] | None = None,
    ) -> None:
        """``settings`` and ``secrets`` give what the operator has set now.

        ``connect_workers`` finds the workers for sweeps by the scheduler and the log's database, or raises
        WorkersUnavailable; without it cells are made here.
        """
        self._settings = settings
        self._secrets = secrets
        values, said = secrets().values, settings()
        self.demo = demo_settings(said, values)
        self.needs_login = login_is_configured(said, values)
        limits = self.demo.limits() if self.demo else Limits()
        self.log = Log(said.database_url, limits, said.keep_days)
        pages = self.demo.pages(limits) if self.demo else Most(limits.pages_at_once, of_all=limits.sessions_at_once)
        self.channels = Channels(pages)
        self.sessions = Places(pages)
        networks = self.demo.visitors_a_network if self.demo else 1
        self.uploads = Uploads(limits.upload_bytes, networks * limits.upload_bytes)
        self.gate: DemoGate | None = None
        if self.demo:
            self.gate = DemoGate(self.demo, self.log, lambda: settings().demo_stop, self.channels.are_watching)
        self.runner = Runner(self.log, limits, self.gate)
        self.workers: Workers | None = None
        self.workers_problem: str | None = None
        try:
            # A worker would have slots and limits of its own.
            if connect_workers and not self.demo:
                self.workers = connect_workers(said.dask_scheduler, said.database_url)
        except WorkersUnavailable as unavailable:
            self.workers_problem = str(unavailable)
        self.experiments = Experiments(self.runner, self.log, self.workers)
        self.model = EmbeddedModel(settings)
        self.openapi = OpenApiFields()
        self.tickets = Tickets()
        self.lookups = Lookups()
        if sentence := open_to_others(self._private_places()):
            logging.getLogger(__name__).warning(sentence)

    def configuration(self) -> Configuration:
        """The endpoints of the secrets file and of the environment, and all that is wrong with what was set."""
        secrets, settings = self._secrets(), self._settings()
        found = read_configuration(secrets.values, settings, self.model)
        endpoints = {name: self.openapi.extended(endpoint) for name, endpoint in found.endpoints.items()}
        problems = found.problems + self.openapi.problems
        if self.demo:
            endpoints = {
                name: replace(endpoint, profile=profile_of_demo(endpoint.profile, self.demo))
                for name, endpoint in endpoints.items()
                if self.demo.allows_endpoint(name)
            }
            problems += self.demo.problems
        problems += tuple(chain.from_iterable(settings.problems.values()))
        return Configuration(endpoints, (secrets.problem, *problems) if secrets.problem else problems)

    def _private_places(self) -> Iterator[Path]:
        yield from self.log.database.files() if self.log.database else ()
        yield from self._secrets().files
        folder = self._settings().cache_dir
        yield from (folder, *folder.glob("*"))

    def close(self) -> None:
        """End the runs, write them, and end the embedded model."""
        self.experiments.stop()
        if self.workers:
            self.workers.close()
        self.runner.shutdown()
        if self.gate:
            self.gate.close()
        self.log.close()
        self.model.stop()

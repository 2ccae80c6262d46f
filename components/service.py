"""The long-lived objects of a process: one log, one runner, one embedded model."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from components.access.login import login_is_configured
from components.demo.demo_gate import DemoGate
from components.demo.requests import profile_of_demo
from components.demo.settings import demo_settings
from components.embedded.process import EmbeddedModel
from components.endpoints.added import AddedEndpoints
from components.endpoints.configuration import Configuration, read_configuration
from components.endpoints.openapi import OpenApiFields
from components.experiments.experiments import Experiments
from components.experiments.workers import Workers, WorkersUnavailable
from components.live.channels import Channels
from components.log.log import Log
from components.log.tickets import Tickets
from components.protection.places import PlaceLimits, Places
from components.protection.private_files import open_to_others
from components.protection.uploads import Uploads
from components.runs.runner import Runner
from components.settings import Settings
from components.sharing.link_card import LinkCards
from components.sharing.lookups import Lookups
from components.streaming.limits import Limits
from components.streaming.reader_processes import ReaderProcesses
from components.user_error import UserError


@dataclass(frozen=True)
class Secrets:
    """The content of the operator's secrets file, and a sentence when a file is unreadable."""

    values: Mapping[str, Any]
    files: tuple[Path, ...] = ()
    """The paths of the secrets files."""
    problem: str | None = None

    def are_broken_with(self, table: str) -> bool:
        """Whether an invalid file has this table, so that its intent, such as a login, is still honoured."""
        if self.problem is None:
            return False
        begins = re.compile(rf"^\s*\[\[?\s*[\"']?{table}\b", re.MULTILINE)
        for path in self.files:
            with suppress(OSError):
                if path.is_file() and begins.search(path.read_text(errors="replace")):
                    return True
        return False


class Service:
    """The objects that all visitors of this process share. Visitors contribute only runs.

    ``demo`` holds the limits of a demo, else None. ``needs_login`` is fixed for the life of the process.
    ``workers_problem`` is a sentence when sweep workers are configured but unavailable; this process then runs the
    cells.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        secrets: Callable[[], Secrets],
        connect_workers: Callable[[str, str], Workers | None] | None = None,
    ) -> None:
        """``settings`` and ``secrets`` return the operator's current configuration.

        ``connect_workers`` connects the sweep workers, given the scheduler and the log's database, or raises
        WorkersUnavailable. Without it this process runs the cells.
        """
        self._settings = settings
        self._secrets = secrets
        values, current = secrets().values, settings()
        self.demo = demo_settings(current, values)
        self.needs_login = login_is_configured(current, values)
        limits = self.demo.limits() if self.demo else Limits()
        self.log = Log(current.database_url, limits, current.keep_days)
        pages = (
            self.demo.pages(limits) if self.demo else PlaceLimits(limits.pages_at_once, of_all=limits.sessions_at_once)
        )
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
            # A worker would have its own slots and limits.
            if connect_workers and not self.demo:
                self.workers = connect_workers(current.dask_scheduler, current.database_url)
        except WorkersUnavailable as unavailable:
            self.workers_problem = str(unavailable)
        self.readers = ReaderProcesses(max(1, (os.cpu_count() or 1) - 1))
        self.experiments = Experiments(self.runner, self.log, self.workers, self.readers)
        self.model = EmbeddedModel(settings)
        self.openapi = OpenApiFields()
        self.tickets = Tickets()
        self.lookups = Lookups()
        self.link_cards = LinkCards()
        if sentence := open_to_others(self._private_places()):
            logging.getLogger(__name__).warning(sentence)
        if self.demo:
            # A demo's pages show no problems of its configuration: they are for the operator only.
            for problem in self.configuration().problems:
                logging.getLogger(__name__).warning(problem)

    def configuration(self) -> Configuration:
        """The endpoints of the secrets file and the environment, and all problems of the configuration."""
        secrets, settings = self._secrets(), self._settings()
        added: Mapping[str, object] = {}
        problem: tuple[str, ...] = ()
        # A demo has its operator's endpoints only.
        if not self.demo:
            try:
                added = AddedEndpoints(settings.endpoints_file).tables()
            except UserError as unreadable:
                problem = (unreadable.sentence,)
        configuration = read_configuration(secrets.values, settings, self.model, added)
        endpoints = {name: self.openapi.extended(endpoint) for name, endpoint in configuration.endpoints.items()}
        problems = problem + configuration.problems + self.openapi.problems
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
        yield self._settings().endpoints_file
        folder = self._settings().cache_dir
        yield from (folder, *folder.glob("*"))

    def close(self) -> None:
        """Stop the runs, write them, and stop the embedded model."""
        self.experiments.stop()
        if self.workers:
            self.workers.close()
        self.runner.shutdown()
        self.readers.close()
        self.experiments.close()
        if self.gate:
            self.gate.close()
        self.log.close()
        self.model.stop()

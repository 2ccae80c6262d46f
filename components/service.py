"""The long-lived objects of this process: one log, one runner, one embedded model, made when first asked for.

In the process of a Dask worker they are its own, and what the sweeps of another process ask of it is done here as well.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit import config
from streamlit.errors import StreamlitSecretNotFoundError

from components.access.login import login_is_configured, login_problem
from components.demo.gate import DemoGate
from components.demo.requests import profile_of_demo
from components.demo.settings import demo_settings
from components.embedded.process import EmbeddedModel
from components.embedded.weights import cache_folder
from components.endpoints.configuration import Configuration, read_configuration
from components.endpoints.own import own_endpoints_problems
from components.experiments.experiment import Experiments
from components.experiments.workers import SCHEDULER, Job, Workers, WorkersUnavailable, workers_of
from components.live.channels import Channels
from components.log.database import database_url
from components.log.log import Log
from components.log.tickets import Tickets
from components.protection.places import Most, Places
from components.protection.private_files import keep_new_files_private, open_to_others
from components.protection.uploads import Uploads
from components.runs.placement import Placement
from components.runs.runner import Runner
from components.sharing.lookups import Lookups
from components.streaming.limits import Limits
from components.streaming.outcome import Status

_LOOK_AGAIN_S = 0.05
_ROOT = Path(__file__).parents[1]
_SECRETS = _ROOT / ".streamlit" / "secrets.toml"
_SECRETS_FILES = "STREAMLIT_SECRETS_FILES"


class Service:
    """What all visitors of this process share. Nothing in it comes from a visitor but the runs.

    ``demo`` are the limits of a demo, None where this is none. ``needs_login`` holds to the end of the process.
    ``workers_problem`` is a sentence when there should be workers for sweeps and are none; cells are made here then.
    """

    def __init__(self) -> None:
        self.demo = demo_settings(os.environ, secrets())
        self.needs_login = login_is_configured(os.environ, secrets())
        limits = self.demo.limits() if self.demo else Limits()
        url = database_url(os.environ)
        self.log = Log(url, limits)
        pages = self.demo.pages(limits) if self.demo else Most(limits.pages_at_once, of_all=limits.sessions_at_once)
        self.channels = Channels(pages)
        self.sessions = Places(pages)
        networks = self.demo.visitors_a_network if self.demo else 1
        self.uploads = Uploads(limits.upload_bytes, networks * limits.upload_bytes)
        self.gate = DemoGate(self.demo, self.log, os.environ, self.channels.are_watching) if self.demo else None
        self.runner = Runner(self.log, limits, self.gate)
        self.workers: Workers | None = None
        self.workers_problem: str | None = None
        try:
            # A worker would have slots and limits of its own.
            if not self.demo:
                self.workers = workers_of(os.environ, url, make_in_worker, stop_in_worker)
        except WorkersUnavailable as unavailable:
            self.workers_problem = str(unavailable)
        self.experiments = Experiments(self.runner, self.log, self.workers)
        self.model = EmbeddedModel()
        self.tickets = Tickets()
        self.lookups = Lookups()
        if sentence := open_to_others(self._private_places()):
            logging.getLogger(__name__).warning(sentence)

    def _private_places(self) -> Iterator[Path]:
        yield from self.log.database.files() if self.log.database else ()
        yield from map(Path, config.get_option("secrets.files"))
        yield from (cache_folder(), *cache_folder().glob("*"))

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


def reason_not_to_start() -> str | None:
    """What would be open that is meant to be closed, as a sentence with what to do; None when nothing would."""
    values, problem = _secrets()
    if problem:
        return "The secrets file cannot be read, or is not valid TOML. Mend it."
    if _SECRETS_FILES in os.environ and not config.is_manually_set("secrets.files"):
        return f"{_SECRETS_FILES} is read by `streamlit run` alone. Start Tempera with that."
    # Streamlit looks in the folder that it is started in, and only `streamlit run` looks beside app.py as well.
    read = {Path(path).resolve() for path in config.get_option("secrets.files")}
    if not config.is_manually_set("secrets.files") and _SECRETS.is_file() and _SECRETS.resolve() not in read:
        return f"{_SECRETS} is not read from here. Start Tempera in {_ROOT}."
    if problem := login_problem(os.environ, values):
        return problem
    cookie_secret = config.get_option("server.cookieSecret")
    is_shared = not database_url(os.environ).startswith("sqlite")
    is_own = config.is_manually_set("server.cookieSecret")
    if demo_settings(os.environ, values) and (not cookie_secret or (is_shared and not is_own)):
        return "The replicas of a demo must sign its visitors' cookies alike. Set STREAMLIT_SERVER_COOKIE_SECRET."
    return None


def configuration() -> Configuration:
    """The endpoints of the secrets file and of the environment; a broken secrets file is named as a problem."""
    values, problem = _secrets()
    found = read_configuration(values, os.environ, service().model)
    endpoints, problems = found.endpoints, found.problems
    if demo := service().demo:
        endpoints = {
            name: replace(endpoint, profile=profile_of_demo(endpoint.profile, demo))
            for name, endpoint in endpoints.items()
            if demo.allows_endpoint(name)
        }
        problems += demo.problems
    problems += own_endpoints_problems(os.environ)
    return Configuration(endpoints, (problem, *problems) if problem else problems)


def secrets() -> Mapping[str, Any]:
    """What the operator's secrets file holds; nothing when there is none or it cannot be read."""
    return _secrets()[0]


def secrets_are_broken_with(table: str) -> bool:
    """Whether a secrets file that is not valid has such a table: what it asks for must not be forgotten."""
    if _secrets()[1] is None:
        return False
    begins = re.compile(rf"^\s*\[\[?\s*[\"']?{table}\b", re.MULTILINE)
    for path in map(Path, config.get_option("secrets.files")):
        try:
            text = path.read_text(errors="replace") if path.is_file() else ""
        except OSError:
            continue
        if begins.search(text):
            return True
    return False


def _secrets() -> tuple[Mapping[str, Any], str | None]:
    """The secrets, and a sentence of ours when they cannot be read: the error's own text may quote a key."""
    try:
        return st.secrets.to_dict(), None
    except StreamlitSecretNotFoundError as error:
        if error.error_id == "no-secrets-found":
            return {}, None
        return {}, "The secrets file is not valid TOML, so its endpoints are missing. Mend it, then reload this page."
    except (OSError, UnicodeDecodeError):
        return {}, "The secrets file cannot be read, so its endpoints are missing. Check its permissions and encoding."


def make_in_worker(job: Job) -> Status:
    """Make a cell in this process, which is a worker's; how its run ended, once that is in the log.

    Raises LookupError when no endpoint of that name is configured here.
    """
    # A worker makes its cells itself, also where its environment is that of whoever started it.
    os.environ.pop(SCHEDULER, None)
    keep_new_files_private()
    endpoint = configuration().endpoints.get(job.endpoint)
    if endpoint is None:
        raise LookupError(f"This worker has no endpoint {job.endpoint}. Configure it there, too.")
    while service().runner.is_told_to_wait(job.endpoint):
        time.sleep(_LOOK_AGAIN_S)
    run = service().runner.start(job.order(endpoint))
    run.written.result()
    return run.ended.result()


def stop_in_worker(placement: Placement) -> bool:
    """Stop the run of that place if this worker makes it; whether it does."""
    return _service is not None and _service.runner.stop_at(placement)

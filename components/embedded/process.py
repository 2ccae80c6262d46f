"""Supervises the embedded endpoint: a child process that Tempera starts, watches, restarts and stops."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from components.embedded import sentences
from components.embedded.defaults import DEFAULT_HOST, default_threads, model_id
from components.embedded.problems import EmbeddedProblem
from components.embedded.status_line import ModelPhase, StatusLine
from components.settings import Settings, read_settings, variable_name

_PROJECT_ROOT = Path(__file__).resolve().parents[2]
_RESTART_DELAYS = (0.2, 0.5, 1.0, 2.0, 4.0)
_STEADY_SECONDS = 30.0
_SECONDS_TO_END = 3.0
_POLL_S = 0.1


@dataclass(frozen=True)
class EmbeddedAddress:
    """The address of the embedded endpoint and its key. ``base_url`` ends in ``/v1``."""

    base_url: str
    api_key: str = field(repr=False)


@dataclass(frozen=True)
class EmbeddedModelState:
    """The state of the embedded model at one moment.

    ``sentence`` is the state in words. ``fraction`` is the downloaded fraction, 0 to 1, None when unknown.
    """

    phase: ModelPhase
    sentence: str
    fraction: float | None
    threads: int
    model: str


class EmbeddedModel:
    """The child process of the embedded endpoint. Thread-safe.

    Call ``stop`` at the end; when this process is killed, the child ends, too.
    """

    def __init__(
        self, settings: Callable[[], Settings] = read_settings, restart_delays: Sequence[float] = _RESTART_DELAYS
    ) -> None:
        """``settings`` returns the settings that the child will read from the environment.

        ``restart_delays``: seconds before each consecutive restart; one more crash is a failure.
        """
        self._settings = settings
        self._restart_delays = tuple(restart_delays)
        self._changed = threading.Condition()
        self._threads = default_threads()
        self._model = model_id(settings().embedded_model)
        self._state = self._describe(ModelPhase.IDLE, "The embedded model is not running.")
        self._address: EmbeddedAddress | None = None
        self._child: subprocess.Popen[str] | None = None
        self._supervisor: threading.Thread | None = None
        self._end = threading.Event()

    @property
    def state(self) -> EmbeddedModelState:
        """The current state."""
        with self._changed:
            return self._state

    @property
    def address(self) -> EmbeddedAddress | None:
        """The address, or None while the child is not ready. Does not start it."""
        with self._changed:
            return self._address

    def start(self) -> None:
        """Start the child unless it is running or starting; does not wait. After a failure, it tries again."""
        with self._changed:
            if self._state.phase not in (ModelPhase.IDLE, ModelPhase.FAILED):
                return
            self._end = threading.Event()
            settings = self._settings()
            self._model = model_id(settings.embedded_model)
            if problems := settings.problems.get("embedded_threads"):
                self._show(self._end, ModelPhase.FAILED, problems[0])
                return
            self._threads = settings.embedded_threads or default_threads()
            self._show(self._end, ModelPhase.LOADING, "The embedded model is starting.")
            self._supervisor = threading.Thread(
                target=self._supervise, args=(self._end,), name="embedded model", daemon=True
            )
            self._supervisor.start()

    def wait_until_ready(self, cancelled: Callable[[], bool]) -> EmbeddedAddress | None:
        """Start the child if needed, and wait for its address.

        Returns None within 0.2 s after ``cancelled()`` becomes true. Raises EmbeddedProblem; ``start`` tries again.
        """
        self.start()
        while not cancelled():
            with self._changed:
                if self._address is not None:
                    return self._address
                if self._state.phase in (ModelPhase.FAILED, ModelPhase.IDLE):
                    raise EmbeddedProblem(self._state.sentence)
                self._changed.wait(_POLL_S)
        return None

    def stop(self) -> None:
        """End the child, if any, and wait until it has ended."""
        with self._changed:
            self._show(self._end, ModelPhase.IDLE, "The embedded model has been stopped.")
            self._end.set()
            child, supervisor = self._child, self._supervisor
        if child is not None:
            child.terminate()
            try:
                child.wait(_SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                child.kill()
        if supervisor is not None:
            supervisor.join()

    def _supervise(self, end: threading.Event) -> None:
        """Restart the child until ``end`` is set, it reports a failure, or it dies too often in a row."""
        deaths = 0
        while not end.is_set():
            started = time.monotonic()
            try:
                failure = self._run_child(end)
            except OSError as error:
                failure = sentences.PROCESS_NOT_STARTED.format(why=error.strerror)
            if failure:
                self._show(end, ModelPhase.FAILED, failure)
                return
            deaths = 1 if time.monotonic() - started > _STEADY_SECONDS else deaths + 1
            if deaths > len(self._restart_delays):
                self._show(end, ModelPhase.FAILED, sentences.PROCESS_ENDED_OFTEN.format(deaths=deaths))
                return
            self._show(end, ModelPhase.LOADING, "The embedded model ended unexpectedly and is restarting.")
            end.wait(self._restart_delays[deaths - 1])

    def _run_child(self, end: threading.Event) -> str:
        """Start the child and read its status lines until it ends. Returns the sentence of a reported failure."""
        api_key = secrets.token_urlsafe(32)
        failure = ""
        with self._changed:
            if end.is_set():
                return ""
            self._child = child = subprocess.Popen(
                [sys.executable, "-m", "components.embedded", "--supervised", "--port", "0"],
                cwd=_PROJECT_ROOT,
                env={**os.environ, variable_name("embedded_api_key"): api_key},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        with child:
            assert child.stdout is not None  # noqa: S101 - a pipe was asked for
            for line in child.stdout:
                status = StatusLine.from_line(line)
                if status is not None:
                    failure = status.sentence if status.phase is ModelPhase.FAILED else failure
                    self._follow(end, status, api_key)
        with self._changed:
            # Another thread may have stopped this child and started a new one.
            if self._child is child:
                self._child = self._address = None
        return failure

    def _follow(self, end: threading.Event, status: StatusLine, api_key: str) -> None:
        match status.phase:
            case ModelPhase.FETCHING:
                fraction = min(status.done / status.total, 1.0) if status.total else None
                megabytes = f"{status.done / 1e6:.0f} of {status.total / 1e6:.0f} MB"
                self._show(end, ModelPhase.FETCHING, f"Downloading the embedded model: {megabytes}.", fraction)
            case ModelPhase.LOADING:
                self._show(end, ModelPhase.LOADING, "Loading the embedded model.")
            case ModelPhase.READY:
                address = EmbeddedAddress(f"http://{DEFAULT_HOST}:{status.port}/v1", api_key)
                sentence = f"The embedded model {status.model} is ready."
                self._show(end, ModelPhase.READY, sentence, address=address)
            case _:
                # A failure is shown after the child has ended, so that a new start does not meet it.
                pass

    def _show(
        self,
        end: threading.Event,
        phase: ModelPhase,
        sentence: str,
        fraction: float | None = None,
        address: EmbeddedAddress | None = None,
    ) -> None:
        with self._changed:
            if end.is_set():
                return
            self._state = self._describe(phase, sentence, fraction)
            self._address = address
            self._changed.notify_all()

    def _describe(self, phase: ModelPhase, sentence: str, fraction: float | None = None) -> EmbeddedModelState:
        return EmbeddedModelState(phase, sentence, fraction, self._threads, self._model)

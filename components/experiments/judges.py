"""Asks endpoints for the opinions of judges."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace

from components.checks.check import Answer, Result
from components.checks.judge import Judge
from components.contract.messages import Role
from components.drafts.composed import compose_for
from components.drafts.conversation import Turn
from components.drafts.draft import new_draft
from components.endpoints.endpoint import AnyEndpoint
from components.experiments import sentences
from components.experiments.prepared import ModelsOf, first_model
from components.log.owned import OwnLog
from components.log.query import answers_to, find_run
from components.log.record import RunRecord
from components.runs.gate import Refused
from components.runs.order import order_for
from components.runs.runner import Runner
from components.streaming.outcome import Status


class Judges:
    """Asks endpoints for opinions on answers; a question that the log has answered is not sent again. Thread-safe."""

    def __init__(
        self,
        runner: Runner,
        log: OwnLog,
        endpoints: Mapping[str, AnyEndpoint],
        models_of: ModelsOf,
        at_once: int = 1,
    ) -> None:
        self.at_once = at_once
        self._runner = runner
        self._log = log
        self._endpoints = endpoints
        self._models_of = models_of
        self._lock = threading.Lock()
        self._answered: dict[str, dict[str, list[str]]] = {}

    def ask(self, check: Judge, answer: Answer, record: RunRecord) -> Result:
        """The opinion on a run's answer."""
        name = check.endpoint or record.endpoint
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            return Result(None, sentences.ENDPOINT_NOT_HERE.format(name=name, names=", ".join(self._endpoints)))
        cards = self._models_of(endpoint)
        model = check.model or (record.model if name == record.endpoint else first_model(endpoint, self._models_of))
        turns = (Turn(id="1", role=Role.USER, content=check.question(answer), literal=True),)
        draft = new_draft().model_copy(update={"endpoint": name, "model": model, "turns": turns})
        composed = compose_for(draft, endpoint, cards)
        order = order_for(endpoint, composed, draft)
        if order is None or (objection := composed.objection(send_anyway=True)):
            return Result(None, f"The judge cannot be asked: {objection if order else composed.problem}")
        if logged := self._logged_answer(name, order.body.decode()):
            return check.opinion(logged)
        try:
            run = self._runner.start(replace(order, owner=self._log.owner, network=self._log.network))
        except Refused as refused:
            return Result(None, refused.sentence)
        run.written.result()
        reply = run.record()
        if reply.status != Status.OK:
            return Result(None, f"The judge did not answer: {reply.error_message or reply.status}")
        with self._lock:
            self._answered.setdefault(name, {})[order.body.decode()] = [run.id]
        return check.opinion(reply.text)

    def _logged_answer(self, endpoint: str, body: str) -> str | None:
        database = self._log.database
        if database is None:
            return None
        with self._lock:
            if endpoint not in self._answered:
                self._answered[endpoint] = answers_to(database, endpoint)
            ids = self._answered[endpoint].get(body, [])
        logged_run = find_run(database, ids[0]) if ids else None
        return logged_run.text if logged_run else None

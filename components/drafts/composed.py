"""Composes a draft: its request, the request's bytes, and the problems that prevent sending it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from components.contract.lint import Remark, Severity, lint
from components.contract.profile import Profile
from components.contract.request import ChatCompletionStreamRequest, UnsendableField, to_bytes
from components.drafts import sentences
from components.drafts.draft import Draft, DraftProblem
from components.endpoints.endpoint import AnyEndpoint
from components.endpoints.models import ModelCard


@dataclass(frozen=True)
class Composed:
    """A composed draft. ``request`` is None when there is a ``problem``; ``body`` is None when it cannot be encoded."""

    request: ChatCompletionStreamRequest | None = None
    body: bytes | None = None
    problem: DraftProblem | None = None
    remarks: tuple[Remark, ...] = ()

    @property
    def may_be_refused(self) -> bool:
        """Whether it is sent only after a confirmation."""
        return any(remark.severity is Severity.MAY_BE_REFUSED for remark in self.remarks)

    def objection(self, *, send_anyway: bool) -> str | None:
        """The reason not to send it, with the next step; None when it can be sent."""
        if self.problem:
            return str(self.problem)
        if unsendable := self._sentences(Severity.CANNOT_BE_SENT):
            return unsendable
        refused = self._sentences(Severity.MAY_BE_REFUSED)
        return f"{refused} Change it, or tick Send anyway." if refused and not send_anyway else None

    def _sentences(self, severity: Severity) -> str:
        return " ".join(remark.sentence for remark in self.remarks if remark.severity is severity)


def compose(
    draft: Draft, profile: Profile, *, context_tokens: int | None = None, prompt_tokens: int | None = None
) -> Composed:
    """The composed draft for an endpoint of this dialect; the sizes are those of ``lint``."""
    try:
        request = draft.to_request(profile)
    except DraftProblem as problem:
        return Composed(problem=problem)
    remarks = tuple(lint(request, profile, context_tokens=context_tokens, prompt_tokens=prompt_tokens))
    try:
        body = to_bytes(request, profile)
    except UnsendableField:
        body = None  # a remark has the reason
    return Composed(request, body, remarks=remarks)


def compose_for(draft: Draft, endpoint: AnyEndpoint | None, cards: Iterable[ModelCard]) -> Composed:
    """The composed draft for its endpoint with these models; ``endpoint`` is None when it does not exist."""
    if endpoint is None:
        sentence = sentences.ENDPOINT_UNKNOWN if draft.endpoint else sentences.ENDPOINT_MISSING
        return Composed(problem=DraftProblem("endpoint", sentence.format(endpoint=draft.endpoint)))
    card = next((card for card in cards if card.id == draft.model), None)
    return compose(draft, endpoint.profile, context_tokens=card.context_length if card else None)

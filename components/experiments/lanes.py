"""The request of each lane of a comparison, with hints before it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache

from components.contract.difference import Difference
from components.drafts.comparison import Lane
from components.drafts.composed import Composed, compose_for
from components.drafts.draft import Draft
from components.drafts.in_words import differences_between, in_words
from components.drafts.setting import FieldState
from components.endpoints.endpoint import AnyEndpoint
from components.endpoints.models import ModelCard


@dataclass(frozen=True)
class LaneRequest:
    """The request of one lane.

    ``title`` is its letter and name. ``endpoint`` is None when there is none of that name. ``words`` come from
    ``in_words``; ``differences`` are its changes to the base. ``hints`` are sentences that do not block the run.
    """

    lane: Lane
    title: str
    draft: Draft
    endpoint: AnyEndpoint | None
    composed: Composed
    words: dict[str, str]
    differences: list[Difference]
    hints: tuple[str, ...] = ()

    @property
    def identity(self) -> tuple[str | None, bytes | None]:
        """The endpoint and the body; lanes with equal values send the same request."""
        return self.draft.endpoint, self.composed.body


def lane_requests(
    draft: Draft,
    endpoints: Mapping[str, AnyEndpoint],
    models_of: Callable[[AnyEndpoint], list[ModelCard]],
) -> list[LaneRequest]:
    """The request of every lane, in order. ``models_of`` gives the known models of an endpoint."""
    base = in_words(draft)
    requests: list[LaneRequest] = []
    models = cache(lambda name: models_of(endpoints[name]))
    for lane in draft.comparison.lanes:
        lane_draft = lane.apply(draft)
        endpoint = endpoints.get(lane_draft.endpoint or "")
        cards = models(lane_draft.endpoint) if endpoint else []
        words = in_words(lane_draft)
        request = LaneRequest(
            lane=lane,
            title=draft.comparison.title(lane.id),
            draft=lane_draft,
            endpoint=endpoint,
            composed=compose_for(lane_draft, endpoint, cards),
            words=words,
            differences=[difference.shortened() for difference in differences_between(base, words)],
        )
        requests.append(replace(request, hints=tuple(_hints(request, requests, cards))))
    return requests


def _hints(request: LaneRequest, before: list[LaneRequest], cards: list[ModelCard]) -> list[str]:
    hints = []
    equal = next((other for other in before if request.composed.body and other.identity == request.identity), None)
    if equal:
        hints.append(f"Same request as lane {equal.title}: the two show the effect of chance alone.")
    elif not request.differences and before:
        hints.append("No changes: same request as the base.")
    if cards and request.draft.model and request.draft.model not in [card.id for card in cards]:
        hints.append(f"{request.draft.endpoint} does not list the model {request.draft.model}.")
    if request.endpoint:
        profile = request.endpoint.profile
        hints += [
            f"The {profile.name} dialect has no {field}, so it is not sent."
            for field, setting in request.draft.settings.items()
            if field not in profile.fields
            and setting.state is not FieldState.OMIT
            # Hints on what every lane omits are shown with the base.
            and (field in request.lane.settings or request.lane.endpoint is not None)
        ]
    return hints

"""The cards of shared links, texts and pictures, for programs that read a page without running its scripts."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from components.server.options import route_path
from components.server.process import service
from components.settings import read_settings
from components.sharing.link_card import LinkCard
from components.user_error import UserError

_PATH = "cards"


@dataclass(frozen=True)
class HeadCard:
    """A card in the head of a page, with the address of its picture."""

    title: str
    description: str
    picture_url: str


def may_have_cards() -> bool:
    """Whether the operator allows cards, and the address of their pictures is known."""
    settings = read_settings()
    allowed = service().demo is None if settings.link_cards is None else settings.link_cards
    return allowed and bool(settings.public_address)


def head_card(capsule_id: str) -> HeadCard | None:
    """The card of a link whose owner wants one, where the operator allows cards; else None."""
    card = _find(capsule_id)
    url = f"{read_settings().public_address}/{_PATH}/{capsule_id}.png"
    return HeadCard(card.title, card.description, url) if card else None


def routes() -> list[BaseRoute]:
    """The route of the pictures."""
    return [Route(route_path(f"{_PATH}/{{capsule_id}}.png"), _picture)]


def _picture(request: Request) -> Response:
    card = _find(request.path_params["capsule_id"])
    if card is None:
        return PlainTextResponse("Not found.\n", 404)
    return Response(card.picture, media_type="image/png", headers={"Cache-Control": "no-store"})


def _find(capsule_id: str) -> LinkCard | None:
    database = service().log.database
    if database is None or not may_have_cards():
        return None
    try:
        return service().link_cards.find(database, capsule_id)
    except UserError as problem:
        logging.getLogger(__name__).warning("A link's card cannot be made: %s", problem.sentence)
        return None

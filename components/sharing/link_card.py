"""The card that chat programs show of a link: title, settings, and a drawing of the answers without their words."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from components.drafts.in_words import OMITTED, differing
from components.experiments.divergence import first_difference
from components.log.database import Database
from components.log.request_summary import settings_by_field
from components.sharing.capsule import Capsule, Kind
from components.sharing.capsules import has_card, open_capsule
from components.sharing.hidden_characters import with_hidden_marked
from components.sharing.shared_run import SharedRun, shared_runs

SIZE = (1200, 630)
_MAX_LANES = 4
_MAX_WORDS = 400
"""Drawn of each answer; further ones have no room."""
_MAX_CARDS = 32
_MAX_DESCRIPTION_CHARS = 200
_PAPER, _INK, _GRAY, _RULE, _OTHER = "#fcfaf5", "#26221c", "#8a8173", "#ddd4c3", "#d95f02"
_MARGIN, _TOP, _BOTTOM = 64, 200, 556
_WORD_HEIGHT, _LINE_HEIGHT, _GAP, _CHARACTER = 18, 34, 9, 11
_COLLECTION = "Answers of models, with their settings and timing, and notes between them."
_PLAIN = re.compile(r"[\w .,:+/-]{1,28}", re.ASCII)
"""Values of settings that a card may show: numbers and names, not texts."""


@dataclass(frozen=True)
class LinkCard:
    """The texts of a card, which are untrusted, and its picture as PNG."""

    title: str
    description: str
    picture: bytes


class LinkCards:
    """The cards of links whose owner wants one. The most recently used are kept, and one is drawn at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._drawn: OrderedDict[str, LinkCard] = OrderedDict()

    def find(self, database: Database, capsule_id: str) -> LinkCard | None:
        """The card of a link; None when there is no such link, or it has none. Raises QueryFailed and LinkProblem."""
        # Asked each time: a revoked link has no card from that moment on.
        if not has_card(database, capsule_id):
            return None
        with self._lock:
            card = self._drawn.pop(capsule_id, None)
            if card is None:
                capsule = open_capsule(database, capsule_id)
                if capsule is None:
                    return None
                card = link_card(capsule)
            self._drawn[capsule_id] = card
            while len(self._drawn) > _MAX_CARDS:
                self._drawn.popitem(last=False)
        return card


def link_card(capsule: Capsule) -> LinkCard:
    """The card of a capsule."""
    runs = list(shared_runs("", capsule).values())
    settings = [_settings(run) for run in runs]
    fields = differing(settings) if len(runs) > 1 else list(settings[0]) if settings else []
    labels = [_label(fields, words) for words in settings]
    return LinkCard(
        title=with_hidden_marked(capsule.title) or "A shared answer",
        description=_COLLECTION if capsule.kind is Kind.COLLECTION else _description(fields, settings),
        picture=_picture(capsule, runs[:_MAX_LANES], labels, further=len(runs) - _MAX_LANES),
    )


def _settings(run: SharedRun) -> dict[str, str]:
    """The settings of a run that are no texts, in words."""
    words = {"model": run.model, **settings_by_field(run.settings)}
    return {name: value for name, value in words.items() if _PLAIN.fullmatch(value)}


def _label(fields: Sequence[str], words: Mapping[str, str]) -> str:
    return " · ".join(f"{field} {words[field]}" for field in fields if field in words)


def _description(fields: Sequence[str], settings: Sequence[Mapping[str, str]]) -> str:
    values = {field: " / ".join(dict.fromkeys(words.get(field, OMITTED) for words in settings)) for field in fields}
    text = " · ".join(f"{field} {value}" for field, value in values.items())
    return text[:_MAX_DESCRIPTION_CHARS] or "An answer of a model, with its settings and timing."


def _picture(capsule: Capsule, runs: Sequence[SharedRun], labels: Sequence[str], *, further: int) -> bytes:
    image = Image.new("RGB", SIZE, _PAPER)
    draw = ImageDraw.Draw(image)
    draw.text((_MARGIN, 56), "Tempera", _INK, ImageFont.load_default(44))
    count = f"{len(runs)} answers" + (f" and {further} more" if further > 0 else "")
    words = count if len(runs) > 1 else "An answer" if runs else capsule.kind.value.capitalize()
    draw.text((SIZE[0] - _MARGIN, 66), words, _GRAY, ImageFont.load_default(30), anchor="ra")
    width = (SIZE[0] - 2 * _MARGIN + 32) // max(len(runs), 1) - 32
    for number, (run, label) in enumerate(zip(runs, labels, strict=False)):
        left = _MARGIN + number * (width + 32)
        draw.text((left, 142), _fitting(draw, label, width), _INK, ImageFont.load_default(24))
        draw.line((left, _TOP - 16, left + width, _TOP - 16), _RULE, 2)
        differs_at = first_difference(runs[0].text, run.text) if number else None
        _draw_words(draw, run.text, left, width, differs_at)
    if len(runs) > 1:
        words = "Orange: from the first difference to the first answer on"
        draw.text((_MARGIN, SIZE[1] - 40), words, _GRAY, ImageFont.load_default(22), anchor="ls")
    content = BytesIO()
    image.save(content, "PNG", optimize=True)
    return content.getvalue()


def _fitting(draw: ImageDraw.ImageDraw, text: str, width: int) -> str:
    font = ImageFont.load_default(24)
    while text and draw.textlength(text, font) > width:
        text = text[:-2].rstrip(" .") + "…" if len(text) > 2 else ""
    return text


def _draw_words(draw: ImageDraw.ImageDraw, text: str, left: int, width: int, differs_at: int | None) -> None:
    """Each word as a bar of its length; from the first difference on in another colour."""
    x, y = left, _TOP
    for number, word in enumerate(re.finditer(r"\S+", text)):
        length = min(len(word[0]) * _CHARACTER, width)
        if x + length > left + width:
            x, y = left, y + _LINE_HEIGHT
        if number >= _MAX_WORDS or y + _WORD_HEIGHT > _BOTTOM:
            return
        is_other = differs_at is not None and word.end() > differs_at
        draw.rounded_rectangle((x, y, x + length, y + _WORD_HEIGHT), 4, _OTHER if is_other else _RULE)
        x += length + _GAP

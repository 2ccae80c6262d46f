"""Turns known keys of an extra body into settings, so that the form shows a widget for each.

Drafts, links and presets of earlier releases hold them as JSON. The request stays the same to the byte: a key whose
move would change it, such as a known key after an unknown one, stays in the extra body until a person moves it.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from operator import itemgetter
from typing import Any, NamedTuple

from components.contract.fields import is_of_contract
from components.contract.profile import Profile
from components.drafts.comparison import Lane
from components.drafts.draft import Draft
from components.drafts.extra_body import extra_body_text, read_extra_body
from components.drafts.setting import LARGEST_WHOLE, FieldState, Setting, can_be_shown


def with_known_keys(draft: Draft, profile: Profile, *, in_any_order: bool = False) -> Draft:
    """The draft with the known keys of its extra bodies as settings; unchanged if a request would change.

    With ``in_any_order``, the order of the keys on the wire may change.
    """
    known_keys = _KnownKeys(profile, draft.settings.keys(), in_any_order)
    base = known_keys.parted(draft.extra_body)
    if base is None or any(_is_sent(draft, field) for field in base.settings):
        return draft
    others = {field: setting for field, setting in draft.settings.items() if field not in base.settings}
    lanes = [_lane(lane, base, known_keys) for lane in draft.comparison.lanes]
    parted = draft.model_copy(
        update={
            "settings": {**others, **base.settings},
            "extra_body": extra_body_text(base.others) if base.settings else draft.extra_body,
            "comparison": draft.comparison.model_copy(update={"lanes": tuple(lanes)}),
        }
    )
    before = [known_keys.sent(each) for each in (draft, *(lane.apply(draft) for lane in draft.comparison.lanes))]
    after = [known_keys.sent(each) for each in (parted, *(lane.apply(parted) for lane in lanes))]
    return parted if before == after else draft


class _Parted(NamedTuple):
    settings: dict[str, Setting]
    others: dict[str, Any]


class _KnownKeys(NamedTuple):
    """The known keys: those of the dialect's fields, and of the fields in the form."""

    profile: Profile
    in_form: Collection[str]
    in_any_order: bool

    def parted(self, extra_body: str) -> _Parted | None:
        """The known keys of an extra body, and the others; None for invalid JSON."""
        try:
            content = read_extra_body(extra_body)
        except ValueError:
            return None
        settings: dict[str, Setting] = {}
        others: dict[str, Any] = {}
        for key, value in content.items():
            field = self.profile.name_of(key)
            if field is None or not self._can_hold(field, value) or (others and not self.in_any_order):
                others[key] = value
            elif value is None:
                settings[field] = Setting(state=FieldState.NULL, value=self.profile.field(field).begins_with)
            else:
                settings[field] = Setting(state=FieldState.VALUE, value=value)
        return _Parted(settings, others)

    def sent(self, draft: Draft) -> str:
        """All sent fields of a draft beyond the contract, as JSON."""
        try:
            raw = read_extra_body(draft.extra_body)
        except ValueError:
            raw = {"": draft.extra_body}
        pairs = [*draft.further_values(self.profile).items(), *raw.items()]
        return json.dumps(sorted(pairs, key=itemgetter(0)) if self.in_any_order else pairs)

    def _can_hold(self, field: str, value: Any) -> bool:
        if is_of_contract(field) or not (self.profile.knows(field) or field in self.in_form):
            return False
        if value is None:
            rules = self.profile.rules_of(field)
            return rules is not None and rules.nullable
        too_large = isinstance(value, int | float) and abs(value) > LARGEST_WHOLE
        return self.profile.field(field).can_hold(value) and can_be_shown(value) and not too_large


def _lane(lane: Lane, base: _Parted, known_keys: _KnownKeys) -> Lane:
    """The lane with its known keys as settings. Its extra body replaces the base's, so missing fields are omitted."""
    own = known_keys.parted(lane.extra_body) if lane.extra_body is not None else None
    if own is None:
        return lane
    omitted = {field: Setting(value=setting.value) for field, setting in base.settings.items()}
    return lane.model_copy(
        update={
            "settings": {**lane.settings, **omitted, **own.settings},
            "extra_body": None if own.others == base.others else extra_body_text(own.others),
        }
    )


def _is_sent(draft: Draft, field: str) -> bool:
    return field in draft.settings and draft.settings[field].state is not FieldState.OMIT

"""What a dialect allows, as tables made from its profile; nothing of that is written here."""

from __future__ import annotations

from typing import get_args

import pandas as pd
import streamlit as st

from components.contract.further_fields import FURTHER_FIELDS
from components.contract.profile import FieldRules, Profile
from components.contract.request import OPTIONAL_FIELDS, ChatCompletionStreamRequest


def draw_dialect_rules(profile: Profile) -> None:
    """Draw the fields with their ranges, the treatment of prefix, usage and unknown keys, and the further fields."""
    fields = pd.DataFrame([_row(name, profile.fields.get(name)) for name in OPTIONAL_FIELDS])
    st.table(fields, border="horizontal", hide_index=True, alt=f"Fields of the {profile.name} dialect")
    prefix = "yes" if profile.prefix else "no"
    st.markdown(
        f":small[:gray[Prefix of a last assistant message:] {prefix}  \n"
        f":gray[Token usage:] {profile.usage.value}  \n"
        f":gray[Body keys it does not know:] {profile.unknown_keys.value}]"
    )
    if not profile.further_fields:
        st.caption("No body keys beyond these are known.")
        return
    further = pd.DataFrame(
        [
            {"further field": f"`{name}`", "what it does": FURTHER_FIELDS[name].description}
            for name in profile.further_fields
        ]
    )
    st.table(further, border="horizontal", hide_index=True, alt=f"Further fields of the {profile.name} dialect")


def _row(name: str, rules: FieldRules | None) -> dict[str, str]:
    if rules is None:
        return {"field": name, "key": "–", "range": "no such field", "null": "–", "when omitted": "–"}
    return {
        "field": name,
        "key": "same" if rules.key == name else f"`{rules.key}`",
        "range": _range(name, rules),
        "null": "yes" if rules.nullable else "no",
        "when omitted": rules.default,
    }


def _range(name: str, rules: FieldRules) -> str:
    kinds = _kinds(ChatCompletionStreamRequest.model_fields[name].annotation)
    if bool in kinds:
        return "true or false"
    if rules.minimum is not None and rules.maximum is not None:
        return f"{rules.minimum:g} to {rules.maximum:g}"
    if rules.minimum is not None:
        return f"{rules.minimum:g} or more"
    if rules.maximum is not None:
        return f"{rules.maximum:g} or less"
    return "any whole number" if int in kinds else "any number"


def _kinds(annotation: object) -> list[object]:
    """The annotation and all that stands inside it."""
    return [annotation, *(inner for part in get_args(annotation) for inner in _kinds(part))]

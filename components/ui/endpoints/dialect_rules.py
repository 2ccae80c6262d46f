"""The rules of a dialect as tables, made from its profile alone."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from components.contract.fields import CONTRACT_FIELDS, Field
from components.contract.profile import BEEZY, FieldRules, Profile
from components.ui.form.field_widgets import description
from components.ui.plain_words import plain_words


def dialect_in_words(name: str) -> str:
    """A dialect's name, with what it is where the name does not say so."""
    return f"{name} (Mistral-like)" if name == BEEZY.name else name


def draw_dialect_rules(profile: Profile) -> None:
    """Draw the fields with their ranges, the treatment of prefix, usage and unknown keys, and the further fields."""
    fields = pd.DataFrame([_row(profile, name) for name in CONTRACT_FIELDS])
    st.table(fields, border="horizontal", hide_index=True, alt=f"Fields of the {profile.name} dialect")
    prefix = "yes" if profile.prefix else "no"
    st.markdown(
        f":small[:gray[Prefix of a last assistant message:] {prefix}  \n"
        f":gray[Token usage:] {profile.usage.value}  \n"
        f":gray[Unknown body keys:] {profile.unknown_keys.value}]"
    )
    if not profile.further_fields:
        st.caption("No body keys beyond these are known.")
        return
    rows = [_row(profile, name) | {"what it does": description(profile.field(name))} for name in profile.further_fields]
    further = pd.DataFrame(rows).rename(columns={"field": "further field"})
    st.table(further, border="horizontal", hide_index=True, alt=f"Further fields of the {profile.name} dialect")


def _row(profile: Profile, name: str) -> dict[str, str]:
    rules = profile.fields.get(name)
    if rules is None:
        return {"field": name, "key": "–", "range": "no such field", "null": "–", "when omitted": "–"}
    return {
        "field": name,
        "key": "same" if rules.key == name else f"`{rules.key}`",
        "range": _range(profile.field(name), rules),
        "null": "yes" if rules.nullable else "no",
        "when omitted": plain_words(rules.default) if name in profile.own else rules.default,
    }


def _range(row: Field, rules: FieldRules) -> str:
    if rules.minimum is not None and rules.maximum is not None:
        return f"{rules.minimum:g} to {rules.maximum:g}"
    if rules.minimum is not None:
        return f"{rules.minimum:g} or more"
    if rules.maximum is not None:
        return f"{rules.maximum:g} or less"
    return row.kind.value.replace("a ", "any ", 1) if row.kind.is_number else row.kind.value

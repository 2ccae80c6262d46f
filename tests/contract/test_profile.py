"""Dialects: ranges and names of keys."""

import pytest

from components.contract.fields import CONTRACT_FIELDS
from components.contract.profile import BEEZY, MISTRAL, OPENAI, PROFILES, UnknownKeys, UsageReport, profile_named


@pytest.mark.parametrize(
    ("profile", "field", "low", "high"),
    [
        (BEEZY, "temperature", 0, 1),
        (MISTRAL, "temperature", 0, 1.5),
        (OPENAI, "temperature", 0, 2),
        (BEEZY, "top_p", 0, 1),
        (MISTRAL, "top_p", 0, 1),
        (OPENAI, "top_p", 0, 1),
        (BEEZY, "max_tokens", 0, None),
        (MISTRAL, "random_seed", 0, None),
        (BEEZY, "random_seed", None, None),
    ],
)
def test_a_range_includes_exactly_its_ends(profile, field, low, high):
    def problem(value):
        return profile.range_problems({field: value}).get(field)

    if low is None:
        assert problem(-(10**18)) is None
    else:
        assert problem(low) is None
        assert "at least" in problem(low - 0.01)
    if high is None:
        assert problem(10**18) is None
    else:
        assert problem(high) is None
        assert problem(high + 0.01) == f"{field} must be at most {high:g}; {high + 0.01:g} is more."


def test_every_field_out_of_range_is_named_and_no_other():
    values = {"temperature": 1.2, "top_p": -1.0, "max_tokens": 5, "safe_prompt": True, "random_seed": None}
    assert set(BEEZY.range_problems(values)) == {"temperature", "top_p"}
    assert set(MISTRAL.range_problems(values)) == {"top_p"}


def test_null_is_within_every_range():
    assert BEEZY.range_problems(dict.fromkeys(CONTRACT_FIELDS)) == {}


def test_a_field_that_a_dialect_lacks_has_no_range_in_it():
    assert OPENAI.range_problems({"safe_prompt": True}) == {}


def test_a_range_problem_names_the_key_on_the_wire():
    problem = MISTRAL.range_problems({"random_seed": -1})["random_seed"]
    assert problem == "random_seed must be at least 0; -1 is less."
    assert OPENAI.fields["random_seed"].key == "seed"


def test_only_safe_prompt_is_not_nullable():
    assert {name for name, rules in BEEZY.fields.items() if not rules.nullable} == {"safe_prompt"}
    assert set(BEEZY.fields) == set(CONTRACT_FIELDS)
    assert set(CONTRACT_FIELDS) - set(OPENAI.fields) == {"safe_prompt"}


def test_the_dialects_differ_as_the_contract_defines():
    assert [profile.usage for profile in (BEEZY, MISTRAL, OPENAI)] == [
        UsageReport.IN_FINISH_CHUNK,
        UsageReport.IN_FINISH_CHUNK,
        UsageReport.BY_STREAM_OPTIONS,
    ]
    assert [profile.unknown_keys for profile in (BEEZY, MISTRAL, OPENAI)] == [
        UnknownKeys.IGNORED,
        UnknownKeys.REFUSED,
        UnknownKeys.IGNORED,
    ]


@pytest.mark.parametrize("name", ["beezy", "mistral", "openai"])
def test_a_dialect_is_found_by_its_name(name):
    assert profile_named(name).name == name
    assert profile_named(name) is PROFILES[name]


def test_an_unknown_dialect_is_refused_with_the_known_names():
    with pytest.raises(ValueError, match=r"no dialect 'klingon'.*beezy, mistral, openai"):
        profile_named("klingon")


def test_the_rules_of_a_dialect_cannot_be_changed():
    with pytest.raises(TypeError):
        BEEZY.fields["temperature"] = OPENAI.fields["temperature"]
    with pytest.raises(TypeError):
        PROFILES["mine"] = BEEZY

"""Validates an answer against a JSON Schema in bounded time, without looking anything up elsewhere."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import Any

import regex
from jsonschema import Draft202012Validator, SchemaError, ValidationError
from jsonschema.exceptions import best_match
from jsonschema.validators import extend, validator_for
from pydantic import JsonValue
from referencing.exceptions import Unresolvable
from referencing.jsonschema import EMPTY_REGISTRY

from components.checks import sentences
from components.contract.difference import shortened
from components.snippets.nesting import MAX_LEVELS, nests_too_deeply
from components.user_error import UserError

_MAX_STEPS = 30_000
"""Keywords applied to values: references to one another can double them at each level."""
_LONGEST_SCHEMA = 200_000
_MAX_UNIQUE = 2_000
"""Items of a list that must differ: the time is quadratic."""
_REGEX_S = 0.2

_Rule = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]
_left = threading.local()
"""The steps left to this thread's validation."""


class SchemaProblem(UserError):
    """A schema cannot be applied; the text says why."""


class _TooManySteps(Exception):
    pass


def schema_problem(schema: JsonValue) -> str | None:
    """Why this is no JSON Schema, as the end of a sentence; None when it is one."""
    if nests_too_deeply(schema):
        return f"it nests more than {MAX_LEVELS} levels deep"
    text = json.dumps(schema)
    if len(text) > _LONGEST_SCHEMA:
        return f"it is longer than {_LONGEST_SCHEMA:,} characters"
    if '"unevaluatedProperties"' in text and '"patternProperties"' in text:
        # jsonschema would match these patterns without a time limit.
        return "it uses unevaluatedProperties together with patternProperties, which is not supported"
    try:
        validator_for(schema, default=Draft202012Validator).check_schema(schema)
    except SchemaError as error:
        return f"it is no JSON Schema: {shortened(error.message)} (at {error.json_path})"
    except (regex.error, RecursionError, Unresolvable) as error:
        return f"it is no JSON Schema: {error}"
    return None


def validated(schema: str, value: JsonValue) -> str | None:
    """Why the schema, as JSON, does not admit the value: a sentence; None when it does. Raises SchemaProblem."""
    _left.steps = _MAX_STEPS
    try:
        violation = best_match(_validator(schema).iter_errors(value))
    except _TooManySteps:
        raise SchemaProblem(sentences.SCHEMA_TOO_MANY_STEPS.format(limit=_MAX_STEPS)) from None
    except RecursionError:
        raise SchemaProblem(sentences.SCHEMA_ENDLESS) from None
    except TimeoutError:
        raise SchemaProblem(sentences.SCHEMA_PATTERN_SLOW.format(seconds=_REGEX_S)) from None
    except Unresolvable as error:
        raise SchemaProblem(sentences.SCHEMA_REFERENCE_MISSING.format(reference=shortened(error.ref))) from None
    except regex.error as problem:
        raise SchemaProblem(sentences.SCHEMA_PATTERN_UNREADABLE.format(problem=problem)) from None
    return f"At {violation.json_path}: {shortened(violation.message)}." if violation else None


@lru_cache(maxsize=64)
def _validator(schema: str) -> Any:
    parsed = json.loads(schema)
    return _bounded(validator_for(parsed, default=Draft202012Validator))(parsed, registry=EMPTY_REGISTRY)


@cache
def _bounded(kind: Any) -> Any:
    """The validator of a draft of JSON Schema with limits on steps, patterns and lists."""
    own = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "uniqueItems": _unique_items,
    }
    return extend(kind, {name: _counted(own.get(name, rule)) for name, rule in kind.VALIDATORS.items()})


def _counted(rule: _Rule) -> _Rule:
    def counted(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError] | None:
        _left.steps -= 1
        if _left.steps < 0:
            raise _TooManySteps
        return rule(validator, value, instance, schema)

    return counted


def _pattern(validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and not _matches(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    for pattern, subschema in patterns.items():
        for key, value in instance.items():
            if _matches(pattern, key):
                yield from validator.descend(value, subschema, path=key, schema_path=pattern)


def _additional_properties(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    patterns = schema.get("patternProperties", {})
    for key, value in instance.items():
        if key in schema.get("properties", {}) or any(_matches(pattern, key) for pattern in patterns):
            continue
        if allowed is False:
            yield ValidationError(f"{key!r} is not allowed")
        else:
            yield from validator.descend(value, allowed, path=key)


def _unique_items(validator: Any, unique: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "array") and len(instance) > _MAX_UNIQUE:
        raise _TooManySteps
    yield from Draft202012Validator.VALIDATORS["uniqueItems"](validator, unique, instance, schema)


def _matches(pattern: str, text: str) -> bool:
    return regex.search(pattern, text, timeout=_REGEX_S) is not None

"""Removes keys, other credentials and addresses from a pasted request: they belong to an endpoint."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

WHERE_KEYS_BELONG = "Keys belong in an endpoint's profile, on the page Endpoints, and never in a request."

_MAX_NAMES = 5
_MAX_NAME_CHARS = 40

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# Matches the words of a name, in lower case, joined by underscores.
_CREDENTIAL = re.compile(
    r"""
    (?:^|_)(?:
        (?:access|api|auth|private|secret)(?:key|token)s?
      | authentication | authorization | bearer | cookies? | credentials? | jwt | oauth | pass(?:phrase|wd|words?) | pwd
      | secrets?
      | (?:access|account|admin|api|auth|aws|azure|encryption|master|private|service|shared|signing|subscription
          |anthropic|cohere|deepseek|gemini|google|groq|huggingface|litellm|mistral|openai|openrouter|together|xai)_keys?
    )(?:_|$)
    | (?:^|_)auth$
    | (?:^|_)token$
    """,
    re.VERBOSE,
)
# Tokens of a model's vocabulary and cursors of lists.
_OTHER_TOKEN = re.compile(
    r"(?:audio|begin|bos|cls|end|eo[st]|first|image|last|mask|max|min|new|next|pad|page|per|prompt|reasoning|sep|special"
    r"|start|stop|think|thinking|unk|video)_token$"
)
_LOOKS_LIKE_A_SECRET = re.compile(
    r"(?i:bearer)\s+\S{8,}"
    r"|(?:sk|pk|rk|gsk|hf|xai|nvapi|pplx|ghp|glpat|r8)[-_][-\w]{16,}|(?:AKIA|ASIA|AIza)[-\w]{12,}"
    r"|eyJ[-\w]{8,}\.[-\w]+\.[-\w]*"
    r"|[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@\S*"
)
_ADDRESS = re.compile(
    r"(?:openai_?)?(?:api_?base|api_?url|base_?url|endpoint_?url|server_?url|api_?type|api_?version|organization)"
    r"|(?:azure_?)?endpoint|custom_llm_provider|(?:aws|vertex)_\w+|http_client|proxies"
)
_MAY_BE_AN_ADDRESS = re.compile(r"(?:^|_)(?:base|endpoint|host|proxy|uri|url)$")
# Under these keys, JSON Schema has custom names, each with a schema as its value.
_CUSTOM_NAMES = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"})


def is_credential_name(name: str) -> bool:
    """Whether a key or variable of this name holds a secret, in any case and with any separators.

    ``max_tokens``, ``eos_token`` and ``prompt_cache_key`` are none.
    """
    words = "_".join(_WORD.findall(name)).lower()
    return _CREDENTIAL.search(words) is not None and not _OTHER_TOKEN.search(words)


def is_call_option(name: str) -> bool:
    """Whether an argument is an option of the call (credentials, headers, address) instead of a field of the body."""
    return is_credential_name(name) or _names_headers(name) or is_address_name(name)


def _names_headers(name: str) -> bool:
    return name.lower().endswith(("headers", "header"))


def is_address_name(name: str) -> bool:
    """Whether an argument identifies the endpoint: its address, its API or the account."""
    name = name.lower().replace("-", "_")
    return bool(_ADDRESS.fullmatch(name) or _MAY_BE_AN_ADDRESS.search(name)) and not is_credential_name(name)


def without_credentials(body: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The body without credentials, headers and addresses, and their names. Messages stay unchanged."""
    names: list[str] = []
    remaining = {}
    for name, value in body.items():
        if name in ("model", "messages"):
            remaining[name] = value
        elif name == "extra_body" and isinstance(value, Mapping):
            remaining[name], more_names = without_credentials(value)
            names += more_names
        elif is_call_option(name) and not isinstance(value, bool):
            names.append(name)
        else:
            remaining |= _without({name: value}, names)
    return remaining, names


def _without(value: Any, names: list[str], *, custom_names: bool = False) -> Any:
    if isinstance(value, list):
        return [_without(item, names) for item in value if not _is_removed("", item, names)]
    if not isinstance(value, Mapping):
        return value
    return {
        name: _without(inner, names, custom_names=name in _CUSTOM_NAMES)
        for name, inner in value.items()
        if (custom_names and isinstance(inner, Mapping)) or not _is_removed(name, inner, names)
    }


def _is_removed(name: str, value: Any, names: list[str]) -> bool:
    """Whether a value is a credential, headers or an address; if so, its name is added to ``names``."""
    words = "_".join(_WORD.findall(name)).lower()
    if isinstance(value, str) and "://" in value and _MAY_BE_AN_ADDRESS.search(words):
        names.append(name)
        return True
    is_named = (is_credential_name(name) or _names_headers(name)) and not isinstance(value, bool)
    if is_named and isinstance(value, int | float) and name.lower().endswith("token"):
        return False  # the id of a vocabulary token
    if is_named or (isinstance(value, str) and _LOOKS_LIKE_A_SECRET.fullmatch(value.strip())):
        names.append(name or "an item of a list")
        return True
    return False


def credentials_left_out(names: Iterable[str]) -> list[str]:
    """Sentences with the names of what was left out, never its values, and where it belongs."""
    unique = list(dict.fromkeys(name[:_MAX_NAME_CHARS] for name in names))
    addresses = [name for name in unique if is_address_name(name)]
    secrets = [name for name in unique if not is_address_name(name)]
    notes = []
    if secrets:
        notes.append(f"Left out: {_listed(secrets)}. {WHERE_KEYS_BELONG}")
    if addresses:
        notes.append(f"Left out: {_listed(addresses)}. The request goes to the endpoint that is chosen here.")
    return notes


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_MAX_NAMES]) + (" and more" if len(names) > _MAX_NAMES else "")

"""The operator's settings, read from the environment here only.

``python -m components.settings`` prints the table of docs/settings.md.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Set
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, get_origin

import platformdirs
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

_ADDRESS = r"^https?://(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?(/[^?#\s]*)?$"
_ORIGIN = r"^https?://(\*\.)?[A-Za-z0-9.-]+(:\d+)?$"


def data_folder() -> Path:
    """The folder for a user's data on this system."""
    return platformdirs.user_data_path("tempera")


@dataclass(frozen=True)
class Variable:
    """The description of a variable, in addition to its type and default.

    While the value is unreadable, the default applies, or ``unreadable`` where the default would lift a restriction.
    """

    meaning: str
    values: str
    """The end of the sentence "it must be …"."""
    unreadable: Any = None
    effect: str = "It is left out until then."
    default: str = ""
    """The default in words, where the type shows none."""


_UserPath = Annotated[Path, AfterValidator(Path.expanduser)]
_SWITCH = "1 or 0"


class Settings(BaseModel):
    """The settings of a process. Each field is a variable, named by ``variable_name``.

    ``problems`` holds sentences for each field with an unreadable variable.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    public_url: Annotated[
        str,
        Field(pattern=_ADDRESS),
        Variable(
            "Tempera's public address. Its host is allowed, its pages may open sockets, shared links begin with it.",
            "an address such as https://tempera.example.org",
        ),
    ] = ""
    space_host: Annotated[
        str,
        Variable("The host of a Hugging Face Space, which sets this; used without a public address.", "a host"),
    ] = ""
    frame_ancestors: Annotated[
        tuple[Annotated[str, Field(pattern=_ORIGIN)], ...],
        Variable("Sites that may show Tempera in a frame.", "origins such as https://school.example.org"),
    ] = ()
    link_cards: Annotated[
        bool | None,
        Variable(
            "Owners of shared links may choose a card: title, settings and a picture where the link is posted.",
            _SWITCH,
            unreadable=False,
            effect="No link has a card until then.",
            default="1, in a demo 0",
        ),
    ] = None
    secrets_files: Annotated[
        str, Variable("The path of the secrets file, for `streamlit run`.", "a path", default=".streamlit/secrets.toml")
    ] = ""
    login: Annotated[
        Literal["", "required"],
        Variable(
            "A login is required, regardless of the secrets file.",
            "required, or not be set",
            unreadable="required",
            effect="",
        ),
    ] = ""
    database_url: Annotated[
        str,
        Variable(
            "The log's database.",
            "a URL such as sqlite:////path/runs.sqlite3 or postgresql://user@host/name",
            default="a SQLite file in your data folder",
        ),
    ] = Field(default_factory=lambda: f"sqlite:///{data_folder() / 'runs.sqlite3'}", repr=False)
    volume: Annotated[
        Path | None,
        Variable(
            "The mount point of persistent storage. Without it, pages warn that the log is temporary.", "a folder"
        ),
    ] = None
    log_format: Annotated[
        Literal["", "json"],
        Variable(
            "The format of log lines. JSON has a line for each run that ends, and no prompt, answer or key.",
            "json, or not be set",
            effect="Lines are text until then.",
        ),
    ] = ""
    metrics_token: Annotated[
        str,
        Field(repr=False),
        Variable(
            "The bearer token of `/metrics` for other machines. Without it only this machine may read them.", "text"
        ),
    ] = ""
    keep_days: Annotated[
        Annotated[float, Field(gt=0, lt=1_000_000)] | None,
        Variable(
            "The number of days after which runs and experiments are deleted.",
            "a number of days",
            effect="No run is deleted.",
            default="never",
        ),
    ] = None
    base_url: Annotated[str, Variable("The base URL of the endpoint named `environment`.", "a URL ending in /v1")] = ""
    dialect: Annotated[str, Variable("Its dialect.", "beezy, mistral or openai", default="beezy")] = ""
    api_key: Annotated[str, Field(repr=False), Variable("Its key.", "text")] = ""
    model: Annotated[str, Variable("The default model.", "text")] = ""
    endpoints_file: Annotated[
        _UserPath,
        Variable(
            "The file of the endpoints added on the page, with their keys.",
            "a file",
            default="a file in your data folder",
        ),
    ] = Field(default_factory=lambda: data_folder() / "endpoints.toml")
    own_endpoints: Annotated[
        bool,
        Variable(
            "Visitors may enter their own endpoints.",
            _SWITCH,
            effect="Visitors cannot add their own endpoints until it is 1.",
        ),
    ] = False
    own_endpoints_networks: Annotated[
        tuple[IPv4Network | IPv6Network, ...],
        Variable(
            "Allowed networks of such endpoints, in addition to public addresses.",
            "networks such as 10.0.0.0/8, fd12::/16",
        ),
    ] = ()
    embedded_model: Annotated[_UserPath | None, Variable("Another model for the embedded endpoint.", "a GGUF file")] = (
        None
    )
    embedded_threads: Annotated[
        Annotated[int, Field(ge=1)] | None,
        Variable(
            "The number of its threads. One per core is slower.",
            "a whole number of 1 or more",
            effect="The embedded model does not start.",
            default="one fewer than the cores",
        ),
    ] = None
    embedded_api_key: Annotated[
        str, Field(repr=False), Variable("The key required by `python -m components.embedded`.", "text")
    ] = ""
    cache_dir: Annotated[_UserPath, Variable("The folder of its weights.", "a folder", default="your cache folder")] = (
        Field(default_factory=lambda: platformdirs.user_cache_path("tempera"))
    )
    sweep_confirm_requests: Annotated[
        int,
        Field(ge=0),
        Variable("The number of requests from which a sweep needs a confirmation.", "a whole number", default="1,000"),
    ] = 1_000
    dask_scheduler: Annotated[
        str,
        Variable("The Dask scheduler for sweeps.", "a scheduler's address, or local for workers of this machine"),
    ] = ""
    demo: Annotated[
        bool,
        Variable(
            "A public demo, with limits for each visitor.",
            _SWITCH,
            unreadable=True,
            effect="This is a demo until it is 0.",
        ),
    ] = False
    demo_stop: Annotated[
        bool,
        Variable("Pauses the demo: no run starts.", _SWITCH, unreadable=True, effect="No run starts until it is 0."),
    ] = False
    demo_stop_file: Annotated[str, Variable("Pauses the demo while this file exists.", "a file")] = ""

    problems: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @property
    def public_address(self) -> str:
        """The address under which others reach Tempera, without a trailing slash; empty when unknown."""
        return self.public_url.rstrip("/") or (f"https://{self.space_host}" if self.space_host else "")


VARIABLES: Mapping[str, Variable] = {
    field: next(each for each in info.metadata if isinstance(each, Variable))
    for field, info in Settings.model_fields.items()
    if field != "problems"
}


_OTHERS = {"space_host": "SPACE_HOST", "secrets_files": "STREAMLIT_SECRETS_FILES"}


def variable_name(field: str) -> str:
    """The variable of a field of ``Settings``."""
    return _OTHERS.get(field) or f"TEMPERA_{field.upper()}"


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings from the current environment; an unreadable value or entry becomes a problem."""
    values: dict[str, Any] = {}
    for field in VARIABLES:
        if text := environment.get(variable_name(field), "").strip():
            values[field] = list(filter(None, re.split(r"[,\s]+", text))) if _is_list(field) else text
    try:
        return Settings(**values)
    except ValidationError as error:
        return _readable_settings(values, {each["loc"][:2] for each in error.errors()})


def settings_table() -> str:
    """All variables as a Markdown table."""
    lines = ["| variable | value | default | meaning |", "|---|---|---|---|"]
    for field, variable in VARIABLES.items():
        default = variable.default or ("0" if Settings.model_fields[field].annotation is bool else "")
        lines.append(f"| `{variable_name(field)}` | {variable.values} | {default} | {variable.meaning} |")
    return "\n".join(lines) + "\n"


def _readable_settings(values: Mapping[str, Any], wrong: Set[tuple[str | int, ...]]) -> Settings:
    """The settings without the values at ``wrong``: a field, or a field and the index of its entry."""
    readable: dict[str, Any] = {}
    problems: dict[str, tuple[str, ...]] = {}
    for field, value in values.items():
        variable, entries = VARIABLES[field], value if _is_list(field) else [value]
        good = [entry for index, entry in enumerate(entries) if wrong.isdisjoint({(field,), (field, index)})]
        problems |= {field: tuple(_problem(field, entry) for entry in entries if entry not in good)}
        if _is_list(field) or good:
            readable[field] = good if _is_list(field) else value
        elif variable.unreadable is not None:
            readable[field] = variable.unreadable
    return Settings(**readable, problems={field: sentences for field, sentences in problems.items() if sentences})


def _is_list(field: str) -> bool:
    return get_origin(Settings.model_fields[field].annotation) is tuple


def _problem(field: str, entry: str) -> str:
    variable = VARIABLES[field]
    return f"{variable_name(field)} must be {variable.values}, not {entry!r:.40}. {variable.effect}".rstrip()


if __name__ == "__main__":
    sys.stdout.write(settings_table())

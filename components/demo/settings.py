"""The settings of a demo and their defaults. An unreadable setting leaves the demo on, with the default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import TypeGuard

from components.demo import sentences
from components.endpoints.endpoint import AnyEndpoint
from components.protection.places import PlaceLimits
from components.settings import Settings
from components.streaming.limits import Limits

_MAX_NUMBER = 1_000_000_000


@dataclass(frozen=True)
class DemoSettings:
    """The limits of a demo, its endpoints and models, and a sentence for each unusable value.

    Minutes and days are rolling ones: the last 60 s, the last 24 h. A network is an IPv4 address or a /64 of IPv6.
    """

    input_characters: int = 12_000
    """Of all messages of a request together, calls of tools included."""
    messages: int = 100
    """Of a request; each call of a tool counts as one."""
    max_tokens: int = 512
    """The largest max_tokens of a request. Each request must have one."""
    run_s: int = 60
    """Seconds that a run may take once it is sent, retries included."""
    runs_a_minute: int = 10
    """Of one visitor."""
    runs_a_day: int = 200
    """Of one visitor."""
    runs_at_once: int = 2
    """Of one visitor."""
    visitors_a_network: int = 5
    """The limits of one network, as a multiple of one visitor's."""
    sweep_runs: int = 20
    """Of one sweep or comparison."""
    sweep_tokens: int = 10_000
    """The max_tokens of all runs of one sweep or comparison together."""
    compare_lanes: int = 4
    slots: int = 4
    """Runs at once of all visitors, over all replicas: as many as the endpoint has slots."""
    queue: int = 20
    """Runs of all visitors that wait for a slot."""
    queue_of_one: int = 5
    """Runs of one visitor that wait for a slot."""
    tokens_a_day: int = 200_000
    """Prompts and answers of all visitors together."""
    visitor_percent: int = 10
    """How much of ``tokens_a_day`` one visitor may use."""
    network_percent: int = 25
    """How much of ``tokens_a_day`` all visitors of one network may use together."""
    pages_at_once: int = 6
    """Of one visitor, open."""
    kept_mb: int = 20
    """Megabytes that one visitor may keep: runs with their events, drafts, presets, shared links."""
    gone_after_s: int = 30
    """Seconds after which a run that no page shows any more is stopped."""
    proxy_hops: int = 0
    """The number of the operator's proxies in front of Tempera, each adding to X-Forwarded-For."""
    endpoints: tuple[str, ...] | None = None
    """The names of the endpoints that visitors may use; None for all that are configured."""
    models: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """The ids of each endpoint's models, by its name; an endpoint that is not named has its default model only."""
    stop_file: str | None = None
    """While there is such a file, no run begins."""
    problems: tuple[str, ...] = ()

    def allows_endpoint(self, name: str) -> bool:
        """Whether visitors may use a configured endpoint."""
        return self.endpoints is None or name in self.endpoints

    def models_of(self, endpoint: AnyEndpoint) -> tuple[str, ...]:
        """The ids of the models that visitors may use there."""
        return self.models.get(endpoint.name, (endpoint.default_model,) if endpoint.default_model else ())

    def limits(self) -> Limits:
        """The limits of each run, with the demo's values."""
        return replace(
            Limits(),
            total_s=min(Limits().total_s, self.run_s),
            pages_at_once=self.pages_at_once,
            kept_mb=self.kept_mb,
            kept_mb_of_network=self.kept_mb * self.visitors_a_network,
        )

    def pages(self, limits: Limits) -> PlaceLimits:
        """The maximum number of open pages."""
        of_network = self.pages_at_once * self.visitors_a_network
        return PlaceLimits(self.pages_at_once, of_network, limits.sessions_at_once)

    @property
    def tokens_of_visitor(self) -> int:
        """The tokens a day of one visitor."""
        return self.tokens_a_day * self.visitor_percent // 100

    @property
    def tokens_of_network(self) -> int:
        """The tokens a day of one network."""
        return self.tokens_a_day * self.network_percent // 100

    def in_words(self) -> tuple[str, ...]:
        """The limits in words for visitors: one sentence each."""
        return (
            f"A prompt may have {self.input_characters:,} characters, all messages together.",
            f"An answer may have {self.max_tokens:,} tokens, and take {self.run_s} s.",
            f"You may make {self.runs_a_minute:,} runs a minute and {self.runs_a_day:,} a day, "
            f"{self.runs_at_once:,} of them at once.",
            f"A sweep may have {self.sweep_runs:,} runs that ask for {self.sweep_tokens:,} tokens together; "
            f"a comparison may have {self.compare_lanes:,} lanes.",
            f"All visitors share {self.slots:,} places to run, {self.queue:,} to wait, "
            f"and {self.tokens_a_day:,} tokens a day: you may use {self.tokens_of_visitor:,} of them, "
            f"and all of your network together {self.tokens_of_network:,}.",
            "Where an endpoint does not report the tokens of a run, a high estimate counts: "
            "max_tokens, and a token for each byte of the request.",
            f"You may have {self.pages_at_once:,} pages open at once, and keep {self.kept_mb:,} MB: "
            "runs, drafts, presets and shared links.",
        )


def demo_settings(settings: Settings, secrets: Mapping[str, object]) -> DemoSettings | None:
    """The settings of the demo, or None without a demo.

    ``settings.demo`` turns it on, and so does ``enabled`` in the secrets' table ``[demo]``, if true or unreadable. The
    settings are safer: a missing secrets file turns nothing on. The table's other keys are the fields of
    ``DemoSettings``; ``settings.demo_stop_file`` takes precedence over its ``stop_file``. An invalid value becomes a
    problem, and the default applies.
    """
    table = secrets.get("demo", {})
    values = dict(table) if isinstance(table, Mapping) else {"enabled": table}
    enabled = values.pop("enabled", False)
    if not settings.demo and enabled is False:
        return None
    problems = [] if isinstance(enabled, bool) else [sentences.ENABLED_UNREADABLE]
    defaults = {each.name: each.default for each in fields(DemoSettings) if isinstance(each.default, int)}
    numbers = {name: _number(name, values.get(name, default), default, problems) for name, default in defaults.items()}
    names = {*numbers, "endpoints", "models", "stop_file"}
    problems += [sentences.SETTING_UNKNOWN.format(name=name) for name in values if name not in names]
    return DemoSettings(
        **numbers,
        endpoints=_endpoints(values.get("endpoints"), problems),
        models=_models(values.get("models", {}), problems),
        stop_file=settings.demo_stop_file or _stop_file(values.get("stop_file"), problems),
        problems=tuple(problems),
    )


def _number(name: str, value: object, default: int, problems: list[str]) -> int:
    low = 0 if name == "proxy_hops" else 1
    high = 100 if name.endswith("_percent") else _MAX_NUMBER
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        problems.append(sentences.NOT_A_NUMBER.format(name=name, low=low, high=high, value=value, default=default))
        return default
    return value


def _endpoints(value: object, problems: list[str]) -> tuple[str, ...] | None:
    if not _is_list_of_text(value):
        problems.append(sentences.ENDPOINTS_UNREADABLE)
        return ()
    return tuple(value) if value else None


def _models(table: object, problems: list[str]) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(table, Mapping):
        problems.append(sentences.MODELS_NOT_A_TABLE)
        return MappingProxyType({})
    allowed = {}
    for name, models in table.items():
        if _is_list_of_text(models) and models:
            allowed[str(name)] = tuple(models)
        else:
            problems.append(sentences.MODELS_UNREADABLE.format(name=name))
    return MappingProxyType(allowed)


def _stop_file(value: object, problems: list[str]) -> str | None:
    if value is not None and not isinstance(value, str):
        problems.append(sentences.STOP_FILE_UNREADABLE)
        return None
    return value or None


def _is_list_of_text(value: object) -> TypeGuard[Sequence[str] | None]:
    return value is None or (isinstance(value, list | tuple) and all(isinstance(each, str) for each in value))

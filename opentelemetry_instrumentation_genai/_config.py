"""The settings: a frozen `Config`, resolved at each `instrument()` from keywords, environment and defaults, in that order.

A value that cannot be read gets one warning that names the setting, the value and what is accepted; then the default applies.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

from ._guard import say_once

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PREFIX = "OTEL_INSTRUMENTATION_GENAI_"
# All of OpenTelemetry has this one: a list, in which each domain has words of its own.
_VARIABLES = {"semconv_stability_opt_in": "OTEL_SEMCONV_STABILITY_OPT_IN"}
PROVIDERS = ("openai", "anthropic", "ollama")


class Capture(NamedTuple):
    """Where message content goes."""

    span: bool
    event: bool


NO_CONTENT = Capture(span=False, event=False)
_SPAN_AND_EVENT = Capture(span=True, event=True)
_CAPTURE_MODES: dict[str, Capture] = {
    "no_content": NO_CONTENT,
    "span_only": Capture(span=True, event=False),
    "event_only": Capture(span=False, event=True),
    "span_and_event": _SPAN_AND_EVENT,
    "true": _SPAN_AND_EVENT,  # what older packages accept
    "false": NO_CONTENT,
}
_NATIVE_TRACING = ("replace", "enrich", "off")
# What a host could be called, and nobody means by it.
_NO_HOSTS = frozenset({"off", "on", "true", "false", "yes", "no", "none", "all", "0", "1"})
_STREAM_USAGE = ("off", "inject")
# The stronger one last.
_GENERATIONS = ("gen_ai_latest_experimental", "gen_ai_latest_experimental/dup")
_NOT_A_LETTER = re.compile("[^a-z]")
_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True)
class Config:
    """The settings of one instrumentor.

    Attributes:
        enabled: the providers to instrument.
        capture_message_content: where message content goes.
        emit_event: whether the details event is emitted; None leaves it to `capture_message_content`.
        host_providers: (host pattern, provider) pairs that the user declared, in order.
        per_chunk_metric: whether the time per output chunk is recorded.
        allow_others: whether to instrument an SDK that another instrumentation has wrapped already.
        stream_usage: whether usage on streams is asked for where the caller did not, `off` or `inject`.
        anthropic_native_tracing: what becomes of the spans that the `anthropic` SDK makes itself, `replace`, `enrich` or `off`.
        propagate: patterns of the hosts that are told of the trace, in lower case, `self-hosted` among them.
        propagate_baggage: whether they are told of the baggage as well.
        semconv_stability_opt_in: the generation of the conventions, a key of `_generations.GENERATIONS`.
    """

    enabled: frozenset[str] = frozenset(PROVIDERS)
    capture_message_content: Capture = NO_CONTENT
    emit_event: bool | None = None
    host_providers: tuple[tuple[str, str], ...] = ()
    per_chunk_metric: bool = True
    allow_others: bool = False
    stream_usage: str = "off"
    anthropic_native_tracing: str = "replace"
    propagate: tuple[str, ...] = ()
    propagate_baggage: bool = False
    semconv_stability_opt_in: str = "default"

    @property
    def details(self) -> bool:
        """Whether the details event is emitted. An explicit `emit_event` wins over the capture mode."""
        return self.capture_message_content.event if self.emit_event is None else self.emit_event


def resolve(keywords: Mapping[str, Any]) -> Config:
    """Resolve the settings.

    Args:
        keywords: what `instrument()` was given; None counts as not given.

    Returns:
        The settings, each from its keyword, else its environment variable, else its default.
    """
    unknown = sorted(keywords.keys() - _READERS.keys())
    if unknown:
        say_once("Unknown settings of instrument(): %s. Accepted are: %s.", ", ".join(unknown), ", ".join(_READERS))
    chosen: dict[str, Any] = {}
    for setting in fields(Config):
        given = _given(setting.name, keywords)
        if given is not None:
            chosen[setting.name] = _value(setting.name, *given, setting.default)
    return Config(**chosen)


def _given(name: str, keywords: Mapping[str, Any]) -> tuple[str, Any] | None:
    """Where the setting `name` was spelled out and as what; None leaves the default."""
    if keywords.get(name) is not None:
        return name, keywords[name]
    variable = _VARIABLES.get(name, PREFIX + name.upper())
    text = os.environ.get(variable, "").strip()
    return (variable, text) if text else None


def _value(name: str, spelled: str, value: object, default: object) -> object:
    read, accepted = _READERS[name]
    try:
        return read(value)
    except (ValueError, TypeError, AttributeError, KeyError):
        say_once("%s=%r is not accepted. Accepted is: %s. The default applies.", spelled, value, accepted)
        return default


def _listed(value: Any) -> list[str]:
    """The entries of a comma-separated text, or of a collection of texts."""
    entries = value.split(",") if isinstance(value, str) else value
    return [entry.strip() for entry in entries if entry.strip()]


def _word(value: Any) -> str:
    return value.strip().lower() if isinstance(value, str) else str(value).lower()


def _enabled(value: Any) -> frozenset[str]:
    names = frozenset(name.lower() for name in _listed(value))
    if names and not names.intersection(PROVIDERS):
        raise ValueError
    for name in sorted(names.difference(PROVIDERS)):
        say_once(
            "%sENABLED: %r is no provider and is left out. Accepted is: %s.", PREFIX, name, _READERS["enabled"].accepted
        )
    return names.intersection(PROVIDERS)


def _capture(value: Any) -> Capture:
    return _CAPTURE_MODES[_word(value)]


def _boolean(value: Any) -> bool:
    return _BOOLEANS[_word(value)]


def _native_tracing(value: Any) -> str:
    return _NATIVE_TRACING[_NATIVE_TRACING.index(_word(value))]


def _stream_usage(value: Any) -> str:
    return _STREAM_USAGE[_STREAM_USAGE.index(_word(value))]


def _host_providers(value: Any) -> tuple[tuple[str, str], ...]:
    pairs = value.items() if hasattr(value, "items") else [entry.rsplit("=", 1) for entry in _listed(value)]
    declared = tuple((pattern.strip().lower(), provider.strip()) for pattern, provider in pairs)
    if not all(pattern and provider for pattern, provider in declared):
        raise ValueError
    return declared


def _propagate(value: Any) -> tuple[str, ...]:
    hosts = tuple(entry.lower() for entry in _listed(value))
    if hosts == ("off",):
        return ()
    if not hosts or not _NO_HOSTS.isdisjoint(hosts) or any(not set(" /=@").isdisjoint(host) for host in hosts):
        raise ValueError
    return hosts


def _semconv(value: Any) -> str:
    """The generation that a list asks for. What is of another domain (http, database) is not ours to judge."""
    ours = {entry.lower() for entry in _listed(value) if _NOT_A_LETTER.sub("", entry.lower()).startswith("genai")}
    chosen = [generation for generation in _GENERATIONS if generation in ours]
    if ours.difference(_GENERATIONS):
        raise ValueError
    return chosen[-1] if chosen else "default"


class _Reader(NamedTuple):
    read: Callable[[Any], Any]
    accepted: str


_READERS: dict[str, _Reader] = {
    "enabled": _Reader(_enabled, "a comma-separated list of " + ", ".join(PROVIDERS)),
    "capture_message_content": _Reader(_capture, ", ".join(_CAPTURE_MODES)),
    "emit_event": _Reader(_boolean, "true, false"),
    "host_providers": _Reader(_host_providers, "a comma-separated list of HOST[:PORT]=PROVIDER, where HOST may hold *"),
    "per_chunk_metric": _Reader(_boolean, "true, false"),
    "allow_others": _Reader(_boolean, "true, false"),
    "stream_usage": _Reader(_stream_usage, ", ".join(_STREAM_USAGE)),
    "anthropic_native_tracing": _Reader(_native_tracing, ", ".join(_NATIVE_TRACING)),
    "propagate": _Reader(
        _propagate, "off, self-hosted, or a comma-separated list of HOST[:PORT], where HOST may hold *"
    ),
    "propagate_baggage": _Reader(_boolean, "true, false"),
    "semconv_stability_opt_in": _Reader(_semconv, ", ".join(_GENERATIONS) + ", and values of other domains"),
}

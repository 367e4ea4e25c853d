"""The settings: a frozen `Config`, resolved at each `instrument()` from keywords, environment and defaults, in that order.

A value that cannot be read gets one warning that names the setting, the value and what is accepted; then the default applies.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

from ._capture import ACCEPTED, NO_CONTENT, Capture, capture_of
from ._guard import say_once

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._redaction import Redaction

PREFIX = "OTEL_INSTRUMENTATION_GENAI_"
# All of OpenTelemetry has this one: a list, in which each domain has words of its own.
_VARIABLES = {"semconv_stability_opt_in": "OTEL_SEMCONV_STABILITY_OPT_IN"}
PROVIDERS = ("openai", "anthropic", "ollama")


_NATIVE_TRACING = ("replace", "enrich", "off")
# What a host could be called, and nobody means by it.
_NO_HOSTS = frozenset({"off", "on", "true", "false", "yes", "no", "none", "all", "0", "1"})
_STREAM_USAGE = ("off", "inject")
# The stronger one last.
_GENERATIONS = ("gen_ai_latest_experimental", "gen_ai_latest_experimental/dup")
_NOT_A_LETTER = re.compile("[^a-z]")
_REFUSED: Any = object()
_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True)
class Config:
    """The settings of one instrumentor.

    Attributes:
        enabled: the providers to instrument.
        capture_message_content: where message content goes, and of which calls.
        capture_binary: whether inline images, sounds and files are told as such.
        content_budget: how many bytes of content are told of a call.
        content_part_budget: how many of one part; None leaves it to `content_budget`.
        redact: what is redacted.
        redactor: a callable of the user's that redacts a part, after what it is called.
        redact_timeout: how many seconds the user's own redaction may take for one call.
        refused: whether redaction was asked for in a way that is not understood, so that no content is captured.
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
    capture_binary: bool = False
    content_budget: int = 1 << 16
    content_part_budget: int | None = None
    redact: Redaction | None = None
    redactor: tuple[str, Callable[[Any], Any]] | None = None
    redact_timeout: float = 0.25
    refused: bool = False
    emit_event: bool | None = None
    host_providers: tuple[tuple[str, str], ...] = ()
    per_chunk_metric: bool = True
    allow_others: bool = False
    stream_usage: str = "off"
    anthropic_native_tracing: str = "replace"
    propagate: tuple[str, ...] = ()
    propagate_baggage: bool = False
    semconv_stability_opt_in: str = "default"


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
        given = _given(setting.name, keywords) if setting.name in _READERS else None
        if given is not None:
            chosen[setting.name] = _value(setting.name, *given, setting.default)
    if _REFUSED in chosen.values():
        chosen = {name: value for name, value in chosen.items() if value is not _REFUSED}
        chosen["refused"] = True
    return Config(**chosen)


def _given(name: str, keywords: Mapping[str, Any]) -> tuple[str, Any] | None:
    """Where the setting `name` was spelled out and as what; None leaves the default."""
    if keywords.get(name) is not None:
        return name, keywords[name]
    variable = _VARIABLES.get(name, PREFIX + name.upper())
    text = os.environ.get(variable, "").strip()
    return (variable, text) if text else None


def _value(name: str, spelled: str, value: object, default: object) -> object:
    read, accepted, refuses = _READERS[name]
    try:
        return read(value)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        if not refuses:
            say_once("%s=%r is not accepted. Accepted is: %s. The default applies.", spelled, value, accepted)
            return default
        # Who asks for redaction, and is not understood, would be told on without it.
        why = f" ({error})" if isinstance(error, RefusedError) else ""
        say_once("%s=%r is not accepted%s. Accepted is: %s. No content is captured.", spelled, value, why, accepted)
        return _REFUSED


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


def _bytes(value: Any) -> int:
    """A number of bytes, also with `KiB` or `MiB` after it."""
    number, unit = value, 1
    if isinstance(value, str):
        digits, unit_name = re.fullmatch(r"([0-9]{1,12})\s*(|[km]i?b?|b)", value.strip().lower()).groups()  # type: ignore[union-attr]
        number, unit = int(digits), {"k": 1 << 10, "m": 1 << 20}.get(unit_name[:1], 1)
    if type(number) is not int or number < 0:
        raise ValueError
    return number * unit


def _redact(value: Any) -> Redaction | None:
    # What is no word of ours is the name of an entry point, or a path.
    names = [name.lower() if name.lower() in _WORDS else name for name in _listed(value)]
    if not names or names == ["off"]:
        return None
    from ._redaction import redaction

    return redaction(names)


def _redactor(value: Any) -> tuple[str, Callable[[Any], Any]]:
    from ._redaction import named

    return named(value)


def _seconds(value: Any) -> float:
    seconds = float(value)
    if isinstance(value, bool) or not 0 < seconds < 3600:
        raise ValueError
    return seconds


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


class RefusedError(ValueError):
    """A value is not accepted; the message says why, and goes into the warning."""


class _Reader(NamedTuple):
    read: Callable[[Any], Any]
    accepted: str
    refuses: bool = False


_RULES = "private_key, jwt, aws_key, secrets, email, iban, credit_card, phone, ip"
_WORDS = frozenset({"off", "all", *_RULES.split(", ")})


_READERS: dict[str, _Reader] = {
    "enabled": _Reader(_enabled, "a comma-separated list of " + ", ".join(PROVIDERS)),
    "capture_message_content": _Reader(capture_of, ACCEPTED),
    "capture_binary": _Reader(_boolean, "true, false"),
    "content_budget": _Reader(_bytes, "a number of bytes, such as 65536 or 64KiB"),
    "content_part_budget": _Reader(_bytes, "a number of bytes, such as 65536 or 64KiB"),
    "redact": _Reader(
        _redact, f"off, all, or a comma-separated list of {_RULES}, file:PATH, and names of entry points", refuses=True
    ),
    "redactor": _Reader(
        _redactor, "a callable that takes a part and returns it or None, or the name of an entry point", refuses=True
    ),
    "redact_timeout": _Reader(_seconds, "a number of seconds above 0"),
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

"""The settings: a frozen `Config`, resolved at each `instrument()` from keywords, environment, file and defaults, in that order.

A value that cannot be read gets one warning that names the setting, the value and what is accepted; then the default applies.
Each setting is a field of `Config`, whose line in the docstring describes it in `docs/configuration.md` as well, and a row of
`_READERS`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, fields
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, NamedTuple

from ._capture import ACCEPTED, NO_CONTENT, Capture, capture_of
from ._entry_points import hook_of
from ._generations import GENERATIONS
from ._guard import say_once

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._entry_points import Hook
    from ._price_file import PriceFile
    from ._purpose import Rule
    from ._redaction import Redaction

PREFIX = "OTEL_INSTRUMENTATION_GENAI_"
# All of OpenTelemetry has this one: a list, in which each domain has words of its own.
_VARIABLES = {"semconv_stability_opt_in": "OTEL_SEMCONV_STABILITY_OPT_IN"}
PROVIDERS = ("openai", "anthropic", "ollama")
shared: dict[str, Any] = {}
"""The section of all providers, where the SDK of OpenTelemetry has handed it over."""

_NATIVE_TRACING = ("replace", "enrich", "off")
# What a host could be called, and nobody means by it.
_NO_HOSTS = frozenset({"off", "on", "true", "false", "yes", "no", "none", "all", "0", "1"})
_STREAM_USAGE = ("off", "inject")
_GENERATIONS = [name for name in GENERATIONS if name != "default"]
_METRICS = ("standard", "extended")
_PRICES = ("off", "billed", "genai-prices")
_UPLOAD_FORMATS = ("json", "jsonl")
_NOT_A_LETTER = re.compile("[^a-z]")
_USER_ID = ("pseudo", "raw")
_ENRICHERS = ("conversation.fingerprint", "llm.request.purpose")
_KEY_LENGTH = 16
# The arguments of `genai_context` as keys of baggage, and the attributes that they are told under.
_ARGUMENTS = {
    "conversation_id": "gen_ai.conversation.id",
    "prompt_name": "gen_ai.prompt.name",
    "prompt_version": "gen_ai.prompt.version",
}
_USERS = frozenset({"user_id", "user.id", "enduser.id", "enduser.pseudo.id"})
# A function in a module, as entry points are spelled.
_FUNCTION = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
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
        content_part_budget: how many bytes of one part; None leaves it to `content_budget`.
        redact: what is redacted.
        redactor: the user's own callable that redacts a part, after what it is called.
        redact_timeout: how many seconds the user's own redaction may take for one call.
        refused: whether redaction was asked for in a way that is not understood, so that no content is captured.
        emit_event: whether the details event is emitted; None leaves it to `capture_message_content`.
        host_providers: who answers at the user's own hosts: (host pattern, provider) pairs, of which the first that fits counts.
        per_chunk_metric: whether the time per output chunk is recorded.
        allow_others: whether to instrument an SDK that another instrumentation has wrapped already.
        stream_usage: whether the usage of streams is asked for where the caller did not.
        anthropic_native_tracing: what becomes of the spans that the `anthropic` SDK makes itself.
        propagate: which hosts are told of the trace, as patterns in lower case.
        propagate_baggage: whether they are told of the baggage as well.
        semconv_stability_opt_in: the generation of the conventions.
        user_id: how a user's id is told, `pseudo` or `raw`.
        user_id_key: the secret that pseudonyms and fingerprints are made with.
        baggage: (key, attribute or None for the key's own, whether it names a user) of the baggage that is told.
        enrichers: the attributes that are made of a request's first messages.
        purpose: what tells the purpose of a request: rules, a callable, or where one is, as `module:function`.
        request_hook: the user's callable, or where it is, as `module:function`.
        response_hook: likewise.
        metrics: which metrics there are, `standard` or `extended`.
        prices: where the cost of calls comes from, in the order of asking: `billed`, `genai-prices`, or prices of the user's.
        completion_hook: what is given the content of each call, and what makes it.
        completion_hook_queue_size: how many completions may wait for it.
        completion_hook_flush_timeout: how many seconds are waited for it at exit and at `uninstrument()`.
        upload_base_path: where the hook `upload` uploads to, a path or URL of `fsspec`.
        upload_format: of the files, `json` or `jsonl`.
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
    user_id: str = "pseudo"
    user_id_key: bytes | None = field(default=None, repr=False)
    baggage: tuple[tuple[str, str | None, bool], ...] = ()
    enrichers: frozenset[str] = frozenset()
    purpose: tuple[Rule, ...] | Callable[[Any], Any] | str = ()
    request_hook: Callable[[Any, Any], Any] | str | None = None
    response_hook: Callable[[Any, Any, Any], Any] | str | None = None
    metrics: str = "standard"
    prices: tuple[str | PriceFile, ...] = ()
    completion_hook: Hook | None = None
    completion_hook_queue_size: int = 1000
    completion_hook_flush_timeout: float = 10.0
    upload_base_path: str | None = None
    upload_format: str = "json"


def resolve(keywords: Mapping[str, Any], sdk: str = "", handed: Mapping[str, Any] | None = None) -> Config:
    """Resolve the settings.

    Args:
        keywords: what `instrument()` was given; None counts as not given.
        sdk: the SDK that is instrumented.
        handed: the section of a declarative file that the SDK of OpenTelemetry handed over.

    Returns:
        The settings, each from its keyword, else its environment variable, else the declarative file, else its default.
    """
    unknown = sorted(keywords.keys() - _READERS.keys())
    if unknown:
        say_once("Unknown settings of instrument(): %s. Accepted are: %s.", ", ".join(unknown), ", ".join(_READERS))
    declared = _declared(sdk, handed)
    chosen: dict[str, Any] = {"refused": True} if declared is None else {}
    for setting in fields(Config):
        given = _given(setting.name, keywords, declared or {}) if setting.name in _READERS else None
        if given is not None:
            chosen[setting.name] = _value(setting.name, *given, setting.default)
    if _REFUSED in chosen.values():
        chosen = {name: value for name, value in chosen.items() if value is not _REFUSED}
        chosen["refused"] = True
    return Config(**chosen)


def _declared(sdk: str, handed: Mapping[str, Any] | None) -> Mapping[str, tuple[str, Any]] | None:
    """What the declarative file says, by setting, and where; None if there is one that cannot be read."""
    if not (handed or shared or os.environ.get("OTEL_CONFIG_FILE")):
        return {}
    from ._config_file import declared

    return declared(sdk, {"genai": shared, f"genai_{sdk}": handed}, _READERS)


def takes_off(name: str) -> bool:
    """Whether a setting has `off` among its values, for which YAML and Python say False."""
    return "off" in _READERS[name].accepted.split(", ")


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return _VARIABLES.get(name, PREFIX + name.upper())


def _given(name: str, keywords: Mapping[str, Any], declared: Mapping[str, tuple[str, Any]]) -> tuple[str, Any] | None:
    """Where the setting `name` was spelled out and as what; None leaves the default."""
    if keywords.get(name) is not None:
        return name, keywords[name]
    text = os.environ.get(variable(name), "").strip()
    return (variable(name), text) if text else declared.get(name)


def _value(name: str, spelled: str, value: object, default: object) -> object:
    read, accepted, refuses, secret = _READERS[name]
    try:
        return read("off" if value is False and takes_off(name) else value)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        if secret:
            say_once("%s is not accepted as it is. Accepted is: %s. The default applies.", spelled, accepted)
            return default
        why = f" ({error})" if isinstance(error, RefusedError) else ""
        if not refuses:
            say_once("%s=%r is not accepted%s. Accepted is: %s. The default applies.", spelled, value, why, accepted)
            return default
        # Who asks for redaction, and is not understood, would be told on without it.
        say_once("%s=%r is not accepted%s. Accepted is: %s. No content is captured.", spelled, value, why, accepted)
        return _REFUSED


def _listed(value: Any) -> list[str]:
    """The entries of a comma-separated text, or of a collection of texts."""
    entries = value.split(",") if isinstance(value, str) else value
    return [entry.strip() for entry in entries if entry.strip()]


def _word(value: Any) -> str:
    return value.strip().lower() if isinstance(value, str) else str(value).lower()


def _enabled(value: Any) -> frozenset[str]:
    if _word(value) in _BOOLEANS:
        return frozenset(PROVIDERS if _boolean(value) else ())
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


def _whole(value: Any) -> int:
    number = int(value)
    if isinstance(value, (bool, float)) or number < 1:
        raise ValueError
    return number


def _path(value: Any) -> str:
    return os.fspath(value)  # type: ignore[no-any-return] # what is no path raises TypeError


def _upload_format(value: Any) -> str:
    return _UPLOAD_FORMATS[_UPLOAD_FORMATS.index(_word(value))]


def _completion_hook(value: Any) -> Hook | None:
    try:
        return hook_of(value)
    except (LookupError, TypeError) as error:
        raise RefusedError(*error.args) from None


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


def _semconv_of_domain(
    *, version: int | None = None, experimental: bool | None = None, dual_emit: bool | None = None
) -> str:
    """The generation that the declarative file asks for in `general.gen_ai.semconv`. There is no stable version yet."""
    if not {version.__class__} <= {int, type(None)} or not {experimental, dual_emit} <= {True, False, None}:
        raise TypeError
    return _GENERATIONS[bool(dual_emit)] if experimental else "default"


def _semconv(value: Any) -> str:
    """The generation that a list asks for. What is of another domain (http, database) is not ours to judge."""
    if hasattr(value, "items"):
        return _semconv_of_domain(**value)
    ours = {entry.lower() for entry in _listed(value) if _NOT_A_LETTER.sub("", entry.lower()).startswith("genai")}
    chosen = [generation for generation in _GENERATIONS if generation in ours]
    if ours.difference(_GENERATIONS):
        raise ValueError
    return chosen[-1] if chosen else "default"


def _user_id(value: Any) -> str:
    return _USER_ID[_USER_ID.index(_word(value))]


def _user_id_key(value: Any) -> bytes:
    key: bytes = value.strip().encode() if isinstance(value, str) else bytes(memoryview(value))
    if len(key) < _KEY_LENGTH:
        raise ValueError
    return key


def _baggage(value: Any) -> tuple[tuple[str, str | None, bool], ...]:
    pairs = value.items() if hasattr(value, "items") else [entry.partition("=")[::2] for entry in _listed(value)]
    entries = tuple((key.strip(), attribute.strip()) for key, attribute in pairs)
    if entries == (("off", ""),):
        return ()
    if not all(key and set(" *").isdisjoint(key + attribute) for key, attribute in entries):
        raise ValueError
    return tuple(_entry(key, attribute) for key, attribute in entries)


def _entry(key: str, attribute: str) -> tuple[str, str | None, bool]:
    attribute = _ARGUMENTS.get(attribute or key, attribute)
    if attribute in _USERS or (not attribute and key in _USERS):
        return key, None, True
    return key, attribute or None, key in _USERS


def _enrichers(value: Any) -> frozenset[str]:
    names = frozenset(name.lower() for name in _listed(value))
    if len(names) == 1 and names <= {"off", "all"}:
        return frozenset(_ENRICHERS if "all" in names else ())
    if not names or not names.issubset(_ENRICHERS):
        raise ValueError
    return names


def _purpose(value: Any) -> tuple[Rule, ...] | Callable[[Any], Any] | str:
    if callable(value) or (isinstance(value, str) and not value.startswith("file:")):
        return _hook(value)
    from ._purpose import rules

    return rules(value)


def _hook(value: Any) -> Callable[..., Any] | str:
    """A callable, or where it is: it is looked for at the first call, when the application's modules can be imported."""
    if isinstance(value, str):
        if not _FUNCTION.fullmatch(value.strip()):
            raise ValueError
        return value.strip()
    if not callable(value):
        raise RefusedError("it cannot be called")
    if iscoroutinefunction(value):
        raise RefusedError("it is asynchronous")
    hook: Callable[..., Any] = value
    return hook


def _metrics(value: Any) -> str:
    return _METRICS[_METRICS.index(_word(value))]


def _prices(value: Any) -> tuple[str | PriceFile, ...]:
    """The sources in order. What a provider bills is the truth, so it comes first unless it has another place."""
    sources: list[str | PriceFile] = []
    for entry in _listed(value):
        if entry.startswith("file:"):
            from ._price_file import BadPricesError, PriceFile

            try:
                sources.append(PriceFile(entry.removeprefix("file:")))
            except BadPricesError as error:
                raise RefusedError(str(error)) from error
        else:
            sources.append(_PRICES[_PRICES.index(_word(entry))])
    if "off" in sources:
        if sources != ["off"]:
            raise ValueError
        return ()
    return tuple(sources) if "billed" in sources or not sources else ("billed", *sources)


class RefusedError(ValueError):
    """A value is not accepted; the message says why, and goes into the warning."""


class _Reader(NamedTuple):
    """How a setting is read, wherever it was spelled.

    Attributes:
        read: makes the field's value of a text, or of what a keyword or the file may have in its place.
        accepted: what is accepted, in words for users.
        refuses: whether no content is captured where it is not understood.
        secret: whether no message may tell its value.
    """

    read: Callable[[Any], Any]
    accepted: str
    refuses: bool = False
    secret: bool = False


_RULES = "private_key, jwt, aws_key, secrets, email, iban, credit_card, phone, ip"
_WORDS = frozenset({"off", "all", *_RULES.split(", ")})


_READERS: dict[str, _Reader] = {
    "enabled": _Reader(_enabled, "true, false, or a comma-separated list of " + ", ".join(PROVIDERS)),
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
    "metrics": _Reader(_metrics, ", ".join(_METRICS)),
    "prices": _Reader(_prices, "off, or a comma-separated list of billed, genai-prices and file:PATH"),
    "completion_hook": _Reader(
        _completion_hook,
        "off, a callable that takes a completion, a hook of the ecosystem, or the name of an entry point",
    ),
    "completion_hook_queue_size": _Reader(_whole, "a whole number from 1"),
    "completion_hook_flush_timeout": _Reader(_seconds, "a number of seconds above 0"),
    "upload_base_path": _Reader(_path, "a path or URL that fsspec knows"),
    "upload_format": _Reader(_upload_format, ", ".join(_UPLOAD_FORMATS)),
    "semconv_stability_opt_in": _Reader(_semconv, ", ".join(_GENERATIONS) + ", and values of other domains"),
    "user_id": _Reader(_user_id, ", ".join(_USER_ID)),
    "user_id_key": _Reader(_user_id_key, f"a secret of at least {_KEY_LENGTH} characters", secret=True),
    "baggage": _Reader(_baggage, "off, or a comma-separated list of KEY and KEY=ATTRIBUTE"),
    "enrichers": _Reader(_enrichers, "off, all, or a comma-separated list of " + ", ".join(_ENRICHERS)),
    "purpose": _Reader(_purpose, "file:PATH with rules in JSON, a callable, or MODULE:FUNCTION"),
    "request_hook": _Reader(_hook, "a callable that is not asynchronous, or MODULE:FUNCTION"),
    "response_hook": _Reader(_hook, "a callable that is not asynchronous, or MODULE:FUNCTION"),
}

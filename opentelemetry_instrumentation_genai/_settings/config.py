"""The settings: a frozen `Config`, resolved at each `instrument()` from keywords, environment, file and defaults, in that order.

For a value that cannot be read, one warning is logged: where it was set, the value, what is accepted, and which default applies
to which SDK.
Each setting is a field of `Config` and a row of `readers.READERS`. Its line in the docstring of `Config` also describes it in
`docs/configuration.md`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from .._conventions.capture_modes import NO_CONTENT, Capture
from .._conventions.sdks import INSTRUMENTED
from .._runtime.errors import PartlyError, RefusedError
from .._runtime.guard import warn_once
from .readers import FILE, PREFIX, READERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .._adapter.parts import Part
    from .._application.hooks import GenAIRequest, RequestHook, ResponseHook
    from .._application.purpose import Rule
    from .._content.completion_hook.entry_points import Hook
    from .._content.redaction import Redaction
    from .._cost.price_file import PriceFile

# This variable is shared by all of OpenTelemetry: a list, in which each domain has its own values.
_VARIABLES = {"semconv_stability_opt_in": "OTEL_SEMCONV_STABILITY_OPT_IN"}
shared: dict[str, object] = {}
"""The section of all providers, if OpenTelemetry's SDK has passed it on."""

_REFUSED = object()
# Defaults that are spelled differently from the default of their field, or that depend on another setting.
_DEFAULTS = {
    "enabled": "true",
    "capture_message_content": "no_content",
    "content_part_budget": "content_budget",
    "emit_event": "by the capture mode",
}


@dataclass(frozen=True)
class Config:
    """The settings of one instrumentor.

    Attributes:
        enabled: the providers to instrument.
        capture_message_content: where message content goes, and of which calls.
        capture_binary: whether the bytes of inline images, sounds and files are recorded.
        content_budget: how many bytes of content are recorded of a call.
        content_part_budget: how many bytes of content are recorded of one part.
        redact: what is redacted in content.
        redactor: your own callable that redacts content, part by part.
        redact_timeout: how many seconds patterns and callables of your own may take to redact one call.
        refused: whether a redaction setting could not be read, so that no content is captured.
        emit_event: whether the details event is emitted.
        host_providers: the providers at your own hosts; the first pattern that fits counts.
        per_chunk_metric: whether the time per output chunk is recorded.
        allow_others: whether calls that another instrumentation of the SDK reports are reported here as well.
        stream_usage: whether the usage of streams is requested where the caller does not request it.
        anthropic_native_tracing: what becomes of the spans that the `anthropic` SDK makes itself.
        propagate: which hosts receive the trace context.
        propagate_baggage: whether these hosts receive the baggage as well.
        semconv_stability_opt_in: the generation of the conventions.
        user_id: how a user's id is recorded, `pseudo` or `raw`.
        user_id_key: the secret that pseudonyms and fingerprints are made with.
        baggage: the keys of the baggage that are recorded, each under its own attribute or the one given.
        metric_attributes: the tags and entries of baggage that metrics have as well.
        metric_attribute_values: how many different values of each metrics have; further ones are recorded as `other`.
        enrichers: the attributes that are made of a request's first messages.
        purpose: what determines the purpose of a request: rules, a callable, or where one is, as `module:function`.
        request_hook: your own callable that is given each request, or where it is, as `module:function`.
        response_hook: your own callable that is given each response, or where it is, as `module:function`.
        metrics: which metrics there are, `standard` or `extended`.
        prices: where the cost of calls comes from, in order of precedence: `billed`, `genai-prices`, or prices of your own.
        completion_hook: what is given the content of each call that has ended.
        completion_hook_queue_size: how many completions may wait for the completion hook.
        completion_hook_flush_timeout: how many seconds are waited for the completion hook at exit and at `uninstrument()`.
        upload_base_path: where the hook `upload` uploads to, a path or URL of `fsspec`.
        upload_format: the format of the uploaded files, `json` or `jsonl`.
    """

    enabled: frozenset[str] = frozenset(INSTRUMENTED)
    capture_message_content: Capture = NO_CONTENT
    capture_binary: bool = False
    content_budget: int = 1 << 16
    content_part_budget: int | None = None  # None leaves it to `content_budget`
    redact: Redaction | None = None
    redactor: tuple[str, Callable[[Part], object]] | None = None  # after what messages call it
    redact_timeout: float = 0.25
    refused: bool = False
    emit_event: bool | None = None  # None leaves it to `capture_message_content`
    host_providers: tuple[tuple[str, str], ...] = ()  # host pattern, provider
    per_chunk_metric: bool = True
    allow_others: bool = False
    stream_usage: str = "off"
    anthropic_native_tracing: str = "replace"
    propagate: tuple[str, ...] = ()  # host patterns in lower case
    propagate_baggage: bool = False
    semconv_stability_opt_in: str = "default"
    user_id: str = "pseudo"
    user_id_key: bytes | None = field(default=None, repr=False)
    # Key, attribute or None for the key's own, whether it names a user.
    baggage: tuple[tuple[str, str | None, bool], ...] = ()
    metric_attributes: tuple[str, ...] = ()
    metric_attribute_values: int = 100
    enrichers: frozenset[str] = frozenset()
    purpose: tuple[Rule, ...] | Callable[[GenAIRequest], object] | str = ()
    request_hook: RequestHook | str | None = None
    response_hook: ResponseHook | str | None = None
    metrics: str = "standard"
    prices: tuple[str | PriceFile, ...] = ()
    completion_hook: Hook | None = None
    completion_hook_queue_size: int = 1000
    completion_hook_flush_timeout: float = 10.0
    upload_base_path: str | None = field(default=None, repr=False)
    upload_format: str = "json"


def resolve(keywords: Mapping[str, object], sdk: str = "", section: Mapping[str, object] | None = None) -> Config:
    """Resolve the settings.

    Args:
        keywords: the keywords of `instrument()`; None counts as not given.
        sdk: the SDK that is instrumented.
        section: the section of a declarative file that OpenTelemetry's SDK passed on.

    Returns:
        The settings, each from its keyword, else its environment variable, else the declarative file, else its default.
    """
    unknown = sorted(keywords.keys() - READERS.keys())
    if unknown:
        from .._masking.masking import masked

        names = masked(", ".join(unknown))
        warn_once("Unknown settings of instrument(): %s. Accepted are: %s.", names, ", ".join(READERS))
    present = [name for name in os.environ if name.startswith("OTEL_")]
    if any(name.startswith(PREFIX) and name not in _NAMES for name in present):
        from .misspelled import warn_of_misspelled

        warn_of_misspelled(PREFIX, _NAMES, present)
    declared = declared_settings(sdk, section)
    in_environment = (_NAMES[name] for name in present if name in _NAMES)
    somewhere = READERS.keys() & {*keywords, *(declared or ()), *in_environment}
    chosen: dict[str, Any] = {"refused": True} if declared is None else {}
    for setting in _FIELDS:
        found = given(setting.name, keywords, declared or {}) if setting.name in somewhere else None
        if found is not None:
            chosen[setting.name] = _value(setting.name, *found, setting.default, sdk)
    if _REFUSED in chosen.values():
        chosen = {name: value for name, value in chosen.items() if value is not _REFUSED}
        chosen["refused"] = True
    return Config(**chosen) if chosen else _UNSET


def declared_settings(
    sdk: str = "", section: Mapping[str, object] | None = None
) -> Mapping[str, tuple[str, object]] | None:
    """Return what the declarative file has.

    Args:
        sdk: the SDK; its own section counts as well.
        section: the section of a declarative file that OpenTelemetry's SDK passed on.

    Returns:
        By setting, its place in the file and its value; None if there is a file that cannot be read.
    """
    if not (section or shared or os.environ.get(FILE)):
        return {}
    from .config_file import declared

    return declared(sdk, {"genai": shared, f"genai_{sdk}": section}, READERS)


def accepts_off(name: str) -> bool:
    """Return whether a setting accepts `off`, which may be given as False in YAML and Python."""
    return "off" in READERS[name].accepted.split(", ")


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return _VARIABLES.get(name, PREFIX + name.upper())


_NAMES = {variable(name): name for name in READERS}
_FIELDS = fields(Config)
_UNSET = Config()


def given(
    name: str, keywords: Mapping[str, object], declared: Mapping[str, tuple[str, object]]
) -> tuple[str, object] | None:
    """Return where the setting `name` was set, and its value; None where the default applies."""
    if keywords.get(name) is not None:
        return name, keywords[name]
    text = os.environ.get(variable(name), "").strip()
    return (variable(name), text) if text else declared.get(name)


def default_of(name: str) -> str:
    """Return the default of a setting as a user would spell it; `none` where it has none."""
    if name in _DEFAULTS:
        return _DEFAULTS[name]
    value = getattr(Config, name, None)
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or value in ((), frozenset()):
        return "off" if accepts_off(name) else "none"
    return str(value)


def _value(name: str, spelled: str, value: object, default: object, sdk: str) -> object:
    read, _, refuses, secret = READERS[name]
    try:
        return read("off" if value is False and accepts_off(name) else value)
    except PartlyError as error:
        _warn_partly_refused(name, spelled, error.left_out, _concerned(name, spelled, sdk))
        return error.value
    except Exception as error:  # noqa: BLE001 - no value of a user's may stop the application
        why = f" ({error})" if isinstance(error, RefusedError) else ""
        _warn_refused(
            name, spelled, " as it is" if secret else why, None if secret else value, _concerned(name, spelled, sdk)
        )
        return _REFUSED if refuses else default


def _concerned(name: str, spelled: str, sdk: str) -> str:
    """Return the SDK that a setting is for: that of a keyword or of its own section; a variable and the shared section: all."""
    return sdk if sdk and (spelled == name or f".genai_{sdk}." in spelled) else "all SDKs"


def _warn_refused(name: str, spelled: str, why: str, value: object, concerned: str) -> None:
    """Log a warning that a value is not accepted. Keys in the value and the reason are masked: one may be in the wrong place.

    Args:
        name: the setting.
        spelled: where the user has set it.
        why: the reason, with a space before it.
        value: the value; None for a secret, which no message may quote.
        concerned: the SDK that the setting is for.
    """
    from .._masking.masking import masked, quoted

    # If a redaction setting is not understood, content would be recorded without the redaction that the user wants.
    otherwise = "no content is captured" if READERS[name].refuses else f"the default applies: {default_of(name)}"
    what = spelled if value is None else f"{spelled}={quoted(value)}"
    warn_once(
        "%s is not accepted%s. Accepted is: %s. For %s %s.",
        what,
        masked(why),
        READERS[name].accepted,
        concerned,
        otherwise,
    )


def warn_of_missing(name: str, value: str, why: str) -> None:
    """Log a warning that the function that a setting names does not exist."""
    spelled = variable(name)
    # A keyword and a member of the file have the setting's own name.
    where = spelled if os.environ.get(spelled, "").strip() == value else name
    _warn_refused(name, where, f" ({why})", value, "all SDKs")


def _warn_partly_refused(name: str, spelled: str, left_out: str, concerned: str) -> None:
    """Log a warning that a part of a value is not accepted, and that the rest of it applies."""
    from .._masking.masking import quoted

    warn_once(
        "%s: %s is not accepted, and is left out for %s. Accepted is: %s.",
        spelled,
        quoted(left_out),
        concerned,
        READERS[name].accepted,
    )

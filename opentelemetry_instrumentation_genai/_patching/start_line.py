"""The line that is logged at INFO when an SDK has been patched: where its spans go, and whether content is recorded.

It is made only where that level is logged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import trace

from .._masking.origin import origin
from .._runtime.guard import log_info
from .._signals.destinations import is_disabled, is_empty

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

    from .._settings.config import Config

_NOWHERE = (
    "nothing is exported, since no tracer provider is set so far: start the application by opentelemetry-instrument, "
    "or set up OpenTelemetry's SDK in code"
)


def log_start(sdk: str, version: str, config: Config, given: TracerProvider | None) -> None:
    """Log that an SDK is instrumented.

    Args:
        sdk: its name.
        version: the version that is patched.
        config: its settings.
        given: the tracer provider that `instrument()` was given; None for the global one.
    """
    log_info("%s %s is instrumented; %s; %s.", sdk, version, _destination(given), _content(config))


def _destination(given: TracerProvider | None) -> str:
    """Return where spans go, as far as that can be seen now."""
    if is_disabled():
        return "nothing is recorded, since OTEL_SDK_DISABLED is true"
    provider: Any = given or trace.get_tracer_provider()
    if is_empty(provider):
        return _NOWHERE
    processors = getattr(getattr(provider, "_active_span_processor", None), "_span_processors", None)
    if processors is None:
        return f"spans go to {type(provider).__name__}"
    exporters = [exporter for each in processors if (exporter := getattr(each, "span_exporter", None)) is not None]
    if not exporters:
        return (
            "the tracer provider has no exporter so far"
            if not processors
            else "spans go to processors of the application"
        )
    return "spans go to " + ", ".join(map(_exporter, exporters))


def _exporter(exporter: object) -> str:
    """Return the name of an exporter, with scheme, host and port of its endpoint if it has one: the rest may be a credential."""
    endpoint = getattr(exporter, "_endpoint", None)
    name = type(exporter).__name__
    return f"{name} at {origin(endpoint)}" if isinstance(endpoint, str) else name


def _content(config: Config) -> str:
    capture = config.capture_message_content
    if config.refused or not (capture.span or capture.event):
        return "prompts are not recorded"
    where = " and ".join(name for name, there in (("on spans", capture.span), ("in events", capture.event)) if there)
    redacted = config.redact is not None or config.redactor is not None
    return f"prompts are recorded {where}, {'after' if redacted else 'without'} redaction"

"""The environment of an application that `opentelemetry-genai run` starts."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ..._conventions.capture_modes import capture_of
from ..console.exporter import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_EXPORTER = "genai_console"
_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
_CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_PRICES = "OTEL_INSTRUMENTATION_GENAI_PRICES"
_CONFIG_FILES = ("OTEL_CONFIG_FILE", "OTEL_EXPERIMENTAL_CONFIG_FILE")


def environment_of(
    given: Mapping[str, str], *, folder: str, content: bool = False, service: str | None = None
) -> dict[str, str]:
    """Return the variables of the application: those of the user, and what is missing to see its calls at once.

    Args:
        given: the variables of the user.
        folder: where the processes of the application leave their counts.
        content: whether messages are wanted.
        service: the name of the service, if it is chosen here.
    """
    environment = {
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_METRICS_EXPORTER": _exporter_of(given, "METRICS"),
        "OTEL_LOGS_EXPORTER": _exporter_of(given, "LOGS"),
        **given,
        "OTEL_TRACES_EXPORTER": _traces_exporters(given),
        # What is installed beside the command is meant, as in an environment that is active.
        "PATH": os.pathsep.join(filter(None, (str(Path(sys.executable).parent), given.get("PATH")))),
        FOLDER: folder,
    }
    if service:
        environment["OTEL_SERVICE_NAME"] = service
    if content:
        environment[_CAPTURE] = _with_spans(given.get(_CAPTURE, ""))
    if find_spec("genai_prices") is not None:
        environment.setdefault(_PRICES, "genai-prices")
    return environment


def _exporter_of(given: Mapping[str, str], signal: str) -> str:
    """Return the exporter of a signal for which the user chose none: without an endpoint it would fail to connect, again and again."""
    return "otlp" if _has_endpoint(given, signal) else "none"


def _has_endpoint(given: Mapping[str, str], signal: str) -> bool:
    return any(given.get(name) for name in (_ENDPOINT, f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"))


def _traces_exporters(given: Mapping[str, str]) -> str:
    """Return the exporters that the user chose, and ours."""
    chosen = given.get("OTEL_TRACES_EXPORTER") or ("otlp" if _has_endpoint(given, "TRACES") else "")
    names = [name for word in chosen.split(",") if (name := word.strip()) and name != "none"]
    return ",".join(dict.fromkeys([*names, _EXPORTER]))


def _with_spans(mode: str) -> str:
    """Return a mode of capture by which spans have the messages, and events too if they had them."""
    try:
        capture = capture_of(mode)
    except ValueError:
        return "span_only"
    if capture.span and not capture.failed and capture.share == 1:
        return mode
    return "span_and_event" if capture.event and not capture.failed and capture.share == 1 else "span_only"


def shows_messages(environment: Mapping[str, str]) -> bool:
    """Return whether any messages are captured on spans."""
    try:
        return capture_of(environment.get(_CAPTURE, "no_content")).span
    except ValueError:
        return False


def hindrances(environment: Mapping[str, str]) -> Iterator[str]:
    """Return what of the environment makes that nothing is shown, a sentence each."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        yield "OTEL_SDK_DISABLED=true switches OpenTelemetry off: unset it."
    for name in _CONFIG_FILES:
        if environment.get(name):
            yield f"{name} is set, so that OpenTelemetry takes its exporters from that file: unset it for this command."
    if environment.get("OTEL_TRACES_SAMPLER", "").endswith("always_off"):
        yield "OTEL_TRACES_SAMPLER samples no trace: unset it for this command."

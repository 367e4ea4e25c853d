"""OpenTelemetry itself: the SDK, the exporters and the sampler that the variables choose, and the limits of attributes."""

from __future__ import annotations

import os
from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from ..._settings.config import variable
from ..._settings.config_file import BrokenFileError, read_file
from ..._settings.readers import FILE, PREFIX, READERS
from . import targets
from .finding import found, shown_url
from .installed import names_of, version_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .finding import Finding
    from .targets import Target

_NEAR = 0.85
_ATTRIBUTES = 64  # a span of ours with everything has fewer
_SAMPLERS = {
    "always_on",
    "always_off",
    "parentbased_always_on",
    "parentbased_always_off",
    "traceidratio",
    "parentbased_traceidratio",
}
_LENGTHS = (
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT",
)
_COUNTS = ("OTEL_ATTRIBUTE_COUNT_LIMIT", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT")


class Telemetry:
    """What the environment says of OpenTelemetry.

    Attributes:
        findings: what was found.
        targets: where signals are sent by OTLP.
        logs: whether logs, and so events, are exported.
    """

    def __init__(self) -> None:
        self.targets: list[Target] = []
        self.logs: bool = False
        every = [*_sdk(), *self._exporters(), *_service(), *_sampler(), *_limits(), *_misspelled()]
        self.findings: list[Finding] = list(
            {finding.what: finding for finding in every}.values()
        )  # one variable may count for three signals

    def _exporters(self) -> Iterator[Finding]:
        path = os.environ.get(FILE, "").strip()
        if path:
            yield from self._file(path)
            return
        names = {signal: targets.exporters(signal) for signal in targets.SIGNALS}
        self.logs = bool(names["logs"])
        if not any(names.values()):
            yield found("exporter.nothing")
            return
        for signal, chosen in names.items():
            if not chosen:
                name = f"OTEL_{targets.SIGNALS[signal]}_EXPORTER"
                why = f"{name} is {os.environ.get(name, '').strip() or 'not set'}"
                yield found("exporter.none", signal=signal.capitalize(), variable=name, why=why)
            for exporter in chosen:
                yield from self._exporter(signal, exporter)

    def _exporter(self, signal: str, name: str) -> Iterator[Finding]:
        known = names_of(f"opentelemetry_{signal}_exporter")
        if name not in ("otlp", "otlp_proto_grpc", "otlp_proto_http"):
            if name in known:
                yield found("exporter.other", signal=signal.capitalize(), name=name)
            else:
                where = f"OTEL_{targets.SIGNALS[signal]}_EXPORTER"
                yield found("exporter.unknown", variable=where, name=name, known=", ".join([*known, "none"]))
            return
        given_by, spoken = targets.protocol(signal, name)
        if spoken not in targets.PROTOCOLS:
            yield found("protocol.unknown", variable=given_by, value=spoken)
        elif f"otlp_proto_{targets.PROTOCOLS[spoken]}" not in known:
            yield found("exporter.missing", protocol=spoken)
        else:
            yield self._sent(targets.target(signal, spoken))

    def _sent(self, target: Target) -> Finding:
        self.targets.append(target)
        return found(
            "exporter.otlp", signal=target.signal.capitalize(), protocol=target.protocol, url=shown_url(target.url)
        )

    def _file(self, path: str) -> Iterator[Finding]:
        if not version_of("opentelemetry-configuration"):
            yield found("opentelemetry.file_package", path=path)
            return
        try:
            tree: Any = read_file(path)
        except BrokenFileError as error:
            yield found("opentelemetry.file_broken", path=path, why=error)
            return
        except OSError as error:
            yield found("opentelemetry.file_broken", path=path, why=error.strerror)
            return
        yield found("opentelemetry.file", path=path)
        sent = list(targets.in_file(tree))
        self.logs = any((each.signal if isinstance(each, targets.Target) else each[0]) == "logs" for each in sent)
        if not sent:
            yield found("exporter.nothing")
        for each in sent:
            if isinstance(each, targets.Target):
                yield self._sent(each)
            else:
                yield found("exporter.other", signal=each[0].capitalize(), name=each[1])


def _sdk() -> Iterator[Finding]:
    versions = {name: version_of(f"opentelemetry-{name}") for name in ("sdk", "instrumentation", "distro")}
    if not versions["sdk"] or not names_of("opentelemetry_configurator"):
        missing = "opentelemetry-sdk" if not versions["sdk"] else "opentelemetry-distro"
        yield found("opentelemetry.no_sdk", missing=missing)
    else:
        yield found("opentelemetry.versions", **{name: each or "not installed" for name, each in versions.items()})
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        yield found("opentelemetry.disabled")


def _service() -> Iterator[Finding]:
    if os.environ.get(FILE, "").strip():  # which has the resource, too
        return
    name = os.environ.get("OTEL_SERVICE_NAME", "").strip()
    for entry in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(","):
        key, _, value = entry.partition("=")
        name = name or (value.strip() if key.strip() == "service.name" else "")
    yield found("service.name", name=name) if name else found("service.unnamed")


def _sampler() -> Iterator[Finding]:
    value = os.environ.get("OTEL_TRACES_SAMPLER", "").strip().lower()
    if not value or os.environ.get(FILE, "").strip():
        return
    known = _SAMPLERS.union(names_of("opentelemetry_traces_sampler"))
    if value not in known:
        yield found("sampler.unknown", value=value, known=", ".join(sorted(known)))
    elif value.endswith("always_off"):
        yield found("sampler.off", variable="OTEL_TRACES_SAMPLER", value=value)
    elif value.endswith("traceidratio"):
        argument = os.environ.get("OTEL_TRACES_SAMPLER_ARG", "").strip()
        share = _number(argument)
        if share == 0:
            yield found("sampler.off", variable="OTEL_TRACES_SAMPLER_ARG", value=argument)
        elif share is not None and share < 1:
            yield found("sampler.share", value=value, share=argument)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _limits() -> Iterator[Finding]:
    for name in _LENGTHS:
        value = os.environ.get(name, "").strip()
        if value.isdecimal():
            yield found("limit.length", variable=name, value=value)
    for name in _COUNTS:
        value = os.environ.get(name, "").strip()
        if value.isdecimal() and int(value) < _ATTRIBUTES:
            yield found("limit.count", variable=name, value=value, most=_ATTRIBUTES)


def _misspelled() -> Iterator[Finding]:
    """Yield the variables of OpenTelemetry with a name that is nearly a known one. Ours are looked at with the settings."""
    known = _known() | {variable(name) for name in READERS}
    for name in sorted(os.environ):
        if not name.startswith("OTEL_") or name.startswith(PREFIX) or name in known:
            continue
        nearest = get_close_matches(name.upper(), known, n=1, cutoff=_NEAR)
        if nearest:
            yield found("variable.misspelled", name=name, nearest=nearest[0])


def _known() -> set[str]:
    """Return the names of the variables that installed packages of OpenTelemetry read, as they publish them."""
    found_names: set[str] = {FILE}
    for entry in entry_points(group="opentelemetry_environment_variables"):
        try:
            module = entry.load()
        except Exception:  # noqa: BLE001, S112 - a broken package of somebody else: its names are not known
            continue
        found_names |= {name for name in dir(module) if name.startswith("OTEL_")}
    return found_names

"""Complete examples of a configuration, made of the table of settings: as a declarative file and as environment variables."""

from __future__ import annotations

import json
import re
from textwrap import wrap
from typing import TYPE_CHECKING

from .._conventions.sdks import INSTRUMENTED
from .._settings.config import default_of, variable
from .._settings.readers import READERS
from .settings import meanings, sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDTH = 100
# Values for settings that have no value by default.
_VALUES = {
    "enabled": "openai,anthropic",
    "capture_message_content": "span_and_event",
    "content_part_budget": "16KiB",
    "redact": "email,secrets",
    "redactor": "name_of_an_entry_point",
    "emit_event": "true",
    "host_providers": "localhost:8000=vllm",
    "propagate": "self-hosted",
    "prices": "genai-prices",
    "completion_hook": "upload",
    "upload_base_path": "/var/lib/my-app/completions",
    "semconv_stability_opt_in": "gen_ai_latest_experimental/dup",
    "user_id_key": "a-secret-of-at-least-16-characters",
    "baggage": "tenant=app.tenant",
    "metric_attributes": "tenant",
    "enrichers": "all",
    "purpose": "my_app.telemetry:purpose_of",
    "request_hook": "my_app.telemetry:on_request",
    "response_hook": "my_app.telemetry:on_response",
}
_PLAIN = re.compile(r"true|false|[0-9]+(\.[0-9]+)?")
_SECRETS = ("user_id_key",)

_FILE = """\
# OpenTelemetry's declarative configuration, with all settings of opentelemetry-instrumentation-genai.
#
#   pip install opentelemetry-configuration
#   OTEL_CONFIG_FILE=otel.yaml opentelemetry-instrument python app.py
#
# ${NAME:-default} is replaced by an environment variable. Keep secrets out of this file by that.
file_format: "1.0"
resource:
  attributes:
    - name: service.name
      value: ${OTEL_SERVICE_NAME:-my-app}
tracer_provider:
  processors:
    - batch:
        exporter:
          otlp_http:
            endpoint: ${OTLP_ENDPOINT:-http://localhost:4318}/v1/traces
meter_provider:
  readers:
    - periodic:
        exporter:
          otlp_http:
            endpoint: ${OTLP_ENDPOINT:-http://localhost:4318}/v1/metrics
logger_provider: # of the events
  processors:
    - batch:
        exporter:
          otlp_http:
            endpoint: ${OTLP_ENDPOINT:-http://localhost:4318}/v1/logs
instrumentation/development:
  python:
    # For all SDKs. A setting that is commented out has its default. Environment variables have precedence.
    genai:
"""
_SECTIONS = """\
    # For one SDK; over the section above, setting by setting. `enabled: false` switches that one off.
"""
_ENVIRONMENT = """\
# Where telemetry goes. OTLP over HTTP is port 4318, over gRPC (the default, if the protocol is not set) port 4317.
OTEL_SERVICE_NAME=my-app
OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318
OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
# Credentials of a backend: NAME=VALUE, with %20 for a space.
# OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20...
# Each of otlp, console or none. Events are logs.
OTEL_TRACES_EXPORTER=otlp
OTEL_METRICS_EXPORTER=otlp
OTEL_LOGS_EXPORTER=otlp

# The settings of opentelemetry-instrumentation-genai. One that is commented out has its default.
"""


def value_of(name: str) -> str:
    """Return an example of a setting's value: its default, or another where that is no value of its own."""
    return _VALUES.get(name) or default_of(name)


def yaml() -> str:
    """Return the declarative file. All settings are commented out, so that it records what there is without it."""
    # A mapping with nothing in it is null, which OpenTelemetry's SDK refuses; this one changes nothing.
    lines = ["      per_chunk_metric: true"]
    for name in READERS:
        if name != "per_chunk_metric":
            lines += ["", *_comments(name, "      "), f"      # {name}: {_in_yaml(name)}"]
    sections = [f"    genai_{sdk}: {{}}" for sdk in INSTRUMENTED]
    first = "\n".join([*_comments("per_chunk_metric", "      "), *lines])
    return f"{_FILE}{first}\n{_SECTIONS}" + "\n".join(sections) + "\n"


def environment() -> str:
    """Return the environment variables, as a `.env` file."""
    lines: list[str] = []
    for name in READERS:
        lines += [*_comments(name, ""), f"# {variable(name)}={value_of(name)}", ""]
    return _ENVIRONMENT + "\n".join(lines)


def _in_yaml(name: str) -> str:
    if name in _SECRETS:
        return f'"${{{variable(name)}}}"'
    value = value_of(name)
    return value if _PLAIN.fullmatch(value) else json.dumps(value)


def _comments(name: str, indent: str) -> Iterator[str]:
    """Yield the comment above a setting: what it is for, what is accepted, and its default."""
    text = f"{sentence(meanings().get(name, ''))}. Accepted: {READERS[name].accepted}. Default: {default_of(name)}."
    for line in wrap(text, _WIDTH - len(indent), break_long_words=False, break_on_hyphens=False):
        yield f"{indent}# {line}"

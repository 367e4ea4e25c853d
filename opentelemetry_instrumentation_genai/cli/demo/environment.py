"""The environment of the programs of the demonstration: what a user would set, and where the servers are."""

from __future__ import annotations

import os
from pathlib import Path

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_PRICES = "OTEL_INSTRUMENTATION_GENAI_PRICES"
PRICES = Path(__file__).with_name("prices.json")
"""What the models of the demonstration cost."""
_SETTINGS = {
    "OTEL_SERVICE_NAME": "weekend-planner",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_TRACES_EXPORTER": "otlp",
    "OTEL_METRICS_EXPORTER": "otlp",
    "OTEL_LOGS_EXPORTER": "otlp",
    CAPTURE: "span_and_event",
    _PRICES: f"file:{PRICES}",
}
_SDKS = ("ANTHROPIC", "CEREBRAS", "FIREWORKS", "GROQ", "OPENAI")
# What hurries the exporters, or keeps a proxy out of the way.
_SURROUNDINGS = {
    "OTEL_BSP_SCHEDULE_DELAY": "200",
    "OTEL_BLRP_SCHEDULE_DELAY": "200",
    "OTEL_METRIC_EXPORT_INTERVAL": "1000",
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
    "PYTHONIOENCODING": "utf-8",
}
_ELSEWHERE = ("OTEL_", "OPENAI_", "ANTHROPIC_", "OLLAMA_", "CEREBRAS_", "FIREWORKS_", "GROQ_")
_CHOSEN = ("OTEL_INSTRUMENTATION_GENAI_", "OTEL_SEMCONV_")


def environment_of(model: str, backend: str) -> dict[str, str]:
    """Return the variables of the programs.

    Args:
        model: the URL of the model server.
        backend: the URL of the OTLP receiver.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_ELSEWHERE)}
    settings = {**_SETTINGS, "OTEL_EXPORTER_OTLP_ENDPOINT": backend}
    return {**kept, **settings, **chosen(), **_SURROUNDINGS, **addresses(model)}


def chosen() -> dict[str, str]:
    """Return what one may want to try: settings of this instrumentation, and the generation of the names."""
    return {name: value for name, value in os.environ.items() if name.startswith(_CHOSEN)}


def addresses(model: str) -> dict[str, str]:
    """Return the variables by which the SDKs find the model server, and its keys, which may be anything.

    Args:
        model: the URL of the model server.
    """
    urls = {f"{sdk}_BASE_URL": model for sdk in _SDKS} | {"OPENAI_BASE_URL": f"{model}/v1", "OLLAMA_HOST": model}
    return dict(sorted({**urls, **{f"{sdk}_API_KEY": "demo" for sdk in _SDKS}}.items()))

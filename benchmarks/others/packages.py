"""The packages that are compared, and how each is started, with content on or off.

Each runs in a process of its own: none of them is there beside another.
"""

from __future__ import annotations

import importlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Package:
    """One that is compared.

    Attributes:
        title: how its page calls it.
        distributions: what is installed for it; the first gives its version.
        instrumentors: `module:class` of each.
        settings: variables that are set before it is imported.
        content: variables that switch content on, and those that switch it off.
        sources: packages in which its variables are looked for.
    """

    title: str
    distributions: Sequence[str]
    instrumentors: Sequence[str]
    content: tuple[Mapping[str, str], Mapping[str, str]]
    sources: Sequence[str]
    settings: Mapping[str, str]

    def start(self) -> None:
        """Instrument `openai` and `anthropic`, with the providers that are set as those of the process."""
        for one in self.instrumentors:
            _named(one)().instrument()


_CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_LATEST = {"OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental"}
OURS = "opentelemetry-instrumentation-genai"
PACKAGES = {
    "ours": Package(
        OURS,
        (OURS,),
        (
            "opentelemetry_instrumentation_genai:OpenAIInstrumentor",
            "opentelemetry_instrumentation_genai:AnthropicInstrumentor",
        ),
        ({_CAPTURE: "span_only"}, {}),
        ("opentelemetry_instrumentation_genai",),
        {},
    ),
    "openllmetry": Package(
        "OpenLLMetry",
        ("opentelemetry-instrumentation-openai", "opentelemetry-instrumentation-anthropic"),
        (
            "opentelemetry.instrumentation.openai:OpenAIInstrumentor",
            "opentelemetry.instrumentation.anthropic:AnthropicInstrumentor",
        ),
        ({"TRACELOOP_TRACE_CONTENT": "true"}, {"TRACELOOP_TRACE_CONTENT": "false"}),
        ("opentelemetry.instrumentation.openai", "opentelemetry.instrumentation.anthropic", "traceloop.sdk"),
        {"TRACELOOP_TELEMETRY": "false"},
    ),
    "openlit": Package(
        "OpenLIT",
        ("openlit",),
        (f"{__name__}:OpenLitInit",),
        ({}, {_CAPTURE: "false"}),
        ("openlit",),
        {},
    ),
    "openinference": Package(
        "OpenInference",
        ("openinference-instrumentation-openai", "openinference-instrumentation-anthropic"),
        (
            "openinference.instrumentation.openai:OpenAIInstrumentor",
            "openinference.instrumentation.anthropic:AnthropicInstrumentor",
        ),
        ({}, {"OPENINFERENCE_HIDE_INPUTS": "true", "OPENINFERENCE_HIDE_OUTPUTS": "true"}),
        ("openinference.instrumentation",),
        {},
    ),
    "llm-otel-kit": Package("llm-otel-kit", ("llm-otel-kit",), (), ({}, {}), ("llm_otel_kit",), {}),
    "official": Package(
        "the official packages",
        ("opentelemetry-instrumentation-genai-openai", "opentelemetry-instrumentation-genai-anthropic"),
        (
            "opentelemetry.instrumentation.genai.openai:OpenAIInstrumentor",
            "opentelemetry.instrumentation.genai.anthropic:AnthropicInstrumentor",
        ),
        ({_CAPTURE: "span_only"}, {}),
        ("opentelemetry.instrumentation.genai", "opentelemetry.util.genai"),
        _LATEST,
    ),
}


def environment(package: Package, *, content: bool) -> dict[str, str]:
    """The variables of a process in which it runs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "TRACELOOP_"))}
    return {**kept, "ANTHROPIC_OPEN_TELEMETRY": "false", **package.settings, **package.content[not content]}


def _named(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


class OpenLitInit:
    """OpenLIT as its users start it, with a list of prices that is empty instead of the one that it fetches from the web."""

    def instrument(self) -> None:
        """Instrument the two SDKs."""
        import openlit
        from openlit._instrumentors import MODULE_NAME_MAP

        with tempfile.TemporaryDirectory() as folder:
            prices = Path(folder) / "prices.json"
            prices.write_text("{}")
            others = [name for name in MODULE_NAME_MAP if name not in ("openai", "anthropic")]
            openlit.init(disabled_instrumentors=others, pricing_json=str(prices))

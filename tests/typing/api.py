"""The public names as users call them. Type checkers read this; nothing runs it."""

from __future__ import annotations

from collections.abc import Collection

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from typing_extensions import assert_type

import opentelemetry_instrumentation_genai
from opentelemetry_instrumentation_genai import (
    AnthropicInstrumentor,
    OllamaInstrumentor,
    OpenAIInstrumentor,
    capture_content,
)
from opentelemetry_instrumentation_genai.anthropic import AnthropicInstrumentor as AnthropicFromItsPackage
from opentelemetry_instrumentation_genai.ollama import OllamaInstrumentor as OllamaFromItsPackage
from opentelemetry_instrumentation_genai.openai import OpenAIInstrumentor as OpenAIFromItsPackage

assert_type(opentelemetry_instrumentation_genai.__version__, str)


def the_same_class_from_both_places(
    openai: OpenAIInstrumentor, anthropic: AnthropicInstrumentor, ollama: OllamaInstrumentor
) -> tuple[OpenAIFromItsPackage, AnthropicFromItsPackage, OllamaFromItsPackage]:
    """The names at the top, which are loaded late, are the classes of the subpackages."""
    return openai, anthropic, ollama


def as_in_an_application() -> None:
    """Without anything, with providers, with settings, and off again."""
    OpenAIInstrumentor().instrument()
    OpenAIInstrumentor().instrument(
        tracer_provider=TracerProvider(),
        meter_provider=MeterProvider(),
        logger_provider=LoggerProvider(),
    )
    OpenAIInstrumentor().instrument(capture_message_content="span_only", emit_event=True, per_chunk_metric=False)
    OpenAIInstrumentor().uninstrument()


def as_in_an_application_of_anthropic() -> None:
    """The same, and what becomes of the SDK's own spans."""
    AnthropicInstrumentor().instrument()
    AnthropicInstrumentor().instrument(
        tracer_provider=TracerProvider(),
        meter_provider=MeterProvider(),
        logger_provider=LoggerProvider(),
    )
    AnthropicInstrumentor().instrument(capture_message_content="event_only", anthropic_native_tracing="enrich")
    AnthropicInstrumentor().uninstrument()


def as_in_an_application_of_ollama() -> None:
    """The same, and how a trace goes on in a server of one's own."""
    OllamaInstrumentor().instrument()
    OllamaInstrumentor().instrument(
        tracer_provider=TracerProvider(),
        meter_provider=MeterProvider(),
        logger_provider=LoggerProvider(),
    )
    OllamaInstrumentor().instrument(host_providers={"localhost:8080": "llama_cpp"}, propagate="self-hosted")
    OllamaInstrumentor().uninstrument()


def dependencies(instrumentor: OpenAIInstrumentor | AnthropicInstrumentor | OllamaInstrumentor) -> None:
    """What an instrumentor says about its SDK has a type."""
    assert_type(instrumentor.instrumentation_dependencies(), Collection[str])


@capture_content("on_error")
async def decorated(question: str) -> int:
    """A function that is decorated keeps its type."""
    with capture_content(0.05), capture_content(False):
        return len(question)


async def calling() -> None:
    """Its result too."""
    assert_type(await decorated("why?"), int)

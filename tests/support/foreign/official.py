# ruff: noqa: D101, D102, D103 - it looks as those of others do
"""The same, and publishes in OpenTelemetry's context that it reports the call."""

from importlib import import_module

from opentelemetry import context
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from opentelemetry.instrumentation.utils import unwrap
from opentelemetry.trace import get_tracer
from wrapt import wrap_function_wrapper

METHODS = [
    ("openai.resources.chat.completions", "Completions", "inference"),
    ("openai.resources.embeddings", "Embeddings", "embedding"),
]


def wrapper(tracer, kind):
    def around(wrapped, instance, args, kwargs):
        token = context.attach(context.set_value(f"opentelemetry.genai.client.{kind}.context", object()))
        try:
            with tracer.start_as_current_span(kind):
                return wrapped(*args, **kwargs)
        finally:
            context.detach(token)

    return around


class OpenAIInstrumentor(BaseInstrumentor):
    def instrumentation_dependencies(self):
        return ()

    def _instrument(self, **kwargs):
        tracer = get_tracer(__name__, tracer_provider=kwargs.get("tracer_provider"))
        for module, kind, key in METHODS:
            wrap_function_wrapper(module, f"{kind}.create", wrapper(tracer, key))

    def _uninstrument(self, **kwargs):
        for module, kind, _ in METHODS:
            unwrap(getattr(import_module(module), kind), "create")

# ruff: noqa: D101, D102, D103 - it looks as those of others do
"""Wraps methods of the resources by wrapt, and takes the outermost wrapper back, whoever put it there."""

from importlib import import_module

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from opentelemetry.instrumentation.utils import unwrap
from opentelemetry.trace import get_tracer
from wrapt import wrap_function_wrapper

METHODS = [
    ("openai.resources.chat.completions", "Completions", "create"),
    ("openai.resources.embeddings", "Embeddings", "create"),
]


def wrapper(tracer):
    def around(wrapped, instance, args, kwargs):
        with tracer.start_as_current_span("openai.chat"):
            return wrapped(*args, **kwargs)

    return around


def async_wrapper(tracer):
    async def around(wrapped, instance, args, kwargs):
        with tracer.start_as_current_span("openai.chat"):
            return await wrapped(*args, **kwargs)

    return around


class OpenAIInstrumentor(BaseInstrumentor):
    def instrumentation_dependencies(self):
        return ()

    def _instrument(self, **kwargs):
        tracer = get_tracer(__name__, tracer_provider=kwargs.get("tracer_provider"))
        for module, kind, method in METHODS:
            wrap_function_wrapper(module, f"{kind}.{method}", wrapper(tracer))
            wrap_function_wrapper(module, f"Async{kind}.{method}", async_wrapper(tracer))

    def _uninstrument(self, **kwargs):
        for module, kind, method in METHODS:
            unwrap(getattr(import_module(module), kind), method)
            unwrap(getattr(import_module(module), f"Async{kind}"), method)

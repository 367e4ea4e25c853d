# ruff: noqa: D101, D102 - it looks as those of others do
"""Wraps `request` in the clients' classes, and leaves there what it found by the class: the method that they inherit."""

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from opentelemetry.trace import get_tracer
from wrapt import wrap_function_wrapper


class Request:
    def __init__(self, tracer):
        self._tracer = tracer

    def __call__(self, wrapped, instance, args, kwargs):
        with self._tracer.start_as_current_span("ChatCompletion"):
            return wrapped(*args, **kwargs)


class AsyncRequest(Request):
    async def __call__(self, wrapped, instance, args, kwargs):
        with self._tracer.start_as_current_span("ChatCompletion"):
            return await wrapped(*args, **kwargs)


class OpenAIInstrumentor(BaseInstrumentor):
    def instrumentation_dependencies(self):
        return ()

    def _instrument(self, **kwargs):
        import openai

        tracer = get_tracer(__name__, tracer_provider=kwargs.get("tracer_provider"))
        self._originals = openai.OpenAI.request, openai.AsyncOpenAI.request
        wrap_function_wrapper("openai", "OpenAI.request", Request(tracer))
        wrap_function_wrapper("openai", "AsyncOpenAI.request", AsyncRequest(tracer))

    def _uninstrument(self, **kwargs):
        import openai

        openai.OpenAI.request, openai.AsyncOpenAI.request = self._originals

# ruff: noqa: D101, D102 - it looks as those of others do
"""Wraps the asynchronous method by a plain function: the request is sent when that has returned, and the span ends in a callback."""

from asyncio import ensure_future

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from opentelemetry.instrumentation.utils import unwrap
from opentelemetry.trace import get_tracer
from wrapt import wrap_function_wrapper


class OpenAIInstrumentor(BaseInstrumentor):
    def instrumentation_dependencies(self):
        return ()

    def _instrument(self, **kwargs):
        tracer = get_tracer(__name__, tracer_provider=kwargs.get("tracer_provider"))

        def around(wrapped, instance, args, kwargs):
            span = tracer.start_span("theirs")
            future = ensure_future(wrapped(*args, **kwargs))
            future.add_done_callback(lambda _: span.end())
            return future

        wrap_function_wrapper("openai.resources.chat.completions", "AsyncCompletions.create", around)

    def _uninstrument(self, **kwargs):
        from openai.resources.chat.completions import AsyncCompletions

        unwrap(AsyncCompletions, "create")

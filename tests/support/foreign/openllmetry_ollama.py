# ruff: noqa: D101, D102 - it looks as those of others do
"""Wraps the SDK's method by wrapt."""

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from opentelemetry.trace import get_tracer
from wrapt import wrap_function_wrapper


class OllamaInstrumentor(BaseInstrumentor):
    def instrumentation_dependencies(self):
        return ()

    def _instrument(self, **kwargs):
        tracer = get_tracer(__name__, tracer_provider=kwargs.get("tracer_provider"))

        def around(wrapped, instance, args, kwargs):
            with tracer.start_as_current_span("theirs"):
                return wrapped(*args, **kwargs)

        self._wrapper = wrap_function_wrapper("ollama._client", "Client._request", around)

    def _uninstrument(self, **kwargs):
        pass

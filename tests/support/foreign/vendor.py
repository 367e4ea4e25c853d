# ruff: noqa: D101, D102 - it looks as those of others do
"""Plain functions in the place of methods, by an instrumentor that calls itself otherwise."""

from importlib import import_module

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from opentelemetry.trace import get_tracer


class Telemetry(BaseInstrumentor):
    def instrumentation_dependencies(self):
        return ()

    def _instrument(self, **kwargs):
        tracer = get_tracer(__name__, tracer_provider=kwargs.get("tracer_provider"))
        owner = import_module("openai.resources.chat.completions").Completions
        self._original = original = owner.create

        def create(*args, **kwargs):
            with tracer.start_as_current_span("vendor"):
                return original(*args, **kwargs)

        owner.create = create

    def _uninstrument(self, **kwargs):
        import_module("openai.resources.chat.completions").Completions.create = self._original

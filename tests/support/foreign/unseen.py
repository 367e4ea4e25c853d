# ruff: noqa: D101, D102 - it looks as those of others do
"""Is at work in a way that no method of the SDK shows."""

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor


class OpenAIInstrumentor(BaseInstrumentor):
    def instrumentation_dependencies(self):
        return ()

    def _instrument(self, **kwargs):
        pass

    def _uninstrument(self, **kwargs):
        pass

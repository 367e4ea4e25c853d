# ruff: noqa: D101, D102 - it looks as those of others do
"""Wraps the method of all clients by wrapt."""

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from opentelemetry.instrumentation.utils import unwrap
from opentelemetry.trace import get_tracer
from wrapt import wrap_function_wrapper


class BotocoreInstrumentor(BaseInstrumentor):
    def instrumentation_dependencies(self):
        return ()

    def _instrument(self, **kwargs):
        self._tracer = get_tracer(__name__, tracer_provider=kwargs.get("tracer_provider"))
        wrap_function_wrapper("botocore.client", "BaseClient._make_api_call", self._patched)

    def _uninstrument(self, **kwargs):
        from botocore.client import BaseClient

        unwrap(BaseClient, "_make_api_call")

    def _patched(self, wrapped, instance, args, kwargs):
        with self._tracer.start_as_current_span("theirs"):
            return wrapped(*args, **kwargs)

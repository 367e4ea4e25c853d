# ruff: noqa: D101, D102 - it looks as those of others do
"""Wraps the method that sends all requests, and stays there for ever."""

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from opentelemetry.trace import get_tracer
from wrapt import wrap_function_wrapper


class McpInstrumentor(BaseInstrumentor):
    def instrumentation_dependencies(self):
        return ()

    def _instrument(self, **kwargs):
        tracer = get_tracer(__name__, tracer_provider=kwargs.get("tracer_provider"))

        async def traced(wrapped, instance, args, kwargs):
            with tracer.start_as_current_span("theirs"):
                return await wrapped(*args, **kwargs)

        try:
            wrap_function_wrapper("mcp.shared.session", "BaseSession.send_request", traced)
        except ImportError:  # mcp 2
            wrap_function_wrapper("mcp.client.session", "ClientSession.send_request", traced)

    def _uninstrument(self, **kwargs):
        pass

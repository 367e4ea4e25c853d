# ruff: noqa: D101, D102 - it looks as those of others do
"""Wraps some of the methods by which an application makes requests."""

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from opentelemetry.instrumentation.utils import unwrap
from opentelemetry.trace import get_tracer
from wrapt import wrap_function_wrapper

METHODS = ["call_tool", "list_tools"]


class MCPClientInstrumentor(BaseInstrumentor):
    def instrumentation_dependencies(self):
        return ()

    def _instrument(self, **kwargs):
        tracer = get_tracer(__name__, tracer_provider=kwargs.get("tracer_provider"))

        async def traced(wrapped, instance, args, kwargs):
            with tracer.start_as_current_span("theirs"):
                return await wrapped(*args, **kwargs)

        for method in METHODS:
            wrap_function_wrapper("mcp.client.session", f"ClientSession.{method}", traced)

    def _uninstrument(self, **kwargs):
        from mcp import ClientSession

        for method in METHODS:
            unwrap(ClientSession, method)

# ruff: noqa: D101, D102 - it looks as those of others do
"""Wraps the method that sends all requests by a plain function, which is in another module of the package than its instrumentor."""

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from opentelemetry.instrumentation.utils import unwrap
from opentelemetry.trace import get_tracer
from wrapt import wrap_function_wrapper

from foreign import foreign


class McpInstrumentor(BaseInstrumentor):
    def instrumentation_dependencies(self):
        return ()

    def _instrument(self, **kwargs):
        tracer = get_tracer(__name__, tracer_provider=kwargs.get("tracer_provider"))
        around = foreign("distro_mcp_wrappers").ClientWrapper(tracer).wrap_session_send
        try:
            wrap_function_wrapper("mcp.shared.session", "BaseSession.send_request", around)
        except ImportError:  # mcp 2
            wrap_function_wrapper("mcp.client.session", "ClientSession.send_request", around)

    def _uninstrument(self, **kwargs):
        from mcp import ClientSession

        unwrap(next(kind for kind in ClientSession.__mro__ if "send_request" in vars(kind)), "send_request")

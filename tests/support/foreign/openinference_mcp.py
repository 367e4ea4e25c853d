# ruff: noqa: D101, D102, D103 - it looks as those of others do
"""Wraps the transports, to write the context of the trace into what is sent: it makes no spans."""

from contextlib import asynccontextmanager

from opentelemetry import propagate
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from opentelemetry.instrumentation.utils import unwrap
from wrapt import ObjectProxy, wrap_function_wrapper


class Writer(ObjectProxy):
    async def __aenter__(self):
        return await self.__wrapped__.__aenter__()

    async def __aexit__(self, *error):
        return await self.__wrapped__.__aexit__(*error)

    async def send(self, item):
        message = getattr(item.message, "root", item.message)
        if hasattr(message, "id") and hasattr(message, "method"):
            message.params = message.params or {}
            propagate.get_global_textmap().inject(message.params.setdefault("_meta", {}))
        return await self.__wrapped__.send(item)


@asynccontextmanager
async def transport(wrapped, instance, args, kwargs):
    async with wrapped(*args, **kwargs) as (read, write, *more):
        yield (read, Writer(write), *more)


class MCPInstrumentor(BaseInstrumentor):
    def instrumentation_dependencies(self):
        return ()

    def _instrument(self, **kwargs):
        import mcp.client.streamable_http as http

        self._name = name = (
            "streamable_http_client" if hasattr(http, "streamable_http_client") else "streamablehttp_client"
        )
        wrap_function_wrapper("mcp.client.stdio", "stdio_client", transport)
        wrap_function_wrapper("mcp.client.streamable_http", name, transport)

    def _uninstrument(self, **kwargs):
        import mcp.client.stdio
        import mcp.client.streamable_http

        unwrap(mcp.client.stdio, "stdio_client")
        unwrap(mcp.client.streamable_http, self._name)

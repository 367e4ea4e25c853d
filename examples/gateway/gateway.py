"""A gateway: `POST /ask` with a tenant's key, the name of a model and a question streams the answer as text."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import uvicorn
from opentelemetry import trace
from opentelemetry.propagate import extract
from providers import REFUSALS, Providers
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from opentelemetry_instrumentation_genai import genai_context

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

TENANTS = {"key-of-acme": "acme", "key-of-globex": "globex"}  # in a database, in earnest
tracer = trace.get_tracer("gateway")


class ByTenant:
    """Everything that is done for a request, the streaming of its answer among it, is in a span, and has its tenant.

    An instrumentation of Starlette (`opentelemetry-instrumentation-starlette`) makes the span in place of this.

    Args:
        app: what answers the requests.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        tenant = TENANTS.get(headers.get("authorization", "").removeprefix("Bearer "))
        if tenant is None:
            await PlainTextResponse("No tenant has this key.", 401)(scope, receive, send)
            return
        name = f"{scope['method']} {scope['path']}"
        with (
            tracer.start_as_current_span(name, context=extract(headers), kind=trace.SpanKind.SERVER),
            genai_context(tags={"tenant": tenant}),
        ):
            await self._app(scope, receive, send)


def gateway() -> Starlette:
    """Make the application."""
    providers = Providers()

    async def ask(request: Request) -> Response:
        body = await request.json()
        try:
            pieces = await providers.ask(body["model"], body["question"])
        except REFUSALS as error:
            return PlainTextResponse(f"The provider refuses: {error.message}", error.status_code)
        return StreamingResponse(pieces, media_type="text/plain")

    return Starlette(routes=[Route("/ask", ask, methods=["POST"])], middleware=[Middleware(ByTenant)])


if __name__ == "__main__":
    uvicorn.run(gateway(), host="127.0.0.1", port=int(os.environ["GATEWAY_PORT"]), log_level="warning")

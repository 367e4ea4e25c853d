"""A gateway: `POST /ask` with a tenant's key, the name of a model and a question streams the answer as text."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException
from fastapi.responses import PlainTextResponse, Response, StreamingResponse
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from providers import REFUSALS, Providers
from pydantic import BaseModel

from opentelemetry_instrumentation_genai import genai_context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TENANTS = {"key-of-acme": "acme", "key-of-globex": "globex"}  # in a database, in earnest
app = FastAPI()
# One span for a request. By itself it makes one more for each piece of a stream that is sent.
FastAPIInstrumentor.instrument_app(app, exclude_spans=["receive", "send"])
providers = Providers()


class Question(BaseModel):
    """The body of a request."""

    model: str
    question: str


async def of_tenant(authorization: Annotated[str, Header()] = "") -> AsyncIterator[None]:
    """Name the tenant for all that is done for a request, the streaming of its answer among it.

    Raises:
        HTTPException: no tenant has this key.
    """
    tenant = TENANTS.get(authorization.removeprefix("Bearer "))
    if tenant is None:
        raise HTTPException(401, "No tenant has this key.")
    with genai_context(tags={"tenant": tenant}):
        yield


@app.post("/ask", dependencies=[Depends(of_tenant)])
async def ask(question: Question) -> Response:
    """Stream an answer, or the refusal of the provider."""
    try:
        pieces = await providers.ask(question.model, question.question)
    except REFUSALS as error:
        return PlainTextResponse(f"The provider refuses: {error}", error.status_code)
    return StreamingResponse(pieces, media_type="text/plain")


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["GATEWAY_PORT"]), log_level="warning")

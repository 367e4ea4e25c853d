"""A model server that speaks enough of three APIs for a demonstration: what it answers is made up, how it answers is not."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import anthropic_api, anthropic_batches, ollama_api, openai_api, openai_jobs
from .limits import Left
from .plan import CURRENT, plan_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from .tally import Reply, Tally


class Api(Protocol):
    """What there is of an API."""

    @property
    def REPLIES(self) -> Mapping[str, Reply]:  # noqa: N802 - a module's constant
        """Path -> what answers there."""
        ...

    def headers(self, tally: Tally, seconds: float, left: Left, /) -> dict[str, str]:
        """Return the headers of every response; it took `seconds`, and `left` is left of the limits."""
        ...

    def failure(self, tally: Tally, status: int, /) -> Response:
        """Return the response of a rate limit (429), a refusal by the policy (400), or an error of the server (500)."""
        ...

    def refusal(self, tally: Tally, name: str, /, *, first: bool) -> Response | None:
        """Refuse a model, or do not."""
        ...


def model_server(tally: Tally) -> Starlette:
    """Make the server; what it sees is counted in `tally`."""
    apis: tuple[Api, ...] = (openai_api, anthropic_api, ollama_api)
    answering = [route(tally, api, path) for api in apis for path in api.REPLIES]
    return Starlette(routes=[*answering, *openai_jobs.routes(tally), *anthropic_batches.routes(tally)])


def route(tally: Tally, api: Api, path: str) -> Route:
    """Make the endpoint at a path of an API."""

    async def endpoint(request: Request) -> Response:
        first = tally.count(request)
        left = Left(0, 0)
        began = time.perf_counter()
        try:
            plan = plan_of(request.headers)
            CURRENT.set(plan)
            await asyncio.sleep(plan.latency)
            body = await request.json()
            left = tally.limits.take(str(body["model"]), len(await request.body()) // 4)
            status = plan.status(first=first)
            response = (
                api.failure(tally, status)
                if status
                else api.refusal(tally, body["model"], first=first) or await api.REPLIES[path](tally, body)
            )
        except ClientDisconnect:  # the client waits no more
            return Response(status_code=499)
        except (ValueError, KeyError, TypeError, AttributeError, LookupError) as error:
            response = JSONResponse(
                {"error": {"message": f"not understood: {error!r}", "type": "invalid_request"}}, 400
            )
        for name, value in api.headers(tally, time.perf_counter() - began, left).items():
            response.headers.setdefault(name, value)
        return response

    return Route(path, endpoint, methods=["POST"])

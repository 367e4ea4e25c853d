"""Anthropic's batches of messages: created, asked for, and their results."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from . import anthropic_api

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from .tally import Tally

Json = dict[str, Any]
_MOST = 100  # batches that are kept


class Batch:
    """A batch. It is in progress when it is asked for the first time, and has ended from the second time on.

    Args:
        identity: its id.
        requests: those that it is made of.
    """

    def __init__(self, identity: str, requests: list[Json]) -> None:
        self.identity = identity
        self.created: datetime = datetime.now(timezone.utc)
        self.asked = 0
        self._requests = requests

    def body(self, base: str) -> Json:
        """Write how far it is.

        Args:
            base: the URL of the server, where its results are.
        """
        ended = self.asked > 1
        counts = {"processing": 0 if ended else len(self._requests), "succeeded": len(self._requests) if ended else 0}
        return {
            "id": self.identity,
            "type": "message_batch",
            "processing_status": "ended" if ended else "in_progress",
            "request_counts": {**counts, "errored": 0, "canceled": 0, "expired": 0},
            "created_at": self.created.isoformat(),
            "expires_at": (self.created + timedelta(days=1)).isoformat(),
            "ended_at": datetime.now(timezone.utc).isoformat() if ended else None,
            "archived_at": None,
            "cancel_initiated_at": None,
            "results_url": f"{base}v1/messages/batches/{self.identity}/results" if ended else None,
        }

    def results(self, tally: Tally) -> Iterator[str]:
        """Write a line for the result of each request."""
        for request in self._requests:
            message = anthropic_api.whole_message(tally, request["params"])
            result = {"type": "succeeded", "message": message}
            yield json.dumps({"custom_id": request["custom_id"], "result": result}, ensure_ascii=False) + "\n"


def routes(tally: Tally) -> list[BaseRoute]:
    """Make the endpoints; what they see is counted in `tally`."""
    batches: dict[str, Batch] = {}

    def known(request: Request) -> Batch | None:
        tally.count(request, inference=False)
        return batches.get(request.path_params["id"])

    async def create(request: Request) -> Response:
        tally.count(request, inference=False)
        try:
            requests = (await request.json())["requests"]
            batch = Batch(tally.identifier("msgbatch_"), [{**one, "params": {**one["params"]}} for one in requests])
        except (ValueError, KeyError, TypeError) as error:
            return refused(400, "invalid_request_error", f"not understood: {error!r}")
        batches[batch.identity] = batch
        if len(batches) > _MOST:
            del batches[next(iter(batches))]
        return JSONResponse(batch.body(str(request.base_url)))

    async def fetch(request: Request) -> Response:
        batch = known(request)
        if batch is None:
            return refused(404, "not_found_error", "There is no such batch.")
        batch.asked += 1
        return JSONResponse(batch.body(str(request.base_url)))

    async def results(request: Request) -> Response:
        batch = known(request)
        if batch is None:
            return refused(404, "not_found_error", "There is no such batch.")
        try:
            lines = "".join(batch.results(tally))
        except (ValueError, KeyError, TypeError, AttributeError, LookupError) as error:
            return refused(400, "invalid_request_error", f"not understood: {error!r}")
        return PlainTextResponse(lines, media_type="application/x-jsonl")

    return [
        Route("/v1/messages/batches", create, methods=["POST"]),
        Route("/v1/messages/batches/{id}", fetch, methods=["GET"]),
        Route("/v1/messages/batches/{id}/results", results, methods=["GET"]),
    ]


def refused(status: int, kind: str, message: str) -> Response:
    """Write an error as the API does."""
    return JSONResponse({"type": "error", "error": {"type": kind, "message": message}}, status)

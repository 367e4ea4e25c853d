"""OpenAI's batches and realtime sessions, as far as a demonstration needs them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from . import model
from .pace import FIRST_CHUNK, NEXT_CHUNK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.routing import BaseRoute
    from starlette.websockets import WebSocket

    from .tally import Tally

Json = dict[str, Any]


def routes(tally: Tally) -> list[BaseRoute]:
    """Make the endpoints; what they see is counted in `tally`."""

    async def create_batch(request: Request) -> Response:
        tally.count(request, inference=False)
        body = await request.json()
        return JSONResponse(batch("validating", body["endpoint"]))

    async def fetch_batch(request: Request) -> Response:
        tally.count(request, inference=False)
        return JSONResponse(batch("completed", "/v1/chat/completions"))

    async def realtime(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_json({"type": "session.created", "event_id": "event_0", "session": {"id": "sess_1"}})
        question = ""
        try:
            while True:
                event = await socket.receive_json()
                if event["type"] == "conversation.item.create":
                    question = event["item"]["content"][0]["text"]
                elif event["type"] == "response.create":
                    tally.count_response()
                    await answer(socket, question)
        except WebSocketDisconnect:
            return

    return [
        Route("/v1/batches", create_batch, methods=["POST"]),
        Route("/v1/batches/{id}", fetch_batch, methods=["GET"]),
        WebSocketRoute("/v1/realtime", realtime),
    ]


def batch(status: str, endpoint: str) -> Json:
    """Write a batch of three requests."""
    done = 3 if status == "completed" else 0
    return {
        "id": "batch_67f1",
        "object": "batch",
        "endpoint": endpoint,
        "input_file_id": "file-trips",
        "completion_window": "24h",
        "status": status,
        "created_at": 1,
        "request_counts": {"total": 3, "completed": done, "failed": 0},
    }


async def answer(socket: WebSocket, question: str) -> None:
    """Send the events of one response."""
    await asyncio.sleep(FIRST_CHUNK)
    for number, event in enumerate(response_events(question)):
        await asyncio.sleep(NEXT_CHUNK if "delta" in event else 0)
        await socket.send_json({"event_id": f"event_{number + 1}", **event})


def response_events(question: str) -> Iterator[Json]:
    """Write the events of one response: its text in pieces, and its usage at the end."""
    text = model.answer(question)
    response: Json = {"id": "resp_rt_1", "object": "realtime.response", "status": "in_progress", "output": []}
    yield {"type": "response.created", "response": response}
    at = {"response_id": response["id"], "item_id": "item_1", "output_index": 0, "content_index": 0}
    for piece in model.pieces(text):
        yield {"type": "response.output_text.delta", **at, "delta": piece}
    content = [{"type": "output_text", "text": text}]
    item = {"id": "item_1", "type": "message", "role": "assistant", "status": "completed", "content": content}
    given, made = len(model.tokens(question)), len(model.tokens(text))
    usage = {
        "total_tokens": given + made,
        "input_tokens": given,
        "output_tokens": made,
        "input_token_details": {"text_tokens": given, "audio_tokens": 0, "cached_tokens": 0},
        "output_token_details": {"text_tokens": made, "audio_tokens": 0},
    }
    yield {"type": "response.done", "response": {**response, "status": "completed", "output": [item], "usage": usage}}

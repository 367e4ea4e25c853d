"""Ollama's API, as far as a demonstration needs it: chat and generate, whole or as lines of JSON, with the server's own timings."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response, StreamingResponse

from . import model
from .pace import FIRST_CHUNK, NEXT_CHUNK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from .limits import Left
    from .tally import Reply, Tally

Json = dict[str, Any]

LOADING = 0.25  # seconds that a model takes to be loaded, which the first call waits for


def headers(_: Tally, __: float, ___: Left) -> dict[str, str]:
    """Return no headers of its own, as Ollama does."""
    return {}


def failure(_: Tally, status: int) -> Response:
    """Return an error of the server."""
    return JSONResponse({"error": "the server is busy" if status == 429 else "internal server error"}, status)


def refusal(tally: Tally, name: str, *, first: bool) -> Response | None:
    """Refuse models that were not pulled."""
    return None if tally.knows(name, model.LLAMAS) else JSONResponse({"error": f"model '{name}' not found"}, 404)


async def reply_to_chat(tally: Tally, body: Json) -> Response:
    """Answer `POST /api/chat`."""
    texts = [message.get("content") or "" for message in body["messages"]]
    return await reply(tally, body, texts, lambda piece: {"message": {"role": "assistant", "content": piece}})


async def reply_to_generate(tally: Tally, body: Json) -> Response:
    """Answer `POST /api/generate`."""
    return await reply(tally, body, [body["prompt"]], lambda piece: {"response": piece})


async def reply(tally: Tally, body: Json, texts: list[str], written: Callable[[str], Json]) -> Response:
    """Answer with a line for each piece of the answer and one of figures, or with all of that in one."""
    answer, is_cut = model.limited(model.answer(texts[-1]), (body.get("options") or {}).get("num_predict"))
    loading = 0.0 if body["model"] in tally.loaded else LOADING
    tally.loaded.add(body["model"])
    last = figures(loading, texts, answer)
    if is_cut:
        last["done_reason"] = "length"
    about = {"model": body["model"], "created_at": datetime.now(timezone.utc).isoformat()}
    await asyncio.sleep(loading + FIRST_CHUNK)
    if body.get("stream", True):
        pieces = ({**about, **written(piece), "done": False} for piece in model.pieces(answer))
        return StreamingResponse(lines(pieces, {**about, **written(""), **last}), media_type="application/x-ndjson")
    await asyncio.sleep(last["eval_duration"] / 1e9)
    return JSONResponse({**about, **written(answer), **last})


def figures(loading: float, texts: list[str], answer: str) -> Json:
    """Count tokens and nanoseconds."""
    writing = NEXT_CHUNK * len(model.pieces(answer))
    return {
        "done": True,
        "done_reason": "stop",
        "total_duration": round((loading + FIRST_CHUNK + writing) * 1e9),
        "load_duration": round(loading * 1e9),
        "prompt_eval_count": sum(len(model.tokens(text)) for text in texts),
        "prompt_eval_duration": round(FIRST_CHUNK * 1e9),
        "eval_count": len(model.tokens(answer)),
        "eval_duration": round(writing * 1e9),
    }


async def lines(pieces: Iterator[Json], last: Json) -> AsyncIterator[str]:
    """Send a line for each piece, at the model's pace."""
    for piece in pieces:
        await asyncio.sleep(NEXT_CHUNK)
        yield json.dumps(piece, ensure_ascii=False) + "\n"
    yield json.dumps(last) + "\n"


REPLIES: dict[str, Reply] = {"/api/chat": reply_to_chat, "/api/generate": reply_to_generate}

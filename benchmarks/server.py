"""A model server for benchmarks, in a process of its own so that nothing of it is measured.

The path tells what it answers: `/plain` a chat completion, `/CHUNKS` a stream of that many chunks, the last after a pause.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.requests import Request

PAUSE = 4  # seconds before the end of a long stream: its reader is done with the rest, and the end is a step of its own
_HEAD = {"id": "chatcmpl-1", "created": 1, "model": "gpt-4o-mini-2024-07-18"}
_USAGE = {"prompt_tokens": 8, "completion_tokens": 2, "total_tokens": 10}


def _event(delta: dict[str, Any], reason: str | None = None, usage: dict[str, int] | None = None) -> bytes:
    choices = [{"index": 0, "delta": delta, "finish_reason": reason}]
    chunk = {**_HEAD, "object": "chat.completion.chunk", "choices": choices, "usage": usage}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


async def _events(chunks: int) -> AsyncIterator[bytes]:
    some = _event({"content": "token "}) * 100
    for _ in range(chunks // 100):
        yield some
    await asyncio.sleep(PAUSE if chunks > 1000 else 0)
    yield _event({}, "stop", _USAGE) + b"data: [DONE]\n\n"


async def _answer(request: Request) -> Response:
    kind = request.path_params["kind"]
    if kind != "plain":
        return StreamingResponse(_events(int(kind)), media_type="text/event-stream")
    message = {"role": "assistant", "content": "Hello"}
    choices = [{"index": 0, "finish_reason": "stop", "message": message}]
    return JSONResponse({**_HEAD, "object": "chat.completion", "choices": choices, "usage": _USAGE})


@contextmanager
def serving() -> Iterator[str]:
    """Serves in a process of its own. Yields its URL."""
    with subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


async def _serve() -> None:
    app = Starlette(routes=[Route("/{kind}/chat/completions", _answer, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical"))
    served = asyncio.ensure_future(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells it in no other way
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    print(f"http://127.0.0.1:{port}", flush=True)
    await served


if __name__ == "__main__":
    asyncio.run(_serve())

"""How fast the pretended model is, and a stream of server-sent events at that pace."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from starlette.responses import Response, StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

# In seconds: until an answer begins, between two pieces of a stream, for each token of an answer that is not streamed.
FIRST_CHUNK = 0.08
NEXT_CHUNK = 0.02
TOKEN = 0.006


def events(data: Iterator[dict[str, Any] | str], is_written: Callable[[dict[str, Any]], bool]) -> Response:
    """Send data as server-sent events; only what is written takes its time: what stands around it arrives together."""

    async def lines() -> AsyncIterator[str]:
        await asyncio.sleep(FIRST_CHUNK)
        for item in data:
            if isinstance(item, str):
                yield f"data: {item}\n\n"
                continue
            if is_written(item):
                await asyncio.sleep(NEXT_CHUNK)
            name = f"event: {item['type']}\n" if "type" in item else ""
            yield f"{name}data: {json.dumps(item, ensure_ascii=False)}\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream")

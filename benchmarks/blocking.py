"""How long the event loop is blocked by the step that ends a stream of 10,000 chunks: without instrumentation, and with it."""

from __future__ import annotations

import asyncio
import asyncio.events
import time
from statistics import median
from typing import Any

import openai
from providers import providers
from server import serving

from opentelemetry_instrumentation_genai import OpenAIInstrumentor

CHUNKS = 10_000
TIMES = 3


def main() -> None:
    """Print the milliseconds of the longest step after the pause before the end of the stream."""
    with serving() as url:
        rows: dict[str, dict[str, Any] | None] = {
            "bare": None,
            "content off": {},
            "content on": {"capture_message_content": "span_and_event"},
        }
        for name, settings in rows.items():
            instrumentor = OpenAIInstrumentor()
            if settings is not None:
                instrumentor.instrument(**settings, **providers())
            longest = [asyncio.run(_longest_step(f"{url}/{CHUNKS}")) for _ in range(TIMES)]
            if settings is not None:
                instrumentor.uninstrument()
            print(f"{name}: {median(longest) * 1000:.2f} ms, median of {TIMES}", flush=True)


async def _longest_step(url: str) -> float:
    """Seconds of the longest step from the pause on, until the stream is closed."""
    steps: list[tuple[float, float]] = []
    run = asyncio.events.Handle._run

    def timed(handle: asyncio.Handle) -> None:
        began = time.perf_counter()
        run(handle)
        steps.append((began, time.perf_counter()))

    client = openai.AsyncOpenAI(base_url=url, api_key="none")
    asyncio.events.Handle._run = timed  # type: ignore[method-assign]
    try:
        stream = await client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": "Hi"}], stream=True
        )
        async for _ in stream:
            pass
        await asyncio.sleep(0)
    finally:
        asyncio.events.Handle._run = run  # type: ignore[method-assign]
    await client.close()
    paused = max(range(1, len(steps)), key=lambda step: steps[step][0] - steps[step - 1][1])
    return max(end - began for began, end in steps[paused:])


if __name__ == "__main__":
    main()

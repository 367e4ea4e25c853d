"""Bytes per call that stay: after 10,000 calls, and after 1,000 streams that were abandoned half read.

Besides the instrumented calls the bare ones, because the SDK and its HTTP client keep something, too.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from typing import TYPE_CHECKING

import openai
from providers import providers
from server import serving

from opentelemetry_instrumentation_genai import OpenAIInstrumentor

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
MESSAGES = [{"role": "user", "content": "Hi"}]


def main() -> None:
    """Print the bytes per call of each kind, without and with instrumentation."""
    with serving() as url:
        plain = openai.OpenAI(base_url=f"{url}/plain", api_key="none").chat.completions
        streamed = openai.OpenAI(base_url=f"{url}/100", api_key="none").chat.completions
        kinds: dict[str, tuple[Callable[[], object], int]] = {
            "calls": (lambda: plain.create(model="gpt-4o-mini", messages=MESSAGES), CALLS),
            "streams read to the end": (
                lambda: [*streamed.create(model="gpt-4o-mini", messages=MESSAGES, stream=True)],
                CALLS // 10,
            ),
            "streams abandoned": (
                lambda: next(streamed.create(model="gpt-4o-mini", messages=MESSAGES, stream=True)),
                CALLS // 10,
            ),
        }
        for name, (call, calls) in kinds.items():
            bare = growth(call, calls)
            instrumentor = OpenAIInstrumentor()
            instrumentor.instrument(capture_message_content="span_and_event", **providers())
            ours = growth(call, calls)
            instrumentor.uninstrument()
            print(f"{calls} {name}: {ours / calls:.1f} bytes per call, bare {bare / calls:.1f}", flush=True)


def growth(call: Callable[[], object], calls: int) -> int:
    """The bytes that Python holds more after `calls` calls."""
    for _ in range(100):
        call()
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(calls):
        call()
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return after - before


if __name__ == "__main__":
    main()

"""An application with an agent that does not stop, and with a completion hook that takes nothing; `test_alerts` runs it.

It is run under `opentelemetry-instrument`, which starts all but the instrumentor that gets the hook here.
"""

from __future__ import annotations

import asyncio
import sys
import time

from openai import AsyncOpenAI

from opentelemetry_instrumentation_genai import OpenAIInstrumentor, invoke_agent
from opentelemetry_instrumentation_genai.hooks import Completion

MANY = 70


def refuse(_completion: Completion) -> None:
    """Take no completion: the store is full."""
    raise OSError("no space left")


async def run_agent(calls: int) -> None:
    """Run the agent, which asks the model so many times."""
    client = AsyncOpenAI(max_retries=3)
    async with invoke_agent("booker"):
        await asyncio.gather(*(_ask(client) for _ in range(calls)))
    await client.close()


async def _ask(client: AsyncOpenAI) -> None:
    await client.chat.completions.create(
        model="gpt-4.1-mini", messages=[{"role": "user", "content": "And if it rains?"}]
    )


def main() -> None:
    """Run it twice as it should be, and then as often as there is time without an end."""
    OpenAIInstrumentor().instrument(completion_hook=refuse)
    until = time.monotonic() + float(sys.argv[1])
    for calls in (1, 1):
        asyncio.run(run_agent(calls))
        time.sleep(3)
    while time.monotonic() < until:
        asyncio.run(run_agent(MANY))
        time.sleep(2)


if __name__ == "__main__":
    main()

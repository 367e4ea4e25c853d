"""An agent that asks a model, and runs the tools that it calls, until there is an answer."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from openai import AsyncOpenAI
from tools import DEFINITIONS, TOOLS

from opentelemetry_instrumentation_genai import execute_tool, invoke_agent

MODEL = "gpt-4.1-mini"
MOST_STEPS = 5


async def run_tool(call: Any) -> dict[str, str]:
    """Run one tool that the model calls, and return the message with its result."""
    arguments = json.loads(call.function.arguments)
    with execute_tool(call.function.name, call_id=call.id, arguments=arguments) as run:
        result = await TOOLS[call.function.name](**arguments)
        run.set_result(result)
    return {"role": "tool", "tool_call_id": call.id, "content": result}


@invoke_agent("travel agent", model=MODEL, provider="openai")
async def travel_agent(question: str) -> str:
    """Answer a question."""
    messages: list[Any] = [{"role": "user", "content": question}]
    async with AsyncOpenAI() as client:
        for _ in range(MOST_STEPS):
            reply = await client.chat.completions.create(model=MODEL, messages=messages, tools=DEFINITIONS)
            message = reply.choices[0].message
            if not message.tool_calls:
                return message.content or ""
            messages.append(message.model_dump(exclude_none=True))
            messages += await asyncio.gather(*map(run_tool, message.tool_calls))
    return "I could not find that out."


if __name__ == "__main__":
    print(asyncio.run(travel_agent("What is the weather in Porto, and which trains go there?")))

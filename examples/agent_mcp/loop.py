"""The loop of an agent: the model, the tools that it calls, and the model again, until there is an answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from opentelemetry_instrumentation_genai import execute_tool

if TYPE_CHECKING:
    from openai import AsyncOpenAI

Tool = Callable[..., Awaitable[str]]
MOST_STEPS = 5


def definition(name: str, description: str, parameters: dict[str, Any]) -> Any:
    """Describe a tool as the model wants it."""
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


async def answer(client: AsyncOpenAI, model: str, question: str, tools: dict[str, Tool], definitions: list[Any]) -> str:
    """Answer a question with the help of tools.

    Args:
        client: of the model.
        model: its name.
        question: of the user, or of another agent.
        tools: what can be called, by name.
        definitions: what the model is informed of them.
    """
    messages: list[Any] = [{"role": "user", "content": question}]
    for _ in range(MOST_STEPS):
        reply = await client.chat.completions.create(model=model, messages=messages, tools=definitions)
        message = reply.choices[0].message
        if not message.tool_calls:
            return message.content or ""
        messages.append(message.model_dump(exclude_none=True))
        messages += await asyncio.gather(*(run_tool(tools, call) for call in message.tool_calls))
    return "I could not find that out."


async def run_tool(tools: dict[str, Tool], call: Any) -> dict[str, str]:
    """Run one tool that the model calls, and return the message with its result."""
    arguments = json.loads(call.function.arguments)
    with execute_tool(call.function.name, call_id=call.id, arguments=arguments) as run:
        result = await tools[call.function.name](**arguments)
        run.set_result(result)
    return {"role": "tool", "tool_call_id": call.id, "content": result}

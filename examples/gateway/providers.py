"""The two providers behind the gateway: each streams the text of an answer, piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anthropic import APIStatusError as AnthropicError, AsyncAnthropic
from openai import APIStatusError as OpenAIError, AsyncOpenAI

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LONGEST = 500  # tokens of an answer
# What a provider answers in place of a stream: its `status_code` is passed on.
REFUSALS = (OpenAIError, AnthropicError)


class Providers:
    """Clients of the providers, one of each for all requests."""

    def __init__(self) -> None:
        self._openai = AsyncOpenAI()
        self._anthropic = AsyncAnthropic()

    async def ask(self, model: str, question: str) -> AsyncIterator[str]:
        """Return the stream of an answer, of which nothing is read yet.

        Args:
            model: whose name begins with `claude`, or one of OpenAI's.
            question: of the user.

        Raises:
            OpenAIError, AnthropicError: the provider refuses.
        """
        return await (self._ask_anthropic if model.startswith("claude") else self._ask_openai)(model, question)

    async def _ask_openai(self, model: str, question: str) -> AsyncIterator[str]:
        stream = await self._openai.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": question}],
            max_tokens=LONGEST,
            stream=True,
            stream_options={"include_usage": True},
        )
        return (chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices)

    async def _ask_anthropic(self, model: str, question: str) -> AsyncIterator[str]:
        stream = await self._anthropic.messages.create(
            model=model, messages=[{"role": "user", "content": question}], max_tokens=LONGEST, stream=True
        )
        return (
            event.delta.text
            async for event in stream
            if event.type == "content_block_delta" and event.delta.type == "text_delta"
        )

"""The three providers behind the gateway: each streams the text of an answer, piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anthropic import APIStatusError as AnthropicError, AsyncAnthropic
from ollama import AsyncClient as AsyncOllama, ResponseError as OllamaError
from openai import APIStatusError as OpenAIError, AsyncOpenAI

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LONGEST = 500  # tokens of an answer
# What a provider answers in place of a stream: its `status_code` is passed on.
REFUSALS = (OpenAIError, AnthropicError, OllamaError)


class Providers:
    """Clients of the providers, one of each for all requests."""

    def __init__(self) -> None:
        self._openai = AsyncOpenAI()
        self._anthropic = AsyncAnthropic()
        self._ollama = AsyncOllama()

    async def ask(self, model: str, question: str) -> AsyncIterator[str]:
        """Return the stream of an answer, of which nothing is read yet.

        Args:
            model: whose name begins with `claude` or `llama`, or one of OpenAI's.
            question: of the user.

        Raises:
            OpenAIError, AnthropicError, OllamaError: the provider refuses.
        """
        if model.startswith("claude"):
            return await self._ask_anthropic(model, question)
        if model.startswith("llama"):
            return await self._ask_ollama(model, question)
        return await self._ask_openai(model, question)

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

    async def _ask_ollama(self, model: str, question: str) -> AsyncIterator[str]:
        stream = await self._ollama.chat(
            model=model,
            messages=[{"role": "user", "content": question}],
            options={"num_predict": LONGEST},
            stream=True,
        )
        return (chunk.message.content or "" async for chunk in stream)

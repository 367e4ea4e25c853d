"""The calls that each package is observed with: every value of request and response is there once, so that it is known again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Facts = dict[str, tuple[Any, ...]]
QUESTION = "What is the capital of Portugal?"
ANSWER = "It is Lisbon."
INSTRUCTIONS = "Answer in one sentence."
REQUEST: dict[str, Any] = {
    "model": "gpt-4o-mini",
    "messages": [{"role": "system", "content": INSTRUCTIONS}, {"role": "user", "content": QUESTION}],
    "temperature": 0.25,
    "top_p": 0.75,
    "max_tokens": 321,
    "frequency_penalty": 0.125,
    "presence_penalty": 0.375,
    "seed": 77,
    "stop": ["END"],
    "user": "user-7",
    "tools": [
        {
            "type": "function",
            "function": {"name": "get_population", "description": "Counts people", "parameters": {"type": "object"}},
        }
    ],
}
_USAGE = {
    "prompt_tokens": 101,
    "completion_tokens": 53,
    "total_tokens": 154,
    "prompt_tokens_details": {"cached_tokens": 17},
    "completion_tokens_details": {"reasoning_tokens": 11},
}
_KNOWN = {
    "id": "chatcmpl-1",
    "created": 1,
    "model": "gpt-4o-mini-2024-07-18",
    "service_tier": "flex",
    "system_fingerprint": "fp_5",
}
_MESSAGE = {"role": "assistant", "content": ANSWER}
COMPLETION = {
    **_KNOWN,
    "object": "chat.completion",
    "choices": [{"index": 0, "finish_reason": "stop", "message": _MESSAGE}],
    "usage": _USAGE,
}
_CHUNK = {**_KNOWN, "object": "chat.completion.chunk"}
CHUNKS = [
    {**_CHUNK, "choices": [{"index": 0, "finish_reason": None, "delta": _MESSAGE}]},
    {**_CHUNK, "choices": [{"index": 0, "finish_reason": "stop", "delta": {}}]},
    {**_CHUNK, "choices": [], "usage": _USAGE},
]
EMBEDDINGS = {
    "object": "list",
    "model": "text-embedding-3-small",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25, 0.125]}],
    "usage": {"prompt_tokens": 101, "total_tokens": 101},
}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [{"type": "text", "text": ANSWER}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 61,
        "output_tokens": 53,
        "cache_read_input_tokens": 17,
        "cache_creation_input_tokens": 23,
    },
}
REFUSAL = {"error": {"message": "Slow down.", "type": "requests", "param": None, "code": "rate_limit_exceeded"}}

OPENAI, STREAMED, REFUSED = "`openai` chat", "`openai` chat, streamed", "`openai` chat, refused"
EMBEDDED, ANTHROPIC = "`openai` embeddings", "`anthropic` messages"
# What a value of a call means.
_SAME: Facts = {
    "operation": ("chat",),
    "provider": ("openai",),
    "requested model": (REQUEST["model"],),
    "answering model": (COMPLETION["model"],),
    "id of the response": (COMPLETION["id"],),
    "temperature": (REQUEST["temperature"],),
    "top p": (REQUEST["top_p"],),
    "most tokens": (REQUEST["max_tokens"],),
    "frequency penalty": (REQUEST["frequency_penalty"],),
    "presence penalty": (REQUEST["presence_penalty"],),
    "seed": (REQUEST["seed"],),
    "stop sequences": ("END",),
    "user of the request": (REQUEST["user"],),
    "input tokens": (_USAGE["prompt_tokens"],),
    "output tokens": (_USAGE["completion_tokens"],),
    "all tokens": (_USAGE["total_tokens"],),
    "cached input tokens": (17,),
    "reasoning tokens": (11,),
    "finish reason": ("stop",),
    "service tier": (_KNOWN["service_tier"],),
    "system fingerprint": (_KNOWN["system_fingerprint"],),
    "server": ("127.0.0.1",),
    "HTTP status": (200,),
}
FACTS: dict[str, Facts] = {
    OPENAI: _SAME,
    STREAMED: {**_SAME, "streamed": (True,)},
    REFUSED: {"error": ("rate_limit_exceeded", "RateLimitError", "openai.RateLimitError"), "HTTP status": (429,)},
    EMBEDDED: {"operation": ("embeddings",), "dimensions": (3,), "input tokens": (101,), "encoding format": ("float",)},
    ANTHROPIC: {
        "provider": ("anthropic",),
        "requested model": ("claude-sonnet-4-5",),
        "answering model": (MESSAGE["model"],),
        "input tokens, all": (101,),
        "input tokens, neither read from a cache nor written to it": (61,),
        "input tokens written to the cache": (23,),
        "cached input tokens": (17,),
        "output tokens": (53,),
        "finish reason": ("end_turn", "stop"),
    },
}
# These stand within attributes.
TEXTS = {
    "question": QUESTION,
    "answer": ANSWER,
    "instructions": INSTRUCTIONS,
    "tool definitions": "get_population",
}


def calls(url: str) -> dict[str, tuple[Any, Callable[[], object]]]:
    """Each call by its name, with what is answered to it.

    Args:
        url: of the server that answers.
    """
    import anthropic
    import openai

    client = openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)
    claude = anthropic.Anthropic(base_url=url, api_key="none", max_retries=0)

    def refused() -> object:
        try:
            return client.chat.completions.create(**REQUEST)
        except openai.RateLimitError as error:
            return error

    usage: Any = {"include_usage": True}
    return {
        OPENAI: (COMPLETION, lambda: client.chat.completions.create(**REQUEST)),
        STREAMED: (
            CHUNKS,
            lambda: list(client.chat.completions.create(**REQUEST, stream=True, stream_options=usage)),
        ),
        REFUSED: (REFUSAL, refused),
        EMBEDDED: (
            EMBEDDINGS,
            lambda: client.embeddings.create(model="text-embedding-3-small", input=QUESTION, encoding_format="float"),
        ),
        ANTHROPIC: (
            MESSAGE,
            lambda: claude.messages.create(
                model="claude-sonnet-4-5",
                max_tokens=321,
                system=INSTRUCTIONS,
                messages=[{"role": "user", "content": QUESTION}],
            ),
        ),
    }

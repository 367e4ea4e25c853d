"""What the suite asks the servers, in each SDK's words, and what telemetry must tell of an answer.

An answer is read as the application has it, as plain dicts: `merged` puts a stream together as far as the tests need it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

QUESTION = "What is the capital of France?"
ANSWER = "The capital of France is Paris."
WEATHER = "Weather in Paris?"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"name": "get_weather", "description": "Current weather", "parameters": CITY}
TOOL = {"type": "function", "function": FUNCTION}
ARGUMENTS = {"city": "Paris"}
USAGE = {"stream_options": {"include_usage": True}}


@dataclass(frozen=True)
class Exchange:
    """One call of an SDK.

    Attributes:
        name: what it shows.
        method: of the client, as a path.
        arguments: without the model.
        servers: the fixtures of those that can answer it.
        text: the text of the answer; None for a tool call.
    """

    name: str
    method: str
    arguments: Mapping[str, Any]
    servers: Sequence[str]
    text: str | None = ANSWER
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def streamed(self) -> bool:
        """Whether the answer is asked for in pieces."""
        return self.arguments.get("stream") is True

    @property
    def api(self) -> str:
        """The part of the API: `chat`, `responses`, `completions`, `embeddings`, `messages`."""
        return self.method.partition(".")[0]

    @property
    def path(self) -> str:
        """Of the endpoint."""
        return "/v1/" + self.method.removesuffix(".create").replace(".", "/")

    @property
    def body(self) -> dict[str, Any]:
        """What is sent, but for the model and for what asks for a stream."""
        return {name: value for name, value in self.arguments.items() if not name.startswith("stream")}

    def start(self, client: Any, model: str) -> Any:
        """Makes the call; of an asynchronous client, its coroutine."""
        target = client
        for name in self.method.split("."):
            target = getattr(target, name)
        return target(model=model, **self.arguments)


def streamed(exchange: Exchange, **more: Any) -> Exchange:
    """The same, streamed."""
    return Exchange(
        f"{exchange.name}, streamed",
        exchange.method,
        {**exchange.arguments, "stream": True, **more},
        exchange.servers,
        exchange.text,
        exchange.attributes,
    )


_USER = {"role": "user", "content": QUESTION}
_SYSTEM = {"role": "system", "content": "Be brief."}
_GREEDY = {"max_tokens": 64, "temperature": 0.0}
_GREEDY_ATTRIBUTES = {"gen_ai.request.max_tokens": 64, "gen_ai.request.temperature": 0.0}

_CHAT = Exchange(
    "chat",
    "chat.completions.create",
    {"messages": [_SYSTEM, _USER], "seed": 7, **_GREEDY},
    ("llama", "litellm", "vllm", "transformers"),
    attributes={**_GREEDY_ATTRIBUTES, "gen_ai.request.seed": 7},
)
_TOOL = Exchange(
    "tool call",
    "chat.completions.create",
    {"messages": [{"role": "user", "content": WEATHER}], "tools": [TOOL], **_GREEDY},
    ("llama", "litellm", "vllm", "transformers"),
    text=None,
    attributes=_GREEDY_ATTRIBUTES,
)
_TOOL_RESULT = Exchange(
    "tool result",
    "chat.completions.create",
    {
        "messages": [
            {"role": "user", "content": WEATHER},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [
                    {
                        "id": "call_1",
                        "type": "function",
                        "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": '{"temp_c": 19}'},
        ],
        "tools": [TOOL],
        **_GREEDY,
    },
    ("llama", "litellm", "vllm"),
    text="It is 19 degrees in Paris.",
    attributes=_GREEDY_ATTRIBUTES,
)
_RESPONSE = Exchange(
    "response",
    "responses.create",
    {"input": QUESTION, "instructions": "Be brief.", "max_output_tokens": 64, "temperature": 0.0, "stream": False},
    ("llama", "litellm", "vllm", "transformers"),
    attributes=_GREEDY_ATTRIBUTES,
)
_COMPLETION = Exchange(
    "completion",
    "completions.create",
    {"prompt": f"<|im_start|>user\n{QUESTION}<|im_end|>\n<|im_start|>assistant\n", **_GREEDY},
    ("llama", "litellm", "vllm"),
    attributes=_GREEDY_ATTRIBUTES,
)
_EMBEDDINGS = Exchange(
    "embeddings",
    "embeddings.create",
    {"input": [QUESTION, ANSWER], "encoding_format": "float"},
    ("llama", "litellm"),
    text=None,
    attributes={"gen_ai.request.encoding_formats": ["float"]},
)
OPENAI = (
    _CHAT,
    streamed(_CHAT, **USAGE),
    _TOOL,
    streamed(_TOOL, **USAGE),
    _TOOL_RESULT,
    streamed(_TOOL_RESULT, **USAGE),
    _RESPONSE,
    streamed(_RESPONSE),
    _COMPLETION,
    streamed(_COMPLETION, **USAGE),
    _EMBEDDINGS,
)

_MESSAGE = Exchange(
    "message",
    "messages.create",
    {"messages": [_USER], "system": "Be brief.", "max_tokens": 64},
    ("llama", "litellm", "vllm"),
    attributes={"gen_ai.request.max_tokens": 64},
)
_TOOL_USE = Exchange(
    "tool use",
    "messages.create",
    {
        "messages": [{"role": "user", "content": WEATHER}],
        "tools": [{"name": "get_weather", "description": "Current weather", "input_schema": CITY}],
        "max_tokens": 64,
    },
    ("llama", "litellm", "vllm"),
    text=None,
    attributes={"gen_ai.request.max_tokens": 64},
)
ANTHROPIC = (_MESSAGE, streamed(_MESSAGE), _TOOL_USE, streamed(_TOOL_USE))


def pairs(exchanges: Sequence[Exchange]) -> list[Any]:
    """(server, exchange) for every server that can answer."""
    return [(server, exchange) for exchange in exchanges for server in exchange.servers]


def identity(pair: Any) -> str:
    """What a parameter of a test is called."""
    return pair.name if isinstance(pair, Exchange) else str(pair)

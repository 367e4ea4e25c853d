"""Records the cassettes of real servers: `tox -e integration -- tests/integration/record.py`, and a reading of the diff.

Requests are sent without any SDK. What is written holds no key, no name of a machine and no time of day: ids are replaced
by names in their order, addresses by the ones that the server's own documentation has.
"""

from __future__ import annotations

import json
import re
import textwrap
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from exchanges import ANTHROPIC, OPENAI, QUESTION, TOOL, WEATHER
from served import Served
from servers import Transformers as TransformersServer

CASSETTES = Path(__file__).parents[2] / "cassettes"
# What a client could tell a server by, or tells of the call.
HEADERS = (
    "content-type",
    "server",
    "x-request-id",
    "x-litellm-call-id",
    "x-litellm-version",
    "x-litellm-model-group",
    "llm_provider-server",
)
BODIES = {exchange.name: (exchange.path, exchange.body) for exchange in (*OPENAI, *ANTHROPIC)}
STREAM = {"stream": True}
USAGE = {"stream": True, "stream_options": {"include_usage": True}}
CONTINUOUS = {"stream": True, "stream_options": {"include_usage": True, "continuous_usage_stats": True}}
LONG = {"messages": [{"role": "user", "content": f"{QUESTION} " * 300}]}


@dataclass(frozen=True)
class Server:
    """How a server is described.

    Attributes:
        fixture: its name.
        words: what the first line calls it, with the version in the place of {}.
        version: the path that has it, and the member; or, without a path, what was installed.
        address: the place of its own documentation, which stands in for the port of today.
        short: what its ids are called by.
    """

    fixture: str
    words: str
    version: tuple[str, str]
    address: str
    short: str


LLAMA = Server("llama", "llama.cpp server ({})", ("/props", "build_info"), "http://127.0.0.1:8080", "llamacpp")
VLLM = Server("vllm", "vLLM {}", ("/version", "version"), "http://localhost:8000", "vllm")
LITELLM = Server(
    "litellm", "LiteLLM {} in front of llama.cpp", ("/openapi.json", "info.version"), "http://127.0.0.1:4000", "litellm"
)
TRANSFORMERS = Server(
    "transformers",
    "transformers serve {}",
    ("", TransformersServer.requirements[0].partition("==")[2]),
    "http://127.0.0.1:8000",
    "transformers",
)
OLLAMBDA = Server(
    "ollambda", "ollambda {} in front of llama.cpp", ("/api/version", "version"), "http://127.0.0.1:11434", "ollambda"
)


@dataclass(frozen=True)
class Recording:
    """One cassette: its path, the server, the exchange of the suite that it is of, what it shows, what is sent besides."""

    cassette: str
    server: Server
    exchange: str
    shows: str
    more: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = None


RECORDINGS = (
    Recording("openai/chat/vllm", VLLM, "chat", "A plain answer, with many members that are null."),
    Recording(
        "openai/chat/vllm.stream", VLLM, "chat", "The same, streamed, every chunk with the usage so far.", CONTINUOUS
    ),
    Recording("openai/chat/vllm_tool_call", VLLM, "tool call", "The model asks for a tool."),
    Recording("openai/chat/vllm_tool_call.stream", VLLM, "tool call", "The model asks for a tool. Streamed.", USAGE),
    Recording("openai/chat/vllm_unknown_model", VLLM, "chat", "A model that it does not serve.", {"model": "another"}),
    Recording("openai/chat/vllm_too_long", VLLM, "chat", "A prompt that is too long.", LONG),
    Recording("openai/responses/vllm", VLLM, "response", "A plain answer."),
    Recording("openai/responses/vllm.stream", VLLM, "response", "A plain answer. Streamed.", STREAM),
    Recording("openai/completions/vllm", VLLM, "completion", "A plain answer."),
    Recording("openai/completions/vllm.stream", VLLM, "completion", "A plain answer. Streamed.", USAGE),
    Recording("openai/chat/litellm", LITELLM, "chat", "A plain answer, with what the server behind it measured."),
    Recording(
        "openai/chat/litellm_usage.stream",
        LITELLM,
        "chat",
        "Usage comes with an empty choice, and tells text tokens apart; nothing that was measured.",
        USAGE,
    ),
    Recording("openai/chat/litellm_tool_call", LITELLM, "tool call", "The model asks for a tool."),
    Recording("openai/chat/litellm_rate_limited", LITELLM, "chat", "Too many requests.", {"model": "limited"}),
    Recording("openai/chat/litellm_wrong_key", LITELLM, "chat", "A key that it does not know.", key="wrong"),
    Recording("openai/responses/litellm", LITELLM, "response", "A chat, translated."),
    Recording("openai/responses/litellm.stream", LITELLM, "response", "A chat, translated. Streamed.", STREAM),
    Recording("openai/embeddings/litellm", LITELLM, "embeddings", "Numbers."),
    Recording("openai/chat/transformers", TRANSFORMERS, "chat", "A plain answer of a model by another name."),
    Recording(
        "openai/chat/transformers.stream",
        TRANSFORMERS,
        "chat",
        "The same, streamed: usage in the last chunk with a choice, and no [DONE].",
        USAGE,
    ),
    Recording("openai/chat/transformers_tool_call", TRANSFORMERS, "tool call", "The model asks for a tool."),
    Recording(
        "openai/chat/transformers_tool_call.stream",
        TRANSFORMERS,
        "tool call",
        "The model asks for a tool. Streamed.",
        USAGE,
    ),
    Recording(
        "openai/chat/transformers_unknown_model", TRANSFORMERS, "chat", "An error without a word.", {"model": "another"}
    ),
    Recording("openai/responses/transformers", TRANSFORMERS, "response", "A plain answer.", {"stream": False}),
    Recording("openai/responses/transformers.stream", TRANSFORMERS, "response", "A plain answer. Streamed.", STREAM),
    Recording(
        "openai/responses/transformers_not_asked",
        TRANSFORMERS,
        "response",
        "A stream that nobody asked for: the SDK gives it as a text.",
    ),
    Recording("anthropic/messages/llama_cpp", LLAMA, "message", "A plain answer."),
    Recording("anthropic/messages/llama_cpp.stream", LLAMA, "message", "A plain answer. Streamed.", STREAM),
    Recording("anthropic/messages/llama_cpp_tool_use", LLAMA, "tool use", "The model asks for a tool."),
    Recording(
        "anthropic/messages/llama_cpp_tool_use.stream",
        LLAMA,
        "tool use",
        "The model asks for a tool. Streamed.",
        STREAM,
    ),
    Recording(
        "anthropic/messages/llama_cpp_too_long",
        LLAMA,
        "message",
        "A prompt that is too long.",
        {"messages": [{"role": "user", "content": f"{QUESTION} " * 300}]},
    ),
    Recording("anthropic/messages/vllm", VLLM, "message", "A plain answer, without cached tokens."),
    Recording("anthropic/messages/vllm.stream", VLLM, "message", "A plain answer. Streamed.", STREAM),
    Recording(
        "anthropic/messages/vllm_unknown_model",
        VLLM,
        "message",
        "A model that it does not serve.",
        {"model": "another"},
    ),
    Recording("anthropic/messages/litellm", LITELLM, "message", "A chat, translated."),
    Recording(
        "anthropic/messages/litellm_usage.stream", LITELLM, "message", "Usage is zero until the end tells it.", STREAM
    ),
    Recording(
        "anthropic/messages/litellm_tool_use", LITELLM, "tool use", "Beside the tool call, a text that is empty."
    ),
    Recording(
        "ollama/chat/ollambda.stream",
        OLLAMBDA,
        "ollama",
        "An answer without counts, and without a reason.",
        {"messages": [{"role": "user", "content": QUESTION}], "stream": True},
    ),
    Recording(
        "ollama/chat/ollambda_tool_call.stream",
        OLLAMBDA,
        "ollama",
        "A call of a tool, after the last part.",
        {"messages": [{"role": "user", "content": WEATHER}], "tools": [TOOL], "stream": True},
    ),
    Recording(
        "ollama/chat/ollambda_refused",
        OLLAMBDA,
        "ollama",
        "An error that is a web page.",
        {"messages": [{"role": "user", "content": QUESTION}], "stream": False},
    ),
)


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.cassette)
def test_recording(recording: Recording, request: pytest.FixtureRequest) -> None:
    """Asks the server, and writes what it says."""
    served: Served = request.getfixturevalue(recording.server.fixture)
    path, body = BODIES.get(recording.exchange, ("/api/chat", {}))
    sent = {"model": served.model, **body, **recording.more}
    asked_twice = (ask(served, path, sent, recording.key) for _ in range(2))
    # What comes second has what can be cached in the cache, as its twin does.
    _, (status, reason, headers, text) = asked_twice
    words = scrubbed(recording.server, served, text, headers)
    cassette = CASSETTES / f"{recording.cassette}.yaml"
    cassette.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        f"# Recorded from {recording.server.words.format(version(recording.server, served))} on loopback.",
        f"# {recording.shows}",
        "interactions:",
        "- request:",
        "    method: POST",
        f"    uri: {recording.server.address}{path}",
        "    headers:",
        "      content-type: [application/json]",
        "    body: |-",
        *indented(json.dumps(sent, indent=2), 6),
        "  response:",
        f"    status: {{code: {status}, message: {reason}}}",
        "    headers:",
        *(f"      {name}: ['{replaced(value, words)}']" for name, value in headers.items() if name in HEADERS),
        "    body:",
        *string(pretty(replaced(text, words))),
        "version: 1",
    ]
    cassette.write_text("\n".join(lines) + "\n", encoding="ascii")


def ask(served: Served, path: str, body: Mapping[str, Any], key: str | None) -> tuple[int, str, dict[str, str], str]:
    """Status, its words, headers and body of an answer."""
    headers = {"content-type": "application/json", "authorization": f"Bearer {key or served.key}"}
    headers |= {"x-api-key": served.key, "anthropic-version": "2023-06-01"} if "messages" in path else {}
    request = urllib.request.Request(served.url + path, json.dumps(body).encode(), headers)
    try:
        answer = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        named = {name.lower(): value for name, value in answer.headers.items()}
        return answer.status, answer.reason, named, answer.read().decode().replace("\r\n", "\n")


def version(server: Server, served: Served) -> str:
    """What the server says of itself."""
    path, name = server.version
    if not path:
        return name
    with urllib.request.urlopen(served.url + path, timeout=60) as answer:
        found = json.load(answer)
    for member in name.split("."):
        found = found[member]
    return str(found)


def scrubbed(server: Server, served: Served, text: str, headers: Mapping[str, str]) -> dict[str, str]:
    """What is replaced -> by what."""
    words = {served.url: server.address, served.url.removeprefix("http://"): server.address.removeprefix("http://")}
    counts: dict[str, int] = {}
    for identity in [*identities(text), headers.get("x-request-id", ""), headers.get("x-litellm-call-id", "")]:
        if not identity or identity in words:
            continue
        kind = re.match(r"(?:chatcmpl-tool|chatcmpl|cmpl|call|resp|msg|toolu)[-_]", identity)
        prefix = kind[0] if kind else ""
        counts[prefix] = counts.get(prefix, 0) + 1
        words[identity] = f"{prefix}{server.short}{counts[prefix]}"
    return words


def identities(text: str) -> Iterator[str]:
    """Every id in it, in order."""
    return (found[1] for found in re.finditer(r'"(?:\w+_)?id":\s*"([^"]+)"', text))


def replaced(text: str, words: Mapping[str, str]) -> str:
    """The text with other words, the longest first, and with one time of day."""
    for word in sorted(words, key=len, reverse=True):
        text = text.replace(word, words[word])
    text = re.sub(r'("(?:created|created_at|completed_at)":\s*)[\d.]+', r"\g<1>1700000000", text)
    return re.sub(r'("created_at":\s*)"[^"]+"', r'\g<1>"2023-11-14T22:13:20Z"', text)


def pretty(text: str) -> str:
    """JSON with lines; anything else as it is."""
    try:
        return json.dumps(json.loads(text), indent=2)
    except ValueError:
        return text


def string(text: str) -> list[str]:
    """The body as a literal block, which keeps the lines at its end."""
    ends = len(text) - len(text.rstrip("\n"))
    return [f"      string: {('|-', '|', '|+')[min(ends, 2)]}", *indented(text.removesuffix("\n"), 8)]


def indented(text: str, by: int) -> list[str]:
    """Its lines, with so many blanks before each that is not empty."""
    return textwrap.indent(text, " " * by).split("\n")

"""Whatever function of ours fails in a call of a further SDK, the application gets what it gets without us, and no span stays open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import cerebras.cloud.sdk
import groq
import letta_client
import llama_api_client
import portkey_ai
import pytest
import sambanova
import writerai

from loopback import Json, ModelServer, Reply, Sse, Telemetry
from loopback.openai_bodies import chunk, completion
from opentelemetry_instrumentation_genai import instrument, uninstrument
from opentelemetry_instrumentation_genai._runtime import guard
from strikes import PlantedError, places, struck

KEY = "sk-test-not-a-key"
HI = [{"role": "user", "content": "Hi"}]
USAGE = {
    "prompt_tokens": 8,
    "completion_tokens": 3,
    "total_tokens": 11,
    "time_to_first_token": 0.1,
    "total_latency": 0.3,
}
TIMES = {"queue_time": 0.01, "prompt_time": 0.02, "completion_time": 0.04}
LLAMA = {
    "id": "c-1",
    "completion_message": {"role": "assistant", "content": "Hello", "stop_reason": "stop"},
    "metrics": [{"metric": "num_prompt_tokens", "value": 8}],
}
LLAMA_EVENTS = [
    {"id": "c-1", "event": {"event_type": "start", "delta": {"type": "text", "text": "Hel"}}},
    {
        "id": "c-1",
        "event": {
            "event_type": "progress",
            "delta": {"type": "tool_call", "id": "call_1", "function": {"name": "f", "arguments": "{}"}},
        },
    },
    {"id": "c-1", "event": {"event_type": "complete", "delta": {"type": "text", "text": ""}, "stop_reason": "stop"}},
]


def letta(kind: str, **members: Any) -> dict[str, Any]:
    """One message of an agent of Letta."""
    return {"message_type": kind, "id": "message-1", "date": "2026-01-01T00:00:00Z", **members}


LETTA = {
    "messages": [
        letta("reasoning_message", reasoning="Hm."),
        letta("tool_call_message", tool_call={"name": "f", "arguments": "{}", "tool_call_id": "call_1"}),
        letta("tool_return_message", tool_return="1", tool_call_id="call_1", status="success"),
        letta("assistant_message", content="Hello"),
    ],
    "stop_reason": {"stop_reason": "end_turn"},
    "usage": {"prompt_tokens": 8, "completion_tokens": 3},
}


class Case(NamedTuple):
    """A call: its name, what the server answers, and how a client of the server makes it."""

    name: str
    reply: Reply
    make: Callable[[str], Any]


def chats(kind: Callable[..., Any], **settings: Any) -> Callable[[str], Any]:
    """Return a call of a chat."""

    def make(url: str) -> Any:
        with kind(base_url=url, api_key=KEY, max_retries=0, **settings) as client:
            return client.chat.completions.create(model="m", messages=HI).model_dump()

    return make


def llama(url: str, **more: Any) -> Any:
    """A chat of the Llama API."""
    with llama_api_client.LlamaAPIClient(base_url=url, api_key=KEY, max_retries=0) as client:
        answer = client.chat.completions.create(model="m", messages=HI, **more)
        return [part.model_dump() for part in answer] if more else answer.model_dump()


def agent(url: str, **more: Any) -> Any:
    """A message to an agent of Letta."""
    with letta_client.Letta(base_url=url, api_key=KEY, max_retries=0) as client:
        answer = client.agents.messages.create("agent-1", messages=HI, **more)
        return [part.model_dump() for part in answer] if more else answer.model_dump()


def written(url: str, **more: Any) -> Any:
    """A completion of Writer, and an analysis of an image."""
    with writerai.Writer(base_url=url, api_key=KEY, max_retries=0) as client:
        answer = client.completions.create(model="m", prompt="Once", **more)
        return [part.model_dump() for part in answer] if more else answer.model_dump()


def looked_at(url: str) -> Any:
    """An analysis of an image by Writer."""
    with writerai.Writer(base_url=url, api_key=KEY, max_retries=0) as client:
        return client.vision.analyze(model="m", prompt="What?", variables=[]).model_dump()


def ported(url: str) -> Any:
    """A chat through Portkey."""
    return portkey_ai.Portkey(base_url=url, api_key=KEY).chat.completions.create(model="m", messages=HI).model_dump()


def prompted(url: str, **more: Any) -> Any:
    """A call by a prompt that Portkey has saved."""
    with portkey_ai.Portkey(base_url=url, api_key=KEY) as client:
        answer = client.prompts.completions.create(prompt_id="p", variables={}, **more)
        return [part.model_dump() for part in answer] if more else answer.model_dump()


CASES = [
    Case("groq", Json(completion(usage={**USAGE, **TIMES})), chats(groq.Groq)),
    Case(
        "cerebras",
        Json(completion(time_info=TIMES)),
        chats(cerebras.cloud.sdk.Cerebras, warm_tcp_connection=False),
    ),
    Case("sambanova", Json(completion(usage=USAGE)), chats(sambanova.SambaNova)),
    Case("llama_api", Json(LLAMA), llama),
    Case("llama_api stream", Sse(LLAMA_EVENTS, done=False), lambda url: llama(url, stream=True)),
    Case("letta", Json(LETTA), agent),
    Case(
        "letta stream",
        Sse(
            [
                *LETTA["messages"],
                letta("stop_reason", stop_reason="end_turn"),
                letta("usage_statistics", prompt_tokens=8),
            ]
        ),
        lambda url: agent(url, streaming=True),
    ),
    Case("writer", Json({"choices": [{"text": " upon"}]}), written),
    Case("writer stream", Sse([{"value": " upon"}]), lambda url: written(url, stream=True)),
    Case("writer image", Json({"data": "A tram."}), looked_at),
    Case("portkey", Json(completion()), ported),
    Case("portkey prompt", Json(completion()), prompted),
    Case("portkey prompt stream", Sse([chunk({"content": "Hello"})]), lambda url: prompted(url, stream=True)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_step_that_fails(
    case: Case, server: ModelServer, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each function of the SDK's adapter, and each that all share, raises once at its entry."""
    monkeypatch.setattr(guard, "strict", False)
    server.reply_always(case.reply)
    bare = case.make(server.url)
    instrument(**telemetry.providers, capture_message_content="span_and_event")
    assert case.make(server.url) == bare
    passed = [place for place in places(lambda: case.make(server.url)) if place.entry and own(place.module)]
    assert passed
    for place in passed:
        telemetry.clear()
        with struck(place, PlantedError()):
            assert case.make(server.url) == bare, place
        assert len(telemetry.spans) <= 1, place
        assert case.make(server.url) == bare
        assert telemetry.spans[-1].name != "", place
    uninstrument()
    telemetry.clear()
    assert case.make(server.url) == bare
    assert telemetry.spans == []


def own(module: str) -> bool:
    """Whether a module is one that only the further SDKs need."""
    shared = ("_adapter/openai_api/timings.py", "_adapter/host_providers.py", "_patching/stainless_instrumentor.py")
    return module.startswith("sdks/") or module in shared

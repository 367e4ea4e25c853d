"""Texts of the application and of the model are recorded unchanged: a null stays a null, on span, event and hook.

An SDK's models have members that nobody gave; these alone are left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import anthropic
import ollama
import openai
import pydantic
import pytest

from loopback import Json, Ndjson, Sse, anthropic_bodies, openai_bodies
from opentelemetry_instrumentation_genai import AnthropicInstrumentor, OllamaInstrumentor, OpenAIInstrumentor

INPUT, OUTPUT, TOOLS = "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.tool.definitions"
DETAILS = "gen_ai.client.inference.operation.details"
ARGUMENTS = {"id": 1, "end": None, "of": [None, {"deep": None}]}
SCHEMA = {
    "type": "object",
    "properties": {"end": {"const": None}, "start": {"enum": ["now", None], "default": None}},
}


class Api(NamedTuple):
    """An SDK: its instrumentor, a client of it, a call with a tool, its result and its history, and the answer with a tool call."""

    name: str
    instrumentor: Callable[[], Any]
    client: Callable[[str], Any]
    call: Callable[..., Any]
    answer: Any
    events: Any


TOOL_CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": json.dumps(ARGUMENTS)}}
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": SCHEMA}}
TOOL_USE = {"type": "tool_use", "id": "c", "name": "f", "input": ARGUMENTS}
OLLAMA_CALL = {"function": {"name": "f", "arguments": ARGUMENTS}}


def _ollama_answer(**more: Any) -> dict[str, Any]:
    return {"model": "m", "message": {"role": "assistant", "content": "", **more}, "done": True, "done_reason": "stop"}


APIS = [
    Api(
        "openai chat",
        OpenAIInstrumentor,
        lambda url: openai.OpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0),
        lambda client, **more: client.chat.completions.create(
            model="m",
            messages=[
                {"role": "assistant", "content": None, "tool_calls": [TOOL_CALL]},
                {"role": "tool", "tool_call_id": "c", "content": json.dumps({"left": None})},
            ],
            tools=[FUNCTION],
            **more,
        ),
        Json(
            openai_bodies.completion(
                choices=[
                    {
                        "index": 0,
                        "finish_reason": "tool_calls",
                        "message": {"role": "assistant", "content": None, "refusal": None, "tool_calls": [TOOL_CALL]},
                    }
                ]
            )
        ),
        Sse(
            [
                openai_bodies.chunk({"role": "assistant", "tool_calls": [{"index": 0, **TOOL_CALL}]}),
                openai_bodies.chunk(reason="tool_calls"),
            ]
        ),
    ),
    Api(
        "anthropic",
        AnthropicInstrumentor,
        lambda url: anthropic.Anthropic(base_url=url, api_key="k", max_retries=0),
        lambda client, **more: client.messages.create(
            model="m",
            max_tokens=9,
            messages=[
                {"role": "assistant", "content": [TOOL_USE]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "null"}]},
            ],
            tools=[{"name": "f", "input_schema": SCHEMA}],
            **more,
        ),
        Json(anthropic_bodies.message(TOOL_USE, stop_reason="tool_use")),
        Sse(
            [
                anthropic_bodies.started(),
                anthropic_bodies.opened({**TOOL_USE, "input": {}}),
                anthropic_bodies.piece("input_json_delta", partial_json=json.dumps(ARGUMENTS)),
                anthropic_bodies.closed(),
                *anthropic_bodies.ended(reason="tool_use"),
            ],
            event_names=True,
        ),
    ),
    Api(
        "ollama",
        OllamaInstrumentor,
        lambda url: ollama.Client(host=url, verify=False),
        lambda client, **more: client.chat(
            model="m",
            messages=[{"role": "assistant", "content": "", "tool_calls": [OLLAMA_CALL]}],
            tools=[FUNCTION],
            **more,
        ),
        Json(_ollama_answer(tool_calls=[OLLAMA_CALL])),
        Ndjson([{**_ollama_answer(tool_calls=[OLLAMA_CALL]), "done": False}, _ollama_answer()]),
    ),
]


@pytest.fixture
def opened() -> Iterator[Callable[[Any], Any]]:
    """Closes clients after the test."""
    with ExitStack() as stack:

        def close_later(client: Any) -> Any:
            stack.callback(getattr(client, "close", None) or client._client.close)
            return client

        yield close_later


def recorded(telemetry: Any, completions: list[Any]) -> dict[str, Any]:
    """The content of the one call, which span, event and hook have alike."""
    names = (INPUT, OUTPUT, TOOLS)
    on_span = {name: json.loads(telemetry.span.attributes[name]) for name in names}
    (event,) = [event for event in telemetry.events if event.event_name == DETAILS]
    in_event = json.loads(json.dumps({name: event.attributes[name] for name in names}))
    (completion,) = completions
    assert on_span == in_event == {name: json.loads(completion.content[name]) for name in names}
    return on_span


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("api", APIS, ids=lambda api: api.name)
def test_a_null_of_the_model_or_the_application_stays_one(server, telemetry, opened, api, streamed):
    """In tool arguments, of the history and of the answer, and in JSON schemas; on span, event and hook."""
    completions: list[Any] = []
    instrumentor = api.instrumentor()
    instrumentor.instrument(**telemetry.providers, capture_message_content=True, completion_hook=completions.append)
    server.reply(api.events if streamed else api.answer)
    answer = api.call(opened(api.client(server.url)), **({"stream": True} if streamed else {}))
    if streamed:
        list(answer)
    instrumentor.uninstrument()

    content = recorded(telemetry, completions)
    sent = server.requests[0].json
    history = [part for message in content[INPUT] for part in message["parts"] if part["type"] == "tool_call"]
    answered = [part for message in content[OUTPUT] for part in message["parts"] if part["type"] == "tool_call"]
    assert [_sent_arguments(sent)] == [part["arguments"] for part in history]
    assert [ARGUMENTS] == [part["arguments"] for part in answered]
    (tool,) = content[TOOLS]
    assert _sent_schema(sent) == tool["parameters"]


def _sent_arguments(sent: Any) -> Any:
    """What the server was given: Ollama's SDK leaves out nulls itself."""
    message = sent["messages"][0]
    if message.get("tool_calls"):
        given = message["tool_calls"][0]["function"]["arguments"]
        return json.loads(given) if isinstance(given, str) else given
    return message["content"][0]["input"]


def _sent_schema(sent: Any) -> Any:
    (tool,) = sent["tools"]
    return tool["input_schema"] if "input_schema" in tool else tool["function"]["parameters"]


def test_a_null_in_items_of_responses_stays_one(server, telemetry, openai_client):
    """Arguments, schemas and results of the Responses API; what its models have and nobody gave is left out."""
    client = openai_client()
    if not hasattr(client, "responses"):
        pytest.skip("this version of openai has no Responses API")
    call = {"type": "function_call", "id": "fc", "call_id": "c", "name": "f", "arguments": json.dumps(ARGUMENTS)}
    found = {"type": "mcp_call", "id": "m", "server_label": "s", "name": "t", "arguments": "{}", "output": "null"}
    listed = {
        "type": "mcp_list_tools",
        "id": "l",
        "server_label": "s",
        "tools": [{"name": "t", "input_schema": SCHEMA}],
    }
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content=True)
    server.reply(Json(openai_bodies.response(output=[call, {**found, "error": None}, listed])))

    client.responses.create(
        model="m", input=[call], tools=[{"type": "function", "name": "f", "parameters": SCHEMA, "strict": None}]
    )

    attributes = telemetry.span.attributes
    (tool,) = json.loads(attributes[TOOLS])
    (message,) = json.loads(attributes[OUTPUT])
    assert {"type": "function", "name": "f", "parameters": SCHEMA} == tool
    assert ARGUMENTS == json.loads(attributes[INPUT])[0]["parts"][0]["arguments"] == message["parts"][0]["arguments"]
    listing = message["parts"][-1]["server_tool_call_response"]
    assert {"type": "mcp_list_tools", "tools": [{"name": "t", "input_schema": SCHEMA}]} == listing
    assert "error" not in repr(message["parts"])


class Place(pydantic.BaseModel):
    """A model of the application's own, of which the SDKs send what was given."""

    city: str
    street: str | None = None
    number: int | None = None


def test_a_null_that_the_application_gave_its_own_model_stays_one(server, telemetry, opened):
    """What it did not give is not sent, and not recorded."""
    AnthropicInstrumentor().instrument(**telemetry.providers, capture_message_content=True)
    server.reply(Json(anthropic_bodies.message(anthropic_bodies.text("Hi"))))
    client = opened(anthropic.Anthropic(base_url=server.url, api_key="k", max_retries=0))
    use = {"type": "tool_use", "id": "c", "name": "f", "input": Place(city="Lima", street=None)}
    client.messages.create(model="m", max_tokens=9, messages=[{"role": "assistant", "content": [use]}])

    (message,) = json.loads(telemetry.span.attributes[INPUT])
    sent = server.requests[0].json["messages"][0]["content"][0]["input"]
    assert {"city": "Lima", "street": None} == sent == message["parts"][0]["arguments"]

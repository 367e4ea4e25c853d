"""Automatic function calling of the `google-genai` SDK: each function that the SDK calls is the execution of a tool."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from inline_snapshot import snapshot

pytest.importorskip("google.genai")

from google.genai import types

from google_callers import Caller
from loopback import Json, ModelServer, Sse, Telemetry
from loopback.google_bodies import MODEL, calling, response
from opentelemetry_instrumentation_genai import GoogleGenAIInstrumentor

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")  # the SDK's own, of aiohttp
ROME, OSLO = ({"name": "weather", "id": f"call-{city}", "args": {"city": city}} for city in ("Rome", "Oslo"))
ENDPOINTS = ("generate_content", "generate_content_stream", "send_message", "send_message_stream")


def tree(telemetry: Telemetry) -> list[str]:
    """The spans by their start, each below its parents, with its error."""
    spans = {span.context.span_id: span for span in telemetry.spans}

    def path(span: Any) -> str:
        above = spans.get(span.parent.span_id) if span.parent else None
        return span.name if above is None else f"{path(above)} > {span.name}"

    return [
        path(span) + (f": {span.attributes['error.type']}" if span.status.status_code.name == "ERROR" else "")
        for span in sorted(spans.values(), key=lambda span: span.start_time)
    ]


WHOLE = [
    f"generate_content {MODEL}",
    "execute_tool weather",
    "execute_tool weather > look up",
    "execute_tool weather",
    "execute_tool weather > look up",
    f"generate_content {MODEL}",
]


@pytest.fixture
def weather(telemetry: Telemetry) -> Callable[[str], str]:
    """A function with a span of its own."""
    own = telemetry.tracer_provider.get_tracer("application")

    def weather(city: str) -> str:
        """Look up the weather."""
        with own.start_as_current_span("look up"):
            return f"sunny in {city}"

    return weather


@pytest.fixture
def async_weather(weather: Callable[[str], str]) -> Any:
    """The same as a coroutine function."""
    looked_up = weather

    async def weather(city: str) -> str:
        """Look up the weather."""
        await asyncio.sleep(0)
        return looked_up(city)

    return weather


@pytest.fixture
def tools(weather: Any, async_weather: Any) -> dict[str, Any]:
    """The function for each kind of call."""
    return {"sync": weather, "async": weather, "coroutine": async_weather}


def asked(method: str, tools: list[Any], **config: Any) -> Callable[[Any, Any], Any]:
    """A function that asks by a method of models or of a chat, and returns the last text."""
    given = types.GenerateContentConfig(tools=tools, **config)

    async def use(client: Any, done: Any) -> str:
        if method.startswith("send"):
            result = getattr(client.chats.create(model=MODEL, config=given), method)("Is it sunny?")
        else:
            result = getattr(client.models, method)(model=MODEL, contents="Is it sunny?", config=given)
        result = await done(result)
        if hasattr(result, "__anext__"):
            return [chunk.text async for chunk in result][-1]
        return [chunk.text for chunk in result][-1] if hasattr(result, "__next__") else result.text

    return use


def replies(method: str, *bodies: Any) -> list[Any]:
    """Answers for a method."""
    return [Sse([body], done=False) if method.endswith("stream") else Json(body) for body in bodies]


@pytest.mark.parametrize("method", ENDPOINTS)
@pytest.mark.parametrize("kind", ["sync", "async", "coroutine"])
def test_functions(server: ModelServer, telemetry: Telemetry, tools: dict[str, Any], method: str, kind: str):
    """Each is a span of its own, current while the function runs; so are the calls of the model."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(*replies(method, calling(ROME, OSLO), response()))
    caller = Caller(server, "sync" if kind == "sync" else "async")
    assert caller.run(asked(method, [tools[kind]])) == "Hello"
    assert tree(telemetry) == WHOLE
    tools = [span for span in telemetry.spans if span.name == "execute_tool weather"]
    assert [span.attributes["gen_ai.tool.call.id"] for span in tools] == ["call-Rome", "call-Oslo"]
    assert telemetry.metrics["gen_ai.execute_tool.duration"][0].count == 2


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_all_of_one_function(server: ModelServer, telemetry: Telemetry, weather: Any, kind: str):
    """Its span has what is known of it; arguments and result where content is recorded."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    server.reply(*replies("", calling(ROME), response()))
    Caller(server, kind).run(asked("generate_content", [weather]))
    (span,) = [span for span in telemetry.snapshot()["spans"] if span["name"] == "execute_tool weather"]
    assert span == snapshot(
        {
            "name": "execute_tool weather",
            "kind": "INTERNAL",
            "status": {"code": "UNSET", "description": None},
            "attributes": {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.call.arguments": '{"city":"Rome"}',
                "gen_ai.tool.call.id": "call-Rome",
                "gen_ai.tool.call.result": "sunny in Rome",
                "gen_ai.tool.description": "Look up the weather.",
                "gen_ai.tool.name": "weather",
                "gen_ai.tool.type": "function",
            },
            "events": [],
            "parent": None,
            "scope": "opentelemetry_instrumentation_genai",
        }
    )


def test_no_content_by_default(server: ModelServer, telemetry: Telemetry, weather: Any):
    """Neither arguments nor results are recorded."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(*replies("", calling(ROME), response()))
    Caller(server).run(asked("generate_content", [weather]))
    recorded = json.dumps(telemetry.snapshot())
    assert not [word for word in ('city": "Rome', "sunny") if word in recorded]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_function_that_raises(server: ModelServer, telemetry: Telemetry, kind: str):
    """It fails with what it has raised, which the SDK gives to the model; the calls of the model do not fail."""

    def weather(city: str) -> str:
        raise LookupError(city)

    seen = []
    for settings in ({}, telemetry.providers):
        if settings:
            GoogleGenAIInstrumentor().instrument(**settings)
        server.reply(*replies("", calling(ROME), response()))
        Caller(server, kind).run(asked("generate_content", [weather]))
        seen.append(server.requests[-1].body)
    assert seen[0] == seen[1]
    assert tree(telemetry) == [WHOLE[0], "execute_tool weather: LookupError", WHOLE[0]]


def test_arguments_that_do_not_fit(server: ModelServer, telemetry: Telemetry, weather: Any):
    """The SDK does not call the function: the execution fails with what the SDK raises."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(*replies("", calling({"name": "weather", "args": {"city": [1]}}), response()))
    Caller(server).run(asked("generate_content", [weather]))
    assert tree(telemetry) == snapshot(
        [
            "generate_content gemini-2.5-flash",
            "execute_tool weather: google.genai.errors.UnknownFunctionCallArgumentError",
            "generate_content gemini-2.5-flash",
        ]
    )


def test_an_interrupt_in_a_function(server: ModelServer, telemetry: Telemetry):
    """It reaches the application, and the span ends."""

    def weather(city: str) -> str:
        raise KeyboardInterrupt

    GoogleGenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(*replies("", calling(ROME)))
    client = Caller(server).client()
    with pytest.raises(KeyboardInterrupt):
        client.models.generate_content(model=MODEL, contents="Hi", config=types.GenerateContentConfig(tools=[weather]))
    client._api_client._httpx_client.close()
    assert tree(telemetry) == [WHOLE[0], "execute_tool weather: KeyboardInterrupt"]


def test_a_cancelled_function(server: ModelServer, telemetry: Telemetry):
    """The task that waits for it is cancelled: the span ends as a failure."""

    async def weather(city: str) -> str:
        await asyncio.sleep(60)
        return city

    GoogleGenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(*replies("", calling(ROME)))

    async def use(client: Any, done: Any) -> None:
        task = asyncio.ensure_future(asked("generate_content", [weather])(client, done))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    Caller(server, "async").run(use)
    assert tree(telemetry) == [WHOLE[0], "execute_tool weather: asyncio.exceptions.CancelledError"]


def test_functions_that_the_application_calls(server: ModelServer, telemetry: Telemetry, weather: Any):
    """Where automatic calling is disabled, there is the call of the model alone."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(*replies("", calling(ROME)))
    disabled = types.AutomaticFunctionCallingConfig(disable=True)
    Caller(server).run(asked("generate_content", [weather], automatic_function_calling=disabled))
    assert tree(telemetry) == WHOLE[:1]


def test_the_result_is_the_same(server: ModelServer, telemetry: Telemetry, weather: Any):
    """With and without the instrumentation the model gets the same responses of functions."""
    sent = []
    for settings in ({}, telemetry.providers):
        if settings:
            GoogleGenAIInstrumentor().instrument(**settings, capture_message_content=True)
        server.reply(*replies("", calling(ROME, OSLO), response()))
        assert Caller(server).run(asked("send_message", [weather])) == "Hello"
        sent.append([request.body for request in server.requests[-2:]])
    assert sent[0] == sent[1]

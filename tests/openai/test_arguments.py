"""What the caller passes is sent as it is and stays as it was, with content captured or not.

Each call is made without the instrumentation first; what the server received then, it must receive again.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from types import MappingProxyType
from typing import Any

import openai
import pytest

from loopback import Json, Sse
from loopback.openai_bodies import CHAT, MODEL, chunks, completion, response
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

MESSAGES = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "Hi"}], "name": "Ada"},
    {
        "role": "assistant",
        "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    },
    {"role": "tool", "tool_call_id": "1", "content": "42"},
]
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"a": {}}}}}]
ITEMS = [
    {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
    {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "1", "output": "42"},
]
# Headers in which two requests of the same call differ.
VOLATILE = {"x-stainless-read-timeout", "idempotency-key", "connection"}
Call = Callable[[Any], Any]


def generator(values: Iterable[Any]) -> Iterator[Any]:
    """One that can be walked once."""
    yield from values


@pytest.fixture(params=["no_content", "span_and_event"])
def mode(request) -> str:
    """Content captured or not."""
    return request.param


@pytest.fixture
def sent(server) -> Callable[[Call, Any], Any]:
    """Makes a call and returns what the server received, and what became of it."""

    def send(call: Call, client: Any) -> Any:
        server.reset()
        server.reply_always(Json(completion()))
        try:
            result = type(call(client)).__name__
        except Exception as error:
            result = f"{type(error).__name__}: {error}"
        return result, [
            (request.method, request.path, request.body, kept(request.headers)) for request in server.requests
        ]

    return send


def kept(headers: dict[str, str]) -> dict[str, str]:
    """The headers, without those that always differ."""
    return {name: value for name, value in headers.items() if name not in VOLATILE}


@pytest.fixture
def same_as_bare(sent, telemetry, openai_client, mode) -> Callable[[Call], Any]:
    """Makes a call without and with the instrumentation, compares what the server received, and returns it."""

    def compare(call: Call) -> Any:
        client = openai_client()
        bare = sent(call, client)
        OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content=mode)
        followed = sent(call, client)
        OpenAIInstrumentor().uninstrument()
        assert bare == followed
        return followed

    return compare


ONE_SHOT: dict[str, Call] = {
    "messages": lambda client: client.chat.completions.create(model=MODEL, messages=generator(MESSAGES)),
    "tools": lambda client: client.chat.completions.create(
        model=MODEL, messages=generator(MESSAGES), tools=generator(TOOLS)
    ),
    "parts": lambda client: client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": generator(MESSAGES[1]["content"])}]
    ),
    "stop": lambda client: client.chat.completions.create(**CHAT, stop=generator(["a", "b"])),
    "raw": lambda client: client.chat.completions.with_raw_response.create(model=MODEL, messages=generator(MESSAGES)),
    "map": lambda client: client.chat.completions.create(model=MODEL, messages=map(dict, MESSAGES)),
    "prompt": lambda client: client.completions.create(model=MODEL, prompt=generator(["a", "b"])),
    "tokens": lambda client: client.completions.create(model=MODEL, prompt=generator([1, 2])),
    "input": lambda client: client.embeddings.create(model=MODEL, input=generator(["a", "b"]), encoding_format="float"),
    "by hand": lambda client: client.post(
        "/chat/completions", body={"model": MODEL, "messages": generator(MESSAGES)}, cast_to=object
    ),
    "extra_body": lambda client: client.chat.completions.create(**CHAT, extra_body={"tools": generator(TOOLS)}),
}
ONE_SHOT_RESPONSES: dict[str, Call] = {
    "input": lambda client: client.responses.create(model=MODEL, input=generator(ITEMS)),
    "tools": lambda client: client.responses.create(model=MODEL, input="Hi", tools=generator(TOOLS)),
    "include": lambda client: client.responses.create(model=MODEL, input="Hi", include=generator(["a"])),
}


@pytest.mark.parametrize("call", ONE_SHOT.values(), ids=ONE_SHOT)
def test_what_can_be_walked_once(same_as_bare, call):
    """A generator reaches the server as it does without us: whole, or refused by the SDK in the same words."""
    same_as_bare(call)


@pytest.mark.skipif(not hasattr(openai.OpenAI, "responses"), reason="this SDK has no responses")
@pytest.mark.parametrize("call", ONE_SHOT_RESPONSES.values(), ids=ONE_SHOT_RESPONSES)
def test_what_can_be_walked_once_of_responses(same_as_bare, call):
    """The same for the Responses API."""
    same_as_bare(call)


def test_generators_do_arrive(same_as_bare, server):
    """The SDK takes generators of messages and tools: all of them arrive."""
    same_as_bare(ONE_SHOT["tools"])

    body = server.requests[0].json
    assert (MESSAGES, TOOLS) == (body["messages"], body["tools"])


async def test_generators_of_asynchronous_calls(server, telemetry, async_openai_client, mode):
    """And of an asynchronous client's, streamed."""
    server.reply(Sse(chunks("Hello")))
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content=mode)
    create = async_openai_client().chat.completions.create

    async for _ in await create(model=MODEL, messages=generator(MESSAGES), tools=generator(TOOLS), stream=True):
        pass

    body = server.requests[0].json
    assert (MESSAGES, TOOLS, True) == (body["messages"], body["tools"], body["stream"])


def deep(**given: Any) -> dict[str, Any]:
    """A request with something mutable in every place."""
    return {
        "model": MODEL,
        "messages": copy.deepcopy(MESSAGES),
        "tools": copy.deepcopy(TOOLS),
        "stop": ["a"],
        "logit_bias": {"1": 1},
        "response_format": {"type": "json_object"},
        "extra_headers": {"X-One": "1"},
        "extra_query": {"q": "1"},
        "extra_body": {"seed": 5, "nested": {"a": [1]}},
        **given,
    }


@pytest.mark.parametrize("variant", ["plain", "stream", "raw", "raw stream"])
def test_arguments_stay_as_they_were(server, telemetry, openai_client, mode, variant):
    """No dict and no list that was passed is changed, at no depth."""
    raw, stream = "raw" in variant, "stream" in variant
    server.reply(Sse(chunks("Hello")) if stream else Json(completion()))
    given = deep(stream=True, stream_options={"include_usage": True}) if stream else deep()
    before = copy.deepcopy(given)
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content=mode)
    completions = openai_client().chat.completions

    answer = (completions.with_raw_response if raw else completions).create(**given)
    answer = answer.parse() if raw else answer
    if stream:
        list(answer)

    assert before == given
    assert 5 == telemetry.span.attributes["gen_ai.request.seed"]


@pytest.mark.skipif(not hasattr(openai.OpenAI, "responses"), reason="this SDK has no responses")
def test_arguments_of_responses_stay_as_they_were(server, telemetry, openai_client, mode):
    """The same for the Responses API."""
    server.reply(Json(response()))
    given = {"model": MODEL, "input": copy.deepcopy(ITEMS), "tools": copy.deepcopy(TOOLS), "extra_body": {"a": [1]}}
    before = copy.deepcopy(given)
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content=mode)

    openai_client().responses.create(**given)

    assert before == given


def test_the_body_of_a_call_by_hand(server, telemetry, openai_client, mode):
    """A body that is passed to `client.post` is sent, and is the caller's own again afterwards."""
    server.reply(Json(completion()))
    given = {"model": MODEL, "messages": copy.deepcopy(MESSAGES), "stream": False}
    before = copy.deepcopy(given)
    options = {"headers": {"X-One": "1"}, "params": {"q": "1"}, "extra_json": {"seed": 5}}
    options_before = copy.deepcopy(options)
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content=mode)

    openai_client().post("/chat/completions", body=given, options=options, cast_to=object)

    assert (before, options_before) == (given, options)
    assert {**before, "seed": 5} == server.requests[0].json


UNUSUAL: dict[str, Call] = {
    "tuples": lambda client: client.chat.completions.create(model=MODEL, messages=tuple(MESSAGES), stop=("a", "b")),
    "a read-only mapping": lambda client: client.chat.completions.create(
        model=MODEL, messages=[MappingProxyType(MESSAGES[0])]
    ),
    "a model of the SDK": lambda client: client.chat.completions.create(
        model=MODEL,
        messages=[*MESSAGES, openai.types.chat.ChatCompletionMessage(role="assistant", content="Hello")],
    ),
    "extra_body over the arguments": lambda client: client.chat.completions.create(
        **CHAT, temperature=0.1, extra_body={"temperature": 0.9, "model": "other"}
    ),
    "extra_body of another type": lambda client: client.chat.completions.create(**CHAT, extra_body=[1]),
    "headers": lambda client: client.chat.completions.create(
        **CHAT, extra_headers={"X-One": "1", "Authorization": "Bearer mine"}, extra_query={"q": "1"}
    ),
    "trace headers of the caller's": lambda client: client.chat.completions.create(
        **CHAT, extra_headers={"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    ),
    "a timeout": lambda client: client.chat.completions.create(**CHAT, timeout=5),
    "sentinels": lambda client: client.chat.completions.create(
        **CHAT, temperature=openai.NOT_GIVEN, tools=openai.NOT_GIVEN, seed=openai.NOT_GIVEN
    ),
    "nulls": lambda client: client.chat.completions.create(**CHAT, temperature=None, stop=None, seed=None, n=None),
    "an empty list": lambda client: client.chat.completions.create(model=MODEL, messages=[]),
}


@pytest.mark.parametrize("call", UNUSUAL.values(), ids=UNUSUAL)
def test_unusual_arguments(same_as_bare, call):
    """Whatever is passed, the server receives the same as without us, byte for byte, headers included."""
    same_as_bare(call)


def test_extra_body_is_what_counts(server, telemetry, openai_client):
    """What `extra_body` puts over the arguments is what was asked for, and what is recorded."""
    server.reply(Json(completion()))
    OpenAIInstrumentor().instrument(**telemetry.providers)

    openai_client().chat.completions.create(
        **CHAT, temperature=0.1, extra_body={"temperature": 0.9, "model": "other", "top_k": 3}
    )

    attributes = telemetry.span.attributes
    assert ("chat other", "other") == (telemetry.span.name, attributes["gen_ai.request.model"])
    assert (0.9, 3) == (attributes["gen_ai.request.temperature"], attributes["gen_ai.request.top_k"])


def test_sentinels_and_nulls_are_not_recorded(server, telemetry, openai_client):
    """What the request does not say is no attribute; zero and false are values."""
    server.reply(Json(completion()))
    OpenAIInstrumentor().instrument(**telemetry.providers)

    openai_client().chat.completions.create(
        **CHAT, temperature=0, seed=0, top_p=openai.NOT_GIVEN, stop=None, n=None, max_tokens=openai.NOT_GIVEN
    )

    asked = {name: value for name, value in telemetry.span.attributes.items() if name.startswith("gen_ai.request.")}
    assert {"gen_ai.request.model": MODEL, "gen_ai.request.temperature": 0.0, "gen_ai.request.seed": 0} == asked
    assert float is type(asked["gen_ai.request.temperature"])


def test_no_header_is_added(server, telemetry, openai_client):
    """Nothing of ours, a trace header neither, goes to the provider."""
    server.reply_always(Json(completion()))
    client = openai_client()
    client.chat.completions.create(**CHAT)
    OpenAIInstrumentor().instrument(**telemetry.providers)
    with telemetry.tracer_provider.get_tracer("application").start_as_current_span("caller"):
        client.chat.completions.create(**CHAT)

    bare, followed = (kept(request.headers) for request in server.requests)
    assert bare == followed


def test_content_is_that_of_the_time_of_the_call(server, telemetry, openai_client):
    """What the application changes in its messages while it reads a stream is not what was asked."""
    server.reply(Sse(chunks("Hel", "lo")))
    messages = [{"role": "user", "content": "before"}]
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")

    for _ in openai_client().chat.completions.create(model=MODEL, messages=messages, stream=True):
        messages[0]["content"] = "after"
        messages.append({"role": "user", "content": "after"})

    assert "before" in telemetry.span.attributes["gen_ai.input.messages"]
    assert "after" not in telemetry.span.to_json()
    (event,) = telemetry.events
    assert "after" not in repr(event.attributes)


def test_results_are_the_sdk_s_own(server, telemetry, openai_client, mode):
    """Types and members of what is returned are the SDK's."""
    server.reply_always(Json(completion(), headers={"x-request-id": "req_1"}))
    client = openai_client()
    bare = client.chat.completions.create(**CHAT)
    bare_raw = client.chat.completions.with_raw_response.create(**CHAT)
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content=mode)

    answer = client.chat.completions.create(**CHAT)
    raw = client.chat.completions.with_raw_response.create(**CHAT)

    assert bare == answer
    assert (type(bare), vars(bare).keys()) == (type(answer), vars(answer).keys())
    assert (type(bare_raw), vars(bare_raw).keys()) == (type(raw), vars(raw).keys())
    assert bare_raw.parse() == raw.parse()
    assert bare_raw.headers == raw.headers

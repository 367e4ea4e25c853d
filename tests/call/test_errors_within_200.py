"""Errors that a provider reports in a response of status 200, and that the SDK does not raise: the call has failed all the same."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import anthropic
import openai
import pytest

from contract.drive import WAYS, Way, listed, settled
from loopback import Json, ModelServer, Reply, Sse, Telemetry, anthropic_bodies, openai_bodies
from loopback.openai_bodies import chunk, completion
from opentelemetry_instrumentation_genai import AnthropicInstrumentor, OpenAIInstrumentor

DURATION = "gen_ai.client.operation.duration"
BY_WAY = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
EMBED = {"model": openai_bodies.MODEL, "input": "Hi", "encoding_format": "float"}
COMPLETE = {"model": openai_bodies.MODEL, "prompt": "Hi"}
RESPOND = {"model": openai_bodies.MODEL, "input": "Hi"}


class Case(NamedTuple):
    """An answer of status 200 that reports an error.

    Attributes:
        method: of the client, by its path.
        request: its arguments.
        body: what the server answers.
        span: `error.type` on the span.
        point: the same on the duration, where it differs.
        instrumentor: of the SDK.
    """

    method: str
    request: Any
    body: Any
    span: str
    point: str | None = None
    instrumentor: Any = OpenAIInstrumentor


def chat(body: Any, span: str, point: str | None = None) -> Case:
    """A chat completion."""
    return Case("chat.completions.create", openai_bodies.CHAT, body, span, point)


def of_choice(error: Any) -> dict[str, Any]:
    """A completion with an error in its second choice."""
    whole = completion()["choices"][0]
    return completion(choices=[whole, {"index": 1, "finish_reason": "error", "error": error, "message": None}])


CASES = {
    "a number": chat({"error": {"code": 502, "message": "Provider returned error"}}, "502"),
    "a number as text": chat({"error": {"code": "1301", "message": "No"}}, "1301"),
    "a word": chat({"error": {"code": "model_overloaded", "message": "No"}}, "model_overloaded"),
    "a type": chat({"error": {"code": None, "type": "server_error", "message": "No"}}, "server_error"),
    "a number and a type": chat({"error": {"code": 400, "type": "BadRequestError"}}, "BadRequestError"),
    "an id": chat({"error": {"code": "req-8f1c2a77b3"}}, "req-8f1c2a77b3", "error"),
    "a text": chat({"error": "the model has crashed"}, "error"),
    "beside a whole response": chat(completion(error={"code": 504}), "504"),
    "in a choice": chat(of_choice({"code": 502, "message": "No"}), "502"),
    "in a choice, a word": chat(of_choice({"code": "content_blocked"}), "content_blocked"),
    "MiniMax": chat({"choices": None, "base_resp": {"status_code": 1004, "status_msg": "No"}}, "1004"),
    "completions": Case("completions.create", COMPLETE, {"error": {"code": 502}}, "502"),
    "embeddings": Case("embeddings.create", EMBED, {"error": {"code": 502, "message": "No"}}, "502"),
    "responses": Case("responses.create", RESPOND, {"error": {"code": 502, "message": "No"}}, "502"),
    "messages": Case(
        "messages.create",
        anthropic_bodies.MESSAGES,
        anthropic_bodies.error("Overloaded"),
        "overloaded_error",
        instrumentor=AnthropicInstrumentor,
    ),
    "messages, of a gateway": Case(
        "messages.create",
        anthropic_bodies.MESSAGES,
        {"error": {"code": 529, "message": "No"}},
        "529",
        instrumentor=AnthropicInstrumentor,
    ),
}
# What has a member of that name and is no error.
FINE = {
    "null": completion(error=None),
    "empty": completion(error={}),
    "an empty text": completion(error=""),
    "MiniMax": completion(base_resp={"status_code": 0, "status_msg": "success"}),
    "in a choice": completion(choices=[{"index": 0, "finish_reason": "stop", "error": None, "message": None}]),
}


async def ask(case: Case, way: Way, url: str, **more: Any) -> Any:
    """Make the call and read all of it; nothing is raised."""
    asynchronous = way.name == "async"
    if case.instrumentor is AnthropicInstrumentor:
        made = anthropic.AsyncAnthropic if asynchronous else anthropic.Anthropic
        client: Any = made(base_url=url, api_key="none", max_retries=0)
    else:
        made = openai.AsyncOpenAI if asynchronous else openai.OpenAI
        client = made(base_url=f"{url}/v1", api_key="none", max_retries=0)
    method: Any = client
    for name in case.method.split("."):
        method = getattr(method, name, None)
    if method is None:
        pytest.skip("this SDK has no such method")
    answer = await settled(method(**case.request, **more))
    if more:
        await listed(answer)
    await settled(client.close())


def error_types(telemetry: Telemetry) -> tuple[Any, Any]:
    """`error.type` of the span and of the duration; the span says that it is an error."""
    (duration,) = telemetry.metrics[DURATION]
    kind = telemetry.span.attributes.get("error.type")
    assert ("UNSET" if kind is None else "ERROR") == telemetry.span.status.status_code.name
    return kind, duration.attributes.get("error.type")


@BY_WAY
@pytest.mark.parametrize("name", CASES)
def test_an_error_within_a_200_is_an_error(server: ModelServer, telemetry: Telemetry, way: Way, name: str):
    """ERROR, with the code if it is a word, else its number as text, on span and duration; one event tells of it."""
    case = CASES[name]
    case.instrumentor().instrument(**telemetry.providers)
    server.reply(Json(case.body))

    way.run(ask(case, way, server.url))

    assert (case.span, case.point or case.span) == error_types(telemetry)
    (event,) = telemetry.events
    assert ("gen_ai.client.operation.exception", case.span) == (event.event_name, event.attributes["exception.type"])
    assert 200 == telemetry.span.attributes["http.response.status_code"]


@pytest.mark.parametrize("name", FINE)
def test_a_response_without_an_error_is_none(server: ModelServer, telemetry: Telemetry, name: str):
    """Members that say that there was no error."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(FINE[name]))

    WAYS[0].run(ask(chat(None, ""), WAYS[0], server.url))

    assert (None, None) == error_types(telemetry)


FAILING = {"index": 0, "finish_reason": None, "delta": {"content": ""}, "error": {"code": 502, "message": "No"}}
STREAMS: dict[str, list[Any]] = {
    "in a choice that ends": [chunk(choices=[{**FAILING, "finish_reason": "error"}])],
    "in a choice that goes on": [chunk(choices=[FAILING]), chunk(reason="stop")],
    "in a choice, then usage": [chunk(choices=[FAILING]), chunk(choices=[], usage={"prompt_tokens": 1})],
}


@BY_WAY
@pytest.mark.parametrize("mode", ["no_content", "span_only"])
@pytest.mark.parametrize("name", STREAMS)
def test_an_error_in_a_choice_of_a_stream(server: ModelServer, telemetry: Telemetry, way: Way, name: str, mode: str):
    """The SDK hands such chunks on: what was received is kept, and the call has failed, with content on and off."""
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content=mode)
    events: Reply = Sse([chunk({"content": "Hel"}), chunk({"content": "lo"}), *STREAMS[name]])
    server.reply(events)

    way.run(ask(chat(None, ""), way, server.url, stream=True))

    assert ("502", "502") == error_types(telemetry)
    if mode == "span_only":
        (message,) = json.loads(telemetry.span.attributes["gen_ai.output.messages"])
        assert [{"type": "text", "content": "Hello"}] == message["parts"]


def test_a_code_that_a_server_makes_up_reaches_no_metric(server: ModelServer, telemetry: Telemetry):
    """The span keeps the code of a refusal; on metrics it would be a series of its own for each request."""
    OpenAIInstrumentor().instrument(**telemetry.providers, metrics="extended")
    refusals = [Json(openai_bodies.error("No", code), 400) for code in ("req-8f1c2a77b3", "req-8f1c2a77b4")]
    server.reply(*refusals)

    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        for _ in refusals:
            with pytest.raises(openai.BadRequestError):
                client.chat.completions.create(**openai_bodies.CHAT)

    assert ["req-8f1c2a77b3", "req-8f1c2a77b4"] == [span.attributes["error.type"] for span in telemetry.spans]
    (duration,) = telemetry.metrics[DURATION]
    (errors,) = telemetry.metrics["llm.request.errors"]
    assert (2, "openai.BadRequestError") == (duration.count, duration.attributes["error.type"])
    assert (2, "openai.BadRequestError") == (errors.value, errors.attributes["error.type"])

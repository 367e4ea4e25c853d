"""Responses that came whole, and that the SDK fails to make its own object of: length, content filter, validation, no JSON.

The provider has answered, and bills it. So the exception adds its name, and takes nothing of what was received.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import anthropic
import ollama
import openai
import pytest
from pydantic import BaseModel

from contract.drive import WAYS, Way, settled
from endings import qualified
from loopback import Json, ModelServer, Reply, Telemetry, Text, anthropic_bodies, openai_bodies
from opentelemetry_instrumentation_genai import AnthropicInstrumentor, OllamaInstrumentor, OpenAIInstrumentor

DURATION, TOKENS = "gen_ai.client.operation.duration", "gen_ai.client.token.usage"
VALIDATION = "pydantic_core._pydantic_core.ValidationError"
TRUNCATED = '{"word": "on'
BY_WAY = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)


class Answer(BaseModel):
    """What a structured answer has."""

    word: str


@dataclass(frozen=True)
class Case:
    """A call with a response that the SDK does not take.

    Attributes:
        sdk: which of the three.
        call: client -> the call, awaitable if the client is asynchronous; None where this SDK has no such method.
        reply: what the server answers.
        raised: the exception's qualified name.
        reason: the finish reason that was received.
        text: the text that was received.
        strict: whether the client validates what it gets.
    """

    sdk: str
    call: Callable[[Any], Callable[..., Any] | None]
    reply: Reply
    raised: str
    reason: str = "stop"
    text: str = TRUNCATED
    strict: bool = False
    arguments: Any = None


def named(*path: str) -> Callable[[Any], Any]:
    """A method of a client by its path; None where this SDK does not have it."""

    def method(client: Any) -> Any:
        for name in path:
            client = getattr(client, name, None)
        return client

    return method


def chat(content: Any, reason: str = "stop", **changes: Any) -> Json:
    """A chat completion."""
    choice = {"index": 0, "finish_reason": reason, "message": {"role": "assistant", "content": content}}
    return Json(openai_bodies.completion(choices=[choice], **changes))


STRUCTURED = {**openai_bodies.CHAT, "response_format": Answer}
RESPONDED = {"model": openai_bodies.MODEL, "input": "Hi", "text_format": Answer}
MESSAGED = {**anthropic_bodies.MESSAGES, "output_format": Answer}
OLLAMA = {"model": "llama3.2", "messages": [{"role": "user", "content": "Hi"}]}
CUT = anthropic_bodies.message(anthropic_bodies.text(TRUNCATED), stop_reason="max_tokens")
COUNTED = {"prompt_eval_count": 8, "eval_count": 2, "done": True, "done_reason": "stop"}
CASES = {
    "parse, length": Case(
        "openai",
        named("chat", "completions", "parse"),
        chat(TRUNCATED, "length"),
        "openai.LengthFinishReasonError",
        "length",
        arguments=STRUCTURED,
    ),
    "parse, content filter": Case(
        "openai",
        named("chat", "completions", "parse"),
        chat(TRUNCATED, "content_filter"),
        "openai.ContentFilterFinishReasonError",
        "content_filter",
        arguments=STRUCTURED,
    ),
    "parse, validation": Case(
        "openai", named("chat", "completions", "parse"), chat(TRUNCATED), VALIDATION, arguments=STRUCTURED
    ),
    "beta parse, length": Case(
        "openai",
        named("beta", "chat", "completions", "parse"),
        chat(TRUNCATED, "length"),
        "openai.LengthFinishReasonError",
        "length",
        arguments=STRUCTURED,
    ),
    "responses, validation": Case(
        "openai",
        named("responses", "parse"),
        Json(openai_bodies.response(TRUNCATED)),
        VALIDATION,
        arguments=RESPONDED,
    ),
    "openai, strict": Case(
        "openai",
        named("chat", "completions", "create"),
        chat(TRUNCATED, created="yesterday"),
        "openai.APIResponseValidationError",
        strict=True,
        arguments=openai_bodies.CHAT,
    ),
    "messages, validation": Case(
        "anthropic", named("messages", "parse"), Json(CUT), VALIDATION, "length", arguments=MESSAGED
    ),
    "beta messages, validation": Case(
        "anthropic", named("beta", "messages", "parse"), Json(CUT), VALIDATION, "length", arguments=MESSAGED
    ),
    "anthropic, strict": Case(
        "anthropic",
        named("messages", "create"),
        Json({**CUT, "stop_sequence": ["x"]}),
        "anthropic.APIResponseValidationError",
        "length",
        strict=True,
        arguments=anthropic_bodies.MESSAGES,
    ),
    "ollama, validation": Case(
        "ollama",
        named("chat"),
        Json({"model": "llama3.2", "message": {"role": "assistant", "content": TRUNCATED}, **COUNTED, "done": "maybe"}),
        VALIDATION,
        arguments=OLLAMA,
    ),
}
INSTRUMENTORS = {"openai": OpenAIInstrumentor, "anthropic": AnthropicInstrumentor, "ollama": OllamaInstrumentor}


def client_of(case: Case, way: Way, server: ModelServer) -> Any:
    """A client of the SDK of a case."""
    asynchronous = way.name == "async"
    if case.sdk == "ollama":
        return (ollama.AsyncClient if asynchronous else ollama.Client)(host=server.url, verify=False)
    settings = {"api_key": "none", "max_retries": 0, "_strict_response_validation": case.strict}
    if case.sdk == "anthropic":
        return (anthropic.AsyncAnthropic if asynchronous else anthropic.Anthropic)(base_url=server.url, **settings)
    return (openai.AsyncOpenAI if asynchronous else openai.OpenAI)(base_url=f"{server.url}/v1", **settings)


async def raised_by(client: Any, method: Callable[..., Any], arguments: Any) -> BaseException:
    """The exception that a call ends with; the client is closed."""
    try:
        await settled(method(**arguments))
    except Exception as error:
        return error
    finally:
        inner = getattr(client, "_client", client)
        await settled(inner.aclose() if hasattr(inner, "aclose") else inner.close())
    raise AssertionError("the call did not fail")


@BY_WAY
@pytest.mark.parametrize("name", CASES)
def test_a_response_that_does_not_parse_keeps_what_was_received(
    server: ModelServer, telemetry: Telemetry, way: Way, name: str
):
    """ERROR has the exception's name; usage, finish reason, model, id, content and both token points are there."""
    case = CASES[name]
    client = client_of(case, way, server)
    method = case.call(client)
    if method is None:
        pytest.skip("this SDK has no such method")
    server.reply(case.reply)
    INSTRUMENTORS[case.sdk]().instrument(**telemetry.providers, capture_message_content="span_and_event")

    error = way.run(raised_by(client, method, case.arguments))

    assert case.raised == qualified(error)
    span = telemetry.span
    body = json.loads(b"".join(case.reply.plan().pieces))
    assert ("ERROR", case.raised) == (span.status.status_code.name, span.attributes["error.type"])
    assert (case.reason,) == span.attributes["gen_ai.response.finish_reasons"]
    assert body["model"] == span.attributes["gen_ai.response.model"]
    assert body.get("id") == span.attributes.get("gen_ai.response.id")
    assert 200 == span.attributes["http.response.status_code"]
    (message,) = json.loads(span.attributes["gen_ai.output.messages"])
    assert [{"type": "text", "content": TRUNCATED}] == message["parts"]
    assert 8 == span.attributes["gen_ai.usage.input_tokens"]
    points = {point.attributes["gen_ai.token.type"]: point.sum for point in telemetry.metrics[TOKENS]}
    assert {"input": 8, "output": span.attributes["gen_ai.usage.output_tokens"]} == points
    (duration,) = telemetry.metrics[DURATION]
    assert (1, case.raised) == (duration.count, duration.attributes["error.type"])
    assert body["model"] == duration.attributes["gen_ai.response.model"]
    assert [
        "gen_ai.client.inference.operation.details",
        "gen_ai.client.operation.exception",
    ] == [event.event_name for event in telemetry.events]


@BY_WAY
def test_a_body_that_is_no_json_is_an_error_without_a_response(server: ModelServer, telemetry: Telemetry, way: Way):
    """There is nothing to read in it: duration and status are all that is recorded."""
    case = CASES["openai, strict"]
    client = client_of(case, way, server)
    server.reply(Text('{"id": "chatcmpl-', "application/json"))
    OpenAIInstrumentor().instrument(**telemetry.providers)

    error = way.run(raised_by(client, client.chat.completions.create, openai_bodies.CHAT))

    assert "json.decoder.JSONDecodeError" == qualified(error) == telemetry.span.attributes["error.type"]
    assert 200 == telemetry.span.attributes["http.response.status_code"]
    assert {DURATION} == telemetry.metrics.keys()


@BY_WAY
def test_an_unsampled_call_that_does_not_parse_has_its_tokens(server: ModelServer, way: Way):
    """Metrics do not ask whether the span was sampled."""
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

    telemetry = Telemetry(sampler=ALWAYS_OFF)
    case = CASES["openai, strict"]
    client = client_of(case, way, server)
    server.reply(case.reply)
    OpenAIInstrumentor().instrument(**telemetry.providers)

    way.run(raised_by(client, client.chat.completions.create, case.arguments))

    assert {DURATION, TOKENS} == telemetry.metrics.keys()
    assert [8, 2] == sorted((point.sum for point in telemetry.metrics[TOKENS]), reverse=True)
    telemetry.shutdown()


def test_what_a_proxy_says_that_it_cost_counts_where_the_response_came(server: ModelServer, telemetry: Telemetry):
    """The bill comes for the response, whatever the SDK makes of it."""
    case = CASES["openai, strict"]
    client = client_of(case, WAYS[0], server)
    server.reply(replace(case.reply, headers={"x-litellm-response-cost": "0.25"}))
    OpenAIInstrumentor().instrument(**telemetry.providers, prices="billed")

    WAYS[0].run(raised_by(client, client.chat.completions.create, case.arguments))

    assert 0.25 == telemetry.span.attributes["gen_ai.usage.cost"]
    (cost,) = telemetry.metrics["gen_ai.client.operation.cost"]
    assert (1, 0.25) == (cost.count, cost.sum)


@BY_WAY
@pytest.mark.parametrize("sdk", ["openai", "anthropic"])
def test_a_response_that_is_asked_for_as_a_text_is_read(server: ModelServer, telemetry: Telemetry, way: Way, sdk: str):
    """`client.post(..., cast_to=str)` has no model of the response; its tokens were used all the same."""
    case = CASES[f"{sdk}, strict"]
    client = client_of(case, way, server)
    body = json.dumps(case.reply.body)
    server.reply(case.reply)
    INSTRUMENTORS[sdk]().instrument(**telemetry.providers)
    path = "/chat/completions" if sdk == "openai" else "/v1/messages"

    assert body == way.run(posted(client, path, case.arguments))

    span = telemetry.span
    assert ("UNSET", 8) == (span.status.status_code.name, span.attributes["gen_ai.usage.input_tokens"])
    assert (case.reason,) == span.attributes["gen_ai.response.finish_reasons"]


async def posted(client: Any, path: str, body: Any) -> Any:
    """What a request by hand returns; the client is closed."""
    answer = await settled(client.post(path, cast_to=str, body=body))
    await settled(client.close())
    return answer

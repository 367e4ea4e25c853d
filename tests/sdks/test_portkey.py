"""The client of `portkey-ai` that sends saved prompts, and whatever its `post` is given: another one than that of OpenAI's SDK within."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import portkey_ai
import pytest
from portkey_ai.api_resources.exceptions import APIConnectionError
from portkey_ai.api_resources.streaming import AsyncStream, Stream
from portkey_ai.api_resources.types.generation_type import PromptCompletion

from loopback import Json, ModelServer, Sse, Telemetry, Text
from loopback.openai_bodies import chunk, completion
from opentelemetry_instrumentation_genai import OpenAIInstrumentor, PortkeyInstrumentor

KEY = "sk-test-not-a-key"
HI = [{"role": "user", "content": "Hi"}]
GIVEN: dict[str, Any] = {"prompt_id": "pp-1", "variables": {"city": "Rome"}, "temperature": 0.5}
EXPECTED = {
    "name": "chat",
    "kind": "CLIENT",
    "status": "UNSET",
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "portkey",
    "server.address": "127.0.0.1",
    "gen_ai.prompt.name": "pp-1",
    "gen_ai.request.temperature": 0.5,
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
    "gen_ai.response.finish_reasons": ("stop",),
    "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Hello"}],"finish_reason":"stop"}]',
}
PLAIN = {**EXPECTED, "gen_ai.usage.input_tokens": 8, "gen_ai.usage.output_tokens": 2}
STREAMED = {**EXPECTED, "gen_ai.request.stream": True, "http.response.status_code": 200}
PIECES = [chunk({"content": "Hel"}), chunk({"content": "lo"}, reason="stop")]


@pytest.fixture
def followed(telemetry: Telemetry) -> Iterator[Telemetry]:
    """Telemetry of `portkey-ai`, with content, and of `openai`, which must not see its calls."""
    PortkeyInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    OpenAIInstrumentor().instrument(**telemetry.providers)
    yield telemetry
    PortkeyInstrumentor().uninstrument()


@pytest.fixture
def client(server: ModelServer) -> Iterator[Any]:
    """A client of the model server."""
    with portkey_ai.Portkey(base_url=server.url, api_key=KEY) as made:
        yield made


def attributes(telemetry: Telemetry, position: int) -> dict[str, Any]:
    """What a span has, but for what differs in each run."""
    span = telemetry.spans[position]
    differing = ("server.port", "gen_ai.response.time_to_first_chunk")
    found = {name: value for name, value in (span.attributes or {}).items() if name not in differing}
    return {"name": span.name, "kind": span.kind.name, "status": span.status.status_code.name, **found}


def test_saved_prompts(server: ModelServer, followed: Telemetry, client: Any) -> None:
    """One span a call, plain and streamed."""
    server.reply(Json(completion()), Sse(PIECES))
    assert client.prompts.completions.create(**GIVEN).choices[0].message.content == "Hello"
    stream = client.prompts.completions.create(**GIVEN, stream=True)
    assert type(stream) is Stream
    assert [piece.choices[0].delta.content for piece in stream] == ["Hel", "lo"]
    assert len(followed.spans) == 2
    assert attributes(followed, 0) == PLAIN
    assert attributes(followed, 1) == STREAMED


async def test_saved_prompts_of_the_asynchronous_client(server: ModelServer, followed: Telemetry) -> None:
    """The same with `await`."""
    server.reply(Json(completion()), Sse(PIECES))
    client = portkey_ai.AsyncPortkey(base_url=server.url, api_key=KEY)
    await client.prompts.completions.create(**GIVEN)
    stream = await client.prompts.completions.create(**GIVEN, stream=True)
    assert type(stream) is AsyncStream
    assert [piece.choices[0].delta.content async for piece in stream] == ["Hel", "lo"]
    assert len(followed.spans) == 2
    assert attributes(followed, 0) == PLAIN
    assert attributes(followed, 1) == STREAMED


def test_a_call_that_is_sent_again(server: ModelServer, followed: Telemetry, client: Any) -> None:
    """It is one call; the oldest release raises nevertheless what was raised at first."""
    server.reply(Json(completion(), end="cut"), Json(completion()))
    with suppress(APIConnectionError):
        client.prompts.completions.create(**GIVEN)
    assert len(server.requests) == 2
    assert len(followed.spans) == 1


def test_a_stream_that_is_left(server: ModelServer, followed: Telemetry, client: Any) -> None:
    """What was read is kept, and the status is unset."""
    server.reply(Sse([chunk({"content": "Hello"})] * 3))
    with client.prompts.completions.create(**GIVEN, stream=True) as stream:
        next(stream)
    left = '[{"role":"assistant","parts":[{"type":"text","content":"Hello"}],"finish_reason":"error"}]'
    expected = {"gen_ai.response.finish_reasons": ("error",), "gen_ai.output.messages": left}
    assert attributes(followed, 0) == {**STREAMED, **expected}


def test_a_stream_that_fails(server: ModelServer, followed: Telemetry, client: Any) -> None:
    """An error event is the SDK's exception, and the span's."""
    server.reply(Text('data: {"choices": []}\n\nevent: error\ndata: {"message": "no"}\n\n', "text/event-stream"))
    with pytest.raises(Exception, match="no") as raised:
        [*client.prompts.completions.create(**GIVEN, stream=True)]
    found = attributes(followed, 0)
    assert (found["status"], found["error.type"]) == (
        "ERROR",
        f"portkey_ai.api_resources.exceptions.{type(raised.value).__name__}",
    )


def test_a_call_that_is_refused(server: ModelServer, followed: Telemetry, client: Any) -> None:
    """The error goes to the caller, and no key that it quotes to the span."""
    server.reply(Json({"error": {"message": f"Bad key {KEY}"}}, status=401))
    with pytest.raises(Exception, match="401") as raised:
        client.prompts.completions.create(**GIVEN)
    assert KEY in str(raised.value)
    found = attributes(followed, 0)
    assert (found["status"], found["http.response.status_code"]) == ("ERROR", 401)
    assert KEY not in followed.spans[0].to_json()


def test_a_key_that_no_header_can_have(server: ModelServer, telemetry: Telemetry) -> None:
    """The HTTP client quotes such a key in its error, before there is a response: it is masked wherever errors are recorded."""
    PortkeyInstrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event", emit_event=True)
    key = "my9Key7Qz5abc"
    with portkey_ai.Portkey(base_url=server.url, api_key=f"{key}\n") as client, pytest.raises(Exception) as raised:
        client.prompts.completions.create(**GIVEN)
    assert raised.value.__cause__ is not None
    recorded = [span.to_json() for span in telemetry.spans] + [str(vars(record)) for record in telemetry.logs]
    assert len(recorded) > 1
    assert [] == [one for one in recorded if key in one]
    PortkeyInstrumentor().uninstrument()


def test_any_path(server: ModelServer, followed: Telemetry, client: Any) -> None:
    """`post` to an endpoint of OpenAI's API is a call of that; to any other, as that of feedback, it is none."""
    server.reply(Json(completion()), Json({"ok": True}))
    client.post("/chat/completions", model="gpt-4o-mini", messages=HI)
    client.post("/feedback", trace_id="t", value=1)
    assert [(span.name, (span.attributes or {})["gen_ai.usage.output_tokens"]) for span in followed.spans] == [
        ("chat gpt-4o-mini", 2)
    ]


def test_generations_send_nothing(server: ModelServer, followed: Telemetry, client: Any) -> None:
    """Their method gives the SDK's client an argument that it does not take: there is no call to follow."""
    with pytest.warns(DeprecationWarning, match="deprecated"), pytest.raises(TypeError, match="mode"):
        client.generations.create(prompt_id="pp-1", variables={})
    assert not server.requests
    assert not followed.spans


def test_what_was_kept_follows_nothing(server: ModelServer, followed: Telemetry, client: Any) -> None:
    """After `uninstrument()` the method is the SDK's own again, and our wrapper, which something has kept, records nothing."""
    kept = portkey_ai.Portkey._post
    PortkeyInstrumentor().uninstrument()
    assert portkey_ai.Portkey._post is kept.__wrapped__  # type: ignore[attr-defined]
    server.reply(Json(completion()))
    given = {"body": {}, "params": {}, "headers": {}, "cast_to": PromptCompletion, "stream_cls": None}
    assert kept(client, "/prompts/pp-1/completions", stream=False, **given).id == "chatcmpl-1"
    assert not followed.spans

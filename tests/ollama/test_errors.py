"""Plain calls that fail: the SDK's own exception to the application, and what it was to telemetry."""

from __future__ import annotations

import traceback

import ollama
import pytest
from inline_snapshot import snapshot

from endings import qualified
from loopback import Json, Telemetry, Text, closed_port
from loopback.snapshot import Strict
from opentelemetry_instrumentation_genai import OllamaInstrumentor

MODEL = "llama3.2"
HI = [{"role": "user", "content": "Hi"}]
SECRET = "hunter2-abcdefgh1234"
REFUSALS = {
    "an error": Json({"error": "model not found"}, status=404),
    "no JSON": Text("<html>busy</html>", "text/html", status=503),
    "unauthorized": Json({"error": f"no such key: {SECRET}"}, status=401),
}
BROKEN = {
    "malformed": Text('{"model": "llama', "application/json"),
    "of another type": Json({"model": MODEL, "message": "Hello"}),
    "empty": Json({}),
    "a list": Json([]),
    "cut": Json({"model": MODEL, "message": {"role": "assistant", "content": "Hello" * 99}}, end="cut"),
}


async def _raised(call):
    """What a call raises, awaited if it has to be."""
    try:
        made = call()
        await made if hasattr(made, "__await__") else made
    except Exception as error:
        return error
    return None


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("refusal", REFUSALS)
async def test_refused(server, telemetry: Telemetry, client, async_client, *, refusal, asynchronous):
    """A `ResponseError` with its status; its duration is recorded, and nothing of a response."""
    OllamaInstrumentor().instrument(**telemetry.providers)
    server.reply(REFUSALS[refusal])

    error = await _raised(lambda: (async_client if asynchronous else client).chat(model=MODEL, messages=HI))

    assert type(error) is ollama.ResponseError
    span = telemetry.span
    assert ("ERROR", f"ResponseError {error.status_code}") == (span.status.status_code.name, span.status.description)
    assert error.status_code == span.attributes["http.response.status_code"]
    (duration,) = telemetry.metrics["gen_ai.client.operation.duration"]
    assert "ollama._types.ResponseError" == span.attributes["error.type"] == duration.attributes["error.type"]
    assert {"gen_ai.client.operation.duration"} == telemetry.metrics.keys()
    assert ["gen_ai.client.operation.exception"] == [event.event_name for event in telemetry.events]


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("broken", BROKEN)
async def test_broken(server, telemetry: Telemetry, client, async_client, *, broken, asynchronous):
    """Whatever the SDK raises or takes: the application gets the same as without the instrumentation."""
    one = async_client if asynchronous else client
    server.reply(BROKEN[broken], BROKEN[broken])
    bare = await _raised(lambda: one.chat(model=MODEL, messages=HI))
    OllamaInstrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")

    error = await _raised(lambda: one.chat(model=MODEL, messages=HI))

    assert repr(bare) == repr(error)
    assert (error and qualified(error)) == telemetry.span.attributes.get("error.type")


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_nobody_listens(telemetry: Telemetry, asynchronous):
    """The same exception as without the instrumentation, under its own name."""
    one = (ollama.AsyncClient if asynchronous else ollama.Client)(host=f"http://127.0.0.1:{closed_port()}")
    bare = await _raised(lambda: one.generate(model=MODEL, prompt="Hi"))
    OllamaInstrumentor().instrument(**telemetry.providers)

    error = await _raised(lambda: one.generate(model=MODEL, prompt="Hi"))

    assert (type(bare), str(bare)) == (type(error), str(error))
    assert qualified(error) == telemetry.span.attributes["error.type"]
    assert closed_port() == telemetry.span.attributes["server.port"]
    assert "http.response.status_code" not in telemetry.span.attributes


def test_the_key_is_not_recorded(server, telemetry: Telemetry):
    """Nor is a key that the server quotes; the rest of its message is recorded with content."""
    OllamaInstrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")
    client = ollama.Client(host=server.url, headers={"Authorization": f"Bearer {SECRET}"})
    server.reply(REFUSALS["unauthorized"])

    with pytest.raises(ollama.ResponseError):
        client.chat(model=MODEL, messages=HI)
    client._client.close()

    assert SECRET not in repr(telemetry.snapshot())
    assert "no such key: [secrets]" in telemetry.span.status.description


def test_a_refused_call_whole(server, telemetry: Telemetry, client):
    """All that is recorded of it."""
    OllamaInstrumentor().instrument(**telemetry.providers)
    server.reply(REFUSALS["an error"])

    with pytest.raises(ollama.ResponseError) as raised:
        client.chat(model=MODEL, messages=HI)

    assert "chat" in [frame.name for frame in traceback.extract_tb(raised.value.__traceback__)]
    assert snapshot(
        {
            "spans": [
                {
                    "name": "chat llama3.2",
                    "kind": "CLIENT",
                    "status": {"code": "ERROR", "description": "ResponseError 404"},
                    "attributes": {
                        "error.type": "ollama._types.ResponseError",
                        "gen_ai.operation.name": "chat",
                        "gen_ai.provider.name": "ollama",
                        "gen_ai.request.model": "llama3.2",
                        "http.response.status_code": 404,
                        "server.address": "127.0.0.1",
                        "server.port": "<port>",
                    },
                    "events": [],
                    "parent": None,
                    "scope": "opentelemetry_instrumentation_genai",
                }
            ],
            "events": [
                {
                    "event_name": "gen_ai.client.operation.exception",
                    "severity_number": 13,
                    "body": None,
                    "attributes": {
                        "exception.message": "ResponseError 404",
                        "exception.stacktrace": "<stacktrace>",
                        "exception.type": "ollama._types.ResponseError",
                    },
                    "span": "chat llama3.2",
                    "timestamp": True,
                }
            ],
        }
    ) == Strict(spans=telemetry.snapshot()["spans"], events=telemetry.snapshot()["events"])


def test_a_request_that_the_sdk_refuses(server, telemetry: Telemetry, client):
    """Without a model nothing is sent, and there is no call."""
    OllamaInstrumentor().instrument(**telemetry.providers)

    with pytest.raises(Exception, match="model"):
        client.chat(messages=HI)

    assert ([], []) == (server.requests, telemetry.spans)

"""A real server that speaks Ollama's API, through the real `ollama` SDK.

Ollambda answers streamed chats, without a count of tokens, and refuses plain ones.
"""

from __future__ import annotations

from typing import Any

import ollama
import pytest

from cassettes import recorded_once
from contract.drive import WAYS, Way, listed, settled
from exchanges import ANSWER, ARGUMENTS, QUESTION, TOOL, WEATHER
from loopback import Telemetry
from loopback.schemas import CONTENT
from opentelemetry_instrumentation_genai import OllamaInstrumentor
from served import Served


async def _asked(served: Served, *, asynchronous: bool, **arguments: Any) -> Any:
    kind = ollama.AsyncClient if asynchronous else ollama.Client
    client = kind(host=served.url)
    try:
        given = await settled(client.chat(model=served.model, **arguments))
        return await listed(given) if arguments.get("stream") else given
    finally:
        # The SDK's clients have no `close` of their own in every version.
        http = client._client
        await settled(http.aclose() if asynchronous else http.close())


def ask(served: Served, way: Way, **arguments: Any) -> Any:
    """The answer of a chat; of a stream, the list of its parts."""
    return way.run(_asked(served, asynchronous=way.name == "async", **arguments))


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"messages": [{"role": "user", "content": QUESTION}]}, {"type": "text", "content": ANSWER}),
        (
            {"messages": [{"role": "user", "content": WEATHER}], "tools": [TOOL]},
            {"type": "tool_call", "id": None, "name": "get_weather", "arguments": ARGUMENTS},
        ),
    ],
    ids=["text", "tool call"],
)
def test_a_streamed_chat(ollambda: Served, way: Way, arguments: Any, part: Any, telemetry: Telemetry) -> None:
    """The answer, in so many parts, by a server that the user declared; what it does not send is not recorded."""
    plain = ask(ollambda, way, **arguments, stream=True)
    OllamaInstrumentor().instrument(
        **telemetry.providers, capture_message_content="span_only", host_providers=ollambda.declared
    )

    given = ask(ollambda, way, **arguments, stream=True)

    recorded = recorded_once(telemetry, None)
    content = {name: recorded["attributes"].pop(name) for name in list(recorded["attributes"]) if name in CONTENT}
    assert {
        "span": "chat tiny",
        "status": {"code": "UNSET", "description": None},
        "attributes": {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "ollambda",
            "gen_ai.request.model": "tiny",
            "gen_ai.request.stream": True,
            # It says that it is done, and not why.
            "gen_ai.response.finish_reasons": ["error"],
            "gen_ai.response.model": "tiny",
            "gen_ai.response.time_to_first_chunk": "<seconds>",
            "server.address": "127.0.0.1",
            "server.port": "<port>",
        },
        "metrics": {
            "gen_ai.client.operation.duration": {"": "1 x"},
            "gen_ai.client.operation.time_to_first_chunk": {"": "1 x"},
            "gen_ai.client.operation.time_per_output_chunk": {"": f"{len(given) - 1} x"},
        },
        "events": {},
    } == recorded
    assert [{"role": "assistant", "parts": [part], "finish_reason": "error"}] == content["gen_ai.output.messages"]
    assert [response.message for response in plain] == [response.message for response in given]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_chat_that_it_refuses(ollambda: Served, way: Way, telemetry: Telemetry) -> None:
    """Its error is a web page, with which the SDK raises what it raises; the span has the status."""
    OllamaInstrumentor().instrument(**telemetry.providers, host_providers=ollambda.declared)

    with pytest.raises(ollama.ResponseError) as raised:
        ask(ollambda, way, messages=[{"role": "user", "content": QUESTION}])

    assert 400 == raised.value.status_code
    span = telemetry.span
    assert ("ERROR", 400, "ollama._types.ResponseError") == (
        span.status.status_code.name,
        span.attributes["http.response.status_code"],
        span.attributes["error.type"],
    )
    assert "France" not in repr(telemetry.snapshot())

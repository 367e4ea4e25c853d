"""What no row says of the `anthropic` SDK: paths as they may be spelled, features in headers, loops of calls, what is sent along."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest

from contract import WAYS, Way
from contract.anthropic import ANTHROPIC
from contract.anthropic_clients import KEY
from contract.anthropic_messages import HEADERS
from contract.drive import settled
from loopback import Json, ModelServer, Sse, Telemetry
from loopback.anthropic_bodies import (
    MESSAGES,
    MODEL,
    block_events,
    ended,
    error,
    events,
    message,
    started,
    text,
    text_events,
)

BY_WAY = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
ANSWER = Json(message(text("Hello")), headers=HEADERS)
BETA = "anthropic.beta"


@pytest.fixture
def client(clients: Any, way: Way) -> Any:
    """An ordinary client."""
    return clients(ANTHROPIC.clients[0], way)


@pytest.fixture
def instrumented(telemetry: Telemetry) -> Telemetry:
    """What the instrumentation leaves, which is on from the start."""
    ANTHROPIC.instrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")
    return telemetry


async def _made(call: Any) -> Any:
    return await settled(call())


@BY_WAY
@pytest.mark.parametrize(
    "path", ["/v1/messages", "v1/messages", "/v1/messages/", "/v1/messages?beta=true", "{url}/v1/messages?at=a://b"]
)
def test_a_path_is_known_however_it_is_spelled(
    server: ModelServer, instrumented: Telemetry, client: Any, way: Way, path: str
) -> None:
    """With or without a slash at either end, with a query, and as a whole URL."""
    server.reply(ANSWER)

    way.run(_made(lambda: client.post(path.format(url=server.url), body=dict(MESSAGES), cast_to=object)))

    assert f"chat {MODEL}" == instrumented.span.name


@BY_WAY
@pytest.mark.parametrize(
    ("of_client", "of_call", "expected"),
    [
        ({}, {}, None),
        ({"anthropic-beta": "a"}, {}, ("a",)),
        ({}, {"anthropic-beta": "a,b"}, ("a", "b")),
        ({}, {"Anthropic-Beta": "a , ,b"}, ("a", "b")),
        ({"anthropic-beta": "a"}, {"anthropic-beta": "b"}, ("b",)),
        ({"anthropic-beta": ""}, {}, None),
    ],
    ids=repr,
)
def test_features_that_are_asked_for_by_a_header(
    server: ModelServer,
    instrumented: Telemetry,
    client: Any,
    *,
    way: Way,
    of_client: dict[str, str],
    of_call: dict[str, str],
    expected: Any,
) -> None:
    """Whether the client has it or the call, which wins, as it does on the wire."""
    server.reply(ANSWER)
    made = client.with_options(default_headers=of_client)

    way.run(_made(lambda: made.messages.create(**MESSAGES, extra_headers=of_call)))

    sent = [feature.strip() for feature in server.requests[0].headers.get("anthropic-beta", "").split(",")]
    assert (expected or ()) == tuple(filter(None, sent))
    assert expected == instrumented.span.attributes.get(BETA)


@BY_WAY
def test_a_retried_call_is_one_call(server: ModelServer, telemetry: Telemetry, client: Any, way: Way) -> None:
    """One span that says how often the request was sent again, as `retries_taken` does."""
    busy = Json(error("busy"), status=529, headers={"retry-after-ms": "1"})
    retrying = client.with_options(max_retries=2)
    found = []
    for instrumented in (False, True):
        if instrumented:
            ANTHROPIC.instrumentor().instrument(**telemetry.providers)
        server.reply(busy, busy, ANSWER)
        raw = way.run(_made(lambda: retrying.messages.with_raw_response.create(**MESSAGES)))
        found.append((getattr(raw, "retries_taken", None), raw.headers["request-id"]))

    assert found[0] == found[1]
    assert 6 == len(server.requests)
    counted = found[0][0] is not None or "x-stainless-retry-count" in server.requests[-1].headers
    assert (2 if counted else None) == telemetry.span.attributes.get("http.request.resend_count")
    assert "UNSET" == telemetry.span.status.status_code.name


@BY_WAY
@pytest.mark.parametrize("capture", ["no_content", "span_and_event"])
def test_no_key_and_no_header_is_recorded(
    server: ModelServer, telemetry: Telemetry, client: Any, way: Way, capture: str
) -> None:
    """Neither the client's key, nor headers, query and metadata of a call, nor credentials of MCP servers."""
    ANTHROPIC.instrumentor().instrument(**telemetry.providers, capture_message_content=capture)
    server.reply(Json(message(text("Hello")), headers={**HEADERS, "set-cookie": "hunter2-cookie"}))
    mcp = {"type": "url", "name": "crm", "url": "https://crm.example", "authorization_token": "hunter2-mcp"}
    secrets = {
        "extra_headers": {"Authorization": "Bearer hunter2-bearer", "X-Tenant": "hunter2-tenant"},
        "extra_query": {"signature": "hunter2-signature"},
        "metadata": {"user_id": "hunter2-user"},
        "extra_body": {"mcp_servers": [mcp], "container": "hunter2-container"},
    }

    way.run(_made(lambda: client.beta.messages.create(**MESSAGES, **secrets)))

    recorded = repr(telemetry.snapshot())
    assert f"chat {MODEL}" in recorded
    assert (capture != "no_content") == ("crm" in recorded)
    assert [] == [secret for secret in ("hunter2", KEY) if secret in recorded]


@BY_WAY
@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
def test_a_loop_of_calls_is_each_of_its_calls(
    server: ModelServer, instrumented: Telemetry, client: Any, way: Way, *, streamed: bool
) -> None:
    """The SDK's runner of tools calls the model until no tool is asked for: each time is one span."""
    if not hasattr(client.beta.messages, "tool_runner"):
        pytest.skip("this SDK has no beta.messages.tool_runner")

    def weather(city: str) -> str:
        """Tells the weather of a city."""
        return f"Rain in {city}"

    async def weather_async(city: str) -> str:
        """Tells the weather of a city."""
        return f"Rain in {city}"

    tool = anthropic.beta_tool(weather) if way.name == "sync" else anthropic.beta_async_tool(weather_async)
    call = {"type": "tool_use", "id": "toolu_1", "name": tool.name, "input": {"city": "Oslo"}}
    if streamed:
        asked = events(started(), block_events(call, [("input", '{"city": "Oslo"}')]), ended("tool_use"))
        server.reply(Sse(asked, event_names=True), Sse(text_events("Hello"), event_names=True))
    else:
        server.reply(Json(message(call, stop_reason="tool_use")), ANSWER)

    way.run(_turns(client, tool, streamed=streamed))

    assert 2 == len(server.requests)
    chats = [span for span in instrumented.spans if span.kind.name == "CLIENT"]
    reasons = [span.attributes["gen_ai.response.finish_reasons"] for span in chats]
    assert [("tool_call",), ("stop",)] == reasons
    assert {f"chat {MODEL}"} == {span.name for span in chats}


async def _turns(client: Any, tool: Any, *, streamed: bool) -> None:
    """Each turn is a message, or a stream of its own that is read before the next one begins."""
    runner = client.beta.messages.tool_runner(**MESSAGES, tools=[tool], **({"stream": True} if streamed else {}))
    if hasattr(runner, "__aiter__"):
        async for turn in runner:
            await (turn.until_done() if streamed else settled(turn))
    else:
        for turn in runner:
            _ = turn.until_done() if streamed else turn

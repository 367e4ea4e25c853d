"""What no row says of the `openai` SDK: paths as they may be spelled, what the SDK does by itself, and what is sent along."""

from __future__ import annotations

from typing import Any

import pytest

from contract import WAYS, Way
from contract.drive import settled
from contract.openai import OPENAI
from contract.openai_chat import HEADERS, MODEL, completion
from contract.openai_clients import KEY
from contract.openai_others import embedded
from loopback import Json, ModelServer, Telemetry

BY_WAY = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
ANSWER = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello"}}
CHAT: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture
def client(clients: Any, way: Way) -> Any:
    """An ordinary client."""
    return clients(OPENAI.clients[0], way)


async def _made(call: Any) -> Any:
    return await settled(call())


@BY_WAY
@pytest.mark.parametrize(
    "path", ["/chat/completions", "chat/completions", "/chat/completions/", "/chat/completions?a=b"]
)
def test_a_path_is_known_however_it_is_spelled(
    server: ModelServer, telemetry: Telemetry, client: Any, way: Way, path: str
) -> None:
    """With or without a slash at either end, and with a query."""
    OPENAI.instrumentor().instrument(**telemetry.providers)
    server.reply(Json(completion(ANSWER)))

    way.run(_made(lambda: client.post(path, body=CHAT, cast_to=object)))

    assert f"chat {MODEL}" == telemetry.span.name


@BY_WAY
def test_embeddings_say_the_encoding_that_is_asked_for(
    server: ModelServer, telemetry: Telemetry, client: Any, way: Way
) -> None:
    """Where the SDK asks for one by itself, as in newer versions and where numpy is there; else none is recorded."""
    OPENAI.instrumentor().instrument(**telemetry.providers)
    server.reply(embedded([0.5, -1.0]))

    way.run(_made(lambda: client.embeddings.create(model="m", input="one")))

    asked = server.requests[0].json.get("encoding_format")
    assert (asked and (asked,)) == telemetry.span.attributes.get("gen_ai.request.encoding_formats")


@BY_WAY
def test_a_retried_call_is_one_call(server: ModelServer, telemetry: Telemetry, client: Any, way: Way) -> None:
    """One span that says how often the request was sent again, as `retries_taken` does."""
    busy = Json({"error": {"message": "busy"}}, status=429, headers={"retry-after-ms": "1"})
    answer = Json(completion(ANSWER), headers=HEADERS)
    retrying = client.with_options(max_retries=2)
    found = []
    for instrumented in (False, True):
        if instrumented:
            OPENAI.instrumentor().instrument(**telemetry.providers)
        server.reply(busy, busy, answer)
        raw = way.run(_made(lambda: retrying.chat.completions.with_raw_response.create(**CHAT)))
        found.append((getattr(raw, "retries_taken", None), raw.headers["x-request-id"], raw.parse().id))

    assert found[0] == found[1]
    assert 6 == len(server.requests)
    # SDKs that count tell the server, or the response.
    counted = found[0][0] is not None or "x-stainless-retry-count" in server.requests[-1].headers
    assert (2 if counted else None) == telemetry.span.attributes.get("http.request.resend_count")
    assert "UNSET" == telemetry.span.status.status_code.name


@BY_WAY
@pytest.mark.parametrize("capture", ["no_content", "span_and_event"])
def test_no_key_and_no_header_is_recorded(
    server: ModelServer, telemetry: Telemetry, client: Any, way: Way, capture: str
) -> None:
    """Neither the client's key, nor headers, query and metadata of a call."""
    OPENAI.instrumentor().instrument(**telemetry.providers, capture_message_content=capture)
    server.reply(Json(completion(ANSWER), headers={**HEADERS, "set-cookie": "hunter2-cookie"}))
    secrets = {
        "extra_headers": {"Authorization": "Bearer hunter2-bearer", "X-Tenant": "hunter2-tenant"},
        "extra_query": {"signature": "hunter2-signature"},
        "user": "hunter2-user",
        "extra_body": {"safety_identifier": "hunter2-identifier", "metadata": {"password": "hunter2-metadata"}},
    }

    way.run(_made(lambda: client.chat.completions.create(**CHAT, **secrets)))

    recorded = repr(telemetry.snapshot())
    assert f"chat {MODEL}" in recorded
    assert [] == [secret for secret in ("hunter2", KEY) if secret in recorded]

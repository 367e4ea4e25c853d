"""Searches of the web and pages of it, which the SDK requests from a host that it has in its code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ollama
import pytest

from contract import WAYS, Way
from contract.drive import settled
from contract.ollama import OLLAMA
from loopback import Json, ModelServer, Telemetry
from opentelemetry_instrumentation_genai import OllamaInstrumentor

pytestmark = pytest.mark.skipif(not hasattr(ollama.Client, "web_search"), reason="this SDK has no web_search")
HIDDEN = "hunter2"
FOUND = {"results": [{"title": HIDDEN, "url": f"https://{HIDDEN}.example", "content": HIDDEN}] * 2}


@pytest.fixture(params=WAYS, ids=lambda way: way.name)
def way(request: pytest.FixtureRequest) -> Way:
    """Sync and async."""
    found: Way = request.param
    return found


@pytest.fixture
def web_client(way: Way, server: ModelServer) -> Iterator[Any]:
    """A client of the model server, which is that host as well."""
    made = OLLAMA.clients[0].make(way, server.url)
    yield made
    way.run(_made(made.close))


async def _made(call: Any) -> Any:
    return await settled(call())


def test_what_is_searched_and_found_is_not_recorded(
    server: ModelServer, telemetry: Telemetry, web_client: Any, way: Way
) -> None:
    """Nor which page is fetched, nor what is on it, also where content is captured; how many results there are is."""
    server.reply(Json(FOUND), Json({"title": HIDDEN, "content": HIDDEN, "links": [HIDDEN]}))
    OllamaInstrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")

    way.run(_made(lambda: web_client.web_search(HIDDEN)))
    way.run(_made(lambda: web_client.web_fetch(f"https://{HIDDEN}.example")))

    search, fetch = telemetry.spans
    assert ["web_search", "web_fetch"] == [search.name, fetch.name]
    assert [3, 2] == [search.attributes[f"ollama.web_search.{name}"] for name in ("max_results", "result_count")]
    assert HIDDEN not in repr(telemetry.snapshot())
    assert {"gen_ai.client.operation.duration"} == telemetry.metrics.keys()


def test_the_host_is_that_of_the_request(server: ModelServer, telemetry: Telemetry, web_client: Any, way: Way) -> None:
    """Not the client's: so that the trace goes nowhere that it was not meant for."""
    server.reply(Json({"embeddings": [[0.5]]}), Json(FOUND))
    OllamaInstrumentor().instrument(**telemetry.providers, propagate="self-hosted")

    way.run(_made(lambda: web_client.embed("m", "Hi")))
    way.run(_made(lambda: web_client.web_search("tea")))

    assert [("127.0.0.1", server.port), ("ollama.com", 443)] == [
        (span.attributes["server.address"], span.attributes["server.port"]) for span in telemetry.spans
    ]
    assert [True, False] == ["traceparent" in request.headers for request in server.requests]


def test_a_search_that_is_refused(server: ModelServer, telemetry: Telemetry, web_client: Any, way: Way) -> None:
    """An error like that of any call, without the key of the client."""
    server.reply(Json({"error": "not-a-key is no key"}, status=401))
    OllamaInstrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")

    with pytest.raises(ollama.ResponseError):
        way.run(_made(lambda: web_client.web_search("tea")))

    assert "ERROR" == telemetry.span.status.status_code.name
    assert 401 == telemetry.span.attributes["http.response.status_code"]
    assert "not-a-key" not in repr(telemetry.snapshot())

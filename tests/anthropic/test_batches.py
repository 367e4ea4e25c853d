"""Batches of requests: what no row of the contract says."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import pytest

from contract import WAYS, Way
from contract.anthropic import ANTHROPIC
from contract.anthropic_messages import HEADERS
from contract.anthropic_others import COUNTED, RESULTS
from contract.drive import Opened, listed, settled
from endings import collected, until
from loopback import Json, ModelServer, Ndjson, Reply, Telemetry, anthropic_bodies
from loopback.anthropic_bodies import BATCH, MESSAGES, batch, message, text
from loopback.model_server import RecordedRequest
from loopback.replies import JSONL

PREFIX = "anthropic.message.batch."


@pytest.fixture(params=WAYS, ids=lambda way: way.name)
def way(request: pytest.FixtureRequest) -> Way:
    """Sync and async."""
    found: Way = request.param
    return found


@pytest.fixture
def client(way: Way, server: ModelServer) -> Iterator[Any]:
    """An ordinary client."""
    made = ANTHROPIC.clients[0].make(way, server.url)
    yield made
    way.run(_closed(made))


async def _closed(client: Any) -> None:
    await settled(client.close())


def _batches(client: Any) -> Any:
    """The resource, which older SDKs have only below `beta`."""
    return client.messages.batches if hasattr(client.messages, "batches") else client.beta.messages.batches


async def _create(client: Any, requests: Any) -> Any:
    return await settled(_batches(client).create(requests=requests))


def _requests() -> list[dict[str, Any]]:
    return [{"custom_id": name, "params": MESSAGES} for name in ("first", "second")]


@pytest.mark.parametrize("capture", ["no_content", "span_and_event"])
def test_a_generator_of_requests_is_left_to_the_sdk(
    server: ModelServer, telemetry: Telemetry, client: Any, way: Way, capture: str
) -> None:
    """Nobody reads it before, so that the number of requests is known from the answer alone."""
    server.reply(Json(batch(processing=2), headers=HEADERS))
    ANTHROPIC.instrumentor().instrument(**telemetry.providers, capture_message_content=capture)

    way.run(_create(client, (request for request in _requests())))

    assert {"requests": _requests()} == server.requests[0].json
    found = {name[len(PREFIX) :]: value for name, value in telemetry.span.attributes.items() if PREFIX in name}
    counts = {f"request_counts.{outcome}": 0 for outcome in ("succeeded", "errored", "canceled", "expired")}
    whole = {"id": BATCH, "processing_status": "in_progress", **counts, "request_counts.processing": 2}
    assert whole == {name: value for name, value in found.items() if name != "request_count"}


def test_no_content_of_a_batch_is_recorded(server: ModelServer, telemetry: Telemetry, client: Any, way: Way) -> None:
    """Its requests are those of many calls: they are on no span and no event, also where content is captured."""
    server.reply(Json(batch(processing=2), headers=HEADERS))
    ANTHROPIC.instrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")
    secret = {"custom_id": "hunter2-id", "params": {**MESSAGES, "system": "hunter2-system"}}

    way.run(_create(client, [secret]))

    assert 1 == telemetry.span.attributes[f"{PREFIX}request_count"]
    assert "hunter2" not in repr(telemetry.snapshot())
    assert [] == telemetry.events


# The results of a batch.

SPANS = ["fetch_batch", "batch_results"]
OK = {"succeeded": 3, "errored": 0, "canceled": 0, "expired": 0}
# Longer than what any version of the SDK reads at once, so that each line is there when it has been sent.
LONG = [anthropic_bodies.result(str(number), message=message(text("x" * 9000))) for number in range(3)]
WHOLE = {("input", 77), ("output", 6)}


def answered(lines: Any = RESULTS, host: str = "", **settings: Any) -> list[Any]:
    """The replies to `results`: the batch, which says where they are, and what is there."""

    def ended(request: RecordedRequest) -> Reply:
        url = f"http://{host or request.headers['host']}/v1/messages/batches/{BATCH}/results"
        return Json({**batch("ended", **COUNTED), "results_url": url}, headers=HEADERS)

    return [ended, Ndjson(lines, headers=HEADERS, content_type=JSONL, **settings)]


def counts(telemetry: Telemetry) -> dict[str, int]:
    """How many results the last span has of each outcome."""
    prefix = f"{PREFIX}request_counts."
    attributes = telemetry.spans[-1].attributes or {}
    return {name[len(prefix) :]: value for name, value in attributes.items() if name.startswith(prefix)}  # type: ignore[misc]


def tokens(telemetry: Telemetry) -> set[tuple[str, int]]:
    """The tokens of all models, by their type."""
    points = telemetry.metrics.get("gen_ai.client.token.usage", ())
    kinds = {point.attributes["gen_ai.token.type"] for point in points}
    assert {"batch_results"} >= {point.attributes["gen_ai.operation.name"] for point in points}
    return {
        (kind, sum(point.sum for point in points if point.attributes["gen_ai.token.type"] == kind)) for kind in kinds
    }


async def _results(client: Any, access: str = "") -> Any:
    batches = _batches(client)
    return await settled((getattr(batches, access) if access else batches).results(BATCH))


async def _listed(client: Any) -> list[Any]:
    return await listed(await _results(client))


async def _next(results: Any) -> Any:
    return await results.__anext__() if hasattr(results, "__anext__") else next(results)


async def _closed_after(client: Any, count: int) -> None:
    """Some of the results are read, and then they are closed."""
    results = await _results(client)
    for _ in range(count):
        await _next(results)
    close = getattr(results, "close", None)
    http = results.http_response
    await settled(close() if close is not None else http.aclose() if hasattr(results, "__anext__") else http.close())
    del results, close, http
    await _let_go(client)


async def _dropped(client: Any) -> None:
    results = await _results(client)
    await _next(results)
    del results
    await _let_go(client)


async def _let_go(client: Any) -> None:
    """What was dropped is collected; older SDKs make a cycle of it, and of what is asynchronous the event loop closes it."""
    if isinstance(client, anthropic.AsyncAnthropic):
        await collected()
    gc.collect()


async def _lines(client: Any) -> list[str]:
    """The text of the body, which the SDK does not parse."""
    raw_batches = _batches(client).with_streaming_response
    if not hasattr(raw_batches, "results"):
        pytest.skip("this SDK has no raw results")
    async with Opened(raw_batches.results(BATCH)) as raw:
        return await listed(raw.iter_lines())


async def _raw(client: Any) -> list[Any]:
    if not hasattr(_batches(client).with_raw_response, "results"):
        pytest.skip("this SDK has no raw results")
    raw = await _results(client, "with_raw_response")
    return await listed(await settled(raw.parse()))


@pytest.fixture
def instrumented(telemetry: Telemetry) -> Telemetry:
    """What is recorded, with content."""
    ANTHROPIC.instrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")
    return telemetry


@pytest.mark.parametrize("read", [_listed, _lines, _raw])
def test_results_are_a_call_of_their_own(
    server: ModelServer, instrumented: Telemetry, client: Any, way: Way, read: Callable[[Any], Any]
) -> None:
    """The SDK gets the batch first, which is a call. However the results are read, they are counted, with their tokens."""
    server.reply(*answered())

    found = way.run(read(client))

    assert len(RESULTS) == len(found)
    assert SPANS == [span.name for span in instrumented.spans]
    assert COUNTED == counts(instrumented)
    assert WHOLE == tokens(instrumented)
    span = instrumented.spans[-1]
    assert [BATCH, 200, "req_1"] == [
        (span.attributes or {})[name] for name in (f"{PREFIX}id", "http.response.status_code", "anthropic.request.id")
    ]
    assert [] == [name for name in span.attributes or () if name.startswith("gen_ai.usage.")]
    assert [] == instrumented.events


@pytest.mark.parametrize("read", [_listed, _lines])
def test_a_body_in_gzip_and_without_a_last_line_break(
    server: ModelServer, instrumented: Telemetry, client: Any, way: Way, read: Callable[[Any], Any]
) -> None:
    """Its last line counts as well; empty ones between the others do not."""
    lines = [b"\r\n".join([json.dumps(line, ensure_ascii=False).encode() for line in RESULTS])]
    server.reply(*answered(lines, gzip=True))

    assert len(RESULTS) == len(way.run(read(client)))

    assert COUNTED == counts(instrumented)
    assert WHOLE == tokens(instrumented)


def test_results_that_are_read_again_are_not_counted_again(
    server: ModelServer, instrumented: Telemetry, client: Any, way: Way
) -> None:
    """Neither those that were read before the application left, nor all of them; each span has what its call has read."""
    server.reply(*answered(), *answered(), *answered())

    way.run(_closed_after(client, 3))
    assert {"succeeded": 2, "errored": 1, "canceled": 0, "expired": 0} == counts(instrumented)
    assert {("input", 13), ("output", 5)} == tokens(instrumented)
    for _ in range(2):
        way.run(_listed(client))
        assert COUNTED == counts(instrumented)
        assert WHOLE == tokens(instrumented)

    assert 3 * SPANS == [span.name for span in instrumented.spans]


def test_results_are_not_read_ahead(server: ModelServer, instrumented: Telemetry, client: Any, way: Way) -> None:
    """Who reads one gets it when it has been sent, and who closes leaves the server."""
    server.reply(*answered(LONG, end="stall", sent=2))

    way.run(_closed_after(client, 1))

    assert server.requests[-1].left.wait(3)
    assert {**OK, "succeeded": 1} == counts(instrumented)
    assert {("input", 8), ("output", 3)} == tokens(instrumented)
    assert "UNSET" == instrumented.spans[-1].status.status_code.name


def test_results_that_nobody_reads(server: ModelServer, instrumented: Telemetry, client: Any, way: Way) -> None:
    """They are closed at once: the call has ended, and nothing is known of them."""
    server.reply(*answered())

    way.run(_closed_after(client, 0))

    assert SPANS == [span.name for span in instrumented.spans]
    assert {} == counts(instrumented)
    assert set() == tokens(instrumented)


def test_results_that_are_dropped(server: ModelServer, instrumented: Telemetry, client: Any, way: Way) -> None:
    """The call ends when they are collected."""
    server.reply(*answered())

    way.run(_dropped(client))

    assert SPANS == [span.name for span in instrumented.spans]
    assert {**OK, "succeeded": 1} == counts(instrumented)


def test_a_line_that_is_no_json(server: ModelServer, instrumented: Telemetry, client: Any, way: Way) -> None:
    """The SDK raises, as without us, and the call has failed with what was read before."""
    server.reply(*answered([*RESULTS[:2], "{"]))

    with pytest.raises(json.JSONDecodeError):
        way.run(_listed(client))

    span = instrumented.spans[-1]
    assert "ERROR" == span.status.status_code.name
    assert "json.decoder.JSONDecodeError" == (span.attributes or {})["error.type"]
    assert {"succeeded": 1, "errored": 1, "canceled": 0, "expired": 0} == counts(instrumented)
    assert {("input", 8), ("output", 3)} == tokens(instrumented)


async def _cancelled(client: Any) -> None:
    """A task reads as many results as there are, and is cancelled while it waits for the next one."""
    read = []

    async def reading() -> None:
        async for result in await _results(client):
            read.append(result)  # noqa: PERF401 - each is seen when it comes

    task = asyncio.create_task(reading())
    await until(lambda: read)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_results_whose_task_is_cancelled(server: ModelServer, instrumented: Telemetry, client: Any, way: Way) -> None:
    """The call has failed with what was read until then."""
    if way.name == "sync":
        pytest.skip("only tasks are cancelled")
    server.reply(*answered(LONG, end="stall", sent=2))

    way.run(_cancelled(client))

    span = instrumented.spans[-1]
    assert "asyncio.exceptions.CancelledError" == (span.attributes or {})["error.type"]
    assert {**OK, "succeeded": 1} == counts(instrumented)
    assert {("input", 8), ("output", 3)} == tokens(instrumented)


def test_results_at_another_host(server: ModelServer, telemetry: Telemetry, client: Any, way: Way) -> None:
    """The span has the host that the request went to, which gets no trace headers that only the client's own host may have."""
    ANTHROPIC.instrumentor().instrument(**telemetry.providers, propagate="127.0.0.1")
    server.reply(*answered(host=f"localhost:{server.port}"))

    way.run(_listed(client))

    assert ["127.0.0.1", "localhost"] == [(span.attributes or {})["server.address"] for span in telemetry.spans]
    assert [True, False] == ["traceparent" in request.headers for request in server.requests]
    assert COUNTED == counts(telemetry)


@pytest.mark.parametrize("mode", ["replace", "enrich", "off"])
@pytest.mark.parametrize("read", [_listed, _lines])
def test_one_span_beside_the_tracing_of_the_sdk(
    *, server: ModelServer, telemetry: Telemetry, client: Any, way: Way, mode: str, read: Callable[[Any], Any]
) -> None:
    """It is ours, the SDK's with our attributes, or the SDK's; what is measured does not depend on that."""
    if not hasattr(client, "_otel"):
        pytest.skip("this SDK does not trace itself")
    own = client.with_options(open_telemetry={"tracer_provider": telemetry.tracer_provider})
    server.reply(*answered())
    ANTHROPIC.instrumentor().instrument(**telemetry.providers, anthropic_native_tracing=mode)

    way.run(read(own))

    sdk = ["anthropic.messages.batches.retrieve", "anthropic.messages.batches.results"]
    assert (SPANS if mode == "replace" else sdk) == [span.name for span in telemetry.spans]
    assert ({} if mode == "off" else COUNTED) == counts(telemetry)
    assert WHOLE == tokens(telemetry)


def test_what_asks_for_a_batch_links_to_the_span_that_created_it(
    server: ModelServer, telemetry: Telemetry, client: Any, way: Way
) -> None:
    """Both spans of reading its results do: the SDK fetches the batch first."""
    server.reply(Json(batch(processing=2), headers=HEADERS), *answered())
    ANTHROPIC.instrumentor().instrument(**telemetry.providers)

    way.run(_create(client, _requests()))
    way.run(_listed(client))

    created, *others = telemetry.spans
    assert ["create_batch", *SPANS] == [span.name for span in (created, *others)]
    assert [[created.context.span_id]] * 2 == [[link.context.span_id for link in span.links] for span in others]

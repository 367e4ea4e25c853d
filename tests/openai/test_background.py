"""Responses that are made in the background: their tokens are counted once, by the call that is the first to see them."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import SpanContext

from conformance import Exchange, nonconformities
from contract.drive import WAYS, Way, listed, settled
from loopback import Json, ModelServer, Reply, Sse, Telemetry
from loopback.openai_bodies import MODEL, response
from opentelemetry_instrumentation_genai import OpenAIInstrumentor
from opentelemetry_instrumentation_genai._signals.task_links import Creators, Task

BY_WAY = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
TOKENS = "gen_ai.client.token.usage"
USAGE = {
    "input_tokens": 8,
    "output_tokens": 2,
    "input_tokens_details": {"cached_tokens": 4},
    "output_tokens_details": {"reasoning_tokens": 1},
    "total_tokens": 10,
}
USED = {
    "gen_ai.usage.input_tokens": 8,
    "gen_ai.usage.output_tokens": 2,
    "gen_ai.usage.cache_read.input_tokens": 4,
    "gen_ai.usage.reasoning.output_tokens": 1,
}
QUEUED = response(background=True, status="queued", output=[], usage=None)
RUNNING = response(background=True, status="in_progress", output=[], usage=None)
DONE = response(background=True, usage=USAGE)
pytestmark = pytest.mark.skipif(not hasattr(openai.OpenAI, "responses"), reason="this SDK has no Responses API")


def streamed(whole: dict[str, Any], begun: dict[str, Any] = RUNNING) -> Sse:
    """A response as a stream of two events."""
    created = {"type": "response.created", "sequence_number": 0, "response": begun}
    return Sse([created, {"type": "response.completed", "sequence_number": 1, "response": whole}], event_names=True)


async def ask(way: Way, url: str, *calls: str, raw: bool = False) -> None:
    """Make the calls, one after another; `read` ones are streams that are read, of `begun` ones one event is."""
    kind = openai.AsyncOpenAI if way.name == "async" else openai.OpenAI
    client: Any = kind(base_url=f"{url}/v1", api_key="none", max_retries=0)
    methods = client.responses.with_raw_response if raw else client.responses
    for call in calls:
        arguments: dict[str, Any] = {"stream": True} if " " in call else {}
        if call.startswith("create"):
            answer = await settled(methods.create(model=MODEL, input="Hi", background=True, **arguments))
        elif call == "cancel":
            answer = await settled(methods.cancel("resp_1"))
        else:
            answer = await settled(methods.retrieve("resp_1", **arguments))
        if call.endswith("read"):
            await listed(answer)
        elif call.endswith("begun"):
            await settled(answer.__anext__() if way.name == "async" else answer.__next__())
            await settled(answer.close())
        elif call.endswith("left"):
            await settled(answer.close())
    await settled(client.close())


def used(telemetry: Telemetry) -> list[dict[str, Any]]:
    """The usage of each span, in the order of the calls."""
    return [
        {name: value for name, value in span.attributes.items() if name.startswith("gen_ai.usage.")}
        for span in telemetry.spans
    ]


def counted(telemetry: Telemetry) -> list[tuple[str, str, int]]:
    """Operation, type and sum of all tokens."""
    points = telemetry.metrics.get(TOKENS, ())
    return [
        (point.attributes["gen_ai.operation.name"], point.attributes["gen_ai.token.type"], point.sum)
        for point in points
    ]


@BY_WAY
@pytest.mark.parametrize("raw", [False, True], ids=["parsed", "raw"])
def test_a_background_response_has_its_tokens_on_the_fetch_that_sees_its_end(
    server: ModelServer, telemetry: Telemetry, way: Way, raw: bool
):
    """Neither the call that makes it, nor those that find it unfinished, nor those that read it again have any."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(QUEUED), Json(RUNNING), Json(DONE), Json(DONE))

    way.run(ask(way, server.url, "create", "fetch", "fetch", "fetch", raw=raw))

    assert [{}, {}, USED, {}] == used(telemetry)
    assert [("fetch_response", "input", 8), ("fetch_response", "output", 2)] == counted(telemetry)


ENDINGS = {
    "completed": {},
    "incomplete": {},
    "failed": {"error": {"code": "server_error", "message": "No"}},
    "cancelled": {},
}


@pytest.mark.parametrize("status", ENDINGS)
def test_every_end_of_a_background_response_counts(server: ModelServer, telemetry: Telemetry, status: str):
    """What was used until then is billed."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json({**DONE, "status": status, **ENDINGS[status]}))

    WAYS[0].run(ask(WAYS[0], server.url, "fetch"))

    assert [USED] == used(telemetry)


STREAMS: dict[str, tuple[list[str], list[Reply], list[dict[str, Any]]]] = {
    "made as a stream, then fetched": (["create read", "fetch"], [streamed(DONE), Json(DONE)], [USED, {}]),
    "left, then fetched": (["create left", "fetch"], [streamed(DONE), Json(DONE)], [{}, USED]),
    "left, then resumed": (["create left", "fetch read"], [streamed(DONE), streamed(DONE)], [{}, USED]),
    "left, resumed, fetched": (
        ["create left", "fetch read", "fetch"],
        [streamed(DONE), streamed(DONE), Json(DONE)],
        [{}, USED, {}],
    ),
}


@BY_WAY
@pytest.mark.parametrize("name", STREAMS)
def test_the_first_call_that_sees_the_end_counts(server: ModelServer, telemetry: Telemetry, way: Way, name: str):
    """Whether it made the response or fetched it, plain or as a stream."""
    calls, replies, expected = STREAMS[name]
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(*replies)
    if "fetch read" in calls and not _fetches_streams():
        pytest.skip("this SDK fetches no streams")

    way.run(ask(way, server.url, *calls))

    assert expected == used(telemetry)
    assert [8, 2] == [tokens for _, _, tokens in counted(telemetry)]


@BY_WAY
@pytest.mark.parametrize("generation", ["default", "gen_ai_latest_experimental"])
def test_a_response_that_is_cancelled_counts_once(server: ModelServer, telemetry: Telemetry, way: Way, generation: str):
    """By the call that cancels it, if its response has the usage; one that is fetched after that has none."""
    cancelled = {**DONE, "status": "cancelled"}
    OpenAIInstrumentor().instrument(**telemetry.providers, semconv_stability_opt_in=generation)
    server.reply(Json(QUEUED), Json({**RUNNING, "status": "cancelled"}), Json(cancelled), Json(cancelled))

    way.run(ask(way, server.url, "create", "cancel", "cancel", "fetch"))

    assert [{}, {}, USED, {}] == used(telemetry)
    metric = TOKENS if generation == "default" else "gen_ai.client.inference.operation.output_tokens"
    assert ["cancel_response"] == list(
        {point.attributes["gen_ai.operation.name"] for point in telemetry.metrics[metric]}
    )


def _fetches_streams() -> bool:
    import inspect

    with openai.OpenAI(api_key="none") as client:
        return "stream" in inspect.signature(client.responses.retrieve).parameters


@pytest.mark.parametrize("generation", ["default", "gen_ai_latest_experimental"])
def test_a_response_that_is_fetched_has_no_tokens_unless_it_was_made_in_the_background(
    server: ModelServer, telemetry: Telemetry, generation: str
):
    """The call that made it has counted them; of another process nobody knows."""
    OpenAIInstrumentor().instrument(**telemetry.providers, semconv_stability_opt_in=generation)
    server.reply(Json(response(usage=USAGE)), Json(response(usage=USAGE, background=False)))

    WAYS[0].run(ask(WAYS[0], server.url, "fetch", "fetch"))

    assert [{}, {}] == used(telemetry)
    assert ["gen_ai.client.operation.duration"] == list(telemetry.metrics)


@pytest.mark.parametrize(("generation", "registry"), [("default", "v1.41"), ("gen_ai_latest_experimental", "latest")])
def test_tokens_of_a_fetched_response_are_those_of_an_inference(
    server: ModelServer, telemetry: Telemetry, generation: str, registry: str
):
    """In the latest generation too, where an operation that is no inference has no metric of tokens else."""
    OpenAIInstrumentor().instrument(**telemetry.providers, semconv_stability_opt_in=generation)
    server.reply(Json(DONE))

    WAYS[0].run(ask(WAYS[0], server.url, "fetch"))

    wrong = nonconformities(telemetry, registry, Exchange({}, [DONE]))
    tokens = [text for text in wrong if "gen_ai.usage." not in text]  # which the conventions have on other spans
    found = {
        name: points[0].sum or points[0].value for name, points in telemetry.metrics.items() if "duration" not in name
    }
    if generation == "default":
        assert [] == tokens
        assert {TOKENS: 8} == found
    else:
        prefix = "gen_ai.client.inference."
        assert {
            f"{prefix}operation.input_tokens": 8,
            f"{prefix}operation.output_tokens": 2,
            f"{prefix}usage.input_tokens": 8,
            f"{prefix}usage.output_tokens": 2,
            f"{prefix}usage.cache_read.input_tokens": 4,
            f"{prefix}usage.reasoning.output_tokens": 1,
        } == found


def test_ids_that_are_remembered_are_bounded():
    """The oldest is forgotten first; one that is seen again is young again."""
    from opentelemetry_instrumentation_genai._adapter.counted_usage import _MOST, Counted

    seen = Counted()
    assert all(seen.first(str(number)) for number in range(_MOST))
    assert not seen.first("0")
    assert seen.first("one more")
    assert not seen.first("0")
    assert seen.first("1")
    assert _MOST == len(seen._positions)


def links(telemetry: Telemetry) -> list[list[int]]:
    """For each span, the places of the spans that it links to."""
    places = {span.context.span_id: place for place, span in enumerate(telemetry.spans)}
    return [[places[link.context.span_id] for link in span.links] for span in telemetry.spans]


@BY_WAY
@pytest.mark.parametrize("create", ["create", "create read", "create begun"])
def test_a_fetch_links_to_the_span_that_created_the_response(
    server: ModelServer, telemetry: Telemetry, way: Way, create: str
):
    """Each call that asks for the response, or cancels it, has one link, to the call that created it."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    created = Json(QUEUED) if create == "create" else streamed(DONE)
    server.reply(created, Json(RUNNING), Json(DONE), Json(DONE))

    way.run(ask(way, server.url, create, "fetch", "fetch", "cancel"))

    assert [[], [0], [0], [0]] == links(telemetry)


def test_only_a_background_response_is_linked_to(server: ModelServer, telemetry: Telemetry):
    """A response that was complete when its call returned is the same one, read again; of an unknown id nothing is known."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(response(usage=USAGE)), Json(response(usage=USAGE)))

    WAYS[0].run(ask(WAYS[0], server.url, "create", "fetch"))

    assert [[], []] == links(telemetry)


def test_a_response_of_another_server_is_not_linked_to(server: ModelServer, telemetry: Telemetry):
    """Two servers may give the same id."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply_always(Json(QUEUED))

    WAYS[0].run(ask(WAYS[0], server.url, "create"))
    other = ModelServer()
    try:
        other.reply_always(Json(DONE))
        WAYS[0].run(ask(WAYS[0], other.url, "fetch"))
    finally:
        other.close()

    assert [[], []] == links(telemetry)


def test_the_latest_responses_are_remembered():
    """Memory is bounded: the oldest creators are forgotten."""
    creators = Creators()
    for number in range(5000):
        creators.add(Task("host", 80, f"resp_{number}"), SpanContext(1, number + 1, is_remote=False))

    assert creators.of(Task("host", 80, "resp_0")) is None
    found = creators.of(Task("host", 80, "resp_4999"))
    assert found is not None
    assert 5000 == found.span_id


def test_a_span_that_is_not_sampled_is_not_linked_to(server: ModelServer):
    """No backend would have it, though its details event may be there."""
    sampled = iter([False, True])

    class One(Sampler):
        def should_sample(self, *_: Any, **__: Any) -> SamplingResult:
            return SamplingResult(Decision.RECORD_AND_SAMPLE if next(sampled) else Decision.DROP)

        def get_description(self) -> str:
            return "one"

    telemetry = Telemetry(One())
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="event_only")
    server.reply(Json(QUEUED), Json(DONE))

    WAYS[0].run(ask(WAYS[0], server.url, "create", "fetch"))

    assert [[]] == links(telemetry)

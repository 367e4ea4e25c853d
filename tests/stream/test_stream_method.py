"""The SDK's own conveniences around a stream: `chat.completions.stream()` and `responses.stream()`."""

from __future__ import annotations

import functools

import pytest
from openai import OpenAI
from pydantic import BaseModel

from endings import CHAT, RESPONSES, Ended, Twice, response_events
from loopback import Sse, Telemetry
from loopback.openai_bodies import chunk
from loopback.processes import run

VALIDATION = "pydantic_core._pydantic_core.ValidationError"


class Answer(BaseModel):
    """What a structured answer has."""

    word: str


def resource_of(api, client):
    """What has `stream()`, wherever this SDK keeps it; None where it has none."""
    for root in (client, client.beta):
        try:
            resource = api.resource(root)
        except AttributeError:
            continue
        if hasattr(resource, "stream"):
            return resource
    return None


def opened(api, client, **more):
    """The context manager that `stream()` returns."""
    return resource_of(api, client).stream(**api.body, **more)


def with_stream(*apis):
    """Parameters of a test, skipped where the SDK has no such method."""
    with OpenAI(api_key="none") as client:
        missing = [resource_of(api, client) is None for api in apis]
    return [
        pytest.param(api, id=api.path, marks=pytest.mark.skipif(skipped, reason=f"this SDK has no {api.path}.stream()"))
        for api, skipped in zip(apis, missing, strict=True)
    ]


BOTH = with_stream(CHAT, RESPONSES)
ONLY_CHAT = with_stream(CHAT)
ONLY_RESPONSES = with_stream(RESPONSES)


def noted(seen, event):
    """Its events differ between versions of the SDK, and hold snapshots that change: their types are enough."""
    seen.note(getattr(event, "type", str(event)))


def final(api) -> str:
    """The method that returns the whole."""
    return "get_final_completion" if api.path == CHAT.path else "get_final_response"


# Readings. Each takes an `Api`, a client and a `Seen`.


def loops(api, client, seen):
    """Reads every event."""
    with opened(api, client) as stream:
        for event in stream:
            noted(seen, event)


async def loops_async(api, client, seen):
    """The same, asynchronous."""
    async with opened(api, client) as stream:
        async for event in stream:
            noted(seen, event)


def wants_the_whole(api, client, seen):
    """Reads no event by itself."""
    with opened(api, client) as stream:
        seen.note(getattr(stream, final(api))())


async def wants_the_whole_async(api, client, seen):
    """The same, asynchronous."""
    async with opened(api, client) as stream:
        seen.note(await getattr(stream, final(api))())


def loops_and_wants_the_whole(api, client, seen):
    """Reads some, leaves the rest to the SDK, and asks twice."""
    with opened(api, client) as stream:
        for event in stream:
            noted(seen, event)
            if len(seen.chunks) == api.part:
                break
        seen.note(getattr(stream, final(api))())
        seen.note(getattr(stream, final(api))())


async def loops_and_wants_the_whole_async(api, client, seen):
    """The same, asynchronous."""
    async with opened(api, client) as stream:
        async for event in stream:
            noted(seen, event)
            if len(seen.chunks) == api.part:
                break
        seen.note(await getattr(stream, final(api))())
        seen.note(await getattr(stream, final(api))())


def waits_until_done(api, client, seen):
    """Only wants it to be over."""
    with opened(api, client) as stream:
        stream.until_done()
        stream.until_done()


async def waits_until_done_async(api, client, seen):
    """The same, asynchronous."""
    async with opened(api, client) as stream:
        await stream.until_done()
        await stream.until_done()


WHOLE = [
    loops,
    loops_async,
    wants_the_whole,
    wants_the_whole_async,
    loops_and_wants_the_whole,
    loops_and_wants_the_whole_async,
    waits_until_done,
    waits_until_done_async,
]


def named(reading) -> str:
    """A parameter's name."""
    return reading.__name__


@pytest.mark.parametrize("reading", WHOLE, ids=named)
@pytest.mark.parametrize("api", BOTH)
def test_read_to_the_end(twice: Twice, telemetry: Telemetry, api, reading):
    """Whichever way it is read: one span has the whole response, and chunks are the provider's, not the SDK's events."""
    twice(api.reply(), functools.partial(reading, api))

    assert api.whole() == Ended.of(telemetry)


def leaves(api, client, seen):
    """Returns in the middle."""
    with opened(api, client) as stream:
        for number, _ in enumerate(stream._raw_stream, 1):
            seen.note(number)
            if number == api.part:
                return


async def leaves_async(api, client, seen):
    """The same, asynchronous."""
    async with opened(api, client) as stream:
        number = 0
        async for _ in stream._raw_stream:
            number += 1
            seen.note(number)
            if number == api.part:
                return


def raises(api, client, seen):
    """Fails by itself."""
    with opened(api, client) as stream:
        for number, _ in enumerate(stream._raw_stream, 1):
            if number == api.part:
                raise ValueError("the application's own")


async def raises_async(api, client, seen):
    """The same, asynchronous."""
    async with opened(api, client) as stream:
        async for _ in stream._raw_stream:
            seen.note("chunk")
            if len(seen.chunks) == api.part:
                raise ValueError("the application's own")


# The events that `stream()` makes do not tell how many chunks were read: these read what is below them.
LEAVING = [leaves, leaves_async, raises, raises_async]


@pytest.mark.parametrize("reading", LEAVING, ids=named)
@pytest.mark.parametrize("api", BOTH)
def test_left_early(twice: Twice, telemetry: Telemetry, api, reading):
    """What was received is kept, and the provider sees the client leave."""
    twice(api.stalled(), functools.partial(reading, api), leaves=True)

    assert api.partly() == Ended.of(telemetry)


def leaves_at_the_first_event(api, client, seen):
    """One event is enough."""
    with opened(api, client) as stream:
        for event in stream:
            noted(seen, event)
            break


async def leaves_at_the_first_event_async(api, client, seen):
    """The same, asynchronous."""
    async with opened(api, client) as stream:
        async for event in stream:
            noted(seen, event)
            break


@pytest.mark.parametrize("reading", [leaves_at_the_first_event, leaves_at_the_first_event_async], ids=named)
@pytest.mark.parametrize("api", BOTH)
def test_left_at_the_first_event(twice: Twice, telemetry: Telemetry, api, reading):
    """The SDK reads no further than it has to, and neither do we."""
    twice(api.stalled(), functools.partial(reading, api), leaves=True)

    ended = Ended.of(telemetry)
    assert ("UNSET", ["error"], 1, 0) == (ended.status, ended.reasons, ended.first_chunk, ended.per_chunk)


def enters_and_leaves(api, client, seen):
    """Wants nothing of it."""
    with opened(api, client):
        pass


async def enters_and_leaves_async(api, client, seen):
    """The same, asynchronous."""
    async with opened(api, client):
        pass


@pytest.mark.parametrize("reading", [enters_and_leaves, enters_and_leaves_async], ids=named)
@pytest.mark.parametrize("api", BOTH)
def test_never_read(twice: Twice, telemetry: Telemetry, api, reading):
    """One span with what was asked."""
    twice(api.stalled(), functools.partial(reading, api), leaves=True)

    assert Ended() == Ended.of(telemetry)


@pytest.mark.parametrize("api", BOTH)
def test_never_entered(twice: Twice, telemetry: Telemetry, server, api):
    """`stream()` by itself asks nothing."""

    def forgets(client, _seen):
        opened(api, client)

    twice(api.reply(), forgets)

    assert [] == server.requests
    assert ([], {}) == (telemetry.spans, telemetry.metrics)


@pytest.mark.parametrize("reading", [loops, loops_async, wants_the_whole, wants_the_whole_async], ids=named)
@pytest.mark.parametrize("api", BOTH)
def test_a_cut_connection(twice: Twice, telemetry: Telemetry, api, reading):
    """`stream()` lets the exception through, and the call failed with it."""
    seen = twice(api.reply(end="cut", sent=api.part), functools.partial(reading, api))

    assert seen.raised
    assert api.partly(status="ERROR", error=seen.raised[0]) == Ended.of(telemetry)


@pytest.mark.parametrize("reading", [loops, loops_async, wants_the_whole, wants_the_whole_async], ids=named)
@pytest.mark.parametrize("api", BOTH)
def test_ended_too_soon(twice: Twice, telemetry: Telemetry, api, reading):
    """What `stream()` makes of a body without its end is its own affair; to the call it was an end."""
    twice(api.reply(end="early", sent=api.part), functools.partial(reading, api))

    assert api.partly() == Ended.of(telemetry)


def asks_for_structure(api, client, seen):
    """Wants an answer of a type."""
    with opened(api, client, response_format=Answer) as stream:
        for event in stream:
            noted(seen, event)
        seen.note(stream.get_final_completion().choices[0].message.parsed)


async def asks_for_structure_async(api, client, seen):
    """The same, asynchronous."""
    async with opened(api, client, response_format=Answer) as stream:
        async for event in stream:
            noted(seen, event)
        seen.note((await stream.get_final_completion()).choices[0].message.parsed)


STRUCTURED = [asks_for_structure, asks_for_structure_async]


@pytest.mark.parametrize("reading", STRUCTURED, ids=named)
@pytest.mark.parametrize("api", ONLY_CHAT)
def test_a_structured_answer(twice: Twice, telemetry: Telemetry, api, reading):
    """The application has its type, and the span has the content."""
    reply = Sse([chunk({"content": '{"word":'}), chunk({"content": '"one"}'}), chunk(reason="stop")])

    seen = twice(reply, functools.partial(reading, api))

    assert {"word": "one"} == seen.chunks[-1]
    assert Ended(
        reasons=["stop"], texts=['{"word":"one"}'], identity="chatcmpl-1", first_chunk=1, per_chunk=2
    ) == Ended.of(telemetry)


@pytest.mark.parametrize("reading", STRUCTURED, ids=named)
@pytest.mark.parametrize(
    "refused",
    [("length", "openai.LengthFinishReasonError"), ("content_filter", "openai.ContentFilterFinishReasonError")],
    ids=lambda refused: refused[0],
)
@pytest.mark.parametrize("api", ONLY_CHAT)
def test_an_answer_that_the_sdk_refuses(twice: Twice, telemetry: Telemetry, api, reading, refused):
    """The SDK raises for a reason of the provider's: the call failed with that, and what was received is kept."""
    reason, raised = refused
    reply = Sse([chunk({"content": '{"wo'}), chunk(reason=reason)])

    seen = twice(reply, functools.partial(reading, api))

    assert raised == seen.raised[0]
    assert Ended(
        status="ERROR",
        error=raised,
        reasons=[reason],
        texts=['{"wo'],
        identity="chatcmpl-1",
        first_chunk=1,
        per_chunk=1,
    ) == Ended.of(telemetry)


@pytest.mark.parametrize("reading", STRUCTURED, ids=named)
@pytest.mark.parametrize("api", ONLY_CHAT)
def test_an_answer_of_another_structure(twice: Twice, telemetry: Telemetry, api, reading):
    """The SDK's validation raises out of the loop: the call failed with that, though the provider's response was whole."""
    reply = Sse([chunk({"content": '{"other": 1}'}), chunk(reason="stop"), chunk(choices=[])])

    seen = twice(reply, functools.partial(reading, api))

    assert VALIDATION == seen.raised[0]
    assert ("ERROR", VALIDATION, ["stop"], ['{"other": 1}']) == _ended(telemetry)


def _ended(telemetry):
    """Whether there is another chunk after the one that does not fit is the SDK's affair."""
    ended = Ended.of(telemetry)
    return ended.status, ended.error, ended.reasons, ended.texts


@pytest.mark.parametrize("reading", [wants_the_whole, wants_the_whole_async], ids=named)
@pytest.mark.parametrize("reason", ["length", "content_filter"])
@pytest.mark.parametrize("api", ONLY_CHAT)
def test_a_whole_that_the_sdk_refuses(twice: Twice, telemetry: Telemetry, api, reading, reason):
    """`get_final_completion()` reads to the end and raises then, whatever was asked: the end of the call waits for that."""
    seen = twice(Sse([chunk({"content": "on"}), chunk(reason=reason)]), functools.partial(reading, api))

    assert seen.raised
    assert ("ERROR", seen.raised[0], [reason], ["on"]) == _ended(telemetry)


def loops_then_wants_the_whole(api, client, seen):
    """Has read all of it before it asks."""
    with opened(api, client) as stream:
        for event in stream:
            noted(seen, event)
        seen.note(stream.get_final_completion())


async def loops_then_wants_the_whole_async(api, client, seen):
    """The same, asynchronous."""
    async with opened(api, client) as stream:
        async for event in stream:
            noted(seen, event)
        seen.note(await stream.get_final_completion())


@pytest.mark.parametrize("reading", [loops_then_wants_the_whole, loops_then_wants_the_whole_async], ids=named)
@pytest.mark.parametrize("api", ONLY_CHAT)
def test_a_whole_that_is_refused_after_the_end(twice: Twice, telemetry: Telemetry, api, reading):
    """The call had ended well when the application had read it to its end: what it asks of the SDK later is its own affair."""
    seen = twice(Sse([chunk({"content": "on"}), chunk(reason="length")]), functools.partial(reading, api))

    assert seen.raised
    assert ("UNSET", None, ["length"], ["on"]) == _ended(telemetry)


def throws(api, client, seen):
    """Fails by itself while it looks at an event of the SDK."""
    with opened(api, client) as stream:
        for event in stream:
            noted(seen, event)
            raise ValueError("the application's own")


async def throws_async(api, client, seen):
    """The same, asynchronous."""
    async with opened(api, client) as stream:
        async for event in stream:
            noted(seen, event)
            raise ValueError("the application's own")


@pytest.mark.parametrize("reading", [throws, throws_async], ids=named)
@pytest.mark.parametrize("api", BOTH)
def test_an_exception_of_the_application_between_two_events(twice: Twice, telemetry: Telemetry, api, reading):
    """It is none of the SDK's: the call was left."""
    seen = twice(api.reply(), functools.partial(reading, api))

    assert "ValueError" == seen.raised[0]
    assert ("UNSET", None) == _ended(telemetry)[:2]


def asks_for_a_structured_response(api, client, seen):
    """Wants an answer of a type of the Responses API."""
    with opened(api, client, text_format=Answer) as stream:
        for event in stream:
            noted(seen, event)


async def asks_for_a_structured_response_async(api, client, seen):
    """The same, asynchronous."""
    async with opened(api, client, text_format=Answer) as stream:
        async for event in stream:
            noted(seen, event)


@pytest.mark.parametrize("reading", [asks_for_a_structured_response, asks_for_a_structured_response_async], ids=named)
@pytest.mark.parametrize("api", ONLY_RESPONSES)
def test_a_response_of_another_structure(twice: Twice, telemetry: Telemetry, api, reading):
    """The same of the Responses API: its last event has all of the response; what was received until then is kept."""
    events = response_events('{"other": 1}')
    # As the API sends them: the SDK parses the text when it is done.
    done = {"type": "response.output_text.done", "item_id": "msg_1", "output_index": 0, "content_index": 0}
    events.insert(-2, {**done, "text": '{"other": 1}', "logprobs": [], "sequence_number": 4})

    seen = twice(Sse(events, event_names=True), functools.partial(reading, api))

    assert VALIDATION == seen.raised[0]
    assert ("ERROR", VALIDATION) == _ended(telemetry)[:2]
    assert ['{"other": 1}'] == _ended(telemetry)[3]


@pytest.mark.parametrize("reading", [loops, loops_async, wants_the_whole, wants_the_whole_async], ids=named)
@pytest.mark.parametrize("api", ONLY_RESPONSES)
def test_a_response_that_failed(twice: Twice, telemetry: Telemetry, api, reading):
    """`get_final_response()` raises because it was not completed; the call failed with the provider's code."""
    failed = {**RESPONSES.events[0]["response"], "status": "failed", "error": {"code": "server_error", "message": "No"}}
    events = response_events("one", "two")[:5]
    last = {"type": "response.failed", "sequence_number": 5, "response": failed}

    twice(Sse([*events, last], event_names=True), functools.partial(reading, api))

    assert api.partly(status="ERROR", error="server_error", per_chunk=5) == Ended.of(telemetry)


IMPORTED_LATER = """
import sys
from loopback import ModelServer, Sse, Telemetry
from loopback.openai_bodies import CHAT, chunk
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

telemetry = Telemetry()
OpenAIInstrumentor().instrument(**telemetry.providers)
assert "openai" not in sys.modules

import openai
server = ModelServer()
for instrumented in (True, False, True):
    server.reply(Sse([chunk({"content": "on"}), chunk(reason="length")]))
    with openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0) as client:
        place = client.chat if hasattr(client.chat.completions, "stream") else client.beta.chat
        try:
            with place.completions.stream(**CHAT) as stream:
                stream.get_final_completion()
        except openai.LengthFinishReasonError:
            print([span.attributes.get("error.type") for span in telemetry.spans])
    telemetry.clear()
    if instrumented:
        OpenAIInstrumentor().uninstrument()
    else:
        OpenAIInstrumentor().instrument(**telemetry.providers)
server.close()
"""


@pytest.mark.process
@pytest.mark.parametrize("api", ONLY_CHAT)
def test_an_sdk_that_is_imported_later(tmp_path, api):
    """The SDK imports what `stream()` returns only when it is asked for: it is followed then, not after `uninstrument()`, and again."""
    printed, _ = run(tmp_path, IMPORTED_LATER)

    failed = "['openai.LengthFinishReasonError']"
    assert [failed, "[]", failed] == printed

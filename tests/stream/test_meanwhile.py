"""Instrumentation that is switched on or off while a stream is being read."""

from __future__ import annotations

import gc

import pytest
from openai import Stream

from endings import CHAT, CHAT_AND_RESPONSES, Ended
from loopback import Telemetry
from opentelemetry_instrumentation_genai import OpenAIInstrumentor


def instrument(telemetry: Telemetry) -> None:
    """With content in the spans."""
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")


@pytest.mark.parametrize("api", CHAT_AND_RESPONSES)
def test_switched_off_in_the_middle(server, telemetry: Telemetry, openai_client, api):
    """The stream is read to its end as ever, and its call ends once."""
    instrument(telemetry)
    server.reply(api.reply(), api.reply())
    client = openai_client()
    stream = api.create(client)
    read = [next(stream) for _ in range(api.part)]

    OpenAIInstrumentor().uninstrument()
    read += stream

    assert len(api.events) == len(read)
    assert api.whole() == Ended.of(telemetry)
    assert len(api.events) == len(list(api.create(client)))
    assert 1 == len(telemetry.spans)


@pytest.mark.parametrize("api", CHAT_AND_RESPONSES)
async def test_switched_off_in_the_middle_async(server, telemetry: Telemetry, async_openai_client, api):
    """The same, asynchronous."""
    instrument(telemetry)
    server.reply(api.reply(), api.reply())
    client = async_openai_client()
    stream = await api.create(client)
    read = [await anext(stream) for _ in range(api.part)]

    OpenAIInstrumentor().uninstrument()
    read += [item async for item in stream]

    assert len(api.events) == len(read)
    assert api.whole() == Ended.of(telemetry)
    assert len(api.events) == len([item async for item in await api.create(client)])
    assert 1 == len(telemetry.spans)


@pytest.mark.parametrize("api", CHAT_AND_RESPONSES)
def test_switched_off_and_dropped(server, telemetry: Telemetry, openai_client, api):
    """A stream that is lost after the instrumentation is off still ends its call."""
    instrument(telemetry)
    server.reply(api.stalled())
    stream = api.create(openai_client())
    for _ in range(api.part):
        next(stream)

    OpenAIInstrumentor().uninstrument()
    del stream
    gc.collect()

    assert api.partly() == Ended.of(telemetry)


def test_switched_off_before_it_is_read(server, telemetry: Telemetry, openai_client):
    """A raw response that is parsed after the instrumentation is off gives the SDK's stream, and its one span is whole."""
    instrument(telemetry)
    server.reply(CHAT.reply())
    raw = openai_client().chat.completions.with_raw_response.create(**CHAT.body, stream=True)

    OpenAIInstrumentor().uninstrument()
    stream = raw.parse()

    assert Stream is type(stream)
    assert len(CHAT.events) == len(list(stream))
    assert CHAT.whole() == Ended.of(telemetry)


@pytest.mark.parametrize("api", CHAT_AND_RESPONSES)
def test_switched_on_in_the_middle(server, telemetry: Telemetry, openai_client, api):
    """A call that began without us stays without us."""
    server.reply(api.reply())
    stream = api.create(openai_client())
    read = [next(stream) for _ in range(api.part)]

    instrument(telemetry)
    read += stream

    assert len(api.events) == len(read)
    assert ([], {}) == (telemetry.spans, telemetry.metrics)


def test_switched_on_before_it_is_read(server, telemetry: Telemetry, openai_client):
    """A raw response from before, parsed with the instrumentation on, is no call of ours either."""
    server.reply(CHAT.reply())
    raw = openai_client().chat.completions.with_raw_response.create(**CHAT.body, stream=True)

    instrument(telemetry)

    assert len(CHAT.events) == len(list(raw.parse()))
    assert ([], {}) == (telemetry.spans, telemetry.metrics)


def test_switched_off_and_on_again(server, telemetry: Telemetry, openai_client):
    """A call goes to the providers that were there when it began, once."""
    later = Telemetry()
    instrument(telemetry)
    server.reply(CHAT.reply(), CHAT.reply())
    client = openai_client()
    stream = CHAT.create(client)
    next(stream)

    OpenAIInstrumentor().uninstrument()
    instrument(later)
    list(stream)
    list(CHAT.create(client))

    assert CHAT.whole() == Ended.of(telemetry)
    assert CHAT.whole() == Ended.of(later)
    OpenAIInstrumentor().uninstrument()
    later.shutdown()


def test_providers_shut_down_in_the_middle(server, telemetry: Telemetry, openai_client, caplog):
    """An application that shuts its telemetry down reads on, and loses nothing but telemetry."""
    own = Telemetry()
    instrument(own)
    server.reply(CHAT.reply())
    stream = CHAT.create(openai_client())
    next(stream)

    own.shutdown()

    assert 4 == len(list(stream))
    caplog.clear()  # the SDK says that it was shut down, and is right

"""What the engine does when something beside it fails: processors, log handlers, clocks, finalizers, hooks that take their time."""

from __future__ import annotations

import gc
import logging
import subprocess
import sys
import threading
import time
from typing import Any

import anthropic
import openai
import pytest
from opentelemetry.context import get_current
from opentelemetry.sdk.trace import SpanProcessor

from followed_calls import CHAT, CHUNKS, MESSAGE, REPLY, STREAMED
from loopback import anthropic_bodies, settle
from opentelemetry_instrumentation_genai import AnthropicInstrumentor, OpenAIInstrumentor
from opentelemetry_instrumentation_genai._adapter.host_providers import _HOSTS
from opentelemetry_instrumentation_genai._runtime import guard

SECONDS = 10.0
"""How long a test waits for what must not take any time."""


class Failing(SpanProcessor):
    """Raises when a span starts."""

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        """A span has started."""
        raise RuntimeError("not today")


def test_a_span_processor_that_raises_at_the_start(server, openai_client, telemetry, monkeypatch):
    """The call is made, and has its metrics, though it has no span."""
    monkeypatch.setattr(guard, "strict", False)
    telemetry.tracer_provider.add_span_processor(Failing())
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(REPLY)

    assert "Hello" == openai_client().chat.completions.create(**CHAT).choices[0].message.content
    assert not get_current()
    (point,) = telemetry.metrics["gen_ai.client.operation.duration"]
    assert 1 == point.count


def test_a_log_handler_that_raises(server, openai_client, telemetry, monkeypatch):
    """A warning of ours cannot make the call fail, whatever the application's log handlers do."""
    monkeypatch.setattr(guard, "strict", False)
    monkeypatch.setattr(guard, "_reported", set())

    class Handler(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:
            raise RuntimeError("the disk is full")

    handler = Handler()
    telemetry.tracer_provider.add_span_processor(Failing())
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(REPLY)
    logger = logging.getLogger("opentelemetry_instrumentation_genai")
    logger.addHandler(handler)
    try:
        assert "Hello" == openai_client().chat.completions.create(**CHAT).choices[0].message.content
    finally:
        logger.removeHandler(handler)


@pytest.mark.parametrize(
    "setting", [{"capture_message_content": "span_only"}, {"request_hook": print}, {"enrichers": "all"}]
)
@pytest.mark.parametrize("failing", ["span processor", "id generator", "sampler", "member"])
def test_what_was_listed_is_handed_on(server, telemetry, monkeypatch, failing, setting):
    """A generator in the body was read to record it: the server gets what was in it, whatever fails after that."""
    monkeypatch.setattr(guard, "strict", False)

    def fail(*_given: Any, **_more: Any) -> Any:
        raise RuntimeError("not today")

    class Odd:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(name)

    if failing == "span processor":
        telemetry.tracer_provider.add_span_processor(Failing())
    elif failing == "id generator":
        monkeypatch.setattr(telemetry.tracer_provider.id_generator, "generate_span_id", fail)
    elif failing == "sampler":
        monkeypatch.setattr(telemetry.tracer_provider.sampler, "should_sample", fail)
    AnthropicInstrumentor().instrument(**telemetry.providers, **setting)
    server.reply(MESSAGE)
    content = ({"type": "text", "text": word} for word in ("one", "two"))
    body = {**anthropic_bodies.MESSAGES, "messages": [{"role": "user", "content": content}]}
    with anthropic.Anthropic(base_url=server.url, api_key="none", max_retries=0) as client:
        if failing == "member":
            with pytest.raises((RuntimeError, TypeError)):
                client.messages.create(**body, metadata=Odd())
            body["messages"] = [
                {"role": "user", "content": ({"type": "text", "text": word} for word in ("one", "two"))}
            ]
        client.messages.create(**body)

    assert ["one", "two"] == [part["text"] for part in server.requests[-1].json["messages"][0]["content"]]


def test_the_clock_starts_last_and_stops_first(server, openai_client, telemetry):
    """What hooks of the application take is not in the duration of the call, nor after the end of its span."""

    def slow(*_given: Any) -> None:
        time.sleep(SLOW)

    OpenAIInstrumentor().instrument(**telemetry.providers, request_hook=slow, response_hook=slow)
    server.reply(REPLY)
    before = time.perf_counter()
    openai_client().chat.completions.create(**CHAT)
    took = time.perf_counter() - before

    (point,) = telemetry.metrics["gen_ai.client.operation.duration"]
    assert point.sum is not None
    assert point.sum <= took - 2 * SLOW
    ended = telemetry.span.end_time
    assert ended is not None
    assert time.time_ns() - ended >= SLOW * 1e9


SLOW = 0.05
"""Seconds that a hook of a test takes."""


def test_a_collected_stream_ends_with_its_last_chunk(server, openai_client, telemetry):
    """A stream that nobody closes is found by the collector, some time after its last chunk: that is no part of the call."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(CHUNKS)
    stream = openai_client().chat.completions.create(**STREAMED)
    next(iter(stream))
    read = time.time_ns()
    holding: list[Any] = [stream]
    holding.append(holding)
    time.sleep(SLOW)
    del stream, holding
    gc.collect()
    settle()

    ended = telemetry.span.end_time
    assert ended is not None
    assert ended <= read + SLOW * 1e9 / 2
    (point,) = telemetry.metrics["gen_ai.client.operation.duration"]
    assert point.sum is not None
    assert point.sum <= (ended - telemetry.span.start_time) / 1e9


class Locked(SpanProcessor):
    """Holds a lock of its own while a span ends, as processors, log handlers and hooks do."""

    def __init__(self) -> None:
        """Nobody holds it yet."""
        self.lock = threading.Lock()
        self.ended = 0

    def on_end(self, span: Any) -> None:
        """A span ends."""
        assert self.lock.acquire(timeout=SECONDS), "a deadlock"
        self.ended += 1
        self.lock.release()


def test_a_collection_while_a_lock_is_held(server, openai_client, telemetry):
    """The collector finds a lost stream in a thread that holds a processor's lock: another thread ends the call, later."""
    processor = Locked()
    telemetry.tracer_provider.add_span_processor(processor)
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(CHUNKS)
    stream = openai_client().chat.completions.create(**STREAMED)
    next(iter(stream))
    with processor.lock:
        del stream
        gc.collect()
        assert 0 == processor.ended
    settle()

    assert 1 == processor.ended
    assert [f"chat {CHAT['model']}"] == [span.name for span in telemetry.spans]


@pytest.mark.process
def test_a_stream_that_is_collected_just_before_exit(server):
    """Its span is exported all the same."""
    server.reply(CHUNKS)
    program = f"""
import gc, openai
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from opentelemetry_instrumentation_genai import OpenAIInstrumentor
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
OpenAIInstrumentor().instrument(tracer_provider=provider)
client = openai.OpenAI(base_url={f"{server.url}/v1"!r}, api_key="none")
stream = client.chat.completions.create(model="gpt-4o-mini", messages=[], stream=True)
next(iter(stream))
del stream
gc.collect()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert "" == done.stderr
    assert 1 == done.stdout.count('"name": "chat gpt-4o-mini"')


def test_a_host_is_looked_up_once(server, telemetry, monkeypatch):
    """Clients that are made for one request each do not look for their provider among all patterns again."""
    looked: list[str] = []
    look_up = _HOSTS._look_up
    monkeypatch.setattr(_HOSTS, "_look_up", lambda host, port: (looked.append(host), look_up(host, port))[1])
    monkeypatch.setattr(_HOSTS, "_known", {})
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply_always(REPLY)
    for _ in range(3):
        with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none") as client:
            client.chat.completions.create(**CHAT)

    assert 3 == len(telemetry.spans)
    assert ["127.0.0.1"] == looked

"""Streams that end in every way, each read twice: as the application does without the instrumentation, and with it.

A *reading* is what an application does with a client; it notes what it sees in a `Seen`. The two readings must have seen
the same, and what the second one left behind is summed up as an `Ended`.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import inspect
import json
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import anthropic
import openai
import pytest
from opentelemetry import trace

from loopback import ModelServer, Reply, Snapshot, Sse, Telemetry, anthropic_bodies
from loopback.openai_bodies import MODEL, SERVED, chunk, image_events, response, transcript_events
from opentelemetry_instrumentation_genai import AnthropicInstrumentor, OpenAIInstrumentor

API_KEY = "sk-test-not-a-key"
# No test waits for longer, whatever goes wrong.
LONGEST = 3.0
GLANCE = 0.002
WORDS = ("one", "two", "three")
USAGE = {"prompt_tokens": 8, "completion_tokens": 3, "total_tokens": 11}


@dataclass
class Seen:
    """What an application saw of one reading, as plain data."""

    chunks: list[Any] = field(default_factory=list)
    raised: tuple[str, str, str] | None = None
    left: bool | None = None
    logged: list[str] = field(default_factory=list)

    def note(self, item: Any) -> None:
        """Something that was read; no span may be current then that the application did not make current itself."""
        assert not trace.get_current_span().get_span_context().is_valid, "a span was left current"
        self.chunks.append(item.model_dump(warnings=False) if hasattr(item, "model_dump") else item)


@dataclass(frozen=True)
class Ended:
    """How the one call of a test ended, by its telemetry."""

    status: str = "UNSET"
    error: str | None = None
    reasons: list[str] | None = None
    usage: tuple[int, int] | None = None
    texts: list[str] | None = None
    identity: str | None = None
    first_chunk: int = 0
    per_chunk: int = 0

    @classmethod
    def of(cls, telemetry: Telemetry) -> Ended:
        """Sums up spans, metrics and events; AssertionError where they contradict each other."""
        span, metrics = telemetry.span, telemetry.metrics
        attributes = dict(span.attributes or {})
        tokens = tuple(attributes.get(f"gen_ai.usage.{kind}_tokens") for kind in ("input", "output"))
        first, per_chunk = (_count(metrics, f"gen_ai.client.operation.{name}") for name in _CHUNK_METRICS)
        assert [attributes.get("error.type")] == [
            point.attributes.get("error.type") for point in metrics["gen_ai.client.operation.duration"]
        ]
        assert 1 == _count(metrics, "gen_ai.client.operation.duration")
        if "llm.request.count" in metrics:
            assert [0] == [point.value for point in metrics["llm.request.active"]]
            assert [1] == [point.value for point in metrics["llm.request.count"]]
            assert ("error.type" in attributes) == ("llm.request.errors" in metrics)
        assert sum(count is not None for count in tokens) == _count(metrics, "gen_ai.client.token.usage")
        assert first == ("gen_ai.response.time_to_first_chunk" in attributes)
        assert ("error.type" in attributes) == len(telemetry.events)
        assert span.end_time >= span.start_time
        reasons = attributes.get("gen_ai.response.finish_reasons")
        return cls(
            span.status.status_code.name,
            attributes.get("error.type"),
            None if reasons is None else list(reasons),
            None if None in tokens else tokens,
            _texts(attributes.get("gen_ai.output.messages")),
            attributes.get("gen_ai.response.id"),
            first,
            per_chunk,
        )


_CHUNK_METRICS = ("time_to_first_chunk", "time_per_output_chunk")


def recorded_whole(telemetry: Telemetry) -> dict[str, Any]:
    """A snapshot of everything but what instruments say about themselves."""
    snapshot = telemetry.snapshot()
    points = {name: metric["points"] for name, metric in snapshot["metrics"].items()}
    return Snapshot(spans=snapshot["spans"], points=points, events=snapshot["events"])


def _count(metrics: Mapping[str, Any], name: str) -> int:
    """How many records a histogram got."""
    return sum(point.count for point in metrics.get(name, ()))


def _texts(messages: str | None) -> list[str] | None:
    """The text of each output message."""
    if messages is None:
        return None
    parts = [message["parts"] for message in json.loads(messages)]
    return ["".join(part.get("content", "") for part in message) for message in parts]


@dataclass(frozen=True)
class Sdk:
    """The SDK of the clients that read.

    Attributes:
        name: the package.
        module: the same, imported.
        clients: its client classes, sync and async.
        instrumentor: the class of its instrumentor.
        root: what a client's URL has after the server's.
        failure: what the provider sends in a stream instead of a chunk when it is overloaded.
        code: `error.type` of that.
        raised: what the SDK raises then, as it is `described`.
    """

    name: str
    module: Any
    clients: tuple[Any, Any]
    instrumentor: Any
    root: str
    failure: Mapping[str, Any]
    code: str
    raised: tuple[str, str, str]

    def settings(self, server: ModelServer) -> dict[str, Any]:
        """Those of every client."""
        return {"base_url": server.url + self.root, "api_key": API_KEY, "max_retries": 0}

    def open(self, server: ModelServer, **settings: Any) -> Any:
        """A synchronous client."""
        # Without TLS there is nothing to verify, and loading the certificates takes longer than the call.
        http = self.module.DefaultHttpxClient(verify=False)
        return self.clients[0](**{**self.settings(server), "http_client": http, **settings})

    def open_async(self, server: ModelServer, **settings: Any) -> Any:
        """An asynchronous one."""
        http = self.module.DefaultAsyncHttpxClient(verify=False)
        return self.clients[1](**{**self.settings(server), "http_client": http, **settings})


OPENAI = Sdk(
    name="openai",
    module=openai,
    clients=(openai.OpenAI, openai.AsyncOpenAI),
    instrumentor=OpenAIInstrumentor,
    root="/v1",
    failure={"error": {"message": "Too much at once", "type": "server_error", "code": "overloaded", "param": None}},
    code="overloaded",
    raised=("openai.APIError", "Too much at once", ""),
)
ANTHROPIC = Sdk(
    name="anthropic",
    module=anthropic,
    clients=(anthropic.Anthropic, anthropic.AsyncAnthropic),
    instrumentor=AnthropicInstrumentor,
    root="",
    failure=anthropic_bodies.error("Too much at once"),
    code="overloaded_error",
    raised=("anthropic.APIStatusError", str(anthropic_bodies.error("Too much at once")), ""),
)


@dataclass(frozen=True)
class Api:
    """An endpoint that streams, and one stream of it.

    Attributes:
        path: the resource below the client.
        body: what is asked.
        events: the whole stream.
        part: how many events a reader takes who takes some, so that two of the three words have come.
        names: whether the events have names.
        identity: the id of the response.
        sdk: the SDK of the clients that call it.
        method: what makes the stream.
        read: what is recorded else of a stream that was read.
        left: what is recorded else of one that was left.
    """

    path: str
    body: Mapping[str, Any]
    events: Sequence[Mapping[str, Any]]
    part: int
    names: bool
    identity: str | None
    sdk: Sdk = OPENAI
    method: str = "create"
    read: Mapping[str, Any] = field(default_factory=dict)
    left: Mapping[str, Any] = field(default_factory=dict)

    def resource(self, client: Any) -> Any:
        """What has the method."""
        return functools.reduce(getattr, self.path.split("."), client)

    def create(self, client: Any) -> Any:
        """The stream, or what can be awaited for it."""
        return self.called(client)(**self.body, stream=True)

    def called(self, client: Any, access: str = "") -> Callable[..., Any]:
        """The method, or that of `with_raw_response` or `with_streaming_response`."""
        path = ".".join(filter(None, (self.path, access, self.method)))
        return functools.reduce(getattr, path.split("."), client)  # type: ignore[return-value] # the last of them

    def reply(self, **ending: Any) -> Sse:
        """The stream as the server sends it."""
        return Sse(self.events, event_names=self.names, **ending)

    def failing(self, count: int, **more: Any) -> Sse:
        """As many events, and then the provider says that it is overloaded."""
        events = [*self.events[:count], self.sdk.failure]
        # OpenAI's errors have no name of an event.
        return Sse(events, done=False, event_names=self.sdk is not OPENAI, **more)

    def stalled(self) -> Sse:
        """One event more than is read comes, then nothing: a reader that leaves is seen to leave."""
        return self.reply(end="stall", sent=self.part + 1)

    def whole(self, **changes: Any) -> Ended:
        """The end of a stream that was read wholly."""
        known = {"reasons": ["stop"], "usage": (8, 3), "texts": ["onetwothree"], "identity": self.identity}
        return Ended(**{**known, "first_chunk": 1, "per_chunk": len(self.events) - 1, **self.read, **changes})

    def partly(self, **changes: Any) -> Ended:
        """The end of a stream of which `part` events were read."""
        known = {"reasons": ["error"], "texts": ["onetwo"], "identity": self.identity}
        return Ended(**{**known, "first_chunk": 1, "per_chunk": self.part - 1, **self.left, **changes})


def _completion(text: str | None, reason: str | None = None, **changes: Any) -> dict[str, Any]:
    """A chunk of a legacy completion."""
    choice = {"index": 0, "text": text or "", "finish_reason": reason, "logprobs": None}
    known = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": SERVED, "choices": [choice]}
    return {**known, **changes}


def response_events(*words: str, last: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """The events of a streamed response with one message; ``last`` replaces the completed response."""
    begun = response(status="in_progress", output=[], usage=None)
    item = {"type": "message", "id": "msg_1", "role": "assistant"}
    text = {"type": "output_text", "text": "".join(words), "annotations": []}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    usage = {"input_tokens": 8, "output_tokens": len(words), "total_tokens": 8 + len(words)}
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    done = response("".join(words), usage={**usage, **details})
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**item, "status": "in_progress", "content": []},
        },
        {"type": "response.content_part.added", **place, "part": {**text, "text": ""}},
        *({"type": "response.output_text.delta", **place, "delta": word, "logprobs": []} for word in words),
        {
            "type": "response.output_item.done",
            "output_index": 0,
            "item": {**item, "status": "completed", "content": [text]},
        },
        {"type": "response.completed", "response": done, **(last or {})},
    ]
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


CHAT = Api(
    path="chat.completions",
    body={"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]},
    events=[
        *(chunk({"role": "assistant", "content": word}) for word in WORDS),
        chunk(reason="stop"),
        chunk(choices=[], usage=USAGE),
    ],
    part=2,
    names=False,
    identity="chatcmpl-1",
)
RESPONSES = Api(
    path="responses",
    body={"model": MODEL, "input": "Hi"},
    events=response_events(*WORDS),
    part=5,
    names=True,
    identity="resp_1",
)
COMPLETIONS = Api(
    path="completions",
    body={"model": MODEL, "prompt": "Hi"},
    events=[*map(_completion, WORDS), _completion(None, "stop"), _completion(None, choices=[], usage=USAGE)],
    part=2,
    names=False,
    identity="cmpl-1",
)


MESSAGES = Api(
    path="messages",
    body=anthropic_bodies.MESSAGES,
    events=anthropic_bodies.text_events(*WORDS),
    part=4,
    names=True,
    identity="msg_1",
    sdk=ANTHROPIC,
)


_NO_WORDS = {"reasons": None, "texts": [""]}
IMAGES = Api(
    path="images",
    body={"model": "gpt-image-1", "prompt": "Hi"},
    events=image_events("image_generation", "AA==", "AAE=", whole="AQID"),
    part=2,
    names=True,
    identity=None,
    method="generate",
    read={**_NO_WORDS, "usage": (30, 272)},
    left=_NO_WORDS,
)
TRANSCRIPTIONS = Api(
    path="audio.transcriptions",
    body={"model": "gpt-4o-transcribe", "file": ("hello.wav", b"RIFF", "audio/wav")},
    events=transcript_events(*WORDS),
    part=2,
    names=True,
    identity=None,
    read={"reasons": None, "usage": (14, 3)},
    left={"reasons": None},
)


def _parameter(api: Api) -> Any:
    """Skipped where the SDK does not have the endpoint, or does not stream it."""
    missing = find_spec(f"{api.sdk.name}.resources.{api.path}") is None or not _streams(api)
    return pytest.param(api, id=api.path, marks=pytest.mark.skipif(missing, reason=f"this SDK has no {api.path}"))


def _streams(api: Api) -> bool:
    with api.sdk.clients[0](api_key=API_KEY) as client:
        return "stream" in inspect.signature(getattr(api.resource(client), api.method)).parameters


APIS = [*map(_parameter, (CHAT, RESPONSES, COMPLETIONS, MESSAGES, IMAGES, TRANSCRIPTIONS))]
ONLY_RESPONSES = APIS[1:2]
CHAT_AND_RESPONSES = APIS[:2]
# One that has names for its events and one that has not, and one of each SDK.
DIFFERENT_APIS = [*APIS[:2], APIS[3]]


class Twice:
    """Reads twice, the second time instrumented."""

    def __init__(
        self, server: ModelServer, telemetry: Telemetry, settings: Mapping[str, Any], sdk: Sdk = OPENAI
    ) -> None:
        """`settings` are those of `instrument()`, `sdk` is the SDK of the clients that the readings get."""
        self._sdk = sdk
        self._server = server
        self._telemetry = telemetry
        self._settings = settings

    def __call__(
        self,
        reply: Reply | Callable[[Any], Reply],
        reading: Callable[..., Any],
        *,
        leaves: bool | None = None,
        **client: Any,
    ) -> Seen:
        """What both readings saw; AssertionError where they differ.

        Args:
            reply: the server's answer, given twice; what makes one of a request answers every one.
            reading: called with a client and a `Seen`; a coroutine function gets an asynchronous client.
            leaves: whether the server sees the client leave before the body ends; None does not look.
            client: settings of the client.
        """
        plain = self._read(reply, reading, leaves, client)
        self._sdk.instrumentor().instrument(**self._telemetry.providers, **self._settings)
        seen = self._read(reply, reading, leaves, client)
        assert plain == seen
        assert leaves in (None, seen.left)
        assert not trace.get_current_span().get_span_context().is_valid, "a span was left current"
        return seen

    def _read(
        self,
        reply: Reply | Callable[[Any], Reply],
        reading: Callable[..., Any],
        leaves: bool | None,
        client: Mapping[str, Any],
    ) -> Seen:
        """One reading, with a client of its own."""
        if callable(reply):
            self._server.reply_always(reply)
        else:
            self._server.reply(reply)
        seen = Seen()
        if inspect.iscoroutinefunction(reading):
            with _listening(seen.logged):
                asyncio.run(self._read_async(reading, seen, leaves, client))
                gc.collect()
        else:
            self._read_sync(reading, seen, leaves, client)
        return seen

    def _read_sync(
        self, reading: Callable[..., Any], seen: Seen, leaves: bool | None, settings: Mapping[str, Any]
    ) -> None:
        """In this thread."""
        with self._sdk.open(self._server, **settings) as opened:
            try:
                reading(opened, seen)
            except (Exception, KeyboardInterrupt) as error:
                seen.raised = described(error)
            gc.collect()
            if leaves is not None:
                seen.left = self._server.requests[-1].left.wait(LONGEST if leaves else 0)

    async def _read_async(
        self, reading: Callable[..., Any], seen: Seen, leaves: bool | None, settings: Mapping[str, Any]
    ) -> None:
        """In an event loop."""
        async with self._sdk.open_async(self._server, **settings) as opened:
            try:
                await reading(opened, seen)
            except (Exception, asyncio.CancelledError) as error:
                seen.raised = described(error)
            await collected()
            if leaves is not None:
                seen.left = await until(self._server.requests[-1].left.is_set, patient=leaves)


@contextlib.contextmanager
def _listening(messages: list[str]) -> Iterator[None]:
    """Keeps what asyncio complains about."""
    handler = _Listening(messages)
    logging.getLogger("asyncio").addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger("asyncio").removeHandler(handler)


class _Listening(logging.Handler):
    """Keeps the messages."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__()
        self._messages = messages

    def emit(self, record: logging.LogRecord) -> None:
        """The first line, without addresses."""
        self._messages.append(re.sub("0x[0-9a-f]+", "...", record.getMessage().partition("\n")[0]))


async def collected() -> None:
    """Collects until the event loop has closed what was found: an asynchronous generator, and then what that one held."""
    for _ in range(3):
        gc.collect()
        for _ in range(5):
            await asyncio.sleep(0)


async def until(found: Callable[[], Any], *, patient: bool = True) -> bool:
    """Whether that became true; without patience it lets the event loop turn only once."""
    deadline = time.monotonic() + LONGEST
    while not found() and patient and time.monotonic() < deadline:
        await asyncio.sleep(GLANCE)
    await asyncio.sleep(0)
    return bool(found())


def described(error: BaseException) -> tuple[str, str, str]:
    """An exception by its type, what it says, and what caused it; not itself, which would keep the stream alive."""
    cause = error.__cause__
    return qualified(error), str(error), qualified(cause) if cause else ""


def qualified(error: BaseException) -> str:
    """The name of its type as `error.type` has it."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"

"""Usage on streams, asked for on the caller's behalf: `stream_usage="inject"`.

Each call is made twice, first without the instrumentation, against a server that sends usage only to those who ask for it.
The application sees the same both times: events to what they know to be set, bytes to the last. The telemetry has the tokens.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import gc
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, NamedTuple

import openai
import pytest
from openai import _base_client

import usage_servers as servers
from contract.comparable import comparable
from contract.drive import ASYNC, SYNC, WAYS, Opened, Way, listed, settled
from loopback import Json, ModelServer, Sse, Telemetry
from loopback.openai_bodies import MODEL, error
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

CHAT = "chat.completions", {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]}
LEGACY = "completions", {"model": MODEL, "prompt": "Hi"}
ASKED = {"include_usage": True}
HTTP: Any = vars(_base_client).get("httpx2") or vars(_base_client)["httpx"]
KEY = "sk-test-not-a-key"


class Api(NamedTuple):
    """One endpoint of one client, with the request of a stream."""

    client: Any
    path: str
    body: dict[str, Any]

    def resource(self, access: str = "") -> Any:
        """What has `create`."""
        return functools.reduce(getattr, [*self.path.split("."), *access.split()], self.client)

    def create(self, access: str = "") -> Any:
        """The stream, or what can be awaited or entered for it."""
        return self.resource(access).create(**self.body, stream=True)


class Both:
    """Makes a call without and with the instrumentation, and compares what the application sees."""

    def __init__(self, server: ModelServer, telemetry: Telemetry) -> None:
        self._server = server
        self._telemetry = telemetry

    def __call__(
        self,
        answer: servers.Server,
        read: Callable[[Api], Any],
        way: Way = SYNC,
        api: tuple[str, dict[str, Any]] = CHAT,
        client: Callable[..., Any] | None = None,
    ) -> Any:
        """What was seen, by both; AssertionError where they differ, or where the caller's request was changed."""
        self._server.reply_always(answer)
        bare = way.run(self._read(read, way, api, client))
        OpenAIInstrumentor().instrument(**self._telemetry.providers, stream_usage="inject")
        before = copy.deepcopy(api)
        assert bare == way.run(self._read(read, way, api, client))
        assert before == api
        return bare

    async def _read(self, read: Any, way: Way, api: Any, client: Any) -> Any:
        make = client or (openai.OpenAI if way is SYNC else openai.AsyncOpenAI)
        async with Opened(make(base_url=f"{self._server.url}/v1", api_key=KEY, max_retries=0)) as made:
            try:
                return await read(Api(made, *api))
            except openai.OpenAIError as raised:
                cause, context = raised.__cause__, raised.__context__
                return type(raised), str(raised), type(cause), type(context)

    @property
    def sent(self) -> list[Any]:
        """The `stream_options` of each request that was sent by the instrumented call."""
        bodies = [request.json for request in self._server.requests]
        return [body.get("stream_options") for body in bodies[1:]]


@pytest.fixture
def both(server: ModelServer, telemetry: Telemetry) -> Both:
    """The two calls of a test."""
    return Both(server, telemetry)


def tokens(telemetry: Telemetry) -> tuple[Any, ...]:
    """Those of the one call, after the histogram was seen to have the same."""
    span = telemetry.span
    kinds = ("input", "output")
    found = tuple((span.attributes or {}).get(f"gen_ai.usage.{kind}_tokens") for kind in kinds)
    points = telemetry.metrics.get("gen_ai.client.token.usage", ())
    by_kind = {point.attributes["gen_ai.token.type"]: point.sum for point in points}
    assert found == tuple(by_kind.get(kind) for kind in kinds)
    assert 1 == sum(point.count for point in telemetry.metrics["gen_ai.client.operation.duration"])
    return found


# Readings, of sync and async clients alike.


async def every_chunk(api):
    """`for chunk in create(stream=True)`."""
    return comparable(await listed(await settled(api.create())))


async def one_by_one(api):
    """`next(stream)` until it ends."""
    stream = await settled(api.create())
    seen = []
    while True:
        try:
            step = stream.__anext__() if hasattr(stream, "__anext__") else next(stream)
            seen.append(comparable(await settled(step)))
        except (StopIteration, StopAsyncIteration) as ended:
            return [*seen, type(ended)]


async def as_dicts(api):
    """What `to_dict()` and the JSON of each chunk say."""
    chunks = await listed(await settled(api.create()))
    return [(chunk.to_dict(), chunk.model_dump_json(exclude_unset=True), chunk.model_extra) for chunk in chunks]


async def entered(api):
    """`with create(stream=True) as stream`."""
    async with Opened(await settled(api.create())) as stream:
        return comparable(await listed(stream))


async def parsed(api):
    """`with_raw_response.create(stream=True).parse()`."""
    raw = await settled(api.create("with_raw_response"))
    return raw.status_code, comparable(await listed(await settled(raw.parse())))


async def parsed_later(api):
    """The same of `with_streaming_response`."""
    async with Opened(api.create("with_streaming_response")) as raw:
        return comparable(await listed(await settled(raw.parse())))


EVENTS = [every_chunk, one_by_one, as_dicts, entered, parsed, parsed_later]


def reading(name, *arguments):
    """`with_streaming_response.create(...)` and one of its methods; the network decides where bytes are split."""

    async def read(api):
        async with Opened(api.create("with_streaming_response")) as raw:
            found = getattr(raw, name)(*arguments)
            if not hasattr(found, "__aiter__") and not hasattr(found, "__next__"):
                return await settled(found)
            pieces = await listed(found)
            return pieces if name == "iter_lines" else type(pieces[0])().join(pieces)

    read.__name__ = name
    return read


async def raw_bytes(api):
    """Below the SDK: what arrives, still compressed if it is."""
    async with Opened(api.create("with_streaming_response")) as raw:
        http = raw.http_response
        pieces = await listed(
            http.iter_raw() if isinstance(raw.http_response.stream, HTTP.SyncByteStream) else http.aiter_raw()
        )
        return b"".join(pieces)


async def below(api):
    """The lines of the response of a stream that the SDK opened."""
    stream = await settled(api.create())
    lines = stream.response.aiter_lines() if hasattr(stream, "__anext__") else stream.response.iter_lines()
    return await listed(lines)


TEXTS = [*map(reading, ("read", "text", "iter_bytes", "iter_text", "iter_lines")), reading("iter_bytes", 7), below]
ANSWERS = {
    "OpenAI": (servers.openai, (8, 3)),
    "Azure": (servers.azure, (8, 3)),
    "vLLM": (servers.vllm, (8, 3)),
    "llama.cpp": (servers.llama_cpp, (8, 3)),
    "LiteLLM": (servers.litellm, (8, 3)),
    "JSON with spaces": (servers.spaced, (8, 3)),
    "data in several lines": (servers.in_lines("\n", servers.openai), (8, 3)),
    "data in several lines that end in two characters": (servers.in_lines("\r\n", servers.openai), (8, 3)),
    "data in several lines, and timings": (servers.in_lines("\n", servers.llama_cpp), (8, 3)),
    "chunks of one member": (servers.narrow(servers.openai), (8, 3)),
    "chunks of one member, and timings": (servers.narrow(servers.llama_cpp), (8, 3)),
    "talk of usage": (servers.quoting, (8, 3)),
    "choices in turns": (servers.choices, (8, 3)),
    "usage without being asked": (servers.always, (8, 3)),
    "no usage at all": (servers.unaware, (None, None)),
}
BOTH_APIS = pytest.mark.parametrize("api", [CHAT, LEGACY], ids=["chat", "completions"])
BOTH_WAYS = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)


def named(value: Any) -> str | None:
    """A parameter's name."""
    return getattr(value, "__name__", None)


@BOTH_WAYS
@pytest.mark.parametrize("read", [*EVENTS, *TEXTS, raw_bytes], ids=named)
@pytest.mark.parametrize("kind", ANSWERS)
def test_the_caller_sees_the_stream_of_before(both, telemetry, kind, read, way):
    """Whatever is read, however a server writes it."""
    answer, usage = ANSWERS[kind]

    both(answer, read, way)

    assert [ASKED] == both.sent
    assert usage == tokens(telemetry)
    assert "UNSET" == telemetry.span.status.status_code.name


@BOTH_WAYS
@pytest.mark.parametrize("read", [every_chunk, as_dicts, *TEXTS], ids=named)
@pytest.mark.parametrize("kind", ["OpenAI", "vLLM", "LiteLLM", "JSON with spaces", "usage without being asked"])
def test_legacy_completions(both, telemetry, kind, read, way):
    """They have the same question."""
    answer, usage = ANSWERS[kind]

    both(answer, read, way, LEGACY)

    assert [ASKED] == both.sent
    assert usage == tokens(telemetry)


def test_the_telemetry_is_that_of_a_caller_who_asks(both, telemetry):
    """All of it, cached and reasoning tokens too."""
    both(servers.openai, every_chunk)
    ours = telemetry.snapshot()
    telemetry.clear()

    both_asked = Both(both._server, telemetry)
    both_asked(servers.openai, every_chunk, api=(CHAT[0], {**CHAT[1], "stream_options": ASKED}))

    asked = telemetry.spans[-1]
    assert ours["spans"][0]["attributes"] == telemetry.snapshot()["spans"][-1]["attributes"]
    assert 4 == asked.attributes["gen_ai.usage.cache_read.input_tokens"]
    assert 1 == asked.attributes["gen_ai.usage.reasoning.output_tokens"]


# The helper around a stream.


def helper_of(client) -> Any:
    """What has `stream()`, wherever this SDK keeps it; None where it has none."""
    for root in (client, client.beta):
        resource = getattr(getattr(root, "chat", None), "completions", None)
        if hasattr(resource, "stream"):
            return resource
    return None


with openai.OpenAI(api_key="none") as _client:
    HELPER = pytest.mark.skipif(helper_of(_client) is None, reason="this SDK has no chat.completions.stream()")


async def helper_events(api):
    """Every event, the accumulated completion in some of them."""
    async with Opened(helper_of(api.client).stream(**api.body)) as events:
        return comparable(await listed(events))


async def helper_completion(api):
    """`get_final_completion()`."""
    async with Opened(helper_of(api.client).stream(**api.body)) as events:
        completion = await settled(events.get_final_completion())
        return completion.usage, comparable(completion)


@HELPER
@BOTH_WAYS
@pytest.mark.parametrize("read", [helper_events, helper_completion], ids=named)
@pytest.mark.parametrize("kind", ["OpenAI", "Azure", "vLLM", "llama.cpp"])
def test_the_stream_helper(both, telemetry, kind, read, way):
    """Its events and its completion have no usage either."""
    seen = both(ANSWERS[kind][0], read, way)

    assert (8, 3) == tokens(telemetry)
    assert read is helper_events or seen[0] is None


# Forms of bytes.


@BOTH_WAYS
@pytest.mark.parametrize("size", [1, 5, 100, 100_000])
@pytest.mark.parametrize("read", [every_chunk, *TEXTS, raw_bytes], ids=named)
def test_pieces_of_any_size(both, telemetry, read, size, way):
    """Networks split and join what servers write."""
    both(servers.torn(servers.openai, size), read, way)

    assert (8, 3) == tokens(telemetry)


@BOTH_WAYS
@pytest.mark.parametrize("read", [every_chunk, *TEXTS], ids=named)
@pytest.mark.parametrize("kind", ["OpenAI", "llama.cpp"])
def test_compressed(both, telemetry, kind, read, way):
    """What is taken out of a compressed body is taken out of what it holds."""
    both(servers.ending(ANSWERS[kind][0], gzip=True), read, way)

    assert (8, 3) == tokens(telemetry)


@BOTH_WAYS
@pytest.mark.parametrize("gzip", [False, True], ids=["plain", "compressed"])
@pytest.mark.parametrize("read", [every_chunk, *TEXTS], ids=named)
def test_labelled_as_json(both, read, gzip, way):
    """A stream of events is known by its first bytes, where the server labels it as something else."""
    label = {"content-type": "application/json"}
    torn = servers.torn(servers.openai, 1)
    both(servers.ending(torn if not gzip else servers.openai, gzip=gzip, headers=label), read, way)

    assert [ASKED] == both.sent


@BOTH_WAYS
def test_a_look_at_the_first_bytes_that_fails(both, monkeypatch, way):
    """Each byte reaches the caller once; what was asked for on their behalf, too."""

    def fail(_data: bytes) -> bool:
        raise RuntimeError

    monkeypatch.setattr("opentelemetry_instrumentation_genai._runtime.guard.strict", False)
    monkeypatch.setattr("opentelemetry_instrumentation_genai._stream.usage_filter._starts_events", fail)
    torn = servers.torn(servers.unaware, 7)

    both(servers.ending(torn, headers={"content-type": "application/json"}), reading("iter_bytes"), way)


@BOTH_WAYS
@pytest.mark.parametrize("gzip", [False, True], ids=["plain", "compressed"])
@pytest.mark.parametrize("body", [b'{"error": "no streams here"}', b"data", b"\n"], ids=repr)
def test_what_is_no_stream(both, telemetry, body, gzip, way):
    """It reaches the caller byte for byte, though a stream was asked for."""
    plain = Sse([body], done=False, gzip=gzip, headers={"content-type": "application/json"})

    both(lambda _request: plain, reading("iter_bytes"), way)

    assert (None, None) == tokens(telemetry)


def test_an_encoding_that_cannot_be_undone_is_not_asked_for(server, telemetry):
    """An HTTP client that takes more than gzip gets gzip, unless the caller says otherwise."""
    server.reply_always(servers.openai)
    OpenAIInstrumentor().instrument(**telemetry.providers, stream_usage="inject")
    http = HTTP.Client(headers={"accept-encoding": "gzip, deflate, br, zstd"})

    with openai.OpenAI(base_url=f"{server.url}/v1", api_key=KEY, http_client=http) as client:
        list(client.chat.completions.create(**CHAT[1], stream=True))
        list(client.chat.completions.create(**CHAT[1], stream=True, extra_headers={"Accept-Encoding": "br"}))
        client.chat.completions.create(**CHAT[1], stream=True, stream_options=ASKED).close()

    accepted = [request.headers["accept-encoding"] for request in server.requests]
    assert ["gzip, deflate", "br", "gzip, deflate, br, zstd"] == accepted


# Ends.


async def leaves(api):
    """Takes two chunks and leaves."""
    async with Opened(await settled(api.create())) as stream:
        seen = []
        if hasattr(stream, "__anext__"):
            async for chunk in stream:
                seen.append(comparable(chunk))
                if len(seen) == 2:
                    break
        else:
            for chunk in stream:
                seen.append(comparable(chunk))
                if len(seen) == 2:
                    break
    return seen


async def leaves_and_goes_on(api):
    """Breaks, and reads the rest of the same stream later."""
    stream = await settled(api.create())
    first = await settled(stream.__anext__() if hasattr(stream, "__anext__") else next(stream))
    return comparable(first), comparable(await listed(stream))


async def drops(api):
    """Takes one chunk and forgets the stream."""
    stream = await settled(api.create())
    first = comparable(await settled(stream.__anext__() if hasattr(stream, "__anext__") else next(stream)))
    del stream
    gc.collect()
    return first


@BOTH_WAYS
@pytest.mark.parametrize("read", [leaves, leaves_and_goes_on], ids=named)
@pytest.mark.parametrize("kind", ["OpenAI", "llama.cpp"])
def test_left_early(both, telemetry, kind, read, way):
    """Who leaves before the end gets no usage, and nothing is read that was not asked for."""
    both(ANSWERS[kind][0], read, way)

    assert ((8, 3) if read is leaves_and_goes_on else (None, None)) == tokens(telemetry)
    assert "UNSET" == telemetry.span.status.status_code.name


def test_dropped(both, telemetry):
    """A stream that is collected ends its call."""
    both(servers.openai, drops)

    assert (None, None) == tokens(telemetry)
    assert "UNSET" == telemetry.span.status.status_code.name
    assert ("error",) == telemetry.span.attributes["gen_ai.response.finish_reasons"]


async def until_it_fails(read, api):
    """What arrived before the exception, and the exception."""
    seen = []
    try:
        await read(api, seen)
    except Exception as raised:
        return seen, type(raised), str(raised)
    return seen


async def chunks_until(api, seen):
    """Chunks."""
    stream = await settled(api.create())
    if hasattr(stream, "__anext__"):
        async for chunk in stream:
            seen.append(comparable(chunk))
    else:
        seen.extend(map(comparable, stream))


async def bytes_until(api, seen):
    """Bytes."""
    async with Opened(api.create("with_streaming_response")) as raw:
        pieces = raw.iter_bytes()
        if hasattr(pieces, "__anext__"):
            async for piece in pieces:
                seen.append(piece)
        else:
            seen.extend(pieces)


@BOTH_WAYS
@pytest.mark.parametrize("read", [chunks_until, bytes_until], ids=named)
@pytest.mark.parametrize("kind", ["OpenAI", "llama.cpp"])
def test_cut(both, telemetry, kind, read, way):
    """What came before the connection broke arrives, and then the exception."""
    answer = servers.ending(ANSWERS[kind][0], end="cut", sent=3)

    async def joined(api):
        seen, *raised = await until_it_fails(read, api)
        return (b"".join(seen) if read is bytes_until else seen), raised

    seen = both(answer, joined, way)

    assert seen[1]
    assert "ERROR" == telemetry.span.status.status_code.name


@BOTH_WAYS
@pytest.mark.parametrize("read", [every_chunk, reading("iter_lines")], ids=named)
def test_a_clean_end_without_the_last_event(both, telemetry, read, way):
    """Neither usage nor `[DONE]` came: there is nothing to tell, and no failure."""
    both(servers.ending(servers.openai, end="early", sent=4), read, way)

    assert (None, None) == tokens(telemetry)
    assert "UNSET" == telemetry.span.status.status_code.name


@BOTH_WAYS
@pytest.mark.parametrize("kind", [servers.openai, servers.azure], ids=named)
@pytest.mark.parametrize("blank", [b"\n", b"\r\n\r\n"], ids=repr)
def test_empty_lines_between_events(both, telemetry, kind, blank, way):
    """Those before the usage reach the caller, as they do without us."""

    def answer(request):
        whole = kind(request)
        place = len(whole.events) - servers.asks(request)  # the usage comes last
        return replace(whole, events=[*whole.events[:place], blank, *whole.events[place:]])

    both(answer, reading("iter_bytes"), way)

    assert (None, None) != tokens(telemetry)


@BOTH_WAYS
@pytest.mark.parametrize("read", [every_chunk, reading("iter_lines")], ids=named)
def test_an_event_that_lacks_its_empty_line(both, telemetry, read, way):
    """A body that ends right after the last line, that of the usage: it is none of the caller's."""

    def answer(request):
        *events, last = servers.openai(request).plan().pieces
        return Sse([*events, last.rstrip(b"\n") + b"\n" if servers.asks(request) else last], done=False)

    both(answer, read, way)

    assert "UNSET" == telemetry.span.status.status_code.name


@BOTH_WAYS
@pytest.mark.parametrize("read", [every_chunk, reading("iter_lines")], ids=named)
def test_an_error_in_the_stream(both, telemetry, read, way):
    """It is no usage, though it has no choices: it arrives."""

    def answer(request):
        failure = {**error("Too much", "overloaded", "server_error"), "usage": servers.USAGE}
        return Sse([*servers.openai(request).events[:2], failure], done=False)

    both(answer, read, way)

    assert "overloaded" == telemetry.span.attributes["error.type"]


# Who is not asked.


@pytest.mark.parametrize(
    "given",
    [
        {"stream_options": {"include_usage": False}},
        {"stream_options": {"include_usage": True}},
        {"stream_options": {"include_usage": None}},
        {"extra_body": {"stream_options": {"include_usage": False}}},
        {"stream_options": {"include_usage": True, "continuous_usage_stats": True}},
        {"stream_options": {"continuous_usage_stats": True}},
        {"stream_options": "include_usage"},
    ],
    ids=str,
)
def test_the_caller_has_the_say(both, telemetry, given):
    """Who says yes or no gets what they ask for; so does who asks for vLLM's usage in every chunk."""
    both(servers.vllm, every_chunk, api=(CHAT[0], {**CHAT[1], **given}))

    options = {**given, **given.get("extra_body", {})}["stream_options"]
    assert [options] == both.sent
    asked = options["include_usage"] if isinstance(options, dict) and "include_usage" in options else None
    assert ((8, 3) if asked else (None, None)) == tokens(telemetry)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"stream_options": None}, ASKED),
        ({"stream_options": {}}, ASKED),
        ({"stream_options": {"include_obfuscation": False}}, {"include_obfuscation": False, **ASKED}),
        ({"extra_body": {"stream_options": {"include_obfuscation": False}}}, {"include_obfuscation": False, **ASKED}),
        ({"extra_body": {"top_k": 5}}, ASKED),
        ({"stream_options": {"continuous_usage_stats": False}}, {"continuous_usage_stats": False, **ASKED}),
    ],
    ids=str,
)
def test_other_options_are_kept(both, telemetry, given, sent):
    """The option is added to those of the caller, in a copy."""
    both(
        servers.openai,
        every_chunk,
        api=(CHAT[0], {**CHAT[1], **given}),
    )

    assert [sent] == both.sent
    assert (8, 3) == tokens(telemetry)


def test_the_caller_s_options_object(server, telemetry):
    """Who calls `client.request` with options of their own finds them as they were, also after a refusal."""
    server.reply_always(servers.refusing())
    OpenAIInstrumentor().instrument(**telemetry.providers, stream_usage="inject")
    chunk = openai.types.chat.ChatCompletionChunk
    body = {**CHAT[1], "stream": True}
    options = _base_client.FinalRequestOptions.construct(method="post", url="/chat/completions", json_data=body)
    held, before = options.json_data, copy.deepcopy(body)

    with openai.OpenAI(base_url=f"{server.url}/v1", api_key=KEY) as client:
        list(client.request(chunk, options, stream=True, stream_cls=openai.Stream[chunk]))

    assert held is options.json_data
    assert before == body == held
    assert "stream_options" not in repr(options)
    assert [True, False] == ["stream_options" in request.json for request in server.requests]


async def plain(api):
    """Without a stream."""
    return comparable(await settled(api.resource().create(**api.body)))


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.chat.completions.create(**CHAT[1]),
        lambda client: client.chat.completions.create(**CHAT[1], stream=False),
        lambda client: client.post("/chat/completions", cast_to=str, body={**CHAT[1], "stream": True}),
    ],
    ids=["plain", "stream=False", "a stream that the SDK reads whole"],
)
def test_what_is_no_stream_is_not_asked(server, telemetry, openai_client, call):
    """Nothing is asked for that could not be kept from the caller."""
    server.reply(Sse([{"id": "1", "choices": [], "data": []}]))
    OpenAIInstrumentor().instrument(**telemetry.providers, stream_usage="inject")

    call(openai_client())

    assert "stream_options" not in server.requests[0].json


@pytest.mark.skipif(not hasattr(openai.OpenAI, "responses"), reason="this SDK has no Responses API")
def test_the_responses_api_is_not_asked(server, telemetry, openai_client):
    """It always has usage."""
    server.reply(Sse([], event_names=True))
    OpenAIInstrumentor().instrument(**telemetry.providers, stream_usage="inject")

    list(openai_client().responses.create(model=MODEL, input="Hi", stream=True))

    assert "stream_options" not in server.requests[0].json


@pytest.mark.parametrize("base_url", ["https://openrouter.ai/api/v1", "https://api.mistral.ai/v1"])
def test_providers_that_tell_it_anyway(server, telemetry, openai_client, base_url):
    """OpenRouter sends the chunk with usage to everybody, so it is the caller's; Mistral refuses the question."""

    def lead(request):
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=server.port)

    chunks = [*servers.vllm(_usage_injection()).events]
    server.reply(Sse(chunks))
    client = openai_client(base_url=base_url)
    client._client.event_hooks = {"request": [lead]}
    OpenAIInstrumentor().instrument(**telemetry.providers, stream_usage="inject")

    assert len(chunks) == len(list(client.chat.completions.create(**CHAT[1], stream=True)))

    assert "stream_options" not in server.requests[0].json
    assert (8, 3) == tokens(telemetry)


def _usage_injection() -> Any:
    """A request that asks."""

    class Request:
        json: ClassVar = {"stream_options": ASKED}
        path: ClassVar = "/v1/chat/completions"

    return Request


@pytest.mark.parametrize("setting", [{}, {"stream_usage": "off"}, {"stream_usage": "OFF "}], ids=str)
def test_off(server, telemetry, openai_client, setting):
    """Without the setting, nothing is asked."""
    server.reply(Sse([]))
    OpenAIInstrumentor().instrument(**telemetry.providers, **setting)

    list(openai_client().chat.completions.create(**CHAT[1], stream=True))

    assert "stream_options" not in server.requests[0].json


def test_by_the_environment(server, telemetry, openai_client, monkeypatch):
    """The variable says the same."""
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_STREAM_USAGE", " Inject")
    server.reply(Sse([]))
    OpenAIInstrumentor().instrument(**telemetry.providers)

    list(openai_client().chat.completions.create(**CHAT[1], stream=True))

    assert ASKED == server.requests[0].json["stream_options"]


def test_a_wrong_setting(server, telemetry, openai_client, caplog):
    """One warning says which, what, and what is accepted; nothing is asked."""
    server.reply(Sse([]))
    OpenAIInstrumentor().instrument(**telemetry.providers, stream_usage="please")

    list(openai_client().chat.completions.create(**CHAT[1], stream=True))

    (warning,) = [record.getMessage() for record in caplog.records if "stream_usage" in record.getMessage()]
    assert (
        "stream_usage='please' is not accepted. Accepted is: off, inject. For openai the default applies: off."
        == warning
    )
    assert "stream_options" not in server.requests[0].json


# Servers that refuse.

REFUSALS = {
    "OpenAI": (400, "Unrecognized request argument supplied: stream_options"),
    "Mistral": (422, "[{'type': 'extra_forbidden', 'loc': ['body', 'stream_options', 'include_usage']}]"),
    "xAI": (400, "Argument not supported: stream_options"),
    "another word": (422, "include_usage: extra fields not permitted"),
}


@BOTH_WAYS
@pytest.mark.parametrize("read", [every_chunk, parsed, reading("iter_lines")], ids=named)
@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal(both, telemetry, refusal, read, way):
    """The call goes through as it would have; there is one call in the telemetry, which did not fail."""
    both(servers.refusing(*REFUSALS[refusal]), read, way)

    assert [ASKED, None] == both.sent
    assert (None, None) == tokens(telemetry)
    assert ("UNSET", None) == (telemetry.span.status.status_code.name, telemetry.span.attributes.get("error.type"))
    assert 200 == telemetry.span.attributes["http.response.status_code"]
    assert ["stop"] == list(telemetry.span.attributes["gen_ai.response.finish_reasons"])
    assert [] == telemetry.events


@BOTH_WAYS
def test_a_refusal_is_remembered(server, telemetry, way):
    """By client and base URL, for its copies as well; another base URL is another server, another client asks anew."""
    server.reply_always(servers.refusing())
    OpenAIInstrumentor().instrument(**telemetry.providers, stream_usage="inject")
    make = openai.OpenAI if way is SYNC else openai.AsyncOpenAI

    async def calls():
        for _ in range(2):
            async with Opened(make(base_url=f"{server.url}/v1", api_key=KEY, max_retries=0)) as client:
                other = client.with_options(base_url=f"{server.url}/v2")
                for each in (client, client, client.with_options(timeout=5), other, other, client):
                    await listed(await settled(each.chat.completions.create(**CHAT[1], stream=True)))

    way.run(calls())

    asked = ["stream_options" in request.json for request in server.requests]
    assert [True, False, False, False, True, False, False, False] * 2 == asked
    assert 12 == len(telemetry.spans)


def test_nothing_is_kept_of_a_client(server, telemetry):
    """The memory of a refusal goes with the client."""
    server.reply_always(servers.refusing())
    instrumentor = OpenAIInstrumentor()
    instrumentor.instrument(**telemetry.providers, stream_usage="inject")
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key=KEY) as client:
        list(client.chat.completions.create(**CHAT[1], stream=True))
    refused = instrumentor._seam._usage_injection._refused
    assert 1 == len(refused)

    del client
    gc.collect()

    assert 0 == len(refused)


def other_failure(status, message, *, quotes):
    """A server that fails by another reason, and may quote the request."""

    def answer(request):
        text = f"{message}: {request.body.decode()}" if quotes and "stream_options" in request.json else message
        return Json(error(text), status=status)

    return answer


@BOTH_WAYS
@pytest.mark.parametrize(
    ("status", "quotes"),
    [(400, True), (422, True), (400, False), (401, False), (404, False), (429, False), (500, False)],
)
def test_another_failure(both, telemetry, status, quotes, way):
    """It arrives as it would have. One that quotes the request is tried without the question, and is no refusal of that."""
    seen = both(other_failure(status, "No such thing", quotes=quotes), every_chunk, way)

    assert issubclass(seen[0], openai.APIStatusError)
    assert [ASKED, None][: 1 + quotes] == both.sent
    assert "ERROR" == telemetry.span.status.status_code.name
    assert status == telemetry.span.attributes["http.response.status_code"]
    assert 0 == len(OpenAIInstrumentor()._seam._usage_injection._refused)


@pytest.mark.parametrize("way", [ASYNC], ids=["async"])
def test_many_at_once(server, telemetry, way):
    """Each call of one client has its own question, and its own usage_filter."""
    server.reply_always(servers.openai)
    OpenAIInstrumentor().instrument(**telemetry.providers, stream_usage="inject")

    async def calls():
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key=KEY) as client:

            async def one():
                return [chunk async for chunk in await client.chat.completions.create(**CHAT[1], stream=True)]

            return await asyncio.gather(*(one() for _ in range(10)))

    assert [4] * 10 == [len(chunks) for chunks in way.run(calls())]
    assert [8] * 10 == [span.attributes["gen_ai.usage.input_tokens"] for span in telemetry.spans]


@BOTH_WAYS
def test_azure_s_client(both, telemetry, way):
    """It rewrites the path by the model in the body, with and without the question."""
    make = functools.partial(openai.AzureOpenAI if way is SYNC else openai.AsyncAzureOpenAI, api_version="2024-10-21")

    def azure(*, base_url, **settings):
        return make(azure_endpoint=base_url.removesuffix("/v1"), **settings)

    both(servers.azure, every_chunk, way, client=azure)

    assert (8, 3) == tokens(telemetry)
    assert "azure.ai.openai" == telemetry.span.attributes["gen_ai.provider.name"]
    paths = [request.path for request in both._server.requests]
    assert paths[0] == paths[1]


def test_uninstrumented_in_between(server, telemetry, openai_client):
    """A stream that was asked for its usage keeps that from the caller to its end."""
    server.reply_always(servers.openai)
    OpenAIInstrumentor().instrument(**telemetry.providers, stream_usage="inject")
    stream = openai_client().chat.completions.create(**CHAT[1], stream=True)
    next(stream)

    OpenAIInstrumentor().uninstrument()

    assert [1, 1, 1] == [len(chunk.choices) for chunk in stream]
    assert (8, 3) == tokens(telemetry)


def test_nothing_is_logged(both, telemetry, caplog, without_start_line):
    """No line in the log, refusals included."""
    caplog.set_level(logging.INFO, "opentelemetry_instrumentation_genai")

    both(servers.refusing(), every_chunk)

    assert [] == [record.getMessage() for record in caplog.records if record.name.startswith("opentelemetry")]

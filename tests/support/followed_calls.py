"""Calls of every kind that is followed, each as one function, to be made with and without the instrumentation."""

from __future__ import annotations

import asyncio
import gc
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, NamedTuple

import anthropic
import ollama
import openai
import pydantic

import bedrock_calls
from contract.drive import SYNC, Opened, settled
from loopback import Json, ModelServer, Ndjson, Reply, Sse, Telemetry, anthropic_bodies, openai_bodies
from loopback.model_server import Answer, RecordedRequest
from loopback.realtime_bodies import committed, created, deltas, done, error, session, spoken, transcription, typed
from loopback.replies import JSONL
from loopback.websockets import Peer, WebsocketServer

# Whether the SDK has connections that are opened again after they were cut, and there is what it opens them with.
REALTIME = all(map(find_spec, ("openai._websocket_connection", "websockets")))
HI = [{"role": "user", "content": "Hi"}]
CHAT: dict[str, Any] = {"model": "gpt-4o-mini", "messages": HI}
STREAMED: dict[str, Any] = {**CHAT, "stream": True}
USAGE = {"prompt_tokens": 8, "completion_tokens": 2, "total_tokens": 10}
EMBEDDING = {
    "object": "list",
    "model": "e",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}],
    "usage": {"prompt_tokens": 1, "total_tokens": 1},
}
REPLY = Json(openai_bodies.completion())
CHUNKS = Sse(openai_bodies.chunks("Hel", "lo"))
LONG = Sse([openai_bodies.chunk({"content": '{"wo'}), openai_bodies.chunk(reason="length")])
WITH_USAGE = Sse([*openai_bodies.chunks("Hel", "lo"), {**openai_bodies.chunk(), "choices": [], "usage": USAGE}])


def with_usage(request: RecordedRequest) -> Reply:
    """The stream, with its usage if that is asked for."""
    return WITH_USAGE if "stream_options" in request.json else CHUNKS


def batch_and_results(request: RecordedRequest) -> Reply:
    """A batch that has ended, and its results at the URL that it names."""
    if request.path.partition("?")[0].endswith("/results"):
        return Ndjson([anthropic_bodies.result("a", message=anthropic_bodies.message())], content_type=JSONL)
    url = f"http://{request.headers['host']}/v1/messages/batches/{anthropic_bodies.BATCH}/results"
    return Json({**anthropic_bodies.batch("ended", succeeded=1), "results_url": url})


REFUSED = Json(openai_bodies.error("no", "bad_thing"), status=400)
RESPONSE = openai_bodies.response()
RESPONSE_EVENTS = Sse(
    [
        {
            "type": "response.created",
            "sequence_number": 0,
            "response": {**RESPONSE, "status": "in_progress", "output": []},
        },
        {"type": "response.completed", "sequence_number": 1, "response": RESPONSE},
    ],
    event_names=True,
)
MESSAGE = Json(anthropic_bodies.message(anthropic_bodies.text("Hello")))
MESSAGE_EVENTS = Sse(anthropic_bodies.text_events("Hel", "lo"), event_names=True)
LINE = {"model": "llama", "created_at": "2099-01-01T00:00:00Z", "message": {"role": "assistant", "content": "Hi"}}
DONE = {**LINE, "done": True, "done_reason": "stop", "prompt_eval_count": 3, "eval_count": 2, "total_duration": 9}
LINES = Ndjson([LINE, DONE])


class Structure(pydantic.BaseModel):
    """What a structured answer has."""

    word: str


class Clients(NamedTuple):
    """One client of each SDK, sync and async, the loop of the async ones, and the server of websockets, where the SDK has any."""

    openai: openai.OpenAI
    async_openai: openai.AsyncOpenAI
    anthropic: anthropic.Anthropic
    async_anthropic: anthropic.AsyncAnthropic
    ollama: ollama.Client
    async_ollama: ollama.AsyncClient
    bedrock: Any
    loop: asyncio.AbstractEventLoop
    websockets: Any = None


class Followed(NamedTuple):
    """A call that is followed.

    ``settings`` are the keywords with which the SDK is instrumented. ``unfiltered`` is what the server sends where usage is
    asked for on the caller's behalf: the caller gets it where our filter fails. ``spans`` counts the spans that it makes.
    """

    name: str
    sdk: str
    reply: Answer
    make: Callable[[Clients], Any]
    settings: Mapping[str, Any] = MappingProxyType({})
    unfiltered: Reply | None = None
    spans: int = 1


@contextmanager
def clients_of(server: ModelServer, telemetry: Telemetry) -> Iterator[Clients]:
    """Clients of the model server; those of Anthropic trace themselves, where they can."""
    traced: Any = {}
    if "open_telemetry" in inspect.signature(anthropic.Anthropic).parameters:
        traced = {"open_telemetry": {"tracer_provider": telemetry.tracer_provider}}
    loop, websockets = asyncio.new_event_loop(), WebsocketServer() if REALTIME else None
    key: dict[str, Any] = {"api_key": "none", "max_retries": 0}
    with (
        openai.OpenAI(base_url=f"{server.url}/v1", **key, **_address(websockets)) as sync,
        anthropic.Anthropic(base_url=server.url, **key, **traced) as sync_anthropic,
    ):
        asynchronous = openai.AsyncOpenAI(base_url=f"{server.url}/v1", **key, **_address(websockets))
        async_anthropic = anthropic.AsyncAnthropic(base_url=server.url, **key, **traced)
        local, async_local = ollama.Client(server.url), ollama.AsyncClient(server.url)
        bedrock = bedrock_calls.client_of(server.url)
        yield Clients(
            sync, asynchronous, sync_anthropic, async_anthropic, local, async_local, bedrock, loop, websockets
        )
        local._client.close()
        bedrock.close()
        for closing in (asynchronous.close, async_anthropic.close, async_local._client.aclose):
            loop.run_until_complete(closing())
    loop.run_until_complete(loop.shutdown_asyncgens())
    if websockets is not None:
        websockets.close()
    loop.run_until_complete(_connections_closed())
    loop.close()


async def _connections_closed() -> None:
    """Wait for the tasks of connections that an interrupt has left open: they end when the server has closed the connection."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    if tasks:
        _, pending = await asyncio.wait(tasks, timeout=10)
        assert not pending
        await asyncio.sleep(0)  # the transport closes in the next step of the loop


def _address(websockets: WebsocketServer | None) -> dict[str, Any]:
    return {} if websockets is None else {"websocket_base_url": f"ws://127.0.0.1:{websockets.port}/v1"}


def _dumped(value: Any) -> Any:
    return value.model_dump() if hasattr(value, "model_dump") else value


def _raw(clients: Clients) -> Any:
    raw = clients.openai.chat.completions.with_raw_response.create(**CHAT)
    return raw.status_code, _dumped(raw.parse())


def _read(stream: Any) -> Any:
    return [_dumped(chunk) for chunk in stream]


def _left(clients: Clients) -> Any:
    stream = clients.openai.chat.completions.create(**STREAMED)
    for chunk in stream:
        stream.close()
        return _dumped(chunk)
    return None


def _dropped(clients: Clients) -> None:
    stream = clients.openai.chat.completions.create(**STREAMED)
    next(iter(stream))
    del stream
    gc.collect()


def _lines(clients: Clients) -> Any:
    with clients.openai.chat.completions.with_streaming_response.create(**STREAMED) as raw:
        return list(raw.iter_lines())


def _in_bytes(clients: Clients) -> Any:
    with clients.openai.chat.completions.with_streaming_response.create(**CHAT) as raw:
        return b"".join(raw.iter_bytes())


def _refused(clients: Clients) -> Any:
    try:
        return clients.openai.chat.completions.create(**CHAT)
    except openai.BadRequestError as error:
        return type(error), str(error)


def _messages() -> Iterator[dict[str, str]]:
    yield {"role": "user", "content": "Hi"}


def _messages_stream(clients: Clients) -> Any:
    with clients.anthropic.messages.stream(**anthropic_bodies.MESSAGES) as stream:
        return stream.get_final_text()


def _stream_of(client: Any, **more: Any) -> Any:
    resource = client.chat.completions if hasattr(client.chat.completions, "stream") else client.beta.chat.completions
    return resource.stream(**CHAT, **more)


def _refused_whole(clients: Clients) -> Any:
    with _stream_of(clients.openai) as stream:
        try:
            return stream.get_final_completion()
        except openai.LengthFinishReasonError as error:
            return type(error)


def _refused_event(clients: Clients) -> Any:
    read = []
    try:
        with _stream_of(clients.openai, response_format=Structure) as stream:
            read.extend(type(event).__name__ for event in stream)
    except openai.LengthFinishReasonError as error:
        read.append(type(error).__name__)
    return read


def _waiting(make: Callable[[Clients], Awaitable[Any]]) -> Callable[[Clients], Any]:
    """The same in the loop of the clients."""

    def run(clients: Clients) -> Any:
        return clients.loop.run_until_complete(make(clients))

    return run


async def _async_chat(clients: Clients) -> Any:
    return _dumped(await clients.async_openai.chat.completions.create(**CHAT))


async def _async_stream(clients: Clients) -> Any:
    stream = await clients.async_openai.chat.completions.create(**STREAMED)
    return [_dumped(chunk) async for chunk in stream]


async def _async_refused_whole(clients: Clients) -> Any:
    async with _stream_of(clients.async_openai) as stream:
        try:
            return await stream.get_final_completion()
        except openai.LengthFinishReasonError as error:
            return type(error)


async def _async_refused_event(clients: Clients) -> Any:
    read = []
    try:
        async with _stream_of(clients.async_openai, response_format=Structure) as stream:
            read.extend([type(event).__name__ async for event in stream])
    except openai.LengthFinishReasonError as error:
        read.append(type(error).__name__)
    return read


async def _async_left(clients: Clients) -> Any:
    stream = await clients.async_openai.chat.completions.create(**STREAMED)
    async for chunk in stream:
        await stream.close()
        return _dumped(chunk)
    return None


async def _async_lines(clients: Clients) -> Any:
    async with clients.async_openai.chat.completions.with_streaming_response.create(**STREAMED) as raw:
        return [line async for line in raw.iter_lines()]


async def _async_refused(clients: Clients) -> Any:
    try:
        return await clients.async_openai.chat.completions.create(**CHAT)
    except openai.BadRequestError as error:
        return type(error), str(error)


async def _async_message(clients: Clients) -> Any:
    return _dumped(await clients.async_anthropic.messages.create(**anthropic_bodies.MESSAGES))


def _results(clients: Clients) -> Any:
    return _read(clients.anthropic.beta.messages.batches.results(anthropic_bodies.BATCH))


async def _async_results(clients: Clients) -> Any:
    results = await clients.async_anthropic.beta.messages.batches.results(anthropic_bodies.BATCH)
    return [_dumped(result) async for result in results]


async def _async_local(clients: Clients) -> Any:
    return _dumped(await clients.async_ollama.chat("llama", HI))


async def _async_local_stream(clients: Clients) -> Any:
    lines: AsyncIterator[Any] = await clients.async_ollama.chat("llama", HI, stream=True)
    return [_dumped(line) async for line in lines]


WEATHER: dict[str, Any] = {
    "type": "function",
    "name": "weather",
    "strict": True,
    "parameters": {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
}
CALLED = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "weather", "arguments": "{}"}
ASKED: dict[str, Any] = {"model": "gpt-4o-mini", "input": "Is it sunny?"}


def runner_answer(request: RecordedRequest) -> Reply:
    """A call of the function, and what follows its result."""
    if "function_call_output" in str(request.json):
        return Json(openai_bodies.response())
    return Json(openai_bodies.response(output=[{**CALLED, "status": "completed"}]))


def decision_answer(request: RecordedRequest) -> Reply:
    """Open what is closed, then nothing more."""
    choice = "open" if "closed" in str(request.json) else "done"
    answer = {
        "type": "choice",
        "name": "next_action",
        "choice": choice,
        "confidence": 0.9,
        "probabilities": [{"value": choice, "probability": 0.9}],
    }
    return Json(openai_bodies.decision(answers=[answer]))


def _run(clients: Clients) -> Any:
    from openai.lib import responses_tool_runner as sdk

    runner = sdk.ResponsesToolRunner(functions=[sdk.RegisteredFunction(WEATHER, lambda _given: "sunny")])  # type: ignore[arg-type]
    runner.iterate(clients.openai, ASKED).close()  # type: ignore[arg-type]
    try:
        return _dumped(runner.run(clients.openai, ASKED))  # type: ignore[arg-type]
    except sdk.ToolRunnerError as error:
        raise (error.__context__ or error) from None


async def _async_run(clients: Clients) -> Any:
    from openai.lib import responses_tool_runner as sdk

    async def weather(_given: Any) -> str:
        return "sunny"

    runner = sdk.AsyncResponsesToolRunner(functions=[sdk.AsyncRegisteredFunction(WEATHER, weather)])  # type: ignore[arg-type]
    try:
        return _dumped(await runner.run(clients.async_openai, ASKED))  # type: ignore[arg-type]
    except sdk.ToolRunnerError as error:
        raise (error.__context__ or error) from None


def _candidates(opened: Callable[[], Any]) -> list[Any]:
    return [
        {"id": "open", "description": "Open it", "execute": opened},
        {"id": "done", "description": "Done", "done": True},
    ]


def _decide(clients: Clients) -> Any:
    from openai.lib import decisions_tool_runner as sdk

    door = ["closed"]
    runner = sdk.DecisionsToolRunner(
        observe=lambda: door[-1], candidates=lambda _seen: _candidates(lambda: door.append("free"))
    )
    try:
        return runner.run(clients.openai, ASKED)["completed_candidate_ids"]  # type: ignore[arg-type]
    except sdk.DecisionsToolRunnerError as error:
        raise (error.__context__ or error) from None


async def _async_decide(clients: Clients) -> Any:
    from openai.lib import decisions_tool_runner as sdk

    door = ["closed"]

    async def observe() -> str:
        return door[-1]

    async def opened() -> None:
        door.append("free")

    async def candidates(_seen: Any) -> list[Any]:
        return _candidates(opened)

    runner = sdk.AsyncDecisionsToolRunner(observe=observe, candidates=candidates)
    try:
        return (await runner.run(clients.async_openai, ASKED))["completed_candidate_ids"]  # type: ignore[arg-type]
    except sdk.DecisionsToolRunnerError as error:
        raise (error.__context__ or error) from None


def message_answer(request: RecordedRequest) -> Reply:
    """A call of the tool, and what follows its result; as a stream, if that is asked for."""
    answered, streamed = "tool_result" in str(request.json), request.json.get("stream")
    if answered:
        return MESSAGE_EVENTS if streamed else MESSAGE
    call = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}
    if not streamed:
        return Json(anthropic_bodies.message(call, stop_reason="tool_use"))
    block = anthropic_bodies.block_events(call, [("input", "{}")])
    return Sse([anthropic_bodies.started(), *block, *anthropic_bodies.ended("tool_use")], event_names=True)


def _turns(clients: Clients) -> Any:
    def weather() -> str:
        """Look up the weather."""
        return "sunny"

    structured = {"format": {"type": "json_schema", "schema": {"type": "object"}}}
    given = {"tools": [anthropic.beta_tool(weather)], "output_config": structured}
    asked: dict[str, Any] = {**anthropic_bodies.MESSAGES, **given}
    clients.anthropic.beta.messages.tool_runner(**asked).close()
    return _dumped(clients.anthropic.beta.messages.tool_runner(**asked).until_done())


def _streamed_turns(clients: Clients) -> Any:
    def weather() -> str:
        """Look up the weather."""
        return "sunny"

    asked: dict[str, Any] = {**anthropic_bodies.MESSAGES, "tools": [anthropic.beta_tool(weather)], "stream": True}
    runner = clients.anthropic.beta.messages.tool_runner(**asked, run_tools_eagerly=True)
    return [[event.type for event in turn] for turn in runner]


async def _async_turns(clients: Clients) -> Any:
    async def weather() -> str:
        """Look up the weather."""
        raise ValueError("no weather")

    asked: dict[str, Any] = {**anthropic_bodies.MESSAGES, "tools": [anthropic.beta_async_tool(weather)]}
    await clients.async_anthropic.beta.messages.tool_runner(**asked).close()
    return _dumped(await clients.async_anthropic.beta.messages.tool_runner(**asked).until_done())


async def _conversation(peer: Peer) -> None:
    """A conversation in which the server creates the first response, refuses the second, and breaks off in the fourth."""
    listening = {"turn_detection": {"type": "server_vad"}, "transcription": {"model": "gpt-4o-transcribe"}}
    await peer.send(session(audio={"input": listening}), committed("item_1"), created())
    await peer.send(*deltas("Hel", "lo"), *transcription("item_1", "Hi"), done(output=[spoken("Hello")]))
    await peer.expect("response.create")
    await peer.send(error("conversation_already_has_active_response"))
    await peer.expect("response.create")
    await peer.send(created("resp_2", metadata={"a": "b"}), *deltas("Bye", identity="resp_2"), done("resp_2"))
    await peer.send(error("item_not_found"))
    await peer.expect("response.create")
    await peer.send(committed("item_2"), created("resp_3"), *deltas("Hel", identity="resp_3"))
    await peer.expect("response.create")
    await peer.close(1011)


async def _lanes(peer: Peer) -> None:
    """A response that is continued by one of the server's own, one that fails, and an error of none."""
    await peer.expect("response.create")
    events = [event for event in RESPONSE_EVENTS.events if isinstance(event, dict)]
    await peer.send(*events, *events)
    await peer.expect("response.create")
    failed = {"type": "error", "error": {"type": "server_error", "message": "No."}}
    await peer.send(failed, failed)
    await peer.wait()


async def _script(peer: Peer) -> None:
    await (_lanes(peer) if "/responses" in peer.path else _conversation(peer))


async def _talk(manager: Any) -> Any:
    """Take part in the conversation, some of it in bytes, and read until it breaks off."""
    from websockets.exceptions import ConnectionClosedError

    manager.send({"type": "conversation.item.create", "item": typed("Hi")})
    received: list[Any] = []
    async with Opened(manager) as connection:

        async def until(kind: str) -> None:
            while not received or received[-1] != kind:
                received.append((await settled(connection.recv())).type)

        await until("response.done")
        await settled(connection.response.create())
        await until("error")
        await settled(connection.send_raw('{"type": "response.create", "response": {"metadata": {"a": "b"}}}'))
        received.append(type(await settled(connection.recv_bytes())))
        await until("error")
        await settled(connection.response.create())
        await until("response.output_audio_transcript.delta")
        await settled(connection.response.create())
        try:
            await until("never")
        except ConnectionClosedError as cut:
            received.append(type(cut))
        try:
            await settled(connection.response.create())
        except ConnectionClosedError as cut:
            received.append(type(cut))
    return received


async def _ask_in_lanes(manager: Any) -> Any:
    """Ask twice, and read what comes."""
    received: list[Any] = []
    async with Opened(manager) as connection:
        for number in (4, 6):
            await settled(connection.response.create(**ASKED))
            while len(received) < number:
                received.append((await settled(connection.recv())).type)
        await settled(connection.response.create(**ASKED))
    return received


def _on_websocket(make: Callable[[Any], Any], take_part: Callable[[Any], Any], *, asynchronous: bool) -> Any:
    """A connection of a client, in the loop of the clients where it is asynchronous."""

    def run(clients: Clients) -> Any:
        clients.websockets.script(_script)
        if not asynchronous:
            return SYNC.run(take_part(make(clients.openai)))
        return clients.loop.run_until_complete(take_part(make(clients.async_openai)))

    return run


def _hook(span: Any, *_given: Any) -> None:
    span.set_attribute("hooked", True)


ALL: dict[str, Any] = {
    "capture_message_content": "span_and_event",
    "metrics": "extended",
    "request_hook": _hook,
    "response_hook": _hook,
    "enrichers": "all",
    "redact": "all",
    "propagate": "self-hosted",
    "completion_hook": lambda *_given, **_more: None,
    "completion_hook_flush_timeout": 0.5,  # a completion that a strike lost is not waited for as long as others are
}
INJECT: dict[str, Any] = {**ALL, "stream_usage": "inject"}
ENRICH: dict[str, Any] = {**ALL, "anthropic_native_tracing": "enrich"}
OFF: dict[str, Any] = {**ALL, "anthropic_native_tracing": "off"}

EVENT_STREAMS = (
    Followed("a whole that is refused", "openai", LONG, _refused_whole, ALL),
    Followed("an event that is refused", "openai", LONG, _refused_event, ALL),
    Followed("a whole that is refused asynchronously", "openai", LONG, _waiting(_async_refused_whole), ALL),
    Followed("an event that is refused asynchronously", "openai", LONG, _waiting(_async_refused_event), ALL),
)
RUNNERS = (
    Followed("a runner of tools", "openai", runner_answer, _run, ALL, spans=4),
    Followed("an asynchronous runner of tools", "openai", runner_answer, _waiting(_async_run), ALL, spans=4),
    Followed("a runner of decisions", "openai", decision_answer, _decide, ALL, spans=4),
    Followed("an asynchronous runner of decisions", "openai", decision_answer, _waiting(_async_decide), ALL, spans=4),
)
MESSAGE_RUNNERS = (
    Followed("a runner of messages", "anthropic", message_answer, _turns, ALL, spans=4),
    Followed("a runner of messages with the SDK's spans", "anthropic", message_answer, _turns, ENRICH, spans=4),
    Followed("a runner of messages with spans left alone", "anthropic", message_answer, _turns, OFF, spans=4),
    Followed("a runner of streamed messages", "anthropic", message_answer, _streamed_turns, ALL, spans=4),
    Followed("an asynchronous runner of messages", "anthropic", message_answer, _waiting(_async_turns), ALL, spans=4),
)
CONNECTIONS = tuple(
    Followed(
        f"{'an asynchronous' if asynchronous else 'a'} connection, {name}",
        "openai",
        REPLY,
        _on_websocket(make, take_part, asynchronous=asynchronous),
        ALL,
        spans=spans,
    )
    for asynchronous in (False, True)
    for name, make, take_part, spans in (
        ("a conversation", lambda client: client.realtime.connect(model="gpt-realtime"), _talk, 8),
        ("responses in lanes", lambda client: client.responses.connect(), _ask_in_lanes, 4),
    )
)
FOLLOWED = (
    Followed("a chat", "openai", REPLY, lambda on: _dumped(on.openai.chat.completions.create(**CHAT)), ALL),
    Followed("a chat without settings", "openai", REPLY, lambda on: _dumped(on.openai.chat.completions.create(**CHAT))),
    Followed("a chat that is refused", "openai", REFUSED, _refused, ALL),
    Followed("a raw response", "openai", REPLY, _raw, ALL),
    Followed("a body that is read as bytes", "openai", REPLY, _in_bytes, ALL),
    Followed(
        "embeddings", "openai", Json(EMBEDDING), lambda on: _dumped(on.openai.embeddings.create(model="e", input="a"))
    ),
    Followed("a stream", "openai", CHUNKS, lambda on: _read(on.openai.chat.completions.create(**STREAMED)), ALL),
    Followed("a stream that is left", "openai", CHUNKS, _left, ALL),
    Followed("a stream that is dropped", "openai", CHUNKS, _dropped, ALL),
    Followed("a stream that is read as lines", "openai", CHUNKS, _lines, ALL),
    Followed(
        "usage that is asked for",
        "openai",
        with_usage,
        lambda on: _read(on.openai.chat.completions.create(**STREAMED)),
        INJECT,
        WITH_USAGE,
    ),
    Followed("usage in lines", "openai", with_usage, _lines, INJECT, WITH_USAGE),
    Followed("usage that is refused", "openai", REFUSED, _refused, INJECT),
    Followed("an asynchronous chat", "openai", REPLY, _waiting(_async_chat), ALL),
    Followed("an asynchronous chat that is refused", "openai", REFUSED, _waiting(_async_refused), ALL),
    Followed("an asynchronous stream", "openai", CHUNKS, _waiting(_async_stream), ALL),
    Followed("an asynchronous stream that is left", "openai", CHUNKS, _waiting(_async_left), ALL),
    Followed("an asynchronous stream read as lines", "openai", with_usage, _waiting(_async_lines), INJECT, WITH_USAGE),
    Followed("usage asked for asynchronously", "openai", with_usage, _waiting(_async_stream), INJECT, WITH_USAGE),
    Followed(
        "a message",
        "anthropic",
        MESSAGE,
        lambda on: _dumped(on.anthropic.messages.create(**anthropic_bodies.MESSAGES)),
        ALL,
    ),
    Followed(
        "a message of a generator",
        "anthropic",
        MESSAGE,
        lambda on: _dumped(on.anthropic.messages.create(**{**anthropic_bodies.MESSAGES, "messages": _messages()})),
        ALL,
    ),
    Followed(
        "a message with the SDK's span",
        "anthropic",
        MESSAGE,
        lambda on: _dumped(on.anthropic.messages.create(**anthropic_bodies.MESSAGES)),
        ENRICH,
    ),
    Followed(
        "a message with a span that is left alone",
        "anthropic",
        MESSAGE,
        lambda on: _dumped(on.anthropic.messages.create(**anthropic_bodies.MESSAGES)),
        OFF,
    ),
    Followed("a streamed message", "anthropic", MESSAGE_EVENTS, _messages_stream, ALL),
    Followed("an asynchronous message", "anthropic", MESSAGE, _waiting(_async_message), ALL),
    Followed("the results of a batch", "anthropic", batch_and_results, _results, ALL, spans=2),
    Followed("asynchronous results of a batch", "anthropic", batch_and_results, _waiting(_async_results), ALL, spans=2),
    Followed("an answer of Ollama", "ollama", Json(DONE), lambda on: _dumped(on.ollama.chat("llama", HI)), ALL),
    Followed("a stream of Ollama", "ollama", LINES, lambda on: _read(on.ollama.chat("llama", HI, stream=True)), ALL),
    Followed("an asynchronous answer of Ollama", "ollama", Json(DONE), _waiting(_async_local), ALL),
    Followed("an asynchronous stream of Ollama", "ollama", LINES, _waiting(_async_local_stream), ALL),
    *(
        Followed(f"Bedrock, {name}", "bedrock", reply, lambda on, make=make: make(on.bedrock), ALL)  # type: ignore[misc]
        for name, (reply, make) in bedrock_calls.READ.items()
    ),
    *(EVENT_STREAMS if find_spec("openai.lib.streaming.chat") else ()),
    *(RUNNERS if find_spec("openai.lib.responses_tool_runner") else ()),
    *(MESSAGE_RUNNERS if find_spec("anthropic.lib._tracing") else ()),
    *(CONNECTIONS if REALTIME else ()),
)

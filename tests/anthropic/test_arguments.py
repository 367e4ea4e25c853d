"""What the caller passes is sent as it is and stays as it was, with content captured or not, and is recorded.

Newer versions of the SDK read a body only when they send it: iterators, files and models may stand anywhere in it.
Each call is made without the instrumentation first; what the server received then, it must receive again.
"""

from __future__ import annotations

import asyncio
import copy
import io
import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

import anthropic
import pytest

from loopback import Json, ModelServer, Sse, Telemetry
from opentelemetry_instrumentation_genai import AnthropicInstrumentor

MODEL = "claude-test"
BYTES = b"\x89PNG not really"
ASKED: dict[str, Any] = {"model": MODEL, "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]}
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": MODEL,
    "content": [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2lnbmF0dXJl"},
        {"type": "text", "text": "Let me see."},
        {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Lima"}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 8, "output_tokens": 2},
}
EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 2},
    },
    {"type": "message_stop"},
]
TEXT = [{"type": "text", "text": "Hi"}]
RECORDED_TEXT = [{"type": "text", "content": "Hi"}]
TOOLS = [{"name": "weather", "description": "Tells.", "input_schema": {"type": "object", "properties": {"a": {}}}}]
RECORDED_TOOLS = [
    {
        "name": "weather",
        "description": "Tells.",
        "type": "function",
        "parameters": {"type": "object", "properties": {"a": {}}},
    }
]
INPUT, SYSTEM, DEFINITIONS = "gen_ai.input.messages", "gen_ai.system_instructions", "gen_ai.tool.definitions"
CALLED = {"type": "tool_call", "id": "toolu_1", "name": "weather", "arguments": {"city": "Lima"}}
# Headers in which two requests of the same call differ.
VOLATILE = {"x-stainless-read-timeout", "idempotency-key", "connection"}
# Without the SDK's own tracing, which has other trace headers in each call.
QUIET = {"open_telemetry": False} if hasattr(anthropic._base_client.BaseClient, "_tracer") else {}
Call = Callable[[Any], Any]


def once(values: Iterable[Any]) -> Iterator[Any]:
    """What can be walked once."""
    yield from values


def broken(values: Iterable[Any]) -> Iterator[Any]:
    """What fails after its last value."""
    yield from values
    raise LookupError("no more")


def asking(content: Any, role: str = "user") -> dict[str, Any]:
    """A request with one message."""
    return {**ASKED, "messages": [{"role": role, "content": content}]}


@pytest.fixture
def client(server: ModelServer) -> Iterator[anthropic.Anthropic]:
    """A client of the model server."""
    http = anthropic.DefaultHttpxClient(verify=False)  # to load certificates takes longer than a test
    with anthropic.Anthropic(
        base_url=server.url, api_key="not-a-key", max_retries=0, http_client=http, **QUIET
    ) as made:
        yield made


@pytest.fixture(params=["no_content", "span_and_event"])
def mode(request: pytest.FixtureRequest) -> str:
    """Content captured or not."""
    return request.param


class Compared:
    """A call made twice: by itself, and followed."""

    def __init__(self, server: ModelServer, telemetry: Telemetry, client: Any) -> None:
        self.server = server
        self.telemetry = telemetry
        self.client = client

    def __call__(self, make: Callable[[], Call] | Call, mode: str) -> Any:
        """Makes it; AssertionError unless the server received the same. Returns what became of it."""
        bare = self._sent(make)
        AnthropicInstrumentor().instrument(**self.telemetry.providers, capture_message_content=mode)
        followed = self._sent(make)
        AnthropicInstrumentor().uninstrument()
        assert bare == followed
        return followed[0]

    def _sent(self, call: Any) -> Any:
        self.server.reset()
        self.server.reply_always(Json(MESSAGE))
        try:
            result = type(call(self.client)).__name__
        except Exception as error:
            result = f"{type(error).__name__}: {error}"
        return result, [
            (request.method, request.path, request.body, kept(request.headers)) for request in self.server.requests
        ]


@pytest.fixture
def compared(server: ModelServer, telemetry: Telemetry, client: Any) -> Compared:
    """Makes a call without and with the instrumentation."""
    return Compared(server, telemetry, client)


def kept(headers: dict[str, str]) -> dict[str, str]:
    """The headers, without those that always differ."""
    return {name: value for name, value in headers.items() if name not in VOLATILE}


def recorded(telemetry: Telemetry, name: str) -> Any:
    """Content of the one call, on its span and in its event alike."""
    value = (telemetry.span.attributes or {}).get(name)
    found = None if value is None else json.loads(value)
    assert telemetry.events
    assert _plain(telemetry.events[0].attributes.get(name)) == found
    return found


def _plain(value: Any) -> Any:
    """What the SDK keeps as tuples and mappings, as JSON has it."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    return {k: _plain(v) for k, v in value.items()} if hasattr(value, "items") else [_plain(v) for v in value]


def answered(response: Any) -> list[dict[str, Any]]:
    """A message with what a tool gave."""
    return [{"type": "tool_result", "tool_use_id": "toolu_1", "content": response}]


# What can be walked once: the call, the attribute that tells it, and what it says.
ONE_SHOT: dict[str, tuple[Call, str, Any]] = {
    "messages": (
        lambda client: client.messages.create(**{**ASKED, "messages": once(ASKED["messages"])}),
        INPUT,
        [{"role": "user", "parts": RECORDED_TEXT}],
    ),
    "a map": (
        lambda client: client.messages.create(**{**ASKED, "messages": map(dict, ASKED["messages"])}),
        INPUT,
        [{"role": "user", "parts": RECORDED_TEXT}],
    ),
    "content": (
        lambda client: client.messages.create(**asking(once(TEXT))),
        INPUT,
        [{"role": "user", "parts": RECORDED_TEXT}],
    ),
    "content in messages": (
        lambda client: client.messages.create(
            **{
                **ASKED,
                "messages": once([{"role": "user", "content": once(TEXT)}, {"role": "assistant", "content": "A"}]),
            }
        ),
        INPUT,
        [{"role": "user", "parts": RECORDED_TEXT}, {"role": "assistant", "parts": [{"type": "text", "content": "A"}]}],
    ),
    "a tool's answer": (
        lambda client: client.messages.create(**asking(answered(once(TEXT)))),
        INPUT,
        [{"role": "user", "parts": [{"type": "tool_call_response", "id": "toolu_1", "response": RECORDED_TEXT}]}],
    ),
    "a tool's answer in content in messages": (
        lambda client: client.messages.create(
            **{**ASKED, "messages": once([{"role": "user", "content": once(answered(once(TEXT)))}])}
        ),
        INPUT,
        [{"role": "user", "parts": [{"type": "tool_call_response", "id": "toolu_1", "response": RECORDED_TEXT}]}],
    ),
    "the blocks of a document": (
        lambda client: client.messages.create(
            **asking([{"type": "document", "source": {"type": "content", "content": once(TEXT)}}])
        ),
        INPUT,
        [{"role": "user", "parts": [{"type": "document", "content": RECORDED_TEXT}]}],
    ),
    "a search result": (
        lambda client: client.messages.create(
            **asking([{"type": "search_result", "source": "s", "title": "t", "content": once(TEXT)}])
        ),
        INPUT,
        [{"role": "user", "parts": [{"type": "search_result", "source": "s", "title": "t", "content": TEXT}]}],
    ),
    "system": (lambda client: client.messages.create(**ASKED, system=once(TEXT)), SYSTEM, RECORDED_TEXT),
    "tools": (lambda client: client.messages.create(**ASKED, tools=once(TOOLS)), DEFINITIONS, RECORDED_TOOLS),
    "raw": (
        lambda client: client.messages.with_raw_response.create(**{**ASKED, "messages": once(ASKED["messages"])}),
        INPUT,
        [{"role": "user", "parts": RECORDED_TEXT}],
    ),
    # Not messages: of these the beta method itself walks an iterator to its end, and sends what is left.
    "beta": (lambda client: client.beta.messages.create(**ASKED, system=once(TEXT)), SYSTEM, RECORDED_TEXT),
    "by hand": (
        lambda client: client.post("/v1/messages", body={**ASKED, "messages": once(ASKED["messages"])}, cast_to=object),
        INPUT,
        [{"role": "user", "parts": RECORDED_TEXT}],
    ),
    "extra_body": (
        lambda client: client.messages.create(**ASKED, extra_body={"tools": once(TOOLS)}),
        DEFINITIONS,
        RECORDED_TOOLS,
    ),
}


@pytest.mark.parametrize("name", ONE_SHOT)
def test_what_can_be_walked_once_is_sent(compared: Compared, mode: str, name: str) -> None:
    """A generator reaches the server as it does without us: whole, or refused by the SDK in the same words."""
    compared(ONE_SHOT[name][0], mode)


@pytest.mark.parametrize("name", ONE_SHOT)
def test_what_can_be_iterated_once_is_recorded(compared: Compared, name: str) -> None:
    """What the server received of it is what the telemetry tells."""
    call, attribute, expected = ONE_SHOT[name]
    outcome = compared(call, "span_and_event")
    if not compared.server.requests:
        pytest.skip(f"this SDK refuses it: {outcome}")
    assert expected == recorded(compared.telemetry, attribute)


def test_stop_sequences_that_can_be_walked_once(compared: Compared, mode: str) -> None:
    """They are no content: they are sent as without us, content or not."""
    compared(lambda client: client.messages.create(**ASKED, stop_sequences=once(["a", "b"])), mode)


def test_sent_again_whole(compared: Compared) -> None:
    """A call that the SDK repeats sends the same again."""

    def call(client: Any) -> Any:
        compared.server.reply(Json({"type": "error"}, status=529, headers={"retry-after-ms": "1"}))
        again = client.with_options(max_retries=1)
        return again.messages.create(**{**ASKED, "messages": once(ASKED["messages"])}, tools=once(TOOLS))

    compared(call, "span_and_event")

    first, second = compared.server.requests
    assert first.body == second.body
    assert [{"role": "user", "parts": RECORDED_TEXT}] == recorded(compared.telemetry, INPUT)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_asynchronous_calls(server: ModelServer, telemetry: Telemetry, mode: str, stream: bool) -> None:
    """An asynchronous client sends and tells the same."""
    server.reply(Sse(EVENTS, event_names=True) if stream else Json(MESSAGE))
    AnthropicInstrumentor().instrument(**telemetry.providers, capture_message_content=mode)

    async def call() -> None:
        http = anthropic.DefaultAsyncHttpxClient(verify=False)
        client = anthropic.AsyncAnthropic(base_url=server.url, api_key="k", max_retries=0, http_client=http, **QUIET)
        async with client:
            given = {**ASKED, "messages": once(ASKED["messages"]), "system": once(TEXT), "tools": once(TOOLS)}
            answer: Any = await client.messages.create(**given, stream=stream)
            if stream:
                async for _ in answer:
                    pass

    asyncio.run(call())

    body = server.requests[0].json
    assert (ASKED["messages"], TEXT, TOOLS) == (body["messages"], body["system"], body["tools"])
    if mode == "span_and_event":
        assert ([{"role": "user", "parts": RECORDED_TEXT}], RECORDED_TEXT, RECORDED_TOOLS) == tuple(
            recorded(telemetry, name) for name in (INPUT, SYSTEM, DEFINITIONS)
        )


def test_the_stream_method(server: ModelServer, telemetry: Telemetry, client: Any) -> None:
    """`messages.stream()` takes iterators too."""
    server.reply(Sse(EVENTS, event_names=True))
    AnthropicInstrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")

    with client.messages.stream(**asking(once(TEXT)), system=once(TEXT)) as stream:
        stream.until_done()

    assert (TEXT, TEXT) == (server.requests[0].json["messages"][0]["content"], server.requests[0].json["system"])
    assert ([{"role": "user", "parts": RECORDED_TEXT}], RECORDED_TEXT) == (
        recorded(telemetry, INPUT),
        recorded(telemetry, SYSTEM),
    )


BROKEN: dict[str, Call] = {
    "messages": lambda client: client.messages.create(**{**ASKED, "messages": broken(ASKED["messages"])}),
    "content": lambda client: client.messages.create(**asking(broken(TEXT))),
    "system": lambda client: client.messages.create(**ASKED, system=broken(TEXT)),
    "tools": lambda client: client.messages.create(**ASKED, tools=broken(TOOLS)),
    "a tool's answer": lambda client: client.messages.create(**asking(answered(broken(TEXT)))),
    "nothing before it": lambda client: client.messages.create(**{**ASKED, "messages": broken([])}),
    "raw": lambda client: client.messages.with_raw_response.create(**{**ASKED, "messages": broken([])}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_iterators_that_raise(compared: Compared, mode: str, name: str) -> None:
    """What an iterator of the caller's raises reaches the caller as without us, and nothing is sent."""
    assert "LookupError: no more" == compared(BROKEN[name], mode)
    assert [] == compared.server.requests


def test_an_iterator_is_not_walked_further_than_the_sdk_walks_it(client: Any, telemetry: Telemetry) -> None:
    """One that raises in the middle has given each value once, and nobody asks it again."""
    asked: list[int] = []

    def counted() -> Iterator[Any]:
        for number in range(3):
            asked.append(number)
            yield {"role": "user", "content": "Hi"}
        raise LookupError("no more")

    AnthropicInstrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")
    with pytest.raises(LookupError, match="no more"):
        client.messages.create(**{**ASKED, "messages": counted()})

    assert [0, 1, 2] == asked


def test_exceptions_that_are_no_errors(client: Any, telemetry: Telemetry) -> None:
    """An iterator may also be interrupted."""

    def interrupted() -> Iterator[Any]:
        yield {"role": "user", "content": "Hi"}
        raise KeyboardInterrupt

    AnthropicInstrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")
    with pytest.raises(KeyboardInterrupt):
        client.messages.create(**{**ASKED, "messages": interrupted()})


def picture(data: Any) -> dict[str, Any]:
    """A request with an image."""
    source = {"type": "base64", "media_type": "image/png", "data": data}
    return asking([{"type": "image", "source": source}, *TEXT])


FILES: dict[str, Callable[[Path], Any]] = {
    "a path": lambda path: path,
    "an open file": lambda path: path.open("rb"),
    "bytes in memory": lambda path: io.BytesIO(path.read_bytes()),
    "text": lambda path: b64encode(path.read_bytes()).decode(),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with `BYTES` in it."""
    path = tmp_path / "picture.png"
    path.write_bytes(BYTES)
    return path


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_files_are_sent(compared: Compared, mode: str, kind: str, file: Path) -> None:
    """Paths and open files are read by the SDK alone: the server gets their bytes."""
    outcome = compared(lambda client: client.messages.create(**picture(FILES[kind](file))), mode)

    assert "Message" == outcome
    sent = compared.server.requests[0].json["messages"][0]["content"][0]["source"]["data"]
    assert b64encode(BYTES).decode() == sent


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_files_are_recorded_without_their_bytes(compared: Compared, kind: str, file: Path) -> None:
    """What is known of a file is recorded, size and digest only if they are known: never those of something else."""
    compared(lambda client: client.messages.create(**picture(FILES[kind](file))), "span_and_event")

    (message,) = recorded(compared.telemetry, INPUT)
    blob, text = message["parts"]
    assert ("blob", "image", "image/png") == (blob["type"], blob["modality"], blob["mime_type"])
    assert blob.get("byte_size") in (None, len(BYTES))
    assert blob.get("sha256") in (None, sha256(BYTES).hexdigest())
    assert RECORDED_TEXT == [text]
    assert b64encode(BYTES).decode() not in repr(compared.telemetry.snapshot())


def test_a_file_is_where_the_sdk_left_it(server: ModelServer, telemetry: Telemetry, client: Any, file: Path) -> None:
    """We read nothing of it, and do not move in it."""
    server.reply_always(Json(MESSAGE))
    with file.open("rb") as opened:
        client.messages.create(**picture(opened))
        place = opened.tell()
    AnthropicInstrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")
    with file.open("rb") as opened:
        client.messages.create(**picture(opened))
        assert (place, False) == (opened.tell(), opened.closed)


@pytest.mark.parametrize("blocks", ["content", "message", "list"])
def test_an_earlier_response_in_the_next_request(
    server: ModelServer, telemetry: Telemetry, client: Any, mode: str, blocks: str
) -> None:
    """`messages.append({"role": "assistant", "content": response.content})` is how an application goes on."""
    server.reply_always(Json(MESSAGE))
    answer = client.messages.create(**ASKED)
    before = answer.model_dump(warnings=False)
    content = {
        "content": answer.content,
        "message": [*answer.content],
        "list": [block.model_dump(warnings=False) if block.type == "text" else block for block in answer.content],
    }[blocks]
    turns = [
        *ASKED["messages"],
        {"role": "assistant", "content": content},
        {"role": "user", "content": answered("rain")},
    ]
    client.messages.create(**{**ASKED, "messages": turns})
    bare = server.requests[-1].body
    AnthropicInstrumentor().instrument(**telemetry.providers, capture_message_content=mode)

    client.messages.create(**{**ASKED, "messages": turns})

    assert bare == server.requests[-1].body
    assert before == answer.model_dump(warnings=False)
    if mode == "span_and_event":
        _, turn, result = recorded(telemetry, INPUT)
        parts = [{"type": "reasoning", "content": "Hm."}, {"type": "text", "content": "Let me see."}, CALLED]
        assert {"role": "assistant", "parts": parts} == turn
        response = {"type": "tool_call_response", "id": "toolu_1", "response": "rain"}
        assert {"role": "user", "parts": [response]} == result
        assert "c2lnbmF0dXJl" not in repr(telemetry.snapshot())


def sentinel() -> Any:
    """What stands for nothing."""
    return getattr(anthropic, "omit", anthropic.NOT_GIVEN)


SENTINELS: dict[str, Call] = {
    "not given": lambda client: client.messages.create(
        **ASKED,
        system=anthropic.NOT_GIVEN,
        tools=anthropic.NOT_GIVEN,
        stop_sequences=anthropic.NOT_GIVEN,
        metadata=anthropic.NOT_GIVEN,
        tool_choice=anthropic.NOT_GIVEN,
        stream=anthropic.NOT_GIVEN,
    ),
    "omitted": lambda client: client.messages.create(
        **ASKED,
        system=sentinel(),
        tools=sentinel(),
        stop_sequences=sentinel(),
        metadata=sentinel(),
        tool_choice=sentinel(),
    ),
    "in a message": lambda client: client.messages.create(
        **{**ASKED, "messages": [{"role": "user", "content": "Hi", "name": sentinel()}]}
    ),
    "in a block": lambda client: client.messages.create(
        **asking([{"type": "text", "text": "Hi", "cache_control": sentinel(), "citations": sentinel()}])
    ),
    "in a tool": lambda client: client.messages.create(**ASKED, tools=[{**TOOLS[0], "cache_control": sentinel()}]),
    "in metadata": lambda client: client.messages.create(**ASKED, metadata={"user_id": sentinel()}),
    "in a tool's answer": lambda client: client.messages.create(
        **asking([{"type": "tool_result", "tool_use_id": "toolu_1", "content": sentinel(), "is_error": sentinel()}])
    ),
    "in extra_body": lambda client: client.messages.create(**ASKED, extra_body={"thinking": sentinel()}),
    "a header": lambda client: client.messages.create(**ASKED, extra_headers={"anthropic-beta": sentinel()}),
    "by hand": lambda client: client.post("/v1/messages", body={**ASKED, "system": sentinel()}, cast_to=object),
    "betas": lambda client: client.beta.messages.create(**ASKED, betas=sentinel()),
}


@pytest.mark.parametrize("name", SENTINELS)
def test_sentinels(compared: Compared, mode: str, name: str) -> None:
    """`Omit` and `NotGiven` are sent as nothing, where the SDK takes them, and recorded as nothing."""
    if "Message" != compared(SENTINELS[name], mode):
        return  # an old SDK's own words of what it cannot send
    assert [] == [
        word for word in ("NotGiven", "Omit", "sentinel") if word in repr(compared.telemetry.snapshot()["spans"])
    ]


def test_absent_values_are_no_attributes(compared: Compared) -> None:
    """What the request does not have is not recorded; zero is a value."""
    compared(
        lambda client: client.messages.create(
            **ASKED, stop_sequences=anthropic.NOT_GIVEN, extra_body={"temperature": 0, "top_p": None}
        ),
        "no_content",
    )

    attributes = compared.telemetry.span.attributes
    asked = {name: value for name, value in attributes.items() if name.startswith("gen_ai.request.")}
    assert {"gen_ai.request.model": MODEL, "gen_ai.request.max_tokens": 5, "gen_ai.request.temperature": 0.0} == asked
    assert float is type(asked["gen_ai.request.temperature"])


def test_sampling_in_extra_body(compared: Compared) -> None:
    """Newer SDKs have no keywords for these: what `extra_body` says is what was asked for, over the arguments."""
    compared(
        lambda client: client.messages.create(
            **ASKED, extra_body={"temperature": 0.5, "top_p": 1, "top_k": 3, "max_tokens": 7, "model": "other"}
        ),
        "no_content",
    )

    attributes = compared.telemetry.span.attributes
    asked = {name: value for name, value in attributes.items() if name.startswith("gen_ai.request.")}
    assert {
        "gen_ai.request.model": "other",
        "gen_ai.request.max_tokens": 7,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_p": 1.0,
        "gen_ai.request.top_k": 3,
    } == asked
    assert (float, int) == (type(asked["gen_ai.request.top_p"]), type(asked["gen_ai.request.top_k"]))
    assert "chat other" == compared.telemetry.span.name


def test_content_in_extra_body(compared: Compared) -> None:
    """Messages, too, are those that were sent."""
    other = [{"role": "user", "content": "Other"}]
    compared(
        lambda client: client.messages.create(**ASKED, system="S", extra_body={"messages": other, "system": TEXT}),
        "span_and_event",
    )

    assert [{"role": "user", "parts": [{"type": "text", "content": "Other"}]}] == recorded(compared.telemetry, INPUT)
    assert RECORDED_TEXT == recorded(compared.telemetry, SYSTEM)


def deep(**given: Any) -> dict[str, Any]:
    """A request with something mutable in every place."""
    return {
        "model": MODEL,
        "max_tokens": 5,
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}]},
            {"role": "assistant", "content": copy.deepcopy(MESSAGE["content"])},
            {"role": "user", "content": answered(copy.deepcopy(TEXT))},
        ],
        "system": copy.deepcopy(TEXT),
        "tools": copy.deepcopy(TOOLS),
        "stop_sequences": ["a"],
        "metadata": {"user_id": "u"},
        "tool_choice": {"type": "auto"},
        "extra_headers": {"X-One": "1", "anthropic-beta": "one-1"},
        "extra_query": {"q": "1"},
        "extra_body": {"top_k": 5, "nested": {"a": [1]}},
        **given,
    }


@pytest.mark.parametrize("variant", ["plain", "stream", "raw", "raw stream"])
def test_arguments_stay_as_they_were(
    server: ModelServer, telemetry: Telemetry, client: Any, mode: str, variant: str
) -> None:
    """No dict and no list that was passed is changed, at no depth."""
    is_raw, is_stream = "raw" in variant, "stream" in variant
    server.reply(Sse(EVENTS, event_names=True) if is_stream else Json(MESSAGE))
    given = deep(stream=True) if is_stream else deep()
    before = copy.deepcopy(given)
    AnthropicInstrumentor().instrument(**telemetry.providers, capture_message_content=mode)

    answer = (client.messages.with_raw_response if is_raw else client.messages).create(**given)
    answer = answer.parse() if is_raw else answer
    if is_stream:
        list(answer)

    assert before == given
    assert (5, ("one-1",)) == (
        telemetry.span.attributes["gen_ai.request.top_k"],
        telemetry.span.attributes["anthropic.beta"],
    )


def test_a_dict_with_an_iterator_is_the_caller_s_own(server: ModelServer, telemetry: Telemetry, client: Any) -> None:
    """Where a list takes the place of an iterator, it does so in a copy: the caller's dicts keep what was in them."""
    server.reply(Json(MESSAGE))
    content = once(TEXT)
    message = {"role": "user", "content": content}
    messages = [message]
    AnthropicInstrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")

    client.messages.create(**{**ASKED, "messages": messages})

    assert messages == [message]
    assert message["content"] is content


def test_the_body_and_options_of_a_call_by_hand(
    server: ModelServer, telemetry: Telemetry, client: Any, mode: str
) -> None:
    """A body that is passed to `client.post` is sent, and is the caller's own again afterwards."""
    server.reply(Json(MESSAGE))
    given = {"model": MODEL, "max_tokens": 5, "messages": copy.deepcopy(deep()["messages"]), "stream": False}
    before = copy.deepcopy(given)
    options = {"headers": {"X-One": "1"}, "params": {"q": "1"}, "extra_json": {"top_k": 5}}
    options_before = copy.deepcopy(options)
    AnthropicInstrumentor().instrument(**telemetry.providers, capture_message_content=mode)

    client.post("/v1/messages", body=given, options=options, cast_to=object)

    assert (before, options_before) == (given, options)
    assert {**before, "top_k": 5} == server.requests[0].json
    assert 5 == telemetry.span.attributes["gen_ai.request.top_k"]


UNUSUAL: dict[str, Call] = {
    "everything": lambda client: client.messages.create(**deep()),
    "tuples": lambda client: client.messages.create(**{**asking(tuple(TEXT)), "stop_sequences": ("a", "b")}),
    "a tuple of messages": lambda client: client.messages.create(**{**ASKED, "messages": tuple(ASKED["messages"])}),
    "a read-only mapping": lambda client: client.messages.create(
        **{**ASKED, "messages": [MappingProxyType(ASKED["messages"][0])]}
    ),
    "the values of a dict": lambda client: client.messages.create(
        **{**ASKED, "messages": {1: ASKED["messages"][0]}.values()}
    ),
    "a range": lambda client: client.messages.create(**ASKED, extra_body={"x": range(3)}),
    "a set": lambda client: client.messages.create(**ASKED, stop_sequences={"a"}),
    "a body that is no dict": lambda client: client.post("/v1/messages", body=[1, 2], cast_to=object),
    "extra_body of another type": lambda client: client.messages.create(**ASKED, extra_body=[1]),
    "headers": lambda client: client.messages.create(
        **ASKED, extra_headers={"X-One": "1", "X-Api-Key": "mine"}, extra_query={"q": "1"}
    ),
    "a timeout": lambda client: client.messages.create(**ASKED, timeout=5),
    "nulls": lambda client: client.messages.create(**ASKED, system=None, tools=None, stop_sequences=None),
    "no messages": lambda client: client.messages.create(**{**ASKED, "messages": []}),
    "messages of no known form": lambda client: client.messages.create(**{**ASKED, "messages": [None, 1, "Hi", []]}),
    "blocks of no known form": lambda client: client.messages.create(**asking([None, 1, "Hi", [], {}])),
    "numbers": lambda client: client.messages.create(**{**ASKED, "max_tokens": 1 << 70, "model": 7}),
    "an object": lambda client: client.messages.create(**asking(object())),
    "an empty generator": lambda client: client.messages.create(**{**ASKED, "messages": once([])}),
    "a generator of generators": lambda client: client.messages.create(
        **{**ASKED, "messages": once([once(TEXT), once([])])}
    ),
    "trace headers of the caller's": lambda client: client.messages.create(
        **ASKED, extra_headers={"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    ),
}


@pytest.mark.parametrize("name", UNUSUAL)
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning")
def test_unusual_arguments(compared: Compared, mode: str, name: str) -> None:
    """Whatever is passed, the server receives the same as without us, byte for byte, headers included."""
    compared(UNUSUAL[name], mode)


def test_content_is_that_of_the_time_of_the_call(server: ModelServer, telemetry: Telemetry, client: Any) -> None:
    """What the application changes in its messages while it reads a stream is not what was asked."""
    server.reply(Sse(EVENTS, event_names=True))
    messages = [{"role": "user", "content": [{"type": "text", "text": "before"}]}]
    AnthropicInstrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")

    for _ in client.messages.create(**{**ASKED, "messages": messages}, stream=True):
        messages[0]["content"][0]["text"] = "after"
        messages.append({"role": "user", "content": "after"})

    assert "before" in telemetry.span.attributes[INPUT]
    assert "after" not in telemetry.span.to_json()
    assert "after" not in repr([event.attributes for event in telemetry.events])


def test_results_are_the_sdk_s_own(server: ModelServer, telemetry: Telemetry, client: Any, mode: str) -> None:
    """Types and members of what is returned are the SDK's."""
    server.reply_always(Json(MESSAGE, headers={"request-id": "req_1"}))
    bare, bare_raw = client.messages.create(**ASKED), client.messages.with_raw_response.create(**ASKED)
    AnthropicInstrumentor().instrument(**telemetry.providers, capture_message_content=mode)

    answer, raw = client.messages.create(**ASKED), client.messages.with_raw_response.create(**ASKED)

    assert bare == answer
    assert (type(bare), vars(bare).keys(), bare._request_id) == (type(answer), vars(answer).keys(), answer._request_id)
    assert (type(bare_raw), vars(bare_raw).keys()) == (type(raw), vars(raw).keys())
    assert (bare_raw.parse(), bare_raw.headers) == (raw.parse(), raw.headers)

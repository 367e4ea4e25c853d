"""Bodies that botocore returns unread: the call ends when they have been read, closed or dropped, and they stay what they are."""

from __future__ import annotations

import codecs
import contextlib
import gc
import io
import json
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.eventstream import EventStream
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    EventStreamError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from botocore.response import StreamingBody
from inline_snapshot import snapshot

from bedrock_calls import CLAUDE, EXCHANGES, HI, KEYS, OLDEST, client_of, read
from loopback import Hang, ModelServer, Telemetry
from loopback.bedrock_bodies import begun, block, chunk, converse, ended, plain, raised, refused, stream, words
from loopback.model_server import closed_port
from opentelemetry_instrumentation_genai import BedrockInstrumentor
from opentelemetry_instrumentation_genai._conventions.names import OUTPUT_MESSAGES

TEXT = json.dumps({"prompt": "Hi"})
LLAMA = {"generation": "Hello", "prompt_token_count": 11, "generation_token_count": 7, "stop_reason": "stop"}
COUNTS = {"input-token-count": 3, "output-token-count": 4}


@pytest.fixture(scope="module")
def client(model_server: ModelServer) -> Iterator[Any]:
    """A client of the model server."""
    made = client_of(model_server.url, read_timeout=1)
    yield made
    made.close()


def collect() -> None:
    """Collect what is dropped. The HTTP client does not close the connection of a body that is, with and without us."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """What a test leaves unread is collected with it."""
    yield
    collect()


@pytest.fixture
def instrumented(telemetry: Telemetry) -> Telemetry:
    """Content on spans."""
    BedrockInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    return telemetry


def streamed(client: Any, server: ModelServer, reply: Any = None) -> Any:
    """The stream of a call."""
    server.reply(words("Hel", "lo") if reply is None else reply)
    return client.converse_stream(modelId="m", messages=HI)["stream"]


def invoked(client: Any, server: ModelServer, reply: Any = None) -> Any:
    """The body of a call."""
    server.reply(plain(LLAMA, counts=COUNTS) if reply is None else reply)
    return client.invoke_model(modelId="meta.llama3", body=TEXT)["body"]


def texts(telemetry: Telemetry) -> list[str]:
    """The text that is recorded of the one call, and its finish reason."""
    attributes = telemetry.span.attributes
    (message,) = json.loads(attributes[OUTPUT_MESSAGES])
    return [*(part["content"] for part in message["parts"]), *attributes["gen_ai.response.finish_reasons"]]


def usage(telemetry: Telemetry) -> list[int | None]:
    """The usage of the one call."""
    attributes = telemetry.span.attributes
    return [attributes.get(f"gen_ai.usage.{name}_tokens") for name in ("input", "output")]


def test_a_stream_stays_what_it_is(server, client, telemetry: Telemetry):
    """Its type, its attributes and what it looks like; only its class is one below."""
    bare = streamed(client, server)
    list(bare)
    BedrockInstrumentor().instrument(**telemetry.providers)
    followed = streamed(client, server)

    assert isinstance(followed, EventStream)
    assert repr(bare).partition(" at ")[0] == repr(followed).partition(" at ")[0]
    assert {"_genai_reading"} == {name for name in set(dir(followed)) ^ set(dir(bare)) if not name.startswith("__")}
    assert type(bare).__name__ == type(followed).__name__
    assert type(bare).__doc__ == type(followed).__doc__
    list(followed)


def test_bytes_stay_what_they_are(server, client, telemetry: Telemetry):
    """They are a file as before."""
    bare = invoked(client, server)
    bare.read()
    BedrockInstrumentor().instrument(**telemetry.providers)
    followed = invoked(client, server)

    assert isinstance(followed, StreamingBody)
    assert isinstance(followed, io.IOBase)
    assert {"_genai_reading"} == {name for name in set(dir(followed)) ^ set(dir(bare)) if not name.startswith("__")}
    assert repr(bare).partition(" at ")[0] == repr(followed).partition(" at ")[0]
    assert (True, 0) == (followed.readable(), followed.tell())
    followed.set_socket_timeout(5)
    followed.read()


def _into(body: Any) -> bytes:
    if not hasattr(body, "readinto"):
        pytest.skip("the bodies of this botocore have no readinto")
    buffer, found = bytearray(7), b""
    while size := body.readinto(buffer):
        found += buffer[:size]
    return found


def _within(read: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    def reading(body: Any) -> bytes:
        with body as raw:
            return read(raw)

    return reading


def _small(body: Any) -> bytes:
    found = b""
    while piece := body.read(7):
        found += piece
    return found


READERS: dict[str, Callable[[Any], bytes]] = {
    "read": lambda body: body.read(),
    "read(None)": lambda body: body.read(None),
    "read(n)": _small,
    "read(amt=n)": lambda body: body.read(amt=5) + body.read(),
    "read(0)": lambda body: body.read(0) + body.read(),
    "readinto": _into,
    "readlines": lambda body: b"".join(body.readlines()),
    "iter": b"".join,
    "next": lambda body: next(body) + b"".join(body),
    "iter_chunks": lambda body: b"".join(body.iter_chunks(10)),
    "iter_lines": lambda body: b"\n".join(body.iter_lines(chunk_size=9)),
    "readline": lambda body: body.readline(),
    "with": _within(lambda raw: raw.read()),
    "with, by pieces": _within(_small),
    "with, stream": _within(lambda raw: b"".join(raw.stream(8))),
    "with, iter": _within(b"".join),
    "with, the body": lambda body: _within(lambda _raw: body.read())(body),
    "codecs": lambda body: codecs.getreader("utf-8")(body).read().encode(),
    "json": lambda body: json.dumps(json.load(body)).encode(),
    "buffered": lambda body: io.BufferedReader(body).read(),
    "raw": lambda body: body._raw_stream.read(),
}


@pytest.mark.parametrize("name", READERS)
def test_all_ways_to_read_bytes(server, client, telemetry: Telemetry, name):
    """The application gets the same bytes, and the call what is in them; it ends with the last of them."""
    bare = READERS[name](invoked(client, server))
    BedrockInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")

    body = invoked(client, server)
    assert [] == telemetry.spans
    assert bare == READERS[name](body)

    if name == "raw":  # below the body nothing is followed: the headers have the usage
        body.close()
        assert [3, 4] == usage(telemetry)
        return
    assert (["Hello", "stop"], [11, 7]) == (texts(telemetry), usage(telemetry))
    body.close()
    assert 1 == len(telemetry.spans)


def test_bytes_without_a_length(server, client, instrumented: Telemetry):
    """They end with an empty piece."""
    body = invoked(client, server, stream(json.dumps(LLAMA).encode()))

    _small(body)

    assert ["Hello", "stop"] == texts(instrumented)


def _close(body: Any) -> None:
    body.close()


def _drop(_body: Any) -> None:
    """The caller's name is the last one."""


def _leave(body: Any) -> None:
    with body:
        pass


def _closing(body: Any) -> None:
    with contextlib.closing(body):
        pass


@pytest.mark.parametrize("pieces", [0, 1])
@pytest.mark.parametrize("leave", [_close, _drop, _leave, _closing])
def test_bytes_that_are_left(server, client, instrumented: Telemetry, leave, pieces):
    """The call ends unread, without an error; the headers have its usage."""
    body = invoked(client, server)
    for _ in range(pieces):
        body.read(5)
    assert [] == instrumented.spans

    leave(body)
    del body
    collect()

    assert [3, 4] == usage(instrumented)
    assert "UNSET" == instrumented.span.status.status_code.name
    assert OUTPUT_MESSAGES not in instrumented.span.attributes


@pytest.mark.parametrize("leave", [_close, _drop, _closing])
@pytest.mark.parametrize("steps", [0, 1, 2])
def test_a_stream_that_is_left(server, client, instrumented: Telemetry, leave, steps):
    """The call ends with what was received, without an error; a message without a reason is unfinished."""
    events = streamed(client, server)
    iterator = iter(events)
    for _ in range(steps):
        next(iterator)
    assert [] == instrumented.spans

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        leave(events)
        del events, iterator
    collect()

    attributes = instrumented.span.attributes
    assert "UNSET" == instrumented.span.status.status_code.name
    assert [(), ("error",), ("error",)][steps] == attributes.get("gen_ai.response.finish_reasons", ())
    assert (steps == 2) == ("Hel" in attributes.get(OUTPUT_MESSAGES, ""))


def test_a_stream_that_is_read_on(server, client, instrumented: Telemetry):
    """After a `break` the call goes on, since the application may read the rest; the stream is one call."""
    events = streamed(client, server)
    seen = []
    for event in events:
        seen.append(event)
        break
    collect()
    assert [] == instrumented.spans

    seen += events

    assert 6 == len(seen)
    assert ["Hello", "stop"] == texts(instrumented)


def test_a_stream_that_is_kept_after_a_break(server, client, instrumented: Telemetry):
    """The call is open as long as the stream is there, and its duration is until the last event."""
    import time

    result = {"stream": streamed(client, server)}
    for _ in result["stream"]:
        break
    time.sleep(0.3)
    assert [] == instrumented.spans
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        result.clear()
    collect()

    (duration,) = instrumented.metrics["gen_ai.client.operation.duration"]
    assert duration.sum < 0.3


def test_an_exception_of_the_application(server, client, instrumented: Telemetry):
    """It is no failure of the call."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        with contextlib.suppress(KeyError):
            for _ in streamed(client, server):
                raise KeyError
    collect()

    assert "UNSET" == instrumented.span.status.status_code.name


def test_a_stream_that_is_closed_by_another_thread(server, client, instrumented: Telemetry):
    """While a step waits: the application wanted it, so that it is no failure."""
    events = streamed(client, server, words("Hel", "lo", end="stall", sent=2))
    seen: list[Any] = []

    def reading() -> None:
        with contextlib.suppress(Exception):
            for event in events:
                seen.append(event)  # noqa: PERF402 - the test looks at it meanwhile

    thread, closer = threading.Thread(target=reading), threading.Thread(target=events.close)
    thread.start()
    while len(seen) < 2:
        thread.join(0.01)
    closer.start()
    thread.join(0.1)
    server.release()
    thread.join(10)
    closer.join(10)

    assert "UNSET" == instrumented.span.status.status_code.name


def test_a_second_reader_that_python_refuses(server, instrumented: Telemetry):
    """While a step waits in another thread: the call goes on with that one, to its end."""
    patient = client_of(server.url)
    events = streamed(patient, server, words("Hel", "lo", end="stall", sent=2))
    seen: list[Any] = []

    def reading() -> None:
        for event in events:
            seen.append(event)  # noqa: PERF402 - the test looks at it meanwhile

    thread = threading.Thread(target=reading)
    thread.start()
    while len(seen) < 2 or not events._event_generator.gi_running:  # it waits for the third one
        thread.join(0.01)
    with pytest.raises(ValueError, match="generator already executing"):
        next(iter(events))
    server.release()
    thread.join(10)
    patient.close()

    assert "UNSET" == instrumented.span.status.status_code.name
    assert 7 == instrumented.span.attributes["gen_ai.usage.output_tokens"]


def _caught(call: Callable[[], Any]) -> BaseException:
    try:
        call()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


_NO_FRAME = "InvalidHeadersLength" if OLDEST else "ChecksumMismatch"
FAILING_STREAMS = {
    "modelStreamErrorException": (
        stream(begun(), *block(0, {"text": "Hel"}), raised("modelStreamErrorException", "broken")),
        EventStreamError,
        "modelStreamErrorException",
    ),
    "throttlingException": (
        stream(raised("throttlingException", "slow down")),
        EventStreamError,
        "throttlingException",
    ),
    "cut": (words("Hel", "lo", end="cut", sent=2), Exception, "urllib3.exceptions.ProtocolError"),
    "timeout": (words("Hel", "lo", end="stall", sent=2), Exception, "urllib3.exceptions.ReadTimeoutError"),
    "no frame": (stream(b"x" * 64), Exception, f"botocore.eventstream.{_NO_FRAME}"),
}


@pytest.mark.parametrize("name", FAILING_STREAMS)
def test_a_stream_that_fails(server, client, telemetry: Telemetry, name):
    """The application gets the SDK's exception; the span has its code, or else its type, and what was received."""
    reply, kind, error_type = FAILING_STREAMS[name]
    bare = _caught(lambda: list(streamed(client, server, reply)))
    BedrockInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")

    error = _caught(lambda: list(streamed(client, server, reply)))

    assert isinstance(error, kind)
    assert type(bare) is type(error)
    span = telemetry.span
    assert ("ERROR", error_type) == (span.status.status_code.name, span.attributes["error.type"])
    if name not in ("throttlingException", "no frame"):
        assert ["Hel", "error"] == texts(telemetry)[:1] + texts(telemetry)[-1:]
    assert 1 == len(telemetry.spans)


def test_a_stream_without_its_end(server, client, instrumented: Telemetry):
    """A body that ends cleanly without its last events is no failure, and its message is unfinished."""
    list(streamed(client, server, words("Hel", "lo", end="early", sent=2)))

    assert ["Hel", "error"] == texts(instrumented)
    assert "UNSET" == instrumented.span.status.status_code.name


FAILING_BYTES = {
    "cut": (plain(LLAMA, end="cut", counts=COUNTS), (IncompleteReadError, ResponseStreamingError)),
    "timeout": (plain(LLAMA, end="stall", counts=COUNTS), (ReadTimeoutError,)),
}


@pytest.mark.parametrize("how", ["read", "iter_lines", "with"])
@pytest.mark.parametrize("name", FAILING_BYTES)
def test_bytes_that_fail(server, client, telemetry: Telemetry, name, how):
    """The same; the exception within `with` is that of the HTTP client, which it is of."""
    reply, kinds = FAILING_BYTES[name]
    bare = _caught(lambda: READERS[how](invoked(client, server, reply)))
    BedrockInstrumentor().instrument(**telemetry.providers)

    error = _caught(lambda: READERS[how](invoked(client, server, reply)))

    assert type(bare) is type(error)
    if how != "with":
        assert isinstance(error, kinds)
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    assert ("ERROR", kind) == (telemetry.span.status.status_code.name, telemetry.span.attributes["error.type"])


REFUSALS = {
    "ThrottlingException": 429,
    "ValidationException": 400,
    "AccessDeniedException": 403,
    "ModelTimeoutException": 408,
    "ServiceUnavailableException": 503,
    "ModelErrorException": 424,
}


@pytest.mark.parametrize("kind", REFUSALS)
@pytest.mark.parametrize("name", ["converse", "converse_stream", "anthropic", "anthropic_stream", "count_tokens"])
def test_a_refusal(server, client, telemetry: Telemetry, kind, name):
    """The code of the service is the error type, of the span and of the metric; status and request id are there."""
    reply = refused(kind, "no", REFUSALS[kind])
    call = EXCHANGES[name]
    server.reply(reply)
    bare = _caught(lambda: call.make(client))
    BedrockInstrumentor().instrument(**telemetry.providers)
    server.reply(reply)

    error = _caught(lambda: call.make(client))

    assert isinstance(error, ClientError)
    assert (type(bare), str(bare)) == (type(error), str(error))
    span = telemetry.span
    found = {name: value for name, value in span.attributes.items() if name.startswith(("http", "error", "aws.req"))}
    assert {
        "http.response.status_code": REFUSALS[kind],
        "error.type": kind,
        "aws.request_id": "0f7e2d54-1111-4222-8333-944455566677",
    } == found
    assert ("ERROR", kind) == (span.status.status_code.name, span.status.description)
    (duration,) = telemetry.metrics["gen_ai.client.operation.duration"]
    assert kind == duration.attributes["error.type"]


def test_the_event_of_a_failure(server, client, telemetry: Telemetry):
    """Without content it quotes no message; credentials are in none."""
    secret = KEYS["aws_secret_access_key"]
    for mode in ("no_content", "span_and_event"):
        BedrockInstrumentor().instrument(**telemetry.providers, capture_message_content=mode)
        server.reply(refused("ValidationException", f"odd: {secret}", 400))
        _caught(lambda: client.converse(modelId="m", messages=HI))
        BedrockInstrumentor().uninstrument()
    messages = [
        event.attributes["exception.message"]
        for event in telemetry.events
        if event.event_name == "gen_ai.client.operation.exception"
    ]

    assert (
        snapshot(
            [
                "ValidationException",
                "An error occurred (ValidationException) when calling the Converse operation (reached max retries: 0): odd: [secrets]",
            ]
        )
        == messages
    )
    assert secret not in str([(span.attributes, span.status.description, span.events) for span in telemetry.spans])


def test_retries(server, telemetry: Telemetry):
    """A request that was sent again is one call, with the count of the retries."""
    retrying = client_of(server.url, attempts=3)
    BedrockInstrumentor().instrument(**telemetry.providers)
    server.reply(refused("ThrottlingException", "slow down", 429), plain(converse({"text": "Hello"})))
    retrying.converse(modelId="m", messages=HI)
    server.reply(*[refused("ThrottlingException", "slow down", 429)] * 3)
    _caught(lambda: retrying.converse(modelId="m", messages=HI))
    retrying.close()

    assert [(200, 1), (429, 2)] == [
        (span.attributes["http.response.status_code"], span.attributes["http.request.resend_count"])
        for span in telemetry.spans
    ]


def test_a_server_that_hangs(server, client, instrumented: Telemetry):
    """The SDK's own timeout is the failure."""
    server.reply(Hang())

    assert isinstance(_caught(lambda: client.converse(modelId="m", messages=HI)), ReadTimeoutError)

    assert "botocore.exceptions.ReadTimeoutError" == instrumented.span.attributes["error.type"]


def test_a_server_that_is_not_there(instrumented: Telemetry):
    """The SDK's own exception is the failure."""
    made = client_of(f"http://127.0.0.1:{closed_port()}")

    error = _caught(lambda: made.converse(modelId="m", messages=HI))
    made.close()

    assert isinstance(error, EndpointConnectionError | ConnectionClosedError)
    assert f"botocore.exceptions.{type(error).__name__}" == instrumented.span.attributes["error.type"]


def test_what_the_sdk_refuses(client, instrumented: Telemetry):
    """A request that is never sent is a call that failed."""
    error = _caught(lambda: client.converse(modelId=5, messages="Hi"))

    assert "botocore.exceptions.ParamValidationError" == instrumented.span.attributes["error.type"]
    assert "Parameter validation failed" in str(error)


def test_chunks_that_are_no_json(server, client, telemetry: Telemetry):
    """They are passed on, and say nothing; the others count."""
    parts = [{"generation": "Hel"}, "{", {"generation": "lo", "stop_reason": "stop"}, 5, None]
    reply = stream(*map(chunk, parts))
    server.reply(reply)
    bare = read(client.invoke_model_with_response_stream(modelId="meta.llama3", body=TEXT))
    BedrockInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    server.reply(reply)

    assert bare == read(client.invoke_model_with_response_stream(modelId="meta.llama3", body=TEXT))
    assert ["Hello", "stop"] == texts(telemetry)


def test_an_interrupted_tool_call(server, client, instrumented: Telemetry):
    """The input of a tool that was not received whole is a text."""
    start = {"toolUse": {"toolUseId": "t1", "name": "weather"}}
    events = [begun(), *block(0, {"toolUse": {"input": '{"ci'}}, start=start), *ended("max_tokens")]

    list(streamed(client, server, stream(*events)))

    (message,) = json.loads(instrumented.span.attributes[OUTPUT_MESSAGES])
    assert {
        "role": "assistant",
        "parts": [{"type": "tool_call", "id": "t1", "name": "weather", "arguments": '{"ci'}],
        "finish_reason": "length",
    } == message


def test_a_body_of_a_test_double(server, client, instrumented: Telemetry):
    """What a handler of the SDK's events puts in place of the body is passed on as it is, and the call is recorded."""
    double = io.BytesIO(b"{}")

    def replace(parsed: Any, **_given: Any) -> None:
        parsed["body"] = double

    client.meta.events.register("after-call.bedrock-runtime.InvokeModel", replace)
    try:
        assert invoked(client, server) is double
    finally:
        client.meta.events.unregister("after-call.bedrock-runtime.InvokeModel", replace)

    assert 200 == instrumented.span.attributes["http.response.status_code"]


def test_a_stream_that_outlives_the_instrumentation(server, client, instrumented: Telemetry):
    """It is read to its end, and its call ends."""
    events = streamed(client, server)
    BedrockInstrumentor().uninstrument()

    assert 6 == len(list(events))
    assert ["Hello", "stop"] == texts(instrumented)


def test_a_large_body(server, client, instrumented: Telemetry):
    """What is too large to be read is passed on, and its call is recorded without it."""
    answer = {**LLAMA, "generation": "x" * (9 << 20)}
    body = invoked(client, server, plain(answer, counts=COUNTS))

    assert answer == json.loads(body.read())
    assert ([3, 4], False) == (usage(instrumented), OUTPUT_MESSAGES in instrumented.span.attributes)


def test_claude_in_a_stream_without_its_usage(server, client, instrumented: Telemetry):
    """Where the model's own events have no usage, the metrics of the service count."""
    from loopback.bedrock_bodies import chunks

    server.reply(
        chunks(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
            {"type": "message_stop"},
        )
    )
    body = json.dumps({"anthropic_version": "x", "messages": [], "max_tokens": 5})
    list(client.invoke_model_with_response_stream(modelId=CLAUDE, body=body)["body"])

    assert [11, 7] == usage(instrumented)

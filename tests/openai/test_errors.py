"""Calls that fail: the caller gets the SDK's own exception, and telemetry tells of it without quoting anybody.

Each failing call is made twice, first without the instrumentation: that is what the other one is compared with.
"""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import openai
import pytest
from inline_snapshot import snapshot

import opentelemetry_instrumentation_genai
from loopback import Hang, Json, Reply, Text, closed_port
from loopback.openai_bodies import CHAT, MODEL, completion, error, response
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

PACKAGE = str(Path(opentelemetry_instrumentation_genai.__file__).parent)
DURATION = "gen_ai.client.operation.duration"
EXCEPTION = "gen_ai.client.operation.exception"
PROMPT = "the-patient-is-named-Rosalind"
KEY = "sk-proj-Zq8rT5nW2vLx"
QUOTING = f"You asked {PROMPT!r} as {KEY}, and that is refused"
# A retry waits for as long as the server says.
AT_ONCE = {"retry-after-ms": "1"}


class Refusal(NamedTuple):
    """An answer, the exception that the SDK makes of it, and the `error.type` of that."""

    reply: Reply
    exception: str
    error_type: str
    status: int | None = None

    @property
    def plain(self) -> str:
        """The message that is recorded without content: the exception and the status."""
        return f"{self.exception} {self.status}" if self.status else self.exception


STATUSES = {
    "400": Refusal(Json(error(QUOTING), 400), "BadRequestError", "invalid_request_error", 400),
    "401": Refusal(Json(error(QUOTING, "invalid_api_key"), 401), "AuthenticationError", "invalid_api_key", 401),
    "403": Refusal(Json(error(QUOTING, kind=None), 403), "PermissionDeniedError", "openai.PermissionDeniedError", 403),
    "404": Refusal(Json(error(QUOTING, "model_not_found"), 404), "NotFoundError", "model_not_found", 404),
    "429": Refusal(Json(error(QUOTING, "rate_limit_exceeded"), 429), "RateLimitError", "rate_limit_exceeded", 429),
    "500": Refusal(Json(error(QUOTING, kind="server_error"), 500), "InternalServerError", "server_error", 500),
    "502, no JSON": Refusal(
        Text(f"<p>{QUOTING}</p>", "text/html", 502), "InternalServerError", "openai.InternalServerError", 502
    ),
    "418": Refusal(Json({"detail": QUOTING}, 418), "APIStatusError", "openai.APIStatusError", 418),
}


class Variant(NamedTuple):
    """A way to make the call."""

    asynchronous: bool = False
    raw: str = ""
    stream: bool = False

    def __str__(self) -> str:
        return " ".join(("async" if self.asynchronous else "sync", self.raw, "stream" if self.stream else "")).strip()


VARIANTS = [
    Variant(asynchronous, raw, stream)
    for asynchronous in (False, True)
    for raw, stream in (("", False), ("", True), ("with_raw_response", False), ("with_streaming_response", False))
]
each_variant = pytest.mark.parametrize("variant", VARIANTS, ids=str)
PLAIN = [Variant(), Variant(asynchronous=True)]
plain_variants = pytest.mark.parametrize("variant", PLAIN, ids=str)


@pytest.fixture
def client_of(openai_client, async_openai_client) -> Callable[..., Any]:
    """A client for a variant, with a key that must not be recorded."""

    def client(variant: Variant, **settings: Any) -> Any:
        make = async_openai_client if variant.asynchronous else openai_client
        return make(**{"api_key": KEY, **settings})

    return client


async def ask(client: Any, variant: Variant) -> Any:
    """Makes the call, and reads nothing of a stream."""
    completions = client.chat.completions
    create = getattr(completions, variant.raw).create if variant.raw else completions.create
    messages = [{"role": "user", "content": PROMPT}]
    made = create(model=MODEL, messages=messages, **({"stream": True} if variant.stream else {}))
    if variant.raw == "with_streaming_response":
        if variant.asynchronous:
            async with made as answer:
                return answer
        with made as answer:
            return answer
    return await made if inspect.isawaitable(made) else made


async def raised_by(client: Any, variant: Variant) -> BaseException:
    """The exception that the call ends with."""
    try:
        await ask(client, variant)
    except BaseException as error:
        return error
    raise AssertionError("the call did not fail")


def described(error: BaseException | None) -> Any:
    """All that a caller can see of an exception, and where it passed: every frame but ours."""
    if error is None:
        return None
    frames = [
        (frame.filename, frame.lineno, frame.name)
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(PACKAGE) and "/wrapt/" not in frame.filename
    ]
    members = {name: str(value) for name, value in vars(error).items() if name not in ("request", "response")}
    return (
        type(error),
        _stable(str(error)),
        members,
        frames,
        error.__suppress_context__,
        described(error.__cause__),
        getattr(error, "__notes__", None),
    )


def _stable(text: str) -> str:
    """Without addresses of objects."""
    return re.sub(r"0x[0-9a-f]+", "0x…", text)


def written(telemetry) -> str:
    """Everything that was recorded, as text, stack traces included."""
    logs = [(log.event_name, log.body, dict(log.attributes)) for log in telemetry.logs]
    return repr(([span.to_json() for span in telemetry.spans], logs, telemetry.metrics))


def instrument(telemetry, mode: str = "no_content") -> None:
    """The instrumentation under test."""
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content=mode)


@each_variant
@pytest.mark.parametrize("refused", STATUSES)
async def test_a_refused_call(server, telemetry, client_of, variant, refused):
    """The exception is the SDK's, in every detail; span, duration and one event tell its type and quote nothing."""
    refusal = STATUSES[refused]
    server.reply(refusal.reply, refusal.reply)
    client = client_of(variant)
    bare = await raised_by(client, variant)
    instrument(telemetry)

    raised = await raised_by(client, variant)

    assert described(bare) == described(raised)
    assert_failed(telemetry, refusal, f"openai.{refusal.exception}")
    assert refusal.status == telemetry.span.attributes["http.response.status_code"]
    assert_silent(telemetry)


def assert_failed(telemetry, refusal: Refusal, exception: str) -> None:
    """One span, one duration and one event tell of the failure, and the event belongs to the span."""
    span = telemetry.span
    assert ("ERROR", refusal.plain) == (span.status.status_code.name, span.status.description)
    assert refusal.error_type == span.attributes["error.type"]
    assert () == span.events
    (duration,) = telemetry.metrics[DURATION]
    assert (1, refusal.error_type) == (duration.count, duration.attributes["error.type"])
    assert [DURATION] == list(telemetry.metrics)
    (event,) = telemetry.logs
    assert (EXCEPTION, 13, "WARN") == (event.event_name, event.severity_number.value, event.severity_text)
    assert (span.context.trace_id, span.context.span_id) == (event.trace_id, event.span_id)
    attributes = dict(event.attributes)
    trace = attributes.pop("exception.stacktrace")
    assert {"exception.type": exception, "exception.message": refusal.plain} == attributes
    assert "_base_client.py" in trace
    assert f"{exception}: {refusal.plain}" == trace.splitlines()[-1]


def assert_silent(telemetry) -> None:
    """Neither prompt nor key nor the provider's words are anywhere."""
    everything = written(telemetry)
    for secret in (PROMPT, KEY, KEY[3:], "You asked"):
        assert secret not in everything


async def test_the_whole_of_a_refused_call(server, telemetry, client_of):
    """Everything that a refused call leaves by default."""
    server.reply(Json(error(QUOTING, "rate_limit_exceeded"), 429, {"x-request-id": "req_1"}))
    instrument(telemetry)

    await raised_by(client_of(Variant()), Variant())

    assert telemetry.snapshot() == snapshot(
        {
            "spans": [
                {
                    "name": "chat gpt-4o-mini",
                    "kind": "CLIENT",
                    "status": {"code": "ERROR", "description": "RateLimitError 429"},
                    "attributes": {
                        "error.type": "rate_limit_exceeded",
                        "gen_ai.operation.name": "chat",
                        "gen_ai.provider.name": "openai",
                        "gen_ai.request.model": "gpt-4o-mini",
                        "http.response.status_code": 429,
                        "openai.api.type": "chat_completions",
                        "openai.request.id": "req_1",
                        "server.address": "127.0.0.1",
                        "server.port": "<port>",
                    },
                    "events": [],
                    "parent": None,
                    "scope": "opentelemetry_instrumentation_genai",
                }
            ],
            "metrics": {
                "gen_ai.client.operation.duration": {
                    "unit": "s",
                    "description": "GenAI operation duration.",
                    "bounds": [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
                    "points": [
                        {
                            "attributes": {
                                "error.type": "rate_limit_exceeded",
                                "gen_ai.operation.name": "chat",
                                "gen_ai.provider.name": "openai",
                                "gen_ai.request.model": "gpt-4o-mini",
                                "server.address": "127.0.0.1",
                                "server.port": "<port>",
                            },
                            "exemplars": ["chat gpt-4o-mini"],
                            "count": 1,
                            "sum": "<seconds>",
                        }
                    ],
                }
            },
            "events": [
                {
                    "event_name": "gen_ai.client.operation.exception",
                    "severity_number": 13,
                    "body": None,
                    "attributes": {
                        "exception.message": "RateLimitError 429",
                        "exception.stacktrace": "<stacktrace>",
                        "exception.type": "openai.RateLimitError",
                    },
                    "span": "chat gpt-4o-mini",
                    "timestamp": True,
                }
            ],
        }
    )


@pytest.mark.parametrize("mode", ["no_content", "span_only", "event_only", "span_and_event"])
async def test_messages_go_where_content_goes(server, telemetry, client_of, mode):
    """The provider's message is on the span or in the event as content is; the key is in neither."""
    server.reply(STATUSES["400"].reply)
    instrument(telemetry, mode)

    await raised_by(client_of(Variant()), Variant())

    on_span, in_event = mode.startswith("span"), mode.endswith("event") or mode == "event_only"
    exception = telemetry.events[-1].attributes
    assert on_span == ("You asked" in telemetry.span.status.description)
    assert in_event == ("You asked" in exception["exception.message"])
    assert in_event == ("You asked" in exception["exception.stacktrace"])
    assert KEY not in written(telemetry)
    assert mode == "no_content" or PROMPT in written(telemetry)


@pytest.mark.parametrize(
    "key",
    [
        "sk-proj-abcDEF123_-4",
        "sk-abc",  # short ones are for local servers, and as secret
        "gsk_abcDEF1234567890",
        "xai-abcDEF1234567890",
        "pplx-abcDEF1234567890",
        "AIzaSyabcDEF1234567890",
        "hf_abcDEF1234567890",
        "nvapi-abcDEF-1234567890",
        "0123456789abcdef0123456789abcdef",  # Azure's
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",  # a token of Entra or Google
        "correct horse",
    ],
)
async def test_no_key_is_quoted(server, telemetry, client_of, key):
    """A provider that quotes the key it refuses has it masked, whatever keys look like there, also with content on."""
    server.reply(Json(error(f"Incorrect API key provided: {key}.", "invalid_api_key"), 401))
    instrument(telemetry, "span_and_event")

    await raised_by(client_of(Variant(), api_key=key), Variant())

    assert "Incorrect API" in written(telemetry)
    assert key not in written(telemetry)


@pytest.mark.parametrize(
    ("body", "error_type"),
    [
        (error("m", "rate_limit_exceeded", "requests"), "rate_limit_exceeded"),
        (error("m", None, "requests"), "requests"),
        (error("m", "", "requests"), "requests"),
        (error("m", 429, "requests"), "requests"),
        (error("m", "429", "requests"), "requests"),
        (error("m", "not a word", "requests"), "requests"),
        (error("m", "x" * 65, "requests"), "requests"),
        (error("m", ["a"], {"b": 1}), "openai.RateLimitError"),
        (error("m", None, None), "openai.RateLimitError"),
        ({"object": "error", "message": "m", "type": "TooManyRequests", "code": 429}, "TooManyRequests"),
        ({"error": "m"}, "openai.RateLimitError"),
        ({"error": None}, "openai.RateLimitError"),
        ({}, "openai.RateLimitError"),
        ([], "openai.RateLimitError"),
        (None, "openai.RateLimitError"),
        ("m", "openai.RateLimitError"),
    ],
    ids=repr,
)
async def test_error_types(server, telemetry, client_of, body, error_type):
    """The provider's own code if it is a word, else the type it gives, else the exception; never a free text."""
    server.reply(Json(body, 429))
    instrument(telemetry)

    assert isinstance(await raised_by(client_of(Variant()), Variant()), openai.RateLimitError)

    assert error_type == telemetry.span.attributes["error.type"]


@plain_variants
async def test_timeouts(server, telemetry, client_of, variant):
    """A server that does not answer in time."""
    server.reply(Hang(), Hang())
    await assert_unanswered(telemetry, client_of(variant, timeout=0.05), variant, "APITimeoutError")


@plain_variants
async def test_refused_connections(telemetry, client_of, variant):
    """A server that is not there."""
    client = client_of(variant, base_url=f"http://127.0.0.1:{closed_port()}/v1")
    await assert_unanswered(telemetry, client, variant, "APIConnectionError")


async def assert_unanswered(telemetry, client: Any, variant: Variant, exception: str) -> None:
    """The same exception as without us; no status, no response, and the exception's name for `error.type`."""
    bare = await raised_by(client, variant)
    instrument(telemetry)

    raised = await raised_by(client, variant)

    assert described(bare) == described(raised)
    assert_failed(telemetry, Refusal(Text(""), exception, f"openai.{exception}"), f"openai.{exception}")
    assert "http.response.status_code" not in telemetry.span.attributes
    # The cause is recorded as well.
    assert "direct cause" in telemetry.logs[0].attributes["exception.stacktrace"]


@plain_variants
@pytest.mark.parametrize("body", ['{"id": "chatcmpl-1", "cho', "", "not JSON", "{}{}"])
async def test_malformed_json(server, telemetry, client_of, variant, body):
    """What the SDK makes of it; the status that was received is recorded."""
    reply = Text(body, "application/json", headers={"x-request-id": "req_1"})
    server.reply(reply, reply)
    client = client_of(variant)
    bare = await raised_by(client, variant)
    instrument(telemetry)

    raised = await raised_by(client, variant)

    assert described(bare) == described(raised)
    assert "json.decoder.JSONDecodeError" == telemetry.span.attributes["error.type"]
    assert "JSONDecodeError" == telemetry.span.status.description
    assert (200, "req_1") == tuple(
        telemetry.span.attributes.get(name) for name in ("http.response.status_code", "openai.request.id")
    )


@plain_variants
@pytest.mark.parametrize("mode", ["no_content", "span_and_event"])
async def test_a_content_type_that_is_no_json(server, telemetry, client_of, variant, mode):
    """The SDK returns the text: the call went well, and nothing of a response is recorded."""
    server.reply(Text(f"<html>{PROMPT}</html>", "text/html"))
    instrument(telemetry, mode)

    assert f"<html>{PROMPT}</html>" == await ask(client_of(variant), variant)

    assert "UNSET" == telemetry.span.status.status_code.name
    recorded = {
        name for name in telemetry.span.attributes if name.startswith(("gen_ai.resp", "gen_ai.us", "gen_ai.out"))
    }
    assert set() == recorded
    assert [DURATION] == list(telemetry.metrics)


@plain_variants
@pytest.mark.parametrize("reply", [Text("<html>", "text/html"), Json({"id": 5})], ids=["content type", "schema"])
async def test_strict_validation(server, telemetry, client_of, variant, reply):
    """A client that validates responses raises, and that is a failure."""
    server.reply(reply, reply)
    client = client_of(variant, _strict_response_validation=True)
    bare = await raised_by(client, variant)
    instrument(telemetry)

    raised = await raised_by(client, variant)

    assert described(bare)[0:2] == described(raised)[0:2]
    exception = "APIResponseValidationError"
    assert_failed(telemetry, Refusal(reply, exception, f"openai.{exception}", 200), f"openai.{exception}")


@plain_variants
async def test_a_retry_that_succeeds(server, telemetry, client_of, variant):
    """One call, that went well; how often it was sent again is recorded where the SDK counts it."""
    refused = Json(error(QUOTING, "rate_limit_exceeded"), 429, AT_ONCE)
    server.reply(refused, refused, Json(completion()))
    instrument(telemetry)

    await ask(client_of(variant, max_retries=2), variant)

    assert 3 == len(server.requests)
    assert "UNSET" == telemetry.span.status.status_code.name
    assert 200 == telemetry.span.attributes["http.response.status_code"]
    assert counted(server) == telemetry.span.attributes.get("http.request.resend_count")
    assert ([], 1) == (telemetry.logs, telemetry.metrics[DURATION][0].count)


@plain_variants
async def test_retries_that_are_exhausted(server, telemetry, client_of, variant):
    """One failed call, with the last answer's status and the number of times it was sent again."""
    reply = Json(error(QUOTING, "rate_limit_exceeded"), 429, AT_ONCE)
    server.reply_always(reply)
    instrument(telemetry)

    await raised_by(client_of(variant, max_retries=2), variant)

    assert 3 == len(server.requests)
    assert counted(server) == telemetry.span.attributes.get("http.request.resend_count")
    assert_failed(telemetry, STATUSES["429"], "openai.RateLimitError")


@plain_variants
async def test_retries_without_any_answer(server, telemetry, client_of, variant, monkeypatch):
    """A connection that is refused again and again."""
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.001)
    server.reply_always(Hang())
    instrument(telemetry)

    await raised_by(client_of(variant, timeout=0.05, max_retries=1), variant)

    assert 2 == len(server.requests)
    assert counted(server) == telemetry.span.attributes.get("http.request.resend_count")
    assert "openai.APITimeoutError" == telemetry.span.attributes["error.type"]


def counted(server) -> int | None:
    """How often the SDK says that it sent the request again; older ones do not count."""
    count = server.requests[-1].headers.get("x-stainless-retry-count")
    return None if count is None else int(count)


@plain_variants
async def test_the_first_attempt_is_no_retry(server, telemetry, client_of, variant):
    """There is no count of zero."""
    server.reply(Json(completion()))
    instrument(telemetry)

    await ask(client_of(variant, max_retries=2), variant)

    assert "http.request.resend_count" not in telemetry.span.attributes


@pytest.mark.parametrize(
    "row",
    [
        ("chat.completions", "chat", {"messages": CHAT["messages"]}),
        ("completions", "text_completion", {"prompt": PROMPT}),
        ("embeddings", "embeddings", {"input": PROMPT}),
        ("responses", "chat", {"input": PROMPT}),
    ],
)
def test_every_operation_fails_alike(server, telemetry, openai_client, row):
    """The operation is recorded, and the rest is as for chat."""
    resource, operation, request_body = row
    server.reply(STATUSES["429"].reply)
    instrument(telemetry)
    resources: Any = openai_client()
    for part in resource.split("."):
        if not hasattr(resources, part):
            pytest.skip(f"this SDK has no {resource}")
        resources = getattr(resources, part)

    with pytest.raises(openai.RateLimitError):
        resources.create(model=MODEL, **request_body)

    assert f"{operation} {MODEL}" == telemetry.span.name
    assert_failed(telemetry, STATUSES["429"], "openai.RateLimitError")
    assert_silent(telemetry)


@pytest.mark.parametrize("mode", ["no_content", "event_only"])
def test_a_failure_that_the_sdk_does_not_raise(server, telemetry, openai_client, mode):
    """A response that says it failed is one: the span tells the provider's code, and the event has no stack trace."""
    client = openai_client()
    if not hasattr(client, "responses"):
        pytest.skip("this SDK has no responses")
    failed = {"code": "server_error", "message": QUOTING}
    server.reply(Json(response(status="failed", error=failed, output=[])))
    instrument(telemetry, mode)

    client.responses.create(model=MODEL, input=PROMPT)

    span = telemetry.span
    assert ("ERROR", "server_error") == (span.status.status_code.name, span.status.description)
    assert "server_error" == span.attributes["error.type"]
    assert ("error",) == span.attributes["gen_ai.response.finish_reasons"]
    assert "server_error" == telemetry.metrics[DURATION][0].attributes["error.type"]
    message = QUOTING.replace(KEY, "[secrets]") if mode == "event_only" else "server_error"
    assert {"exception.type": "server_error", "exception.message": message} == dict(telemetry.events[-1].attributes)


class Unprintable(Exception):  # noqa: N818 - named for what it is
    """An exception that has no text: `str()` of it raises."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def planted_in_the_transport(raised: BaseException) -> Callable[[Any], None]:
    """An event hook of the HTTP client that raises."""

    def hook(_request: Any) -> None:
        raise raised

    return hook


@pytest.mark.parametrize(
    "planted",
    [
        ValueError(PROMPT),
        KeyboardInterrupt(),
        SystemExit(3),
        Unprintable(),
        UnicodeDecodeError("ascii", b"\xff", 0, 1, KEY),
    ],
    ids=lambda planted: type(planted).__name__,
)
def test_exceptions_of_the_application_s_own(telemetry, openai_client, planted):
    """What the application raises inside of the SDK's work arrives as it does without us, the very object."""
    client = openai_client()
    client._client.event_hooks = {"request": [planted_in_the_transport(planted)]}
    with pytest.raises(BaseException) as bare:
        client.chat.completions.create(**CHAT)
    instrument(telemetry)

    with pytest.raises(BaseException) as raised:
        client.chat.completions.create(**CHAT)

    assert type(bare.value) is type(raised.value)
    assert planted in (raised.value, raised.value.__cause__)
    kind = type(raised.value)
    expected = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    assert expected == telemetry.span.attributes["error.type"]
    assert "ERROR" == telemetry.span.status.status_code.name
    assert PROMPT not in written(telemetry)
    assert KEY not in written(telemetry)


def test_a_call_that_is_wrong_before_it_is_sent(telemetry, openai_client):
    """What the SDK refuses by itself, before there is a request, is no call."""
    instrument(telemetry)

    with pytest.raises(TypeError):
        openai_client().chat.completions.create(messages=[])  # type: ignore[call-overload]

    assert ([], []) == (telemetry.spans, telemetry.logs)


def test_a_body_that_cannot_be_sent(telemetry, openai_client):
    """The SDK's own error for it, as without us, is a failed call."""
    client = openai_client()
    body = {"model": MODEL, "messages": [{"role": "user", "content": object()}]}
    with pytest.raises(TypeError) as bare:
        client.post("/chat/completions", body=body, cast_to=object)
    instrument(telemetry, "span_and_event")

    with pytest.raises(TypeError) as raised:
        client.post("/chat/completions", body=body, cast_to=object)

    assert described(bare.value)[:3] == described(raised.value)[:3]
    assert "TypeError" == telemetry.span.attributes["error.type"]


def test_a_failed_call_does_not_disturb_the_next(server, telemetry, openai_client):
    """Neither the current span nor anything else of a failed call stays."""
    server.reply(STATUSES["500"].reply, Json(completion()))
    client = openai_client()
    instrument(telemetry)

    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(**CHAT)
    client.chat.completions.create(**CHAT)

    failed, succeeded = telemetry.spans
    assert failed.context.trace_id != succeeded.context.trace_id
    assert ("ERROR", "UNSET") == (failed.status.status_code.name, succeeded.status.status_code.name)
    assert "error.type" not in succeeded.attributes

"""Calls that fail: the caller gets the SDK's own exception, and telemetry tells of it without quoting anybody.

Each failing call is made twice, first without the instrumentation: that is what the other one is compared with.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import anthropic
import pytest
from anthropic._base_client import BaseClient
from inline_snapshot import snapshot

import opentelemetry_instrumentation_genai
from contract.drive import SYNC, Loop, Opened, Way, settled
from loopback import Hang, Json, ModelServer, Reply, Sse, Telemetry, Text, closed_port
from loopback.anthropic_bodies import MESSAGES, MODEL, error, message, text, text_events
from opentelemetry_instrumentation_genai import AnthropicInstrumentor

PACKAGE = str(Path(opentelemetry_instrumentation_genai.__file__).parent)
DURATION = "gen_ai.client.operation.duration"
EXCEPTION = "gen_ai.client.operation.exception"
PROMPT = "the-patient-is-named-Rosalind"
KEY = "sk-ant-api03-Zq8rT5nW2vLx"
# Frames of the SDK's own tracing are none of the call's: what we replace, the call that we compare with does without.
QUIET = {"open_telemetry": False} if isinstance(vars(BaseClient).get("_tracer"), property) else {}
QUOTING = f"You asked {PROMPT!r} as {KEY}, and that is refused"
# A retry waits for as long as the server says.
AT_ONCE = {"retry-after-ms": "1"}
HEADERS = {"request-id": "req_1", "anthropic-organization-id": "org_1"}
LOOP = Loop()
WAYS = (SYNC, Way("async", LOOP))
BY_WAY = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)


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


def refusal(status: int, exception: str, kind: str) -> Refusal:
    """One in the form that the API gives it."""
    return Refusal(Json(error(QUOTING, kind), status, HEADERS), exception, kind, status)


# Which statuses have a class of their own, and how it is called, differs between versions.
ANY = ""
STATUSES = {
    "400": refusal(400, "BadRequestError", "invalid_request_error"),
    "401": refusal(401, "AuthenticationError", "authentication_error"),
    "403": refusal(403, "PermissionDeniedError", "permission_error"),
    "404": refusal(404, "NotFoundError", "not_found_error"),
    "413": refusal(413, ANY, "request_too_large"),
    "429": refusal(429, "RateLimitError", "rate_limit_error"),
    "500": refusal(500, "InternalServerError", "api_error"),
    "529": refusal(529, ANY, "overloaded_error"),
    "502, no JSON": Refusal(
        Text(f"<p>{QUOTING}</p>", "text/html", 502), "InternalServerError", "anthropic.InternalServerError", 502
    ),
    "418": Refusal(Json({"detail": QUOTING}, 418), "APIStatusError", "anthropic.APIStatusError", 418),
}


# Ways to make the call: with which member of the resource, and whether of a stream.
async def plain(client: Any, **more: Any) -> Any:
    """`create(...)`."""
    return await settled(client.messages.create(**ASKED, **more))


async def streamed(client: Any, **more: Any) -> Any:
    """`create(stream=True)`, unread."""
    return await settled(client.messages.create(**ASKED, stream=True, **more))


async def raw(client: Any, **more: Any) -> Any:
    """`with_raw_response`."""
    return await settled(client.messages.with_raw_response.create(**ASKED, **more))


async def streaming(client: Any, **more: Any) -> Any:
    """`with_streaming_response`."""
    async with Opened(client.messages.with_streaming_response.create(**ASKED, **more)) as answer:
        return answer


async def helped(client: Any, **more: Any) -> Any:
    """`messages.stream(...)`."""
    async with Opened(client.messages.stream(**ASKED, **more)) as answer:
        return answer


async def beta(client: Any, **more: Any) -> Any:
    """`beta.messages.create(...)`."""
    return await settled(client.beta.messages.create(**ASKED, betas=["a"], **more))


ASKED = {**MESSAGES, "messages": [{"role": "user", "content": PROMPT}]}
CALLS = [plain, streamed, raw, streaming, helped, beta]
BY_CALL = pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)


class Clients:
    """Makes clients of the model server with a key that must not be recorded; they are closed after the test."""

    def __init__(self, server: ModelServer, way: Way) -> None:
        self._url = server.url
        self._way = way
        self._made: list[Any] = []

    def __call__(self, **settings: Any) -> Any:
        """One with these settings over the defaults; without TLS there is nothing to verify."""
        sync = self._way is SYNC
        kind = anthropic.Anthropic if sync else anthropic.AsyncAnthropic
        http = anthropic.DefaultHttpxClient if sync else anthropic.DefaultAsyncHttpxClient
        known = {"base_url": self._url, "max_retries": 0, "http_client": http(verify=False)}
        credentials = {} if "auth_token" in settings else {"api_key": KEY}
        made = kind(**{**known, **credentials, **settings})
        self._made.append(made)
        return made

    def close(self) -> None:
        """All of them."""
        for made in self._made:
            self._way.run(_closed(made))


async def _closed(client: Any) -> None:
    await settled(client.close())


@pytest.fixture(scope="module", autouse=True)
def loop() -> Iterator[None]:
    """The loop of all asynchronous calls ends with the last."""
    yield
    LOOP.close()


@pytest.fixture
def way() -> Way:
    """Of a test that is not about both."""
    return SYNC


@pytest.fixture
def clients(server: ModelServer, way: Way) -> Iterator[Clients]:
    """Makes clients."""
    made = Clients(server, way)
    yield made
    made.close()


def raised_by(way: Way, call: Any, client: Any, **more: Any) -> BaseException:
    """The exception that the call ends with."""
    try:
        way.run(call(client, **more))
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


def written(telemetry: Telemetry) -> str:
    """Everything that was recorded, as text, stack traces included."""
    logs = [(log.event_name, log.body, dict(log.attributes)) for log in telemetry.logs]
    return repr(([span.to_json() for span in telemetry.spans], logs, telemetry.metrics))


def instrument(telemetry: Telemetry, mode: str = "no_content") -> None:
    """The instrumentation under test."""
    AnthropicInstrumentor().instrument(**telemetry.providers, capture_message_content=mode)


def assert_failed(telemetry: Telemetry, refused: Refusal) -> None:
    """One span, one duration and one event tell of the failure, and the event belongs to the span."""
    exception = f"anthropic.{refused.exception}"
    span = telemetry.span
    assert ("ERROR", refused.plain) == (span.status.status_code.name, span.status.description)
    assert refused.error_type == span.attributes["error.type"]
    assert () == span.events
    (duration,) = telemetry.metrics[DURATION]
    assert (1, refused.error_type) == (duration.count, duration.attributes["error.type"])
    assert [DURATION] == list(telemetry.metrics)
    (event,) = telemetry.logs
    assert (EXCEPTION, 13, "WARN") == (event.event_name, event.severity_number.value, event.severity_text)
    assert (span.context.trace_id, span.context.span_id) == (event.trace_id, event.span_id)
    attributes = dict(event.attributes)
    trace = attributes.pop("exception.stacktrace")
    assert refused.plain == attributes.pop("exception.message")
    kind = attributes.pop("exception.type")
    assert {} == attributes
    assert kind.endswith(f".{refused.exception}")
    assert exception == kind or kind.startswith("anthropic._")
    assert "_base_client.py" in trace
    assert f"{kind}: {refused.plain}" == trace.splitlines()[-1]


def assert_silent(telemetry: Telemetry) -> None:
    """Neither prompt nor key nor the provider's words are anywhere."""
    everything = written(telemetry)
    for secret in (PROMPT, KEY, KEY[7:], "You asked"):
        assert secret not in everything


@BY_WAY
@BY_CALL
@pytest.mark.parametrize("refused", STATUSES)
def test_a_refused_call(server, telemetry, clients, way, *, call, refused):
    """The exception is the SDK's, in every detail; span, duration and one event tell its type and quote nothing."""
    expected = STATUSES[refused]
    server.reply(expected.reply, expected.reply)
    client = clients()
    bare = raised_by(way, call, client.with_options(**QUIET))
    instrument(telemetry)

    raised = raised_by(way, call, client)

    assert described(bare) == described(raised)
    assert expected.exception in (ANY, type(bare).__name__)
    assert_failed(telemetry, expected._replace(exception=type(bare).__name__))
    attributes = telemetry.span.attributes
    assert expected.status == attributes["http.response.status_code"]
    assert ("req_1" if dict(expected.reply.headers) else None) == attributes.get("anthropic.request.id")
    assert_silent(telemetry)


def test_the_whole_of_a_refused_call(server, telemetry, clients):
    """Everything that a refused call leaves by default."""
    server.reply(STATUSES["429"].reply)
    instrument(telemetry)

    raised_by(SYNC, plain, clients())

    assert telemetry.snapshot() == snapshot(
        {
            "spans": [
                {
                    "name": "chat claude-test",
                    "kind": "CLIENT",
                    "status": {"code": "ERROR", "description": "RateLimitError 429"},
                    "attributes": {
                        "anthropic.organization.id": "org_1",
                        "anthropic.request.id": "req_1",
                        "error.type": "rate_limit_error",
                        "gen_ai.operation.name": "chat",
                        "gen_ai.provider.name": "anthropic",
                        "gen_ai.request.max_tokens": 64,
                        "gen_ai.request.model": "claude-test",
                        "http.response.status_code": 429,
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
                                "error.type": "rate_limit_error",
                                "gen_ai.operation.name": "chat",
                                "gen_ai.provider.name": "anthropic",
                                "gen_ai.request.model": "claude-test",
                                "server.address": "127.0.0.1",
                                "server.port": "<port>",
                            },
                            "exemplars": ["chat claude-test"],
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
                        "exception.type": "anthropic.RateLimitError",
                    },
                    "span": "chat claude-test",
                    "timestamp": True,
                }
            ],
        }
    )


@pytest.mark.parametrize("mode", ["no_content", "span_only", "event_only", "span_and_event"])
def test_messages_go_where_content_goes(server, telemetry, clients, mode):
    """The provider's message is on the span or in the event as content is; the key is in neither."""
    server.reply(STATUSES["400"].reply)
    instrument(telemetry, mode)

    raised_by(SYNC, plain, clients())

    on_span, in_event = mode.startswith("span"), mode.endswith("event") or mode == "event_only"
    exception = telemetry.events[-1].attributes
    assert on_span == ("You asked" in telemetry.span.status.description)
    assert in_event == ("You asked" in exception["exception.message"])
    assert in_event == ("You asked" in exception["exception.stacktrace"])
    assert KEY not in written(telemetry)
    assert mode == "no_content" or PROMPT in written(telemetry)


KEYS = [
    "sk-ant-api03-abcDEF123_-4",
    "sk-ant-oat01-abcDEF123_-4",
    "sk-ant-admin01-abcDEF123_-4",
    "not-a-prefix-at-all",
    "x",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "correct horse",
]


@BY_WAY
@pytest.mark.parametrize("credential", ["api_key", "auth_token"])
@pytest.mark.parametrize("key", KEYS)
def test_no_key_is_quoted(server, telemetry, clients, way, *, credential, key):
    """A provider that quotes the key it refuses has it masked, whatever it looks like, also with content on."""
    server.reply(Json(error(f"<{key}>, that is refused", "authentication_error"), 401))
    instrument(telemetry, "span_and_event")

    raised_by(way, plain, clients(**{credential: key}))

    assert "that is refused" in written(telemetry)
    assert f"<{key}>" not in written(telemetry)


@pytest.mark.parametrize("quoted", ["sk-ant-api03-Another1Key2", "Bearer abcDEF-123.456"])
def test_no_key_of_somebody_else_is_quoted(server, telemetry, clients, quoted):
    """One of a gateway, or of a header of the call's own, is known by its form."""
    server.reply(Json(error(f"refused: {quoted}", "authentication_error"), 401))
    instrument(telemetry, "span_and_event")

    raised_by(SYNC, plain, clients(), extra_headers={"x-api-key": quoted})

    assert "refused: " in written(telemetry)
    assert quoted not in written(telemetry)


@pytest.mark.parametrize("credentials", [{"api_key": KEY}, {"auth_token": KEY}], ids=["api_key", "auth_token"])
@pytest.mark.parametrize("call", [plain, streamed, raw, helped], ids=lambda call: call.__name__)
def test_no_credential_of_a_call_that_went_well(server, telemetry, clients, call, credentials):
    """Neither the client's, nor one in a header, query or body of the call."""
    headers = {**HEADERS, "set-cookie": KEY}
    answer = Json(message(text("Hello")), headers=headers)
    server.reply(Sse(text_events("Hello"), event_names=True, headers=headers) if call in (streamed, helped) else answer)
    instrument(telemetry, "span_and_event")
    client = clients(**credentials, default_headers={"x-gateway-key": KEY})

    result = SYNC.run(
        call(client, extra_headers={"x-api-key": KEY, "Authorization": f"Bearer {KEY}"}, extra_query={"key": KEY})
    )
    getattr(result, "close", lambda: None)()

    assert f"chat {MODEL}" == telemetry.span.name
    assert KEY not in written(telemetry)


@pytest.mark.parametrize(
    ("body", "error_type"),
    [
        (error("m", "tired_error"), "tired_error"),
        (error("m", ""), "anthropic.RateLimitError"),
        (error("m", "429"), "anthropic.RateLimitError"),
        (error("m", "not a word"), "anthropic.RateLimitError"),
        (error("m", "x" * 65), "anthropic.RateLimitError"),
        ({"type": "error", "error": {"type": 5}}, "anthropic.RateLimitError"),
        ({"type": "error", "error": {}}, "anthropic.RateLimitError"),
        ({"type": "error", "error": "m"}, "anthropic.RateLimitError"),
        ({"type": "error", "error": None}, "anthropic.RateLimitError"),
        ({"message": "Too many tokens"}, "anthropic.RateLimitError"),  # as Amazon Bedrock says it
        ({}, "anthropic.RateLimitError"),
        ([], "anthropic.RateLimitError"),
        (None, "anthropic.RateLimitError"),
        ("m", "anthropic.RateLimitError"),
    ],
    ids=repr,
)
def test_error_types(server, telemetry, clients, body, error_type):
    """The provider's own type if it is a word, else the exception; never a free text."""
    server.reply(Json(body, 429), Json(body, 429))
    client = clients()
    bare = raised_by(SYNC, plain, client.with_options(**QUIET))
    instrument(telemetry)

    raised = raised_by(SYNC, plain, client)

    assert described(bare) == described(raised)
    assert isinstance(raised, anthropic.RateLimitError)
    assert error_type == telemetry.span.attributes["error.type"]


@BY_WAY
@BY_CALL
def test_timeouts(server, telemetry, clients, way, call):
    """A server that does not answer in time."""
    server.reply(Hang(), Hang())
    assert_unanswered(telemetry, clients(timeout=0.05), way, call, "APITimeoutError")


@BY_WAY
@BY_CALL
def test_refused_connections(telemetry, clients, way, call):
    """A server that is not there."""
    client = clients(base_url=f"http://127.0.0.1:{closed_port()}")
    assert_unanswered(telemetry, client, way, call, "APIConnectionError")


def assert_unanswered(telemetry: Telemetry, client: Any, way: Way, call: Any, exception: str) -> None:
    """The same exception as without us; no status, no response, and the exception's name for `error.type`."""
    bare = raised_by(way, call, client.with_options(**QUIET))
    instrument(telemetry)

    raised = raised_by(way, call, client)

    assert described(bare) == described(raised)
    assert_failed(telemetry, Refusal(Text(""), exception, f"anthropic.{exception}"))
    assert "http.response.status_code" not in telemetry.span.attributes
    # The cause is recorded as well.
    assert "direct cause" in telemetry.logs[0].attributes["exception.stacktrace"]


@BY_WAY
@pytest.mark.parametrize("body", ['{"id": "msg_1", "con', "", "not JSON", "{}{}"])
def test_malformed_json(server, telemetry, clients, way, body):
    """What the SDK makes of it; the status that was received is recorded."""
    reply = Text(body, "application/json", headers=HEADERS)
    server.reply(reply, reply)
    client = clients()
    bare = raised_by(way, plain, client.with_options(**QUIET))
    instrument(telemetry)

    raised = raised_by(way, plain, client)

    assert described(bare) == described(raised)
    assert "json.decoder.JSONDecodeError" == telemetry.span.attributes["error.type"]
    assert "JSONDecodeError" == telemetry.span.status.description
    assert (200, "req_1", "org_1") == tuple(
        telemetry.span.attributes.get(name)
        for name in ("http.response.status_code", "anthropic.request.id", "anthropic.organization.id")
    )


@BY_WAY
@pytest.mark.parametrize("mode", ["no_content", "span_and_event"])
def test_a_content_type_that_is_no_json(server, telemetry, clients, way, mode):
    """The SDK returns the text: the call went well, and nothing of a response is recorded."""
    server.reply(Text(f"<html>{PROMPT}</html>", "text/html"))
    instrument(telemetry, mode)

    assert f"<html>{PROMPT}</html>" == way.run(plain(clients()))

    assert "UNSET" == telemetry.span.status.status_code.name
    recorded = {
        name for name in telemetry.span.attributes if name.startswith(("gen_ai.resp", "gen_ai.us", "gen_ai.out"))
    }
    assert set() == recorded
    assert [DURATION] == list(telemetry.metrics)


@BY_WAY
@pytest.mark.parametrize("reply", [Text("<html>", "text/html"), Json({"id": 5})], ids=["content type", "schema"])
def test_strict_validation(server, telemetry, clients, way, reply):
    """A client that validates responses raises, and that is a failure."""
    server.reply(reply, reply)
    bare = raised_by(way, plain, clients(_strict_response_validation=True, **QUIET))
    instrument(telemetry)

    raised = raised_by(way, plain, clients(_strict_response_validation=True))

    assert described(bare)[:2] == described(raised)[:2]
    exception = "APIResponseValidationError"
    assert_failed(telemetry, Refusal(reply, exception, f"anthropic.{exception}", 200))


@BY_WAY
@pytest.mark.parametrize("status", [429, 500, 529])
def test_a_retry_that_succeeds(server, telemetry, clients, way, status):
    """One call, that went well; how often it was sent again is recorded where the SDK counts it."""
    refused = Json(error(QUOTING, "overloaded_error"), status, AT_ONCE)
    server.reply(refused, refused, Json(message(text("Hello"))))
    instrument(telemetry)

    way.run(plain(clients(max_retries=2)))

    assert 3 == len(server.requests)
    assert "UNSET" == telemetry.span.status.status_code.name
    assert 200 == telemetry.span.attributes["http.response.status_code"]
    assert counted(server) == telemetry.span.attributes.get("http.request.resend_count")
    assert ([], 1) == (telemetry.logs, telemetry.metrics[DURATION][0].count)


@BY_WAY
def test_retries_that_are_exhausted(server, telemetry, clients, way):
    """One failed call, with the last answer's status and the number of times it was sent again."""
    server.reply_always(Json(error(QUOTING, "rate_limit_error"), 429, AT_ONCE))
    instrument(telemetry)

    raised_by(way, plain, clients(max_retries=2))

    assert 3 == len(server.requests)
    assert counted(server) == telemetry.span.attributes.get("http.request.resend_count")
    assert_failed(telemetry, STATUSES["429"])


@BY_WAY
def test_retries_without_any_answer(server, telemetry, clients, way, monkeypatch):
    """A connection that is silent again and again."""
    monkeypatch.setattr("anthropic._base_client.INITIAL_RETRY_DELAY", 0.001)
    server.reply_always(Hang())
    instrument(telemetry)

    raised_by(way, plain, clients(timeout=0.05, max_retries=1))

    assert 2 == len(server.requests)
    assert counted(server) == telemetry.span.attributes.get("http.request.resend_count")
    assert "anthropic.APITimeoutError" == telemetry.span.attributes["error.type"]


def counted(server: ModelServer) -> int | None:
    """How often the SDK says that it sent the request again; older ones do not count."""
    count = server.requests[-1].headers.get("x-stainless-retry-count")
    return None if count is None else int(count)


@BY_WAY
def test_the_first_attempt_is_no_retry(server, telemetry, clients, way):
    """There is no count of zero."""
    server.reply(Json(message()))
    instrument(telemetry)

    way.run(plain(clients(max_retries=2)))

    assert "http.request.resend_count" not in telemetry.span.attributes


def test_legacy_completions_fail_alike(server, telemetry, clients):
    """The operation is recorded, and the rest is as for messages."""
    client = clients()
    if not hasattr(client, "completions"):
        pytest.skip("this SDK has no completions")
    server.reply(STATUSES["429"].reply)
    instrument(telemetry)

    with pytest.raises(anthropic.RateLimitError):
        client.completions.create(model=MODEL, prompt=PROMPT, max_tokens_to_sample=5)

    assert f"text_completion {MODEL}" == telemetry.span.name
    assert_failed(telemetry, STATUSES["429"])
    assert_silent(telemetry)


class Unprintable(Exception):  # noqa: N818 - named for what it is
    """An exception that has no text: `str()` of it raises."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


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
def test_exceptions_of_the_application_s_own(telemetry, clients, planted):
    """What the application raises inside of the SDK's work arrives as it does without us, the very object."""

    def hook(_request: Any) -> None:
        raise planted

    client = clients()
    client._client.event_hooks = {"request": [hook]}
    bare = raised_by(SYNC, plain, client.with_options(**QUIET))
    instrument(telemetry)

    raised = raised_by(SYNC, plain, client)

    assert type(bare) is type(raised)
    assert planted in (raised, raised.__cause__)
    kind = type(raised)
    expected = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    assert expected == telemetry.span.attributes["error.type"]
    assert "ERROR" == telemetry.span.status.status_code.name
    assert PROMPT not in written(telemetry)
    assert KEY not in written(telemetry)


def test_a_call_that_is_wrong_before_it_is_sent(telemetry, clients):
    """What the SDK refuses by itself, before there is a request, is no call."""
    instrument(telemetry)

    with pytest.raises(TypeError):
        clients().messages.create(messages=[])

    assert ([], []) == (telemetry.spans, telemetry.logs)


def test_a_body_that_cannot_be_sent(telemetry, clients):
    """The SDK's own error for it, as without us, is a failed call."""
    client = clients()
    body = {"model": MODEL, "messages": [{"role": "user", "content": object()}]}
    with pytest.raises(TypeError) as bare:
        client.post("/v1/messages", body=body, cast_to=object)
    instrument(telemetry, "span_and_event")

    with pytest.raises(TypeError) as raised:
        client.post("/v1/messages", body=body, cast_to=object)

    assert described(bare.value)[:3] == described(raised.value)[:3]
    assert "TypeError" == telemetry.span.attributes["error.type"]


def test_a_failed_call_does_not_disturb_the_next(server, telemetry, clients):
    """Neither the current span nor anything else of a failed call stays."""
    server.reply(STATUSES["529"].reply, Json(message()))
    client = clients()
    instrument(telemetry)

    raised_by(SYNC, plain, client)
    SYNC.run(plain(client))

    failed, succeeded = telemetry.spans
    assert failed.context.trace_id != succeeded.context.trace_id
    assert ("ERROR", "UNSET") == (failed.status.status_code.name, succeeded.status.status_code.name)
    assert "error.type" not in succeeded.attributes

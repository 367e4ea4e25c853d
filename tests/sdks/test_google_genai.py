"""Calls of the `google-genai` SDK: content, embeddings, images and counts, sync and async, of the Gemini API and of Vertex AI."""

from __future__ import annotations

import gc
import json
import logging
from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest
from inline_snapshot import snapshot

pytest.importorskip("google.genai")

from google.genai import errors, types

from google_callers import KEY, Caller
from loopback import Json, ModelServer, Sse, Telemetry, Text
from loopback.google_bodies import MODEL, candidate, chunks, error, response
from opentelemetry_instrumentation_genai import GoogleGenAIInstrumentor

pytestmark = [
    pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning"),  # the SDK's own, of aiohttp
    pytest.mark.filterwarnings("ignore:.*experimental"),
    pytest.mark.filterwarnings("ignore:.*deprecated"),
]
CONFIG: dict[str, Any] = {
    "temperature": 0.5,
    "top_p": 0.25,
    "top_k": 40,
    "candidate_count": 2,
    "max_output_tokens": 100,
    "stop_sequences": ["END"],
    "presence_penalty": 0.5,
    "frequency_penalty": 0.25,
    "seed": 7,
    "response_mime_type": "application/json",
    "system_instruction": "Be brief.",
    "thinking_config": {"include_thoughts": True, "thinking_budget": 64},
}
CONTENT = ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.definitions")
FULL = response(
    candidate({"text": "Let me see.", "thought": True}, {"text": "Hello"}),
    candidate({"text": "Hi"}, reason="MAX_TOKENS", index=1),
    usageMetadata={
        "promptTokenCount": 20,
        "cachedContentTokenCount": 5,
        "candidatesTokenCount": 4,
        "thoughtsTokenCount": 6,
        "toolUsePromptTokenCount": 3,
        "totalTokenCount": 33,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 12}, {"modality": "IMAGE", "tokenCount": 8}],
        "toolUsePromptTokensDetails": [{"modality": "TEXT", "tokenCount": 3}],
        "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 5}],
        "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": 4}],
    },
)


@pytest.fixture(params=["sync", "async"])
def call(server: ModelServer, request: pytest.FixtureRequest) -> Caller:
    """Makes calls of both kinds."""
    return Caller(server, request.param)


@pytest.fixture
def vertex(server: ModelServer) -> Caller:
    """Makes calls of Vertex AI."""
    return Caller(server, vertex=True)


@pytest.fixture(autouse=True)
def nothing_is_logged(caplog: pytest.LogCaptureFixture, without_start_line: None) -> Iterator[None]:
    """No line of OpenTelemetry or of ours."""
    caplog.set_level(logging.INFO, "opentelemetry")
    caplog.set_level(logging.INFO, "opentelemetry_instrumentation_genai")
    yield
    gc.collect()
    logged = [one for one in caplog.get_records("call") if one.name.startswith("opentelemetry")]
    assert [] == [(one.name, one.getMessage()) for one in logged]


def twice(telemetry: Telemetry, **settings: Any) -> Iterator[None]:
    """Yield without the instrumentation, and then with it."""
    yield
    GoogleGenAIInstrumentor().instrument(**telemetry.providers, **settings)
    yield


def dumped(result: Any) -> list[Any]:
    """What the application gets, as values."""
    several = result if isinstance(result, list) else [result]
    return [one.model_dump(exclude={"sdk_http_response"}) for one in several]


def test_all_of_one_call(call: Caller, server: ModelServer, telemetry: Telemetry):
    """One span with all that the request asks for and the response has, and its metrics."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(FULL))
    call("generate_content", model=MODEL, contents="Hi", config=CONFIG)
    assert telemetry.snapshot() == snapshot(
        {
            "spans": [
                {
                    "name": "generate_content gemini-2.5-flash",
                    "kind": "CLIENT",
                    "status": {"code": "UNSET", "description": None},
                    "attributes": {
                        "gen_ai.operation.name": "generate_content",
                        "gen_ai.output.type": "json",
                        "gen_ai.provider.name": "gcp.gemini",
                        "gen_ai.request.choice.count": 2,
                        "gen_ai.request.frequency_penalty": 0.25,
                        "gen_ai.request.max_tokens": 100,
                        "gen_ai.request.model": "gemini-2.5-flash",
                        "gen_ai.request.presence_penalty": 0.5,
                        "gen_ai.request.seed": 7,
                        "gen_ai.request.stop_sequences": ["END"],
                        "gen_ai.request.temperature": 0.5,
                        "gen_ai.request.top_k": 40,
                        "gen_ai.request.top_p": 0.25,
                        "gen_ai.response.finish_reasons": ["stop", "length"],
                        "gen_ai.response.id": "response-1",
                        "gen_ai.response.model": "gemini-2.5-flash-001",
                        "gen_ai.usage.cache_read.input_tokens": 5,
                        "gen_ai.usage.image.input_tokens": 8,
                        "gen_ai.usage.input_tokens": 23,
                        "gen_ai.usage.output_tokens": 10,
                        "gen_ai.usage.reasoning.output_tokens": 6,
                        "gen_ai.usage.text.cache_read.input_tokens": 5,
                        "gen_ai.usage.text.input_tokens": 15,
                        "gen_ai.usage.text.output_tokens": 4,
                        "google_genai.response.finish_reasons": ["STOP", "MAX_TOKENS"],
                        "google_genai.thinking.budget_tokens": 64,
                        "http.response.status_code": 200,
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
                                "gen_ai.operation.name": "generate_content",
                                "gen_ai.provider.name": "gcp.gemini",
                                "gen_ai.request.model": "gemini-2.5-flash",
                                "gen_ai.response.model": "gemini-2.5-flash-001",
                                "server.address": "127.0.0.1",
                                "server.port": "<port>",
                            },
                            "exemplars": ["generate_content gemini-2.5-flash"],
                            "count": 1,
                            "sum": "<seconds>",
                        }
                    ],
                },
                "gen_ai.client.token.usage": {
                    "unit": "{token}",
                    "description": "Number of input and output tokens used.",
                    "bounds": [
                        1,
                        4,
                        16,
                        64,
                        256,
                        1024,
                        4096,
                        16384,
                        65536,
                        262144,
                        1048576,
                        4194304,
                        16777216,
                        67108864,
                    ],
                    "points": [
                        {
                            "attributes": {
                                "gen_ai.operation.name": "generate_content",
                                "gen_ai.provider.name": "gcp.gemini",
                                "gen_ai.request.model": "gemini-2.5-flash",
                                "gen_ai.response.model": "gemini-2.5-flash-001",
                                "gen_ai.token.type": "input",
                                "server.address": "127.0.0.1",
                                "server.port": "<port>",
                            },
                            "exemplars": ["generate_content gemini-2.5-flash"],
                            "count": 1,
                            "sum": 23,
                        },
                        {
                            "attributes": {
                                "gen_ai.operation.name": "generate_content",
                                "gen_ai.provider.name": "gcp.gemini",
                                "gen_ai.request.model": "gemini-2.5-flash",
                                "gen_ai.response.model": "gemini-2.5-flash-001",
                                "gen_ai.token.type": "output",
                                "server.address": "127.0.0.1",
                                "server.port": "<port>",
                            },
                            "exemplars": ["generate_content gemini-2.5-flash"],
                            "count": 1,
                            "sum": 10,
                        },
                    ],
                },
            },
            "events": [],
        }
    )


def test_all_of_one_stream(call: Caller, server: ModelServer, telemetry: Telemetry):
    """The same of a stream, with the times of its chunks."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Sse(chunks(), done=False))
    call("generate_content_stream", model=MODEL, contents="Hi")
    assert telemetry.snapshot() == snapshot(
        {
            "spans": [
                {
                    "name": "generate_content gemini-2.5-flash",
                    "kind": "CLIENT",
                    "status": {"code": "UNSET", "description": None},
                    "attributes": {
                        "gen_ai.operation.name": "generate_content",
                        "gen_ai.provider.name": "gcp.gemini",
                        "gen_ai.request.model": "gemini-2.5-flash",
                        "gen_ai.request.stream": True,
                        "gen_ai.response.finish_reasons": ["stop"],
                        "gen_ai.response.id": "response-1",
                        "gen_ai.response.model": "gemini-2.5-flash-001",
                        "gen_ai.response.time_to_first_chunk": "<seconds>",
                        "gen_ai.usage.input_tokens": 8,
                        "gen_ai.usage.output_tokens": 3,
                        "gen_ai.usage.text.input_tokens": 8,
                        "google_genai.response.finish_reasons": ["STOP"],
                        "http.response.status_code": 200,
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
                                "gen_ai.operation.name": "generate_content",
                                "gen_ai.provider.name": "gcp.gemini",
                                "gen_ai.request.model": "gemini-2.5-flash",
                                "gen_ai.response.model": "gemini-2.5-flash-001",
                                "server.address": "127.0.0.1",
                                "server.port": "<port>",
                            },
                            "exemplars": ["generate_content gemini-2.5-flash"],
                            "count": 1,
                            "sum": "<seconds>",
                        }
                    ],
                },
                "gen_ai.client.operation.time_per_output_chunk": {
                    "unit": "s",
                    "description": "Time per output chunk after the first one.",
                    "bounds": [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
                    "points": [
                        {
                            "attributes": {
                                "gen_ai.operation.name": "generate_content",
                                "gen_ai.provider.name": "gcp.gemini",
                                "gen_ai.request.model": "gemini-2.5-flash",
                                "gen_ai.response.model": "gemini-2.5-flash-001",
                                "server.address": "127.0.0.1",
                                "server.port": "<port>",
                            },
                            "exemplars": ["generate_content gemini-2.5-flash"],
                            "count": 2,
                            "sum": "<seconds>",
                        }
                    ],
                },
                "gen_ai.client.operation.time_to_first_chunk": {
                    "unit": "s",
                    "description": "Time to receive the first chunk.",
                    "bounds": [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
                    "points": [
                        {
                            "attributes": {
                                "gen_ai.operation.name": "generate_content",
                                "gen_ai.provider.name": "gcp.gemini",
                                "gen_ai.request.model": "gemini-2.5-flash",
                                "gen_ai.response.model": "gemini-2.5-flash-001",
                                "server.address": "127.0.0.1",
                                "server.port": "<port>",
                            },
                            "exemplars": ["generate_content gemini-2.5-flash"],
                            "count": 1,
                            "sum": "<seconds>",
                        }
                    ],
                },
                "gen_ai.client.token.usage": {
                    "unit": "{token}",
                    "description": "Number of input and output tokens used.",
                    "bounds": [
                        1,
                        4,
                        16,
                        64,
                        256,
                        1024,
                        4096,
                        16384,
                        65536,
                        262144,
                        1048576,
                        4194304,
                        16777216,
                        67108864,
                    ],
                    "points": [
                        {
                            "attributes": {
                                "gen_ai.operation.name": "generate_content",
                                "gen_ai.provider.name": "gcp.gemini",
                                "gen_ai.request.model": "gemini-2.5-flash",
                                "gen_ai.response.model": "gemini-2.5-flash-001",
                                "gen_ai.token.type": "input",
                                "server.address": "127.0.0.1",
                                "server.port": "<port>",
                            },
                            "exemplars": ["generate_content gemini-2.5-flash"],
                            "count": 1,
                            "sum": 8,
                        },
                        {
                            "attributes": {
                                "gen_ai.operation.name": "generate_content",
                                "gen_ai.provider.name": "gcp.gemini",
                                "gen_ai.request.model": "gemini-2.5-flash",
                                "gen_ai.response.model": "gemini-2.5-flash-001",
                                "gen_ai.token.type": "output",
                                "server.address": "127.0.0.1",
                                "server.port": "<port>",
                            },
                            "exemplars": ["generate_content gemini-2.5-flash"],
                            "count": 1,
                            "sum": 3,
                        },
                    ],
                },
            },
            "events": [],
        }
    )


@pytest.mark.parametrize("method", ["generate_content", "generate_content_stream"])
def test_content(call: Caller, server: ModelServer, telemetry: Telemetry, method: str):
    """Messages, instructions and tools are on the span, and structured on the event; a stream has what the plain response has."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers, capture_message_content=True)
    server.reply(Json(FULL) if method == "generate_content" else Sse([FULL], done=False))
    tools = [types.Tool(function_declarations=[{"name": "weather", "description": "Looks it up."}])]
    call(method, model=MODEL, contents="Hi", config={**CONFIG, "tools": [*tools, types.Tool(google_search={})]})
    attributes = telemetry.span.attributes
    content = {name: json.loads(attributes[name]) for name in CONTENT}
    assert content == snapshot(
        {
            "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}],
            "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
            "gen_ai.tool.definitions": [
                {"type": "googleSearch", "name": "googleSearch"},
                {"type": "function", "name": "weather", "description": "Looks it up."},
            ],
            "gen_ai.output.messages": [
                {
                    "role": "assistant",
                    "parts": [{"type": "reasoning", "content": "Let me see."}, {"type": "text", "content": "Hello"}],
                    "finish_reason": "stop",
                },
                {"role": "assistant", "parts": [{"type": "text", "content": "Hi"}], "finish_reason": "length"},
            ],
        }
    )
    (event,) = telemetry.snapshot()["events"]
    assert {name: event["attributes"][name] for name in content} == content


def test_no_content_by_default(call: Caller, server: ModelServer, telemetry: Telemetry):
    """Neither questions nor answers nor instructions are recorded anywhere."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(FULL), Sse([FULL], done=False))
    for method in ("generate_content", "generate_content_stream"):
        call(method, model=MODEL, contents="Question", config=CONFIG)
    recorded = json.dumps(telemetry.snapshot())
    assert not [word for word in ("Question", "Be brief", "Hello", "Let me see") if word in recorded]


@pytest.mark.parametrize("generation", ["gen_ai_latest_experimental", "gen_ai_latest_experimental/dup"])
def test_generations(server: ModelServer, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch, generation: str):
    """The names of the latest conventions, or those of both."""
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", generation)
    GoogleGenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    server.reply(Json(FULL))
    Caller(server)("generate_content", model=MODEL, contents="Hi")
    names = {
        name: sorted(point.attributes.get("gen_ai.token.modality", "") for point in points)
        for name, points in telemetry.metrics.items()
    }
    latest = "finish_reason" not in telemetry.span.attributes["gen_ai.output.messages"]
    assert (names, latest) == {
        "gen_ai_latest_experimental": snapshot(
            (
                {
                    "gen_ai.client.inference.duration": [""],
                    "gen_ai.client.inference.operation.input_tokens": [""],
                    "gen_ai.client.inference.operation.output_tokens": [""],
                    "gen_ai.client.inference.usage.input_tokens": ["image", "text"],
                    "gen_ai.client.inference.usage.output_tokens": ["text", "unknown"],
                    "gen_ai.client.inference.usage.cache_read.input_tokens": ["text"],
                    "gen_ai.client.inference.usage.reasoning.output_tokens": ["unknown"],
                },
                True,
            )
        ),
        "gen_ai_latest_experimental/dup": snapshot(
            (
                {
                    "gen_ai.client.operation.duration": [""],
                    "gen_ai.client.inference.duration": [""],
                    "gen_ai.client.token.usage": ["", ""],
                    "gen_ai.client.inference.operation.input_tokens": [""],
                    "gen_ai.client.inference.operation.output_tokens": [""],
                    "gen_ai.client.inference.usage.input_tokens": ["image", "text"],
                    "gen_ai.client.inference.usage.output_tokens": ["text", "unknown"],
                    "gen_ai.client.inference.usage.cache_read.input_tokens": ["text"],
                    "gen_ai.client.inference.usage.reasoning.output_tokens": ["unknown"],
                },
                False,
            )
        ),
    }[generation]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("BLOCKLIST", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("SPII", "content_filter"),
        ("IMAGE_SAFETY", "content_filter"),
        ("OTHER", "error"),
        ("MALFORMED_FUNCTION_CALL", "MALFORMED_FUNCTION_CALL"),
        (None, "error"),
    ],
)
def test_finish_reasons(server: ModelServer, telemetry: Telemetry, reason: str | None, expected: str):
    """The provider's reasons are those of the conventions, its own words are kept, and a missing one is an error's."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(response(candidate({"text": "Hello"}, reason=reason))))
    Caller(server)("generate_content", model=MODEL, contents="Hi")
    attributes = telemetry.span.attributes
    words = attributes.get("google_genai.response.finish_reasons")
    assert (attributes["gen_ai.response.finish_reasons"], words) == ((expected,), reason and (reason,))


def test_a_call_of_a_function_is_a_reason(call: Caller, server: ModelServer, telemetry: Telemetry):
    """The provider has none of its own for it, plain or streamed, whether content is recorded or not."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers)
    calls = response(candidate({"functionCall": {"name": "weather", "args": {}}}))
    server.reply(Json(calls), Sse([calls], done=False))
    for method in ("generate_content", "generate_content_stream"):
        call(method, model=MODEL, contents="Hi")
    assert [span.attributes["gen_ai.response.finish_reasons"] for span in telemetry.spans] == [("tool_call",)] * 2


@pytest.mark.parametrize("method", ["generate_content", "generate_content_stream"])
def test_a_blocked_prompt(call: Caller, server: ModelServer, telemetry: Telemetry, method: str):
    """It has no candidate: the reason is that of a filter, the provider's word for it is kept, and it is no failure."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    usage = {"promptTokenCount": 8, "totalTokenCount": 8}
    blocked = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": usage}
    server.reply(Json(blocked) if method == "generate_content" else Sse([blocked], done=False))
    call(method, model=MODEL, contents="Hi")
    attributes = telemetry.span.attributes
    assert telemetry.span.status.is_unset
    assert attributes["gen_ai.response.finish_reasons"] == ("content_filter",)
    assert attributes["google_genai.prompt.block_reason"] == "PROHIBITED_CONTENT"
    assert (attributes["gen_ai.usage.input_tokens"], attributes["gen_ai.usage.output_tokens"]) == (8, 0)
    assert json.loads(attributes["gen_ai.output.messages"]) == [
        {"role": "assistant", "parts": [], "finish_reason": "content_filter"}
    ]


@pytest.mark.parametrize("method", ["generate_content", "generate_content_stream"])
def test_a_failure(call: Caller, server: ModelServer, telemetry: Telemetry, method: str):
    """The provider's status is the type of the error, plain or streamed; the message is in the event, and no key is."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers, capture_message_content=True)
    server.reply(Json(error(message=f"No quota for {KEY}."), status=429))
    with pytest.raises(errors.ClientError, match="429 RESOURCE_EXHAUSTED"):
        call(method, model=MODEL, contents="Hi")
    recorded = telemetry.snapshot()
    assert KEY not in json.dumps(recorded)
    span, events = recorded["spans"][0], recorded["events"]
    names = ("error.type", "http.response.status_code", "gen_ai.response.finish_reasons")
    assert (span["status"], [span["attributes"].get(name) for name in names]) == snapshot(
        (
            {
                "code": "ERROR",
                "description": "429 RESOURCE_EXHAUSTED. {'error': {'code': 429, 'message': 'No quota for [secrets].', 'status': 'RESOURCE_EXHAUSTED'}}",
            },
            ["RESOURCE_EXHAUSTED", 429, None],
        )
    )
    last = events[-1]["attributes"]
    assert [event["event_name"] for event in events] == snapshot(
        ["gen_ai.client.inference.operation.details", "gen_ai.client.operation.exception"]
    )
    assert (last["exception.type"], last["exception.message"]) == snapshot(
        (
            "google.genai.errors.ClientError",
            "429 RESOURCE_EXHAUSTED. {'error': {'code': 429, 'message': 'No quota for [secrets].', 'status': 'RESOURCE_EXHAUSTED'}}",
        )
    )
    assert {point.attributes.get("error.type") for point in telemetry.metrics["gen_ai.client.operation.duration"]} == {
        "RESOURCE_EXHAUSTED"
    }


def test_a_failure_without_a_status(call: Caller, server: ModelServer, telemetry: Telemetry):
    """Where the body is no JSON, the exception is the type."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Text("<html>Bad gateway</html>", status=502))
    with pytest.raises(errors.ServerError):
        call("generate_content", model=MODEL, contents="Hi")
    span = telemetry.span
    assert (span.attributes["error.type"], span.status.description) == (
        "google.genai.errors.ServerError",
        "ServerError 502",
    )
    assert span.attributes["http.response.status_code"] == 502


@pytest.mark.parametrize("method", ["generate_content", "generate_content_stream"])
def test_retries(call: Caller, server: ModelServer, telemetry: Telemetry, method: str):
    """What the SDK sends again is one call."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers)
    last = Json(response()) if method == "generate_content" else Sse(chunks(), done=False)
    server.reply(Json(error(503, "UNAVAILABLE"), status=503), Json(error(503, "UNAVAILABLE"), status=503), last)
    options = {"retry_options": {"attempts": 3, "initial_delay": 0.001, "max_delay": 0.002, "jitter": 0}}
    call(method, options=options, model=MODEL, contents="Hi")
    attributes = telemetry.span.attributes
    assert (attributes["http.request.resend_count"], attributes["http.response.status_code"]) == (2, 200)
    assert telemetry.span.status.is_unset


def test_retries_that_fail(call: Caller, server: ModelServer, telemetry: Telemetry):
    """The last failure is that of the call."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(*[Json(error(503, "UNAVAILABLE"), status=503)] * 2)
    options = {"retry_options": {"attempts": 2, "initial_delay": 0.001, "max_delay": 0.002, "jitter": 0}}
    with pytest.raises(errors.ServerError):
        call("generate_content", options=options, model=MODEL, contents="Hi")
    attributes = telemetry.span.attributes
    assert (attributes["http.request.resend_count"], attributes["http.response.status_code"]) == (1, 503)
    assert attributes["error.type"] == "UNAVAILABLE"


def test_embeddings(call: Caller, server: ModelServer, telemetry: Telemetry):
    """One call for all texts, with their dimensions and tokens."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers, capture_message_content=True)
    server.reply(Json({"embeddings": [{"values": [0.5, 0.25]}] * 2, "usageMetadata": {"promptTokenCount": 6}}))
    found = call(
        "embed_content", model="gemini-embedding-001", contents=["a", "b"], config={"output_dimensionality": 2}
    )
    assert [one.values for one in found.embeddings] == [[0.5, 0.25]] * 2
    assert telemetry.snapshot()["spans"] == snapshot(
        [
            {
                "name": "embeddings gemini-embedding-001",
                "kind": "CLIENT",
                "status": {"code": "UNSET", "description": None},
                "attributes": {
                    "gen_ai.embeddings.dimension.count": 2,
                    "gen_ai.operation.name": "embeddings",
                    "gen_ai.provider.name": "gcp.gemini",
                    "gen_ai.request.model": "gemini-embedding-001",
                    "gen_ai.usage.input_tokens": 6,
                    "http.response.status_code": 200,
                    "server.address": "127.0.0.1",
                    "server.port": "<port>",
                },
                "events": [],
                "parent": None,
                "scope": "opentelemetry_instrumentation_genai",
            }
        ]
    )


def test_embeddings_of_vertex(vertex: Caller, server: ModelServer, telemetry: Telemetry):
    """Each of the ways in which the API embeds."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers)
    client = vertex.client()
    api = client._api_client
    whole = {"predictions": [{"embeddings": {"values": [0.5], "statistics": {"token_count": 3}}}] * 2}
    server.reply(Json(whole), Json({"embedding": {"values": [0.5]}, "usageMetadata": {"promptTokenCount": 4}}))
    body = {"instances": [{"content": "a"}, {"content": "b"}], "parameters": {"outputDimensionality": 1}}
    api.request("post", "publishers/google/models/text-embedding-005:predict", body)
    single = {"content": {"parts": [{"text": "a"}]}, "embedContentConfig": {"outputDimensionality": 1}}
    api.request("post", "publishers/google/models/gemini-embedding-2-preview:embedContent", single)
    api._httpx_client.close()
    names = ("gen_ai.request.model", "gen_ai.embeddings.dimension.count", "gen_ai.usage.input_tokens")
    found = [(span.name.partition(" ")[0], *(span.attributes.get(name) for name in names)) for span in telemetry.spans]
    assert found == [
        ("embeddings", "text-embedding-005", 1, 6),
        ("embeddings", "gemini-embedding-2-preview", 1, 4),
    ]


def test_counted_tokens(call: Caller, server: ModelServer, telemetry: Telemetry):
    """They are no usage."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json({"totalTokens": 31}))
    assert call("count_tokens", model=MODEL, contents="Hi").total_tokens == 31
    assert telemetry.snapshot() == snapshot(
        {
            "spans": [
                {
                    "name": "count_tokens gemini-2.5-flash",
                    "kind": "CLIENT",
                    "status": {"code": "UNSET", "description": None},
                    "attributes": {
                        "gen_ai.operation.name": "count_tokens",
                        "gen_ai.provider.name": "gcp.gemini",
                        "gen_ai.request.model": "gemini-2.5-flash",
                        "google_genai.count_tokens.total_tokens": 31,
                        "http.response.status_code": 200,
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
                                "gen_ai.operation.name": "count_tokens",
                                "gen_ai.provider.name": "gcp.gemini",
                                "gen_ai.request.model": "gemini-2.5-flash",
                                "server.address": "127.0.0.1",
                                "server.port": "<port>",
                            },
                            "exemplars": ["count_tokens gemini-2.5-flash"],
                            "count": 1,
                            "sum": "<seconds>",
                        }
                    ],
                }
            },
            "events": [],
        }
    )


def test_images(vertex: Caller, server: ModelServer, telemetry: Telemetry):
    """Generated images are content; one that was filtered says so."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    image = {"mimeType": "image/png", "bytesBase64Encoded": "iVBORw0KGgo="}
    server.reply(Json({"predictions": [image, {"raiFilteredReason": "Filtered."}]}))
    config = {"number_of_images": 2, "include_rai_reason": True}
    found = vertex("generate_images", model="imagen-4.0-generate-001", prompt="A cat", config=config)
    assert len(found.generated_images) == 2
    assert telemetry.snapshot()["spans"] == snapshot(
        [
            {
                "name": "generate_content imagen-4.0-generate-001",
                "kind": "CLIENT",
                "status": {"code": "UNSET", "description": None},
                "attributes": {
                    "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"A cat"}]}]',
                    "gen_ai.operation.name": "generate_content",
                    "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"blob","modality":"image","mime_type":"image/png","byte_size":8,"sha256":"4c4b6a3be1314ab86138bef4314dde022e600960d8689a2c8f8631802d20dab6","content":""}],"finish_reason":"stop"},{"role":"assistant","parts":[],"finish_reason":"content_filter"}]',
                    "gen_ai.output.type": "image",
                    "gen_ai.provider.name": "gcp.vertex_ai",
                    "gen_ai.request.choice.count": 2,
                    "gen_ai.request.model": "imagen-4.0-generate-001",
                    "http.response.status_code": 200,
                    "server.address": "127.0.0.1",
                    "server.port": "<port>",
                },
                "events": [],
                "parent": None,
                "scope": "opentelemetry_instrumentation_genai",
            }
        ]
    )


def test_what_is_not_followed(call: Caller, server: ModelServer, telemetry: Telemetry):
    """What only reads what the server stores is no call of a model."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json({"name": "models/gemini-2.5-flash"}))
    assert call("get", model=MODEL).name == "models/gemini-2.5-flash"
    assert telemetry.spans == []


@pytest.mark.parametrize(
    ("model", "is_vertex", "expected"),
    [
        (MODEL, False, (MODEL, "gcp.gemini")),
        (f"models/{MODEL}", False, (MODEL, "gcp.gemini")),
        ("tunedModels/mine", False, ("tunedModels/mine", "gcp.gemini")),
        (MODEL, True, (MODEL, "gcp.vertex_ai")),
        (f"publishers/google/models/{MODEL}", True, (MODEL, "gcp.vertex_ai")),
        ("projects/p/locations/l/endpoints/1", True, ("projects/p/locations/l/endpoints/1", "gcp.vertex_ai")),
    ],
)
def test_models_and_providers(server: ModelServer, telemetry: Telemetry, model: str, is_vertex: bool, expected: Any):
    """A model of the provider is called by its name, any other by its path; the provider is that of the client's API."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(response()))
    Caller(server, vertex=is_vertex)("generate_content", model=model, contents="Hi")
    attributes = telemetry.span.attributes
    assert (attributes["gen_ai.request.model"], attributes["gen_ai.provider.name"]) == expected


def test_a_declared_host(server: ModelServer, telemetry: Telemetry):
    """The provider of a host is the one that the user declares."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers, host_providers={"127.0.0.1": "mine"})
    server.reply(Json(response()))
    Caller(server)("generate_content", model=MODEL, contents="Hi")
    assert telemetry.span.attributes["gen_ai.provider.name"] == "mine"


def test_options_of_one_request(call: Caller, server: ModelServer, telemetry: Telemetry):
    """Its own base URL is where it goes, and what it adds to the body is in the attributes; the SDK sends the same as without us."""
    options = {"base_url": server.url, "extra_body": {"generationConfig": {"topK": 9}}}
    config = {"temperature": 0.5, "http_options": options}
    for _ in twice(telemetry):
        server.reply(Json(response()))
        call("generate_content", options={"base_url": "http://127.0.0.1:9"}, model=MODEL, contents="Hi", config=config)
    attributes = telemetry.span.attributes
    names = ("gen_ai.request.temperature", "gen_ai.request.top_k", "server.port")
    assert [attributes[name] for name in names] == [0.5, 9, server.port]
    assert server.requests[0].body == server.requests[1].body


@pytest.mark.parametrize("method", ["generate_content", "generate_content_stream"])
def test_the_result_is_the_same(call: Caller, server: ModelServer, telemetry: Telemetry, method: str):
    """With and without the instrumentation, the application gets equal responses and the server equal requests."""
    results = []
    for _ in twice(telemetry, capture_message_content=True):
        server.reply(Json(FULL) if method == "generate_content" else Sse(chunks(), done=False))
        results.append(dumped(call(method, model=MODEL, contents="Hi", config=CONFIG)))
    assert results[0] == results[1]
    assert server.requests[0].body == server.requests[1].body
    assert len(telemetry.spans) == 1


def test_uninstrumented(call: Caller, server: ModelServer, telemetry: Telemetry):
    """Nothing is recorded any more, and the SDK's methods are its own again."""
    import google.genai._extra_utils as functions
    from google.genai._api_client import BaseApiClient

    def bare() -> list[int]:
        """What the class and the module have."""
        return [id(one) for space in (BaseApiClient, functions) for one in vars(space).values()]

    before = bare()
    GoogleGenAIInstrumentor().instrument(**telemetry.providers)
    assert bare() != before
    GoogleGenAIInstrumentor().uninstrument()
    assert bare() == before
    server.reply(Json(response()))
    call("generate_content", model=MODEL, contents="Hi")
    assert telemetry.spans == []


@pytest.mark.parametrize(
    "odd",
    [
        [],
        {},
        {"candidates": None, "usageMetadata": None},
        {"candidates": [{"content": None}]},
        {"candidates": [{"content": {"parts": None}, "finishReason": "STOP"}]},
        {"candidates": [{"content": {"parts": [{}]}, "finishReason": "STOP"}]},
        {"usageMetadata": {"promptTokenCount": None, "promptTokensDetails": None}},
        {"candidates": [{"index": 3, "content": {"parts": [{"text": ""}, {"thoughtSignature": "abcd"}]}}]},
        {"modelVersion": "", "responseId": "", "promptFeedback": {}},
    ],
)
@pytest.mark.parametrize("method", ["generate_content", "generate_content_stream"])
def test_odd_bodies(server: ModelServer, telemetry: Telemetry, method: str, odd: Any):
    """Whatever a body has, there is one span, and the application sees what it sees without us."""
    seen = []
    for _ in twice(telemetry, capture_message_content=True):
        server.reply(Json(odd) if method == "generate_content" else Sse([odd], done=False))
        try:
            seen.append(dumped(Caller(server)(method, model=MODEL, contents="Hi")))
        except Exception as raised:
            seen.append([repr(raised)])
    assert seen[0] == seen[1]
    assert len(telemetry.spans) == 1


def test_prices_by_traffic(
    server: ModelServer, telemetry: Telemetry, call: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    """The usual traffic has the usual price. Throughput that is provisioned is paid by the hour: no call of it has a cost."""
    pytest.importorskip("genai_prices", reason="genai-prices is not installed")
    GoogleGenAIInstrumentor().instrument(
        **telemetry.providers, prices="genai-prices", host_providers=f"127.0.0.1:{server.port}=gcp.vertex_ai"
    )

    def cost(traffic: str) -> Any:
        usage = {"promptTokenCount": 1000, "candidatesTokenCount": 100, "totalTokenCount": 1100, "trafficType": traffic}
        server.reply(Json(response(usageMetadata=usage)))
        call("generate_content", model="gemini-2.5-flash", contents="Hi")
        return (telemetry.spans[-1].attributes or {}).get("gen_ai.usage.cost")

    until = monotonic() + 20  # the first calls have the prices loaded in the background
    while cost("ON_DEMAND") is None:
        assert monotonic() < until
    assert cost("PROVISIONED_THROUGHPUT") is None
    caplog.clear()

"""Content becomes parts by the conventions' schemas: every block and tool that Anthropic's API knows.

A response is recorded alike however it came: plain, or put together from the events of a stream.
"""

from __future__ import annotations

import json
import logging
import typing
from base64 import b64encode
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

import anthropic
import pytest
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from loopback import Json, ModelServer, Sse, Telemetry
from loopback.schemas import CONTENT, complaints
from opentelemetry_instrumentation_genai import AnthropicInstrumentor

INPUT, OUTPUT, SYSTEM, TOOLS = (
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
)
Content = dict[str, Any]
MODEL = "claude-test"
BYTES = b"\x89PNG not really"
BASE64 = b64encode(BYTES).decode()
FINGERPRINT = {"byte_size": len(BYTES), "sha256": sha256(BYTES).hexdigest()}
# What only the provider can read: it is of no use to a reader, and may be large. None of it may be recorded.
HUSH = "SHVzaCwgbm9ib2R5IG1heSByZWFkIHRoaXMu"
QUIET = {"open_telemetry": False} if hasattr(anthropic._base_client.BaseClient, "_tracer") else {}
USAGE: dict[str, Any] = {"input_tokens": 8, "output_tokens": 2}


def blob(modality: str, mime_type: str | None, **more: Any) -> dict[str, Any]:
    """The part that stands for `BYTES`."""
    return {"type": "blob", "modality": modality, "mime_type": mime_type, **FINGERPRINT, "content": "", **more}


def text(content: str, **more: Any) -> dict[str, Any]:
    """A text part."""
    return {"type": "text", "content": content, **more}


def message(*blocks: Any, **changes: Any) -> dict[str, Any]:
    """A response with these blocks."""
    known = {"id": "msg_1", "type": "message", "role": "assistant", "model": MODEL}
    ending = {"stop_reason": "end_turn", "stop_sequence": None, "usage": USAGE}
    return {**known, "content": list(blocks), **ending, **changes}


# What of a block comes in pieces: member -> the delta's type, and the member of the delta.
PIECES = {
    "text": ("text_delta", "text"),
    "thinking": ("thinking_delta", "thinking"),
    "signature": ("signature_delta", "signature"),
    "input": ("input_json_delta", "partial_json"),
}
IN_PIECES = {
    "text": ("text",),
    "thinking": ("thinking", "signature"),
    "tool_use": ("input",),
    "server_tool_use": ("input",),
    "mcp_tool_use": ("input",),
}


def events(whole: dict[str, Any]) -> list[dict[str, Any]]:
    """The stream that makes this response, as the API sends it."""
    usage = {**whole["usage"], "output_tokens": 1}
    start = {**whole, "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
    ending = {"stop_reason": whole["stop_reason"], "stop_sequence": whole["stop_sequence"]}
    return [
        {"type": "message_start", "message": start},
        {"type": "ping"},
        *(event for index, block in enumerate(whole["content"]) for event in _of_block(index, block)),
        {"type": "message_delta", "delta": ending, "usage": {"output_tokens": whole["usage"]["output_tokens"]}},
        {"type": "message_stop"},
    ]


def _of_block(index: int, block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    deltas = [*_deltas(block)]
    started = dict(block)
    for name in IN_PIECES.get(block["type"], ()):
        if name in started:
            started[name] = {} if name == "input" else ""
    if block["type"] == "compaction":
        started["content"] = None
    started.pop("citations", None)
    yield {"type": "content_block_start", "index": index, "content_block": started}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def _deltas(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for citation in block.get("citations") or ():
        yield {"type": "citations_delta", "citation": citation}
    if block["type"] == "compaction":
        hidden = {"encrypted_content": block["encrypted_content"]} if "encrypted_content" in block else {}
        yield {"type": "compaction_delta", "content": block["content"], **hidden}
    for name in IN_PIECES.get(block["type"], ()):
        if name in block:
            kind, member = PIECES[name]
            whole = json.dumps(block[name]) if name == "input" else block[name]
            middle = len(whole) // 2
            for piece in (whole[:middle], whole[middle:]):
                yield {"type": kind, member: piece}


def content_of(telemetry: Telemetry, *, closely: bool = True) -> Content:
    """The content of the one call, once it was seen to be the same and valid on span, event and wire."""
    attributes = telemetry.span.attributes or {}
    content = {name: json.loads(attributes[name], parse_constant=pytest.fail) for name in CONTENT if name in attributes}
    for name, value in content.items():
        assert [] == complaints(name, value, closely=closely)
    details = telemetry.events[0]
    assert content == {name: _plain(details.attributes[name]) for name in CONTENT if name in details.attributes}
    assert {name for name in attributes if name in CONTENT} == _exported(telemetry)
    return content


def _plain(value: Any) -> Any:
    """What the SDK keeps as tuples and mappings, as JSON has it."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    return {k: _plain(v) for k, v in value.items()} if hasattr(value, "items") else [_plain(v) for v in value]


def _exported(telemetry: Telemetry) -> set[str]:
    """The content that is still there once a backend has parsed what OTLP made of it."""
    spans = ExportTraceServiceRequest.FromString(encode_spans(telemetry.spans).SerializeToString())
    logs = ExportLogsServiceRequest.FromString(
        encode_logs(telemetry._log_exporter.get_finished_logs()).SerializeToString()
    )
    span = spans.resource_spans[0].scope_spans[0].spans[0]
    details = logs.resource_logs[0].scope_logs[0].log_records[0]
    keys = [{pair.key for pair in each.attributes if pair.key in CONTENT} for each in (span, details)]
    assert keys[0] == keys[1]
    return keys[0]


@pytest.fixture(autouse=True)
def nothing_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Neither the OpenTelemetry SDK nor its exporters complain of a value."""
    with caplog.at_level(logging.WARNING):
        yield
    assert [] == [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.fixture
def instrumented(telemetry: Telemetry) -> Telemetry:
    """With content on span and event."""
    AnthropicInstrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")
    return telemetry


@pytest.fixture
def client(server: ModelServer) -> Iterator[anthropic.Anthropic]:
    """A client of the model server."""
    http = anthropic.DefaultHttpxClient(verify=False)  # to load certificates takes longer than a test
    with anthropic.Anthropic(
        base_url=server.url, api_key="not-a-key", max_retries=0, http_client=http, **QUIET
    ) as made:
        yield made


@pytest.fixture
def ask(server: ModelServer, instrumented: Telemetry, client: Any) -> Callable[..., Content]:
    """A call with these members of the request; its content attributes."""

    def call(
        messages: Any = "Hi",
        answer: Any = None,
        *,
        stream: bool = False,
        beta: bool = False,
        closely: bool = True,
        **body: Any,
    ) -> Content:
        answer = answer or message({"type": "text", "text": "Hello"})
        server.reply(Sse(events(answer), event_names=True) if stream else Json(answer))
        given = [{"role": "user", "content": messages}] if isinstance(messages, str) else messages
        resource = client.beta.messages if beta else client.messages
        got = resource.create(model=MODEL, max_tokens=5, messages=given, stream=stream, extra_body=body)
        if stream:
            list(got)
        return content_of(instrumented, closely=closely)

    return call


PAGE = {"type": "web_search_result", "url": "https://example.com", "title": "T", "page_age": "1 day"}
FETCHED = {
    "type": "web_fetch_result",
    "url": "https://example.com/a.pdf",
    "retrieved_at": "2026-01-01T00:00:00Z",
    "content": {
        "type": "document",
        "title": "A",
        "source": {"type": "base64", "media_type": "application/pdf", "data": BASE64},
    },
}
FETCHED_TEXT = {
    **FETCHED,
    "content": {
        "type": "document",
        "title": "A",
        "source": {"type": "text", "media_type": "text/plain", "data": "Words."},
    },
}
CITED = {
    "type": "char_location",
    "cited_text": "so",
    "document_index": 0,
    "document_title": "D",
    "start_char_index": 1,
    "end_char_index": 3,
}
FOUND = {"type": "web_search_result_location", "url": "https://example.com", "title": "T", "cited_text": "so"}


def result(kind: str, content: Any, **more: Any) -> dict[str, Any]:
    """What a tool of the provider's gave, as the API says it."""
    return {"type": f"{kind}_tool_result", "tool_use_id": "srvtoolu_1", "content": content, **more}


def gave(kind: str, content: Any, **more: Any) -> dict[str, Any]:
    """The same as a part."""
    result = {"type": kind, "content": content, **more}
    return {"type": "server_tool_call_response", "id": "srvtoolu_1", "server_tool_call_response": result}


def used(name: str, **given: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A call of a tool of the provider's, and its part."""
    block = {"type": "server_tool_use", "id": "srvtoolu_1", "name": name, "input": given}
    call = {"type": name, "input": given}
    return block, {"type": "server_tool_call", "id": "srvtoolu_1", "name": name, "server_tool_call": call}


OUTPUT_OF_CODE = {"type": "code_execution_output", "file_id": "file_1"}
# Blocks that a model gives, and that are given again in the next request: each with its part.
BLOCKS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "text": ({"type": "text", "text": "Hi"}, text("Hi")),
    "no text": ({"type": "text", "text": ""}, text("")),
    "text beyond ASCII": ({"type": "text", "text": "Grüße, 世界 🌍"}, text("Grüße, 世界 🌍")),
    "citations": ({"type": "text", "text": "Hi", "citations": [CITED]}, text("Hi", citations=[CITED])),
    "citations of pages": (
        {"type": "text", "text": "Hi", "citations": [{**FOUND, "encrypted_index": HUSH}, CITED]},
        text("Hi", citations=[FOUND, CITED]),
    ),
    "thinking": (
        {"type": "thinking", "thinking": "Let me see.", "signature": HUSH},
        {"type": "reasoning", "content": "Let me see."},
    ),
    "thinking that is kept back": (
        {"type": "thinking", "thinking": "", "signature": HUSH},
        {"type": "reasoning", "content": ""},
    ),
    "redacted thinking": (
        {"type": "redacted_thinking", "data": HUSH},
        {"type": "reasoning", "content": "", "redacted": True},
    ),
    "a tool": (
        {"type": "tool_use", "id": "toolu_1", "name": "find", "input": {"n": 1, "deep": {"a": [1.5, 2.5], "b": True}}},
        {
            "type": "tool_call",
            "id": "toolu_1",
            "name": "find",
            "arguments": {"n": 1, "deep": {"a": [1.5, 2.5], "b": True}},
        },
    ),
    "a tool without input": (
        {"type": "tool_use", "id": "toolu_1", "name": "ping", "input": {}},
        {"type": "tool_call", "id": "toolu_1", "name": "ping", "arguments": {}},
    ),
    "web search": used("web_search", query="q"),
    "web fetch": used("web_fetch", url="https://example.com"),
    "code": used("code_execution", code="1 + 1"),
    "bash": used("bash_code_execution", command="ls"),
    "text editor": used("text_editor_code_execution", command="view", path="a.txt"),
    "tool search": used("tool_search_tool_regex", pattern="a.*"),
    "pages": (
        result("web_search", [{**PAGE, "encrypted_content": HUSH}]),
        gave("web_search", [PAGE]),
    ),
    "no pages": (
        result("web_search", {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"}),
        gave("web_search", {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"}),
    ),
    "a page in bytes": (
        result("web_fetch", FETCHED),
        gave("web_fetch", {**FETCHED, "content": blob("document", "application/pdf", title="A")}),
    ),
    "a page in words": (
        result("web_fetch", FETCHED_TEXT),
        gave(
            "web_fetch",
            {
                **FETCHED_TEXT,
                "content": {"type": "document", "content": "Words.", "mime_type": "text/plain", "title": "A"},
            },
        ),
    ),
    "no page": (
        result("web_fetch", {"type": "web_fetch_tool_result_error", "error_code": "unavailable"}),
        gave("web_fetch", {"type": "web_fetch_tool_result_error", "error_code": "unavailable"}),
    ),
    "what code gave": (
        result(
            "code_execution",
            {
                "type": "code_execution_result",
                "stdout": "2",
                "stderr": "",
                "return_code": 0,
                "content": [OUTPUT_OF_CODE],
            },
        ),
        gave(
            "code_execution",
            {
                "type": "code_execution_result",
                "stdout": "2",
                "stderr": "",
                "return_code": 0,
                "content": [OUTPUT_OF_CODE],
            },
        ),
    ),
    "what code gave, encrypted": (
        result(
            "code_execution",
            {
                "type": "encrypted_code_execution_result",
                "encrypted_stdout": HUSH,
                "stderr": "",
                "return_code": 0,
                "content": [],
            },
        ),
        gave(
            "code_execution",
            {"type": "encrypted_code_execution_result", "stderr": "", "return_code": 0, "content": []},
        ),
    ),
    "what bash gave": (
        result(
            "bash_code_execution",
            {
                "type": "bash_code_execution_result",
                "stdout": "a",
                "stderr": "b",
                "return_code": 1,
                "content": [{"type": "bash_code_execution_output", "file_id": "file_1"}],
            },
        ),
        gave(
            "bash_code_execution",
            {
                "type": "bash_code_execution_result",
                "stdout": "a",
                "stderr": "b",
                "return_code": 1,
                "content": [{"type": "bash_code_execution_output", "file_id": "file_1"}],
            },
        ),
    ),
    "what the editor showed": (
        result(
            "text_editor_code_execution",
            {
                "type": "text_editor_code_execution_view_result",
                "file_type": "text",
                "content": "Words.",
                "num_lines": 1,
            },
        ),
        gave(
            "text_editor_code_execution",
            {
                "type": "text_editor_code_execution_view_result",
                "file_type": "text",
                "content": "Words.",
                "num_lines": 1,
            },
        ),
    ),
    "tools that were found": (
        result(
            "tool_search",
            {
                "type": "tool_search_tool_search_result",
                "tool_references": [{"type": "tool_reference", "tool_name": "find"}],
            },
        ),
        gave(
            "tool_search",
            {
                "type": "tool_search_tool_search_result",
                "tool_references": [{"type": "tool_reference", "tool_name": "find"}],
            },
        ),
    ),
    "advice": (
        result("advisor", {"type": "advisor_result", "text": "Do it.", "stop_reason": "end_turn"}),
        gave("advisor", {"type": "advisor_result", "text": "Do it.", "stop_reason": "end_turn"}),
    ),
    "advice that is kept back": (
        result("advisor", {"type": "advisor_redacted_result", "encrypted_content": HUSH}),
        gave("advisor", {"type": "advisor_redacted_result"}),
    ),
    "an MCP server's tool": (
        {"type": "mcp_tool_use", "id": "mcptoolu_1", "name": "echo", "server_name": "tickets", "input": {"n": 1}},
        {
            "type": "server_tool_call",
            "id": "mcptoolu_1",
            "name": "echo",
            "server_tool_call": {"type": "mcp", "server_name": "tickets", "input": {"n": 1}},
        },
    ),
    "what an MCP server gave": (
        result("mcp", [{"type": "text", "text": "Hi"}], is_error=False),
        gave("mcp", [{"type": "text", "text": "Hi"}]),
    ),
    "what an MCP server failed with": (
        result("mcp", [{"type": "text", "text": "No."}], is_error=True),
        gave("mcp", [{"type": "text", "text": "No."}], is_error=True),
    ),
    "a file for the container": (
        {"type": "container_upload", "file_id": "file_1"},
        {"type": "file", "modality": "document", "mime_type": None, "file_id": "file_1"},
    ),
    "compaction": (
        {"type": "compaction", "content": "In short.", "encrypted_content": HUSH},
        {"type": "compaction", "content": "In short."},
    ),
    "what tomorrow brings": (
        {"type": "hologram", "beam": 7, "deep": {"a": ["a", "b"]}},
        {"type": "hologram", "beam": 7, "deep": {"a": ["a", "b"]}},
    ),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks_of_a_response(ask: Callable[..., Content], instrumented: Telemetry, name: str) -> None:
    """Each as the conventions have it; what nobody can read is left out, what is unknown is recorded as it is."""
    block, part = BLOCKS[name]

    content = ask(answer=message(block), beta=True)

    assert [{"role": "assistant", "parts": [part], "finish_reason": "stop"}] == content[OUTPUT]
    assert not leaks(instrumented)


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks_of_a_stream(ask: Callable[..., Content], instrumented: Telemetry, name: str) -> None:
    """Put together from its events, a response is recorded as the plain one."""
    block, part = BLOCKS[name]

    content = ask(answer=message(block), stream=True, beta=True)

    assert [{"role": "assistant", "parts": [part], "finish_reason": "stop"}] == content[OUTPUT]
    assert not leaks(instrumented)


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks_that_are_given_again(ask: Callable[..., Content], instrumented: Telemetry, name: str) -> None:
    """In the next request, a block is recorded as in the response; not so thinking that has only a signature."""
    block, part = BLOCKS[name]

    content = ask([{"role": "assistant", "content": [block]}, {"role": "user", "content": "Go on."}])

    parts = [] if name == "thinking that is kept back" else [part]
    assert {"role": "assistant", "parts": parts} == content[INPUT][0]
    assert not leaks(instrumented)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_all_blocks_at_once(ask: Callable[..., Content], stream: bool) -> None:
    """They come in their order, in one message."""
    content = ask(answer=message(*(block for block, _ in BLOCKS.values())), stream=stream, beta=True)

    assert [part for _, part in BLOCKS.values()] == content[OUTPUT][0]["parts"]


def leaks(telemetry: Telemetry) -> list[str]:
    """What was recorded and never may be."""
    everything = repr(telemetry.snapshot())
    return [secret for secret in (HUSH, BASE64) if secret in everything]


SOURCE = {"type": "base64", "media_type": "image/webp", "data": BASE64}
PDF = {"type": "base64", "media_type": "application/pdf", "data": BASE64}
IMAGE = {"type": "image", "source": SOURCE}
# Blocks that only a request has.
GIVEN: dict[str, tuple[Any, dict[str, Any]]] = {
    "an image": (IMAGE, blob("image", "image/webp")),
    "an image by URL": (
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
        {"type": "uri", "modality": "image", "mime_type": None, "uri": "https://example.com/a.png"},
    ),
    "an image by a data URL": (
        {"type": "image", "source": {"type": "url", "url": f"data:image/png;base64,{BASE64}"}},
        blob("image", "image/png"),
    ),
    "an image by file": (
        {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
        {"type": "file", "modality": "image", "mime_type": None, "file_id": "file_1"},
    ),
    "a document": ({"type": "document", "source": PDF}, blob("document", "application/pdf")),
    "a document with a title": (
        {
            "type": "document",
            "source": PDF,
            "title": "T",
            "context": "C",
            "citations": {"enabled": True},
            "cache_control": {"type": "ephemeral"},
        },
        blob("document", "application/pdf", title="T", context="C"),
    ),
    "a document by URL": (
        {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
        {"type": "uri", "modality": "document", "mime_type": None, "uri": "https://example.com/a.pdf"},
    ),
    "a document by file": (
        {"type": "document", "source": {"type": "file", "file_id": "file_1"}, "title": "T"},
        {"type": "file", "modality": "document", "mime_type": None, "file_id": "file_1", "title": "T"},
    ),
    "a document in words": (
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Words."}, "title": "T"},
        {"type": "document", "content": "Words.", "mime_type": "text/plain", "title": "T"},
    ),
    "a document in blocks": (
        {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "Words."}, IMAGE]}},
        {"type": "document", "content": [text("Words."), blob("image", "image/webp")]},
    ),
    "a document in one text": (
        {"type": "document", "source": {"type": "content", "content": "Words."}},
        {"type": "document", "content": [text("Words.")]},
    ),
    "a search result": (
        {"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "Words."}]},
        {"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "Words."}]},
    ),
    "an answer": (
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "rain"},
        {"type": "tool_call_response", "id": "toolu_1", "response": "rain"},
    ),
    "an answer in JSON": (
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": '{"a": 1}'},
        {"type": "tool_call_response", "id": "toolu_1", "response": '{"a": 1}'},
    ),
    "no answer": (
        {"type": "tool_result", "tool_use_id": "toolu_1"},
        {"type": "tool_call_response", "id": "toolu_1", "response": None},
    ),
    "a failure": (
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "No.", "is_error": True},
        {"type": "tool_call_response", "id": "toolu_1", "response": "No.", "is_error": True},
    ),
    "no failure": (
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "rain", "is_error": False},
        {"type": "tool_call_response", "id": "toolu_1", "response": "rain"},
    ),
    "an answer in blocks": (
        {
            "type": "tool_result",
            "tool_use_id": "toolu_1",
            "content": [{"type": "text", "text": "rain"}, IMAGE, {"type": "document", "source": PDF}],
        },
        {
            "type": "tool_call_response",
            "id": "toolu_1",
            "response": [text("rain"), blob("image", "image/webp"), blob("document", "application/pdf")],
        },
    ),
    "an answer that is a data URL": (
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": f"data:image/png;base64,{BASE64}"},
        {"type": "tool_call_response", "id": "toolu_1", "response": blob("image", "image/png")},
    ),
    "bytes without a type": (
        {"type": "image", "source": {"type": "base64", "data": BASE64}},
        blob("image", None),
    ),
    "bytes with line breaks": (
        {"type": "image", "source": {**SOURCE, "data": "\n".join((BASE64[:8], BASE64[8:]))}},
        blob("image", "image/webp"),
    ),
}


@pytest.mark.parametrize("name", GIVEN)
def test_blocks_of_a_request(ask: Callable[..., Content], instrumented: Telemetry, name: str) -> None:
    """Media by reference or by fingerprint, what tools gave by the call that they answer."""
    block, part = GIVEN[name]

    assert [{"role": "user", "parts": [part]}] == ask([{"role": "user", "content": [block]}])[INPUT]
    assert not leaks(instrumented)


# Bytes where nobody expects them: a type that is not known yet, an answer as JSON, a schema with an example.
HIDDEN: dict[str, dict[str, Any]] = {
    "an unknown block": {"messages": [{"role": "user", "content": [{"type": "scene", "source": SOURCE}]}]},
    "deep in an unknown block": {
        "messages": [{"role": "user", "content": [{"type": "scene", "views": [{"picture": {"source": SOURCE}}]}]}]
    },
    "a search result": {
        "messages": [{"role": "user", "content": [{"type": "search_result", "source": "s", "title": "t", "content": [IMAGE]}]}]
    },
    "a result of the provider's": {
        "messages": [{"role": "assistant", "content": [result("tomorrow", {"type": "x", "pictures": [IMAGE]})]}]
    },
    "what an MCP server gave": {"messages": [{"role": "assistant", "content": [result("mcp", [IMAGE])]}]},
    "what an MCP server gave, as MCP says it": {
        "messages": [
            {
                "role": "assistant",
                "content": [result("mcp", [{"type": "image", "data": BASE64, "mimeType": "image/png"}])],
            }
        ]
    },
    "what the editor showed": {
        "messages": [
            {
                "role": "assistant",
                "content": [
                    result(
                        "text_editor_code_execution",
                        {"type": "text_editor_code_execution_view_result", "file_type": "image", "content": BASE64},
                    )
                ],
            }
        ]
    },
    "a tool's input": {
        "messages": [
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"picture": f"data:image/png;base64,{BASE64}"}}],
            }
        ]
    },
    "a system prompt": {"system": [IMAGE]},
    "a tool's example": {"tools": [{"name": "f", "input_schema": {"type": "object"}, "input_examples": [{"a": SOURCE}]}]},
}  # fmt: skip


@pytest.mark.parametrize("name", HIDDEN)
def test_no_bytes_are_recorded(ask: Callable[..., Content], instrumented: Telemetry, name: str) -> None:
    """What comes in base64 is left out wherever it stands."""
    ask(**{"closely": False, **HIDDEN[name]})

    assert not leaks(instrumented)


UNREADABLE: dict[str, dict[str, Any]] = {
    "a signature": {"type": "thinking", "thinking": "Hm.", "signature": HUSH},
    "of a compaction": {"type": "compaction", "content": None, "encrypted_content": HUSH, "signature": HUSH},
    "an unknown block": {"type": "scene", "encrypted_content": HUSH},
    "an unknown block's signature": {"type": "scene", "signature": HUSH},
    "deep in a result": result("tomorrow", {"type": "x", "pages": [{"type": "y", "encrypted_content": HUSH}]}),
    "an index": {"type": "text", "text": "Hi", "citations": [{**FOUND, "encrypted_index": HUSH}]},
    "in an answer": {
        "type": "tool_result",
        "tool_use_id": "t",
        "content": [{"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "Hi", "citations": [{**FOUND, "encrypted_index": HUSH}]}]}],
    },
}  # fmt: skip


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_only_the_provider_can_read_is_not_recorded(
    ask: Callable[..., Content], instrumented: Telemetry, name: str
) -> None:
    """Signatures and encrypted content are large, and nobody else can make anything of them."""
    ask(
        [{"role": "assistant", "content": [UNREADABLE[name]]}],
        answer=message(UNREADABLE[name]),
        beta=True,
        closely=False,
    )

    assert not leaks(instrumented)


SYSTEMS: list[tuple[Any, list[dict[str, Any]] | None]] = [
    ("Be brief.", [text("Be brief.")]),
    ([{"type": "text", "text": "Be brief."}], [text("Be brief.")]),
    (
        [{"type": "text", "text": "Be", "cache_control": {"type": "ephemeral", "ttl": "1h"}}, {"type": "text", "text": "brief."}],
        [text("Be"), text("brief.")],
    ),
    ([{"type": "text", "text": "So.", "citations": [CITED]}], [text("So.", citations=[CITED])]),
    ([], None),
]  # fmt: skip


@pytest.mark.parametrize(("system", "expected"), SYSTEMS, ids=repr)
def test_system_prompts(ask: Callable[..., Content], system: Any, expected: Any) -> None:
    """They are system instructions, apart from the messages."""
    content = ask(system=system)

    assert expected == content.get(SYSTEM)
    assert ["user"] == [each["role"] for each in content[INPUT]]


MESSAGES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"role": "user", "content": "Hi"}, {"role": "user", "parts": [text("Hi")]}),
    ({"role": "user", "content": ""}, {"role": "user", "parts": [text("")]}),
    ({"role": "user", "content": []}, {"role": "user", "parts": []}),
    ({"role": "assistant", "content": "The answer is ("}, {"role": "assistant", "parts": [text("The answer is (")]}),
    ({"role": "system", "content": "Be brief."}, {"role": "system", "parts": [text("Be brief.")]}),
]


@pytest.mark.parametrize(("given", "expected"), MESSAGES, ids=repr)
def test_messages(ask: Callable[..., Content], given: Any, expected: Any) -> None:
    """Roles are as they were given; a text is one part."""
    assert [expected] == ask([given])[INPUT]


SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
DEFINITIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "custom": (
        {"name": "find", "description": "Finds.", "input_schema": SCHEMA},
        {"type": "function", "name": "find", "description": "Finds.", "parameters": SCHEMA},
    ),
    "custom by name": (
        {"type": "custom", "name": "find", "input_schema": SCHEMA, "cache_control": {"type": "ephemeral"}},
        {"type": "function", "name": "find", "parameters": SCHEMA, "cache_control": {"type": "ephemeral"}},
    ),
    "bash": ({"type": "bash_20250124", "name": "bash"}, {"type": "bash_20250124", "name": "bash"}),
    "web search": (
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 3, "allowed_domains": ["example.com"]},
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 3, "allowed_domains": ["example.com"]},
    ),
    "computer": (
        {"type": "computer_20250124", "name": "computer", "display_width_px": 8, "display_height_px": 6},
        {"type": "computer_20250124", "name": "computer", "display_width_px": 8, "display_height_px": 6},
    ),
    "tools of an MCP server": (
        {"type": "mcp_toolset", "mcp_server_name": "tickets"},
        {"type": "mcp_toolset", "mcp_server_name": "tickets", "name": "mcp_toolset"},
    ),
    "what tomorrow brings": ({"type": "tomorrow_2", "n": 1}, {"type": "tomorrow_2", "n": 1, "name": "tomorrow_2"}),
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_tools(ask: Callable[..., Content], name: str) -> None:
    """The caller's are functions; the provider's keep their types; each has a name, which the conventions want."""
    given, expected = DEFINITIONS[name]
    assert [expected] == ask(tools=[given])[TOOLS]


def _members(union: str) -> list[Any]:
    """The classes of a union of the SDK's; none where it has no such union."""
    return list(typing.get_args(getattr(anthropic.types.beta, union, None)))


@pytest.mark.parametrize("kind", _members("BetaToolUnionParam"), ids=lambda kind: kind.__name__)
def test_every_type_of_tool_that_this_sdk_knows(ask: Callable[..., Content], kind: Any) -> None:
    """A definition keeps its type, and has a name."""
    hints = typing.get_type_hints(kind)
    words = typing.get_args(hints["type"]) if "type" in hints else ()
    literal = next(
        (word for each in words for word in (typing.get_args(each) or (each,)) if isinstance(word, str)), None
    )
    if literal is None or literal == "custom":
        return
    (definition,) = ask(tools=[{"type": literal, "name": "n"}])[TOOLS]
    assert (literal, "n") == (definition["type"], definition["name"])


SERVERS: dict[str, dict[str, Any]] = {
    "a token": {"type": "url", "name": "tickets", "url": "https://mcp.example.com", "authorization_token": HUSH},
    "headers": {"type": "url", "name": "tickets", "url": "https://mcp.example.com", "headers": {"X-Key": HUSH}},
}


@pytest.mark.parametrize("name", SERVERS)
def test_credentials_of_mcp_servers_are_not_recorded(
    ask: Callable[..., Content], instrumented: Telemetry, name: str
) -> None:
    """The provider needs them; content capture is no leave to spread them."""
    (definition,) = ask(beta=True, mcp_servers=[SERVERS[name]])[TOOLS]

    assert ("url", "tickets") == (definition["type"], definition["name"])
    assert not leaks(instrumented)


REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_call",
    "refusal": "content_filter",
    "pause_turn": "pause_turn",
    "compaction": "compaction",
    "tomorrow": "tomorrow",
}


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("reason", REASONS)
def test_stop_reasons(ask: Callable[..., Content], instrumented: Telemetry, reason: str, stream: bool) -> None:
    """In the words of the conventions, and in the provider's; what is unknown keeps its word."""
    content = ask(answer=message({"type": "text", "text": "Hi"}, stop_reason=reason), stream=stream)

    assert REASONS[reason] == content[OUTPUT][0]["finish_reason"]
    attributes = instrumented.span.attributes
    assert ((REASONS[reason],), reason) == (
        attributes["gen_ai.response.finish_reasons"],
        attributes["anthropic.message.stop_reason"],
    )


# Usage: what the response has, and what is recorded.
COUNTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "small": (
        {"input_tokens": 8, "output_tokens": 2},
        {"gen_ai.usage.input_tokens": 8, "gen_ai.usage.output_tokens": 2},
    ),
    "zero": (
        {"input_tokens": 0, "output_tokens": 0, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0},
        {
            "gen_ai.usage.input_tokens": 0,
            "gen_ai.usage.output_tokens": 0,
            "gen_ai.usage.cache_read.input_tokens": 0,
            "gen_ai.usage.cache_write.input_tokens": 0,
            "gen_ai.usage.cache_creation.input_tokens": 0,
        },
    ),
    "null": (
        {"input_tokens": 8, "output_tokens": 2, "cache_read_input_tokens": None, "cache_creation_input_tokens": None},
        {"gen_ai.usage.input_tokens": 8, "gen_ai.usage.output_tokens": 2},
    ),
    "read from a cache": (
        {"input_tokens": 8, "output_tokens": 2, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 0},
        {
            "gen_ai.usage.input_tokens": 108,
            "gen_ai.usage.output_tokens": 2,
            "gen_ai.usage.cache_read.input_tokens": 100,
            "gen_ai.usage.cache_write.input_tokens": 0,
            "gen_ai.usage.cache_creation.input_tokens": 0,
        },
    ),
    "everything": (
        {
            "input_tokens": 8,
            "output_tokens": 20,
            "cache_read_input_tokens": 100,
            "cache_creation_input_tokens": 50,
            "cache_creation": {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 20},
            "output_tokens_details": {"thinking_tokens": 15},
            "service_tier": "priority",
            "server_tool_use": {"web_search_requests": 1},
        },
        {
            "gen_ai.usage.input_tokens": 158,
            "gen_ai.usage.output_tokens": 20,
            "gen_ai.usage.cache_read.input_tokens": 100,
            "gen_ai.usage.cache_write.input_tokens": 50,
            "gen_ai.usage.cache_creation.input_tokens": 50,
            "anthropic.usage.cache_creation.ephemeral_5m_input_tokens": 30,
            "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 20,
            "gen_ai.usage.reasoning.output_tokens": 15,
            "anthropic.response.service_tier": "priority",
        },
    ),
    "a compaction beside": (
        {
            "input_tokens": 8,
            "output_tokens": 2,
            "iterations": [
                {"type": "compaction", "input_tokens": 100, "cache_read_input_tokens": 5, "output_tokens": 30},
                {"type": "message", "input_tokens": 8, "output_tokens": 2},
            ],
        },
        {
            "gen_ai.usage.input_tokens": 8,
            "gen_ai.usage.output_tokens": 2,
            "anthropic.usage.compaction.input_tokens": 105,
            "anthropic.usage.compaction.output_tokens": 30,
        },
    ),
    "no numbers": ({"input_tokens": "8", "output_tokens": [2]}, {}),
}


def usage_of(telemetry: Telemetry) -> dict[str, Any]:
    """What a span tells of tokens and their price."""
    attributes = telemetry.span.attributes or {}
    return {name: value for name, value in attributes.items() if ".usage." in name or name.endswith(".service_tier")}


@pytest.fixture
def count(server: ModelServer, telemetry: Telemetry, client: Any) -> Callable[..., dict[str, Any]]:
    """A call that gets this answer; the usage recorded of it, on the span and in the metric alike."""

    def call(answer: Any) -> dict[str, Any]:
        AnthropicInstrumentor().instrument(**telemetry.providers)
        streamed = isinstance(answer, list)
        server.reply(Sse(answer, event_names=True) if streamed else Json(answer))
        asked: Any = {"model": MODEL, "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]}
        got = client.beta.messages.create(**asked, stream=streamed)
        if streamed:
            list(got)
        usage = usage_of(telemetry)
        points = telemetry.metrics.get("gen_ai.client.token.usage", ())
        recorded = {point.attributes["gen_ai.token.type"]: point.sum for point in points}
        kinds = ("input", "output")
        assert {
            kind: usage[f"gen_ai.usage.{kind}_tokens"] for kind in kinds if f"gen_ai.usage.{kind}_tokens" in usage
        } == recorded
        return usage

    return call


@pytest.mark.parametrize("name", COUNTS)
def test_usage(count: Callable[..., dict[str, Any]], name: str) -> None:
    """Input is all of it, cached or not; a cache's reads and writes are separate; what is missing is not zero."""
    usage, expected = COUNTS[name]
    recorded = count(message({"type": "text", "text": "Hi"}, usage=usage))
    assert expected == recorded
    assert all(type(expected[key]) is type(value) for key, value in recorded.items())


def streamed(first: dict[str, Any], last: dict[str, Any] | None) -> list[dict[str, Any]]:
    """A stream with this usage in `message_start` and `message_delta`; without the second, it is not finished."""
    whole = events(message({"type": "text", "text": "Hi"}))
    whole[0]["message"]["usage"] = first
    if last is None:
        return whole[:-2]
    whole[-2]["usage"] = last
    return whole


BEGUN = {
    "input_tokens": 8,
    "output_tokens": 1,
    "cache_read_input_tokens": 100,
    "cache_creation_input_tokens": 50,
    "cache_creation": {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 20},
    "service_tier": "standard",
}
INPUT_ATTRIBUTES = {
    "gen_ai.usage.input_tokens": 158,
    "gen_ai.usage.cache_read.input_tokens": 100,
    "gen_ai.usage.cache_write.input_tokens": 50,
    "gen_ai.usage.cache_creation.input_tokens": 50,
    "anthropic.usage.cache_creation.ephemeral_5m_input_tokens": 30,
    "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 20,
    "anthropic.response.service_tier": "standard",
}
STREAMED: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "output only": (BEGUN, {"output_tokens": 20}, {**INPUT_ATTRIBUTES, "gen_ai.usage.output_tokens": 20}),
    "input repeated": (
        BEGUN,
        {"input_tokens": 8, "output_tokens": 20, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 50},
        {**INPUT_ATTRIBUTES, "gen_ai.usage.output_tokens": 20},
    ),
    "input repeated as null": (
        BEGUN,
        {"input_tokens": None, "output_tokens": 20, "cache_read_input_tokens": None},
        {**INPUT_ATTRIBUTES, "gen_ai.usage.output_tokens": 20},
    ),
    "more input than at first": (
        BEGUN,
        {"input_tokens": 10, "output_tokens": 20},
        {**INPUT_ATTRIBUTES, "gen_ai.usage.input_tokens": 160, "gen_ai.usage.output_tokens": 20},
    ),
    "thinking": (
        BEGUN,
        {"output_tokens": 20, "output_tokens_details": {"thinking_tokens": 15}},
        {**INPUT_ATTRIBUTES, "gen_ai.usage.output_tokens": 20, "gen_ai.usage.reasoning.output_tokens": 15},
    ),
    "no output": (BEGUN, {"output_tokens": 0}, {**INPUT_ATTRIBUTES, "gen_ai.usage.output_tokens": 0}),
    "nothing at the end": (BEGUN, {}, INPUT_ATTRIBUTES),
    "not finished": (BEGUN, None, INPUT_ATTRIBUTES),
    "thinking, not finished": ({**BEGUN, "output_tokens_details": {"thinking_tokens": 1}}, None, INPUT_ATTRIBUTES),
}


@pytest.mark.parametrize("name", STREAMED)
def test_usage_of_streams(count: Callable[..., dict[str, Any]], name: str) -> None:
    """The last word counts, and what it leaves out stays as it was; what only stood in for a number is none."""
    first, last, expected = STREAMED[name]
    assert expected == count(streamed(first, last))


def test_tool_input_that_came_in_part(server: ModelServer, instrumented: Telemetry, client: Any) -> None:
    """JSON that is not whole is recorded as the text that was received."""
    call = {"type": "tool_use", "id": "toolu_1", "name": "find", "input": {"city": "Lima"}}
    begun = events(message(call, stop_reason="tool_use"))[:4]
    server.reply(Sse(begun, event_names=True))
    asked: Any = {"model": MODEL, "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]}

    list(client.messages.create(**asked, stream=True))

    (output,) = content_of(instrumented)[OUTPUT]
    received = begun[3]["delta"]["partial_json"]
    assert [{"type": "tool_call", "id": "toolu_1", "name": "find", "arguments": received}] == output["parts"]
    assert "error" == output["finish_reason"]

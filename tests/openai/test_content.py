"""Content becomes parts by the conventions' schemas: every part, item and tool that OpenAI's API knows."""

from __future__ import annotations

import json
import logging
import math
import typing
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import openai
import pydantic
import pytest
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from loopback import Json, ModelServer, Telemetry
from loopback.openai_bodies import MODEL, completion, response
from loopback.schemas import CONTENT, complaints
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

INPUT, OUTPUT, SYSTEM, TOOLS = (
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
)
Content = dict[str, Any]
BYTES = b"\x89PNG not really"
BASE64 = b64encode(BYTES).decode()
FINGERPRINT = {"byte_size": len(BYTES), "sha256": sha256(BYTES).hexdigest()}


def blob(modality: str, mime_type: str | None) -> dict[str, Any]:
    """The part that stands for `BYTES`."""
    return {"type": "blob", "modality": modality, "mime_type": mime_type, **FINGERPRINT, "content": ""}


def content_of(telemetry: Telemetry, *, closely: bool = True) -> Content:
    """The content of the one call, once it was seen to be the same and valid on span, event and wire."""
    attributes = telemetry.span.attributes or {}
    content = {name: json.loads(attributes[name], parse_constant=pytest.fail) for name in CONTENT if name in attributes}
    for name, value in content.items():
        assert [] == complaints(name, value, closely=closely)
    details = telemetry.events[0]
    assert content == {name: _plain(details.attributes[name]) for name in CONTENT if name in details.attributes}
    assert _keys(telemetry.span) == _exported_keys(telemetry)
    return content


def _plain(value: Any) -> Any:
    """What the SDK keeps as tuples and mappings, as JSON has it."""
    if isinstance(value, (str, int, float, type(None))):
        return value
    return {k: _plain(v) for k, v in value.items()} if hasattr(value, "items") else [_plain(v) for v in value]


def _keys(span: Any) -> set[str]:
    return {name for name in span.attributes if name in CONTENT}


def _exported_keys(telemetry: Telemetry) -> set[str]:
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
def nothing_is_logged(caplog: pytest.LogCaptureFixture) -> typing.Iterator[None]:
    """Neither the OpenTelemetry SDK nor its exporters complain of a value."""
    with caplog.at_level(logging.WARNING):
        yield
    assert [] == [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.fixture
def instrumented(telemetry: Telemetry) -> Telemetry:
    """With content on span and event."""
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")
    return telemetry


@pytest.fixture
def chat(server: ModelServer, instrumented: Telemetry, openai_client: Any) -> Callable[..., Content]:
    """A chat completion with these members of the request; its content attributes."""

    def ask(messages: Any = "Hi", answer: Any = None, *, closely: bool = True, **body: Any) -> Content:
        server.reply(Json(answer or completion()))
        given = [{"role": "user", "content": messages}] if isinstance(messages, str) else messages
        openai_client().chat.completions.create(model=MODEL, messages=given, extra_body=body)
        return content_of(instrumented, closely=closely)

    return ask


@pytest.fixture
def respond(server: ModelServer, instrumented: Telemetry, openai_client: Any) -> Callable[..., Content]:
    """The same of the Responses API, also where the SDK does not know it yet."""

    def ask(given: Any = "Hi", answer: Any = None, **body: Any) -> Content:
        server.reply(Json(answer or response()))
        openai_client().post("/responses", cast_to=object, body={"model": MODEL, "input": given, **body})
        return content_of(instrumented)

    return ask


# What a user's message can consist of.
CHAT_PARTS: list[tuple[Any, dict[str, Any]]] = [
    ({"type": "text", "text": "Hi"}, {"type": "text", "content": "Hi"}),
    ({"type": "text", "text": ""}, {"type": "text", "content": ""}),
    (
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}},
        {"type": "uri", "modality": "image", "mime_type": None, "uri": "https://example.com/a.png"},
    ),
    ({"type": "image_url", "image_url": {"url": f"data:image/webp;base64,{BASE64}"}}, blob("image", "image/webp")),
    (
        {"type": "image_url", "image_url": "https://example.com/a.png"},
        {"type": "uri", "modality": "image", "mime_type": None, "uri": "https://example.com/a.png"},
    ),
    ({"type": "input_audio", "input_audio": {"data": BASE64, "format": "mp3"}}, blob("audio", "audio/mp3")),
    (
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "file", "modality": "document", "mime_type": None, "file_id": "file-1"},
    ),
    (
        {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{BASE64}"}},
        blob("document", "application/pdf"),
    ),
    ({"type": "file", "file": {"file_data": BASE64}}, blob("document", None)),
    ({"type": "refusal", "refusal": "No."}, {"type": "refusal", "content": "No."}),
    ({"type": "hologram", "beam": 7}, {"type": "hologram", "beam": 7}),
    (
        {"type": "hologram", "beam": f"data:image/png;base64,{BASE64}"},
        {"type": "hologram", "beam": blob("image", "image/png")},
    ),
    ({"text": "no type"}, {"type": "unknown", "text": "no type"}),
    ("a text", {"type": "unknown", "content": "a text"}),
    ({"type": "image_url"}, {"type": "file", "modality": "image", "mime_type": None, "file_id": ""}),
]


@pytest.mark.parametrize(("part", "expected"), CHAT_PARTS, ids=lambda value: repr(value)[:50])
def test_parts_of_chat_messages(chat: Any, part: Any, expected: Any) -> None:
    """Each as the conventions have it; what is inline by its fingerprint, what is unknown as it is."""
    content = chat([{"role": "user", "content": [part]}])
    assert [{"role": "user", "parts": [expected]}] == content[INPUT]


CALL = {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": '{"n": 1}'}}
CUSTOM = {"id": "call_2", "type": "custom", "custom": {"name": "sum", "input": "1 + 1"}}
CALLED = {"type": "tool_call", "id": "call_1", "name": "find", "arguments": {"n": 1}}
CHAT_MESSAGES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    *[
        ({"role": role, "content": "Hi"}, {"role": role, "parts": [{"type": "text", "content": "Hi"}]})
        for role in ("developer", "system", "user", "assistant", "critic")
    ],
    (
        {"role": "user", "content": "Hi", "name": "ada"},
        {"role": "user", "parts": [{"type": "text", "content": "Hi"}], "name": "ada"},
    ),
    ({"content": "Hi"}, {"role": "user", "parts": [{"type": "text", "content": "Hi"}]}),
    (
        {"role": "assistant", "content": "See:", "tool_calls": [CALL, CUSTOM], "refusal": None},
        {
            "role": "assistant",
            "parts": [
                {"type": "text", "content": "See:"},
                CALLED,
                {"type": "tool_call", "id": "call_2", "name": "sum", "arguments": "1 + 1"},
            ],
        },
    ),
    ({"role": "assistant", "content": None, "tool_calls": [CALL]}, {"role": "assistant", "parts": [CALLED]}),
    (
        {"role": "assistant", "refusal": "No."},
        {"role": "assistant", "parts": [{"type": "refusal", "content": "No."}]},
    ),
    (
        {"role": "assistant", "content": "6", "reasoning_content": "2 x 3"},
        {"role": "assistant", "parts": [{"type": "reasoning", "content": "2 x 3"}, {"type": "text", "content": "6"}]},
    ),
    (
        {"role": "assistant", "audio": {"id": "audio_1"}},
        {
            "role": "assistant",
            "parts": [{"type": "file", "modality": "audio", "mime_type": None, "file_id": "audio_1"}],
        },
    ),
    (
        {"role": "tool", "tool_call_id": "call_1", "content": "found"},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": "found"}]},
    ),
    (
        {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "found"}]},
        {
            "role": "tool",
            "parts": [
                {"type": "tool_call_response", "id": "call_1", "response": [{"type": "text", "content": "found"}]}
            ],
        },
    ),
    (
        {"role": "function", "name": "find", "content": "found"},
        {
            "role": "function",
            "parts": [{"type": "tool_call_response", "id": None, "response": "found"}],
            "name": "find",
        },
    ),
]


@pytest.mark.parametrize(("message", "expected"), CHAT_MESSAGES, ids=lambda value: repr(value)[:50])
def test_chat_messages(chat: Any, message: Any, expected: Any) -> None:
    """Roles are as they were given; what a tool answered is a response to its call."""
    assert [expected] == chat([message])[INPUT]


@pytest.mark.parametrize("text", ["4", "true", '{"a": 1}', "null", "1e5"])
def test_the_input_of_a_custom_tool_is_a_text(chat: Any, text: str) -> None:
    """It has no JSON in it but by chance, and stays as it is."""
    call = {"id": "call_1", "type": "custom", "custom": {"name": "sum", "input": text}}
    (message,) = chat([{"role": "assistant", "tool_calls": [call]}])[INPUT]
    assert text == message["parts"][0]["arguments"]


# Items of the Responses API, and the parts that each becomes, whether it was received or is given again.
ITEMS: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [
    (
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi", "annotations": []}]},
        [{"type": "text", "content": "Hi"}],
    ),
    (
        {
            "type": "message",
            "role": "assistant",
            "content": [
                {
                    "type": "output_text",
                    "text": "Hi",
                    "annotations": [{"type": "file_path", "file_id": "f", "index": 0}],
                },
                {"type": "refusal", "refusal": "No."},
            ],
        },
        [
            {"type": "text", "content": "Hi", "annotations": [{"type": "file_path", "file_id": "f", "index": 0}]},
            {"type": "refusal", "content": "No."},
        ],
    ),
    (
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "In short."}],
            "content": [{"type": "reasoning_text", "text": "At length."}],
            "encrypted_content": "c2VjcmV0",
        },
        [{"type": "reasoning", "content": "In short.\nAt length.", "id": "rs_1"}],
    ),
    ({"type": "function_call", "call_id": "call_1", "name": "find", "arguments": '{"n": 1}'}, [CALLED]),
    (
        {"type": "custom_tool_call", "call_id": "call_1", "name": "sum", "input": "1 + 1"},
        [{"type": "tool_call", "id": "call_1", "name": "sum", "arguments": "1 + 1"}],
    ),
    (
        {
            "type": "computer_call",
            "id": "cu_1",
            "call_id": "call_1",
            "action": {"type": "click", "x": 1, "y": 2, "button": "left"},
        },
        [
            {
                "type": "tool_call",
                "id": "call_1",
                "name": "computer",
                "arguments": {"type": "click", "x": 1, "y": 2, "button": "left"},
            }
        ],
    ),
    (
        {"type": "computer_call", "id": "cu_2", "call_id": "call_1", "actions": [{"type": "screenshot"}]},
        [{"type": "tool_call", "id": "call_1", "name": "computer", "arguments": {"actions": [{"type": "screenshot"}]}}],
    ),
    (
        {"type": "local_shell_call", "id": "l", "call_id": "call_1", "action": {"type": "exec", "command": ["ls"]}},
        [
            {
                "type": "tool_call",
                "id": "call_1",
                "name": "local_shell",
                "arguments": {"type": "exec", "command": ["ls"]},
            }
        ],
    ),
    (
        {"type": "shell_call", "call_id": "call_1", "action": {"commands": ["ls"]}},
        [{"type": "tool_call", "id": "call_1", "name": "shell", "arguments": {"commands": ["ls"]}}],
    ),
    (
        {"type": "apply_patch_call", "call_id": "call_1", "operation": {"type": "delete_file", "path": "a"}},
        [
            {
                "type": "tool_call",
                "id": "call_1",
                "name": "apply_patch",
                "arguments": {"type": "delete_file", "path": "a"},
            }
        ],
    ),
    (
        {"type": "function_call_output", "call_id": "call_1", "output": "found"},
        [{"type": "tool_call_response", "id": "call_1", "response": "found"}],
    ),
    (
        {
            "type": "function_call_output",
            "call_id": "call_1",
            "output": [
                {"type": "input_text", "text": "found"},
                {"type": "input_image", "image_url": f"data:image/png;base64,{BASE64}"},
                {"type": "input_file", "file_id": "file-1"},
            ],
        },
        [
            {
                "type": "tool_call_response",
                "id": "call_1",
                "response": [
                    {"type": "text", "content": "found"},
                    blob("image", "image/png"),
                    {"type": "file", "modality": "document", "mime_type": None, "file_id": "file-1"},
                ],
            }
        ],
    ),
    (
        {"type": "custom_tool_call_output", "call_id": "call_1", "output": "2"},
        [{"type": "tool_call_response", "id": "call_1", "response": "2"}],
    ),
    (
        {
            "type": "computer_call_output",
            "call_id": "call_1",
            "output": {"type": "computer_screenshot", "file_id": "file-1"},
        },
        [
            {
                "type": "tool_call_response",
                "id": "call_1",
                "response": {"type": "file", "modality": "image", "mime_type": None, "file_id": "file-1"},
            }
        ],
    ),
    (
        {"type": "local_shell_call_output", "id": "call_1", "output": "a\nb"},
        [{"type": "tool_call_response", "id": "call_1", "response": "a\nb"}],
    ),
    (
        {
            "type": "shell_call_output",
            "call_id": "call_1",
            "output": [{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}],
        },
        [
            {
                "type": "tool_call_response",
                "id": "call_1",
                "response": [{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}],
            }
        ],
    ),
    (
        {"type": "apply_patch_call_output", "call_id": "call_1", "status": "failed", "output": "no such file"},
        [
            {
                "type": "tool_call_response",
                "id": "call_1",
                "response": {"status": "failed", "output": "no such file"},
            }
        ],
    ),
    (
        {"type": "web_search_call", "id": "s_1", "action": {"type": "search", "query": "tea"}, "status": "completed"},
        [
            {
                "type": "server_tool_call",
                "id": "s_1",
                "name": "web_search",
                "server_tool_call": {
                    "type": "web_search",
                    "action": {"type": "search", "query": "tea"},
                    "status": "completed",
                },
            }
        ],
    ),
    (
        {"type": "file_search_call", "id": "s_1", "queries": ["tea"], "results": [{"text": "green", "score": 0.5}]},
        [
            {
                "type": "server_tool_call",
                "id": "s_1",
                "name": "file_search",
                "server_tool_call": {"type": "file_search", "queries": ["tea"]},
            },
            {
                "type": "server_tool_call_response",
                "id": "s_1",
                "server_tool_call_response": {"type": "file_search", "results": [{"text": "green", "score": 0.5}]},
            },
        ],
    ),
    (
        {"type": "code_interpreter_call", "id": "s_1", "code": "1", "container_id": "c", "outputs": None},
        [
            {
                "type": "server_tool_call",
                "id": "s_1",
                "name": "code_interpreter",
                "server_tool_call": {"type": "code_interpreter", "code": "1", "container_id": "c"},
            }
        ],
    ),
    (
        {"type": "image_generation_call", "id": "s_1", "status": "completed", "result": BASE64},
        [
            {
                "type": "server_tool_call",
                "id": "s_1",
                "name": "image_generation",
                "server_tool_call": {"type": "image_generation", "status": "completed"},
            },
            {
                "type": "server_tool_call_response",
                "id": "s_1",
                "server_tool_call_response": {"type": "image_generation", "result": blob("image", None)},
            },
        ],
    ),
    (
        {"type": "mcp_call", "id": "s_1", "server_label": "t", "name": "find", "arguments": "{}", "output": "one"},
        [
            {
                "type": "server_tool_call",
                "id": "s_1",
                "name": "mcp",
                "server_tool_call": {"type": "mcp", "server_label": "t", "name": "find", "arguments": "{}"},
            },
            {
                "type": "server_tool_call_response",
                "id": "s_1",
                "server_tool_call_response": {"type": "mcp", "output": "one"},
            },
        ],
    ),
    (
        {"type": "mcp_list_tools", "id": "s_1", "server_label": "t", "tools": [{"name": "find", "input_schema": {}}]},
        [
            {
                "type": "server_tool_call",
                "id": "s_1",
                "name": "mcp_list_tools",
                "server_tool_call": {"type": "mcp_list_tools", "server_label": "t"},
            },
            {
                "type": "server_tool_call_response",
                "id": "s_1",
                "server_tool_call_response": {
                    "type": "mcp_list_tools",
                    "tools": [{"name": "find", "input_schema": {}}],
                },
            },
        ],
    ),
    (
        {"type": "mcp_approval_request", "id": "s_1", "server_label": "t", "name": "close", "arguments": "{}"},
        [{"type": "mcp_approval_request", "id": "s_1", "server_label": "t", "name": "close", "arguments": "{}"}],
    ),
    (
        {"type": "mcp_approval_response", "approval_request_id": "s_1", "approve": True},
        [{"type": "mcp_approval_response", "approval_request_id": "s_1", "approve": True}],
    ),
    (
        {"type": "tool_search_call", "id": "s_1", "execution": "server", "arguments": {"paths": ["crm"]}},
        [
            {
                "type": "server_tool_call",
                "id": "s_1",
                "name": "tool_search",
                "server_tool_call": {
                    "type": "tool_search",
                    "arguments": {"paths": ["crm"]},
                    "execution": "server",
                },
            }
        ],
    ),
    (
        {"type": "tool_search_call", "call_id": "call_1", "execution": "client", "arguments": {"goal": "x"}},
        [{"type": "tool_call", "id": "call_1", "name": "tool_search", "arguments": {"goal": "x"}}],
    ),
    (
        {
            "type": "tool_search_output",
            "id": "s_1",
            "execution": "server",
            "tools": [{"type": "function", "name": "f"}],
        },
        [
            {
                "type": "server_tool_call_response",
                "id": "s_1",
                "server_tool_call_response": {"type": "tool_search", "tools": [{"type": "function", "name": "f"}]},
            }
        ],
    ),
    (
        {"type": "program", "id": "p_1", "call_id": "call_1", "code": "1", "fingerprint": "f"},
        [
            {
                "type": "server_tool_call",
                "id": "call_1",
                "name": "program",
                "server_tool_call": {"type": "program", "code": "1"},
            }
        ],
    ),
    (
        {"type": "program_output", "id": "p_2", "call_id": "call_1", "result": "1", "status": "completed"},
        [
            {
                "type": "server_tool_call_response",
                "id": "call_1",
                "server_tool_call_response": {"type": "program", "result": "1", "status": "completed"},
            }
        ],
    ),
    ({"type": "compaction", "id": "c_1", "encrypted_content": "c2VjcmV0"}, [{"type": "compaction", "id": "c_1"}]),
    ({"type": "compaction_trigger"}, [{"type": "compaction_trigger"}]),
    ({"type": "item_reference", "id": "msg_1"}, [{"type": "item_reference", "id": "msg_1"}]),
    (
        {"type": "additional_tools", "role": "developer", "tools": [{"type": "function", "name": "f"}]},
        [{"type": "additional_tools", "role": "developer", "tools": [{"type": "function", "name": "f"}]}],
    ),
    (
        {"type": "configuration_update", "reasoning": {"effort": "low"}},
        [{"type": "configuration_update", "reasoning": {"effort": "low"}}],
    ),
    ({"type": "tomorrow", "n": [{"m": None}, {"m": 1}]}, [{"type": "tomorrow", "n": [{"m": None}, {"m": 1}]}]),
]
ITEM_IDS = [item["type"] for item, _ in ITEMS]
THOUGHT = {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "c2VjcmV0"}


@pytest.mark.parametrize(("item", "expected"), ITEMS, ids=ITEM_IDS)
def test_items_that_are_given(respond: Any, item: Any, expected: Any) -> None:
    """Each item of the input is a message with these parts."""
    (message,) = respond([item])[INPUT]
    assert expected == message["parts"]


@pytest.mark.parametrize(("item", "expected"), ITEMS, ids=ITEM_IDS)
def test_items_that_are_received(respond: Any, item: Any, expected: Any) -> None:
    """The items of a response are the parts of its one message, the same as when they are given again."""
    (message,) = respond(answer=response(output=[item]))[OUTPUT]
    assert expected == message["parts"]


def test_reasoning_that_is_received_encrypted_is_an_empty_part(respond: Any) -> None:
    """It says that the model thought, and where."""
    received = respond(answer=response(output=[THOUGHT]))[OUTPUT]
    assert [{"type": "reasoning", "content": "", "id": "rs_2"}] == received[0]["parts"]


def test_reasoning_that_is_given_again_encrypted_is_left_out(respond: Any) -> None:
    """No message and no part is empty; what was thought and can be read stays."""
    summary = {**THOUGHT, "summary": [{"type": "summary_text", "text": "In short."}]}
    assert [
        {"role": "user", "parts": [{"type": "text", "content": "Hi"}]},
        {"role": "assistant", "parts": [{"type": "reasoning", "content": "In short.", "id": "rs_2"}]},
    ] == respond([{"role": "user", "content": "Hi"}, THOUGHT, summary])[INPUT]


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # by the SDK, of its own models
@pytest.mark.parametrize(("item", "expected"), ITEMS, ids=ITEM_IDS)
def test_items_that_are_given_again_as_the_sdk_gave_them(
    server: ModelServer, instrumented: Telemetry, openai_client: Any, item: Any, expected: Any
) -> None:
    """`input=response.output` is how an application goes on: models are read as their JSON is."""
    client = openai_client()
    if not hasattr(client, "responses"):
        pytest.skip("this SDK has no Responses API")
    server.reply(Json(response(output=[item])), Json(response()))
    first = client.responses.create(model=MODEL, input="Hi")
    instrumented.clear()
    client.responses.create(model=MODEL, input=first.output)
    (message,) = content_of(instrumented)[INPUT]
    assert _without_null(expected) == _without_null(message["parts"])


def _without_null(value: Any) -> Any:
    """Some models have every member, null where it was not given."""
    if isinstance(value, dict):
        return {name: _without_null(entry) for name, entry in value.items() if entry is not None}
    return [_without_null(entry) for entry in value] if isinstance(value, list) else value


def _types(union: str) -> set[str]:
    """The `type` of every model in a union of the SDK's types."""
    types = pytest.importorskip("openai.types.responses", reason="this SDK has no Responses API")
    found = getattr(types, union, None)
    if found is None:
        pytest.skip(f"this SDK has no {union}")
    members = typing.get_args(typing.get_args(found)[0])
    named = {literal for member in members for literal in _literals(member.model_fields["type"].annotation)}
    return {name for name in named if isinstance(name, str)}


def _literals(annotation: Any) -> set[Any]:
    """The values that an annotation allows, through `Optional` as well."""
    if typing.get_origin(annotation) is typing.Literal:
        return set(typing.get_args(annotation))
    return {value for inner in typing.get_args(annotation) for value in _literals(inner)}


@pytest.mark.parametrize("union", ["ResponseInputItem", "ResponseOutputItem"])
def test_every_type_of_item_has_a_row(union: str) -> None:
    """A new SDK may know a new one."""
    assert set() == _types(union) - set(ITEM_IDS)


ROLES = [
    ({"role": "user", "content": "Hi"}, "user"),
    ({"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Hi"}]}, "developer"),
    ({"role": "system", "content": "Hi"}, "system"),
    ({"role": "assistant", "content": "Hi"}, "assistant"),
    ({"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "In short."}]}, "assistant"),
    ({"type": "function_call", "call_id": "c", "name": "f", "arguments": ""}, "assistant"),
    ({"type": "function_call_output", "call_id": "c", "output": ""}, "tool"),
    ({"type": "custom_tool_call_output", "call_id": "c", "output": ""}, "tool"),
    ({"type": "computer_call_output", "call_id": "c", "output": {}}, "tool"),
    ({"type": "local_shell_call_output", "id": "c", "output": ""}, "tool"),
    ({"type": "shell_call_output", "call_id": "c", "output": []}, "tool"),
    ({"type": "apply_patch_call_output", "call_id": "c", "status": "completed"}, "tool"),
    ({"type": "tool_search_output", "call_id": "c", "execution": "client", "tools": []}, "tool"),
    ({"type": "web_search_call", "id": "s", "action": {}}, "assistant"),
    ({"type": "mcp_approval_request", "id": "m"}, "assistant"),
    ({"type": "mcp_approval_response", "approval_request_id": "m", "approve": True}, "user"),
    ({"type": "additional_tools", "role": "developer", "tools": []}, "developer"),
]


@pytest.mark.parametrize(("item", "role"), ROLES, ids=lambda value: repr(value)[:50])
def test_an_item_is_recorded_with_the_role_of_its_author(respond: Any, item: Any, role: str) -> None:
    """The model, a tool of the application, or the application itself."""
    (message,) = respond([item])[INPUT]
    assert role == message["role"]


CONTENT_PARTS = [
    ({"type": "input_text", "text": "Hi"}, {"type": "text", "content": "Hi"}),
    (
        {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "auto"},
        {"type": "uri", "modality": "image", "mime_type": None, "uri": "https://example.com/a.png"},
    ),
    ({"type": "input_image", "image_url": f"data:image/png;base64,{BASE64}"}, blob("image", "image/png")),
    (
        {"type": "input_image", "file_id": "file-1"},
        {"type": "file", "modality": "image", "mime_type": None, "file_id": "file-1"},
    ),
    (
        {"type": "input_file", "file_id": "file-1"},
        {"type": "file", "modality": "document", "mime_type": None, "file_id": "file-1"},
    ),
    (
        {"type": "input_file", "file_url": "https://example.com/a.pdf"},
        {"type": "uri", "modality": "document", "mime_type": None, "uri": "https://example.com/a.pdf"},
    ),
    (
        {"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{BASE64}"},
        blob("document", "application/pdf"),
    ),
    ({"type": "input_file", "filename": "a.bin", "file_data": BASE64}, blob("document", None)),
    ({"type": "input_audio", "input_audio": {"data": BASE64, "format": "wav"}}, blob("audio", "audio/wav")),
    ({"type": "input_smell", "strength": 3}, {"type": "input_smell", "strength": 3}),
]


@pytest.mark.parametrize(("part", "expected"), CONTENT_PARTS, ids=lambda value: repr(value)[:50])
def test_parts_of_input_messages(respond: Any, part: Any, expected: Any) -> None:
    """Each as the conventions have it."""
    assert [{"role": "user", "parts": [expected]}] == respond([{"role": "user", "content": [part]}])[INPUT]


def test_instructions_are_system_instructions(respond: Any) -> None:
    """They come apart from the messages."""
    content = respond(instructions="Be brief.")
    assert [{"type": "text", "content": "Be brief."}] == content[SYSTEM]
    assert ["user"] == [message["role"] for message in content[INPUT]]


FUNCTION = {
    "name": "find",
    "description": "Finds.",
    "parameters": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
    "strict": True,
}
CHAT_TOOLS = [
    ({"type": "function", "function": FUNCTION}, {"type": "function", **FUNCTION}),
    ({"type": "function", "function": {"name": "ping"}}, {"type": "function", "name": "ping"}),
    (
        {"type": "custom", "custom": {"name": "sum", "format": {"type": "text"}}},
        {"type": "custom", "name": "sum", "format": {"type": "text"}},
    ),
    ({"type": "builtin"}, {"type": "builtin", "name": "builtin"}),
]


@pytest.mark.parametrize(("tool", "expected"), CHAT_TOOLS, ids=lambda value: repr(value)[:50])
def test_tools_of_chat_completions(chat: Any, tool: Any, expected: Any) -> None:
    """Flat, by the conventions' schema."""
    assert [expected] == chat(tools=[tool])[TOOLS]


def test_functions_of_old_are_tools(chat: Any) -> None:
    """The deprecated form of the same."""
    assert [{"type": "function", **FUNCTION}] == chat(functions=[FUNCTION])[TOOLS]


RESPONSES_TOOLS: list[tuple[dict[str, Any], str]] = [
    ({"type": "function", **FUNCTION}, "find"),
    ({"type": "custom", "name": "sum", "description": "Adds.", "format": {"type": "text"}}, "sum"),
    ({"type": "file_search", "vector_store_ids": ["vs_1"], "max_num_results": 3}, "file_search"),
    ({"type": "web_search", "search_context_size": "low"}, "web_search"),
    ({"type": "web_search_2025_08_26"}, "web_search_2025_08_26"),
    ({"type": "web_search_preview"}, "web_search_preview"),
    ({"type": "web_search_preview_2025_03_11"}, "web_search_preview_2025_03_11"),
    ({"type": "computer"}, "computer"),
    (
        {"type": "computer_use_preview", "display_width": 8, "display_height": 6, "environment": "mac"},
        "computer_use_preview",
    ),
    ({"type": "mcp", "server_label": "tickets", "server_url": "https://mcp.example.com"}, "tickets"),
    ({"type": "code_interpreter", "container": {"type": "auto"}}, "code_interpreter"),
    ({"type": "programmatic_tool_calling"}, "programmatic_tool_calling"),
    ({"type": "image_generation", "size": "auto"}, "image_generation"),
    ({"type": "local_shell"}, "local_shell"),
    ({"type": "shell", "environment": {"type": "local"}}, "shell"),
    ({"type": "apply_patch"}, "apply_patch"),
    ({"type": "tool_search", "execution": "server"}, "tool_search"),
    ({"type": "namespace", "name": "crm", "description": "c", "tools": [{"type": "function", "name": "f"}]}, "crm"),
    ({"type": "tomorrow", "n": 1}, "tomorrow"),
]


@pytest.mark.parametrize(("tool", "name"), RESPONSES_TOOLS, ids=[tool["type"] for tool, _ in RESPONSES_TOOLS])
def test_tools_of_responses(respond: Any, tool: Any, name: str) -> None:
    """As they were given, with a name, which the conventions want."""
    assert [{**tool, "name": name}] == respond(tools=[tool])[TOOLS]


def test_every_type_of_tool_has_a_row() -> None:
    """A new SDK may know a new one."""
    assert set() == _types("Tool") - {tool["type"] for tool, _ in RESPONSES_TOOLS}


CREDENTIALS = [
    {"type": "mcp", "server_label": "t", "authorization": "hush"},
    {"type": "mcp", "server_label": "t", "headers": {"X-Api-Key": "hush"}},
    {
        "type": "shell",
        "environment": {
            "type": "container_auto",
            "network_policy": {
                "type": "allowlist",
                "allowed_domains": ["example.com"],
                "domain_secrets": [{"domain": "example.com", "name": "KEY", "value": "hush"}],
            },
        },
    },
]


@pytest.mark.parametrize("tool", CREDENTIALS, ids=["authorization", "headers", "domain secrets"])
def test_credentials_of_tools_are_not_recorded(respond: Any, instrumented: Telemetry, tool: Any) -> None:
    """The provider needs them; content capture is no leave to spread them."""
    server_tools = respond(tools=[tool])[TOOLS]
    assert [tool["type"]] == [definition["type"] for definition in server_tools]
    assert "hush" not in repr(instrumented.snapshot())


@pytest.mark.parametrize(
    "sent",
    [
        {"messages": [{"role": "user", "content": [part for part, _ in CHAT_PARTS]}]},
        {"messages": [{"role": "tool", "tool_call_id": "c", "content": f"data:image/png;base64,{BASE64}"}]},
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"default": f"data:image/png;base64,{BASE64}"}}}]},
    ],
    ids=["parts", "a tool's answer", "a tool"],
)  # fmt: skip
def test_no_bytes_are_recorded(chat: Any, instrumented: Telemetry, sent: Any) -> None:
    """What comes inline is left out wherever it stands, also where a text is all that the API takes."""
    chat(**sent)
    assert BASE64 not in repr(instrumented.snapshot())


@pytest.mark.parametrize(
    "item",
    [
        {"type": "function_call_output", "call_id": "c", "output": f"data:image/png;base64,{BASE64}"},
        {"type": "computer_call_output", "call_id": "c", "output": {"type": "computer_screenshot", "image_url": f"data:image/png;base64,{BASE64}"}},
        {"type": "image_generation_call", "id": "i", "result": BASE64},
        {"type": "code_interpreter_call", "id": "c", "outputs": [{"type": "image", "url": f"data:image/png;base64,{BASE64}"}]},
        {"type": "mcp_call", "id": "m", "output": f"data:image/png;base64,{BASE64}"},
        {"type": "tomorrow", "picture": {"deep": [f"data:image/png;base64,{BASE64}"]}},
    ],
    ids=lambda item: item["type"],
)  # fmt: skip
def test_no_bytes_of_items_are_recorded(respond: Any, instrumented: Telemetry, item: Any) -> None:
    """Given or received."""
    respond([item], answer=response(output=[item]))
    assert BASE64 not in repr(instrumented.snapshot())


def test_messages_of_the_sdk_are_read_as_their_json(
    server: ModelServer, instrumented: Telemetry, openai_client: Any
) -> None:
    """`messages.append(completion.choices[0].message)` is how an application goes on."""
    message = {"role": "assistant", "content": "See:", "refusal": None, "tool_calls": [CALL]}
    server.reply(
        Json(completion(choices=[{"index": 0, "finish_reason": "tool_calls", "message": message}])), Json(completion())
    )
    client = openai_client()
    answer = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Hi"}])
    instrumented.clear()
    client.chat.completions.create(model=MODEL, messages=[answer.choices[0].message])
    assert [{"role": "assistant", "parts": [{"type": "text", "content": "See:"}, CALLED]}] == content_of(instrumented)[
        INPUT
    ]


class Model(pydantic.BaseModel):
    """A model of the application's own."""

    city: str = "Lima"


def nested(depth: int) -> Any:
    """A list in a list in a list."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def circle() -> dict[str, Any]:
    """A dict that holds itself."""
    value: dict[str, Any] = {"type": "text"}
    value["text"] = value
    return value


# Each made anew for each call: some can be read only once.
HOSTILE: dict[str, Callable[[], Any]] = {
    "a lone surrogate": lambda: "\ud800",
    "not a number": lambda: math.nan,
    "too large for 64 bits": lambda: 1 << 70,
    "bytes": lambda: BYTES,
    "an object": object,
    "a class": lambda: Model,
    "a model": Model,
    "a circle": circle,
    "a hundred levels": lambda: nested(100),
    "ten thousand levels": lambda: nested(10_000),
    "a generator": lambda: ({"type": "text", "text": text} for text in ("one", "two")),
    "an iterator": lambda: iter([{"type": "text", "text": "one"}]),
    "a tuple": lambda: ({"type": "text", "text": "one"},),
    "a set": lambda: {"one"},
    "numbers as keys": lambda: {1: 2},
    "a number": lambda: 7,
    "true": lambda: True,
    "the SDK's sentinel": lambda: openai.NOT_GIVEN,
}
PLACES: dict[str, Callable[[Any], Any]] = {
    "content": lambda value: [{"role": "user", "content": value}],
    "a text": lambda value: [{"role": "user", "content": [{"type": "text", "text": value}]}],
    "a part": lambda value: [{"role": "user", "content": [value]}],
    "an image": lambda value: [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": value}}]}],
    "an unknown part": lambda value: [{"role": "user", "content": [{"type": "tomorrow", "beam": value}]}],
    "arguments": lambda value: [
        {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": value}}]}
    ],
    "a tool's answer": lambda value: [{"role": "tool", "tool_call_id": "c", "content": value}],
    "a role": lambda value: [{"role": value, "content": "Hi"}],
    "a name": lambda value: [{"role": "user", "content": "Hi", "name": value}],
    "an id": lambda value: [{"role": "tool", "content": "Hi", "tool_call_id": value}],
    "a message": lambda value: [value],
    "messages": lambda value: value,
}


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("place", PLACES)
def test_odd_values_change_nothing_and_are_recorded_as_json(
    server: ModelServer, telemetry: Telemetry, openai_client: Any, place: str, hostile: str
) -> None:
    """The SDK sends what it would, or raises what it would; what is recorded is valid, and arrives."""

    def attempt() -> Any:
        server.reset()
        server.reply(Json(completion()))
        try:
            openai_client().chat.completions.create(model=MODEL, messages=PLACES[place](HOSTILE[hostile]()))
        except Exception as error:
            return type(error)
        return server.requests[0].body

    bare = attempt()
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")
    assert bare == attempt()
    if telemetry.spans:
        content_of(telemetry, closely=False)  # what makes no sense in a part leaves the part without any


DEEP = {
    "arguments": lambda depth: {"tool_calls": [{**CALL, "function": {"name": "f", "arguments": "[" * depth + "]" * depth}}]},
    "content": lambda depth: {"content": nested(depth)},
    "an annotation": lambda depth: {"content": "Hi", "annotations": [{"type": "x", "y": nested(depth)}]},
}  # fmt: skip


@pytest.mark.parametrize("depth", [20, 40, 100, 400])
@pytest.mark.parametrize("place", DEEP)
def test_deep_values_arrive(chat: Any, place: str, depth: int) -> None:
    """Parsers of OTLP take some thirty levels of objects; what is deeper is cut there, and the rest arrives."""
    message = {"role": "assistant", "content": None, **DEEP[place](depth)}
    content = chat(answer=completion(choices=[{"index": 0, "finish_reason": "stop", "message": message}]))
    assert {INPUT, OUTPUT} == content.keys()


@pytest.mark.parametrize("depth", [5, 10, 20, 60])
def test_deep_schemas_of_tools_arrive(chat: Any, depth: int) -> None:
    """Each level of a JSON schema is two of JSON."""
    schema: dict[str, Any] = {"type": "integer"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"deeper": schema}}
    content = chat(tools=[{"type": "function", "function": {"name": "f", "parameters": schema}}], closely=False)
    assert "f" == content[TOOLS][0]["name"]

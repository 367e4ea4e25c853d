"""Content of the `google-genai` SDK: parts of every kind become parts of the conventions, on the way out and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from inline_snapshot import snapshot

pytest.importorskip("google.genai")

import google.genai
from google.genai import types

from google_callers import Caller
from loopback import Json, ModelServer, Telemetry
from loopback.google_bodies import MODEL, candidate, response
from opentelemetry_instrumentation_genai import GoogleGenAIInstrumentor

PIXELS = bytes(range(64))
GIVEN: list[Any] = [
    types.Content(
        role="user",
        parts=[
            types.Part(text="What is this?"),
            types.Part.from_bytes(data=PIXELS, mime_type="image/png"),
            types.Part.from_bytes(data=PIXELS, mime_type="audio/wav"),
            types.Part.from_bytes(data=PIXELS, mime_type="application/pdf"),
            types.Part.from_uri(file_uri="gs://bucket/film.mp4", mime_type="video/mp4"),
        ],
    ),
    types.Content(
        role="model",
        parts=[
            types.Part(text="I have to look.", thought=True),
            types.Part(function_call=types.FunctionCall(id="call-1", name="look", args={"where": "here"})),
        ],
    ),
    types.Content(
        role="user",
        parts=[
            types.Part(function_response=types.FunctionResponse(id="call-1", name="look", response={"result": "a cat"}))
        ],
    ),
]
RECEIVED = [
    {"text": "Computing.", "thought": True, "thoughtSignature": "c2lnbmF0dXJl"},
    {"thoughtSignature": "c2lnbmF0dXJl"},
    {"executableCode": {"language": "PYTHON", "code": "print(1)"}},
    {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n"}},
    {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}},
    {"functionCall": {"name": "look", "args": {"where": "there"}}},
    {"text": "It is one."},
    {"somethingNew": {"value": 1}},
]


def recorded(server: ModelServer, telemetry: Telemetry, received: list[Any], **settings: Any) -> dict[str, Any]:
    """The content of a call on its span."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only", **settings)
    server.reply(Json(response(candidate(*received))))
    disabled = types.AutomaticFunctionCallingConfig(disable=True)
    config = types.GenerateContentConfig(
        system_instruction=["Be brief.", "Be kind."],
        automatic_function_calling=disabled,
        tools=[look, types.Tool(code_execution=types.ToolCodeExecution())],
    )
    Caller(server)("generate_content", model=MODEL, contents=GIVEN, config=config)
    attributes = telemetry.span.attributes
    names = ("input.messages", "output.messages", "system_instructions", "tool.definitions")
    return {name: json.loads(attributes[f"gen_ai.{name}"]) for name in names}


def look(where: str) -> str:
    """Look somewhere."""
    return where


@pytest.mark.skipif(google.genai.__version__.startswith("1."), reason="this SDK makes another schema of a function")
def test_parts_of_every_kind(server: ModelServer, telemetry: Telemetry):
    """Media are blobs without their bytes, thoughts are reasoning, and the provider's own tools are tools of the server."""
    assert recorded(server, telemetry, RECEIVED) == snapshot(
        {
            "input.messages": [
                {
                    "role": "user",
                    "parts": [
                        {"type": "text", "content": "What is this?"},
                        {
                            "type": "blob",
                            "modality": "image",
                            "mime_type": "image/png",
                            "byte_size": 64,
                            "sha256": "fdeab9acf3710362bd2658cdc9a29e8f9c757fcf9811603a8c447cd1d9151108",
                            "content": "",
                        },
                        {
                            "type": "blob",
                            "modality": "audio",
                            "mime_type": "audio/wav",
                            "byte_size": 64,
                            "sha256": "fdeab9acf3710362bd2658cdc9a29e8f9c757fcf9811603a8c447cd1d9151108",
                            "content": "",
                        },
                        {
                            "type": "blob",
                            "modality": "document",
                            "mime_type": "application/pdf",
                            "byte_size": 64,
                            "sha256": "fdeab9acf3710362bd2658cdc9a29e8f9c757fcf9811603a8c447cd1d9151108",
                            "content": "",
                        },
                        {"type": "uri", "modality": "video", "mime_type": "video/mp4", "uri": "gs://bucket/film.mp4"},
                    ],
                },
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "reasoning", "content": "I have to look."},
                        {"type": "tool_call", "id": "call-1", "name": "look", "arguments": {"where": "here"}},
                    ],
                },
                {
                    "role": "user",
                    "parts": [
                        {"type": "tool_call_response", "id": "call-1", "response": {"result": "a cat"}, "name": "look"}
                    ],
                },
            ],
            "output.messages": [
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "reasoning", "content": "Computing."},
                        {
                            "type": "server_tool_call",
                            "id": None,
                            "name": "code_execution",
                            "server_tool_call": {"type": "code_execution", "language": "PYTHON", "code": "print(1)"},
                        },
                        {
                            "type": "server_tool_call_response",
                            "id": None,
                            "server_tool_call_response": {
                                "type": "code_execution",
                                "outcome": "OUTCOME_OK",
                                "output": "1\n",
                            },
                        },
                        {
                            "type": "blob",
                            "modality": "image",
                            "mime_type": "image/png",
                            "byte_size": 8,
                            "sha256": "4c4b6a3be1314ab86138bef4314dde022e600960d8689a2c8f8631802d20dab6",
                            "content": "",
                        },
                        {"type": "tool_call", "id": None, "name": "look", "arguments": {"where": "there"}},
                        {"type": "text", "content": "It is one."},
                        {"somethingNew": {"value": 1}, "type": "somethingNew"},
                    ],
                    "finish_reason": "tool_call",
                }
            ],
            "system_instructions": [{"type": "text", "content": "Be brief."}, {"type": "text", "content": "Be kind."}],
            "tool.definitions": [
                {"type": "codeExecution", "name": "codeExecution"},
                {
                    "type": "function",
                    "name": "look",
                    "description": "Look somewhere.",
                    "parameters": {
                        "type": "object",
                        "properties": {"where": {"type": "string"}},
                        "required": ["where"],
                    },
                },
            ],
        }
    )


def test_bytes_on_request(server: ModelServer, telemetry: Telemetry):
    """With the setting for it, blobs have their bytes."""
    found = recorded(server, telemetry, RECEIVED, capture_binary=True)
    (blob,) = [part for part in found["output.messages"][0]["parts"] if part["type"] == "blob"]
    assert blob["content"] == "iVBORw0KGgo="


def test_settings_of_tools_are_left_out(server: ModelServer, telemetry: Telemetry):
    """Tools of the provider are named only: their settings may have keys in them."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    server.reply(Json(response()))
    body = {"contents": [], "tools": [{"exaAiSearch": {"apiKey": "key-of-the-search"}, "mcp_servers": [{"name": "m"}]}]}
    client = Caller(server).client()
    client._api_client.request("post", f"models/{MODEL}:generateContent", body)
    client._api_client._httpx_client.close()
    assert json.loads(telemetry.span.attributes["gen_ai.tool.definitions"]) == [
        {"type": "exaAiSearch", "name": "exaAiSearch"},
        {"type": "mcpServers", "name": "mcpServers"},
    ]


ODD: list[Any] = [
    None,
    "text",
    [],
    [None],
    ["text"],
    [{"parts": "text"}],
    [{"parts": [None, 1, "text", {"text": 1}, {"inlineData": None}, {"inlineData": 1}, {"fileData": {}}]}],
    [{"role": 1, "parts": [{"functionCall": {}}, {"functionCall": "x"}, {"functionResponse": []}]}],
    [{"parts": [{"executableCode": 1, "text": None}, {"toolCall": {}}, {"toolResponse": {}}]}],
]


@pytest.mark.parametrize("odd", ODD)
def test_odd_requests(server: ModelServer, telemetry: Telemetry, odd: Any):
    """Whatever is sent, there is one span with its content, and nothing of ours fails."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers, capture_message_content=True)
    server.reply(Json(response(*[{"content": one} for one in odd or ()] if isinstance(odd, list) else ())))
    body = {"contents": odd, "systemInstruction": odd, "tools": odd, "generationConfig": odd}
    client = Caller(server).client()
    client._api_client.request("post", f"models/{MODEL}:generateContent", body)
    client._api_client._httpx_client.close()
    assert telemetry.span.status.is_unset

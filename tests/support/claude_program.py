"""The command-line program of the Claude Agent SDK, played: it answers each prompt with the messages of a script."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator
from typing import Any

import anyio
from claude_agent_sdk import Transport

MODEL = "claude-sonnet-5"
SESSION = "11111111-2222-3333-4444-555555555555"


def text(content: str) -> dict[str, Any]:
    """A block of text."""
    return {"type": "text", "text": content}


def use(identity: str, name: str, **given: Any) -> dict[str, Any]:
    """A block that uses a tool."""
    return {"type": "tool_use", "id": identity, "name": name, "input": given}


def assistant(*blocks: dict[str, Any], identity: str = "msg_1", parent: str | None = None) -> dict[str, Any]:
    """A message of the model: in part, as the program sends each block of an answer by itself."""
    message = {
        "id": identity,
        "role": "assistant",
        "model": MODEL,
        "content": list(blocks),
        "usage": {"input_tokens": 1},
    }
    return {"type": "assistant", "message": message, "parent_tool_use_id": parent, "session_id": SESSION, "uuid": "u"}


def answer(identity: str, content: Any, parent: str | None = None, **more: Any) -> dict[str, Any]:
    """The result of a tool."""
    block = {"type": "tool_result", "tool_use_id": identity, "content": content, **more}
    message = {"role": "user", "content": [block]}
    return {"type": "user", "message": message, "parent_tool_use_id": parent, "session_id": SESSION}


def totals(given: int, made: int, read: int = 0, written: int = 0, model: str = MODEL) -> dict[str, Any]:
    """The running totals of one model."""
    return {
        model: {
            "inputTokens": given,
            "outputTokens": made,
            "cacheReadInputTokens": read,
            "cacheCreationInputTokens": written,
            "webSearchRequests": 0,
            "costUSD": 0.0,
        }
    }


def result(said: str | None = "It is.", cost: float | None = 0.25, **more: Any) -> dict[str, Any]:
    """The result of a turn."""
    usage = {
        "input_tokens": 10,
        "output_tokens": 5,
        "cache_read_input_tokens": 20,
        "cache_creation_input_tokens": 30,
        "cache_creation": {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 0},
        "service_tier": "standard",
    }
    return {
        "type": "result",
        "subtype": "success",
        "duration_ms": 10,
        "duration_api_ms": 5,
        "is_error": False,
        "num_turns": 1,
        "session_id": SESSION,
        "stop_reason": "end_turn",
        "terminal_reason": "completed",
        "result": said,
        "total_cost_usd": cost,
        "usage": usage,
        "modelUsage": totals(10, 5, 20, 30),
        **more,
    }


def failed(subtype: str, *errors: str, **more: Any) -> dict[str, Any]:
    """The result of a turn that has failed."""
    return result(None, subtype=subtype, is_error=True, errors=list(errors), stop_reason=None, **more)


class Call:
    """A request to a server of the application's own tools. The program waits for the answer before it goes on.

    Args:
        server: its name.
        method: of the request.
        params: of the request.
    """

    def __init__(self, server: str, method: str, **params: Any) -> None:
        self.answered = anyio.Event()
        self._request = {"jsonrpc": "2.0", "id": id(self), "method": method, "params": params}
        self._server = server

    def frame(self) -> dict[str, Any]:
        """What the program sends."""
        request = {"subtype": "mcp_message", "server_name": self._server, "message": self._request}
        return {"type": "control_request", "request_id": str(id(self)), "request": request}


def tool_calls(server: str, name: str, **given: Any) -> list[Call]:
    """The requests by which the program calls a tool of the application."""
    client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "program", "version": "1"}}
    return [Call(server, "initialize", **client), Call(server, "tools/call", name=name, arguments=given)]


class Program(Transport):
    """The program.

    Args:
        turns: what it sends for each prompt: messages, exceptions that end it, calls of tools.
        interrupted: what it sends when it is interrupted.
        start: the exception that its start raises.
    """

    def __init__(self, *turns: list[Any], interrupted: list[Any] | None = None, start: Exception | None = None) -> None:
        self._turns = list(turns)
        self._interrupted = interrupted or []
        self._start = start
        self._waiting: dict[str, Call] = {}
        self.sent: list[dict[str, Any]] = []
        self.closed = 0

    async def connect(self) -> None:
        """Start."""
        if self._start is not None:
            raise self._start
        self._send, self._receive = anyio.create_memory_object_stream[Any](math.inf)

    async def write(self, data: str) -> None:
        """Take what the SDK sends."""
        message = json.loads(data)
        self.sent.append(message)
        if message["type"] == "control_request":
            answered = {"subtype": "success", "request_id": message["request_id"], "response": {"commands": []}}
            self._play({"type": "control_response", "response": answered})
            if message["request"]["subtype"] == "interrupt":
                self._play(*self._interrupted)
        elif message["type"] == "control_response":
            self._waiting.pop(message["response"]["request_id"]).answered.set()
        elif self._turns:
            self._play(*self._turns.pop(0))

    def _play(self, *frames: Any) -> None:
        for frame in frames:
            self._send.send_nowait(frame)

    async def read_messages(self) -> AsyncIterator[dict[str, Any]]:  # type: ignore[override] # it is a generator
        """What the program sends."""
        async for frame in self._receive:
            if isinstance(frame, BaseException):
                raise frame
            if isinstance(frame, Call):
                sent = frame.frame()
                self._waiting[sent["request_id"]] = frame
                yield sent
                await frame.answered.wait()
            else:
                yield frame

    async def close(self) -> None:
        """End."""
        self.closed += 1
        self._send.close()
        self._receive.close()

    async def end_input(self) -> None:
        """No further prompt comes."""
        self._send.close()

    def is_ready(self) -> bool:
        """Whether it runs."""
        return True

"""What is given to OpenTelemetry's SDK, OTLP can carry: whatever content is made of, nothing raises, warns or is dropped.

The real encoder of the OTLP exporters says so, of SDK 1.36 as of today's, and protobuf's parser, which stops at 100 levels as
collectors do.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st
from opentelemetry.context import get_current
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.trace import TracerProvider

from loopback.schemas import CONTENT
from opentelemetry_instrumentation_genai._adapter import parts as content
from opentelemetry_instrumentation_genai._adapter.anthropic_api.messages import MESSAGES
from opentelemetry_instrumentation_genai._adapter.openai_api.chat import CHAT
from opentelemetry_instrumentation_genai._adapter.openai_api.responses import RESPONSES
from opentelemetry_instrumentation_genai._content.budget import Budget
from opentelemetry_instrumentation_genai._content.pipeline import Pipeline, RenderedContent
from opentelemetry_instrumentation_genai._signals.events import Events
from opentelemetry_instrumentation_genai.ollama._chat import CHAT as OLLAMA_CHAT

pytestmark = pytest.mark.exhaustive

INPUT, OUTPUT, SYSTEM, TOOLS, *_ = CONTENT
OPERATIONS = [CHAT, RESPONSES, MESSAGES, OLLAMA_CHAT]
ENOUGH = 1 << 30
# The same each time, so that what fails here fails everywhere.
anything = settings(max_examples=200, deadline=None, database=None, derandomize=True)

TEXTS = st.one_of(
    st.sampled_from(
        ["", "type", "text", "content", "\ud800", "é", "data:image/png;base64,AQID", "base64", "data", "\x00"]
    ),
    st.text(st.characters(), max_size=8),
)
NUMBERS = st.one_of(st.integers(), st.integers(1 << 62, 1 << 66), st.floats(), st.just(10**400))
KEYS = st.one_of(TEXTS, st.integers(), st.none(), st.booleans(), st.floats(), st.tuples(st.integers()))


class Odd:
    """Nothing that JSON has."""


LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS, st.binary(max_size=4), st.builds(Odd))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4), st.tuples(inner, inner)
    ),
    max_leaves=10,
)
KINDS = st.sampled_from(
    [
        *(
            "text",
            "input_text",
            "image",
            "document",
            "tool_use",
            "tool_result",
            "thinking",
            "refusal",
            "web_search_call",
        ),
        *(
            "web_search_tool_result",
            "server_tool_use",
            "function",
            "message",
            "reasoning",
            "mcp_list_tools",
            "tomorrow",
        ),
        *("namespace", "function_call", "function_call_output", "additional_tools", "base64", "content", "compaction"),
    ]
)
MEMBERS = (
    *("role", "content", "text", "name", "id", "tool_calls", "function", "arguments", "input", "output", "source"),
    *("input_schema", "tools", "parts", "citations", "annotations", "thinking", "data", "media_type", "url", "call_id"),
)


def nested(depth: int, member: str, inner: Any, **more: Any) -> Any:
    """An object in a list in an object in a list."""
    for _ in range(depth):
        inner = {**more, member: [inner]}
    return inner


BLOCKS = st.recursive(
    st.one_of(VALUES, st.fixed_dictionaries({"type": KINDS}, optional=dict.fromkeys(MEMBERS, VALUES))),
    lambda inner: st.fixed_dictionaries(
        {"type": KINDS},
        optional={
            **dict.fromkeys(("content", "tools", "output", "summary"), st.lists(inner, max_size=3)),
            "source": st.fixed_dictionaries({"type": KINDS, "content": st.lists(inner, max_size=2)}),
            **dict.fromkeys(("input", "arguments", "name", "text"), VALUES),
        },
    ),
    max_leaves=6,
)
MESSAGE = st.one_of(
    BLOCKS,
    st.fixed_dictionaries(
        {"role": st.one_of(st.sampled_from(["user", "tool", "assistant"]), VALUES)},
        optional={
            "content": st.one_of(TEXTS, st.lists(BLOCKS, max_size=3)),
            "tool_calls": st.lists(
                st.fixed_dictionaries({"function": st.fixed_dictionaries({"name": VALUES, "arguments": VALUES})}),
                max_size=2,
            ),
        },
    ),
)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("messages", "input", "tools", "mcp_servers"), st.lists(MESSAGE, max_size=3)),
        **dict.fromkeys(("system", "instructions"), st.one_of(TEXTS, st.lists(BLOCKS, max_size=2))),
    },
)
BUDGETS = st.one_of(st.just(Budget(ENOUGH, ENOUGH)), st.builds(Budget, st.integers(0, 2000), st.integers(0, 2000)))


class Kept:
    """A processor of records and of spans that keeps the last of each."""

    record: Any = None
    span: Any = None

    def on_emit(self, record: Any) -> None:
        """A record was emitted."""
        self.record = record

    emit = on_emit

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        """Not of interest."""

    def _on_ending(self, span: Any) -> None:
        """What newer SDKs call besides."""

    def on_end(self, span: Any) -> None:
        """A span has ended."""
        self.span = span

    def shutdown(self) -> None:
        """Nothing to shut down."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing waits."""
        return True


@contextmanager
def nothing_logged() -> Iterator[None]:
    """Neither the SDK nor the encoder has anything to say."""
    logged: list[str] = []

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            logged.append(record.getMessage())

    logger, listening = logging.getLogger("opentelemetry"), Listening()
    logger.addHandler(listening)
    try:
        yield
    finally:
        logger.removeHandler(listening)
    assert [] == logged


def exported(rendered: RenderedContent) -> tuple[dict[str, str], dict[str, Any]]:
    """The attributes of the span and those of the event, as a collector parses them."""
    kept: Any = Kept()
    logs, traces = LoggerProvider(shutdown_on_exit=False), TracerProvider(shutdown_on_exit=False)
    logs.add_log_record_processor(kept)
    traces.add_span_processor(kept)
    with nothing_logged():
        Events(logs.get_logger("test"), lambda: False).details(rendered.carried(), get_current())
        with traces.get_tracer("test").start_as_current_span("test") as span:
            span.set_attributes(rendered.texts)
        log_bytes = encode_logs([kept.record]).SerializeToString()
        span_bytes = encode_spans([kept.span]).SerializeToString()
    (resource,) = ExportLogsServiceRequest.FromString(log_bytes).resource_logs
    (record,) = resource.scope_logs[0].log_records
    (resource,) = ExportTraceServiceRequest.FromString(span_bytes).resource_spans
    (recorded,) = resource.scope_spans[0].spans
    return _members(recorded.attributes), _members(record.attributes)


def _members(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(entry) for entry in value.array_value.values]
    if kind == "kvlist_value":
        return _members(value.kvlist_value.values)
    return None if kind is None else getattr(value, kind)


def hold(pipeline: Pipeline, made: dict[str, Any]) -> None:
    """What is exported is what was rendered, in both forms."""
    rendered = pipeline.render(made, None)
    on_span, in_event = exported(rendered)
    assert rendered.texts == on_span
    assert rendered.values.keys() == in_event.keys()
    for name, text in rendered.texts.items():
        assert alike(json.loads(text, parse_constant=pytest.fail), in_event[name])


def alike(spoken: Any, carried: Any) -> bool:
    """Whether a value of JSON is what OTLP carries.

    An empty name has another one there; SDKs that carry lists of one type only have the JSON text of a list of several, and
    doubles for numbers of both kinds.
    """
    if isinstance(spoken, dict):
        pairs = zip(spoken.items(), carried.items(), strict=True)
        return all(
            carried_name.startswith(spoken_name or '""') and alike(one, other)
            for (spoken_name, one), (carried_name, other) in pairs
        )
    if isinstance(spoken, list) and isinstance(carried, list):
        return len(spoken) == len(carried) and all(map(alike, spoken, carried))
    if isinstance(spoken, list):
        return isinstance(carried, str) and spoken == json.loads(carried)
    return spoken == carried and (type(spoken) is type(carried) or isinstance(carried, float))


@anything
@given(st.sampled_from(OPERATIONS), BODIES, BUDGETS)
@example(
    MESSAGES,
    {"messages": [nested(200, "content", {"type": "text", "text": "x"}, type="tool_result")]},
    Budget(ENOUGH, ENOUGH),
)
@example(
    MESSAGES,
    {"messages": [{"content": [nested(99, "content", 1, type="web_search_tool_result")]}]},
    Budget(ENOUGH, ENOUGH),
)
@example(RESPONSES, {"tools": [nested(200, "tools", {}, type="namespace", name="n")]}, Budget(ENOUGH, ENOUGH))
@example(
    CHAT,
    {"messages": [{"role": "assistant", "tool_calls": [{"function": {"arguments": '{"": {"": 1e999}}'}}]}]},
    Budget(ENOUGH, ENOUGH),
)
def test_any_request_is_carried(operation, body, budget):
    """Its messages, system instructions and tools, which nobody has checked."""
    pipeline = Pipeline(None, budget)
    hold(pipeline, pipeline.make(operation.input_content, body))


@anything
@given(st.sampled_from(OPERATIONS), st.lists(BLOCKS, max_size=3), BUDGETS)
def test_any_response_is_carried(operation, blocks, budget):
    """The messages of the model."""
    message = {"role": "assistant", "content": blocks, "tool_calls": blocks, "reasoning_content": blocks}
    response = {
        "content": blocks,
        "output": blocks,
        "message": message,
        "done_reason": "stop",
        "stop_reason": "end_turn",
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
    }
    pipeline = Pipeline(None, budget)
    hold(pipeline, pipeline.make(operation.output_content, response, ["stop"]))


@anything
@given(VALUES)
def test_any_value_is_carried(value):
    """Tool arguments, and parts of types that nobody knows."""
    parts: list[Any] = [
        content.tool_call("c", "f", value),
        content.generic(value),
        content.tool_call_response("c", value),
    ]
    hold(Pipeline(None, Budget(ENOUGH, ENOUGH)), {INPUT: [{"role": "user", "parts": parts}]})

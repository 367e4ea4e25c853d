"""What `view` receives, keeps and answers: real exporters over HTTP and gRPC, real calls of an SDK, and requests byte by byte."""

from __future__ import annotations

import gzip
import json
import sqlite3
import zlib
from contextlib import closing
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from loopback import Json, Sse, openai_bodies
from opentelemetry_instrumentation_genai import OpenAIInstrumentor, execute_tool, genai_context, invoke_agent
from opentelemetry_instrumentation_genai.cli.view.queries import words_of
from opentelemetry_instrumentation_genai.cli.view.tree import in_order
from viewed import Exporting, fetch, viewing

PROTOBUF = "application/x-protobuf"
TEXT = [{"role": "user", "parts": [{"type": "text", "content": "Where is the café?"}]}]


@pytest.fixture
def view(tmp_path):
    """A viewer that has received nothing."""
    with viewing(tmp_path) as running:
        yield running


@pytest.fixture
def exporting(view):
    """Makes providers that export to the viewer, by a protocol; they are ended with the test."""
    made: list[Exporting] = []

    def make(way: str = "http") -> Exporting:
        made.append(Exporting(view, way.partition(",")[0], compressed="gzip" in way))
        return made[-1]

    yield make
    for one in made:
        one.close()


def sent(trace: str, span: str, parent: str = "", *, start: int = 1_000_000, seconds: float = 1.0, **more: Any) -> Any:
    """A span as a request of OTLP; letters stand for ids."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    put(resource.resource.attributes, {"service.name": more.pop("service", "shop")})
    scope = resource.scope_spans.add()
    scope.scope.name = "a scope"
    made = scope.spans.add()
    made.trace_id, made.span_id = trace.encode().rjust(16, b"\0"), span.encode().rjust(8, b"\0")
    made.parent_span_id = parent.encode().rjust(8, b"\0") if parent else b""
    made.name = more.pop("name", "chat m")
    made.start_time_unix_nano = start * 1000
    made.end_time_unix_nano = int((start + seconds * 1e6) * 1000)
    if more.pop("failed", False):
        made.status.code = 2
    put(made.attributes, {"gen_ai.operation.name": "chat", **more.pop("attributes", {})})
    assert not more
    return request


def put(pairs: Any, values: dict[str, Any]) -> None:
    """Adds attributes."""
    for name, value in values.items():
        if value is None:
            continue
        pair = pairs.add()
        pair.key = name
        kind = {bool: "bool_value", int: "int_value", float: "double_value", bytes: "bytes_value"}
        if isinstance(value, list):
            for item in value:
                pair.value.array_value.values.add().string_value = item
        else:
            setattr(pair.value, kind.get(type(value), "string_value"), value)


def export(view: Any, *requests: Any) -> None:
    """Sends requests in this order."""
    for request in requests:
        assert view.post("/v1/traces", request.SerializeToString(), content_type=PROTOBUF)[0] == 200


def joined(requests: list[Any]) -> Any:
    """One request with the spans of several."""
    whole = ExportTraceServiceRequest()
    for request in requests:
        whole.MergeFrom(request)
    return whole


def over_grpc(view: Any, body: bytes) -> bytes:
    """The answer to an export of spans over gRPC."""
    with grpc.insecure_channel(view.grpc.removeprefix("http://")) as channel:
        method = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
        answer: bytes = method(body, timeout=30)
        return answer


def hexadecimal(letters: str, size: int = 16) -> str:
    """The id that letters stand for."""
    return letters.encode().rjust(size, b"\0").hex()


def named(view: Any, **asked: Any) -> list[str]:
    """The traces of the list, by the letters of their ids."""
    return [bytes.fromhex(row["id"]).strip(b"\0").decode() for row in view.traces(**asked)]


class TestExporters:
    """What the exporters of OpenTelemetry's SDK send."""

    @pytest.mark.parametrize("way", ["http", "http, gzip", "grpc"])
    def test_a_call(self, view, server, openai_client, exporting, way):
        """A call of an SDK is in the list and has its messages, by each protocol; exporters of all three signals succeed."""
        server.reply(Json(openai_bodies.completion("In the old town.")))
        exported = exporting(way)
        OpenAIInstrumentor().instrument(**exported.providers, capture_message_content="span_only")
        messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where is the café?"}]
        openai_client().chat.completions.create(model="gpt-4o-mini", messages=messages)

        assert exported.flush()
        (row,) = view.traces()
        (span,) = view.get(f"/api/traces/{row['id']}")["tree"]
        detail = view.get(f"/api/traces/{row['id']}/spans/{span['id']}")
        assert row == {
            "id": row["id"],
            "start": row["start"],
            "duration": row["duration"],
            "name": "chat gpt-4o-mini",
            "service": "shop",
            "conversation": "",
            "spans": 1,
            "calls": 1,
            "errors": 0,
            "input_tokens": 8,
            "output_tokens": 2,
            "cost": None,
            "models": ["gpt-4o-mini"],
            "providers": ["openai"],
            "message": "Where is the café?",
        }
        assert span == {
            "id": span["id"],
            "parent": "",
            "name": "chat gpt-4o-mini",
            "kind": "client",
            "start": row["start"],
            "duration": row["duration"],
            "failed": 0,
            "operation": "chat",
            "provider": "openai",
            "model": "gpt-4o-mini",
            "service": "shop",
            "input_tokens": 8,
            "output_tokens": 2,
            "cost": None,
            "first_chunk": None,
            "error": "",
            "depth": 0,
            "children": 0,
        }
        assert detail["messages"] == [
            message("system", "Be brief."),
            message("user", "Where is the café?"),
            message("assistant", "In the old town.", output=True, finish_reason="stop"),
        ]
        assert ["gen_ai.request.model", "gpt-4o-mini"] in detail["attributes"]
        assert ["service.name", "shop"] in detail["resource"]
        assert detail["finish_reasons"] == "stop"

    @pytest.mark.parametrize("way", ["http", "grpc"])
    def test_content_on_events(self, view, server, openai_client, exporting, way):
        """Messages that only the details event has are shown as those of its span, and found."""
        server.reply(Json(openai_bodies.completion("In the old town.")))
        exported = exporting(way)
        OpenAIInstrumentor().instrument(**exported.providers, capture_message_content="event_only")
        openai_client().chat.completions.create(**openai_bodies.CHAT)

        assert exported.flush()
        (row,) = view.traces(text="old town")
        (span,) = view.get(f"/api/traces/{row['id']}")["tree"]
        detail = view.get(f"/api/traces/{row['id']}/spans/{span['id']}")
        assert (row["message"], row["spans"]) == ("Hi", 1)
        assert detail["messages"] == [
            message("user", "Hi"),
            message("assistant", "In the old town.", output=True, finish_reason="stop"),
        ]
        assert [event["name"] for event in detail["events"]] == ["gen_ai.client.inference.operation.details"]

    def test_an_agent(self, view, server, openai_client, exporting):
        """Agent, tool and streamed call are one tree with the time of the first token, and one trace of a conversation."""
        server.reply(Sse([openai_bodies.chunk({"content": "Sunny"}), openai_bodies.chunk(reason="stop")], delay=0.02))
        exported = exporting()
        OpenAIInstrumentor().instrument(**exported.providers)
        with genai_context(conversation_id="c-1", tags={"team": "blue"}), invoke_agent("guide"):
            with execute_tool("get_weather"):
                pass
            for _ in openai_client().chat.completions.create(**openai_bodies.CHAT, stream=True):
                pass

        assert exported.flush()
        (row,) = view.traces(tag="gen_ai.tag.team=blue")
        trace = view.get(f"/api/traces/{row['id']}")
        assert (row["name"], row["conversation"], row["spans"]) == ("invoke_agent guide", "c-1", 3)
        assert [(span["depth"], span["children"], span["name"]) for span in trace["tree"]] == [
            (0, 2, "invoke_agent guide"),
            (1, 0, "execute_tool get_weather"),
            (1, 0, "chat gpt-4o-mini"),
        ]
        assert 0 < trace["tree"][2]["first_chunk"] * 1e6 < trace["tree"][2]["duration"]
        assert [turn["id"] for turn in trace["turns"]] == [row["id"]]

    def test_a_failure(self, view, server, openai_client, exporting):
        """A call that the provider refuses is an error with its kind, its message and its event."""
        server.reply(Json(openai_bodies.error("Slow down", "rate_limit_exceeded"), status=429))
        exported = exporting()
        OpenAIInstrumentor().instrument(**exported.providers, capture_message_content="span_only")
        with pytest.raises(Exception, match="Slow down"):
            openai_client().chat.completions.create(**openai_bodies.CHAT)

        assert exported.flush()
        (row,) = view.traces(errors=1)
        (span,) = view.get(f"/api/traces/{row['id']}")["tree"]
        detail = view.get(f"/api/traces/{row['id']}/spans/{span['id']}")
        assert (row["errors"], span["error"], detail["failed"]) == (1, "rate_limit_exceeded", 1)
        assert "gen_ai.client.operation.exception" in {event["name"] for event in detail["events"]}


def message(role: str, text: str, *, output: bool = False, finish_reason: str = "") -> dict[str, Any]:
    """A message with one text, as the page gets it."""
    part = {"kind": "text", "text": text, "name": "", "id": ""}
    return {"role": role, "parts": [part], "output": output, "finish_reason": finish_reason}


class TestReceiver:
    """Requests that are OTLP, and some that are not."""

    def test_json(self, view):
        """OTLP's JSON has ids in hexadecimal; it is answered in JSON."""
        body = MessageToDict(sent("t", "s", attributes={"gen_ai.request.model": "m"}))
        (span,) = body["resourceSpans"][0]["scopeSpans"][0]["spans"]
        span |= {"traceId": hexadecimal("t"), "spanId": hexadecimal("s", 8)}
        status, headers, answer = view.post("/v1/traces", json.dumps(body).encode(), content_type="application/json")

        assert (status, headers["content-type"], answer) == (200, "application/json", b"{}")
        assert [row["id"] for row in view.traces(model="m")] == [hexadecimal("t")]

    @pytest.mark.parametrize("compressed", [gzip.compress, zlib.compress], ids=["gzip", "deflate"])
    def test_compressed(self, view, compressed):
        """Both encodings that exporters use are read."""
        body = compressed(sent("t", "s").SerializeToString())
        encoding = "gzip" if compressed is gzip.compress else "deflate"
        status, headers, answer = view.post("/v1/traces", body, content_type=PROTOBUF, content_encoding=encoding)

        assert (status, headers["content-type"]) == (200, PROTOBUF)
        assert ExportTraceServiceResponse.FromString(answer) == ExportTraceServiceResponse()
        assert named(view) == ["t"]

    def test_metrics_are_dropped(self, view):
        """An exporter of metrics is answered as if they were kept."""
        request = ExportMetricsServiceRequest()
        request.resource_metrics.add().scope_metrics.add().metrics.add().name = "m"
        status, _, answer = view.post("/v1/metrics", request.SerializeToString(), content_type=PROTOBUF)

        assert (status, ExportMetricsServiceResponse.FromString(answer)) == (200, ExportMetricsServiceResponse())

    @pytest.mark.parametrize(
        ("status", "path", "body", "headers"),
        [
            (415, "/v1/traces", b"", {"content_type": "text/plain"}),
            (415, "/v1/traces", b"", {}),
            (400, "/v1/traces", b"\xff\xff\xff", {"content_type": PROTOBUF}),
            (400, "/v1/traces", b"no json", {"content_type": "application/json"}),
            (400, "/v1/traces", b"[1]", {"content_type": "application/json"}),
            (400, "/v1/traces", b'{"resourceSpans": 3}', {"content_type": "application/json"}),
            (400, "/v1/traces", b'{"spanId": "xyz"}', {"content_type": "application/json"}),
            (400, "/v1/traces", b"[" * 100_000, {"content_type": "application/json"}),
            (400, "/v1/traces", b"no gzip", {"content_type": PROTOBUF, "content_encoding": "gzip"}),
            (
                400,
                "/v1/traces",
                gzip.compress(b"cut", mtime=0)[:-4],
                {"content_type": PROTOBUF, "content_encoding": "gzip"},
            ),
            (400, "/v1/traces", b"", {"content_type": PROTOBUF, "content_encoding": "br"}),
            (
                413,
                "/v1/logs",
                gzip.compress(bytes(80_000_000), mtime=0),
                {"content_type": PROTOBUF, "content_encoding": "gzip"},
            ),
            (404, "/v1/traces/v1/traces", b"", {"content_type": PROTOBUF}),
            (404, "/", b"", {}),
        ],
    )
    def test_what_is_no_export(self, view, status, path, body, headers):
        """Each has its status and a sentence; the next export is kept."""
        found, _, answer = view.post(path, body, **headers)

        assert (found, b"." == answer[-1:]) == (status, True)
        export(view, sent("t", "s"))
        assert named(view) == ["t"]

    def test_what_is_no_export_over_grpc(self, view):
        """It is refused for good, so that an exporter does not send it again."""
        with pytest.raises(grpc.RpcError) as raised:
            over_grpc(view, b"\xff\xff\xff")

        assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT

    def test_an_export_that_is_repeated(self, view):
        """An exporter that got no answer sends again: nothing counts twice."""
        request = sent("t", "s", attributes={"gen_ai.usage.input_tokens": 5})
        export(view, request, request)

        assert [(row["spans"], row["input_tokens"]) for row in view.traces()] == [(1, 5)]

    @pytest.mark.parametrize("is_first", [True, False], ids=["before its span", "after its span"])
    def test_an_event(self, view, is_first):
        """It belongs to its span whichever comes first, and makes no trace of its own in the list."""
        request = ExportLogsServiceRequest()
        record = request.resource_logs.add().scope_logs.add().log_records.add()
        record.trace_id, record.span_id = bytes.fromhex(hexadecimal("t")), bytes.fromhex(hexadecimal("s", 8))
        put(record.attributes, {"event.name": "an.event", "gen_ai.input.messages": json.dumps(TEXT)})
        record.body.string_value = "a body"
        before = [] if is_first else [sent("t", "s")]
        export(view, *before)
        assert view.post("/v1/logs", request.SerializeToString(), content_type=PROTOBUF)[0] == 200
        assert named(view, everything=1) == ["t"] * len(before)
        if is_first:
            export(view, sent("t", "s"))

        detail = view.get(f"/api/traces/{hexadecimal('t')}/spans/{hexadecimal('s', 8)}")
        assert detail["messages"] == [message("user", "Where is the café?")]
        assert detail["events"] == [{"name": "an.event", "time": 0, "body": "a body", "attributes": []}]
        assert [row["message"] for row in view.traces(text="cafe")] == ["Where is the café?"]


class TestConventions:
    """The names of both generations, and of others."""

    @pytest.mark.parametrize(
        ("names", "written"),
        [
            ({"gen_ai.provider.name": "p", "gen_ai.usage.cache_creation.input_tokens": 3}, 3),
            ({"gen_ai.provider.name": "p", "gen_ai.usage.cache_write.input_tokens": 3}, 3),
            ({"gen_ai.system": "p", "gen_ai.usage.prompt_tokens": 7, "gen_ai.usage.completion_tokens": 2}, None),
        ],
        ids=["v1.41", "latest", "older"],
    )
    def test_generations(self, view, names, written):
        """A span is read by whichever names it has."""
        usage = {"gen_ai.usage.input_tokens": 7, "gen_ai.usage.output_tokens": 2} if written else {}
        export(view, sent("t", "s", attributes={**usage, **names}))

        (row,) = view.traces(provider="p")
        detail = view.get(f"/api/traces/{row['id']}/spans/{hexadecimal('s', 8)}")
        assert (row["input_tokens"], row["output_tokens"], detail["written_tokens"]) == (7, 2, written)

    @pytest.mark.parametrize("order", ["agent first", "agent last", "call first"])
    def test_tokens_are_counted_once(self, view, order):
        """Tokens and cost of an agent are those of the calls below it, wherever in the trace, in whatever order they come."""
        usage = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 4, "gen_ai.usage.cost": 0.5}
        agent = sent("t", "a", attributes={**usage, "gen_ai.operation.name": "invoke_agent"})
        tool = sent("t", "b", "a", attributes={"gen_ai.operation.name": "execute_tool"})
        call = sent("t", "c", "b", attributes=usage)
        other = sent("t", "d", attributes=usage)
        orders = {
            "agent first": (agent, tool, call, other),
            "agent last": (other, call, tool, agent),
            "call first": (call, agent, other, tool),
        }
        export(view, *orders[order])

        (row,) = view.traces()
        assert (row["input_tokens"], row["output_tokens"], row["cost"]) == (20, 8, 1.0)

    def test_an_agent_alone(self, view):
        """Where only the agent has tokens, and a call below it only a cost, both count."""
        agent = sent("t", "a", attributes={"gen_ai.usage.input_tokens": 10, "gen_ai.usage.cost": 9.0})
        export(view, agent, sent("t", "b", "a", attributes={"gen_ai.usage.cost": 0.5}))

        (row,) = view.traces()
        assert (row["input_tokens"], row["cost"]) == (10, 0.5)

    def test_parts(self, view):
        """Each kind of part has its text; media are named, never carried."""
        parts = [
            {"type": "text", "content": "See"},
            {"type": "reasoning", "content": "Hm"},
            {"type": "tool_call", "id": "c1", "name": "look", "arguments": {"at": "it"}},
            {"type": "tool_call_response", "id": "c1", "response": "seen"},
            {"type": "blob", "mime_type": "image/png", "modality": "image", "content": "AAAA" * 1000},
            {"type": "uri", "modality": "image", "uri": "https://x.example/i.png"},
            {"type": "file", "modality": "audio", "file_id": "f1"},
            {"type": "new_kind", "x": 1},
            "bare",
            3,
        ]
        content = {"gen_ai.input.messages": json.dumps([{"role": "user", "parts": parts}, "odd", None])}
        export(view, sent("t", "s", attributes={**content, "gen_ai.system_instructions": "no json"}))

        detail = view.get(f"/api/traces/{hexadecimal('t')}/spans/{hexadecimal('s', 8)}")
        shown = [
            [message["role"], *[(part["kind"], part["name"], part["text"]) for part in message["parts"]]]
            for message in detail["messages"]
        ]
        assert shown == [
            ["system", ("text", "", "no json")],
            [
                "user",
                ("text", "", "See"),
                ("reasoning", "", "Hm"),
                ("tool_call", "look", '{"at": "it"}'),
                ("tool_result", "look", "seen"),
                ("media", "image/png", "3,000 bytes"),
                ("media", "image", "https://x.example/i.png"),
                ("media", "audio", "f1"),
                ("other", "new_kind", '{"type": "new_kind", "x": 1}'),
                ("text", "", "bare"),
                ("text", "", "3"),
            ],
            ["", ("text", "", "odd")],
            ["", ("text", "", "null")],
        ]

    def test_json_is_laid_out(self, view):
        """What fits into a line stands in one; what does not, has a line for each member."""
        value = {
            "city": "Lisbon",
            "days": [{"day": "Fri", "high": 24}, {"day": "Sat", "high": 26, "sky": "é" * 30}],
            "none": [],
        }
        large = {"many": [*range(9000)]}
        content = {"gen_ai.tool.call.arguments": json.dumps(value), "gen_ai.tool.call.result": json.dumps(large)}
        export(view, sent("t", "s", attributes=content))

        detail = view.get(f"/api/traces/{hexadecimal('t')}/spans/{hexadecimal('s', 8)}")
        assert detail["content"][0]["text"] == (
            '{\n  "city": "Lisbon",\n  "days": [\n    {"day": "Fri", "high": 24},\n'
            f'    {{"day": "Sat", "high": 26, "sky": "{"é" * 30}"}}\n  ],\n  "none": []\n}}'
        )
        assert [json.loads(part["text"]) for part in detail["content"]] == [value, large]

    def test_other_content(self, view):
        """What tools and retrievals have is shown by its name; the tools of a model by theirs."""
        content = {
            "gen_ai.tool.call.arguments": '{"a":1}',
            "gen_ai.tool.call.result": "plain",
            "gen_ai.tool.definitions": json.dumps(
                [{"type": "function", "name": "look", "parameters": {"type": "object"}}]
            ),
        }
        export(view, sent("t", "s", attributes=content))

        detail = view.get(f"/api/traces/{hexadecimal('t')}/spans/{hexadecimal('s', 8)}")
        assert detail["content"] == [
            {"name": "gen_ai.tool.call.arguments", "text": '{"a": 1}'},
            {"name": "gen_ai.tool.call.result", "text": "plain"},
        ]
        assert detail["tools"] == [{"name": "look", "description": "", "parameters": '{"type": "object"}'}]
        assert named(view, text="plain") == ["t"]


class TestList:
    """Filters, search, order and pages."""

    @pytest.fixture
    def several(self, view):
        """Four traces, of which the last has no call of a model."""
        tag = {"gen_ai.tag.team": "blue", "gen_ai.conversation.id": "c"}
        text = {"gen_ai.input.messages": json.dumps(TEXT)}
        export(
            view,
            sent("a", "1", start=1_000, attributes={"gen_ai.request.model": "m1", "gen_ai.provider.name": "p1", **tag}),
            sent(
                "b",
                "1",
                start=2_000,
                failed=True,
                attributes={"gen_ai.request.model": "m2", "gen_ai.response.model": "m3", **tag},
            ),
            sent(
                "c",
                "1",
                start=3_000,
                attributes={"gen_ai.operation.name": "embeddings", "http.ok": True, "n": 7, "x": 0.5, **text},
            ),
            sent("d", "1", start=4_000, name="GET", attributes={"gen_ai.operation.name": None}),
        )
        return view

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            ({}, "cba"),
            ({"everything": 1}, "dcba"),
            ({"model": "m1"}, "a"),
            ({"model": "m3"}, "b"),
            ({"model": "m"}, ""),
            ({"provider": "p1"}, "a"),
            ({"operation": "embeddings"}, "c"),
            ({"errors": 1}, "b"),
            ({"conversation": "c"}, "ba"),
            ({"tag": "gen_ai.tag.team=blue"}, "ba"),
            ({"tag": ["gen_ai.tag.team=blue", "gen_ai.request.model=m2"]}, "b"),
            ({"tag": "service.name=shop"}, "cba"),
            ({"tag": "http.ok=true"}, "c"),
            ({"tag": "n=7"}, "c"),
            ({"tag": "x=0.5"}, "c"),
            ({"tag": "n"}, ""),
            ({"tag": "="}, "cba"),
            ({"text": "CAFE wher"}, "c"),
            ({"text": "caf where not"}, ""),
            ({"text": '"the café"'}, "c"),
            ({"text": '"café the"'}, ""),
            ({"text": "chat"}, "cba"),
            ({"text": "get", "everything": 1}, "d"),
            ({"text": 'x" OR 1 AND NEAR( *'}, ""),
            ({"text": "?!"}, ""),
            ({"text": hexadecimal("b").upper()}, "b"),
            ({"model": "m1", "errors": 1}, ""),
            ({"model": "' OR 1 = 1 --"}, ""),
        ],
    )
    def test_filters(self, several, asked, expected):
        """What is asked for is there, the newest first, and nothing else."""
        assert "".join(named(several, **asked)) == expected

    def test_choices(self, several):
        """The values that the filters can have, the names of attributes, and how much there is."""
        choices = several.get("/api/choices")

        assert choices == {
            "models": ["m1", "m2", "m3"],
            "providers": ["p1"],
            "operations": ["chat", "embeddings"],
            "keys": [
                "gen_ai.conversation.id",
                "gen_ai.operation.name",
                "gen_ai.provider.name",
                "gen_ai.request.model",
                "gen_ai.response.model",
                "gen_ai.tag.team",
                "http.ok",
                "n",
                "service.name",
                "x",
            ],
            "counts": {"traces": 4, "with_calls": 3, "spans": 4},
            "dropped": 0,
            "environment": several.serving.environment,
        }

    def test_turns(self, several):
        """A trace of a conversation has the others of it, the oldest first."""
        trace = several.get(f"/api/traces/{hexadecimal('b')}")

        assert [turn["id"] for turn in trace["turns"]] == [hexadecimal("a"), hexadecimal("b")]

    def test_pages(self, view):
        """Each part of the list goes on where the one before ended, also within one point in time."""
        export(view, *(sent(f"t{number:02}", "s", start=1_000 + number // 3) for number in range(20)))
        found: list[str] = []
        before: dict[str, Any] = {}
        while True:
            part = view.get("/api/traces", limit=7, **before)
            found += [row["id"] for row in part["traces"]]
            if part["next"] is None:
                break
            before = {"before": part["next"]}

        assert found == [hexadecimal(f"t{number:02}") for number in reversed(range(20))]

    @pytest.mark.parametrize(
        ("sort", "expected"),
        [("start", "edcba"), ("duration", "badce"), ("tokens", "cbdea"), ("cost", "dbeca")],
    )
    def test_orders(self, view, sort, expected):
        """The list is in the order that is asked for, those with the most first, what is not known last; its parts go on from one another."""
        known = {
            "a": (1, 2.0, None, None),
            "b": (2, 3.0, 70, 0.00001),
            "c": (3, 1.0, 90, None),
            "d": (4, 1.5, 20, 0.75),
            "e": (5, 0.5, 5, 0.0),
        }
        for letter, (start, seconds, tokens, cost) in known.items():
            attributes = {"gen_ai.usage.input_tokens": tokens, "gen_ai.usage.cost": cost}
            export(view, sent(letter, "s", start=start, seconds=seconds, attributes=attributes))
        export(view, sent("w", "s", start=9, seconds=9, attributes={"gen_ai.operation.name": ""}))
        found, before = "", {}
        while before is not None:
            part = view.get("/api/traces", sort=sort, limit=2, **before)
            found += "".join(bytes.fromhex(row["id"]).strip(b"\0").decode() for row in part["traces"])
            before = {"before": part["next"]} if part["next"] else None

        assert found == expected

    @pytest.mark.parametrize(
        "asked", ["before=x", "before=1", "limit=x", "before=1.x", "before=x.1", "sort=name", "sort="]
    )
    def test_a_wrong_page(self, view, asked):
        """A cursor that no answer had is refused, and an order that there is not."""
        assert view.ask(f"/api/traces?{asked}")[0] == 400

    def test_a_page_beyond_all(self, view):
        """Numbers of any size are numbers."""
        export(view, sent("t", "s"))

        assert view.get("/api/traces", before=f"-{10**30}.0")["traces"] == []

    def test_what_is_not_there(self, view):
        """An unknown trace and an unknown span have status 404."""
        export(view, sent("t", "s"))

        assert view.ask("/api/traces/ff")[0] == 404
        assert view.ask(f"/api/traces/{hexadecimal('t')}/spans/ff")[0] == 404

    def test_the_version(self, view):
        """It changes as something arrives, so that a page asks again."""
        before = view.get("/api/status")["version"]
        export(view, sent("t", "s"))

        assert view.get("/api/status") == {"version": before + 1}

    def test_the_name(self, view):
        """A trace has the name of its root, and until that arrives, of the span that began first."""
        export(view, sent("t", "b", "a", start=20, name="second"), sent("t", "c", "a", start=10, name="first"))
        early = view.traces()[0]["name"]
        export(view, sent("t", "a", start=30, name="root"))

        assert (early, view.traces()[0]["name"]) == ("first", "root")


class TestBounds:
    """What is kept."""

    def test_the_oldest_are_dropped(self, tmp_path):
        """More than the bound is never kept, and nothing of what is dropped is found any more."""
        with viewing(tmp_path, keep=10) as view:
            for number in range(8):
                text = json.dumps([{"role": "user", "parts": [{"type": "text", "content": f"word{number} here"}]}])
                attributes = {"gen_ai.request.model": f"m{number}", "gen_ai.input.messages": text}
                export(view, *(sent(f"t{number}", f"{part}", attributes=attributes) for part in range(3)))

            assert sorted(named(view)) == ["t5", "t6", "t7"]
            assert view.get("/api/choices")["models"] == ["m5", "m6", "m7"]
            assert (named(view, text="word0"), named(view, text="word7"), named(view, model="m0")) == ([], ["t7"], [])
            assert view.get("/api/choices")["counts"]["spans"] == 9

    def test_bytes(self, tmp_path):
        """Content counts by its size."""
        with viewing(tmp_path, keep_bytes=100_000) as view:
            for number in range(6):
                export(view, sent(f"t{number}", "s", attributes={"gen_ai.input.messages": "x" * 30_000}))

            assert sorted(named(view)) == ["t3", "t4", "t5"]

    def test_one_trace_that_is_too_large(self, tmp_path):
        """It keeps what came first, and how much was dropped is known."""
        with viewing(tmp_path, keep=5) as view:
            export(view, *(sent("t", f"{number}") for number in range(8)))

            assert [row["spans"] for row in view.traces()] == [5]
            assert view.get("/api/choices")["dropped"] == 3

    def test_a_trace_with_many_spans(self, view):
        """The page gets the first 2000, and how many there are."""
        export(
            view,
            *(
                joined([sent("t", f"{number}", start=number) for number in range(first, first + 500)])
                for first in range(0, 2500, 500)
            ),
        )

        trace = view.get(f"/api/traces/{hexadecimal('t')}")
        assert (trace["spans"], len(trace["tree"])) == (2500, 2000)
        assert trace["tree"][-1]["id"] == hexadecimal("1999", 8)

    @pytest.mark.parametrize("way", ["http", "grpc"])
    def test_a_file_that_cannot_be_written(self, view, monkeypatch, caplog, way):
        """As long as another program holds the file, exporters get what lets them send again; then nothing is missing."""
        monkeypatch.setattr("opentelemetry_instrumentation_genai._runtime.guard._reported", set())
        body = sent("t", "s").SerializeToString()
        with closing(sqlite3.connect(view.store.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            if way == "http":
                answers = [view.post("/v1/traces", body, content_type=PROTOBUF)[0] for _ in range(2)]
                assert answers == [503, 503]
            else:
                with pytest.raises(grpc.RpcError) as raised:
                    over_grpc(view, body)
                assert raised.value.code() == grpc.StatusCode.UNAVAILABLE
            assert (view.traces(), caplog.messages) == ([], ["What is received cannot be kept: database is locked."])
            other.execute("ROLLBACK")
        over_grpc(view, body)

        assert named(view) == ["t"]

    def test_a_file_is_read_again(self, tmp_path):
        """What a file keeps is there when it is opened again, and the bound holds for it."""
        with viewing(tmp_path) as view:
            export(view, *(sent(f"t{number}", "s") for number in range(4)))
        with viewing(tmp_path, keep=4) as view:
            assert len(view.traces()) == 4
            export(view, sent("t4", "s"))

            assert sorted(named(view)) == ["t1", "t2", "t3", "t4"]


class TestSecurity:
    """Who is answered, and what hostile values do."""

    @pytest.mark.parametrize(
        "host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "", "[", "10.0.0.1"]
    )
    def test_another_name_of_the_host(self, view, host):
        """A name of the web that resolves to this machine gets nothing, neither pages nor the receiver."""
        for port in (view.serving.page, view.serving.http):
            assert fetch(port, "GET", "/api/status", headers={"Host": host})[0] == 421

    @pytest.mark.parametrize("host", ["localhost:1", "LOCALHOST", "127.0.0.1", "[::1]:8765"])
    def test_a_name_of_this_machine(self, view, host):
        """Any port is right: a tunnel may have another."""
        assert view.ask("/api/status", Host=host)[0] == 200

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example"])
    def test_a_page_of_another_origin(self, view, origin):
        """It can neither read nor send spans."""
        body = sent("t", "s").SerializeToString()
        headers = {"Origin": origin, "Content-Type": PROTOBUF}

        assert view.ask("/api/traces", **headers)[0] == 403
        assert fetch(view.serving.http, "POST", "/v1/traces", body, headers)[0] == 403
        assert named(view) == []

    @pytest.mark.parametrize("path", ["/", "/app.js", "/style.css", "/api/traces", "/nothing"])
    def test_headers(self, view, path):
        """Each answer forbids what a page does not need, and allows no other origin."""
        _, headers, _ = view.ask(path, Origin=f"http://127.0.0.1:{view.serving.page}")

        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert not [name for name in headers if name.startswith("access-control")]

    @pytest.mark.parametrize(
        "path", ["/", "/api/status", "/api/traces", "/api/choices", "/nothing", "/?token=", "/?token=x"]
    )
    @pytest.mark.parametrize(
        "authorization", [None, "Bearer", "Bearer x", "Basic TOKEN", "Bearer TOKENx", "Bearer \xff"]
    )
    def test_another_user(self, view, path, authorization):
        """Without the token of this run there is a sentence that says what to do, and nothing else."""
        headers = {} if authorization is None else {"Authorization": authorization.replace("TOKEN", view.serving.token)}
        status, _, body = fetch(view.serving.page, "GET", path, headers=headers)

        assert status == 403
        assert body.decode() == (
            "The address of this page has a token, so that other users of this machine cannot read it: open the whole address"
            " that `opentelemetry-genai view` has printed."
        )

    def test_the_token(self, view, tmp_path_factory):
        """It opens the page and what the page asks for, by address or header; it is another one each time."""
        path = view.serving.url.partition(str(view.serving.page))[2]
        with viewing(tmp_path_factory.mktemp("other")) as other:
            assert other.serving.token != view.serving.token
        assert len(view.serving.token) > 40
        assert fetch(view.serving.page, "GET", path)[0] == 200
        assert fetch(view.serving.page, "GET", "/api/status" + path[1:])[0] == 200
        assert view.ask("/api/status")[0] == 200

    @pytest.mark.parametrize("path", ["/app.js", "/chat.js", "/text.js", "/tree.js", "/style.css", "/icon.svg"])
    def test_files_of_the_page(self, view, path):
        """They are the same for everybody, and need no token; nor do exporters, which have none."""
        assert fetch(view.serving.page, "GET", path)[0] == 200
        export(view, sent("t", "s"))
        assert named(view) == ["t"]

    @pytest.mark.parametrize("path", ["/../schema.py", "/static/app.js", "/%2e%2e/store.py", "/app.js/"])
    def test_other_files(self, view, path):
        """Only the files of the page are there."""
        assert view.ask(path)[0] == 404

    def test_values(self, view):
        """Values that JSON, SQLite or a script cannot have are shown as near as can be."""
        odd = {
            "nan": float("nan"),
            "infinite": float("-inf"),
            "large": 2**63 - 1,
            "bytes": b"\x00\xff",
            "nul": "a\0b",
            "list": ["a", "b"],
            "gen_ai.usage.input_tokens": 2**62,
            "gen_ai.usage.cost": float("inf"),
            "gen_ai.request.model": "m\0",
            "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "\\ud800 half"}]}]',
            "gen_ai.output.messages": "[" * 50_000,
        }
        request = sent("t", "s", attributes=odd)
        (span,) = request.resource_spans[0].scope_spans[0].spans
        span.start_time_unix_nano = 2**64 - 1
        export(view, request)

        detail = view.get(f"/api/traces/{hexadecimal('t')}/spans/{hexadecimal('s', 8)}")
        shown = dict(detail["attributes"])
        assert {name: shown[name] for name in list(odd)[:6]} == {
            "nan": "nan",
            "infinite": "-inf",
            "large": "9223372036854775807",
            "bytes": "(2 bytes)",
            "nul": "a\0b",
            "list": "a, b",
        }
        assert [message["parts"][0]["text"] for message in detail["messages"]] == ["? half", "[" * 50_000]
        assert (detail["input_tokens"], detail["cost"], detail["duration"]) == (None, None, 0)
        assert named(view, text="half", model="m\0") == ["t"]

    def test_a_megabyte(self, view):
        """A message of a megabyte is kept whole, found by its last word, and does not slow the list."""
        text = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "<b>" * 350_000 + " needle"}]}])
        export(view, sent("t", "s", attributes={"gen_ai.input.messages": text}))

        (row,) = view.traces(text="needle")
        detail = view.get(f"/api/traces/{row['id']}/spans/{hexadecimal('s', 8)}")
        assert len(row["message"]) == 300
        assert len(detail["messages"][0]["parts"][0]["text"]) == 1_050_007

    def test_odd_trees(self):
        """A circle of parents, a parent that is missing, and a chain deeper than Python's stack are trees."""
        circle = [{"id": "a", "parent": "b"}, {"id": "b", "parent": "a"}, {"id": "c", "parent": "missing"}]
        chain = [{"id": str(number), "parent": str(number - 1)} for number in range(5000)]

        assert [(span["id"], span["depth"]) for span in in_order(circle)] == [("c", 0), ("a", 0), ("b", 0)]
        assert [span["depth"] for span in in_order(chain)] == [*range(5000)]

    def test_spans_above_each_other(self, view):
        """A circle of spans with tokens ends; what it counts is no more than what they have."""
        usage = {"gen_ai.usage.input_tokens": 5}
        export(
            view,
            sent("t", "a", "b", attributes=usage),
            sent("t", "b", "a", attributes=usage),
            sent("t", "c", "c", attributes=usage),
        )

        (row,) = view.traces()
        assert 0 <= row["input_tokens"] <= 15
        assert len(view.get(f"/api/traces/{row['id']}")["tree"]) == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one two", '"one" AND "two"'),
        ('"two words" on', '"two words"* AND "on"'),
        ("日本 a", '"日本"* AND "a"'),
        ('un"closed', '"un" AND "closed"*'),
        ("the then", '"the" AND "then"*'),
        (" - ", '""'),
    ],
)
def test_words(text, expected):
    """All words have to be there; a longer one may go on."""
    assert words_of(text) == expected

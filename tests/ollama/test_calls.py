"""What no row of the contract says of Ollama: images, ways in, providers, server timings, patching."""

from __future__ import annotations

import dataclasses
import json
import sys
from base64 import b64encode
from hashlib import sha256
from types import SimpleNamespace

import ollama
import pytest
from inline_snapshot import snapshot
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from loopback import Json, Ndjson, Telemetry
from loopback.processes import run
from ollama_endings import DONE, MODEL, chat, line, stream
from opentelemetry_instrumentation_genai import OllamaInstrumentor

CLIENT = sys.modules["ollama._client"]
HI = [{"role": "user", "content": "Hi"}]
PIXELS = bytes(range(64))
SERVER = ("request.duration", "time_to_first_token", "time_per_output_token")


def answer(**members):
    """A plain answer."""
    return Json(line("Hello", **{**DONE, **members}))


def server_times(telemetry: Telemetry):
    """The server's own times, by the end of the metric's name; None where nothing was recorded."""
    points = {name: telemetry.metrics.get(f"gen_ai.server.{name}") for name in SERVER}
    return [found and (found[0].count, found[0].sum) for found in points.values()]


def test_headers_of_a_proxy(server, telemetry: Telemetry, client):
    """The cost and the rate limit that a proxy in front of the server reports are those of the call."""
    OllamaInstrumentor().instrument(**telemetry.providers, prices="billed", metrics="extended")
    headers = {"x-litellm-response-cost": "0.5", "x-ratelimit-remaining-requests": "9"}
    server.reply(dataclasses.replace(answer(), headers=headers))

    client.chat(model=MODEL, messages=HI)

    assert 0.5 == telemetry.span.attributes["gen_ai.usage.cost"]
    assert [9] == [point.value for point in telemetry.metrics["gen_ai.client.rate_limit.remaining.requests"]]


def test_the_first_chunk_is_measured_from_the_start(server, telemetry: Telemetry, client):
    """The time to the first chunk of a stream, which sends its request with its first step, lies within the call."""
    OllamaInstrumentor().instrument(**telemetry.providers)
    server.reply(stream(line("Hel"), line("lo", **DONE)))

    list(client.chat(model=MODEL, messages=HI, stream=True))

    (first,), (whole,) = (
        telemetry.metrics[f"gen_ai.client.operation.{name}"] for name in ("time_to_first_chunk", "duration")
    )
    assert 0 < first.sum <= whole.sum
    assert first.sum == telemetry.span.attributes["gen_ai.response.time_to_first_chunk"]


def test_all_of_one_call(server, telemetry: Telemetry, client):
    """One span, its metrics, with the server's own among them, and no event."""
    OllamaInstrumentor().instrument(**telemetry.providers)
    server.reply(answer())

    client.chat(model=MODEL, messages=HI)

    assert (
        snapshot(
            {
                "spans": [
                    {
                        "name": "chat llama3.2",
                        "kind": "CLIENT",
                        "status": {"code": "UNSET", "description": None},
                        "attributes": {
                            "gen_ai.operation.name": "chat",
                            "gen_ai.provider.name": "ollama",
                            "gen_ai.request.model": "llama3.2",
                            "gen_ai.response.finish_reasons": ["stop"],
                            "gen_ai.response.model": "llama3.2",
                            "gen_ai.usage.input_tokens": 8,
                            "gen_ai.usage.output_tokens": 3,
                            "http.response.status_code": 200,
                            "ollama.eval_duration": 1.0,
                            "ollama.load_duration": 0.5,
                            "ollama.prompt_eval_duration": 0.25,
                            "ollama.total_duration": 2.0,
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
                        "bounds": [
                            0.01,
                            0.02,
                            0.04,
                            0.08,
                            0.16,
                            0.32,
                            0.64,
                            1.28,
                            2.56,
                            5.12,
                            10.24,
                            20.48,
                            40.96,
                            81.92,
                        ],
                        "points": [
                            {
                                "attributes": {
                                    "gen_ai.operation.name": "chat",
                                    "gen_ai.provider.name": "ollama",
                                    "gen_ai.request.model": "llama3.2",
                                    "gen_ai.response.model": "llama3.2",
                                    "server.address": "127.0.0.1",
                                    "server.port": "<port>",
                                },
                                "exemplars": ["chat llama3.2"],
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
                                    "gen_ai.operation.name": "chat",
                                    "gen_ai.provider.name": "ollama",
                                    "gen_ai.request.model": "llama3.2",
                                    "gen_ai.response.model": "llama3.2",
                                    "gen_ai.token.type": "input",
                                    "server.address": "127.0.0.1",
                                    "server.port": "<port>",
                                },
                                "exemplars": ["chat llama3.2"],
                                "count": 1,
                                "sum": 8,
                            },
                            {
                                "attributes": {
                                    "gen_ai.operation.name": "chat",
                                    "gen_ai.provider.name": "ollama",
                                    "gen_ai.request.model": "llama3.2",
                                    "gen_ai.response.model": "llama3.2",
                                    "gen_ai.token.type": "output",
                                    "server.address": "127.0.0.1",
                                    "server.port": "<port>",
                                },
                                "exemplars": ["chat llama3.2"],
                                "count": 1,
                                "sum": 3,
                            },
                        ],
                    },
                    "gen_ai.server.request.duration": {
                        "unit": "s",
                        "description": "Time that the server took, by its own clock.",
                        "bounds": [
                            0.01,
                            0.02,
                            0.04,
                            0.08,
                            0.16,
                            0.32,
                            0.64,
                            1.28,
                            2.56,
                            5.12,
                            10.24,
                            20.48,
                            40.96,
                            81.92,
                        ],
                        "points": [
                            {
                                "attributes": {
                                    "gen_ai.operation.name": "chat",
                                    "gen_ai.provider.name": "ollama",
                                    "gen_ai.request.model": "llama3.2",
                                    "gen_ai.response.model": "llama3.2",
                                    "server.address": "127.0.0.1",
                                    "server.port": "<port>",
                                },
                                "exemplars": ["chat llama3.2"],
                                "count": 1,
                                "sum": "<seconds>",
                            }
                        ],
                    },
                    "gen_ai.server.time_per_output_token": {
                        "unit": "s",
                        "description": "Time that the server took per token after the first one.",
                        "bounds": [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5],
                        "points": [
                            {
                                "attributes": {
                                    "gen_ai.operation.name": "chat",
                                    "gen_ai.provider.name": "ollama",
                                    "gen_ai.request.model": "llama3.2",
                                    "gen_ai.response.model": "llama3.2",
                                    "server.address": "127.0.0.1",
                                    "server.port": "<port>",
                                },
                                "exemplars": ["chat llama3.2"],
                                "count": 1,
                                "sum": "<seconds>",
                            }
                        ],
                    },
                    "gen_ai.server.time_to_first_token": {
                        "unit": "s",
                        "description": "Time that the server took to the first token.",
                        "bounds": [
                            0.001,
                            0.005,
                            0.01,
                            0.02,
                            0.04,
                            0.06,
                            0.08,
                            0.1,
                            0.25,
                            0.5,
                            0.75,
                            1.0,
                            2.5,
                            5.0,
                            7.5,
                            10.0,
                        ],
                        "points": [
                            {
                                "attributes": {
                                    "gen_ai.operation.name": "chat",
                                    "gen_ai.provider.name": "ollama",
                                    "gen_ai.request.model": "llama3.2",
                                    "gen_ai.response.model": "llama3.2",
                                    "server.address": "127.0.0.1",
                                    "server.port": "<port>",
                                },
                                "exemplars": ["chat llama3.2"],
                                "count": 1,
                                "sum": "<seconds>",
                            }
                        ],
                    },
                },
                "events": [],
            }
        )
        == telemetry.snapshot()
    )


@pytest.mark.parametrize("kind", ["path", "pathlike", "bytes", "base64"])
@pytest.mark.parametrize("method", ["chat", "generate"])
def test_an_image_is_recorded_by_its_digest(server, telemetry: Telemetry, client, tmp_path, *, method, kind):
    """However it is given: what is recorded is what the server gets, and never its content."""
    OllamaInstrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")
    path = tmp_path / "image.png"
    path.write_bytes(PIXELS)
    data = b64encode(PIXELS).decode()
    image = {"path": str(path), "pathlike": path, "bytes": PIXELS, "base64": data}[kind]
    server.reply(answer() if method == "chat" else Json({"model": MODEL, "response": "Hello", **DONE}))

    if method == "chat":
        client.chat(model=MODEL, messages=[{"role": "user", "content": "What is that?", "images": [image]}])
    else:
        client.generate(model=MODEL, prompt="What is that?", images=[image])

    (message,) = json.loads(telemetry.span.attributes["gen_ai.input.messages"])
    assert {
        "type": "blob",
        "modality": "image",
        "mime_type": None,
        "byte_size": len(PIXELS),
        "sha256": sha256(PIXELS).hexdigest(),
        "content": "",
    } == message["parts"][1]
    assert data in server.requests[0].body.decode()
    assert data not in repr(telemetry.snapshot())
    assert str(tmp_path) not in repr(telemetry.snapshot())


@pytest.mark.skipif("image" not in ollama.GenerateResponse.model_fields, reason="this SDK drops generated images")
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("binary", [False, True])
def test_a_generated_image(*, server, telemetry: Telemetry, client, binary, streamed):
    """Its digest is recorded, however it is read, and its bytes only where binary data is captured."""
    data = b64encode(PIXELS).decode()
    lines = [
        {"model": MODEL, "completed": 1, "total": 2},
        {"model": MODEL, "image": data, "done": True, "done_reason": "stop"},
    ]
    server.reply(Ndjson(lines) if streamed else Json(lines[-1]))
    OllamaInstrumentor().instrument(
        **telemetry.providers, capture_message_content="span_and_event", capture_binary=binary
    )

    answer = client.generate(model=MODEL, prompt="A cat", stream=streamed)
    images = [part.image for part in answer] if streamed else [answer.image]

    assert [data] == [image for image in images if image]
    (message,) = json.loads(telemetry.span.attributes["gen_ai.output.messages"])
    (part,) = message["parts"]
    assert ("blob", "image", len(PIXELS), sha256(PIXELS).hexdigest(), data if binary else "") == tuple(
        part[name] for name in ("type", "modality", "byte_size", "sha256", "content")
    )
    assert binary is (data in repr(telemetry.snapshot()))


def test_objects_of_the_sdk_are_messages_too(server, telemetry: Telemetry, client):
    """Messages, options and tools as the SDK's own models, and a function as a tool."""
    OllamaInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    server.reply(answer())

    def weather(city: str) -> str:
        """Of a city.

        Args:
            city: which one.
        """
        return city

    client.chat(
        model=MODEL,
        messages=[ollama.Message(role="user", content="Hi")],
        tools=[weather],
        options=ollama.Options(temperature=0.5),
    )

    attributes = telemetry.span.attributes
    assert 0.5 == attributes["gen_ai.request.temperature"]
    assert [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}] == json.loads(
        attributes["gen_ai.input.messages"]
    )
    (tool,) = json.loads(attributes["gen_ai.tool.definitions"])
    assert ("function", "weather") == (tool["type"], tool["name"])
    assert {"city"} == tool["parameters"]["properties"].keys()


def test_a_cold_start_is_recorded_apart(server, telemetry: Telemetry, client):
    """Loading the model is an attribute of its own, and part of the time to the first token."""
    OllamaInstrumentor().instrument(**telemetry.providers)
    server.reply(answer(load_duration=9_500_000_000, total_duration=11_000_000_000))

    client.chat(model=MODEL, messages=HI)

    attributes = telemetry.span.attributes
    assert (9.5, 11.0) == (attributes["ollama.load_duration"], attributes["ollama.total_duration"])
    assert [(1, 11.0), (1, 9.75), (1, 0.5)] == server_times(telemetry)


MISSING_TIMES = {
    "no durations": ({name: None for name in DONE if name.endswith("duration")}, [None, None, None]),
    "no load_duration": ({"load_duration": None}, [(1, 2.0), None, (1, 0.5)]),
    "no prompt_eval_duration": ({"prompt_eval_duration": None}, [(1, 2.0), None, (1, 0.5)]),
    "no eval_duration": ({"eval_duration": None}, [(1, 2.0), (1, 0.75), None]),
    "no eval_count": ({"eval_count": None}, [(1, 2.0), None, None]),
    "no token": ({"eval_count": 0}, [(1, 2.0), None, None]),
    "one token": ({"eval_count": 1}, [(1, 2.0), (1, 0.75), None]),
    "no time at all": ({"eval_duration": 0, "load_duration": 0}, [(1, 2.0), (1, 0.25), (1, 0.0)]),
    "less than nothing": ({"total_duration": -1}, [None, (1, 0.75), (1, 0.5)]),
}


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("case", MISSING_TIMES)
def test_what_the_server_does_not_say_is_not_reported(server, telemetry: Telemetry, client, case, streamed):
    """No time is made up of others, plain and streamed."""
    changes, expected = MISSING_TIMES[case]
    done = {name: value for name, value in {**DONE, **changes}.items() if value is not None}
    OllamaInstrumentor().instrument(**telemetry.providers)
    server.reply(stream(line("Hello"), line(**done)) if streamed else Json(line("Hello", **done)))

    if streamed:
        list(chat(client))
    else:
        client.chat(model=MODEL, messages=HI)

    assert expected == server_times(telemetry)


def test_a_stream_that_fails_after_its_timings(server, telemetry: Telemetry, client):
    """Times of tokens are those of successful responses; that of the request has its `error.type`."""
    OllamaInstrumentor().instrument(**telemetry.providers)
    server.reply(stream(line("Hello", **DONE), {"error": "too late"}))

    with pytest.raises(ollama.ResponseError):
        list(chat(client))

    assert [(1, 2.0), None, None] == server_times(telemetry)
    (point,) = telemetry.metrics["gen_ai.server.request.duration"]
    assert "ollama._types.ResponseError" == point.attributes["error.type"]


def test_metrics_of_a_call_that_is_not_sampled(server, client):
    """All of them, the server's too."""
    telemetry = Telemetry(ALWAYS_OFF)
    OllamaInstrumentor().instrument(**telemetry.providers)
    server.reply(stream())

    list(chat(client))
    OllamaInstrumentor().uninstrument()
    telemetry.shutdown()

    assert ([], [(1, 2.0), (1, 0.75), (1, 0.5)]) == (telemetry.spans, server_times(telemetry))
    assert 2 == len(telemetry.metrics["gen_ai.client.token.usage"])


@pytest.mark.parametrize(
    ("declared", "provider"),
    [(None, "ollama"), ("127.0.0.1:*=kobold", "kobold"), ("other=kobold", "ollama")],
)
def test_the_provider_is_what_the_user_declares(server, telemetry: Telemetry, client, declared, provider):
    """Else it is Ollama, wherever it is."""
    OllamaInstrumentor().instrument(**telemetry.providers, host_providers=declared)
    server.reply(answer())

    client.chat(model=MODEL, messages=HI)

    assert provider == telemetry.span.attributes["gen_ai.provider.name"]
    assert ("127.0.0.1", server.port) == (
        telemetry.span.attributes["server.address"],
        telemetry.span.attributes["server.port"],
    )


@pytest.mark.parametrize(
    ("host", "address", "port"),
    [
        ("http://models.example", "models.example", 80),
        ("https://ollama.com", "ollama.com", 443),
        ("[::1]:1234", "::1", 1234),
        ("0.0.0.0", "0.0.0.0", 11434),
    ],
)
def test_the_server_is_where_the_client_goes(telemetry: Telemetry, host, address, port):
    """With the port of its scheme where none is given, or that of Ollama by the SDK's own rule."""
    OllamaInstrumentor().instrument(**telemetry.providers)
    client = ollama.Client(host=host)
    client._client.event_hooks = {"request": [lambda _: 1 / 0]}

    with pytest.raises(ZeroDivisionError):
        client.embed(model=MODEL, input="one")

    attributes = telemetry.span.attributes
    assert (address, port) == (attributes["server.address"], attributes["server.port"])


@pytest.mark.process
def test_functions_that_were_imported_before(tmp_path, server):
    """`from ollama import chat`, before instrumenting and before it is even imported."""
    program = """
from ollama import chat, embed
from opentelemetry_instrumentation_genai import OllamaInstrumentor
from loopback import Telemetry

telemetry = Telemetry()
OllamaInstrumentor().instrument(**telemetry.providers)
list(chat(model="llama3.2", messages=[dict(role="user", content="Hi")], stream=True))
embed(model="llama3.2", input="one")
print([span.name for span in telemetry.spans])
"""
    server.reply(stream(), Json({"model": MODEL, "embeddings": [[0.5]]}))

    written = run(tmp_path, program, OLLAMA_HOST=server.url)

    assert (["['chat llama3.2', 'embeddings llama3.2']"], []) == written


@pytest.mark.process
def test_zero_code(tmp_path, server):
    """Under `opentelemetry-instrument`, the SDK is imported when the application imports it, and not before."""
    program = """
import sys
print([name for name in ("ollama", "httpx", "pydantic") if name in sys.modules])
import ollama
print(type(ollama.Client._request).__name__)
"""
    settings = {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")}

    assert (["[]", "BoundFunctionWrapper"], []) == run(tmp_path, program, instrumented=True, **settings)
    off = {**settings, "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "genai_ollama"}
    assert (["[]", "function"], []) == run(tmp_path, program, instrumented=True, **off)


HELD = {
    "held": "made = chat(); next(made); next(made)",
    "in a loop": "for number, _ in enumerate(chat()):\n    if number == 1: sys.exit(0)",
    "asynchronous": """
async def main():
    global made
    made = await ollama.AsyncClient().chat(model="llama3.2", messages=[dict(role="user", content="Hi")], stream=True)
    await anext(made); await anext(made)
loop = asyncio.new_event_loop()
loop.run_until_complete(main())
""",
    "and the process forked": """
made = chat(); next(made); next(made)
child = os.fork()
if child: os.waitpid(child, 0)
""",
}


@pytest.mark.process
@pytest.mark.parametrize("program", HELD)
def test_held_at_exit(tmp_path, server, program):
    """A stream that nobody closed is recorded once, as the process ends, without a status, with what was received."""
    server.reply_always(stream(end="stall", sent=3))
    begin = """
import ctypes, _datetime; ctypes.pythonapi.Py_IncRef(ctypes.py_object(_datetime))
import asyncio, os, sys, warnings
warnings.simplefilter("ignore")
import ollama
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from opentelemetry_instrumentation_genai import OllamaInstrumentor

def line(span):
    return f"{span.status.status_code.name} {span.attributes['gen_ai.response.finish_reasons']}\\n"

provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(formatter=line)))
OllamaInstrumentor().instrument(tracer_provider=provider)

def chat():
    return ollama.chat(model="llama3.2", messages=[dict(role="user", content="Hi")], stream=True)

"""

    written, _ = run(tmp_path, begin + HELD[program], OLLAMA_HOST=server.url)

    assert ["UNSET ('error',)"] == written


def test_unpatching_is_exact(telemetry: Telemetry):
    """Every patched object is what it was."""
    before = {name: vars(getattr(CLIENT, kind))[name] for kind in ("Client", "AsyncClient") for name in PATCHED}

    OllamaInstrumentor().instrument(**telemetry.providers)
    assert all(vars(CLIENT.Client)[name] is not before[name] for name in PATCHED)
    OllamaInstrumentor().uninstrument()

    assert before == {name: vars(getattr(CLIENT, kind))[name] for kind in ("Client", "AsyncClient") for name in PATCHED}


PATCHED = ("_request", "_request_raw")


def test_a_method_that_was_kept_goes_quiet(server, telemetry: Telemetry, client):
    """A wrapper that survives somewhere follows nothing after `uninstrument()`."""
    OllamaInstrumentor().instrument(**telemetry.providers)
    kept = client._request
    OllamaInstrumentor().uninstrument()
    server.reply(answer(), stream())

    kept(ollama.ChatResponse, "POST", "/api/chat", json={"model": MODEL})
    list(kept(ollama.ChatResponse, "POST", "/api/chat", json={"model": MODEL}, stream=True))

    assert [] == telemetry.spans


@pytest.mark.parametrize("version", ["0.3.3", "1.0.0"])
def test_another_version_is_left_alone(server, telemetry: Telemetry, client, *, caplog, monkeypatch, version):
    """One line says which was found and which are supported."""
    monkeypatch.setattr(CLIENT, "__version__", version)
    monkeypatch.setattr("opentelemetry_instrumentation_genai._runtime.guard._reported", set())
    OllamaInstrumentor().instrument(**telemetry.providers)
    server.reply(answer())

    client.chat(model=MODEL, messages=HI)

    assert [] == telemetry.spans
    (done,) = [record.getMessage() for record in caplog.records]
    assert f"ollama {version} is installed, supported is >=0.4.0,<1" in done
    caplog.clear()


ODD = {
    "no message": {"message": None},
    "tool calls of nothing": {"message": {"role": "assistant", "tool_calls": [{}]}},
    "numbers as texts": {"eval_count": "3", "total_duration": "2"},
    "numbers that are none": {"eval_count": float("nan"), "total_duration": 1e300, "load_duration": True},
    "a reason that is no text": {"done_reason": 1},
}


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_response_breaks_nothing(server, telemetry: Telemetry, client, odd):
    """Through a class of one's own, which takes anything, as a later SDK's may."""
    OllamaInstrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")
    body = {**line("Hello", **DONE), **ODD[odd]}
    server.reply(Json(body), stream(body, body))

    request = ("POST", "/api/chat")
    client._request(SimpleNamespace, *request, json={"model": MODEL, "messages": None, "options": 1})
    list(client._request(SimpleNamespace, *request, json=None, stream=True))

    assert ["chat llama3.2", "chat"] == [span.name for span in telemetry.spans]
    assert {"UNSET"} == {span.status.status_code.name for span in telemetry.spans}

"""The three ways in, end to end, and the ways to switch it off.

What an application can see of being started is looked at from a process of its own; there, nothing is imported yet.
"""

from __future__ import annotations

import json
import logging
from importlib.util import find_spec
from typing import Any

import openai
import pytest
from inline_snapshot import snapshot
from openai import _base_client, _streaming
from opentelemetry import trace

from loopback import Json, Sse, Telemetry, same
from loopback.openai_bodies import CHAT, MODEL, chunks, completion
from loopback.processes import run
from opentelemetry_instrumentation_genai import OpenAIInstrumentor, __version__
from opentelemetry_instrumentation_genai._conventions.sdks import INSTRUMENTED

pytestmark = pytest.mark.process

# An application without a line about telemetry.
APP = f"""
from openai import OpenAI

client = OpenAI(max_retries=0)
print(client.chat.completions.create(model="{MODEL}", messages=[dict(role="user", content="Hi")]).choices[0].message.content)
print([chunk.choices[0].delta.content for chunk in client.chat.completions.create(
    model="{MODEL}", messages=[dict(role="user", content="Hi")], stream=True
)])
"""
ANSWERED = ["Hello", "['Hel', 'lo', None]"]
SCOPE = "opentelemetry_instrumentation_genai"
NONE = dict.fromkeys(("OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER"), "none")
# Tells what of the SDK and of what comes with it is imported.
LOADED = """
import sys

packages = {name.partition(".")[0] for name in sys.modules}
print(*sorted(packages & {"openai", "anthropic", "ollama", "httpx", "httpx2", "httpcore", "pydantic", "pydantic_core", "anyio"}))
ours = {name for name in sys.modules if name.startswith("opentelemetry_instrumentation_genai")}
print("opentelemetry_instrumentation_genai._patching.instrumentor" in ours, len(ours) < 7)
"""

# Makes calls, sync and async, and prints the addresses that it connected to, the names that it resolved, the programs that it ran, and its threads.
WATCHED = f"""
import asyncio, os, sys, threading

seen, threads, start = set(), [], threading.Thread.start

def audited(event, args):
    if event in ("socket.connect", "socket.sendto"):
        seen.add(str(args[1][0]))
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        seen.add(str(args[0]))
    elif event in ("subprocess.Popen", "os.fork", "os.posix_spawn"):
        seen.add(event)

def started(thread):
    threads.append(thread.name)
    start(thread)

sys.addaudithook(audited)
threading.Thread.start = started
if "SETTINGS" in os.environ:
    from opentelemetry_instrumentation_genai import instrument

    instrument(capture_message_content="span_and_event", metrics="extended", prices="genai-prices", stream_usage="inject")

from openai import AsyncOpenAI, OpenAI

ask = dict(model="{MODEL}", messages=[dict(role="user", content="Hi")])

async def main():
    async with AsyncOpenAI(max_retries=0) as client:
        for _ in range(5):
            await client.chat.completions.create(**ask)

with OpenAI(max_retries=0) as client:
    for _ in range(5):
        client.chat.completions.create(**ask)
asyncio.run(main())
print(*sorted(seen))
print(*sorted(threads), sep=", ")
"""


@pytest.fixture
def replies(server) -> dict[str, str]:
    """The model server answers a plain and a streamed call; an application finds it by these variables."""
    server.reply(Json(completion()), Sse(chunks("Hel", "lo")))
    return {"OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": "none"}


def exported(receiver) -> dict[str, Any]:
    """What of ours arrived: names, with the attributes that tell the calls apart."""
    ours = {
        signal: [record for record in getattr(receiver, signal) if record["scope"]["name"] == SCOPE]
        for signal in ("spans", "metrics", "logs")
    }
    return {
        "spans": [
            (span["name"], span["kind"], span["attributes"].get("gen_ai.request.stream", False))
            for span in ours["spans"]
        ],
        "metrics": {
            metric["name"]: sum(point["count"] for point in metric["points"])
            for metric in sorted(ours["metrics"], key=lambda metric: metric["name"])
        },
        "events": [
            (log["event_name"], log["attributes"]["gen_ai.output.messages"][0]["parts"]) for log in ours["logs"]
        ],
    }


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_zero_code(tmp_path, replies, receiver, protocol):
    """`opentelemetry-instrument python app.py` exports spans, metrics and events over either protocol of OTLP."""
    written = run(
        tmp_path,
        APP,
        instrumented=True,
        OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="event_only",
        **receiver.environment(protocol),
        **replies,
    )

    assert (ANSWERED, []) == written
    assert exported(receiver) == snapshot(
        {
            "spans": [("chat gpt-4o-mini", "CLIENT", False), ("chat gpt-4o-mini", "CLIENT", True)],
            "metrics": {
                "gen_ai.client.operation.duration": 2,
                "gen_ai.client.operation.time_per_output_chunk": 2,
                "gen_ai.client.operation.time_to_first_chunk": 1,
                "gen_ai.client.token.usage": 2,
            },
            "events": [
                ("gen_ai.client.inference.operation.details", [{"type": "text", "content": "Hello"}]),
                ("gen_ai.client.inference.operation.details", [{"type": "text", "content": "Hello"}]),
            ],
        }
    )
    assert [span["span_id"] for span in receiver.spans] == [log["span_id"] for log in receiver.logs]
    assert receiver.spans[0]["resource"]["telemetry.auto.version"]


def test_the_scope_says_who_recorded_it(tmp_path, replies, receiver):
    """Spans, metrics and events carry the name and version of this package, and the conventions' schema."""
    environment = {**receiver.environment(), "OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT": "true"}

    run(tmp_path, APP, instrumented=True, **environment, **replies)

    scope = {"name": SCOPE, "version": __version__, "schema_url": "https://opentelemetry.io/schemas/1.41.0"}
    for records in (receiver.spans, receiver.metrics, receiver.logs):
        assert [scope] * len(records) == [record["scope"] for record in records]
        assert records


def test_initialize_as_the_first_line(tmp_path, replies, receiver):
    """`initialize()` in the application's first line does what `opentelemetry-instrument` does."""
    first = "from opentelemetry.instrumentation.auto_instrumentation import initialize; initialize()\n"

    written = run(tmp_path, first + APP, **receiver.environment(), **replies)

    assert (ANSWERED, []) == written
    assert [f"chat {MODEL}"] * 2 == [span["name"] for span in receiver.spans]
    assert [] == receiver.logs


@pytest.mark.parametrize(
    "switched_off",
    [
        {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "genai_openai"},
        {"OTEL_INSTRUMENTATION_GENAI_ENABLED": "anthropic,ollama"},
        {"OTEL_SDK_DISABLED": "true"},
    ],
    ids=lambda variables: next(iter(variables)),
)
def test_switched_off_by_the_environment(tmp_path, replies, receiver, switched_off):
    """The application does its work, says nothing more than without us, and nothing is exported."""
    written = run(tmp_path, APP, instrumented=True, **switched_off, **receiver.environment(), **replies)

    assert (ANSWERED, []) == written
    assert [] == [*receiver.spans, *receiver.metrics, *receiver.logs]


def test_starting_imports_no_sdk(tmp_path):
    """Under `opentelemetry-instrument` nothing of the SDK is imported before the application does it."""
    written = run(tmp_path, LOADED, instrumented=True, **NONE)

    assert (["", "True False"], []) == written


def test_no_connection_and_no_thread_but_those_of_the_sdk(tmp_path, replies, server):
    """Nothing is fetched at the start, nobody is asked for a name, and no call has a thread: one in all loads the prices."""
    server.reset()
    server.reply_always(Json(completion()))

    reached, threads = run(tmp_path, WATCHED, **replies)[0]

    assert "127.0.0.1" in reached
    ours = ["opentelemetry-genai-background"] if find_spec("genai_prices") else []
    expected = [reached, ", ".join(sorted([*filter(None, threads.split(", ")), *ours]))]
    assert expected == run(tmp_path, WATCHED, SETTINGS="1", **replies)[0]


def test_switched_off_nothing_of_ours_is_imported(tmp_path):
    """Disabled entry points are not even loaded; what makes the start shorter is, and needs no more than a few small modules."""
    ours = ",".join(["genai", *(f"genai_{name}" for name in INSTRUMENTED)])
    written = run(tmp_path, LOADED, instrumented=True, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=ours, **NONE)

    assert (["", "False True"], []) == written


def test_the_package_alone_imports_neither_an_sdk_nor_opentelemetry_s(tmp_path):
    """`instrument()` in code needs the API of OpenTelemetry only, as long as nobody imported openai."""
    program = """
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

OpenAIInstrumentor().instrument()
import sys

print(*sorted({"openai", "httpx", "httpx2", "pydantic", "opentelemetry.sdk", "opentelemetry.proto"} & sys.modules.keys()))
"""

    assert ([""], []) == run(tmp_path, program)


def test_in_code_before_the_import(tmp_path, replies, server, telemetry, openai_client):
    """Instrumented before openai is imported, an application reports what it reports when instrumented later."""
    program = f"""
import json, sys
from loopback import Telemetry
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

telemetry = Telemetry()
OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")
assert "openai" not in sys.modules
{APP}
print(json.dumps(telemetry.snapshot()))
"""
    *printed, before = run(tmp_path, program, **replies)[0]
    assert ANSWERED == printed

    server.reply(Json(completion()), Sse(chunks("Hel", "lo")))
    client = openai_client()
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")
    client.chat.completions.create(**CHAT)
    list(client.chat.completions.create(**CHAT, stream=True))

    assert 2 == len(telemetry.spans)
    assert same(json.loads(before), json.loads(json.dumps(telemetry.snapshot())))


def test_uninstrumented_before_the_import(tmp_path, replies, server):
    """What was taken back before openai was imported does not come with the import; instrumented again, it does."""
    program = f"""
from loopback import Telemetry
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

telemetry = Telemetry()
OpenAIInstrumentor().instrument(**telemetry.providers)
OpenAIInstrumentor().uninstrument()
{APP}
print(len(telemetry.spans))
OpenAIInstrumentor().instrument(**telemetry.providers)
client.chat.completions.create(model="{MODEL}", messages=[])
print(len(telemetry.spans))
"""
    server.reply(Json(completion()))

    assert ([*ANSWERED, "0", "1"], []) == run(tmp_path, program, **replies)


async def test_clients_made_before_are_followed(server, telemetry, openai_client, async_openai_client):
    """Clients, and what was taken from them, may be older than the instrumentation, sync and async."""
    server.reply_always(Json(completion()))
    create, async_create = openai_client().chat.completions.create, async_openai_client().chat.completions.create

    OpenAIInstrumentor().instrument(**telemetry.providers)
    create(**CHAT)
    await async_create(**CHAT)

    assert [f"chat {MODEL}"] * 2 == [span.name for span in telemetry.spans]


def test_providers_are_the_global_ones_unless_given(server, openai_client):
    """Without providers and without an SDK, calls go through and are recorded nowhere."""
    server.reply(Json(completion()))
    OpenAIInstrumentor().instrument(capture_message_content="span_and_event")

    answer = openai_client().chat.completions.create(**CHAT)

    assert "Hello" == answer.choices[0].message.content
    assert not trace.get_current_span().is_recording()


def test_each_provider_can_be_given_alone(server, telemetry, openai_client):
    """A tracer provider without the others records spans and nothing else."""
    server.reply(Json(completion()))
    OpenAIInstrumentor().instrument(tracer_provider=telemetry.tracer_provider, emit_event=True)

    openai_client().chat.completions.create(**CHAT)

    assert f"chat {MODEL}" == telemetry.span.name
    assert ({}, []) == (telemetry.metrics, telemetry.logs)


def test_instrumented_twice(server, telemetry, openai_client, caplog):
    """The second `instrument()` takes over the providers that it gives: one span for a call, there alone."""
    server.reply(Json(completion()))
    first = Telemetry()
    OpenAIInstrumentor().instrument(**first.providers)
    with caplog.at_level(logging.CRITICAL):
        OpenAIInstrumentor().instrument(**telemetry.providers)

    openai_client().chat.completions.create(**CHAT)

    assert (1, 0) == (len(telemetry.spans), len(first.spans))
    first.shutdown()


def layers(method: Any) -> int:
    """How many wrappers are around a function."""
    count = 0
    while (method := getattr(method, "__wrapped__", None)) is not None:
        count += 1
    return count


def all_layers() -> list[int]:
    """The layers of what is patched."""
    return [
        layers(vars(kind)[name])
        for kind, name in (
            (_base_client.SyncAPIClient, "request"),
            (_base_client.AsyncAPIClient, "request"),
            (_base_client.SyncAPIClient, "_process_response"),
            (_base_client.AsyncAPIClient, "_process_response"),
            (_streaming.Stream, "__stream__"),
            (_streaming.AsyncStream, "__stream__"),
        )
    ]


def test_many_cycles_add_no_layer(server, telemetry, openai_client):
    """After 30 times instrumented and uninstrumented a call is silent, and then one more time makes one span."""
    server.reply_always(Json(completion()))
    client = openai_client()
    bare = all_layers()

    for _ in range(30):
        OpenAIInstrumentor().instrument(**telemetry.providers)
        assert [layer + 1 for layer in bare] == all_layers()
        OpenAIInstrumentor().uninstrument()
    client.chat.completions.create(**CHAT)
    assert (bare, []) == (all_layers(), telemetry.spans)

    OpenAIInstrumentor().instrument(**telemetry.providers)
    client.chat.completions.create(**CHAT)
    assert f"chat {MODEL}" == telemetry.span.name


def test_uninstrumented_without_having_been_instrumented(openai_client, caplog):
    """It has no effect."""
    before = vars(openai.OpenAI).copy()
    with caplog.at_level(logging.CRITICAL):
        OpenAIInstrumentor().uninstrument()

    assert before == vars(openai.OpenAI)

"""`instrument()` and `uninstrument()`: all or nothing, from any thread, and a later call is not lost."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openai import _base_client, _streaming

from loopback import Json, Telemetry
from loopback.openai_bodies import CHAT, MODEL, completion
from loopback.processes import run
from opentelemetry_instrumentation_genai import AnthropicInstrumentor, OpenAIInstrumentor
from opentelemetry_instrumentation_genai._patching.patch import Patches
from opentelemetry_instrumentation_genai._patching.stainless import Stainless

OURS = "opentelemetry_instrumentation_genai"
NAME = f"chat {MODEL}"
NONE = dict.fromkeys(("OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER"), "none")
TARGETS = [
    (_base_client.SyncAPIClient, "request"),
    (_base_client.AsyncAPIClient, "request"),
    (_base_client.SyncAPIClient, "_process_response"),
    (_base_client.AsyncAPIClient, "_process_response"),
    (_streaming.Stream, "__stream__"),
    (_streaming.AsyncStream, "__stream__"),
]
CLIENTS = """
class SyncAPIClient:
    def request(self, cast_to, options):
        return "what the SDK answers"

    def _process_response(self, **kwargs):
        pass

class AsyncAPIClient(SyncAPIClient):
    pass
"""
STREAMS = "class Stream:\n    def __stream__(self): pass\nclass AsyncStream(Stream): pass"
SEALED = """
class Sealed(type):
    def __setattr__(cls, name, value):
        raise TypeError("sealed")

class Stream(metaclass=Sealed):
    def __stream__(self): pass

AsyncStream = Stream
"""


@pytest.fixture
def logged(caplog, monkeypatch) -> Callable[[], list[str]]:
    """What we log, as if no warning had been logged before."""
    monkeypatch.setattr(f"{OURS}._runtime.guard._reported", set())
    caplog.set_level(logging.WARNING, OURS)
    return lambda: [record.getMessage() for record in caplog.records if record.name == OURS]


@pytest.fixture
def call(server, openai_client) -> Callable[[], Any]:
    """Makes a call."""
    server.reply_always(Json(completion()))
    client = openai_client()
    return lambda: client.chat.completions.create(**CHAT)


def install(folder: Path, **modules: str) -> None:
    """Puts a package `openai` of these modules where an application in ``folder`` finds it first."""
    package = folder / "openai"
    package.mkdir()
    sources = {
        "__init__": "from ._base_client import SyncAPIClient",
        "_version": '__title__ = "openai"\n__version__ = "3.52.0"',
        "_base_client": CLIENTS,
        "_streaming": STREAMS,
    }
    for name, text in {**sources, **modules}.items():
        (package / f"{name}.py").write_text(text, encoding="utf-8")


@pytest.mark.process
@pytest.mark.parametrize(
    "streaming",
    ["raise RuntimeError", "raise OSError", "raise SystemExit", SEALED, "class Stream: pass\nAsyncStream = Stream"],
    ids=["RuntimeError", "OSError", "SystemExit", "TypeError", "AttributeError"],
)
def test_patching_is_all_or_nothing(tmp_path, streaming):
    """Whatever error a patch fails with, those before it are taken back, and `uninstrument()` finds nothing to do."""
    install(tmp_path, _streaming=streaming)
    program = f"""
from {OURS} import OpenAIInstrumentor

OpenAIInstrumentor().instrument()
try:
    import openai
except SystemExit:  # as without us, from whoever imports that module
    import openai
print(openai.SyncAPIClient().request("cast to", "options"))
print([name for name, method in vars(openai.SyncAPIClient).items() if hasattr(method, "__wrapped__")])
OpenAIInstrumentor().uninstrument()
print([name for name, method in vars(openai.SyncAPIClient).items() if hasattr(method, "__wrapped__")])
"""

    written, logged = run(tmp_path, program)

    assert ["what the SDK answers", "[]", "[]"] == written
    assert len(logged) == (streaming != "raise SystemExit")


@pytest.mark.parametrize("number", range(len(TARGETS)))
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_patch_that_is_interrupted(telemetry, monkeypatch, number, error):
    """At whichever of them it strikes, before it or after it, none is left, and the next `instrument()` makes them all."""
    before = [vars(kind)[name] for kind, name in TARGETS]
    apply, calls = Patches.apply, []

    def failing(self: Patches, *args: Any) -> None:
        calls.append(args)
        if len(calls) == number + 1:
            if error is KeyboardInterrupt:
                apply(self, *args)
            raise error

    with monkeypatch.context() as patched:
        patched.setattr(Patches, "apply", failing)
        with pytest.raises(error):  # the tests' guard raises what it would log
            OpenAIInstrumentor().instrument(**telemetry.providers)
    assert before == [vars(kind)[name] for kind, name in TARGETS]

    OpenAIInstrumentor().uninstrument()
    OpenAIInstrumentor().instrument(**telemetry.providers)
    assert all(old is not vars(kind)[name] for old, (kind, name) in zip(before, TARGETS, strict=True))
    OpenAIInstrumentor().uninstrument()
    assert before == [vars(kind)[name] for kind, name in TARGETS]


@pytest.mark.parametrize("step", ["stop", "close"])
def test_a_step_of_stopping_that_fails(call, telemetry, monkeypatch, logged, step):
    """Each step of `uninstrument()` is taken, whichever other one fails: no patch stays, no call is reported."""
    before = [vars(kind)[name] for kind, name in TARGETS]
    OpenAIInstrumentor().instrument(**telemetry.providers)
    monkeypatch.setattr(f"{OURS}._runtime.guard.strict", False)

    def fail(_seam: Stainless) -> None:
        raise RuntimeError(step)

    with monkeypatch.context() as patched:
        patched.setattr(Stainless, step, fail)
        OpenAIInstrumentor().uninstrument()
    call()

    assert before == [vars(kind)[name] for kind, name in TARGETS]
    assert [] == telemetry.spans
    assert 1 == len(logged())
    assert "RuntimeError" in logged()[0]


def test_the_sdk_s_own_tracing_that_cannot_be_given_back(telemetry, monkeypatch, logged):
    """The parts of a seam stop each by itself."""
    from anthropic import _base_client as anthropic_client

    if hasattr(anthropic_client.BaseClient, "_tracer"):  # given back after the test
        monkeypatch.setattr(anthropic_client.BaseClient, "_tracer", vars(anthropic_client.BaseClient)["_tracer"])
    AnthropicInstrumentor().instrument(**telemetry.providers)
    monkeypatch.setattr(f"{OURS}._runtime.guard.strict", False)

    def fail(_native: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(f"{OURS}.anthropic._native.NativeTracing.stop", fail)
        AnthropicInstrumentor().uninstrument()

    assert not hasattr(vars(anthropic_client.SyncAPIClient)["request"], "__wrapped__")
    assert 1 == len(logged())


@pytest.mark.process
def test_one_thread_imports_while_another_instruments(tmp_path):
    """Neither waits for ever: who imports holds the lock of the import, who instruments waits for that and holds ours."""
    install(
        tmp_path,
        _base_client="import __main__\n__main__.importing.set()\n__main__.finish.wait(20)\n" + CLIENTS,
    )
    program = f"""
import sys, threading, time
from {OURS} import OpenAIInstrumentor

importing, finish = threading.Event(), threading.Event()
OpenAIInstrumentor().instrument()
OpenAIInstrumentor().uninstrument()  # the hook stays, and is called by the thread that imports

def load():
    import openai

def start():
    OpenAIInstrumentor().instrument()

threads = [threading.Thread(target=load, daemon=True), threading.Thread(target=start, daemon=True)]
threads[0].start()
importing.wait()
threads[1].start()
time.sleep(0.3)  # most likely it waits for the import now
finish.set()
for thread in threads:
    thread.join(30)
print([thread.is_alive() for thread in threads])
import openai
print([name for name, method in vars(openai.SyncAPIClient).items() if hasattr(method, "__wrapped__")])
OpenAIInstrumentor().uninstrument()
print([name for name, method in vars(openai.SyncAPIClient).items() if hasattr(method, "__wrapped__")])
"""

    written, logged = run(tmp_path, program)

    assert (["[False, False]", "['request', '_process_response']", "[]"], []) == (written, logged)


@pytest.mark.process
def test_one_thread_imports_while_another_uninstruments(tmp_path):
    """The same for `uninstrument()`: whoever is first, nothing is patched in the end."""
    install(tmp_path, _streaming="import __main__\n__main__.importing.set()\n__main__.finish.wait(20)\n" + STREAMS)
    program = f"""
import threading, time
from {OURS} import OpenAIInstrumentor

importing, finish = threading.Event(), threading.Event()
OpenAIInstrumentor().instrument()

def load():
    import openai  # its patching imports the module that waits

def stop():
    OpenAIInstrumentor().uninstrument()

threads = [threading.Thread(target=load, daemon=True), threading.Thread(target=stop, daemon=True)]
threads[0].start()
importing.wait()
threads[1].start()
time.sleep(0.3)
finish.set()
for thread in threads:
    thread.join(30)
print([thread.is_alive() for thread in threads])
import openai
print([name for name, method in vars(openai.SyncAPIClient).items() if hasattr(method, "__wrapped__")])
"""

    assert (["[False, False]", "[]"], []) == run(tmp_path, program)


@pytest.mark.process
def test_many_threads_at_once(tmp_path):
    """However many instrument and uninstrument at once, there is one layer or none, and in the end what was there before."""
    program = f"""
import threading, logging
from openai import _base_client
from {OURS} import OpenAIInstrumentor

logging.disable(logging.CRITICAL)  # that it is instrumented already
bare = _base_client.SyncAPIClient.request
layers = []

def work(number):
    for _ in range(20):
        OpenAIInstrumentor().instrument()
        method, count = _base_client.SyncAPIClient.request, 0
        while (method := getattr(method, "__wrapped__", None)) is not None:
            count += 1
        layers.append(count)
        OpenAIInstrumentor().uninstrument()

threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(max(layers) <= 2, bare is _base_client.SyncAPIClient.request)
"""

    assert (["True True"], []) == run(tmp_path, program)


@pytest.fixture
def replies(server) -> dict[str, str]:
    """The model server answers a call; an application finds it by these variables."""
    server.reply_always(Json(completion()))
    return {"OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": "none"}


@pytest.mark.process
def test_keywords_of_a_later_call_are_taken_over(tmp_path, replies, receiver):
    """Under `opentelemetry-instrument`, the application gives what is no text: it counts, and one line says so."""
    program = f"""
from openai import OpenAI
from {OURS} import OpenAIInstrumentor

seen = []
OpenAIInstrumentor().instrument(completion_hook=seen.append, capture_message_content="span_only")
OpenAI(max_retries=0).chat.completions.create(model="{MODEL}", messages=[dict(role="user", content="Hi")])
OpenAIInstrumentor().uninstrument()
print(len(seen))
"""

    written, logged = run(tmp_path, program, instrumented=True, **replies, **receiver.environment())

    assert ["1"] == written
    assert [
        "openai is instrumented already: the keywords capture_message_content, completion_hook of this instrument() are applied as well."
    ] == logged
    (span,) = receiver.spans
    assert "Hi" in json.dumps(span["attributes"]["gen_ai.input.messages"])


def test_what_a_later_call_leaves_out_stays(server, telemetry, openai_client, logged):
    """Providers and keywords of the first call count on where the second does not give them; None is not given."""
    server.reply_always(Json(completion()))
    client, events = openai_client(), Telemetry()
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    OpenAIInstrumentor().instrument(
        logger_provider=events.providers["logger_provider"], emit_event=True, tracer_provider=None
    )

    client.chat.completions.create(**CHAT)

    assert "gen_ai.input.messages" in telemetry.span.attributes
    assert ([], 1) == (telemetry.logs, len(events.logs))
    assert [
        "openai is instrumented already: the keywords emit_event, logger_provider of this instrument() are applied as well."
    ] == logged()
    OpenAIInstrumentor().uninstrument()
    events.shutdown()


def test_a_later_call_that_gives_nothing_new(server, telemetry, openai_client, logged, caplog):
    """It changes nothing, and the base says that it is instrumented already."""
    server.reply_always(Json(completion()))
    client = openai_client()
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    before = vars(_base_client.SyncAPIClient)["request"]
    OpenAIInstrumentor().instrument()
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span" + "_only")

    client.chat.completions.create(**CHAT)

    assert before is vars(_base_client.SyncAPIClient)["request"]
    assert "gen_ai.input.messages" in telemetry.span.attributes
    assert [] == logged()
    assert ["Attempting to instrument while already instrumented"] * 2 == [
        record.getMessage() for record in caplog.records if record.name == "opentelemetry.instrumentation.instrumentor"
    ]


def test_a_stream_begun_before_is_the_first_one_s(server, telemetry, openai_client):
    """Calls that run while settings are taken over end where they began, once."""
    from loopback import Sse
    from loopback.openai_bodies import chunks

    second = Telemetry()
    server.reply(Sse(chunks("Hel", "lo")))
    OpenAIInstrumentor().instrument(**telemetry.providers)
    stream = openai_client().chat.completions.create(**CHAT, stream=True)
    OpenAIInstrumentor().instrument(**second.providers)

    list(stream)

    assert (1, 0) == (len(telemetry.spans), len(second.spans))
    OpenAIInstrumentor().uninstrument()
    second.shutdown()

"""Streams that are held when the process ends, and streams in a process that forks."""

from __future__ import annotations

import os

import pytest

from endings import CHAT
from loopback.processes import run

pytestmark = pytest.mark.process

SCOPE = "opentelemetry_instrumentation_genai"

# From Python 3.13 on, `timedelta()` can crash when the interpreter is half gone (python/cpython#132413), and httpx calls it
# as it closes a response then: a program that holds a stream at its end dies of that without us, too. Not so with the module kept.
SAFE = "import ctypes, _datetime; ctypes.pythonapi.Py_IncRef(ctypes.py_object(_datetime))\n"

# What every program begins with: a provider that exports in batches, as in production, and a client.
SETUP = f"""{SAFE}
import os, sys, threading
from openai import OpenAI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

def provide():
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)

def create(client=None):
    client = client or OpenAI(max_retries=0)
    return client.chat.completions.create(model="gpt-4o-mini", messages=[dict(role="user", content="Hi")], stream=True)
"""
BEFORE = SETUP + "provide(); OpenAIInstrumentor().instrument(capture_message_content='span_only')\n"
AFTER = SETUP + "OpenAIInstrumentor().instrument(capture_message_content='span_only'); provide()\n"


@pytest.fixture
def environment(server, receiver) -> dict[str, str]:
    """The model server stalls after three chunks, and the receiver waits for spans."""
    server.reply_always(CHAT.stalled())
    return {
        "OPENAI_BASE_URL": f"{server.url}/v1",
        "OPENAI_API_KEY": "none",
        **receiver.environment(),
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        # Long: only the end of the process exports.
        "OTEL_BSP_SCHEDULE_DELAY": "60000",
    }


def exported(receiver) -> list[tuple[str, list[str] | None, bool]]:
    """Status, finish reasons, and whether the two chunks that were read are there."""
    return [
        (
            span["status"]["code"],
            span["attributes"].get("gen_ai.response.finish_reasons"),
            "onetwo" in span["attributes"].get("gen_ai.output.messages", ""),
        )
        for span in receiver.spans
        if span["scope"]["name"] == SCOPE
    ]


HELD = {
    "held by the module": BEFORE + "stream = create(); next(stream); next(stream)",
    "providers made after instrument()": AFTER + "stream = create(); next(stream); next(stream)",
    "held by a cycle": BEFORE + "stream = create(); next(stream); next(stream); stream.itself = stream; del stream",
    "in the middle of a loop": BEFORE + "for number, _ in enumerate(create()):\n    if number == 1: sys.exit(0)",
    "held by a thread that waits": BEFORE
    + """
taken = threading.Event()
def read():
    for number, _ in enumerate(create()):
        if number == 1: taken.set(); threading.Event().wait()
threading.Thread(target=read, daemon=True).start()
taken.wait()
""",
}


@pytest.mark.parametrize("program", HELD)
def test_held_at_exit(tmp_path, environment, receiver, program):
    """Nobody closed it: the span is exported all the same, without a status, with what was received."""
    written = run(tmp_path, HELD[program], **environment)

    assert ([], []) == written
    assert [("UNSET", ["error"], True)] == exported(receiver)


def test_held_at_exit_by_zero_code(tmp_path, environment, receiver):
    """The same under `opentelemetry-instrument`, in an application without a line about telemetry."""
    program = f"""{SAFE}
from openai import OpenAI
stream = OpenAI(max_retries=0).chat.completions.create(
    model="gpt-4o-mini", messages=[dict(role="user", content="Hi")], stream=True
)
next(stream); next(stream)
"""
    content = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "span_only"}

    written = run(tmp_path, program, instrumented=True, **content, **environment)

    assert ([], []) == written
    assert [("UNSET", ["error"], True)] == exported(receiver)


def test_held_unread_at_exit(tmp_path, environment, receiver):
    """Of a stream from which nobody took a chunk, what was asked is exported."""
    written = run(tmp_path, BEFORE + "stream = create()", **environment)

    assert ([], []) == written
    assert [("UNSET", None, False)] == exported(receiver)


def test_a_read_that_waits_at_exit(tmp_path, environment, receiver):
    """A daemon thread waits for the next chunk while the process ends: it does not hold that up; its call is recorded."""
    program = """
client = OpenAI(max_retries=0)
taken = threading.Event()
def read():
    stream = create(client)
    next(stream); next(stream); next(stream); taken.set(); next(stream)
threading.Thread(target=read, daemon=True).start()
taken.wait()
"""

    written = run(tmp_path, BEFORE + program, **environment)

    assert ([], []) == written
    assert [("UNSET", ["error"], True)] == exported(receiver)


def test_an_asynchronous_stream_at_exit(tmp_path, environment, receiver):
    """A stream that outlives its event loop is ended with the process."""
    program = """
import asyncio
from openai import AsyncOpenAI

async def main():
    global client, stream
    client = AsyncOpenAI(max_retries=0)
    stream = await create(client)
    await anext(stream); await anext(stream)

asyncio.run(main())
"""

    written = run(tmp_path, BEFORE + program, PYTHONWARNINGS="ignore::ResourceWarning", **environment)

    assert [] == written[0]
    assert [("UNSET", ["error"], True)] == exported(receiver)


def test_ended_by_an_exception(tmp_path, environment, receiver):
    """A process that dies of an exception in the loop exports what was received; its traceback is its own."""
    program = """
try:
    for number, _ in enumerate(create()):
        if number == 1: raise ValueError("the application's own")
except ValueError:
    sys.excepthook(*sys.exc_info())
"""

    _, logged = run(tmp_path, BEFORE + program, **environment)

    assert "ValueError: the application's own" == logged[-1]
    assert [("UNSET", ["error"], True)] == exported(receiver)


FORKING = """
import gc, warnings
warnings.simplefilter("ignore")
client = OpenAI(max_retries=0)
stream = create(client)
next(stream); next(stream)
child = os.fork()
if child == 0:
    {child}
    sys.exit(0)
print("child", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
next(stream)
{parent}
"""
# What the child does with the stream of its parent.
CHILDREN = {
    "keeps it": "pass",
    "drops it": "del stream; gc.collect()",
    "closes it": "stream.close()",
    "leaves at once": "os._exit(0)",
}
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")


@forks
@pytest.mark.parametrize("child", CHILDREN)
def test_forked_in_the_middle(tmp_path, environment, receiver, child):
    """The child ends normally, and does not end the call of its parent, which is exported once."""
    program = FORKING.format(child=CHILDREN[child], parent="stream.close()")

    written, logged = run(tmp_path, BEFORE + program, **environment)

    assert (["child 0"], []) == (written, logged)
    # All three words came to the parent, which alone reports them.
    assert [("UNSET", ["error"], True)] == exported(receiver)
    assert "onetwothree" in receiver.spans[0]["attributes"]["gen_ai.output.messages"]


@forks
def test_the_calls_of_a_child(tmp_path, environment, receiver):
    """The child's own calls are recorded by the child."""
    own = "own = create(OpenAI(max_retries=0)); next(own); next(own); own.close()"
    program = FORKING.format(child=own, parent="")

    written, logged = run(tmp_path, BEFORE + program, **environment)

    assert (["child 0"], []) == (written, logged)
    assert [("UNSET", ["error"], True)] * 2 == exported(receiver)
    assert 2 == len({span["span_id"] for span in receiver.spans})


@forks
def test_a_pool_of_forked_workers(tmp_path, environment, receiver):
    """What prefork servers do: instrumented in the parent, called in the workers, each of which tells its own calls."""
    program = """
import multiprocessing, warnings
warnings.simplefilter("ignore")
def work():
    with create() as stream:
        next(stream); next(stream)
    trace.get_tracer_provider().force_flush()
workers = [multiprocessing.get_context("fork").Process(target=work) for _ in range(2)]
for worker in workers: worker.start()
for worker in workers: worker.join()
print([worker.exitcode for worker in workers])
"""

    written, logged = run(tmp_path, BEFORE + program, **environment)

    assert (["[0, 0]"], []) == (written, logged)
    assert [("UNSET", ["error"], True)] * 2 == exported(receiver)

"""Completion hooks when the process ends, and in processes that fork."""

from __future__ import annotations

import json
import os

import pytest

from loopback import Json, Sse
from loopback.openai_bodies import chunks, completion
from loopback.processes import run

pytestmark = pytest.mark.process

# A hook that waits for the end of the program, and writes a line into a file that belongs to the process.
BEFORE = """
import atexit, os, sys, threading
from openai import OpenAI
from opentelemetry_instrumentation_genai import OpenAIInstrumentor
gate = threading.Event()
def hook(completion):
    gate.wait()
    with open(f"seen.{{os.getpid()}}", "a") as file:
        file.write(completion.input_messages[0]["parts"][0]["content"] + " " + completion.output_messages[0]["parts"][0]["content"] + "\\n")
OpenAIInstrumentor().instrument(completion_hook=hook, {settings})
client = OpenAI(max_retries=0)
def call(text, **more):
    return client.chat.completions.create(model="m", messages=[{{"role": "user", "content": text}}], **more)
"""
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")


@pytest.fixture
def ask(tmp_path, server):
    """Runs a program of an application, and returns the lines that its processes' hooks wrote, and what it wrote itself."""

    def ask(program: str, settings: str = "", before: str = "") -> tuple[list[list[str]], list[str], list[str]]:
        environment = {"OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": "k"}
        written, logged = run(tmp_path, before + BEFORE.format(settings=settings) + program, **environment)
        return sorted(path.read_text().splitlines() for path in tmp_path.glob("seen.*")), written, logged

    return ask


def test_nothing_is_lost_at_exit(server, ask):
    """A thousand calls, of which the hook has begun with none but the first, and the program ends."""
    server.reply_always(Json(completion()))

    seen, _, logged = ask("for number in range(1000): call(str(number))\ngate.set()")

    assert ([[f"{number} Hello" for number in range(1000)]], []) == (seen, logged)


def test_an_exception_ends_the_process(server, ask):
    """Nothing is lost either."""
    server.reply_always(Json(completion()))

    seen, _, _ = ask(
        "for number in range(10): call(str(number))\ngate.set()\ntry: sys.exit(0)\nfinally: threading.Event().is_set()"
    )

    assert [[f"{number} Hello" for number in range(10)]] == seen


def test_a_stream_that_is_open_at_exit(server, ask):
    """Its call ends with the process, and its hook is called; nobody asked anything before it."""
    server.reply_always(Sse(chunks("one", "two")))

    seen, _, logged = ask("stream = call('Hi', stream=True)\nnext(stream); next(stream)\ngate.set()")

    assert ([["Hi onetwo"]], []) == (seen, logged)


def test_a_stream_that_is_open_at_exit_after_other_calls(server, ask):
    """The same where the queue's own end came first."""
    server.reply(Sse(chunks("one", "two")), Json(completion()))

    seen, _, logged = ask("stream = call('Hi', stream=True)\nnext(stream); next(stream)\ncall('Later')\ngate.set()")

    assert ([["Hi onetwo", "Later Hello"]], []) == ([sorted(lines) for lines in seen], logged)


def test_calls_at_exit(server, ask):
    """Calls of functions that run at exit, before and after the queue's own, when newer Pythons start no thread any more."""
    server.reply_always(Json(completion()))
    program = """
gate.set()
import openai.resources.chat
atexit.register(call, "after everything")
"""
    before = "import atexit\natexit.register(lambda: call('first registered'))\n"

    seen, _, logged = ask(program, before=before)

    assert ([["after everything Hello", "first registered Hello"]], []) == (seen, logged)


def test_a_hook_that_is_stuck_at_exit(server, ask):
    """The process ends in spite of it, and says what is lost."""
    server.reply_always(Json(completion()))

    seen, written, logged = ask("for _ in range(3): call('Hi')\nprint('done')", "completion_hook_flush_timeout=0.2")

    assert ([], ["done"]) == (seen, written)
    assert ["The completion hook hook was not done at exit: 3 completions are lost."] == logged


def test_queues_that_are_replaced_after_the_import(server, ask):
    """What gevent does in a worker, after the application was imported: the original, which would stop all greenlets, is not used."""
    server.reply_always(Json(completion()))
    program = """
import queue
made = []
class Replaced(queue._PySimpleQueue):
    def __init__(self):
        super().__init__()
        made.append(self)
queue.SimpleQueue = Replaced
gate.set()
call("Hi")
OpenAIInstrumentor().uninstrument()
print(made != [])
"""

    seen, written, logged = ask(program)

    assert ([["Hi Hello"]], ["True"], []) == (seen, written, logged)


@forks
def test_a_fork(server, ask):
    """Parent and child each hand on their own calls, and what waits in the parent is handed on once."""
    server.reply_always(Json(completion()))
    program = """
import warnings
warnings.simplefilter("ignore")
call("parent before")
child = os.fork()
if child == 0: client = OpenAI(max_retries=0)
call("child" if child == 0 else "parent after")
gate.set()
if child:
    print("child", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""

    seen, written, logged = ask(program)

    assert (["child 0"], []) == (written, logged)
    assert [["child Hello"], ["parent before Hello", "parent after Hello"]] == seen


@forks
def test_a_pool_of_forked_workers(server, ask):
    """Children of multiprocessing run no `atexit` before Python 3.14, and yet lose nothing."""
    server.reply_always(Json(completion()))
    program = """
import multiprocessing, warnings
warnings.simplefilter("ignore")
gate.set()
def work():
    global client
    client = OpenAI(max_retries=0)
    for number in range(20): call(str(number))
workers = [multiprocessing.get_context("fork").Process(target=work) for _ in range(2)]
for worker in workers: worker.start()
for worker in workers: worker.join()
print([worker.exitcode for worker in workers])
"""

    seen, written, logged = ask(program)

    assert (["[0, 0]"], []) == (written, logged)
    assert [[f"{number} Hello" for number in range(20)]] * 2 == seen


UPLOADS = """
import os
from openai import OpenAI
from opentelemetry_instrumentation_genai import OpenAIInstrumentor
OpenAIInstrumentor().instrument()
client = OpenAI(max_retries=0)
def call(text):
    client.chat.completions.create(model="m", messages=[{"role": "user", "content": text}])
"""


@pytest.mark.parametrize(
    "program",
    [
        "for number in range(1000): call(str(number))",
        pytest.param(
            """
import warnings
warnings.simplefilter("ignore")
for number in range(300): call(str(number))
child = os.fork()
if child == 0: client = OpenAI(max_retries=0)
for number in range(300, 600) if child else range(600, 1000): call(str(number))
if child: assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
""",
            marks=forks,
        ),
    ],
    ids=["one process", "two processes"],
)
def test_no_upload_is_lost_at_exit(tmp_path, server, program):
    """A thousand calls are two thousand files, and each is whole."""
    pytest.importorskip("fsspec", reason="uploading needs the extra `upload`")
    server.reply_always(Json(completion()))
    environment = {
        "OPENAI_BASE_URL": f"{server.url}/v1",
        "OPENAI_API_KEY": "k",
        "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK": "upload",
        "OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH": str(tmp_path / "uploads"),
    }
    (tmp_path / "uploads").mkdir()

    written, logged = run(tmp_path, UPLOADS + program, **environment)

    assert ([], []) == (written, logged)
    asked = [json.loads(path.read_text()) for path in tmp_path.glob("uploads/*_inputs.json")]
    answered = [json.loads(path.read_text()) for path in tmp_path.glob("uploads/*_outputs.json")]
    assert sorted(str(number) for number in range(1000)) == sorted(one[0]["parts"][0]["content"] for one in asked)
    assert ["Hello"] * 1000 == [one[0]["parts"][0]["content"] for one in answered]

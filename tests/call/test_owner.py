"""The owner of a running call in OpenTelemetry's context, and how long it counts."""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry import context

from loopback import Json
from loopback.openai_bodies import CHAT, MODEL, completion
from loopback.processes import run
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

NAME = f"chat {MODEL}"
OWNER = "opentelemetry.genai.client.inference.context"
EMBEDDING_OWNER = "opentelemetry.genai.client.embedding.context"
EMBED = {"model": "text-embedding-3-small", "input": "Hi", "encoding_format": "float"}
VECTORS = {
    "object": "list",
    "model": "text-embedding-3-small",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.1]}],
    "usage": {"prompt_tokens": 1, "total_tokens": 1},
}


@pytest.fixture(autouse=True)
def instrumented(telemetry) -> None:
    """With the defaults."""
    OpenAIInstrumentor().instrument(**telemetry.providers)


@pytest.fixture
def names(telemetry) -> Callable[[], list[str]]:
    """The names of the spans that have ended."""
    return lambda: [span.name for span in telemetry.spans]


async def test_a_task_that_outlives_the_call_is_reported(server, names, async_openai_client):
    """A task started inside the SDK's call inherits the owner; its call counts as part of ours until ours has ended."""
    server.reply_always(Json(completion()))
    outer, inner = async_openai_client(), async_openai_client()
    started: list[asyncio.Task[None]] = []
    during, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await inner.chat.completions.create(**CHAT)
        during.set()
        await ended.wait()
        await inner.chat.completions.create(**CHAT)

    async def start(_request: Any) -> None:
        started.append(asyncio.create_task(work()))
        await during.wait()

    outer._client.event_hooks = {"request": [start]}
    await outer.chat.completions.create(**CHAT)
    assert [NAME] == names()

    ended.set()
    await started[0]
    assert [NAME] * 2 == names()
    assert 3 == len(server.requests)


def test_a_thread_that_outlives_the_call_is_reported(server, names, openai_client):
    """The same for a thread that was given the context."""
    server.reply_always(Json(completion()))
    outer, inner = openai_client(), openai_client()
    ended = threading.Event()
    threads: list[threading.Thread] = []

    def work() -> None:
        ended.wait()
        inner.chat.completions.create(**CHAT)

    def start(_request: Any) -> None:
        threads.append(threading.Thread(target=contextvars.copy_context().run, args=(work,)))
        threads[0].start()

    outer._client.event_hooks = {"request": [start]}
    outer.chat.completions.create(**CHAT)
    ended.set()
    threads[0].join()

    assert [NAME] * 2 == names()


def test_a_call_in_a_call_in_a_task_that_outlived_another(server, names, openai_client):
    """Who has inherited an owner that is over publishes its own: what it does inside its call is not reported again."""
    server.reply_always(Json(completion()))
    first, second, third = openai_client(), openai_client(), openai_client()
    inherited: list[contextvars.Context] = []
    first._client.event_hooks = {"request": [lambda _request: inherited.append(contextvars.copy_context())]}
    second._client.event_hooks = {"request": [lambda _request: third.chat.completions.create(**CHAT)]}

    first.chat.completions.create(**CHAT)
    inherited[0].run(lambda: second.chat.completions.create(**CHAT))

    assert 3 == len(server.requests)
    assert [NAME] * 2 == names()


@pytest.mark.process
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_forked_inside_a_call_is_reported(server, tmp_path):
    """The child of a `fork` inside a call never ends that call, and its own calls are not part of it."""
    server.reply_always(Json(completion()))
    program = f"""
import os
from loopback import Telemetry
from openai import OpenAI
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

telemetry = Telemetry()
OpenAIInstrumentor().instrument(**telemetry.providers)
call = {{"model": "{MODEL}", "messages": []}}
outer = OpenAI(base_url="{server.url}/v1", api_key="none", max_retries=0)

def fork(_request):
    if os.fork() == 0:
        OpenAI(base_url="{server.url}/v1", api_key="none", max_retries=0).chat.completions.create(**call)
        print("child", len(telemetry.spans), flush=True)
        os._exit(0)
    os.wait()

outer._client.event_hooks = {{"request": [fork]}}
outer.chat.completions.create(**call)
print("parent", len(telemetry.spans))
"""

    assert ["child 1", "parent 1"] == run(tmp_path, program, PYTHONWARNINGS="ignore")[0]


@pytest.mark.parametrize(
    ("key", "reported"),
    [(OWNER, f"embeddings {EMBED['model']}"), (EMBEDDING_OWNER, NAME)],
    ids=["inference", "embedding"],
)
def test_each_kind_of_operation_has_its_key(server, names, openai_client, key, reported):
    """Who reports a chat above says nothing of embeddings, and the other way round: each has a key of the ecosystem."""
    server.reply(Json(completion()), Json(VECTORS))
    client = openai_client()
    token = context.attach(context.set_value(key, object()))
    try:
        client.chat.completions.create(**CHAT)
        client.embeddings.create(**EMBED)
    finally:
        context.detach(token)

    assert [reported] == names()


def test_embeddings_inside_of_a_chat(server, names, openai_client):
    """What a call does inside is part of it, of whatever kind, in both directions."""
    server.reply_always(Json(VECTORS))
    outer, inner = openai_client(), openai_client()
    outer._client.event_hooks = {
        "request": [lambda _request: (inner.embeddings.create(**EMBED), inner.chat.completions.create(**CHAT))]
    }

    outer.embeddings.create(**EMBED)
    outer.chat.completions.create(**CHAT)

    assert 6 == len(server.requests)
    assert [f"embeddings {EMBED['model']}", NAME] == names()


def test_the_instrumentations_of_the_ecosystem_find_their_class(server, telemetry, openai_client):
    """Below a call of ours, those that are built on `opentelemetry-util-genai` find what they look for, and report nothing."""
    handler = pytest.importorskip("opentelemetry.util.genai.handler")
    below = handler.TelemetryHandler(tracer_provider=telemetry.tracer_provider)
    if not hasattr(below, "inference"):
        pytest.skip("this version of opentelemetry-util-genai publishes no owner")
    server.reply(Json(completion()), Json(VECTORS))
    client = openai_client()

    def report(_request: Any) -> None:
        with below.inference("below", request_model="chat") as chat:
            chat.response_id = "below"
        if len(server.requests) == 1:  # while embeddings are made
            with below.embedding("below", request_model="embeddings") as embeddings:
                embeddings.response_model = "below"

    client._client.event_hooks = {"request": [report]}
    client.chat.completions.create(**CHAT)
    client.embeddings.create(**EMBED)

    assert [NAME, f"embeddings {EMBED['model']}"] == [span.name for span in telemetry.spans]


@pytest.mark.process
@pytest.mark.parametrize(
    "theirs",
    [
        "class InferenceData:\n    def __init__(self, required): pass",
        "class InferenceData:\n    __slots__ = ()",
        "class InferenceData:\n    def __init_subclass__(cls): raise RuntimeError('final')",
        "def InferenceData(): raise RuntimeError('gone')",
        "InferenceData = None",
        "",
    ],
    ids=["argument", "slots", "final", "function", "none", "missing"],
)
def test_a_class_of_the_ecosystem_that_is_made_otherwise(server, tmp_path, theirs):
    """It is resolved when it is imported: whatever a release of `opentelemetry-util-genai` has there, calls go through."""
    server.reply_always(Json(completion()))
    (tmp_path / "_inference_invocation.py").write_text(theirs, encoding="utf-8")
    program = f"""
import logging, sys, types

theirs = sys.modules["opentelemetry.util.genai"] = types.ModuleType("opentelemetry.util.genai")
theirs.__path__ = [{str(tmp_path)!r}]
from loopback import Telemetry
from openai import OpenAI
from opentelemetry import context
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

logging.basicConfig(level=logging.INFO, format="%(name)s %(message)s")
logging.getLogger("httpx").disabled = logging.getLogger("httpx2").disabled = True
logging.getLogger("opentelemetry_instrumentation_genai").setLevel(logging.WARNING)
telemetry = Telemetry()
OpenAIInstrumentor().instrument(**telemetry.providers)
client, seen = OpenAI(base_url="{server.url}/v1", api_key="none", max_retries=0), []
client._client.event_hooks = {{"request": [lambda _request: seen.append(context.get_value("{OWNER}"))]}}
client.chat.completions.create(model="{MODEL}", messages=[])
import opentelemetry.util.genai._inference_invocation
client.chat.completions.create(model="{MODEL}", messages=[])
print(len(telemetry.spans), [value is not None for value in seen])
"""

    assert (["2 [True, True]"], []) == run(tmp_path, program)

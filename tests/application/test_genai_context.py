"""What an application says of its calls, in its code or in baggage, and where that goes."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import gc
import hmac
import inspect
import json
import logging
import sys
import threading
import types
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from types import ModuleType
from typing import Any
from uuid import UUID

import openai
import pytest
from inline_snapshot import snapshot
from opentelemetry import baggage, context, trace
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from loopback import Json, Sse, Telemetry
from loopback.openai_bodies import CHAT, MODEL, chunks, completion, error, response
from opentelemetry_instrumentation_genai import OpenAIInstrumentor, capture_content, genai_context

OURS = "opentelemetry_instrumentation_genai"
PREFIX = "OTEL_INSTRUMENTATION_GENAI_"
KEY = "a key of the test's own"
CONVERSATION, PSEUDONYM, RAW = "gen_ai.conversation.id", "enduser.pseudo.id", "enduser.id"
NAME, VERSION = "gen_ai.prompt.name", "gen_ai.prompt.version"
OF_WHOM = (CONVERSATION, PSEUDONYM, RAW, NAME, VERSION, "app.user", "session.id", "tenant")
RESPONSES = pytest.mark.skipif(not hasattr(openai.OpenAI, "responses"), reason="this SDK has no Responses API")
JOE = hmac.new(KEY.encode(), b"joe", "sha256").hexdigest()


@pytest.fixture(autouse=True)
def warn_again(monkeypatch) -> None:
    """Warnings that are logged once per process are logged again."""
    monkeypatch.setattr(f"{OURS}._runtime.guard._reported", set())


@pytest.fixture
def warned(caplog, without_start_line) -> Callable[[], list[str]]:
    """What was logged so far."""
    caplog.set_level(logging.INFO, "opentelemetry")
    caplog.set_level(logging.INFO, OURS)
    return lambda: [record.getMessage() for record in caplog.records]


@pytest.fixture
def ask(server, telemetry, openai_client) -> Callable[[], dict[str, Any]]:
    """Makes a call and returns what its span says of whom it is for."""
    client = openai_client()

    def call() -> dict[str, Any]:
        telemetry.clear()
        server.reply(Json(completion()))
        client.chat.completions.create(**CHAT)
        return of_whom(telemetry.span.attributes)

    return call


@pytest.fixture
def instrumented(telemetry) -> None:
    """With a key, and otherwise with the defaults."""
    OpenAIInstrumentor().instrument(**telemetry.providers, user_id_key=KEY)


def of_whom(attributes: Any) -> dict[str, Any]:
    """Those attributes that say so."""
    return {name: value for name, value in attributes.items() if name in OF_WHOM or name.startswith("gen_ai.tag.")}


def test_all_of_it(server, telemetry, openai_client):
    """Span and details event have all of the context, metrics have nothing of it."""
    OpenAIInstrumentor().instrument(**telemetry.providers, user_id_key=KEY, emit_event=True)
    server.reply(Json(completion()))

    with genai_context(
        conversation_id="conv_1",
        user_id="joe",
        tags={"team": "search", "beta": True, "tries": 2, "score": 0.5, "groups": ["a", "b"]},
        prompt_name="greeting",
        prompt_version="3",
    ):
        openai_client().chat.completions.create(**CHAT)

    recorded = telemetry.snapshot()
    assert (
        snapshot(
            [
                {
                    "name": "chat gpt-4o-mini",
                    "kind": "CLIENT",
                    "status": {"code": "UNSET", "description": None},
                    "attributes": {
                        "enduser.pseudo.id": "1ae0fab0261c7c8a0a61ba50ba9f0c7b6a7770e936fccfa282eefdb49cd6a3fa",
                        "gen_ai.conversation.id": "conv_1",
                        "gen_ai.operation.name": "chat",
                        "gen_ai.prompt.name": "greeting",
                        "gen_ai.prompt.version": "3",
                        "gen_ai.provider.name": "openai",
                        "gen_ai.request.model": "gpt-4o-mini",
                        "gen_ai.response.finish_reasons": ["stop"],
                        "gen_ai.response.id": "chatcmpl-1",
                        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                        "gen_ai.tag.beta": True,
                        "gen_ai.tag.groups": ["a", "b"],
                        "gen_ai.tag.score": 0.5,
                        "gen_ai.tag.team": "search",
                        "gen_ai.tag.tries": 2,
                        "gen_ai.usage.input_tokens": 8,
                        "gen_ai.usage.output_tokens": 2,
                        "http.response.status_code": 200,
                        "openai.api.type": "chat_completions",
                        "server.address": "127.0.0.1",
                        "server.port": "<port>",
                    },
                    "events": [],
                    "parent": None,
                    "scope": "opentelemetry_instrumentation_genai",
                }
            ]
        )
        == recorded["spans"]
    )
    assert (
        snapshot(
            [
                {
                    "event_name": "gen_ai.client.inference.operation.details",
                    "severity_number": 5,
                    "body": None,
                    "attributes": {
                        "enduser.pseudo.id": "1ae0fab0261c7c8a0a61ba50ba9f0c7b6a7770e936fccfa282eefdb49cd6a3fa",
                        "gen_ai.conversation.id": "conv_1",
                        "gen_ai.operation.name": "chat",
                        "gen_ai.prompt.name": "greeting",
                        "gen_ai.prompt.version": "3",
                        "gen_ai.provider.name": "openai",
                        "gen_ai.request.model": "gpt-4o-mini",
                        "gen_ai.response.finish_reasons": ["stop"],
                        "gen_ai.response.id": "chatcmpl-1",
                        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                        "gen_ai.tag.beta": True,
                        "gen_ai.tag.groups": ["a", "b"],
                        "gen_ai.tag.score": 0.5,
                        "gen_ai.tag.team": "search",
                        "gen_ai.tag.tries": 2,
                        "gen_ai.usage.input_tokens": 8,
                        "gen_ai.usage.output_tokens": 2,
                        "http.response.status_code": 200,
                        "openai.api.type": "chat_completions",
                        "server.address": "127.0.0.1",
                        "server.port": "<port>",
                    },
                    "span": "chat gpt-4o-mini",
                    "timestamp": True,
                }
            ]
        )
        == recorded["events"]
    )
    points = [point["attributes"] for metric in recorded["metrics"].values() for point in metric["points"]]
    assert [{}] * len(points) == [of_whom(point) for point in points]


@pytest.mark.usefixtures("instrumented")
def test_nothing_outside(ask):
    """Before the block and after it, calls are nobody's; an exception ends it like anything else."""
    assert {} == ask()
    with pytest.raises(KeyError), genai_context(conversation_id="conv_1"):
        assert {CONVERSATION: "conv_1"} == ask()
        raise KeyError
    assert {} == ask()


@pytest.mark.usefixtures("instrumented")
def test_nested_blocks_add_up(ask):
    """What the inner one does not say, the outer one does; of a tag the inner one's value counts."""
    with genai_context(conversation_id="outer", user_id="joe", tags={"team": "search", "tier": "free"}):
        with genai_context(conversation_id="inner", tags={"tier": "paid"}, prompt_name="greeting"):
            assert {
                CONVERSATION: "inner",
                PSEUDONYM: JOE,
                NAME: "greeting",
                "gen_ai.tag.team": "search",
                "gen_ai.tag.tier": "paid",
            } == ask()
        assert {
            CONVERSATION: "outer",
            PSEUDONYM: JOE,
            "gen_ai.tag.team": "search",
            "gen_ai.tag.tier": "free",
        } == ask()


@pytest.mark.usefixtures("instrumented")
def test_beside_the_other_block(ask):
    """`capture_content` around it or in it takes nothing away."""
    with genai_context(conversation_id="conv_1"), capture_content("no_content"), genai_context(prompt_name="greeting"):
        assert {CONVERSATION: "conv_1", NAME: "greeting"} == ask()


@pytest.mark.usefixtures("instrumented")
def test_one_object_many_times(ask, warned):
    """One object is entered within itself, in another thread meanwhile, and again later."""
    block = genai_context(conversation_id="conv_1")
    seen = []

    def elsewhere() -> None:
        with block:
            seen.append(ask())
        seen.append(ask())

    with block:
        with block:
            thread = threading.Thread(target=elsewhere)
            thread.start()
            thread.join()
        assert {CONVERSATION: "conv_1"} == ask()
    assert {} == ask()
    assert [{CONVERSATION: "conv_1"}, {}] == seen
    with block:
        assert {CONVERSATION: "conv_1"} == ask()
    assert [] == warned()


@pytest.mark.usefixtures("instrumented")
def test_a_thread_with_the_context(ask):
    """A thread has it if it has the context, and not by itself."""
    seen: list[Any] = []

    def run(target: Callable[..., Any], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args)
        thread.start()
        thread.join()

    with genai_context(conversation_id="conv_1"):
        run(contextvars.copy_context().run, lambda: seen.append(ask()))
        run(lambda: seen.append(ask()))

    assert {CONVERSATION: "conv_1"} == seen[0]
    if not getattr(sys.flags, "thread_inherit_context", False):
        assert {} == seen[1]


@pytest.mark.usefixtures("instrumented")
async def test_tasks(server, telemetry, async_openai_client):
    """Tasks that are made in a block belong to it, however they run side by side with those of others."""
    client = async_openai_client()

    async def converse(name: str) -> None:
        async with genai_context(conversation_id=name):
            for _ in range(2):
                await asyncio.gather(*(client.chat.completions.create(**CHAT, user=name) for _ in range(2)))

    server.reply(*[Json(completion()) for _ in range(12)])
    await asyncio.gather(*map(converse, ["one", "two", "three"]))

    conversations = [span.attributes[CONVERSATION] for span in telemetry.spans]
    assert {"one": 4, "two": 4, "three": 4} == {name: conversations.count(name) for name in conversations}


@pytest.mark.usefixtures("instrumented")
def test_the_conversation_of_a_stream_is_that_of_its_start(server, telemetry, openai_client):
    """A stream that is read elsewhere belongs to the block that it was asked for in."""
    server.reply(Sse(chunks("Hel", "lo")))
    with genai_context(conversation_id="asked"):
        stream = openai_client().chat.completions.create(**CHAT, stream=True)

    with genai_context(conversation_id="read"):
        list(stream)

    assert {CONVERSATION: "asked"} == of_whom(telemetry.span.attributes)


@pytest.mark.usefixtures("instrumented")
def test_a_failed_call(server, telemetry, openai_client):
    """What fails is somebody's, too."""
    server.reply(Json(error("no"), status=400))
    with genai_context(user_id="joe"), pytest.raises(openai.BadRequestError):
        openai_client().chat.completions.create(**CHAT)

    assert {PSEUDONYM: JOE} == of_whom(telemetry.span.attributes)


def test_a_call_that_is_not_sampled(server, openai_client):
    """There is no span to tell it; the details event does."""
    telemetry = Telemetry(sampler=ALWAYS_OFF)
    OpenAIInstrumentor().instrument(**telemetry.providers, emit_event=True)
    server.reply(Json(completion()))

    with genai_context(conversation_id="conv_1"):
        openai_client().chat.completions.create(**CHAT)

    assert [] == telemetry.spans
    (event,) = telemetry.events
    assert {CONVERSATION: "conv_1"} == of_whom(event.attributes)


# As a decorator.


@pytest.mark.usefixtures("instrumented")
def test_a_function(ask):
    """It holds in each call of the function, which stays what it was."""

    @genai_context(conversation_id="conv_1")
    def work(first: int, *, second: int) -> Any:
        """What it does."""
        return first, second, ask()

    assert (1, 2, {CONVERSATION: "conv_1"}) == work(1, second=2)
    assert ("work", "What it does.") == (work.__name__, work.__doc__)
    assert {} == ask()


@pytest.mark.usefixtures("instrumented")
async def test_coroutine_functions(server, telemetry, async_openai_client):
    """Two calls of one function that run side by side do not disturb each other."""
    client = async_openai_client()

    @genai_context(conversation_id="conv_1")
    async def work() -> None:
        await client.chat.completions.create(**CHAT)

    server.reply(Json(completion()), Json(completion()), Json(completion()))
    await asyncio.gather(work(), work())
    await client.chat.completions.create(**CHAT)

    assert [{CONVERSATION: "conv_1"}, {CONVERSATION: "conv_1"}, {}] == [
        of_whom(span.attributes) for span in telemetry.spans
    ]


@pytest.mark.usefixtures("instrumented")
def test_a_generator(ask):
    """It holds in the generator's steps, and not between them; what is sent, thrown and returned passes."""

    @genai_context(conversation_id="conv_1")
    def work() -> Iterator[Any]:
        try:
            sent = yield ask()
            yield sent
        except KeyError:
            yield ask()
        return "done"

    def whole() -> Iterator[Any]:
        returned = yield from work()
        yield returned

    steps: Any = whole()
    assert {CONVERSATION: "conv_1"} == next(steps)
    assert {} == ask()
    assert "sent" == steps.send("sent")
    assert {CONVERSATION: "conv_1"} == steps.throw(KeyError())
    assert ["done"] == list(steps)


@pytest.mark.usefixtures("instrumented")
async def test_an_asynchronous_generator(ask):
    """The same, also where it is closed early."""
    closed = []

    @genai_context(conversation_id="conv_1")
    async def work() -> AsyncIterator[Any]:
        try:
            yield ask()
            yield ask()
        finally:
            closed.append(ask())

    steps: Any = work()
    assert {CONVERSATION: "conv_1"} == await anext(steps)
    assert {} == ask()
    await steps.aclose()
    assert [{CONVERSATION: "conv_1"}] == closed
    assert [{CONVERSATION: "conv_1"}] * 2 == [step async for step in work()]


# Functions that return what has yet to run.


class Agent:
    """A callable with a coroutine function as `__call__`, and the object itself none."""

    def __init__(self, client: Any) -> None:
        self.client = client

    async def __call__(self) -> Any:
        """Ask."""
        await asyncio.sleep(0)
        return await self.client.chat.completions.create(**CHAT)


def again(function: Callable[..., Any]) -> Callable[..., Any]:
    """An ordinary decorator: the function that it returns is no coroutine function."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapped


@types.coroutine
def of_old(agent: Any) -> Any:
    """What coroutines were before there was `async`."""
    return (yield from agent().__await__())


FORMS: dict[str, Callable[[Any], Callable[[], Any]]] = {
    "wrapper": lambda agent: again(agent.__call__),
    "callable object": lambda agent: agent,
    "partial": functools.partial,
    "of old": lambda agent: functools.partial(of_old, agent),
    "returned of old": lambda agent: lambda: of_old(agent),
    "decorated twice": lambda agent: genai_context(prompt_name="greeting")(again(agent)),
    "task": lambda agent: lambda: asyncio.ensure_future(agent()),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("driven", ["awaited", "task"])
@pytest.mark.usefixtures("instrumented")
async def test_functions_that_return_a_coroutine(server, telemetry, async_openai_client, form, driven):
    """The block holds while that is awaited, directly or as a task, and not around it."""
    client = async_openai_client()
    server.reply(Json(completion()), Json(completion()))

    made = genai_context(conversation_id="conv_1")(FORMS[form](Agent(client)))()
    await client.chat.completions.create(**CHAT)
    assert inspect.isawaitable(made)
    answer = await (made if driven == "awaited" else asyncio.ensure_future(made))

    assert "chatcmpl-1" == answer.id
    attributes = {json.dumps(of_whom(span.attributes)) for span in telemetry.spans}
    expected = {CONVERSATION: "conv_1", **({NAME: "greeting"} if form == "decorated twice" else {})}
    assert {json.dumps({}), json.dumps(expected)} == {*attributes}


async def test_a_returned_coroutine_is_one():
    """To those who ask; and it can be stepped, thrown into and closed, once it runs and before."""
    ran: list[str] = []

    async def work() -> str:
        ran.append("begun")
        try:
            await asyncio.sleep(0)
        finally:
            ran.append("ended")
        return "done"

    decorated = genai_context(conversation_id="conv_1")(again(work))

    made = decorated()
    assert inspect.iscoroutine(made)
    assert asyncio.iscoroutine(made)
    assert "work" == made.__name__
    assert "done" == await made
    with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
        await made
    decorated().close()
    with pytest.raises(KeyError):
        decorated().throw(KeyError())
    assert ["begun", "ended"] == ran

    task = asyncio.ensure_future(decorated())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ["begun", "ended"] == ran

    begun = decorated()
    begun.send(None)
    begun.close()
    assert ["begun", "ended"] * 2 == ran


@pytest.mark.filterwarnings("ignore:coroutine")
def test_a_returned_coroutine_that_is_dropped():
    """Python says so once, of the function that it is of."""

    async def work() -> None:
        raise AssertionError("nobody awaits it")

    decorated = genai_context(conversation_id="conv_1")(again(work))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        decorated()
        gc.collect()

    (warning,) = [str(each.message) for each in caught]
    assert "work' was never awaited" in warning


@pytest.mark.usefixtures("instrumented")
async def test_functions_that_return_a_generator(ask):
    """The block holds in its steps, and it is closed by nobody but its consumer."""
    whole = (ask() for _ in range(3))

    @genai_context(conversation_id="conv_1")
    def work() -> Any:
        return whole

    async def steps() -> AsyncIterator[Any]:
        yield ask()
        yield ask()

    assert inspect.isgenerator(work())
    assert {CONVERSATION: "conv_1"} == next(work())
    gc.collect()
    assert [{CONVERSATION: "conv_1"}] * 2 == list(work())
    made = genai_context(conversation_id="conv_1")(again(steps))()
    assert inspect.isasyncgen(made)
    assert [{CONVERSATION: "conv_1"}] * 2 == [step async for step in made]


@pytest.mark.usefixtures("instrumented")
async def test_a_span_of_a_generator(ask, telemetry):
    """Is the parent of the calls in all its steps, and of nothing between them and after it."""
    tracer = trace.get_tracer("application", tracer_provider=telemetry.providers["tracer_provider"])

    def parent() -> int | None:
        ask()
        above = telemetry.span.parent
        return None if above is None else above.span_id

    def bare() -> Iterator[Any]:
        with tracer.start_as_current_span("own") as own:
            yield own.get_span_context().span_id, parent()
            yield own.get_span_context().span_id, parent()
        yield None, parent()

    async def bare_twin() -> AsyncIterator[Any]:
        with tracer.start_as_current_span("own") as own:
            yield own.get_span_context().span_id, parent()
            yield own.get_span_context().span_id, parent()
        yield None, parent()

    block = genai_context(conversation_id="conv_1")
    for own, above in block(bare)():
        assert own == above
        assert None is parent()
    async for own, above in block(bare_twin)():
        assert own == above
        assert None is parent()


def test_what_else_is_returned_stays_what_it_is():
    """Nothing is asked of it, not even its class: of a lazy object that would be the application's work."""

    class Lazy:
        @property
        def __class__(self) -> Any:
            raise RuntimeError("too early")

        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(name)

    lazy = Lazy()
    assert genai_context(conversation_id="conv_1")(lambda: lazy)() is lazy


def test_kinds_of_functions():
    """What is decorated is of the kind that it was, for those who go by that, such as frameworks with `yield` in dependencies."""

    def generator() -> Any:
        yield

    async def asynchronous() -> Any:
        yield

    async def coroutine() -> None:
        """Nothing."""

    asked = (inspect.isgeneratorfunction, inspect.isasyncgenfunction, inspect.iscoroutinefunction)
    for function in (generator, asynchronous, coroutine, lambda: None):
        decorated: Any = capture_content("no_content")(genai_context(conversation_id="conv_1")(function))
        assert [ask(function) for ask in asked] == [ask(decorated) for ask in asked]
    made: Any = genai_context(conversation_id="conv_1")(generator)()
    assert inspect.isgenerator(made)
    assert "generator" == made.__name__


async def test_an_asynchronous_generator_is_sent_to_and_thrown_into():
    """It answers as the bare one does, to its end."""

    @genai_context(conversation_id="conv_1")
    async def work() -> Any:
        try:
            sent = yield "begun"
            yield sent
        except KeyError:
            yield "caught"
        raise ValueError("at the end")

    steps = work()
    assert "begun" == await anext(steps)
    assert "sent" == await steps.asend("sent")
    assert "caught" == await steps.athrow(KeyError())
    with pytest.raises(ValueError, match="at the end"):
        await anext(steps)
    with pytest.raises(StopAsyncIteration):
        await anext(steps)
    refusing = work()
    await anext(refusing)
    with pytest.raises(LookupError):
        await refusing.athrow(LookupError())


def test_an_asynchronous_generator_that_the_loop_closes():
    """What is left at the end of a loop is closed once, however long its end takes, and no warning is logged."""
    closed: list[str] = []
    complaints: list[Any] = []

    @genai_context(conversation_id="conv_1")
    async def work() -> Any:
        try:
            yield
        finally:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            closed.append("closed")

    left = [work() for _ in range(10)]

    async def leave() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, about: complaints.append(about))
        for steps in left:
            await anext(steps)

    asyncio.run(leave())
    assert ["closed"] * 10 == closed
    assert [] == complaints


# Who knows of the conversation.


@pytest.fixture
def frameworks_key(monkeypatch) -> str:
    """The key of `opentelemetry-util-genai`, a new one in each process, which only its module knows."""
    module: Any = ModuleType("opentelemetry.util.genai._conversation_context")
    module.CONVERSATION_ID_KEY = context.create_key("opentelemetry.util.genai.conversation_id")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module.CONVERSATION_ID_KEY


@pytest.mark.usefixtures("instrumented")
def test_a_framework_above_us_knows(ask, frameworks_key):
    """The conversation that a framework hands down is taken; what the application says to us comes first."""
    token = context.attach(context.set_value(frameworks_key, "framework"))
    assert {CONVERSATION: "framework"} == ask()
    with genai_context(conversation_id="application"):
        assert {CONVERSATION: "application"} == ask()
    context.detach(token)
    assert {} == ask()


@pytest.mark.usefixtures("instrumented")
def test_traceloop_knows(ask, frameworks_key):
    """So is that of Traceloop's SDK, after the framework's."""
    token = context.attach(context.set_value("conversation_id", "traceloop"))
    assert {CONVERSATION: "traceloop"} == ask()
    inner = context.attach(context.set_value(frameworks_key, "framework"))
    assert {CONVERSATION: "framework"} == ask()
    context.detach(inner)
    context.detach(token)


@RESPONSES
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {CONVERSATION: "conv_1", NAME: "pmpt_1", VERSION: "7"}),
        ({"conversation_id": "ours"}, {CONVERSATION: "ours", NAME: "pmpt_1", VERSION: "7"}),
        ({"prompt_version": "8"}, {CONVERSATION: "conv_1", NAME: "pmpt_1", VERSION: "8"}),
        ({"prompt_name": "greeting"}, {CONVERSATION: "conv_1", NAME: "greeting"}),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.usefixtures("instrumented")
def test_the_application_knows_better_than_the_request(server, telemetry, openai_client, given, expected, *, stream):
    """What the request says counts where the application says nothing, and the version of its prompt is not another's."""
    whole = response(conversation={"id": "conv_1"})
    server.reply(Sse([{"type": "response.completed", "response": whole}]) if stream else Json(whole))
    asked = {"conversation": "conv_1", "prompt": {"id": "pmpt_1", "version": "7"}}

    with genai_context(**given):
        answer = openai_client().responses.create(model=MODEL, input="Hi", extra_body=asked, stream=stream)
        if stream:
            list(answer)

    assert expected == of_whom(telemetry.span.attributes)


# The user.


def test_without_a_key_no_user(telemetry, ask, warned):
    """No pseudonym can be made: the user is left out, and one message says what to set, and not who it was."""
    OpenAIInstrumentor().instrument(**telemetry.providers)

    with genai_context(user_id="joe", conversation_id="conv_1"):
        assert {CONVERSATION: "conv_1"} == ask()
        assert {CONVERSATION: "conv_1"} == ask()

    (warning,) = warned()
    assert f"{PREFIX}USER_ID_KEY" in warning
    assert f"{PREFIX}USER_ID=raw" in warning
    assert "joe" not in warning


@pytest.mark.parametrize("key", [None, KEY])
def test_raw_if_asked_for(telemetry, ask, warned, key):
    """With `raw` the id is recorded as it is, under its own name, with a key or without."""
    OpenAIInstrumentor().instrument(**telemetry.providers, user_id="raw", user_id_key=key)

    with genai_context(user_id="joe"):
        assert {RAW: "joe"} == ask()
    assert [] == warned()


@pytest.mark.parametrize("key", ["another key of the test", b"another key of the test"])
def test_another_key_another_pseudonym(telemetry, ask, key):
    """The same user has the same pseudonym by the same key only."""
    OpenAIInstrumentor().instrument(**telemetry.providers, user_id_key=key)

    with genai_context(user_id="joe"):
        pseudonym = ask()[PSEUDONYM]
    assert hmac.new(b"another key of the test", b"joe", "sha256").hexdigest() == pseudonym
    assert JOE != pseudonym


def test_settings_by_variables(monkeypatch, telemetry, ask, warned):
    """All of them have a variable."""
    monkeypatch.setenv(PREFIX + "USER_ID_KEY", KEY)
    monkeypatch.setenv(PREFIX + "USER_ID", "PSEUDO")
    monkeypatch.setenv(PREFIX + "BAGGAGE", "tenant, session=session.id")
    OpenAIInstrumentor().instrument(**telemetry.providers)

    with genai_context(user_id="joe"), carried(tenant="acme", session="s_1", secret="no"):
        assert {PSEUDONYM: JOE, "tenant": "acme", "session.id": "s_1"} == ask()
    assert [] == warned()


# Baggage.


class carried(ExitStack):  # noqa: N801 - it reads as a statement
    """A block of code with these entries of baggage."""

    def __init__(self, **entries: Any) -> None:
        super().__init__()
        current = context.get_current()
        for key, value in entries.items():
            current = baggage.set_baggage(key.replace("__", "."), value, current)
        self.callback(context.detach, context.attach(current))


ENTRIES = {"tenant": "acme", "user__id": "joe", "conversation_id": "conv_1", "session": "s_1", "empty": "", "number": 1}


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (None, {}),
        ("off", {}),
        ("", {}),
        ("tenant", {"tenant": "acme"}),
        (["tenant"], {"tenant": "acme"}),
        ({"session": "session.id"}, {"session.id": "s_1"}),
        ("tenant,session=session.id,other", {"tenant": "acme", "session.id": "s_1"}),
        ("conversation_id", {CONVERSATION: "conv_1"}),
        ("session=conversation_id", {CONVERSATION: "s_1"}),
        ("session=gen_ai.conversation.id", {CONVERSATION: "s_1"}),
        ("user.id", {PSEUDONYM: JOE}),
        ("user.id=user_id", {PSEUDONYM: JOE}),
        ("user.id=enduser.id", {PSEUDONYM: JOE}),
        ("user.id=app.user", {"app.user": JOE}),
        ("session=enduser.id", {PSEUDONYM: hmac.new(KEY.encode(), b"s_1", "sha256").hexdigest()}),
        ("tenant=gen_ai.request.model", {}),
        ("empty=tenant,number=session.id", {}),
    ],
)
def test_baggage_that_is_listed(telemetry, ask, warned, listed, expected):
    """An entry is recorded if it is listed, under its key or the name beside it; a user's id never as it is."""
    OpenAIInstrumentor().instrument(**telemetry.providers, user_id_key=KEY, baggage=listed)

    with carried(**ENTRIES):
        assert expected == ask()
    assert MODEL == telemetry.span.attributes["gen_ai.request.model"]
    assert {} == ask()
    assert [] == warned()


def test_code_before_baggage(telemetry, ask):
    """What the code says comes before what came from outside."""
    OpenAIInstrumentor().instrument(**telemetry.providers, user_id_key=KEY, baggage="conversation_id,user.id,tenant")

    with carried(**ENTRIES), genai_context(conversation_id="conv_2", user_id="jim"):
        jim = hmac.new(KEY.encode(), b"jim", "sha256").hexdigest()
        assert {CONVERSATION: "conv_2", PSEUDONYM: jim, "tenant": "acme"} == ask()


def test_a_user_in_baggage_without_a_key(telemetry, ask, warned):
    """Is left out, too, whatever it is called."""
    OpenAIInstrumentor().instrument(**telemetry.providers, baggage="user.id=app.user,tenant")

    with carried(**ENTRIES):
        assert {"tenant": "acme"} == ask()
    assert 1 == len(warned())


# Values.


class Person:
    """Nothing that telemetry can tell."""

    def __str__(self) -> str:
        return "Joe"


class Array:
    """What compares like an array: with another array, which is neither true nor false."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, _other: object) -> Any:
        return self

    def __bool__(self) -> bool:
        raise ValueError("of more than one element")


class Speechless:
    """What fails to describe itself."""

    def __repr__(self) -> str:
        raise RuntimeError("Joe")


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize(
    ("given", "expected", "complaint"),
    [
        ({"conversation_id": 7, "prompt_version": 3}, {CONVERSATION: "7", VERSION: "3"}, None),
        ({"conversation_id": UUID(int=1)}, {CONVERSATION: "00000000-0000-0000-0000-000000000001"}, None),
        ({"conversation_id": None, "tags": None}, {}, None),
        ({"conversation_id": ""}, {}, "conversation_id"),
        ({"conversation_id": True}, {}, "conversation_id"),
        ({"conversation_id": b"conv_1", "prompt_name": "greeting"}, {NAME: "greeting"}, "conversation_id"),
        ({"user_id": Person()}, {}, "user_id"),
        ({"conversation_id": "a\ud800b"}, {CONVERSATION: "a?b"}, None),
        ({"tags": {"who": Person(), "team": "search"}}, {"gen_ai.tag.team": "search"}, "who"),
        ({"tags": {"team": None, "other": ""}}, {}, None),
        ({"tags": {"huge": 1 << 64}}, {}, "huge"),
        ({"tags": {1: ("a", "b")}}, {"gen_ai.tag.1": ("a", "b")}, None),
        ({"tags": {"id": UUID(int=1)}}, {"gen_ai.tag.id": "00000000-0000-0000-0000-000000000001"}, None),
        ({"tags": ["search"]}, {}, "tags"),
        ({"tags": dict}, {}, "tags"),
        ({"tags": {"array": Array(), "team": "search"}}, {"gen_ai.tag.team": "search"}, "array"),
        ({"tags": {Speechless(): "search", "": "no name", 10**5000: "too long", 2: "b"}}, {"gen_ai.tag.2": "b"}, None),
        ({"tags": {"a\ud800b": "c\ud800d"}}, {"gen_ai.tag.a?b": "c?d"}, None),
        ({"tags": {"a\ud800b": Speechless()}}, {}, "a?b"),
        ({"user_id": Array()}, {}, "user_id"),
        ({"prompt_name": Speechless()}, {}, "prompt_name"),
        ({"conversation_id": 10**5000, "prompt_name": "greeting"}, {NAME: "greeting"}, "conversation_id"),
    ],
)
def test_values(ask, warned, given, expected, complaint):
    """What is no text, number or id is left out, and one warning has the name of the argument, never its value."""
    for _ in range(2):
        with genai_context(**given):
            assert expected == ask()

    assert (complaint is not None) is (len(warned()) == 1)
    assert complaint is None or complaint in warned()[0]
    assert not any("Joe" in line for line in warned())


@pytest.mark.parametrize(
    ("settings", "variable", "accepted"),
    [
        ({"user_id": "hashed"}, "user_id='hashed'", "pseudo, raw"),
        ({"baggage": "=tenant"}, "baggage='=tenant'", "KEY=ATTRIBUTE"),
        ({"baggage": "*"}, "baggage='*'", "KEY=ATTRIBUTE"),
        ({"baggage": 7}, "baggage=7", "KEY=ATTRIBUTE"),
    ],
)
def test_bad_settings(telemetry, ask, warned, *, settings, variable, accepted):
    """One warning names the setting, the value and what is accepted."""
    OpenAIInstrumentor().instrument(**telemetry.providers, **settings)

    with carried(**ENTRIES):
        assert {} == ask()
    (warning,) = warned()
    assert variable in warning
    assert accepted in warning


@pytest.mark.parametrize("key", ["too short", 7, b"too short", object()])
def test_a_bad_key_is_not_logged(telemetry, ask, warned, key):
    """The warning says what is accepted, and nothing of what was given; no pseudonym is made with it."""
    OpenAIInstrumentor().instrument(**telemetry.providers, user_id_key=key)

    with genai_context(user_id="joe"):
        assert {} == ask()
    first, _ = warned()
    assert "user_id_key is not accepted as it is. Accepted is: a secret of at least 16 characters." in first
    assert not any(str(key) in line for line in warned())


def test_the_key_is_in_no_representation():
    """Whoever logs the settings does not log the key."""
    from opentelemetry_instrumentation_genai._settings.config import resolve

    assert KEY.encode() == resolve({"user_id_key": KEY}).user_id_key
    assert KEY not in repr(resolve({"user_id_key": KEY}))

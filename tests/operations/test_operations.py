"""Operations that an application names: workflows, agents, tools, retrievals and steps."""

from __future__ import annotations

import asyncio
import base64
import contextvars
import copy
import dataclasses
import gc
import hashlib
import inspect
import json
import pickle
import threading
import weakref
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from time import perf_counter, sleep, time_ns
from typing import Any

import pytest
import wrapt
from inline_snapshot import snapshot
from opentelemetry import trace
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from loopback import Json, Telemetry
from loopback.openai_bodies import CHAT, completion
from loopback.processes import run
from opentelemetry_instrumentation_genai import (
    OpenAIInstrumentor,
    capture_content,
    execute_tool,
    genai_context,
    invoke_agent,
    invoke_workflow,
    retrieval,
    step,
)
from opentelemetry_instrumentation_genai._runtime import lifetime
from opentelemetry_instrumentation_genai._runtime.lifetime import finish_pending
from opentelemetry_instrumentation_genai._stream.at_exit import finish_all

AGENT_CALLS = "gen_ai.invoke_agent.inference_calls"
TOOL_CALLS = "gen_ai.invoke_agent.tool_calls"


@pytest.fixture
def instrumented(telemetry: Telemetry) -> None:
    """With content on spans."""
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")


@pytest.fixture
def tree(telemetry: Telemetry) -> Callable[[], list[str]]:
    """The names of the spans that ended, in the order of their start, each below the path of its parents."""

    def paths() -> list[str]:
        spans = {span.context.span_id: span for span in telemetry.spans}

        def path(span: Any) -> str:
            above = spans.get(span.parent.span_id) if span.parent else None
            return span.name if above is None else f"{path(above)} > {span.name}"

        return [path(span) for span in sorted(spans.values(), key=lambda span: span.start_time)]

    return paths


def test_a_pipeline_is_one_tree(instrumented, telemetry, tree, server, openai_client) -> None:
    """Retrieval, prompt, model call and parsing are below the workflow, and the model call is the SDK's own."""
    client = openai_client()
    server.reply(Json(completion()))
    with invoke_workflow("answer a question", input="Is it sunny?") as workflow:
        with retrieval("weather-docs", query="sunny", top_k=2) as found:
            found.set_result([{"id": "1", "score": 0.5}, "It is sunny."])
        with step("prompt"):
            pass
        client.chat.completions.create(**CHAT)
        with step("parsing"):
            pass
        workflow.set_result("It is.")
    assert tree() == snapshot(
        [
            "invoke_workflow answer a question",
            "invoke_workflow answer a question > retrieval weather-docs",
            "invoke_workflow answer a question > step prompt",
            "invoke_workflow answer a question > chat gpt-4o-mini",
            "invoke_workflow answer a question > step parsing",
        ]
    )
    assert telemetry.snapshot() == snapshot(
        {
            "spans": [
                {
                    "name": "retrieval weather-docs",
                    "kind": "CLIENT",
                    "status": {"code": "UNSET", "description": None},
                    "attributes": {
                        "gen_ai.data_source.id": "weather-docs",
                        "gen_ai.operation.name": "retrieval",
                        "gen_ai.retrieval.documents": '[{"id":"1","score":0.5},{"content":"It is sunny."}]',
                        "gen_ai.retrieval.query.text": "sunny",
                        "gen_ai.retrieval.top_k": 2,
                    },
                    "events": [],
                    "parent": "invoke_workflow answer a question",
                    "scope": "opentelemetry_instrumentation_genai",
                },
                {
                    "name": "step prompt",
                    "kind": "INTERNAL",
                    "status": {"code": "UNSET", "description": None},
                    "attributes": {"gen_ai.operation.name": "step", "gen_ai.step.name": "prompt"},
                    "events": [],
                    "parent": "invoke_workflow answer a question",
                    "scope": "opentelemetry_instrumentation_genai",
                },
                {
                    "name": "chat gpt-4o-mini",
                    "kind": "CLIENT",
                    "status": {"code": "UNSET", "description": None},
                    "attributes": {
                        "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
                        "gen_ai.operation.name": "chat",
                        "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Hello"}],"finish_reason":"stop"}]',
                        "gen_ai.provider.name": "openai",
                        "gen_ai.request.model": "gpt-4o-mini",
                        "gen_ai.response.finish_reasons": ["stop"],
                        "gen_ai.response.id": "chatcmpl-1",
                        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                        "gen_ai.usage.input_tokens": 8,
                        "gen_ai.usage.output_tokens": 2,
                        "http.response.status_code": 200,
                        "openai.api.type": "chat_completions",
                        "server.address": "127.0.0.1",
                        "server.port": "<port>",
                    },
                    "events": [],
                    "parent": "invoke_workflow answer a question",
                    "scope": "opentelemetry_instrumentation_genai",
                },
                {
                    "name": "step parsing",
                    "kind": "INTERNAL",
                    "status": {"code": "UNSET", "description": None},
                    "attributes": {"gen_ai.operation.name": "step", "gen_ai.step.name": "parsing"},
                    "events": [],
                    "parent": "invoke_workflow answer a question",
                    "scope": "opentelemetry_instrumentation_genai",
                },
                {
                    "name": "invoke_workflow answer a question",
                    "kind": "INTERNAL",
                    "status": {"code": "UNSET", "description": None},
                    "attributes": {
                        "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Is it sunny?"}]}]',
                        "gen_ai.operation.name": "invoke_workflow",
                        "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"It is."}],"finish_reason":"stop"}]',
                        "gen_ai.workflow.name": "answer a question",
                    },
                    "events": [],
                    "parent": None,
                    "scope": "opentelemetry_instrumentation_genai",
                },
            ],
            "metrics": {
                "gen_ai.client.operation.duration": {
                    "unit": "s",
                    "description": "GenAI operation duration.",
                    "bounds": [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
                    "points": [
                        {
                            "attributes": {
                                "gen_ai.operation.name": "chat",
                                "gen_ai.provider.name": "openai",
                                "gen_ai.request.model": "gpt-4o-mini",
                                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                                "server.address": "127.0.0.1",
                                "server.port": "<port>",
                            },
                            "exemplars": ["chat gpt-4o-mini"],
                            "count": 1,
                            "sum": "<seconds>",
                        },
                        {
                            "attributes": {"gen_ai.operation.name": "retrieval"},
                            "exemplars": ["retrieval weather-docs"],
                            "count": 1,
                            "sum": "<seconds>",
                        },
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
                                "gen_ai.provider.name": "openai",
                                "gen_ai.request.model": "gpt-4o-mini",
                                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                                "gen_ai.token.type": "input",
                                "server.address": "127.0.0.1",
                                "server.port": "<port>",
                            },
                            "exemplars": ["chat gpt-4o-mini"],
                            "count": 1,
                            "sum": 8,
                        },
                        {
                            "attributes": {
                                "gen_ai.operation.name": "chat",
                                "gen_ai.provider.name": "openai",
                                "gen_ai.request.model": "gpt-4o-mini",
                                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                                "gen_ai.token.type": "output",
                                "server.address": "127.0.0.1",
                                "server.port": "<port>",
                            },
                            "exemplars": ["chat gpt-4o-mini"],
                            "count": 1,
                            "sum": 2,
                        },
                    ],
                },
                "gen_ai.workflow.duration": {
                    "unit": "s",
                    "description": "GenAI operation duration.",
                    "bounds": [1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0],
                    "points": [
                        {
                            "attributes": {
                                "gen_ai.operation.name": "invoke_workflow",
                                "gen_ai.workflow.name": "answer a question",
                            },
                            "exemplars": ["invoke_workflow answer a question"],
                            "count": 1,
                            "sum": "<seconds>",
                        }
                    ],
                },
            },
            "events": [],
        }
    )


def test_an_agent_and_its_tools(instrumented, telemetry, tree, server, openai_client) -> None:
    """An agent counts the model calls and the tools that it makes itself; those of an agent below it count there."""
    client = openai_client()
    server.reply(*[Json(completion())] * 3)

    @execute_tool(call_id="call_1", description="Looks up the weather.")
    def get_weather(city: str, *, unit: str = "C") -> dict[str, Any]:
        return {"city": city, "unit": unit}

    with invoke_agent("planner", agent_id="a1", version="2", model="gpt-4o", provider="openai") as planner:
        client.chat.completions.create(**CHAT)
        get_weather("Paris", unit="F")
        with invoke_agent("researcher"):
            client.chat.completions.create(**CHAT)
        client.chat.completions.create(**CHAT)
        planner.set_result([{"role": "assistant", "content": "Sunny."}])
    assert tree() == snapshot(
        [
            "invoke_agent planner",
            "invoke_agent planner > chat gpt-4o-mini",
            "invoke_agent planner > execute_tool get_weather",
            "invoke_agent planner > invoke_agent researcher",
            "invoke_agent planner > invoke_agent researcher > chat gpt-4o-mini",
            "invoke_agent planner > chat gpt-4o-mini",
        ]
    )
    assert _by_agent(telemetry, AGENT_CALLS) == {
        "planner": 2,
        "researcher": 1,
    }
    assert _by_agent(telemetry, TOOL_CALLS) == {
        "planner": 1,
        "researcher": 0,
    }
    assert [dict(span.attributes) for span in telemetry.spans if not span.name.startswith("chat")] == snapshot(
        [
            {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "get_weather",
                "gen_ai.tool.type": "function",
                "gen_ai.agent.name": "planner",
                "gen_ai.tool.call.id": "call_1",
                "gen_ai.tool.description": "Looks up the weather.",
                "gen_ai.tool.call.arguments": '{"city":"Paris","unit":"F"}',
                "gen_ai.tool.call.result": '{"city":"Paris","unit":"F"}',
            },
            {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "researcher"},
            {
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-4o",
                "gen_ai.agent.name": "planner",
                "gen_ai.agent.id": "a1",
                "gen_ai.agent.version": "2",
                "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Sunny."}],"finish_reason":"stop"}]',
            },
        ]
    )


def _by_agent(telemetry: Telemetry, metric: str) -> dict[str, Any]:
    return {point.attributes["gen_ai.agent.name"]: point.sum for point in telemetry.metrics[metric]}


FUNCTIONS: dict[str, Callable[[list[str]], Callable[..., Any]]] = {}


def shape(make: Callable[[list[str]], Callable[..., Any]]) -> Callable[[list[str]], Callable[..., Any]]:
    """Add a function that makes a decorated function of one shape; it notes the span that is current in its code."""
    FUNCTIONS[make.__name__] = make
    return make


def _current() -> str:
    return getattr(trace.get_current_span(), "name", "none")


@shape
def function(seen: list[str]) -> Callable[..., Any]:
    """A plain function."""

    @execute_tool("tool")
    def tool(number: int) -> int:
        seen.append(_current())
        if number < 0:
            raise ValueError(number)
        return number

    return tool


@shape
def coroutine_function(seen: list[str]) -> Callable[..., Any]:
    """A coroutine function."""

    @execute_tool("tool")
    async def tool(number: int) -> int:
        await asyncio.sleep(0)
        seen.append(_current())
        if number < 0:
            raise ValueError(number)
        return number

    return lambda number: asyncio.run(tool(number))


@shape
def function_that_returns_a_coroutine(seen: list[str]) -> Callable[..., Any]:
    """A function that returns a coroutine, as decorators that retry do."""

    async def later(number: int) -> int:
        await asyncio.sleep(0)
        seen.append(_current())
        if number < 0:
            raise ValueError(number)
        return number

    @execute_tool("tool")
    def tool(number: int) -> Any:
        return later(number)

    return lambda number: asyncio.run(tool(number))


@shape
def generator(seen: list[str]) -> Callable[..., Any]:
    """A generator: its consumer's code runs outside of the operation."""

    @execute_tool("tool")
    def tool(number: int) -> Generator[int, None, int]:
        seen.append(_current())
        yield number
        seen.append(_current())
        if number < 0:
            raise ValueError(number)
        return number

    def consume(number: int) -> int:
        for _ in (running := tool(number)):
            assert _current() == "none"
        del running
        return number

    return consume


@shape
def async_generator(seen: list[str]) -> Callable[..., Any]:
    """An asynchronous generator."""

    @execute_tool("tool")
    async def tool(number: int) -> AsyncGenerator[int, None]:
        seen.append(_current())
        yield number
        await asyncio.sleep(0)
        seen.append(_current())
        if number < 0:
            raise ValueError(number)

    async def consume(number: int) -> int:
        async for _ in tool(number):
            assert _current() == "none"
        return number

    return lambda number: asyncio.run(consume(number))


@pytest.mark.parametrize("made", FUNCTIONS)
def test_a_decorated_function(made, instrumented, telemetry) -> None:
    """Whatever it is, it is one span around its own code, with its arguments, and it returns what it returns."""
    seen: list[str] = []
    assert FUNCTIONS[made](seen)(7) == 7
    span = telemetry.span
    assert set(seen) == {"execute_tool tool"}
    assert span.attributes["gen_ai.tool.call.arguments"] == '{"number":7}'
    assert span.attributes.get("gen_ai.tool.call.result") == (None if made == "async_generator" else "7")
    assert span.status.status_code.name == "UNSET"
    assert _current() == "none"


@pytest.mark.parametrize("made", FUNCTIONS)
def test_a_decorated_function_that_raises(made, instrumented, telemetry) -> None:
    """It raises what it raises, and its span is an error of that type, once."""
    with pytest.raises(ValueError, match="-1"):
        FUNCTIONS[made]([])(-1)
    span = telemetry.span
    assert (span.status.status_code.name, span.attributes["error.type"]) == ("ERROR", "ValueError")
    assert [point.attributes["error.type"] for point in telemetry.metrics["gen_ai.execute_tool.duration"]] == [
        "ValueError"
    ]
    assert _current() == "none"


@pytest.mark.parametrize("made", FUNCTIONS)
def test_nothing_is_recorded_without_an_instrumentor(made, telemetry) -> None:
    """Where no instrumentor is active, or after it was stopped, the function is as without us."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    OpenAIInstrumentor().uninstrument()
    seen: list[str] = []
    assert FUNCTIONS[made](seen)(7) == 7
    assert set(seen) == {"none"}
    assert not telemetry.spans


def test_suppressed(instrumented, telemetry) -> None:
    """While instrumentation is suppressed, nothing is recorded."""
    with suppress_instrumentation(), execute_tool("tool") as run:
        run.set_result(1)
    assert not telemetry.spans


def test_tools_in_parallel(instrumented, tree) -> None:
    """Tools that run at the same time, in tasks or threads, are each below the agent that runs them."""

    @execute_tool()
    async def wait(seconds: float) -> None:
        await asyncio.sleep(seconds)
        with step("inside"):
            await asyncio.sleep(0)

    async def run() -> None:
        async with invoke_agent("agent"):
            await asyncio.gather(wait(0.02), wait(0.01))
            threads = [threading.Thread(target=contextvars.copy_context().run, args=(_in_thread,)) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

    asyncio.run(run())
    assert sorted(tree()) == snapshot(
        [
            "invoke_agent agent",
            "invoke_agent agent > execute_tool thread",
            "invoke_agent agent > execute_tool thread",
            "invoke_agent agent > execute_tool wait",
            "invoke_agent agent > execute_tool wait",
            "invoke_agent agent > execute_tool wait > step inside",
            "invoke_agent agent > execute_tool wait > step inside",
        ]
    )


def _in_thread() -> None:
    with execute_tool("thread"):
        pass


def test_cancelled(instrumented, telemetry) -> None:
    """A tool that is cancelled is an error, and the cancellation goes on."""

    @execute_tool("tool")
    async def tool() -> None:
        await asyncio.sleep(60)

    async def run() -> None:
        task = asyncio.create_task(tool())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert telemetry.span.attributes["error.type"] == "asyncio.exceptions.CancelledError"


@pytest.mark.parametrize("leave", ["close", "drop"])
def test_a_generator_that_is_left(leave, instrumented, telemetry) -> None:
    """Its span ends when it is left, and is no error."""

    @invoke_agent("agent")
    def agent() -> Iterator[int]:
        yield 1
        yield 2

    running = agent()
    assert next(running) == 1
    assert not telemetry.spans
    if leave == "close":
        running.close()
    del running
    gc.collect()
    finish_pending()
    assert telemetry.span.status.status_code.name == "UNSET"


class Locked(SpanExporter):
    """Has a lock, as exporters have, and the garbage collector runs while it is held."""

    def __init__(self) -> None:
        """Holds nothing yet."""
        self.lock, self.names, self.missed = threading.Lock(), [], []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Keep the names; where the lock is held by this thread already, it would wait for ever."""
        names = [span.name for span in spans]
        if not self.lock.acquire(timeout=2):
            self.missed += names
            return SpanExportResult.FAILURE
        try:
            gc.collect()
        finally:
            self.lock.release()
        self.names += names
        return SpanExportResult.SUCCESS


def suspended_generator() -> Any:
    """A decorated generator."""

    @step("left")
    def made() -> Iterator[int]:
        yield 1

    next(running := made())
    return running


def suspended_generator_that_fails() -> Any:
    """One that raises where it is closed."""

    @step("left")
    def made() -> Iterator[int]:
        try:
            yield 1
        finally:
            raise ValueError("closed")

    next(running := made())
    return running


def suspended_generator_of_a_generator() -> Any:
    """One that a function has returned, below a generator of the application."""

    @step("left")
    def made() -> Iterator[int]:
        return iter(number for number in (1, 2))

    def around() -> Iterator[int]:
        yield from made()

    next(running := around())
    return running


def suspended_block() -> Any:
    """A block in a generator of the application."""

    def around() -> Iterator[int]:
        with step("left"):
            yield 1

    next(running := around())
    return running


def suspended_coroutine() -> Any:
    """A decorated coroutine function."""

    @step("left")
    async def made() -> None:
        await asyncio.sleep(0)

    (running := made()).send(None)
    return running


def suspended_async_generator() -> Any:
    """A decorated asynchronous generator that no event loop closes."""

    @step("left")
    async def made() -> AsyncGenerator[int, None]:
        yield 1

    with pytest.raises(StopIteration):
        (running := made()).asend(None).send(None)
    return running


SUSPENDED = [
    suspended_generator,
    suspended_generator_that_fails,
    suspended_generator_of_a_generator,
    suspended_block,
    suspended_coroutine,
    suspended_async_generator,
]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("suspended", SUSPENDED, ids=lambda one: one.__name__)
def test_what_is_collected_while_a_span_is_exported(suspended, instrumented, telemetry) -> None:
    """Its span ends after that, in another thread: the one that exports may hold a lock of the exporter."""
    exporter = Locked()

    def export() -> None:
        cycle = [suspended()]
        cycle.append(cycle)
        telemetry.tracer_provider.add_span_processor(SimpleSpanProcessor(exporter))
        del cycle
        with step("exported"):
            pass

    gc.disable()
    try:
        contextvars.Context().run(export)  # a block in a generator is current outside of it as well
    finally:
        gc.enable()
    finish_pending()
    assert (exporter.missed, sorted(exporter.names)) == ([], ["step exported", "step left"])


def test_a_generator_that_fails_where_it_is_closed(instrumented, telemetry) -> None:
    """Raises what it raises, and its span is an error."""
    running = suspended_generator_that_fails()
    with pytest.raises(ValueError, match="closed"):
        running.close()
    assert telemetry.span.attributes["error.type"] == "ValueError"


def test_the_end_of_a_closed_generator(instrumented, telemetry) -> None:
    """It is when the generator was closed, however late the span ends."""
    running = suspended_generator()
    held = lifetime._working
    held.acquire()
    try:
        running.close()
        closed = time_ns()
        sleep(0.05)
    finally:
        held.release()
    assert telemetry.span.end_time <= closed + 10_000_000


@pytest.mark.filterwarnings("ignore:coroutine")
def test_a_coroutine_that_nobody_awaits(instrumented, telemetry) -> None:
    """Its span ends when it is collected."""

    async def later() -> None:
        """Is never run."""

    @execute_tool("tool")
    def tool() -> Any:
        return later()

    made = tool()
    assert not telemetry.spans
    del made
    gc.collect()
    finish_pending()
    assert telemetry.span.name == "execute_tool tool"


def test_a_generator_is_sent_to_and_thrown_into(instrumented, telemetry) -> None:
    """What is sent and thrown reaches it."""

    @step("echo")
    def echo() -> Generator[str, str, str]:
        got = yield "first"
        try:
            yield got
        except KeyError:
            got = yield "caught"
        return got

    running = echo()
    assert [next(running), running.send("sent"), running.throw(KeyError("x"))] == ["first", "sent", "caught"]
    with pytest.raises(StopIteration) as stopped:
        running.send("last")
    assert stopped.value.value == "last"
    assert telemetry.span.name == "step echo"


def test_one_object_used_again_and_nested(instrumented, tree) -> None:
    """An object may be entered while it is entered."""
    again = step("again")
    with again, again:
        pass
    with again:
        pass
    assert tree() == ["step again", "step again > step again", "step again"]


def test_for_whom(instrumented, telemetry) -> None:
    """The conversation, the user and tags of `genai_context` are on all operations."""
    with genai_context(conversation_id="c1", tags={"team": "a"}), execute_tool("tool"):
        pass
    attributes = telemetry.span.attributes
    assert (attributes["gen_ai.conversation.id"], attributes["gen_ai.tag.team"]) == ("c1", "a")


def test_no_content_unless_asked(telemetry) -> None:
    """By default neither arguments nor results are recorded, nor the messages of exceptions."""
    OpenAIInstrumentor().instrument(**telemetry.providers)

    @execute_tool("tool")
    def tool(secret: str) -> str:
        raise ValueError(secret)

    with pytest.raises(ValueError, match="hunter2"):
        tool("hunter2")
    assert "hunter2" not in str(telemetry.snapshot())
    with capture_content("span_only"), execute_tool("tool", arguments={"a": 1}):
        pass
    assert telemetry.spans[-1].attributes["gen_ai.tool.call.arguments"] == '{"a":1}'


def test_redaction_and_budget(telemetry) -> None:
    """Arguments and results go through redaction and budget, as messages do, and stay valid JSON."""
    OpenAIInstrumentor().instrument(
        **telemetry.providers, capture_message_content="span_only", redact="all", content_budget=1024
    )
    with execute_tool("tool", arguments={"mail": "joe@example.com", "long": "x" * 5000}) as run:
        run.set_result("write to ann@example.com")
    attributes = telemetry.span.attributes
    assert "example.com" not in str(dict(attributes))
    assert json.loads(attributes["gen_ai.tool.call.arguments"])["original_bytes"] > 5000
    assert attributes["gen_ai.content.original_bytes"] > 5000


class Odd:
    """What JSON does not have, and what raises when it is looked at."""

    def __repr__(self) -> str:
        raise RuntimeError

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


def test_odd_values(instrumented, telemetry) -> None:
    """Values that cannot be read cost only the part that they spoil."""

    @execute_tool("tool")
    def tool(*args: Any, **kwargs: Any) -> Any:
        return args

    given = Odd()
    assert tool(given, a=given) == (given,)
    assert telemetry.span.name == "execute_tool tool"


def test_the_name_of_the_function(instrumented, tree) -> None:
    """Where no name is given, it is that of the function; in a block, the operation alone."""

    @retrieval()
    def search(query: str) -> list[str]:
        return [query]

    search("x")
    with step():
        pass
    assert tree() == ["retrieval search", "step"]


@pytest.mark.parametrize("generation", ["gen_ai_latest_experimental", "gen_ai_latest_experimental/dup"])
def test_names_of_the_generations(generation, telemetry, monkeypatch) -> None:
    """A workflow has the metric of the chosen generation."""
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", generation)
    OpenAIInstrumentor().instrument(**telemetry.providers)
    with invoke_workflow("flow"), invoke_agent("agent"), execute_tool("tool"):
        pass
    latest = {
        "gen_ai.execute_tool.duration",
        "gen_ai.invoke_agent.duration",
        AGENT_CALLS,
        TOOL_CALLS,
        "gen_ai.invoke_workflow.duration",
    }
    assert set(telemetry.metrics) == latest | ({"gen_ai.workflow.duration"} if generation.endswith("dup") else set())


def test_left_in_another_context(instrumented, telemetry) -> None:
    """A generator that a server reads step by step, each in a context of its own, has its span, and its error."""

    def answer() -> Iterator[int]:
        with invoke_agent("agent"):
            yield 1
            raise ValueError

    running = answer()
    assert contextvars.copy_context().run(next, running) == 1
    with pytest.raises(ValueError):
        contextvars.copy_context().run(next, running)
    assert telemetry.span.attributes["error.type"] == "ValueError"


def test_generators_that_take_turns(instrumented, telemetry) -> None:
    """A block that is entered after another, and left after it, ends when it is left; nothing stays current."""

    def steps(name: str) -> Iterator[str]:
        with step(name):
            yield name
            yield name

    one, other = steps("one"), steps("other")
    assert [next(one), next(other), *one] == ["one", "other", "one"]
    assert [span.name for span in telemetry.spans] == ["step one"]
    assert list(other) == ["other"]
    assert [span.name for span in telemetry.spans] == ["step one", "step other"]
    assert _current() == "none"


def test_a_decorated_generator_keeps_what_it_makes_current(instrumented, tree) -> None:
    """A block within it is current in all of its steps."""

    @invoke_agent("outer")
    def agent() -> Iterator[int]:
        with invoke_agent("inner"):
            for number in range(4):
                with execute_tool(f"t{number}"):
                    pass
                yield number
        with execute_tool("last"):
            yield 4

    assert list(agent()) == [0, 1, 2, 3, 4]
    inner = "invoke_agent outer > invoke_agent inner"
    assert tree() == [
        "invoke_agent outer",
        inner,
        *(f"{inner} > execute_tool t{number}" for number in range(4)),
        "invoke_agent outer > execute_tool last",
    ]


def test_arguments_that_do_not_fit(instrumented, telemetry) -> None:
    """A tool that is called with other arguments than it has raises its TypeError, and its span has name and arguments."""

    @execute_tool()
    def weather(city: str) -> str:
        return city

    with pytest.raises(TypeError):
        weather(town="Paris")  # type: ignore[call-arg]
    span = telemetry.span
    assert (span.name, span.attributes["error.type"]) == ("execute_tool weather", "TypeError")
    assert span.attributes["gen_ai.tool.call.arguments"] == '{"town":"Paris"}'


DECORATORS = [step("s"), execute_tool("t"), genai_context(conversation_id="c")]


@pytest.mark.parametrize("decorator", DECORATORS, ids=lambda one: type(one).__name__)
def test_arguments_that_do_not_fit_a_generator(decorator, instrumented, telemetry) -> None:
    """They are refused where it is called, and not with its first step; nothing has begun then."""

    @decorator
    def words(text: str) -> Iterator[str]:
        yield from text.split()

    @decorator
    async def later(text: str) -> AsyncGenerator[str, None]:
        for word in text.split():
            yield word

    for function in (words, later):
        with pytest.raises(TypeError):
            function()
        with pytest.raises(TypeError):
            function("a", "b")
    assert not telemetry.spans
    assert list(words("a b")) == ["a", "b"]


class Shop:
    """Has tools that are generators."""

    @execute_tool()
    def own(self, number: int) -> Iterator[int]:
        """Of an object."""
        yield number

    @classmethod
    @execute_tool()
    def of_class(cls, number: int) -> Iterator[int]:
        """Of the class."""
        yield number

    @staticmethod
    @execute_tool()
    def of_none(number: int) -> Iterator[int]:
        """Of neither."""
        yield number


@pytest.mark.parametrize("called", ["own", "own of the class", "own by keywords", "of_class", "of_none"])
def test_generators_of_a_class(called, instrumented, telemetry) -> None:
    """Their arguments are those without the object, by the names of the parameters."""
    name, _, how = called.partition(" ")
    method = getattr(Shop if how else Shop(), name)
    assert inspect.isgeneratorfunction(method)
    assert list(inspect.signature(method).parameters) == (["self", "number"] if how else ["number"])
    steps = {"": lambda: method(7), "of the class": lambda: method(Shop(), 7)}
    assert list(steps.get(how, lambda: method(self=Shop(), number=7))()) == [7]
    assert telemetry.span.name == f"execute_tool {name}"
    assert telemetry.span.attributes["gen_ai.tool.call.arguments"] == '{"number":7}'


@wrapt.decorator
def listed(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> list[Any]:
    """A decorator that reads a generator to its end, and looks like it nevertheless."""
    return list(wrapped(*args, **kwargs))


@wrapt.decorator
def listed_later(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
    """The same of an asynchronous generator: it returns a coroutine."""

    async def read() -> list[Any]:
        return [item async for item in wrapped(*args, **kwargs)]

    return read()


@wrapt.decorator
def passed_on(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
    """A decorator that returns the generator as it is."""
    return wrapped(*args, **kwargs)


def numbers_with_a_step(count: int) -> Iterator[int]:
    """Has a step within."""
    with step("within"):
        pass
    yield from range(count)


async def later_numbers_with_a_step(count: int) -> AsyncGenerator[int, None]:
    """The asynchronous counterpart."""
    with step("within"):
        pass
    for number in range(count):
        yield number


async def _read(made: Any) -> list[int]:
    return await made if inspect.iscoroutine(made) else [item async for item in made]


BELOW: dict[str, tuple[Any, Any, Any]] = {
    "a list": (listed, numbers_with_a_step, lambda made: made),
    "a generator": (passed_on, numbers_with_a_step, list),
    "a coroutine": (listed_later, later_numbers_with_a_step, lambda made: asyncio.run(_read(made))),
    "an asynchronous generator": (passed_on, later_numbers_with_a_step, lambda made: asyncio.run(_read(made))),
}


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("below", BELOW)
def test_what_a_decorator_below_returns(below, twice, instrumented, telemetry, tree) -> None:
    """It is returned as it is, whatever kind the function seems to be, and what is done for it is in the operation."""
    decorator, numbers, read = BELOW[below]
    function = execute_tool("tool")(decorator(numbers))
    made = (genai_context(conversation_id="c")(function) if twice else function)(count=2)
    assert read(made) == [0, 1]
    assert tree() == ["execute_tool tool", "execute_tool tool > step within"]
    tool = telemetry.spans[1].attributes
    assert tool["gen_ai.tool.call.arguments"] == '{"count":2}'
    assert tool.get("gen_ai.tool.call.result") == (None if below.endswith("generator") else "[0,1]")


def test_an_iterator_of_a_decorator_below(instrumented, telemetry) -> None:
    """It is returned as it is, and so is a failure."""

    @wrapt.decorator
    def own(_wrapped: Any, _instance: Any, _args: Any, _kwargs: Any) -> Any:
        return iterator if fine else {}["missing"]

    fine, iterator = True, iter([1])
    function = step("own")(own(numbers_with_a_step))
    assert function(1) is iterator
    fine = False
    with pytest.raises(KeyError):
        function(1)
    assert [span.attributes.get("error.type") for span in telemetry.spans] == [None, "KeyError"]


@step()
def of_module() -> Iterator[int]:
    """Is pickled."""
    yield 1


def test_a_generator_function_is_pickled_and_copied() -> None:
    """By its name, as any function is."""
    assert pickle.loads(pickle.dumps(of_module)) is copy.deepcopy(of_module) is of_module


@dataclasses.dataclass
class Keeper:
    """Has a generator for a method, which it may keep."""

    number: int
    kept: Any = None

    @step()
    @execute_tool()
    def method(self) -> Iterator[int]:
        """Is kept."""
        yield self.number


def test_a_generator_method_is_pickled_and_copied() -> None:
    """With its object, as any method is; and a weak reference to it lasts as long as that."""
    keeper = Keeper(1)
    assert weakref.WeakMethod(keeper.method)() == keeper.method
    assert list(pickle.loads(pickle.dumps(keeper.method))()) == [1]
    keeper.kept = keeper.method
    for copied in (copy.deepcopy(keeper), Keeper(**dataclasses.asdict(keeper))):
        assert copied.kept.__self__ is not keeper
        assert list(copied.kept()) == [1]


def test_what_a_class_does_not_bind_stays_unbound(instrumented, telemetry) -> None:
    """A method of another object, and what a decorator of wrapt's binds, get what they would get without us."""

    @wrapt.decorator
    def seen(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        instances.append(instance)
        return wrapped(*args, **kwargs)

    class Other:
        foreign = step("foreign")(Keeper(2).method)

        @step("below")
        @seen
        def below(self) -> Iterator[int]:
            yield 3

    instances: list[Any] = []
    other = Other()
    assert list(other.foreign()) == [2]  # type: ignore[call-arg]
    assert list(other.below()) == [3]
    assert instances == [other]


@pytest.mark.parametrize("as_function", [True, False])
def test_a_second_thread_asks_a_generator_that_runs(as_function, instrumented, telemetry) -> None:
    """It is refused, as without us, and the run goes on: it ends once, with its own end."""
    entered, release = threading.Event(), threading.Event()

    def generator() -> Iterator[int]:
        entered.set()
        release.wait(10)
        yield 1

    def returns() -> Iterator[int]:
        return generator()

    made: Any = invoke_agent("agent")(generator if as_function else returns)()
    results: list[list[int]] = []
    thread = threading.Thread(target=lambda: results.append(list(made)))
    thread.start()
    entered.wait(10)
    for ask in (made.__next__, made.close):
        with pytest.raises(ValueError, match="already executing"):
            ask()
    assert not telemetry.spans
    release.set()
    thread.join(10)
    assert results == [[1]]
    assert telemetry.span.status.status_code.name == "UNSET"


def test_the_process_ends(instrumented, telemetry) -> None:
    """What goes on then, in another thread or in a generator that is kept, ends with it, once, and is no error."""
    entered, release = threading.Event(), threading.Event()

    @invoke_agent("agent")
    def agent() -> Iterator[int]:
        yield 1

    def wait() -> None:
        with execute_tool("tool"):
            entered.set()
            release.wait(10)

    thread = threading.Thread(target=wait)
    thread.start()
    entered.wait(10)
    running = agent()
    next(running)
    finish_all()
    assert sorted(span.name for span in telemetry.spans) == ["execute_tool tool", "invoke_agent agent"]
    release.set()
    thread.join(10)
    assert list(running) == []
    assert [span.status.status_code.name for span in telemetry.spans] == ["UNSET", "UNSET"]


def test_content_parts_of_messages(instrumented, telemetry) -> None:
    """They are parts of the conventions' schema; sound and images that are inline are recorded by size and digest, never as bytes."""
    data = base64.b64encode(b"RIFF" * 1000).decode()
    sound = {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}}
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    block = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}
    content = [{"type": "text", "text": "What is it?"}, sound, image, block]
    with invoke_agent("agent", input=[{"role": "user", "content": content}]) as run:
        run.set_result([{"role": "assistant", "content": [sound]}])
    attributes = telemetry.span.attributes
    assert "UklGR" not in str(attributes)
    (message,) = json.loads(attributes["gen_ai.input.messages"])
    digest = {"byte_size": 4000, "sha256": hashlib.sha256(b"RIFF" * 1000).hexdigest()}
    assert message["parts"] == [
        {"type": "text", "content": "What is it?"},
        {"type": "blob", "modality": "audio", "mime_type": "audio/wav", **digest, "content": ""},
        {"type": "blob", "modality": "image", "mime_type": "image/png", **digest, "content": ""},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", **digest}},
    ]


def test_a_block_in_a_generator_that_is_left(instrumented, telemetry) -> None:
    """It is no error."""

    def steps() -> Iterator[int]:
        with step("inside"):
            yield 1

    running = steps()
    next(running)
    running.close()  # type: ignore[attr-defined]
    assert telemetry.span.status.status_code.name == "UNSET"


class CodedError(Exception):
    """An exception with a code of its own."""

    code = "user-12345"


def test_codes_of_exceptions_are_not_recorded(telemetry) -> None:
    """The type of an error is that of the application's exception, whatever members it has."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    with pytest.raises(CodedError), execute_tool("tool"):
        raise CodedError
    assert "12345" not in str(telemetry.snapshot())
    assert telemetry.span.attributes["error.type"].endswith("CodedError")


def test_names_on_metrics_are_bounded(telemetry) -> None:
    """A model may invent names of tools: metrics have the first ones, and `other`; spans have each."""
    OpenAIInstrumentor().instrument(**telemetry.providers, metric_attribute_values=2)
    for number in range(4):
        with execute_tool(f"tool {number}"):
            pass
    points = telemetry.metrics["gen_ai.execute_tool.duration"]
    assert [(point.attributes["gen_ai.tool.name"], point.count) for point in points] == [
        ("tool 0", 1),
        ("tool 1", 1),
        ("other", 2),
    ]
    assert [span.name for span in telemetry.spans][-1] == "execute_tool tool 3"


def test_nothing_is_kept(instrumented) -> None:
    """What is copied into a task's context, and lives on there, has no arguments and no result."""

    class Large:
        """What is looked for."""

    async def run() -> None:
        release = asyncio.Event()
        with execute_tool("tool", arguments={"a": Large()}) as tool:
            tool.set_result(Large())
            task = asyncio.create_task(release.wait())
        gc.collect()
        assert not [found for found in gc.get_objects() if type(found) is Large]
        release.set()
        await task

    asyncio.run(run())


class Tools:
    """Tools that are methods."""

    @execute_tool("static")
    @staticmethod
    def static(number: int) -> int:
        """A static method below the decorator."""
        return number

    @execute_tool("class")
    @classmethod
    def of_class(cls, number: int) -> tuple[type, int]:
        """A class method below it."""
        return cls, number

    @execute_tool("method")
    def method(self, number: int) -> int:
        """A plain method."""
        return number


def test_methods(instrumented, telemetry) -> None:
    """Methods of every kind are called as without us; `self` and `cls` are no arguments of the tool."""
    tools = Tools()
    assert (tools.static(1), Tools.static(2)) == (1, 2)
    assert (tools.of_class(3), tools.method(4)) == ((Tools, 3), 4)
    assert [span.attributes["gen_ai.tool.call.arguments"] for span in telemetry.spans] == [
        f'{{"number":{number}}}' for number in (1, 2, 3, 4)
    ]


class Interrupting(SpanProcessor):
    """A span processor during which the user interrupts the program."""

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        """Interrupt."""
        raise KeyboardInterrupt


def test_a_start_that_is_interrupted(instrumented, telemetry) -> None:
    """The operation ends once nobody holds it, and lasts from its start, not from that of the machine."""
    telemetry.tracer_provider.add_span_processor(Interrupting())
    before = perf_counter()

    with pytest.raises(KeyboardInterrupt), execute_tool("look_up"):
        raise AssertionError
    gc.collect()
    finish_pending()

    (point,) = telemetry.metrics["gen_ai.execute_tool.duration"]
    assert 1 == point.count
    assert 0 < point.sum <= perf_counter() - before


@pytest.mark.process
def test_a_process_that_ends_within(tmp_path, receiver) -> None:
    """What goes on when a process ends is exported: a block in a thread that nobody waits for, and a generator that is kept."""
    text = """
import threading
import openai
from opentelemetry_instrumentation_genai import execute_tool, invoke_agent

@invoke_agent("agent")
def agent():
    yield 1
    yield 2

def wait(entered):
    with execute_tool("tool"):
        entered.set()
        threading.Event().wait()

running = agent()
next(running)
entered = threading.Event()
threading.Thread(target=wait, args=(entered,), daemon=True).start()
entered.wait()
"""
    run(tmp_path, text, instrumented=True, **receiver.environment())
    found = {span["name"]: span["status"]["code"] for span in receiver.spans}
    assert found == {"execute_tool tool": "UNSET", "invoke_agent agent": "UNSET"}

"""The tool runner of the SDK: a run is an agent, the model calls and the tools are below it."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import pydantic
import pytest
from inline_snapshot import snapshot
from opentelemetry import trace
from opentelemetry.context import attach, detach, set_value
from opentelemetry.instrumentation.utils import suppress_instrumentation

from contract.drive import SYNC, listed, settled
from loopback import Json, ModelServer, Sse, Telemetry, settle
from loopback.anthropic_bodies import (
    MESSAGES,
    MODEL,
    block_events,
    ended,
    error,
    events,
    message,
    started,
    text,
    text_events,
)
from opentelemetry_instrumentation_genai import AnthropicInstrumentor, genai_context, invoke_agent

runners: Any = pytest.importorskip("anthropic.lib.tools._beta_runner")
tools: Any = pytest.importorskip("anthropic.lib.tools")
if not hasattr(runners.BaseToolRunner, "_tool_use_span"):
    pytest.skip("the runner of this SDK is not followed", allow_module_level=True)

SDK, OURS = "com.anthropic.sdk.python", "opentelemetry_instrumentation_genai"
MODES = ("replace", "enrich", "off")
ANSWER = Json(message(text("It is.")))
ANSWERED = Sse(text_events("It ", "is."), event_names=True)


def calling(*ids: str, name: str = "weather") -> dict[str, Any]:
    """A message that calls a tool once for each id."""
    calls = [{"type": "tool_use", "id": one, "name": name, "input": {"city": "Rome"}} for one in ids]
    return message(*calls, stop_reason="tool_use")


def streamed(*ids: str) -> Sse:
    """The same as a stream."""
    blocks = [
        block_events(
            {"type": "tool_use", "id": one, "name": "weather"}, [("input", '{"city":'), ("input", '"Rome"}')], at
        )
        for at, one in enumerate(ids)
    ]
    return Sse(events(started(), *blocks, ended("tool_use")), event_names=True)


class Kind:
    """What a test needs of one kind of client: synchronous or asynchronous."""

    def __init__(self, server: ModelServer, telemetry: Telemetry, *, asynchronous: bool) -> None:
        self._url = server.url
        self._telemetry = telemetry
        self.asynchronous = asynchronous
        self._loop = asyncio.new_event_loop() if asynchronous else None
        self._clients: list[Any] = []
        self.seen: list[Any] = []

    def run(self, coroutine: Any) -> Any:
        """The result of what is written once for both kinds."""
        return SYNC.run(coroutine) if self._loop is None else self._loop.run_until_complete(coroutine)

    def client(self, **settings: Any) -> Any:
        """A client, the spans of which are recorded with ours if it makes any."""
        kind: Any = anthropic.AsyncAnthropic if self.asynchronous else anthropic.Anthropic
        traced = {"tracer_provider": self._telemetry.tracer_provider, "conversation_id": "conv_1"}
        known = {"base_url": self._url, "api_key": "not-a-key", "max_retries": 0, "open_telemetry": traced}
        self._clients.append(kind(**{**known, **settings}))
        return self._clients[-1]

    def tool(self, result: Callable[[str], Any] | None = None) -> Any:
        """A tool with a span of its own, that gives what `result` makes of its argument."""
        own = self._telemetry.tracer_provider.get_tracer("application")

        def weather(city: str) -> str:
            """Look up the weather."""
            with own.start_as_current_span("look up"):
                self.seen.append(trace.get_current_span())
                return f"sunny in {city}" if result is None else str(result(city))

        async def waiting(city: str) -> str:
            """Look up the weather."""
            await asyncio.sleep(0)
            return weather(city)

        if self.asynchronous:
            return anthropic.beta_async_tool(waiting, name="weather")
        return anthropic.beta_tool(weather)

    def runner(self, *tools: Any, client: Any = None, **changes: Any) -> Any:
        """A runner with one tool."""
        made = client or self.client()
        return made.beta.messages.tool_runner(**{**MESSAGES, "tools": tools or [self.tool()], **changes})

    async def closed(self) -> None:
        """Closes the clients."""
        for client in self._clients:
            await settled(client.close())

    def close(self) -> None:
        """Closes clients and loop."""
        self.run(self.closed())
        if self._loop is not None:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest, server: ModelServer, telemetry: Telemetry) -> Iterator[Kind]:
    """One of each kind."""
    made = Kind(server, telemetry, asynchronous=request.param == "async")
    yield made
    made.close()


async def following(runner: Any) -> Any:
    """The next turn of a runner."""
    return await runner.__anext__() if hasattr(runner, "__anext__") else next(runner)


async def iterated(runner: Any, turn: Callable[[Any], Any]) -> None:
    """Iterates over a runner."""
    if hasattr(runner, "__aiter__"):
        async for one in runner:
            await turn(one)
    else:
        for one in runner:
            await turn(one)


async def done(runner: Any) -> Any:
    """The last message of a run."""
    return await settled(runner.until_done())


def tree(telemetry: Telemetry) -> list[str]:
    """The spans by their start, each below its parents, with its error."""
    spans = {span.context.span_id: span for span in telemetry.spans}

    def path(span: Any) -> str:
        above = spans.get(span.parent.span_id) if span.parent else None
        return span.name if above is None else f"{path(above)} > {span.name}"

    return [
        path(span) + (f": {span.attributes['error.type']}" if "error.type" in span.attributes else "")
        for span in sorted(spans.values(), key=lambda span: span.start_time)
    ]


def follow(telemetry: Telemetry, mode: str = "replace", **settings: Any) -> None:
    """From now on, runs are followed."""
    AnthropicInstrumentor().instrument(**telemetry.providers, anthropic_native_tracing=mode, **settings)


BEGUN = ["invoke_agent", f"invoke_agent > chat {MODEL}"]
TOOL = ["invoke_agent > execute_tool weather", "invoke_agent > execute_tool weather > look up"]
WHOLE = [*BEGUN, *TOOL, BEGUN[1]]
FAILED = [*BEGUN, f"{TOOL[0]}: tool_error", TOOL[1], BEGUN[1]]


def test_a_run_is_an_agent(server: ModelServer, telemetry: Telemetry, kind: Kind) -> None:
    """Model calls and tools are below it, with content, and counted for it; the SDK makes no span of its own."""
    follow(telemetry, capture_message_content="span_only")
    server.reply(Json(calling("toolu_1")), ANSWER)

    answer = kind.run(done(kind.runner(system="Be brief.")))

    assert answer.content[0].text == "It is."
    assert tree(telemetry) == WHOLE
    own = [span for span in telemetry.snapshot()["spans"] if span["kind"] == "INTERNAL" and span["name"] != "look up"]
    (definition,) = json.loads(own[1]["attributes"].pop("gen_ai.tool.definitions"))  # what the SDK makes of a function
    assert (definition["type"], definition["name"]) == ("function", "weather")
    assert own == snapshot(
        [
            {
                "name": "execute_tool weather",
                "kind": "INTERNAL",
                "status": {"code": "UNSET", "description": None},
                "attributes": {
                    "gen_ai.conversation.id": "conv_1",
                    "gen_ai.operation.name": "execute_tool",
                    "gen_ai.tool.call.arguments": '{"city":"Rome"}',
                    "gen_ai.tool.call.id": "toolu_1",
                    "gen_ai.tool.call.result": "sunny in Rome",
                    "gen_ai.tool.description": "Look up the weather.",
                    "gen_ai.tool.name": "weather",
                    "gen_ai.tool.type": "function",
                },
                "events": [],
                "parent": "invoke_agent",
                "scope": "opentelemetry_instrumentation_genai",
            },
            {
                "name": "invoke_agent",
                "kind": "INTERNAL",
                "status": {"code": "UNSET", "description": None},
                "attributes": {
                    "gen_ai.conversation.id": "conv_1",
                    "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
                    "gen_ai.operation.name": "invoke_agent",
                    "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"It is."}],"finish_reason":"stop"}]',
                    "gen_ai.provider.name": "anthropic",
                    "gen_ai.request.model": "claude-test",
                    "gen_ai.system_instructions": '[{"type":"text","content":"Be brief."}]',
                },
                "events": [],
                "parent": None,
                "scope": "opentelemetry_instrumentation_genai",
            },
        ]
    )
    assert telemetry.metrics["gen_ai.invoke_agent.inference_calls"][0].sum == 2
    assert telemetry.metrics["gen_ai.invoke_agent.tool_calls"][0].sum == 1
    assert telemetry.metrics["gen_ai.invoke_agent.duration"][0].count == 1
    assert telemetry.metrics["gen_ai.execute_tool.duration"][0].count == 1


def test_content_is_off_by_default(server: ModelServer, telemetry: Telemetry, kind: Kind) -> None:
    """Neither arguments nor results, questions or answers are recorded."""
    follow(telemetry)
    server.reply(Json(calling("toolu_1")), ANSWER)

    kind.run(done(kind.runner()))

    recorded = json.dumps(telemetry.snapshot())
    assert tree(telemetry) == WHOLE
    assert not [word for word in ("Rome", "sunny", "It is.", '"Hi"') if word in recorded]


@pytest.mark.parametrize("generation", ["gen_ai_latest_experimental", "gen_ai_latest_experimental/dup"])
def test_both_generations(server: ModelServer, telemetry: Telemetry, kind: Kind, generation: str) -> None:
    """The latest conventions have other metrics, and the same spans."""
    follow(telemetry, semconv_stability_opt_in=generation)
    server.reply(Json(calling("toolu_1")), ANSWER)

    kind.run(done(kind.runner()))

    assert tree(telemetry) == WHOLE
    names = {name for name in telemetry.metrics if "agent" in name or "tool" in name}
    assert names == {
        "gen_ai.invoke_agent.duration",
        "gen_ai.invoke_agent.inference_calls",
        "gen_ai.invoke_agent.tool_calls",
        "gen_ai.execute_tool.duration",
    }


def test_a_streamed_run(server: ModelServer, telemetry: Telemetry, kind: Kind) -> None:
    """Each turn is a stream that the application reads; the answer is that of the last."""
    follow(telemetry, capture_message_content="span_only")
    server.reply(streamed("toolu_1"), ANSWERED)

    read = []

    async def turn(stream: Any) -> None:
        read.append(len(await listed(stream)))

    kind.run(iterated(kind.runner(stream=True), turn))

    assert len(read) == 2
    assert tree(telemetry) == WHOLE
    (agent,) = (span for span in telemetry.spans if span.name == "invoke_agent")
    assert json.loads(agent.attributes["gen_ai.output.messages"]) == [
        {"role": "assistant", "parts": [{"type": "text", "content": "It is."}], "finish_reason": "stop"}
    ]


def test_a_stream_that_nobody_reads(server: ModelServer, telemetry: Telemetry, kind: Kind) -> None:
    """The runner itself reads it, within the run."""
    follow(telemetry)
    server.reply(streamed("toolu_1"), ANSWERED)

    assert kind.run(done(kind.runner(stream=True))).content[0].text == "It is."

    assert tree(telemetry) == WHOLE


def test_the_consumer_of_turns_is_outside(server: ModelServer, telemetry: Telemetry, kind: Kind) -> None:
    """Between two turns the span of the run is not current, and within a tool its own span is."""
    follow(telemetry)
    server.reply(Json(calling("toolu_1")), ANSWER)

    current = []

    async def turn(_message: Any) -> None:
        current.append(trace.get_current_span().is_recording())

    kind.run(iterated(kind.runner(), turn))

    assert current == [False, False]
    assert [span.name for span in kind.seen] == ["look up"]
    assert tree(telemetry) == WHOLE


def test_what_changes_before_the_first_turn(server: ModelServer, telemetry: Telemetry, kind: Kind) -> None:
    """The input of a run is what the first request of it has."""
    follow(telemetry, capture_message_content="span_only")
    server.reply(ANSWER)

    async def run() -> None:
        runner = kind.runner()
        runner.append_messages({"role": "user", "content": "Is it sunny?"})
        await done(runner)

    kind.run(run())

    (agent,) = (span for span in telemetry.spans if span.name == "invoke_agent")
    given = json.loads(agent.attributes["gen_ai.input.messages"])
    assert [part["content"] for one in given for part in one["parts"]] == ["Hi", "Is it sunny?"]


class Structure(pydantic.BaseModel):
    """What a structured answer has."""

    word: str


@pytest.mark.parametrize(
    "given",
    [
        {"output_format": Structure},
        {"output_config": {"format": {"type": "json_schema", "schema": Structure.model_json_schema()}}},
    ],
    ids=["class", "schema"],
)
def test_a_structured_answer(server: ModelServer, telemetry: Telemetry, kind: Kind, given: dict[str, Any]) -> None:
    """What is put out is JSON, as of the model calls."""
    follow(telemetry)
    server.reply(Json(message(text('{"word": "sunny"}'))))

    kind.run(done(kind.runner(**given)))

    assert tree(telemetry) == BEGUN
    assert [span.attributes["gen_ai.output.type"] for span in telemetry.spans] == ["json"] * 2


def test_attributes_of_the_application(server: ModelServer, telemetry: Telemetry, kind: Kind) -> None:
    """An agent of the application is above the run, and its conversation on every span."""
    follow(telemetry)
    server.reply(Json(calling("toolu_1")), ANSWER)

    with genai_context(conversation_id="conv_2"), invoke_agent("adviser"):
        kind.run(done(kind.runner()))

    assert tree(telemetry) == ["invoke_agent adviser", *[f"invoke_agent adviser > {one}" for one in WHOLE]]
    spans = [span for span in telemetry.spans if span.name != "look up"]
    assert {span.attributes["gen_ai.conversation.id"] for span in spans} == {"conv_2"}


def test_a_consumer_who_leaves(server: ModelServer, telemetry: Telemetry, kind: Kind) -> None:
    """The run ends without an error when it is closed, once; one that never began has no span."""
    follow(telemetry)
    server.reply(Json(calling("toolu_1")))

    async def run() -> list[Any]:
        await settled(kind.runner().close())
        runner = kind.runner()
        await following(runner)
        await settled(runner.close())
        await settled(runner.close())
        return await listed(runner)

    assert kind.run(run()) == []
    assert tree(telemetry) == BEGUN


def test_a_run_that_is_dropped(server: ModelServer, telemetry: Telemetry, kind: Kind) -> None:
    """It ends when it is collected, without an error."""
    follow(telemetry)
    server.reply(Json(calling("toolu_1")))

    async def run() -> None:
        await following(kind.runner())

    kind.run(run())
    gc.collect()
    if kind.asynchronous:
        kind.run(asyncio.sleep(0))
        gc.collect()
    settle()

    assert tree(telemetry) == BEGUN


def test_left_and_taken_up_again(server: ModelServer, telemetry: Telemetry, kind: Kind) -> None:
    """A run that goes on later is one run."""
    follow(telemetry)
    server.reply(Json(calling("toolu_1")), ANSWER)

    async def run() -> None:
        runner = kind.runner()
        await following(runner)
        await done(runner)
        await done(runner)

    kind.run(run())

    assert tree(telemetry) == WHOLE


def test_the_most_turns(server: ModelServer, telemetry: Telemetry, kind: Kind) -> None:
    """A run that may have no more turns ends without an error."""
    follow(telemetry, capture_message_content="span_only")
    server.reply(Json(calling("toolu_1")))

    kind.run(done(kind.runner(max_iterations=1)))

    assert tree(telemetry) == WHOLE[:4]
    (agent,) = (span for span in telemetry.spans if span.name == "invoke_agent")
    assert json.loads(agent.attributes["gen_ai.output.messages"])[0]["finish_reason"] == "tool_call"


def test_a_response_by_hand(server: ModelServer, telemetry: Telemetry, kind: Kind) -> None:
    """Tools that the application runs between two turns are below the run, and run once."""
    follow(telemetry)
    server.reply(Json(calling("toolu_1", "toolu_2")), ANSWER)

    async def run() -> None:
        runner = kind.runner()
        await following(runner)
        token = attach(set_value("mine", 1))
        try:
            await settled(runner.generate_tool_call_response())
        finally:
            detach(token)
        await done(runner)

    kind.run(run())

    assert tree(telemetry) == [*BEGUN, *TOOL, *TOOL, BEGUN[1]]
    assert telemetry.metrics["gen_ai.invoke_agent.tool_calls"][0].sum == 2


def test_a_response_after_the_run(server: ModelServer, telemetry: Telemetry, kind: Kind) -> None:
    """A tool that is run when the run is over has no run above it."""
    follow(telemetry)
    server.reply(Json(calling("toolu_1")))

    async def run() -> None:
        runner = kind.runner()
        await following(runner)
        await settled(runner.close())
        await settled(runner.generate_tool_call_response())

    kind.run(run())

    assert tree(telemetry) == [*BEGUN, *[one.removeprefix("invoke_agent > ") for one in TOOL]]


def test_a_tool_that_raises(server: ModelServer, telemetry: Telemetry, kind: Kind) -> None:
    """The model gets a text, the application no exception: the span of the tool has the SDK's word for it, that of the run no error."""
    follow(telemetry, capture_message_content="span_only")
    server.reply(Json(calling("toolu_1")), ANSWER)

    def fails(_city: str) -> str:
        raise KeyError("no")

    kind.run(done(kind.runner(kind.tool(fails))))

    assert tree(telemetry) == FAILED
    (tool,) = (span for span in telemetry.spans if span.name == "execute_tool weather")
    assert tool.attributes["gen_ai.tool.call.result"] == "KeyError('no')"
    assert (tool.status.status_code.name, tool.status.description) == ("ERROR", "KeyError('no')")
    assert [point.attributes.get("error.type") for point in telemetry.metrics["gen_ai.execute_tool.duration"]] == [
        "tool_error"
    ]
    assert "error.type" not in telemetry.metrics["gen_ai.invoke_agent.duration"][0].attributes


def test_an_error_of_a_tool(server: ModelServer, telemetry: Telemetry, kind: Kind) -> None:
    """`ToolError` is a failure with content of the application's own, which is recorded where content is."""
    follow(telemetry)
    server.reply(Json(calling("toolu_1")), ANSWER)

    def fails(_city: str) -> str:
        raise runners.ToolError([{"type": "text", "text": "no such city"}])

    kind.run(done(kind.runner(kind.tool(fails))))

    assert tree(telemetry)[2] == FAILED[2]
    assert "no such city" not in json.dumps(telemetry.snapshot()["spans"][1]["attributes"])


@pytest.mark.filterwarnings("ignore:Tool 'none' not found")
def test_a_tool_that_is_not_known(server: ModelServer, telemetry: Telemetry, kind: Kind) -> None:
    """Nothing is run, so there is no span."""
    follow(telemetry)
    server.reply(Json(calling("toolu_1", name="none")), ANSWER)

    kind.run(done(kind.runner()))

    assert tree(telemetry) == [*BEGUN, BEGUN[1]]


def test_a_server_that_refuses(server: ModelServer, telemetry: Telemetry, kind: Kind) -> None:
    """The run failed with the exception that the application gets; no tool is left open."""
    follow(telemetry)
    server.reply(Json(calling("toolu_1")), Json(error("no"), status=529))

    with pytest.raises(anthropic.APIStatusError):
        kind.run(done(kind.runner()))

    assert tree(telemetry) == snapshot(
        [
            "invoke_agent: anthropic.OverloadedError",
            "invoke_agent > chat claude-test",
            "invoke_agent > execute_tool weather",
            "invoke_agent > execute_tool weather > look up",
            "invoke_agent > chat claude-test: overloaded_error",
        ]
    )


def test_a_stream_that_breaks(server: ModelServer, telemetry: Telemetry, kind: Kind) -> None:
    """The run failed, as the model call below it."""
    follow(telemetry)
    server.reply(Sse([*text_events("It ", "is.")[:3], error("busy")], event_names=True))

    with pytest.raises(anthropic.APIStatusError):
        kind.run(done(kind.runner(stream=True)))

    assert tree(telemetry) == snapshot(
        ["invoke_agent: anthropic.APIStatusError", "invoke_agent > chat claude-test: overloaded_error"]
    )


def test_an_interrupt_within_a_tool(server: ModelServer, telemetry: Telemetry, kind: Kind) -> None:
    """What is no `Exception` goes through tool and run; both failed with it."""
    follow(telemetry)
    server.reply(Json(calling("toolu_1")))

    class Interrupt(BaseException):
        """Of the application."""

    def interrupts(_city: str) -> str:
        raise Interrupt

    with pytest.raises(Interrupt):
        kind.run(done(kind.runner(kind.tool(interrupts))))

    assert [line.rpartition(".")[2] for line in tree(telemetry) if ": " in line] == ["Interrupt"] * 2
    assert [line.partition(":")[0] for line in tree(telemetry)] == WHOLE[:4]


def test_tools_while_a_stream_is_read(server: ModelServer, telemetry: Telemetry, kind: Kind) -> None:
    """They are below the run, though the application is in a span of its own as it reads."""
    follow(telemetry)
    server.reply(streamed("toolu_1", "toolu_2"), ANSWERED)
    own = telemetry.tracer_provider.get_tracer("application")

    async def run() -> None:
        runner = kind.runner(stream=True, run_tools_eagerly=True)
        turn = await following(runner)
        with own.start_as_current_span("reading") as reading:
            await listed(turn)
            assert len(kind.seen) == 2
            assert trace.get_current_span() is reading
        await done(runner)

    kind.run(run())

    assert sorted(tree(telemetry)) == sorted([*BEGUN, "reading", *TOOL, *TOOL, BEGUN[1]])


def test_a_tool_that_closes_its_runner(server: ModelServer, telemetry: Telemetry, kind: Kind) -> None:
    """The run ends after the tool, without an error."""
    follow(telemetry)
    server.reply(Json(calling("toolu_1")))
    made: list[Any] = []

    def closes(_city: str) -> str:
        closing = made[0].close()
        if kind.asynchronous:
            with pytest.raises(StopIteration):
                closing.send(None)
        return "closed"

    async def run() -> None:
        made.append(kind.runner(kind.tool(closes)))
        await done(made[0])

    kind.run(run())

    assert tree(telemetry) == WHOLE[:4]


def test_a_runner_that_is_asked_by_its_tool(server: ModelServer, telemetry: Telemetry, kind: Kind) -> None:
    """What the SDK refuses ends nothing."""
    follow(telemetry)
    server.reply(Json(calling("toolu_1")), ANSWER)
    made: list[Any] = []

    def asks(_city: str) -> str:
        with pytest.raises((ValueError, RuntimeError)):
            if kind.asynchronous:
                made[0].__anext__().send(None)
            else:
                next(made[0])
        return "refused"

    async def run() -> None:
        made.append(kind.runner(kind.tool(asks)))
        await done(made[0])

    kind.run(run())

    assert tree(telemetry) == WHOLE


def test_suppressed(server: ModelServer, telemetry: Telemetry, kind: Kind) -> None:
    """Where instrumentation is suppressed, the SDK does what it does without us."""
    server.reply(Json(calling("toolu_1")), ANSWER)
    with suppress_instrumentation():
        kind.run(done(kind.runner()))
    bare = tree(telemetry)
    telemetry.clear()
    follow(telemetry)
    server.reply(Json(calling("toolu_1")), ANSWER)

    with suppress_instrumentation():
        kind.run(done(kind.runner()))

    assert tree(telemetry) == bare
    assert telemetry.metrics == {}


@pytest.mark.parametrize("mode", MODES)
def test_one_span_for_each(server: ModelServer, telemetry: Telemetry, kind: Kind, mode: str) -> None:
    """Run, tool and model call have one span each, by the mode ours or the SDK's; all metrics are ours."""
    follow(telemetry, mode, capture_message_content="span_only")
    server.reply(Json(calling("toolu_1")), ANSWER)

    kind.run(done(kind.runner()))

    names = {
        "invoke_agent": "anthropic.messages.tool_runner",
        "execute_tool weather": "anthropic.custom_tool_use weather",
    }
    names[f"chat {MODEL}"] = "anthropic.messages.create"
    expected = WHOLE
    if mode != "replace":
        expected = [" > ".join(names.get(one, one) for one in line.split(" > ")) for line in WHOLE]
    assert tree(telemetry) == expected
    own = [span for span in telemetry.spans if span.name != "look up"]
    assert {span.instrumentation_scope.name for span in own} == {OURS if mode == "replace" else SDK}
    assert {span.attributes["gen_ai.conversation.id"] for span in own} == {"conv_1"}
    results = [json.loads(json.dumps(span.attributes.get("gen_ai.tool.call.result"))) for span in own]
    assert [one for one in results if one] == ([] if mode == "off" else ["sunny in Rome"])
    assert telemetry.metrics["gen_ai.invoke_agent.inference_calls"][0].sum == 2
    assert telemetry.metrics["gen_ai.invoke_agent.tool_calls"][0].sum == 1
    assert telemetry.metrics["gen_ai.execute_tool.duration"][0].count == 1


@pytest.mark.parametrize("mode", ["enrich", "off"])
def test_the_sdk_s_spans_end_as_ever(server: ModelServer, telemetry: Telemetry, kind: Kind, mode: str) -> None:
    """Status and error of a span that stays are the SDK's, of a tool that fails, of a run that is left and of one that fails."""

    def fails(_city: str) -> str:
        raise KeyError("no")

    async def run() -> None:
        await done(kind.runner(kind.tool(fails)))
        left = kind.runner()
        await following(left)
        await settled(left.close())
        with pytest.raises(anthropic.APIStatusError):
            await done(kind.runner())

    def recorded() -> list[Any]:
        telemetry.clear()
        server.reset()
        server.reply(Json(calling("toolu_1")), ANSWER, Json(calling("toolu_2")), Json(error("no"), status=400))
        kind.run(run())
        spans = [span for span in telemetry.spans if span.name != "look up" and span.kind.name == "INTERNAL"]
        return [
            (span.name, span.status.status_code, span.attributes.get("error.type"), span.end_time > span.start_time)
            for span in spans
        ]

    bare = recorded()
    assert len(bare) == 4
    follow(telemetry, mode)
    assert recorded() == bare


@pytest.mark.parametrize("mode", MODES)
def test_a_response_by_hand_in_every_mode(server: ModelServer, telemetry: Telemetry, kind: Kind, mode: str) -> None:
    """A tool that the application runs between two turns is below the run, whoever makes the spans."""
    follow(telemetry, mode)
    server.reply(Json(calling("toolu_1")), ANSWER)

    async def run() -> None:
        runner = kind.runner()
        await following(runner)
        await settled(runner.generate_tool_call_response())
        await done(runner)

    kind.run(run())

    assert [line.count(" > ") for line in tree(telemetry)] == [0, 1, 1, 2, 1]
    assert telemetry.metrics["gen_ai.invoke_agent.tool_calls"][0].sum == 1


@pytest.mark.parametrize("mode", MODES)
def test_a_client_that_does_not_trace(server: ModelServer, telemetry: Telemetry, kind: Kind, mode: str) -> None:
    """The spans are ours in every mode."""
    follow(telemetry, mode)
    server.reply(Json(calling("toolu_1")), ANSWER)

    kind.run(done(kind.runner(client=kind.client(open_telemetry=False))))

    assert tree(telemetry) == WHOLE


@pytest.mark.parametrize("mode", MODES)
def test_hooks(server: ModelServer, telemetry: Telemetry, kind: Kind, mode: str) -> None:
    """The application's hooks get the span of each operation, whoever makes it."""

    def hook(span: Any, *_given: Any) -> None:
        span.set_attribute("hooked", True)

    follow(telemetry, mode, request_hook=hook)
    server.reply(Json(calling("toolu_1")), ANSWER)

    kind.run(done(kind.runner()))

    assert [span.attributes.get("hooked") for span in telemetry.spans if span.name != "look up"] == [True] * 4


def toolset_of(kind: Kind) -> Any:
    """A set with one tool."""
    base: Any = tools.BetaAsyncRunnableToolset if kind.asynchronous else tools.BetaRunnableToolset

    class Toolset(base):  # type: ignore[misc] # one of two
        """Gives the name of the tool."""

        toolset_name = "browser"

        def to_dict(self) -> Any:
            """The definition."""
            return {"type": "browser_20991231"}

        def call(self, _context: Any, name: str, _input: Any) -> Any:
            """The result, awaited where it has to be."""

            async def waiting() -> str:
                return name

            return waiting() if kind.asynchronous else name

    return Toolset()


@pytest.mark.parametrize("mode", MODES)
def test_tools_of_a_toolset(server: ModelServer, telemetry: Telemetry, kind: Kind, mode: str) -> None:
    """Each tool of a set is one, and its span names the set."""
    toolset = toolset_of(kind)
    follow(telemetry, mode)
    called = {**calling("toolu_1", name="screenshot")}
    called["content"][0] |= {"toolset_name": toolset.toolset_name, "input": {}}
    server.reply(Json(called), ANSWER)

    kind.run(done(kind.runner(toolset)))

    (tool,) = (span for span in telemetry.spans if span.attributes.get("gen_ai.operation.name") == "execute_tool")
    assert tool.attributes["anthropic.toolset.name"] == toolset.toolset_name


def test_uninstrumented_in_the_middle(server: ModelServer, telemetry: Telemetry, kind: Kind) -> None:
    """The run that has begun ends once; its tools and the rest are the SDK's."""
    follow(telemetry)
    server.reply(Json(calling("toolu_1")), ANSWER)

    async def run() -> None:
        runner = kind.runner(client=kind.client(open_telemetry=False))
        await following(runner)
        AnthropicInstrumentor().uninstrument()
        await done(runner)

    kind.run(run())

    assert tree(telemetry) == [*BEGUN, "invoke_agent > look up"]


async def test_a_run_that_is_cancelled(server: ModelServer, telemetry: Telemetry) -> None:
    """The tool and the run end once, and the task is cancelled as without us."""
    follow(telemetry)
    server.reply(Json(calling("toolu_1")))
    begun = asyncio.Event()

    async def weather(city: str) -> str:
        """Wait."""
        begun.set()
        await asyncio.sleep(60)
        return city

    async with anthropic.AsyncAnthropic(base_url=server.url, api_key="not-a-key", open_telemetry=False) as client:
        runner = client.beta.messages.tool_runner(**MESSAGES, tools=[anthropic.beta_async_tool(weather)])
        task = asyncio.ensure_future(done(runner))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert [path.partition(":")[0] for path in tree(telemetry)] == WHOLE[:3]
    assert len([path for path in tree(telemetry) if "CancelledError" in path]) == 2


def test_uninstrument_restores(telemetry: Telemetry) -> None:
    """The methods are the SDK's own again."""
    kinds = (runners.BaseToolRunner, runners.BaseSyncToolRunner, runners.BaseAsyncToolRunner)

    def methods() -> list[dict[str, int]]:
        return [{name: id(method) for name, method in vars(kind).items()} for kind in kinds]

    before = methods()
    follow(telemetry)
    assert before != methods()
    AnthropicInstrumentor().uninstrument()
    assert before == methods()

"""The OpenAI Agents SDK: a run is a workflow, its agents, tools, handoffs and guardrails are below it, with the model calls."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import agents
import pytest
from agents import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrailTripwireTriggered,
    MaxTurnsExceeded,
    RunConfig,
    Runner,
    function_tool,
    input_guardrail,
    output_guardrail,
)
from agents.tracing import TracingProcessor, agent_span, get_trace_provider
from inline_snapshot import snapshot
from openai import AsyncOpenAI
from pydantic import BaseModel

from loopback import Json, ModelServer, Sse, Telemetry
from loopback.openai_bodies import MODEL, chunk, completion, error, response
from opentelemetry_instrumentation_genai import (
    OpenAIAgentsInstrumentor,
    OpenAIInstrumentor,
    capture_content,
    genai_context,
    invoke_workflow,
)

LATEST = "gen_ai_latest_experimental"

pytestmark = pytest.mark.usefixtures("nothing_stays")


@pytest.fixture(autouse=True)
def no_processors() -> Iterator[None]:
    """The SDK exports nothing."""
    agents.set_trace_processors([])
    yield
    agents.set_trace_processors([])
    agents.set_tracing_disabled(False)


@pytest.fixture
def instrumented(telemetry: Telemetry) -> None:
    """With content on spans."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    OpenAIAgentsInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")


@pytest.fixture
async def client(async_openai_client: Any) -> AsyncOpenAI:
    """A client of the model server."""
    return async_openai_client()


class Api:
    """One of the two APIs that the SDK speaks: its model, and what a server answers.

    Args:
        model: makes the model.
    """

    model: Callable[..., Any]

    def calls(self, *calls: tuple[str, str, str], streams: bool = False) -> Any:
        """An answer that calls functions: the id of each call, the function's name, its arguments."""
        raise NotImplementedError

    def says(self, text: str, *, streams: bool = False) -> Any:
        """An answer of text."""
        raise NotImplementedError


class Responses(Api):
    """The Responses API."""

    model = agents.OpenAIResponsesModel

    def calls(self, *calls: tuple[str, str, str], streams: bool = False) -> Any:
        """An answer with items that call functions."""
        output = [
            {
                "type": "function_call",
                "id": f"fc_{one}",
                "call_id": one,
                "name": name,
                "arguments": given,
                "status": "completed",
            }
            for one, name, given in calls
        ]
        return self._reply(response(output=output), streams)

    def says(self, text: str, *, streams: bool = False) -> Any:
        """An answer with a message."""
        return self._reply(response(text), streams)

    def _reply(self, whole: dict[str, Any], streams: bool) -> Any:
        if not streams:
            return Json(whole)
        events = [
            {"type": "response.created", "response": {**whole, "status": "in_progress", "output": []}},
            *(
                {"type": "response.output_item.done", "output_index": index, "item": item}
                for index, item in enumerate(whole["output"])
            ),
            {"type": "response.completed", "response": whole},
        ]
        return Sse([{**event, "sequence_number": number} for number, event in enumerate(events)], event_names=True)


class ChatCompletions(Api):
    """The Chat Completions API."""

    model = agents.OpenAIChatCompletionsModel

    def calls(self, *calls: tuple[str, str, str], streams: bool = False) -> Any:
        """An answer with one choice that calls functions."""
        made = [
            {"id": one, "type": "function", "function": {"name": name, "arguments": given}}
            for one, name, given in calls
        ]
        return self._reply({"role": "assistant", "content": None, "tool_calls": made}, "tool_calls", streams)

    def says(self, text: str, *, streams: bool = False) -> Any:
        """An answer with one choice of text."""
        return self._reply({"role": "assistant", "content": text}, "stop", streams)

    def _reply(self, message: dict[str, Any], reason: str, streams: bool) -> Any:
        if not streams:
            return Json(completion(choices=[{"index": 0, "finish_reason": reason, "message": message}]))
        made = [{"index": index, **one} for index, one in enumerate(message.get("tool_calls", ()))]
        delta = {**message, "tool_calls": made} if made else message
        usage = {"prompt_tokens": 8, "completion_tokens": 2, "total_tokens": 10}
        return Sse([chunk(delta), chunk(reason=reason), {**chunk(), "choices": [], "usage": usage}], done=True)


APIS = [pytest.param(Responses(), id="responses"), pytest.param(ChatCompletions(), id="chat")]
ROME = '{"city":"Rome"}'


@pytest.fixture
def weather(telemetry: Telemetry) -> Any:
    """A tool with a span of its own."""
    own = telemetry.tracer_provider.get_tracer("application")

    @function_tool
    async def weather(city: str) -> str:
        """Looks up the weather."""
        with own.start_as_current_span("look up"):
            await asyncio.sleep(0)
            return f"sunny in {city}"

    return weather


def agent_of(api: Api, client: AsyncOpenAI, name: str = "Guide", **more: Any) -> Any:
    """An agent that calls the model server."""
    return Agent(name, model=api.model(MODEL, client), **more)


def tree(telemetry: Telemetry) -> list[str]:
    """The spans by their start, each below its parents, with its error."""
    spans = {span.context.span_id: span for span in telemetry.spans}

    def path(span: Any) -> str:
        above = spans.get(span.parent.span_id) if span.parent else None
        return span.name if above is None else f"{path(above)} > {span.name}"

    return [
        path(span) + (f": {span.attributes['error.type']}" if span.status.status_code.name == "ERROR" else "")
        for span in sorted(spans.values(), key=lambda span: span.start_time)
    ]


WHOLE = [
    "invoke_workflow Agent workflow",
    "invoke_workflow Agent workflow > invoke_agent Guide",
    "invoke_workflow Agent workflow > invoke_agent Guide > chat gpt-4o-mini",
    "invoke_workflow Agent workflow > invoke_agent Guide > execute_tool weather",
    "invoke_workflow Agent workflow > invoke_agent Guide > execute_tool weather > look up",
    "invoke_workflow Agent workflow > invoke_agent Guide > chat gpt-4o-mini",
]
AGENT = WHOLE[1]


def counted(telemetry: Telemetry) -> dict[str, float | None]:
    """What the metrics of one run count: the calls of its agent, and all tokens."""
    metrics = telemetry.metrics
    counts = {name: sum(point.count or 0 for point in metrics[name]) for name in metrics if name.endswith(".duration")}
    for name in ("gen_ai.invoke_agent.inference_calls", "gen_ai.invoke_agent.tool_calls", "gen_ai.client.token.usage"):
        counts[name] = sum(point.sum or 0 for point in metrics[name])
    return counts


ONCE = {
    "gen_ai.client.operation.duration": 2,
    "gen_ai.client.token.usage": 20,
    "gen_ai.execute_tool.duration": 1,
    "gen_ai.invoke_agent.duration": 1,
    "gen_ai.invoke_agent.inference_calls": 2,
    "gen_ai.invoke_agent.tool_calls": 1,
    "gen_ai.workflow.duration": 1,
}


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("api", APIS)
async def test_a_run(api: Api, server: ModelServer, telemetry: Telemetry, client: Any, weather: Any):
    """It is a workflow; model calls and tools are below the agent, and count once."""
    server.reply(api.calls(("call_1", "weather", ROME)), api.says("It is."))
    result = await Runner.run(agent_of(api, client, tools=[weather]), "Is it sunny?")
    assert result.final_output == "It is."
    assert tree(telemetry) == WHOLE
    assert counted(telemetry) == ONCE


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("api", APIS)
def test_a_synchronous_run(api: Api, server: ModelServer, telemetry: Telemetry, weather: Any):
    """The same."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        client = AsyncOpenAI(base_url=f"{server.url}/v1", api_key="sk-test-not-a-key", max_retries=0)
        server.reply(api.calls(("call_1", "weather", ROME)), api.says("It is."))
        assert Runner.run_sync(agent_of(api, client, tools=[weather]), "Is it sunny?").final_output == "It is."
        loop.run_until_complete(client.close())
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    assert tree(telemetry) == WHOLE
    assert counted(telemetry) == ONCE


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("api", APIS)
async def test_a_streamed_run(api: Api, server: ModelServer, telemetry: Telemetry, client: Any, weather: Any):
    """The same; what reads the events is outside of the run."""
    server.reply(api.calls(("call_1", "weather", ROME), streams=True), api.says("It is.", streams=True))
    result = Runner.run_streamed(agent_of(api, client, tools=[weather]), "Is it sunny?")
    own = telemetry.tracer_provider.get_tracer("application")
    async for _ in result.stream_events():
        last = own.start_span("reading")
    last.end()
    assert result.final_output == "It is."
    assert [path for path in tree(telemetry) if path != "reading"] == WHOLE
    assert last.parent is None
    assert counted(telemetry) == ONCE
    (workflow,) = [span for span in telemetry.spans if span.parent is None and span.name != "reading"]
    assert '"content":"It is."' in workflow.attributes["gen_ai.output.messages"]


@pytest.mark.usefixtures("instrumented")
async def test_the_telemetry_of_a_run(server: ModelServer, telemetry: Telemetry, client: Any, weather: Any):
    """Spans and metrics, whole, with content."""
    api = Responses()
    server.reply(api.calls(("call_1", "weather", ROME)), api.says("It is."))
    guide = agent_of(api, client, tools=[weather], instructions="Be kind.", handoff_description="Guides.")
    await Runner.run(guide, "Is it sunny?", run_config=RunConfig(workflow_name="travel"))
    recorded = telemetry.snapshot()
    assert [span for span in recorded["spans"] if span["kind"] == "INTERNAL" and span["name"] != "look up"] == snapshot(
        [
            {
                "name": "execute_tool weather",
                "kind": "INTERNAL",
                "status": {"code": "UNSET", "description": None},
                "attributes": {
                    "gen_ai.agent.name": "Guide",
                    "gen_ai.operation.name": "execute_tool",
                    "gen_ai.tool.call.arguments": '{"city":"Rome"}',
                    "gen_ai.tool.call.id": "call_1",
                    "gen_ai.tool.call.result": "sunny in Rome",
                    "gen_ai.tool.description": "Looks up the weather.",
                    "gen_ai.tool.name": "weather",
                    "gen_ai.tool.type": "function",
                },
                "events": [],
                "parent": "invoke_agent Guide",
                "scope": "opentelemetry_instrumentation_genai",
            },
            {
                "name": "invoke_agent Guide",
                "kind": "INTERNAL",
                "status": {"code": "UNSET", "description": None},
                "attributes": {
                    "gen_ai.agent.description": "Guides.",
                    "gen_ai.agent.name": "Guide",
                    "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Is it sunny?"}]}]',
                    "gen_ai.operation.name": "invoke_agent",
                    "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"It is."}],"finish_reason":"stop"}]',
                    "gen_ai.request.model": "gpt-4o-mini",
                    "gen_ai.system_instructions": '[{"type":"text","content":"Be kind."}]',
                },
                "events": [],
                "parent": "invoke_workflow travel",
                "scope": "opentelemetry_instrumentation_genai",
            },
            {
                "name": "invoke_workflow travel",
                "kind": "INTERNAL",
                "status": {"code": "UNSET", "description": None},
                "attributes": {
                    "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Is it sunny?"}]}]',
                    "gen_ai.operation.name": "invoke_workflow",
                    "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"It is."}],"finish_reason":"stop"}]',
                    "gen_ai.workflow.name": "travel",
                },
                "events": [],
                "parent": None,
                "scope": "opentelemetry_instrumentation_genai",
            },
        ]
    )
    metrics = recorded["metrics"]
    assert {name: metrics[name] for name in metrics if not name.startswith("gen_ai.client.")} == snapshot(
        {
            "gen_ai.execute_tool.duration": {
                "unit": "s",
                "description": "GenAI operation duration.",
                "bounds": [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
                "points": [
                    {
                        "attributes": {
                            "gen_ai.agent.name": "Guide",
                            "gen_ai.operation.name": "execute_tool",
                            "gen_ai.tool.name": "weather",
                            "gen_ai.tool.type": "function",
                        },
                        "exemplars": ["execute_tool weather"],
                        "count": 1,
                        "sum": "<seconds>",
                    }
                ],
            },
            "gen_ai.invoke_agent.duration": {
                "unit": "s",
                "description": "GenAI operation duration.",
                "bounds": [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6],
                "points": [
                    {
                        "attributes": {
                            "gen_ai.agent.name": "Guide",
                            "gen_ai.operation.name": "invoke_agent",
                            "gen_ai.request.model": "gpt-4o-mini",
                        },
                        "exemplars": ["invoke_agent Guide"],
                        "count": 1,
                        "sum": "<seconds>",
                    }
                ],
            },
            "gen_ai.invoke_agent.inference_calls": {
                "unit": "{inference_call}",
                "description": "Model calls that an agent makes in one run.",
                "bounds": [1, 2, 4, 8, 16, 32, 64, 128],
                "points": [
                    {
                        "attributes": {"gen_ai.agent.name": "Guide"},
                        "exemplars": ["invoke_agent Guide"],
                        "count": 1,
                        "sum": 2,
                    }
                ],
            },
            "gen_ai.invoke_agent.tool_calls": {
                "unit": "{tool_call}",
                "description": "Tools that an agent executes in one run.",
                "bounds": [1, 2, 4, 8, 16, 32, 64, 128],
                "points": [
                    {
                        "attributes": {"gen_ai.agent.name": "Guide"},
                        "exemplars": ["invoke_agent Guide"],
                        "count": 1,
                        "sum": 1,
                    }
                ],
            },
            "gen_ai.workflow.duration": {
                "unit": "s",
                "description": "GenAI operation duration.",
                "bounds": [1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0],
                "points": [
                    {
                        "attributes": {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "travel"},
                        "exemplars": ["invoke_workflow travel"],
                        "count": 1,
                        "sum": "<seconds>",
                    }
                ],
            },
        }
    )


async def test_content_is_off_by_default(server: ModelServer, telemetry: Telemetry, client: Any, weather: Any):
    """Neither questions, instructions, arguments, results nor answers are recorded."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    OpenAIAgentsInstrumentor().instrument(**telemetry.providers)
    api = Responses()
    server.reply(api.calls(("call_1", "weather", ROME)), api.says("It is."))
    await Runner.run(agent_of(api, client, tools=[weather], instructions="Be kind."), "Is it sunny?")
    recorded = json.dumps(telemetry.snapshot())
    assert tree(telemetry) == WHOLE
    assert not [word for word in ("Rome", "sunny", "It is.", "kind.") if word in recorded]


async def test_content_of_a_part(server: ModelServer, telemetry: Telemetry, client: Any, weather: Any):
    """`capture_content` around a run holds for all in it."""
    OpenAIAgentsInstrumentor().instrument(**telemetry.providers)
    api = Responses()
    server.reply(api.calls(("call_1", "weather", ROME)), api.says("It is."))
    with capture_content("span_only"):
        await Runner.run(agent_of(api, client, tools=[weather]), "Is it sunny?")
    (tool,) = [span for span in telemetry.spans if span.name == "execute_tool weather"]
    assert ROME == tool.attributes["gen_ai.tool.call.arguments"]


@pytest.mark.parametrize("generation", [LATEST, f"{LATEST}/dup"])
async def test_the_latest_conventions(
    generation: str, server: ModelServer, telemetry: Telemetry, client: Any, weather: Any
):
    """The duration of a workflow has its new name, and with `dup` both."""
    OpenAIAgentsInstrumentor().instrument(**telemetry.providers, semconv_stability_opt_in=generation)
    api = Responses()
    server.reply(api.calls(("call_1", "weather", ROME)), api.says("It is."))
    await Runner.run(agent_of(api, client, tools=[weather]), "Is it sunny?")
    names = {
        "gen_ai.invoke_workflow.duration",
        "gen_ai.invoke_agent.duration",
        "gen_ai.invoke_agent.inference_calls",
        "gen_ai.invoke_agent.tool_calls",
        "gen_ai.execute_tool.duration",
    }
    assert set(telemetry.metrics) == names | ({"gen_ai.workflow.duration"} if generation.endswith("dup") else set())
    assert tree(telemetry) == [path for path in WHOLE if "chat" not in path]


async def test_without_the_openai_instrumentor(server: ModelServer, telemetry: Telemetry, client: Any, weather: Any):
    """There are no spans of model calls, and none that stand in for them."""
    OpenAIAgentsInstrumentor().instrument(**telemetry.providers)
    api = Responses()
    server.reply(api.says("It is."))
    await Runner.run(agent_of(api, client), "Is it sunny?")
    assert tree(telemetry) == WHOLE[:2]


@pytest.mark.usefixtures("instrumented")
async def test_parallel_tools(server: ModelServer, telemetry: Telemetry, client: Any, weather: Any):
    """Each has its own span, with what it runs, and its own call."""
    api = Responses()
    server.reply(api.calls(("call_1", "weather", ROME), ("call_2", "weather", '{"city":"Oslo"}')), api.says("It is."))
    await Runner.run(agent_of(api, client, tools=[weather]), "Is it sunny?")
    assert sorted(tree(telemetry)) == sorted([*WHOLE, *WHOLE[3:5]])
    tools = [span.attributes for span in telemetry.spans if span.name == "execute_tool weather"]
    assert {(tool["gen_ai.tool.call.id"], tool["gen_ai.tool.call.result"]) for tool in tools} == {
        ("call_1", "sunny in Rome"),
        ("call_2", "sunny in Oslo"),
    }


@function_tool
def breaks(city: str) -> str:
    """Raises."""
    raise KeyError(city)


@function_tool(failure_error_function=None)
def ends_the_run(city: str) -> str:
    """Raises what ends the run."""
    raise KeyError(city)


@pytest.mark.usefixtures("instrumented")
async def test_a_tool_that_raises(server: ModelServer, telemetry: Telemetry, client: Any):
    """Its span has the exception, though the model gets a text for it, and the run goes on."""
    api = Responses()
    server.reply(api.calls(("call_1", "breaks", ROME)), api.says("It broke."))
    await Runner.run(agent_of(api, client, tools=[breaks]), "Is it sunny?")
    assert tree(telemetry) == snapshot(
        [
            "invoke_workflow Agent workflow",
            "invoke_workflow Agent workflow > invoke_agent Guide",
            "invoke_workflow Agent workflow > invoke_agent Guide > chat gpt-4o-mini",
            "invoke_workflow Agent workflow > invoke_agent Guide > execute_tool breaks: KeyError",
            "invoke_workflow Agent workflow > invoke_agent Guide > chat gpt-4o-mini",
        ]
    )


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("streams", [False, True])
async def test_a_tool_that_ends_the_run(streams: bool, server: ModelServer, telemetry: Telemetry, client: Any):
    """Its span has the tool's exception; the others have the one that the application gets."""
    api = Responses()
    server.reply(api.calls(("call_1", "ends_the_run", ROME), streams=streams))
    with pytest.raises(agents.UserError):
        await run(agent_of(api, client, tools=[ends_the_run]), streams)
    assert tree(telemetry) == snapshot(
        [
            "invoke_workflow Agent workflow: agents.exceptions.UserError",
            "invoke_workflow Agent workflow > invoke_agent Guide: agents.exceptions.UserError",
            "invoke_workflow Agent workflow > invoke_agent Guide > chat gpt-4o-mini",
            "invoke_workflow Agent workflow > invoke_agent Guide > execute_tool ends_the_run: KeyError",
        ]
    )


async def run(agent: Any, streams: bool, **more: Any) -> Any:
    """Run an agent, and read all of its events if it streams."""
    if not streams:
        return await Runner.run(agent, "Is it sunny?", **more)
    result = Runner.run_streamed(agent, "Is it sunny?", **more)
    await read(result)
    return result


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("streams", [False, True])
async def test_an_exception_of_the_application_around_it(
    streams: bool, server: ModelServer, telemetry: Telemetry, client: Any, weather: Any
):
    """What the application handles while it runs the SDK is no failure of anything in it."""
    api = Responses()
    server.reply(api.calls(("call_1", "weather", ROME), streams=streams), api.says("It is.", streams=streams))
    try:
        raise LookupError
    except LookupError:
        await run(agent_of(api, client, tools=[weather]), streams)
    assert tree(telemetry) == WHOLE


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("streams", [False, True])
async def test_a_server_that_refuses(api: Api, streams: bool, server: ModelServer, telemetry: Telemetry, client: Any):
    """The model call, the agent and the workflow have failed."""
    server.reply(Json(error("no", "bad"), status=400))
    with pytest.raises(Exception, match="no"):
        await run(agent_of(api, client), streams)
    refused = "openai.BadRequestError"
    assert tree(telemetry) == [f"{WHOLE[0]}: {refused}", f"{WHOLE[1]}: {refused}", f"{WHOLE[2]}: bad"]


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("streams", [False, True])
async def test_too_many_turns(streams: bool, server: ModelServer, telemetry: Telemetry, client: Any, weather: Any):
    """The agent and the workflow have failed."""
    api = Responses()
    server.reply(api.calls(("call_1", "weather", ROME), streams=streams))
    with pytest.raises(MaxTurnsExceeded):
        await run(agent_of(api, client, tools=[weather]), streams, max_turns=1)
    exceeded = "agents.exceptions.MaxTurnsExceeded"
    assert tree(telemetry) == [f"{WHOLE[0]}: {exceeded}", f"{WHOLE[1]}: {exceeded}", *WHOLE[2:5]]


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("streams", [False, True])
async def test_a_guardrail(streams: bool, server: ModelServer, telemetry: Telemetry, client: Any):
    """It is a step below the agent, which fails if the guardrail trips; the guardrail itself has worked."""

    @input_guardrail(run_in_parallel=False)
    async def polite(_context: Any, _agent: Any, given: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(None, tripwire_triggered=given == "Is it sunny?" or len(given) == 1)

    with pytest.raises(InputGuardrailTripwireTriggered):
        await run(agent_of(Responses(), client, input_guardrails=[polite]), streams)
    assert tree(telemetry) == snapshot(
        [
            "invoke_workflow Agent workflow: agents.exceptions.InputGuardrailTripwireTriggered",
            "invoke_workflow Agent workflow > invoke_agent Guide: agents.exceptions.InputGuardrailTripwireTriggered",
            "invoke_workflow Agent workflow > invoke_agent Guide > step guardrail polite",
        ]
    )


@pytest.mark.usefixtures("instrumented")
async def test_a_guardrail_with_an_agent(server: ModelServer, telemetry: Telemetry, client: Any):
    """An agent that a guardrail asks is below the step, and belongs to the workflow."""
    api = Responses()

    @output_guardrail
    async def judged(_context: Any, _agent: Any, _output: Any) -> GuardrailFunctionOutput:
        judge = await Runner.run(agent_of(api, client, "Judge"), "Fine?")
        return GuardrailFunctionOutput(judge.final_output, tripwire_triggered=False)

    server.reply(api.says("It is."), api.says("Fine."))
    await Runner.run(agent_of(api, client, output_guardrails=[judged]), "Is it sunny?")
    assert tree(telemetry) == snapshot(
        [
            "invoke_workflow Agent workflow",
            "invoke_workflow Agent workflow > invoke_agent Guide",
            "invoke_workflow Agent workflow > invoke_agent Guide > chat gpt-4o-mini",
            "invoke_workflow Agent workflow > invoke_agent Guide > step guardrail judged",
            "invoke_workflow Agent workflow > invoke_agent Guide > step guardrail judged > invoke_agent Judge",
            "invoke_workflow Agent workflow > invoke_agent Guide > step guardrail judged > invoke_agent Judge > chat gpt-4o-mini",
        ]
    )


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("streams", [False, True])
async def test_a_handoff(streams: bool, server: ModelServer, telemetry: Telemetry, client: Any, weather: Any):
    """It is a step of the agent that hands off; the other one is its sibling, and has the answer."""
    api = Responses()
    guide = agent_of(api, client, tools=[weather], handoff_description="Guides.")
    desk = agent_of(api, client, "Desk", handoffs=[guide])
    server.reply(
        api.calls(("call_1", "transfer_to_guide", "{}"), streams=streams),
        api.calls(("call_2", "weather", ROME), streams=streams),
        api.says("It is.", streams=streams),
    )
    await run(desk, streams)
    assert tree(telemetry) == snapshot(
        [
            "invoke_workflow Agent workflow",
            "invoke_workflow Agent workflow > invoke_agent Desk",
            "invoke_workflow Agent workflow > invoke_agent Desk > chat gpt-4o-mini",
            "invoke_workflow Agent workflow > invoke_agent Desk > step handoff from Desk",
            "invoke_workflow Agent workflow > invoke_agent Guide",
            "invoke_workflow Agent workflow > invoke_agent Guide > chat gpt-4o-mini",
            "invoke_workflow Agent workflow > invoke_agent Guide > execute_tool weather",
            "invoke_workflow Agent workflow > invoke_agent Guide > execute_tool weather > look up",
            "invoke_workflow Agent workflow > invoke_agent Guide > chat gpt-4o-mini",
        ]
    )
    content = {
        span.name: [name for name in span.attributes if name.endswith((".messages", ".description"))]
        for span in telemetry.spans
        if span.name.startswith("invoke")
    }
    assert content == snapshot(
        {
            "invoke_agent Desk": ["gen_ai.input.messages"],
            "invoke_agent Guide": ["gen_ai.agent.description", "gen_ai.output.messages"],
            "invoke_workflow Agent workflow": ["gen_ai.input.messages", "gen_ai.output.messages"],
        }
    )


@pytest.mark.usefixtures("instrumented")
async def test_an_agent_as_a_tool(server: ModelServer, telemetry: Telemetry, client: Any):
    """Its run is below the tool, in the same workflow; its calls count for itself."""
    api = Responses()
    guide = agent_of(api, client).as_tool("ask_guide", "Asks.")
    server.reply(api.calls(("call_1", "ask_guide", '{"input":"Sunny?"}')), api.says("It is."), api.says("Yes."))
    await Runner.run(agent_of(api, client, "Desk", tools=[guide]), "Is it sunny?")
    assert tree(telemetry) == snapshot(
        [
            "invoke_workflow Agent workflow",
            "invoke_workflow Agent workflow > invoke_agent Desk",
            "invoke_workflow Agent workflow > invoke_agent Desk > chat gpt-4o-mini",
            "invoke_workflow Agent workflow > invoke_agent Desk > execute_tool ask_guide",
            "invoke_workflow Agent workflow > invoke_agent Desk > execute_tool ask_guide > invoke_agent Guide",
            "invoke_workflow Agent workflow > invoke_agent Desk > execute_tool ask_guide > invoke_agent Guide > chat gpt-4o-mini",
            "invoke_workflow Agent workflow > invoke_agent Desk > chat gpt-4o-mini",
        ]
    )
    calls = telemetry.metrics["gen_ai.invoke_agent.inference_calls"]
    assert {point.attributes["gen_ai.agent.name"]: point.sum for point in calls} == {"Desk": 2, "Guide": 1}


@pytest.mark.usefixtures("instrumented")
async def test_structured_output(server: ModelServer, telemetry: Telemetry, client: Any):
    """An answer that is no text is recorded as JSON."""

    class Weather(BaseModel):
        sunny: bool

    api = Responses()
    server.reply(api.says('{"sunny":true}'))
    result = await Runner.run(agent_of(api, client, output_type=Weather), [{"role": "user", "content": "Sunny?"}])
    assert result.final_output == Weather(sunny=True)
    (workflow,) = [span for span in telemetry.spans if span.parent is None]
    assert (workflow.attributes["gen_ai.input.messages"], workflow.attributes["gen_ai.output.messages"]) == snapshot(
        (
            '[{"role":"user","parts":[{"type":"text","content":"Sunny?"}]}]',
            '[{"role":"assistant","parts":[{"type":"json","content":{"sunny":true}}],"finish_reason":"stop"}]',
        )
    )


@pytest.mark.usefixtures("instrumented")
async def test_an_approval(server: ModelServer, telemetry: Telemetry, client: Any):
    """What waits for it has a span without a result; the run that is resumed is another workflow, without input."""
    api = Responses()

    @function_tool(needs_approval=True)
    async def books() -> str:
        """Books."""
        return "booked"

    server.reply(api.calls(("call_1", "books", "{}")), api.says("It is booked."))
    guide = agent_of(api, client, tools=[books])
    asked = await Runner.run(guide, "Book it.")
    state = asked.to_state()
    state.approve(asked.interruptions[0])
    assert (await Runner.run(guide, state)).final_output == "It is booked."
    assert tree(telemetry) == snapshot(
        [
            "invoke_workflow Agent workflow",
            "invoke_workflow Agent workflow > invoke_agent Guide",
            "invoke_workflow Agent workflow > invoke_agent Guide > chat gpt-4o-mini",
            "invoke_workflow Agent workflow > invoke_agent Guide > execute_tool books",
            "invoke_workflow Agent workflow",
            "invoke_workflow Agent workflow > invoke_agent Guide",
            "invoke_workflow Agent workflow > invoke_agent Guide > execute_tool books",
            "invoke_workflow Agent workflow > invoke_agent Guide > chat gpt-4o-mini",
        ]
    )
    results = [span.attributes.get("gen_ai.tool.call.result") for span in telemetry.spans if "tool" in span.name]
    assert results == [None, "booked"]
    inputs = ["gen_ai.input.messages" in span.attributes for span in telemetry.spans if span.parent is None]
    assert inputs == [True, False]


class Waits:
    """A tool that waits until it is cancelled."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()

        @function_tool(failure_error_function=None)
        async def waits() -> str:
            """Waits."""
            self.begun.set()
            await asyncio.sleep(60)
            return ""

        self.tool = waits


@pytest.mark.usefixtures("instrumented")
async def test_a_run_that_is_cancelled(server: ModelServer, telemetry: Telemetry, client: Any):
    """Everything that goes on ends once, and the task is cancelled as without us."""
    api, waiting = Responses(), Waits()
    server.reply(api.calls(("call_1", "waits", "{}")))
    task = asyncio.create_task(Runner.run(agent_of(api, client, tools=[waiting.tool]), "Is it sunny?"))
    await waiting.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert tree(telemetry) == snapshot(
        [
            "invoke_workflow Agent workflow: asyncio.exceptions.CancelledError",
            "invoke_workflow Agent workflow > invoke_agent Guide: asyncio.exceptions.CancelledError",
            "invoke_workflow Agent workflow > invoke_agent Guide > chat gpt-4o-mini",
            "invoke_workflow Agent workflow > invoke_agent Guide > execute_tool waits: asyncio.exceptions.CancelledError",
        ]
    )


@pytest.mark.usefixtures("instrumented")
async def test_a_streamed_run_that_the_application_cancels(server: ModelServer, telemetry: Telemetry, client: Any):
    """The agent and the workflow have not failed; the tool in it was cancelled."""
    api, waiting = Responses(), Waits()
    server.reply(api.calls(("call_1", "waits", "{}"), streams=True))
    result = Runner.run_streamed(agent_of(api, client, tools=[waiting.tool]), "Is it sunny?")
    reading = asyncio.create_task(read(result))
    await waiting.begun.wait()
    result.cancel()
    await reading
    assert result.run_loop_task.cancelled()
    assert tree(telemetry) == snapshot(
        [
            "invoke_workflow Agent workflow",
            "invoke_workflow Agent workflow > invoke_agent Guide",
            "invoke_workflow Agent workflow > invoke_agent Guide > chat gpt-4o-mini",
            "invoke_workflow Agent workflow > invoke_agent Guide > execute_tool waits: asyncio.exceptions.CancelledError",
        ]
    )


async def read(result: Any) -> None:
    """Read all events."""
    async for _ in result.stream_events():
        pass


@pytest.mark.usefixtures("instrumented")
async def test_a_streamed_run_that_is_left(server: ModelServer, telemetry: Telemetry, client: Any, weather: Any):
    """The SDK runs it to its end, and so it is recorded."""
    api = Responses()
    server.reply(api.calls(("call_1", "weather", ROME), streams=True), api.says("It is.", streams=True))
    result = Runner.run_streamed(agent_of(api, client, tools=[weather]), "Is it sunny?")
    events = result.stream_events()
    async for _ in events:
        break
    await events.aclose()
    assert tree(telemetry) == WHOLE


@pytest.mark.usefixtures("instrumented")
async def test_a_streamed_run_that_nobody_reads(server: ModelServer, telemetry: Telemetry, client: Any, weather: Any):
    """The same."""
    api = Responses()
    server.reply(api.calls(("call_1", "weather", ROME), streams=True), api.says("It is.", streams=True))
    result = Runner.run_streamed(agent_of(api, client, tools=[weather]), "Is it sunny?")
    await result.run_loop_task
    await asyncio.sleep(0)
    assert tree(telemetry) == WHOLE


@pytest.mark.usefixtures("instrumented")
def test_a_loop_that_ends_within_a_streamed_run(server: ModelServer, telemetry: Telemetry):
    """All that goes on ends with the loop, which cancels it."""
    api, waiting = Responses(), Waits()
    server.reply(api.calls(("call_1", "waits", "{}"), streams=True))

    async def main() -> None:
        async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key="sk-test-not-a-key", max_retries=0) as client:
            Runner.run_streamed(agent_of(api, client, tools=[waiting.tool]), "Is it sunny?")
            await waiting.begun.wait()

    asyncio.run(main())
    assert tree(telemetry) == snapshot(
        [
            "invoke_workflow Agent workflow",
            "invoke_workflow Agent workflow > invoke_agent Guide",
            "invoke_workflow Agent workflow > invoke_agent Guide > chat gpt-4o-mini",
            "invoke_workflow Agent workflow > invoke_agent Guide > execute_tool waits: asyncio.exceptions.CancelledError",
        ]
    )


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("case", [(how, streams) for how in ("globally", "for the run") for streams in (False, True)])
async def test_disabled_tracing(
    case: tuple[str, bool], server: ModelServer, telemetry: Telemetry, client: Any, weather: Any
):
    """It is the SDK's own that the application disables: the same spans are recorded here."""
    how, streams = case
    agents.set_tracing_disabled(how == "globally")
    config = RunConfig(tracing_disabled=how == "for the run", trace_include_sensitive_data=False)
    api = Responses()
    server.reply(api.calls(("call_1", "weather", ROME), streams=streams), api.says("It is.", streams=streams))
    await run(agent_of(api, client, tools=[weather]), streams, run_config=config)
    assert tree(telemetry) == WHOLE
    assert counted(telemetry) == ONCE


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("disabled", [False, True])
async def test_a_trace_of_the_application(disabled: bool, server: ModelServer, telemetry: Telemetry, client: Any):
    """It is one workflow, with the agents of all runs in it."""
    agents.set_tracing_disabled(disabled)
    api = Responses()
    server.reply(api.says("It is."), api.says("It was."))
    with agents.trace("travel"):
        await Runner.run(agent_of(api, client), "Is it sunny?")
        await run(agent_of(api, client, "Chronicler"), False)
    assert tree(telemetry) == snapshot(
        [
            "invoke_workflow travel",
            "invoke_workflow travel > invoke_agent Guide",
            "invoke_workflow travel > invoke_agent Guide > chat gpt-4o-mini",
            "invoke_workflow travel > invoke_agent Chronicler",
            "invoke_workflow travel > invoke_agent Chronicler > chat gpt-4o-mini",
        ]
    )


@pytest.mark.usefixtures("instrumented")
async def test_a_trace_that_raises(telemetry: Telemetry):
    """The workflow has failed."""
    with pytest.raises(KeyError), agents.trace("travel"):
        raise KeyError
    assert tree(telemetry) == ["invoke_workflow travel: KeyError"]


@pytest.mark.usefixtures("instrumented")
async def test_an_agent_span_of_the_application(server: ModelServer, telemetry: Telemetry, client: Any):
    """It is an agent, in a run and outside; one that is never current is none."""
    api = Responses()

    @function_tool
    def asks() -> str:
        """Asks."""
        with agent_span("Inner"):
            return ""

    server.reply(api.calls(("call_1", "asks", "{}")), api.says("It is."))
    with agents.trace("travel"):
        with agent_span("Outer"):
            await Runner.run(agent_of(api, client, tools=[asks]), "Is it sunny?")
        apart = agent_span("Apart")
        apart.start()
        apart.finish()
    assert tree(telemetry) == snapshot(
        [
            "invoke_workflow travel",
            "invoke_workflow travel > invoke_agent Outer",
            "invoke_workflow travel > invoke_agent Outer > invoke_agent Guide",
            "invoke_workflow travel > invoke_agent Outer > invoke_agent Guide > chat gpt-4o-mini",
            "invoke_workflow travel > invoke_agent Outer > invoke_agent Guide > execute_tool asks",
            "invoke_workflow travel > invoke_agent Outer > invoke_agent Guide > execute_tool asks > invoke_agent Inner",
            "invoke_workflow travel > invoke_agent Outer > invoke_agent Guide > chat gpt-4o-mini",
        ]
    )


@pytest.mark.usefixtures("instrumented")
async def test_a_workflow_of_the_application(server: ModelServer, telemetry: Telemetry, client: Any):
    """What the application names itself is around the run, with its conversation."""
    api = Responses()
    server.reply(api.says("It is."))
    with genai_context(conversation_id="c-1"), invoke_workflow("advice"):
        await Runner.run(agent_of(api, client), "Is it sunny?")
    assert tree(telemetry) == ["invoke_workflow advice", *(f"invoke_workflow advice > {path}" for path in WHOLE[:3])]
    assert {span.attributes["gen_ai.conversation.id"] for span in telemetry.spans} == {"c-1"}


@pytest.mark.usefixtures("instrumented")
async def test_a_task_that_outlives_its_run(server: ModelServer, telemetry: Telemetry, client: Any):
    """Its own run is a workflow of its own, below the span that it was started in."""
    api, goes_on = Responses(), asyncio.Event()
    later: list[asyncio.Task[Any]] = []

    async def afterwards() -> None:
        await goes_on.wait()
        await Runner.run(agent_of(api, client, "Later"), "And now?")

    @function_tool
    async def starts() -> str:
        """Starts a task."""
        later.append(asyncio.create_task(afterwards()))
        return ""

    server.reply(api.calls(("call_1", "starts", "{}")), api.says("It is."), api.says("It was."))
    await Runner.run(agent_of(api, client, tools=[starts]), "Is it sunny?")
    goes_on.set()
    await later[0]
    assert tree(telemetry) == snapshot(
        [
            "invoke_workflow Agent workflow",
            "invoke_workflow Agent workflow > invoke_agent Guide",
            "invoke_workflow Agent workflow > invoke_agent Guide > chat gpt-4o-mini",
            "invoke_workflow Agent workflow > invoke_agent Guide > execute_tool starts",
            "invoke_workflow Agent workflow > invoke_agent Guide > chat gpt-4o-mini",
            "invoke_workflow Agent workflow > invoke_agent Guide > execute_tool starts > invoke_workflow Agent workflow",
            "invoke_workflow Agent workflow > invoke_agent Guide > execute_tool starts > invoke_workflow Agent workflow > invoke_agent Later",
            "invoke_workflow Agent workflow > invoke_agent Guide > execute_tool starts > invoke_workflow Agent workflow > invoke_agent Later > chat gpt-4o-mini",
        ]
    )


class Seen(TracingProcessor):
    """What a processor of the application sees."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def on_trace_start(self, trace: Any) -> None:
        """A trace starts."""
        self.seen.append(("start", trace.name))

    def on_trace_end(self, trace: Any) -> None:
        """A trace ends."""
        self.seen.append(("end", trace.name))

    def on_span_start(self, span: Any) -> None:
        """A span starts."""
        self.seen.append(("start", span.span_data.type))

    def on_span_end(self, span: Any) -> None:
        """A span ends."""
        self.seen.append(("end", json.dumps(span.span_data.export(), sort_keys=True, default=str)))

    def shutdown(self) -> None:
        """Nothing is open."""

    def force_flush(self) -> None:
        """Nothing waits."""


async def test_the_processors_of_the_sdk(server: ModelServer, telemetry: Telemetry, client: Any, weather: Any):
    """They get the same with and without us, and are the same afterwards."""
    api, seen = Responses(), []
    for instruments in (False, True):
        processor = Seen()
        agents.set_trace_processors([processor])
        if instruments:
            OpenAIAgentsInstrumentor().instrument(**telemetry.providers)
        server.reply(api.calls(("call_1", "weather", ROME)), api.says("It is."))
        await Runner.run(agent_of(api, client, tools=[weather]), "Is it sunny?")
        assert get_trace_provider()._multi_processor._processors == (processor,)
        seen.append(processor.seen)
    assert seen[0] == seen[1]
    assert len(seen[0]) > 8


async def test_uninstrument_restores(telemetry: Telemetry):
    """The methods are the SDK's own again."""
    from agents.run import AgentRunner
    from agents.run_internal.tool_execution import _FunctionToolBatchExecutor
    from agents.tracing.provider import DefaultTraceProvider
    from agents.tracing.spans import NoOpSpan, SpanImpl
    from agents.tracing.traces import NoOpTrace, TraceImpl

    kinds = (AgentRunner, _FunctionToolBatchExecutor, DefaultTraceProvider, NoOpSpan, SpanImpl, NoOpTrace, TraceImpl)

    def methods() -> list[dict[str, int]]:
        return [{name: id(method) for name, method in vars(kind).items()} for kind in kinds]

    before = methods()
    OpenAIAgentsInstrumentor().instrument(**telemetry.providers)
    assert before != methods()
    OpenAIAgentsInstrumentor().uninstrument()
    assert before == methods()


@pytest.mark.usefixtures("instrumented")
async def test_uninstrument_within_a_run(server: ModelServer, telemetry: Telemetry, client: Any):
    """What goes on ends, and nothing begins."""
    api = Responses()

    @function_tool
    async def stops() -> str:
        """Stops."""
        OpenAIAgentsInstrumentor().uninstrument()
        return ""

    server.reply(api.calls(("call_1", "stops", "{}")), api.says("It is."))
    await Runner.run(agent_of(api, client, tools=[stops]), "Is it sunny?")
    assert [path.replace("stops", "weather") for path in tree(telemetry)] == [*WHOLE[:4], WHOLE[5]]


def test_a_package_of_the_application(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """Another package with the name `agents` is left alone, without a word."""
    other, module = ModuleType("agents"), ModuleType("agents.run")
    other.__version__ = "0.1"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "agents", other)
    monkeypatch.setitem(sys.modules, "agents.run", module)
    OpenAIAgentsInstrumentor().instrument(**telemetry.providers)
    OpenAIAgentsInstrumentor()._imported(module)
    OpenAIAgentsInstrumentor()._look(other)
    assert OpenAIAgentsInstrumentor()._seam is None
    assert not caplog.messages

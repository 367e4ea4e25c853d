"""The Claude Agent SDK: a query, and a turn of a client, is an agent with its tools, its usage and its cost."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from claude_agent_sdk import (
    ClaudeAgentOptions,
    ClaudeSDKClient,
    CLIConnectionError,
    ProcessError,
    ResultMessage,
    create_sdk_mcp_server,
    query,
    tool,
)
from inline_snapshot import snapshot
from opentelemetry import trace

from claude_program import (
    SESSION,
    Program,
    answer,
    assistant,
    failed,
    result,
    text,
    tool_calls,
    totals,
    use,
)
from loopback import Telemetry
from opentelemetry_instrumentation_genai import ClaudeAgentInstrumentor, genai_context, invoke_workflow
from opentelemetry_instrumentation_genai._runtime.lifetime import finish_pending

LATEST = "gen_ai_latest_experimental"
OPTIONS = ClaudeAgentOptions(model="claude-sonnet-5", system_prompt="Be kind.")
WITH_TOOL = [
    assistant(text("Let me see.")),
    assistant(use("toolu_1", "Bash", command="date")),
    answer("toolu_1", "Monday"),
    assistant(text("It is."), identity="msg_2"),
    result(),
]
pytestmark = pytest.mark.usefixtures("guarded_against_waiting", "nothing_stays")


@pytest.fixture
def guarded_against_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK asks no program for its version."""
    monkeypatch.setenv("CLAUDE_AGENT_SDK_SKIP_VERSION_CHECK", "1")


@pytest.fixture
def instrumented(telemetry: Telemetry) -> None:
    """With content on spans, and the cost that the program reports."""
    ClaudeAgentInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only", prices="billed")


async def asked(
    program: Program | None, options: ClaudeAgentOptions = OPTIONS, prompt: Any = "Is it sunny?"
) -> list[Any]:
    """What the application gets of a query, the exception in the end included."""
    got: list[Any] = []
    try:
        async with asyncio.timeout(30):
            async for message in query(prompt=prompt, options=options, transport=program):
                got.append(message)  # noqa: PERF401 - what was read before an exception is kept
    except Exception as error:
        got.append(error)
    return got


async def answered(client: ClaudeSDKClient, prompt: str = "Is it sunny?") -> list[Any]:
    """What the application gets of a turn."""
    await client.query(prompt)
    async with asyncio.timeout(20):
        return [message async for message in client.receive_response()]


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


def agents(telemetry: Telemetry) -> list[dict[str, Any]]:
    """The attributes of the spans of agents, in their order."""
    return [dict(span.attributes) for span in telemetry.spans if span.name.startswith("invoke_agent")]


def summed(telemetry: Telemetry, name: str) -> float:
    """The sum of all points of a metric."""
    return sum((point.value if point.sum is None else point.sum) or 0 for point in telemetry.metrics[name])


@pytest.mark.usefixtures("instrumented")
async def test_the_telemetry_of_a_query(telemetry: Telemetry):
    """Spans and metrics, whole, with content."""
    got = await asked(Program(WITH_TOOL))
    assert [type(one).__name__ for one in got] == [
        *["AssistantMessage"] * 2,
        "UserMessage",
        "AssistantMessage",
        "ResultMessage",
    ]
    recorded = telemetry.snapshot()
    assert recorded["spans"] == snapshot(
        [
            {
                "name": "execute_tool Bash",
                "kind": "INTERNAL",
                "status": {"code": "UNSET", "description": None},
                "attributes": {
                    "gen_ai.operation.name": "execute_tool",
                    "gen_ai.tool.call.arguments": '{"command":"date"}',
                    "gen_ai.tool.call.id": "toolu_1",
                    "gen_ai.tool.call.result": "Monday",
                    "gen_ai.tool.name": "Bash",
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
                    "anthropic.response.service_tier": "standard",
                    "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 0,
                    "anthropic.usage.cache_creation.ephemeral_5m_input_tokens": 30,
                    "gen_ai.conversation.id": "11111111-2222-3333-4444-555555555555",
                    "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Is it sunny?"}]}]',
                    "gen_ai.operation.name": "invoke_agent",
                    "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"It is."}],"finish_reason":"stop"}]',
                    "gen_ai.provider.name": "anthropic",
                    "gen_ai.request.model": "claude-sonnet-5",
                    "gen_ai.response.finish_reasons": ["stop"],
                    "gen_ai.response.model": "claude-sonnet-5",
                    "gen_ai.system_instructions": '[{"type":"text","content":"Be kind."}]',
                    "gen_ai.usage.cache_creation.input_tokens": 30,
                    "gen_ai.usage.cache_read.input_tokens": 20,
                    "gen_ai.usage.cache_write.input_tokens": 30,
                    "gen_ai.usage.cost": 0.25,
                    "gen_ai.usage.input_tokens": 60,
                    "gen_ai.usage.output_tokens": 5,
                },
                "events": [],
                "parent": None,
                "scope": "opentelemetry_instrumentation_genai",
            },
        ]
    )
    assert recorded["metrics"] == snapshot(
        {
            "gen_ai.client.operation.cost": {
                "unit": "{USD}",
                "description": "What GenAI operations cost.",
                "bounds": [
                    1e-06,
                    3e-06,
                    1e-05,
                    3.0000000000000004e-05,
                    0.0001,
                    0.00030000000000000003,
                    0.001,
                    0.003,
                    0.01,
                    0.03,
                    0.1,
                    0.30000000000000004,
                    1.0,
                    3.0,
                    10.0,
                ],
                "points": [
                    {
                        "attributes": {
                            "gen_ai.operation.name": "invoke_agent",
                            "gen_ai.provider.name": "anthropic",
                            "gen_ai.request.model": "claude-sonnet-5",
                            "gen_ai.response.model": "claude-sonnet-5",
                        },
                        "exemplars": ["invoke_agent"],
                        "count": 1,
                        "sum": 0.25,
                    }
                ],
            },
            "gen_ai.client.token.usage": {
                "unit": "{token}",
                "description": "Number of input and output tokens used.",
                "bounds": [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864],
                "points": [
                    {
                        "attributes": {
                            "gen_ai.operation.name": "invoke_agent",
                            "gen_ai.provider.name": "anthropic",
                            "gen_ai.request.model": "claude-sonnet-5",
                            "gen_ai.response.model": "claude-sonnet-5",
                            "gen_ai.token.type": "input",
                        },
                        "exemplars": ["invoke_agent"],
                        "count": 1,
                        "sum": 60,
                    },
                    {
                        "attributes": {
                            "gen_ai.operation.name": "invoke_agent",
                            "gen_ai.provider.name": "anthropic",
                            "gen_ai.request.model": "claude-sonnet-5",
                            "gen_ai.response.model": "claude-sonnet-5",
                            "gen_ai.token.type": "output",
                        },
                        "exemplars": ["invoke_agent"],
                        "count": 1,
                        "sum": 5,
                    },
                ],
            },
            "gen_ai.execute_tool.duration": {
                "unit": "s",
                "description": "GenAI operation duration.",
                "bounds": [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
                "points": [
                    {
                        "attributes": {
                            "gen_ai.operation.name": "execute_tool",
                            "gen_ai.tool.name": "Bash",
                            "gen_ai.tool.type": "function",
                        },
                        "exemplars": ["execute_tool Bash"],
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
                            "gen_ai.operation.name": "invoke_agent",
                            "gen_ai.provider.name": "anthropic",
                            "gen_ai.request.model": "claude-sonnet-5",
                            "gen_ai.response.model": "claude-sonnet-5",
                        },
                        "exemplars": ["invoke_agent"],
                        "count": 1,
                        "sum": "<seconds>",
                    }
                ],
            },
            "gen_ai.invoke_agent.inference_calls": {
                "unit": "{inference_call}",
                "description": "Model calls that an agent makes in one run.",
                "bounds": [1, 2, 4, 8, 16, 32, 64, 128],
                "points": [{"attributes": {}, "exemplars": ["invoke_agent"], "count": 1, "sum": 2}],
            },
            "gen_ai.invoke_agent.tool_calls": {
                "unit": "{tool_call}",
                "description": "Tools that an agent executes in one run.",
                "bounds": [1, 2, 4, 8, 16, 32, 64, 128],
                "points": [{"attributes": {}, "exemplars": ["invoke_agent"], "count": 1, "sum": 1}],
            },
        }
    )


async def test_the_metrics_of_the_latest_generation(telemetry: Telemetry):
    """Tokens are in its counters, which are of no single inference."""
    ClaudeAgentInstrumentor().instrument(**telemetry.providers, semconv_stability_opt_in=LATEST)
    await asked(Program(WITH_TOOL))
    assert {name: summed(telemetry, name) for name in telemetry.metrics if "duration" not in name} == snapshot(
        {
            "gen_ai.client.inference.usage.input_tokens": 60,
            "gen_ai.client.inference.usage.output_tokens": 5,
            "gen_ai.client.inference.usage.cache_read.input_tokens": 20,
            "gen_ai.client.inference.usage.cache_write.input_tokens": 30,
            "gen_ai.invoke_agent.inference_calls": 2,
            "gen_ai.invoke_agent.tool_calls": 1,
        }
    )


async def test_the_metrics_of_both_generations(telemetry: Telemetry):
    """The names of both."""
    ClaudeAgentInstrumentor().instrument(**telemetry.providers, semconv_stability_opt_in=f"{LATEST}/dup")
    await asked(Program(WITH_TOOL))
    assert sorted(telemetry.metrics) == snapshot(
        [
            "gen_ai.client.inference.usage.cache_read.input_tokens",
            "gen_ai.client.inference.usage.cache_write.input_tokens",
            "gen_ai.client.inference.usage.input_tokens",
            "gen_ai.client.inference.usage.output_tokens",
            "gen_ai.client.token.usage",
            "gen_ai.execute_tool.duration",
            "gen_ai.invoke_agent.duration",
            "gen_ai.invoke_agent.inference_calls",
            "gen_ai.invoke_agent.tool_calls",
        ]
    )


async def test_content_is_off_by_default(telemetry: Telemetry):
    """Neither prompt, instructions, arguments, results nor the answer are recorded."""
    ClaudeAgentInstrumentor().instrument(**telemetry.providers)
    await asked(Program(WITH_TOOL))
    recorded = json.dumps(telemetry.snapshot())
    assert tree(telemetry) == ["invoke_agent", "invoke_agent > execute_tool Bash"]
    assert not [word for word in ("sunny", "kind.", "date", "Monday", "It is.") if word in recorded]


async def test_costs_are_off_by_default(telemetry: Telemetry):
    """There is no attribute and no metric."""
    ClaudeAgentInstrumentor().instrument(**telemetry.providers)
    await asked(Program(WITH_TOOL))
    assert not [name for name in (*agents(telemetry)[0], *telemetry.metrics) if "cost" in name]


@pytest.mark.usefixtures("instrumented")
async def test_a_subagent(telemetry: Telemetry):
    """What it does is below the tool that runs it, also after that has its result; its usage is the agent's."""
    script = [
        assistant(use("toolu_1", "Agent", subagent_type="scout", prompt="Look.")),
        assistant(use("toolu_2", "Read", file_path="a"), identity="msg_2", parent="toolu_1"),
        answer("toolu_2", "a", parent="toolu_1"),
        answer("toolu_1", "It runs."),
        assistant(use("toolu_3", "Grep", pattern="b"), identity="msg_3", parent="toolu_1"),
        answer("toolu_3", [{"type": "text", "text": "b"}], parent="toolu_1"),
        assistant(text("It is."), identity="msg_4"),
        result(modelUsage={**totals(10, 5, 20, 30), **totals(100, 50, model="claude-haiku-4-5")}),
    ]
    await asked(Program(script))
    scout = "invoke_agent > execute_tool Agent"
    assert tree(telemetry) == ["invoke_agent", scout, f"{scout} > execute_tool Read", f"{scout} > execute_tool Grep"]
    assert [span.attributes.get("gen_ai.agent.name") for span in telemetry.spans] == ["scout", None, "scout", None]
    (agent,) = agents(telemetry)
    assert agent["gen_ai.usage.input_tokens"] == 160
    assert agent["gen_ai.usage.output_tokens"] == 55
    assert summed(telemetry, "gen_ai.client.token.usage") == 215
    assert summed(telemetry, "gen_ai.invoke_agent.tool_calls") == 1
    assert summed(telemetry, "gen_ai.invoke_agent.inference_calls") == 2


@pytest.mark.usefixtures("instrumented")
async def test_turns_of_a_client(telemetry: Telemetry):
    """Each has its own part of the totals that the program reports; what is between is outside."""
    second = result(
        "It was.", cost=0.75, modelUsage=totals(11, 6, 20, 30), usage={"input_tokens": 1, "output_tokens": 1}
    )
    third = result(cost=0.1, modelUsage=totals(3, 2), usage=None)
    reset = {"type": "conversation_reset", "new_conversation_id": "n", "uuid": "u", "session_id": SESSION}
    program = Program(WITH_TOOL, [assistant(text("It was."), identity="msg_3"), second], [reset, third])
    async with ClaudeSDKClient(OPTIONS, transport=program) as client:
        for prompt in ("Is it sunny?", "And yesterday?", "/clear"):
            with trace.get_tracer("application", tracer_provider=telemetry.tracer_provider).start_as_current_span(
                prompt
            ):
                got = await answered(client, prompt)
            assert isinstance(got[-1], ResultMessage)
    assert [path for path in tree(telemetry) if "invoke_agent" in path] == [
        "Is it sunny? > invoke_agent",
        "Is it sunny? > invoke_agent > execute_tool Bash",
        "And yesterday? > invoke_agent",
        "/clear > invoke_agent",
    ]
    spent = [
        tuple(agent[f"gen_ai.usage.{name}"] for name in ("input_tokens", "output_tokens", "cost"))
        for agent in agents(telemetry)
    ]
    assert spent == [(60, 5, 0.25), (1, 1, 0.5), (3, 2, 0.1)]
    assert summed(telemetry, "gen_ai.client.token.usage") == 72
    assert "And yesterday?" in agents(telemetry)[1]["gen_ai.input.messages"]


@pytest.mark.usefixtures("instrumented")
async def test_a_prompt_within_a_turn(telemetry: Telemetry):
    """It is part of the turn that goes on; what the program does after that is a further one."""
    program = Program(WITH_TOOL, [assistant(text("Yes."), identity="msg_3"), result(cost=0.5)])
    async with ClaudeSDKClient(OPTIONS, transport=program) as client:
        await client.query("Is it sunny?")
        await client.query("Is it warm?")
        for _ in range(2):
            assert [message async for message in client.receive_response()]
    assert [path for path in tree(telemetry) if "tool" not in path] == ["invoke_agent", "invoke_agent"]
    assert ["gen_ai.input.messages" in agent for agent in agents(telemetry)] == [True, False]


@pytest.mark.usefixtures("instrumented")
async def test_a_client_that_connects_with_a_prompt(telemetry: Telemetry):
    """The turn begins with the connection."""
    client = ClaudeSDKClient(OPTIONS, transport=Program(WITH_TOOL))
    await client.connect("Is it sunny?")
    assert [message async for message in client.receive_response()]
    await client.disconnect()
    assert tree(telemetry) == ["invoke_agent", "invoke_agent > execute_tool Bash"]


@pytest.mark.usefixtures("instrumented")
async def test_a_client_that_cannot_connect(telemetry: Telemetry):
    """The exception is that of the turn, though the SDK disconnects by itself."""
    client = ClaudeSDKClient(OPTIONS, transport=Program(start=CLIConnectionError("no")))
    with pytest.raises(CLIConnectionError, match="no"):
        await client.connect("Is it sunny?")
    with pytest.raises(CLIConnectionError, match="Not connected"):
        await client.query("Is it sunny?")
    assert tree(telemetry) == ["invoke_agent: claude_agent_sdk._errors.CLIConnectionError"] * 2


@pytest.mark.usefixtures("instrumented")
async def test_prompts_that_are_streamed(telemetry: Telemetry):
    """Each result ends a turn; what is sent piece by piece is not recorded."""
    taken = []

    async def prompts() -> Any:
        for words in ("Is it sunny?", "Is it warm?"):
            taken.append(words)
            yield {"type": "user", "message": {"role": "user", "content": words}, "session_id": SESSION}

    program = Program(WITH_TOOL, [assistant(text("Yes."), identity="msg_3"), result(cost=0.5)])
    assert len([one for one in await asked(program, prompt=prompts()) if isinstance(one, ResultMessage)]) == 2
    assert taken == ["Is it sunny?", "Is it warm?"]
    assert [path for path in tree(telemetry) if "tool" not in path] == ["invoke_agent", "invoke_agent"]
    assert not [agent for agent in agents(telemetry) if "gen_ai.input.messages" in agent]


@pytest.mark.usefixtures("instrumented")
async def test_tools_of_the_application(telemetry: Telemetry):
    """They run within the agent of a query; the tool's own span is by the messages."""
    own = trace.get_tracer("application", tracer_provider=telemetry.tracer_provider)

    @tool("weather", "Looks up the weather.", {"city": str})
    async def weather(given: dict[str, Any]) -> dict[str, Any]:
        with own.start_as_current_span("look up"):
            return {"content": [{"type": "text", "text": f"sunny in {given['city']}"}]}

    options = ClaudeAgentOptions(mcp_servers={"own": create_sdk_mcp_server("own", tools=[weather])})
    script = [
        assistant(use("toolu_1", "mcp__own__weather", city="Rome")),
        *tool_calls("own", "weather", city="Rome"),
        answer("toolu_1", [{"type": "text", "text": "sunny in Rome"}]),
        result(),
    ]
    program = Program(script)
    assert len(await asked(program, options)) == 3
    assert "sunny in Rome" in json.dumps(program.sent)
    assert sorted(tree(telemetry)) == [
        "invoke_agent",
        "invoke_agent > execute_tool mcp__own__weather",
        "invoke_agent > look up",
    ]


FAILURES = [
    pytest.param(failed("error_max_turns", "Reached maximum number of turns"), "error_max_turns", id="turns"),
    pytest.param(failed("error_during_execution"), "error_during_execution", id="execution"),
    pytest.param(
        result("API Error: overloaded", is_error=True, terminal_reason="api_error", api_error_status=529),
        "api_error",
        id="api",
    ),
    pytest.param(result("API Error", is_error=True, terminal_reason=None, api_error_status=529), "529", id="status"),
]


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize(("last", "error"), FAILURES)
async def test_results_that_are_errors(last: Any, error: str, telemetry: Telemetry):
    """The agent has failed, and has its usage nevertheless; what the SDK raises after it is the application's."""
    got = await asked(Program([last, ProcessError("Command failed", exit_code=1)]))
    assert [type(one).__name__ for one in got] == ["ResultMessage", "ResultError"]
    assert tree(telemetry) == [f"invoke_agent: {error}"]
    assert agents(telemetry)[0]["gen_ai.usage.cost"] == 0.25


@pytest.mark.usefixtures("instrumented")
async def test_a_program_that_fails(telemetry: Telemetry):
    """The exception is that of the agent and of the tool that ran."""
    got = await asked(Program([*WITH_TOOL[:2], ProcessError("Command failed", exit_code=137)]))
    assert type(got[-1]) is ProcessError
    error = "claude_agent_sdk._errors.ProcessError"
    assert tree(telemetry) == [f"invoke_agent: {error}", f"invoke_agent > execute_tool Bash: {error}"]


@pytest.mark.usefixtures("instrumented")
async def test_credentials_that_a_program_quotes(telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch):
    """Those of its environment, set by the options or inherited, are masked in the spans of the agent and of its tool."""
    own, inherited, header, harmless = "pass-phrase one", "pass-phrase two", "pass-phrase three", "/run/aws/token-of-me"
    monkeypatch.setenv("ANTHROPIC_API_KEY", inherited)
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", f"x-team: search\nx-gateway-token: {header}")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", harmless)
    env: Any = {1: "no text", "ANTHROPIC_AUTH_TOKEN": own}
    message = f"refused: {own}, {inherited}, {header}; search has no {harmless}"
    error = ProcessError("Command failed", exit_code=1, stderr=message)
    got = await asked(Program([*WITH_TOOL[:2], error]), dataclasses.replace(OPTIONS, env=env))
    assert message in str(got[-1])

    masked = "refused: [secrets], [secrets], [secrets]; search has no /run/aws/token-of-me"
    assert [masked, masked] == [(span.status.description or "").partition("output: ")[2] for span in telemetry.spans]


@pytest.mark.usefixtures("instrumented")
async def test_a_program_that_ends(telemetry: Telemetry):
    """Without a result the agent has none, and no error."""
    assert len(await asked(Program(WITH_TOOL[:2]))) == 2
    assert tree(telemetry) == ["invoke_agent", "invoke_agent > execute_tool Bash"]


@pytest.mark.usefixtures("instrumented")
async def test_a_tool_that_fails(telemetry: Telemetry):
    """The agent goes on."""
    await asked(
        Program([assistant(use("toolu_1", "Bash", command="x")), answer("toolu_1", "no", is_error=True), result()])
    )
    assert tree(telemetry) == ["invoke_agent", "invoke_agent > execute_tool Bash: tool_error"]


@pytest.mark.usefixtures("instrumented")
async def test_a_query_that_is_left(telemetry: Telemetry):
    """The agent ends without an error, and the program is closed."""
    program = Program(WITH_TOOL)
    async for message in query(prompt="Is it sunny?", options=OPTIONS, transport=program):
        if len(getattr(message, "content", ())) and type(message.content[0]).__name__ == "ToolUseBlock":
            break
    for _ in range(20):
        await asyncio.sleep(0)
    gc.collect()
    assert program.closed == 1
    assert tree(telemetry) == ["invoke_agent", "invoke_agent > execute_tool Bash"]


@pytest.mark.usefixtures("instrumented")
async def test_a_query_that_is_cancelled(telemetry: Telemetry):
    """Both end with the cancellation, which the application gets."""
    reading = asyncio.create_task(_read(hung := asyncio.Event()))
    await hung.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    error = "asyncio.exceptions.CancelledError"
    assert tree(telemetry) == [f"invoke_agent: {error}", f"invoke_agent > execute_tool Bash: {error}"]


async def _read(hung: asyncio.Event) -> None:
    """Read a query whose program waits in the end."""
    options = ClaudeAgentOptions(mcp_servers={"own": create_sdk_mcp_server("own")})
    async for message in query(prompt="Is it sunny?", options=options, transport=Program(WITH_TOOL[:2])):
        if type(message.content[0]).__name__ == "ToolUseBlock":
            hung.set()


@pytest.mark.usefixtures("instrumented")
async def test_reading_of_a_client_that_is_interrupted(telemetry: Telemetry):
    """The turn goes on while the application reads no further, until the result of its interruption, which is no error."""
    last = failed("error_during_execution", terminal_reason="aborted_tools")
    program = Program(WITH_TOOL[:2], interrupted=[last])
    async with ClaudeSDKClient(OPTIONS, transport=program) as client:
        await client.query("Is it sunny?")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                assert [message async for message in client.receive_response()]
        assert telemetry.spans == []
        await client.interrupt()
        (message,) = [message async for message in client.receive_response()]
        assert message.is_error
    assert tree(telemetry) == ["invoke_agent", "invoke_agent > execute_tool Bash"]


@pytest.mark.usefixtures("instrumented")
async def test_a_client_whose_reading_is_cancelled(telemetry: Telemetry):
    """If nothing is read after that, the turn ends with the cancellation when the client disconnects."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1), ClaudeSDKClient(OPTIONS, transport=Program(WITH_TOOL[:1])) as client:
            await answered(client)
    assert tree(telemetry) == ["invoke_agent: asyncio.exceptions.CancelledError"]


@pytest.mark.usefixtures("instrumented")
async def test_a_client_that_is_left(telemetry: Telemetry):
    """Its turn ends when it disconnects, without an error, whatever the application raises."""
    with pytest.raises(KeyError):
        async with ClaudeSDKClient(OPTIONS, transport=Program(WITH_TOOL)) as client:
            await client.query("Is it sunny?")
            async for message in client.receive_messages():
                raise KeyError(type(message))
    assert tree(telemetry) == ["invoke_agent"]


@pytest.mark.usefixtures("instrumented")
async def test_a_program_that_fails_in_a_turn(telemetry: Telemetry):
    """The client raises, and the turn has failed."""
    program = Program([*WITH_TOOL[:1], ProcessError("Command failed", exit_code=1)])
    async with ClaudeSDKClient(OPTIONS, transport=program) as client:
        with pytest.raises(ProcessError):
            await answered(client)
    assert tree(telemetry) == ["invoke_agent: claude_agent_sdk._errors.ProcessError"]


@pytest.mark.usefixtures("instrumented")
async def test_a_client_that_is_dropped(telemetry: Telemetry):
    """Nothing keeps it, and its turn ends."""
    client = ClaudeSDKClient(OPTIONS, transport=Program(WITH_TOOL[:1]))
    await client.connect()
    await client.query("Is it sunny?")
    await client._query.close()
    client._query.close_receive_stream()
    del client
    gc.collect()
    finish_pending()
    assert tree(telemetry) == ["invoke_agent"]


@pytest.mark.usefixtures("instrumented")
async def test_within_an_operation(telemetry: Telemetry):
    """An agent is below what is current, with its attribution."""
    with invoke_workflow("travel"), genai_context(conversation_id="c1", tags={"tenant": "t"}):
        await asked(Program([result()]))
    assert tree(telemetry) == ["invoke_workflow travel", "invoke_workflow travel > invoke_agent"]
    assert agents(telemetry)[0]["gen_ai.conversation.id"] == "c1"


@pytest.mark.usefixtures("instrumented")
async def test_another_provider(telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch):
    """It is the one that the program is set to; the options win."""
    monkeypatch.setenv("CLAUDE_CODE_USE_BEDROCK", "1")
    await asked(Program([result()]))
    await asked(
        Program([result()]), ClaudeAgentOptions(env={"CLAUDE_CODE_USE_BEDROCK": "0", "CLAUDE_CODE_USE_VERTEX": "1"})
    )
    assert [agent["gen_ai.provider.name"] for agent in agents(telemetry)] == ["aws.bedrock", "gcp.vertex_ai"]


async def test_what_is_not_followed(telemetry: Telemetry):
    """Before, after, and of a turn that began before: the application gets the same."""
    program = Program(WITH_TOOL, WITH_TOOL)
    before = await asked(Program(WITH_TOOL))
    async with ClaudeSDKClient(OPTIONS, transport=program) as client:
        await client.query("Is it sunny?")
        ClaudeAgentInstrumentor().instrument(**telemetry.providers)
        assert [message async for message in client.receive_response()] == before
        assert await asked(Program(WITH_TOOL)) == before
        ClaudeAgentInstrumentor().uninstrument()
        assert await answered(client) == before
    assert len(agents(telemetry)) == 2


PROGRAM = """#!{python}
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message["type"] == "control_request":
        answered = {{"subtype": "success", "request_id": message["request_id"], "response": {{}}}}
        print(json.dumps({{"type": "control_response", "response": answered}}), flush=True)
    else:
        for frame in json.loads({frames!r}):
            print(json.dumps(frame), flush=True)
        sys.exit({code})
"""


@pytest.mark.process
@pytest.mark.usefixtures("instrumented")
@pytest.mark.skipif(os.name == "nt", reason="the program is a script with its interpreter in the first line")
@pytest.mark.parametrize("code", [0, 3])
async def test_a_program_over_stdio(code: int, tmp_path: Path, telemetry: Telemetry):
    """A process that ends by itself, with a result or with a code."""
    path = tmp_path / "program"
    frames = json.dumps(WITH_TOOL if code == 0 else WITH_TOOL[:1])
    path.write_text(PROGRAM.format(python=sys.executable, frames=frames, code=code), encoding="utf-8")
    path.chmod(0o755)
    got = await asked(None, ClaudeAgentOptions(cli_path=path))
    if code:
        assert [type(one).__name__ for one in got] == ["AssistantMessage", "ProcessError"]
        assert tree(telemetry) == ["invoke_agent: claude_agent_sdk._errors.ProcessError"]
    else:
        assert len(got) == len(WITH_TOOL)
        assert tree(telemetry) == ["invoke_agent", "invoke_agent > execute_tool Bash"]

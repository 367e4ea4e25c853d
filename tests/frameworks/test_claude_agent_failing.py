"""Whatever step of ours fails in a run of the Claude Agent SDK, the application gets what it gets without us, and no span stays open."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from claude_agent_sdk import ClaudeAgentOptions, ClaudeSDKClient, CLIConnectionError, query
from opentelemetry.context import get_current
from opentelemetry.sdk.trace import SpanProcessor

from claude_program import SESSION, Program, answer, assistant, failed, result, text, use
from loopback import Telemetry
from opentelemetry_instrumentation_genai import ClaudeAgentInstrumentor
from opentelemetry_instrumentation_genai._runtime import guard
from opentelemetry_instrumentation_genai._runtime.lifetime import finish_pending
from strikes import Place, PlantedError, functions, places, struck

# The frames through which the SDK calls our code, and which only call what is guarded; what a step of a block runs in.
FRAMES = {
    "_connect",
    "_disconnect",
    "_query",
    "_receive",
    "_sent",
    "followed",
    "step_ended",
    "__exit__",
}
ROOMS = ("frameworks/claude_agent/", "_operations/framework_run.py")
# Called when the SDK is imported or patched.
START = {"_installed", "_make_seam", "targets"}
START_OF_CLASSES = {
    ("frameworks/claude_agent/_clients.py", "Clients.__init__"),
    ("frameworks/claude_agent/_queries.py", "Queries.__init__"),
}
OPTIONS = ClaudeAgentOptions(
    model="claude-sonnet-5", system_prompt="Be kind.", env={"ANTHROPIC_API_KEY": "sk-ant-planted"}
)
SCRIPT = [
    assistant(use("toolu_1", "Agent", subagent_type="scout")),
    assistant(use("toolu_2", "Read", file_path="a"), identity="msg_2", parent="toolu_1"),
    answer("toolu_2", "no", parent="toolu_1", is_error=True),
    answer("toolu_1", "It runs."),
    assistant(use("toolu_3", "Bash", command="date"), identity="msg_3"),
    assistant(text("It is."), identity="msg_4"),
]
RESET = {"type": "conversation_reset", "new_conversation_id": "n", "uuid": "u", "session_id": SESSION}


@pytest.fixture(autouse=True)
def lenient(monkeypatch: pytest.MonkeyPatch, strict_guard: None) -> None:
    """What a step of ours raises is logged and dropped, as in an application."""
    monkeypatch.setattr(guard, "strict", False)


class Open(SpanProcessor):
    """The spans that have started and not ended."""

    def __init__(self) -> None:
        """None yet."""
        self.spans: set[int] = set()

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        """A span has started."""
        self.spans.add(span.context.span_id)

    def on_end(self, span: Any) -> None:
        """A span has ended."""
        self.spans.remove(span.context.span_id)


def application() -> list[Any]:
    """What the application gets, in all ways that our code follows."""
    return asyncio.run(_main())


async def _main() -> list[Any]:
    async with asyncio.timeout(20):
        return [await _queried(), await _conversed(), await _refused(), await _interrupted()]


async def _queried() -> list[Any]:
    program = Program([*SCRIPT, failed("error_max_turns", "Reached the maximum.")])
    return [message async for message in query(prompt="Is it sunny?", options=OPTIONS, transport=program)]


async def _conversed() -> list[Any]:
    got: list[Any] = []
    async with ClaudeSDKClient(OPTIONS, transport=Program([*SCRIPT, result()], [RESET, SCRIPT[0]])) as client:
        await client.query("Is it sunny?")
        got += [message async for message in client.receive_response()]
        await client.query("And now?")
        async for message in client.receive_messages():
            got.append(message)
            if len(got) > len(SCRIPT) + 2:
                break
    return got


async def _refused() -> list[Any]:
    client = ClaudeSDKClient(OPTIONS, transport=Program(start=CLIConnectionError("no")))
    try:
        await client.connect("Is it sunny?")
    except CLIConnectionError as error:
        return [str(error)]
    return []


async def _interrupted() -> list[Any]:
    got: list[Any] = []
    reading = asyncio.create_task(_read(got, hung := asyncio.Event()))
    await hung.wait()
    reading.cancel()
    return [*got, *map(type, await asyncio.gather(reading, return_exceptions=True))]


async def _read(got: list[Any], hung: asyncio.Event) -> None:
    """Read a turn that has no result."""
    async with ClaudeSDKClient(OPTIONS, transport=Program(SCRIPT[:1])) as client:
        await client.query("Is it sunny?")
        async for message in client.receive_response():
            got.append(message)
            hung.set()


def test_each_function_that_fails(telemetry: Telemetry):
    """Each of ours, at its entry."""
    unfinished, expected = Open(), application()
    telemetry.tracer_provider.add_span_processor(unfinished)
    ClaudeAgentInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only", prices="billed")
    application()
    passed = [place for place in places(application) if place.entry and place.module.startswith(ROOMS)]
    faults = []
    for place in passed:
        if place.function in FRAMES:
            continue
        with struck(place, PlantedError(place.function)) as hit:
            got = application()
        gc.collect()
        finish_pending()
        faults += [(place, got, len(unfinished.spans))] if got != expected or unfinished.spans or not hit else []
        unfinished.spans.clear()
    assert not faults
    assert not left_out(passed)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_an_interrupt(telemetry: Telemetry):
    """KeyboardInterrupt before each line of ours: it reaches the application, each span ends, and the next runs are followed."""
    unfinished = Open()
    telemetry.tracer_provider.add_span_processor(unfinished)
    expected = application()
    ClaudeAgentInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only", prices="billed")
    telemetry.clear()
    application()
    spans = len(telemetry.spans)
    faults = []
    for place in places(application):
        if not place.module.startswith(ROOMS):
            continue
        got: Any = None
        with struck(place, KeyboardInterrupt()) as hit:
            try:
                got = application()
            except BaseException as error:
                got = type(error)
        gc.collect()
        finish_pending()
        if hit and ((got != expected and got is not KeyboardInterrupt) or unfinished.spans or get_current()):
            faults.append(f"{place}: {got!r}, {len(unfinished.spans)} spans stay open, {get_current()}")
            unfinished.spans.clear()
        telemetry.clear()
        if application() != expected or len(telemetry.spans) != spans:
            faults.append(f"{place}: the next runs had {len(telemetry.spans)} spans")
    assert faults == []


def left_out(passed: list[Place]) -> list[str]:
    """The functions of this instrumentor that no run has come to, but for those that start it."""
    reached = {(place.module, place.line) for place in passed}
    return [
        f"{module}: {name}"
        for (module, line), name in functions().items()
        if module.startswith("frameworks/claude_agent/")
        and (module, line) not in reached
        and name.rpartition(".")[2] not in START
        and (module, name) not in START_OF_CLASSES
    ]

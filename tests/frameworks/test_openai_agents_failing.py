"""Whatever step of ours fails in a run of the OpenAI Agents SDK, the application gets what it gets without us, and no span stays open."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import agents
import pytest
from agents import Agent, GuardrailFunctionOutput, Runner, function_tool, input_guardrail
from openai import AsyncOpenAI
from opentelemetry.context import get_current
from opentelemetry.sdk.trace import SpanProcessor

from loopback import Json, ModelServer, Telemetry
from loopback.openai_bodies import MODEL, response
from opentelemetry_instrumentation_genai import OpenAIAgentsInstrumentor
from opentelemetry_instrumentation_genai._runtime import guard
from opentelemetry_instrumentation_genai._runtime.lifetime import finish_pending
from opentelemetry_instrumentation_genai._stream.at_exit import finish_all
from strikes import Place, PlantedError, functions, places, struck

# The frames through which the SDK calls our code, and which only call what is guarded; the block that a run is.
FRAMES = {
    "_create_trace",
    "_exit",
    "_finish",
    "_set_error",
    "_start_span",
    "_start_trace",
    "__enter__",
    "__exit__",
    "wrapper",
}
ROOMS = ("frameworks/openai_agents/", "_operations/framework_run.py")
# Called when the SDK is imported or patched.
START = {
    "_endings",
    "async_recorded",
    "recorded",
    "_installed",
    "_look",
    "_make_seam",
    "_supports_installed",
    "targets",
}
# What strikes there breaks the end of a tool, or the loop before the run's task has its callback: what is open ends with the process.
LATE = {"_end", "_handled", "_set_error", "handled"}
START_OF_CLASSES = {
    ("frameworks/openai_agents/_runs.py", "Runs.__init__"),
    ("frameworks/openai_agents/_spans.py", "Spans.__init__"),
    ("frameworks/openai_agents/_tools.py", "Tools.__init__"),
}


@pytest.fixture(autouse=True)
def no_processors() -> Iterator[None]:
    """The SDK exports nothing."""
    agents.set_trace_processors([])
    yield
    agents.set_tracing_disabled(False)


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


def calls(identity: str, name: str, given: str = "{}") -> Json:
    """An answer that calls a function."""
    call = {"type": "function_call", "id": f"fc_{identity}", "call_id": identity, "name": name, "arguments": given}
    return Json(response(output=[{**call, "status": "completed"}]))


@function_tool
def breaks(city: str) -> str:
    """Raises."""
    raise KeyError(city)


@input_guardrail
async def passes(_context: Any, _agent: Any, _given: Any) -> GuardrailFunctionOutput:
    """Lets everything pass."""
    return GuardrailFunctionOutput(None, tripwire_triggered=False)


class Application:
    """Runs the SDK in all ways that our code follows.

    Args:
        server: the model server.
    """

    def __init__(self, server: ModelServer) -> None:
        self._server = server

    def __call__(self) -> list[Any]:
        """What the application gets."""
        self._server.reset()
        agents.set_tracing_disabled(False)
        return asyncio.run(self._main())

    async def _main(self) -> list[Any]:
        async with AsyncOpenAI(base_url=f"{self._server.url}/v1", api_key="sk-test-not-a-key", max_retries=0) as client:
            model = agents.OpenAIResponsesModel(MODEL, client)
            guide = Agent("Guide", model=model, tools=[breaks], handoff_description="Guides.")
            desk = Agent("Desk", model=model, handoffs=[guide], input_guardrails=[passes])
            return [await self._plain(desk), await self._streamed(guide), await self._traced(guide)]

    async def _plain(self, agent: Any) -> Any:
        self._server.reply(
            calls("call_1", "transfer_to_guide"), calls("call_2", "breaks", '{"city":"Rome"}'), Json(response("It is."))
        )
        return (await Runner.run(agent, "Is it sunny?")).final_output

    async def _streamed(self, agent: Any) -> Any:
        """A run that ends after its only turn, without an answer."""
        self._server.reply(Json({"error": {"message": "no", "type": "t", "code": "bad"}}, status=400))
        result = Runner.run_streamed(agent, "Is it sunny?")
        try:
            async for _ in result.stream_events():
                pass
        except Exception as error:
            return type(error)
        return result.final_output

    async def _traced(self, agent: Any) -> Any:
        agents.set_tracing_disabled(True)
        self._server.reply(Json(response("It is.")), Json(response("It was.")))
        with agents.trace("travel"):
            first = await Runner.run(agent, "Is it sunny?")
            with agents.tracing.function_span("shell"):
                second = await Runner.run(agent, "And now?")
        agents.set_tracing_disabled(False)
        return first.final_output, second.final_output


def test_each_function_that_fails(server: ModelServer, telemetry: Telemetry):
    """Each of ours, at its entry."""
    application, unfinished = Application(server), Open()
    expected = application()
    telemetry.tracer_provider.add_span_processor(unfinished)
    OpenAIAgentsInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
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
def test_an_interrupt(server: ModelServer, telemetry: Telemetry):
    """KeyboardInterrupt before each line of ours: it reaches the application, each span ends, and the next runs are followed."""
    unfinished = Open()
    telemetry.tracer_provider.add_span_processor(unfinished)
    application = Application(server)
    expected = application()
    OpenAIAgentsInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
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
        if place.function in LATE:
            finish_all()
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
        if module.startswith("frameworks/openai_agents/")
        and (module, line) not in reached
        and name.rpartition(".")[2] not in START
        and (module, name) not in START_OF_CLASSES
    ]

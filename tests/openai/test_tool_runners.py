"""The tool runners of the SDK: a run is an agent, the model calls and the tools are below it."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from inline_snapshot import snapshot
from opentelemetry import trace

from loopback import Json, ModelServer, Sse, Telemetry
from loopback.openai_bodies import MODEL, decision, error, response
from opentelemetry_instrumentation_genai import OpenAIInstrumentor
from opentelemetry_instrumentation_genai._runtime.lifetime import finish_pending
from opentelemetry_instrumentation_genai._stream.at_exit import finish_all

runners: Any = pytest.importorskip("openai.lib.responses_tool_runner")
decisions: Any = pytest.importorskip("openai.lib.decisions_tool_runner")
browsers: Any = pytest.importorskip("openai.lib.browser")
computers: Any = pytest.importorskip("openai.lib.computer")

PARAMS: dict[str, Any] = {"model": MODEL, "input": "Is it sunny?"}
DECISION: dict[str, Any] = {"model": MODEL, "input": "Open the door"}


def calling(*ids: str) -> dict[str, Any]:
    """A response that calls the function once for each id."""
    calls = [
        {
            "type": "function_call",
            "id": f"fc_{one}",
            "call_id": one,
            "name": "weather",
            "arguments": '{"city":"Rome"}',
            "status": "completed",
        }
        for one in ids
    ]
    return response(output=calls)


def streamed(whole: dict[str, Any]) -> Sse:
    """A response as events."""
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": {**whole, "status": "in_progress", "output": []}}
    ]
    for index, item in enumerate(whole["output"]):
        place = {"output_index": index}
        begun = {**item, "arguments": "", "status": "in_progress"}
        events += [
            {"type": "response.output_item.added", **place, "item": begun},
            {
                "type": "response.function_call_arguments.delta",
                **place,
                "item_id": item["id"],
                "delta": item["arguments"],
            },
            {"type": "response.output_item.done", **place, "item": item},
        ]
    events.append({"type": "response.completed", "response": whole})
    return Sse([{**event, "sequence_number": number} for number, event in enumerate(events)], event_names=True)


TOOL: dict[str, Any] = {
    "type": "function",
    "name": "weather",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}


@pytest.fixture
def weather(telemetry: Telemetry) -> Callable[[dict[str, object]], str]:
    """A function with a span of its own."""
    own = telemetry.tracer_provider.get_tracer("application")

    def execute(arguments: dict[str, object]) -> str:
        with own.start_as_current_span("look up"):
            return f"sunny in {arguments['city']}"

    return execute


def runner_of(execute: Callable[..., Any], **more: Any) -> Any:
    """A runner with one function."""
    return runners.ResponsesToolRunner(functions=[runners.RegisteredFunction(TOOL, execute, **more)])


def async_runner_of(execute: Callable[..., Any], **more: Any) -> Any:
    """An asynchronous runner with one function."""

    async def waiting(arguments: dict[str, object]) -> Any:
        await asyncio.sleep(0)
        return execute(arguments)

    return runners.AsyncResponsesToolRunner(functions=[runners.AsyncRegisteredFunction(TOOL, waiting, **more)])


def tree(telemetry: Telemetry) -> list[str]:
    """The spans by their start, each below its parents, with its error."""
    spans = {span.context.span_id: span for span in telemetry.spans}

    def path(span: Any) -> str:
        above = spans.get(span.parent.span_id) if span.parent else None
        return span.name if above is None else f"{path(above)} > {span.name}"

    return [
        path(span) + (f": {span.attributes['error.type']}" if "error.type" in (span.attributes or {}) else "")
        for span in sorted(spans.values(), key=lambda span: span.start_time)
    ]


WHOLE = [
    "invoke_agent",
    "invoke_agent > chat gpt-4o-mini",
    "invoke_agent > execute_tool weather",
    "invoke_agent > execute_tool weather > look up",
    "invoke_agent > chat gpt-4o-mini",
]


def test_a_run_is_an_agent(server: ModelServer, telemetry: Telemetry, openai_client: Any, weather: Any):
    """Model calls and tools are below it, with content, and counted for it."""
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    server.reply(Json(calling("call_1")), Json(response("It is.")))
    answer = runner_of(weather).run(openai_client(), PARAMS)
    assert answer.output_text == "It is."
    assert tree(telemetry) == WHOLE
    own = [span for span in telemetry.snapshot()["spans"] if span["kind"] == "INTERNAL" and span["name"] != "look up"]
    assert own == snapshot(
        [
            {
                "name": "execute_tool weather",
                "kind": "INTERNAL",
                "status": {"code": "UNSET", "description": None},
                "attributes": {
                    "gen_ai.operation.name": "execute_tool",
                    "gen_ai.tool.call.arguments": '{"city":"Rome"}',
                    "gen_ai.tool.call.id": "call_1",
                    "gen_ai.tool.call.result": "sunny in Rome",
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
                    "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Is it sunny?"}]}]',
                    "gen_ai.operation.name": "invoke_agent",
                    "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"It is."}],"finish_reason":"stop"}]',
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "gpt-4o-mini",
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


def test_content_is_off_by_default(server: ModelServer, telemetry: Telemetry, openai_client: Any, weather: Any):
    """Neither arguments nor results, questions or answers are recorded."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(calling("call_1")), Json(response("It is.")))
    runner_of(weather).run(openai_client(), PARAMS)
    recorded = json.dumps(telemetry.snapshot())
    assert tree(telemetry) == WHOLE
    assert not [word for word in ("Rome", "sunny", "It is.") if word in recorded]


async def test_an_asynchronous_run(server: ModelServer, telemetry: Telemetry, async_openai_client: Any, weather: Any):
    """The same tree."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(calling("call_1")), Json(response("It is.")))
    answer = await async_runner_of(weather).run(async_openai_client(), PARAMS)
    assert answer.output_text == "It is."
    assert tree(telemetry) == WHOLE


def test_the_consumer_of_turns_is_outside(server: ModelServer, telemetry: Telemetry, openai_client: Any, weather: Any):
    """Between two turns the span of the run is not current."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(calling("call_1")), Json(response("It is.")))
    current = [trace.get_current_span() for _ in runner_of(weather).iterate(openai_client(), PARAMS)]
    assert [span.is_recording() for span in current] == [False, False]
    assert tree(telemetry) == WHOLE


async def test_the_asynchronous_consumer_is_outside(
    server: ModelServer, telemetry: Telemetry, async_openai_client: Any, weather: Any
):
    """Between two turns the span of the run is not current."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(calling("call_1")), Json(response("It is.")))
    turns = async_runner_of(weather).iterate(async_openai_client(), PARAMS)
    current = [trace.get_current_span() async for _ in turns]
    assert [span.is_recording() for span in current] == [False, False]
    assert tree(telemetry) == WHOLE


def test_a_consumer_who_leaves(server: ModelServer, telemetry: Telemetry, openai_client: Any, weather: Any):
    """The run ends without an error; one that never began has no span."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(calling("call_1")))
    runner = runner_of(weather)
    runner.iterate(openai_client(), PARAMS).close()
    with pytest.raises(KeyError):
        runner.iterate(openai_client(), PARAMS).throw(KeyError("left"))
    turns = runner.iterate(openai_client(), PARAMS)
    next(turns)
    turns.close()
    assert tree(telemetry) == ["invoke_agent", "invoke_agent > chat gpt-4o-mini"]


async def test_an_asynchronous_consumer_who_leaves(
    server: ModelServer, telemetry: Telemetry, async_openai_client: Any, weather: Any
):
    """The run ends without an error; one that never began has no span."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(calling("call_1")))
    runner = async_runner_of(weather)
    await runner.iterate(async_openai_client(), PARAMS).aclose()
    with pytest.raises(KeyError):
        await runner.iterate(async_openai_client(), PARAMS).athrow(KeyError("left"))
    turns = runner.iterate(async_openai_client(), PARAMS)
    await anext(turns)
    await turns.aclose()
    assert tree(telemetry) == ["invoke_agent", "invoke_agent > chat gpt-4o-mini"]


def test_a_run_that_is_dropped(server: ModelServer, telemetry: Telemetry, openai_client: Any, weather: Any):
    """It ends when it is collected, without an error; what was dropped before it began has no span."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(calling("call_1")))
    runner_of(weather).iterate(openai_client(), PARAMS)
    turns = runner_of(weather).iterate(openai_client(), PARAMS)
    next(turns)
    del turns
    gc.collect()
    finish_pending()
    assert tree(telemetry) == ["invoke_agent", "invoke_agent > chat gpt-4o-mini"]


async def test_an_asynchronous_run_that_is_dropped(
    server: ModelServer, telemetry: Telemetry, async_openai_client: Any, weather: Any
):
    """The same; the loop closes what is dropped."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(calling("call_1")))
    turns = async_runner_of(weather).iterate(async_openai_client(), PARAMS)
    await anext(turns)
    del turns
    gc.collect()
    await asyncio.sleep(0)
    gc.collect()
    finish_pending()
    assert tree(telemetry) == ["invoke_agent", "invoke_agent > chat gpt-4o-mini"]


def test_a_second_thread_asks_a_run(server: ModelServer, telemetry: Telemetry, openai_client: Any):
    """It is refused, as without us; the run goes on, and ends once."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(calling("call_1")), Json(response("It is.")))
    entered, release = threading.Event(), threading.Event()

    def waits(_arguments: dict[str, object]) -> str:
        entered.set()
        release.wait(10)
        return "sunny"

    turns = runner_of(waits).iterate(openai_client(), PARAMS)
    thread = threading.Thread(target=lambda: [*turns])
    thread.start()
    entered.wait(10)
    for ask in (turns.__next__, turns.close):
        with pytest.raises(ValueError, match="already executing"):
            ask()
    release.set()
    thread.join(10)
    assert tree(telemetry) == [path for path in WHOLE if "look up" not in path]


def test_a_run_that_is_open_at_exit(server: ModelServer, telemetry: Telemetry, openai_client: Any, weather: Any):
    """It ends with the process, without an error."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(calling("call_1")))
    turns = runner_of(weather).iterate(openai_client(), PARAMS)
    next(turns)
    finish_all()
    assert tree(telemetry) == ["invoke_agent", "invoke_agent > chat gpt-4o-mini"]
    turns.close()
    assert len(telemetry.spans) == 2


def test_a_tool_that_raises(server: ModelServer, telemetry: Telemetry, openai_client: Any):
    """Its span has the exception, and that of the run the one that the application gets."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(calling("call_1")))

    def fails(_arguments: dict[str, object]) -> str:
        raise KeyError("no")

    with pytest.raises(runners.ToolRunnerError):
        runner_of(fails).run(openai_client(), PARAMS)
    assert tree(telemetry) == snapshot(
        [
            "invoke_agent: openai.lib.responses_tool_runner.ToolRunnerError",
            "invoke_agent > chat gpt-4o-mini",
            "invoke_agent > execute_tool weather: KeyError",
        ]
    )


def test_a_server_that_refuses(server: ModelServer, telemetry: Telemetry, openai_client: Any, weather: Any):
    """The run failed."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(error("no", "bad"), status=400))
    with pytest.raises(runners.ToolRunnerError):
        runner_of(weather).run(openai_client(), PARAMS)
    assert tree(telemetry) == snapshot(
        ["invoke_agent: openai.lib.responses_tool_runner.ToolRunnerError", "invoke_agent > chat gpt-4o-mini: bad"]
    )


async def test_a_run_that_is_cancelled(server: ModelServer, telemetry: Telemetry, async_openai_client: Any):
    """The tool and the run end once, and the task is cancelled as without us."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(calling("call_1")))
    begun = asyncio.Event()

    async def waits(_arguments: dict[str, object]) -> str:
        begun.set()
        await asyncio.sleep(60)
        return ""

    async def run() -> None:
        runner = runners.AsyncResponsesToolRunner(functions=[runners.AsyncRegisteredFunction(TOOL, waits)])
        with pytest.raises(
            runners.ToolRunnerCancelledError
        ):  # here, since Python 3.10 makes one of its own of it for `await task`
            await runner.run(async_openai_client(), PARAMS)

    task = asyncio.create_task(run())
    await begun.wait()
    task.cancel()
    await task
    assert [path.partition(":")[0] for path in tree(telemetry)] == WHOLE[:3]
    cancelled = "asyncio.exceptions.CancelledError"
    assert {
        span.name.partition(" ")[0]: (span.status.status_code.name, (span.attributes or {}).get("error.type"))
        for span in telemetry.spans
    } == {
        "chat": ("UNSET", None),
        "execute_tool": ("ERROR", cancelled),
        "invoke_agent": ("ERROR", "openai.lib.responses_tool_runner.ToolRunnerCancelledError"),
    }


PARALLEL = [
    "invoke_agent",
    "invoke_agent > chat gpt-4o-mini",
    *["invoke_agent > execute_tool weather"] * 2,
    *["invoke_agent > execute_tool weather > look up"] * 2,
]


def test_tools_in_threads(server: ModelServer, telemetry: Telemetry, openai_client: Any, weather: Any):
    """Those that run while the response is read are below the run."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(streamed(calling("call_1", "call_2")))
    runner = runner_of(weather, independent=True)
    turns = runner.iterate(openai_client(), PARAMS, stream=True, eager=True)
    next(turns)
    turns.close()
    assert sorted(tree(telemetry)) == PARALLEL


async def test_tools_in_tasks(server: ModelServer, telemetry: Telemetry, async_openai_client: Any, weather: Any):
    """Those that run while the response is read are below the run."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(streamed(calling("call_1", "call_2")))
    runner = async_runner_of(weather, independent=True)
    turns = runner.iterate(async_openai_client(), PARAMS, stream=True, eager=True)
    await anext(turns)
    await turns.aclose()
    assert sorted(tree(telemetry)) == PARALLEL


def chosen(choice: str) -> Json:
    """The decision for a candidate."""
    answer = {
        "type": "choice",
        "name": "next_action",
        "choice": choice,
        "confidence": 0.9,
        "probabilities": [{"value": choice, "probability": 0.9}],
    }
    return Json(decision(answers=[answer]))


DECIDED = [
    "invoke_agent",
    "invoke_agent > decision gpt-4o-mini",
    "invoke_agent > execute_tool open",
    "invoke_agent > execute_tool open > turn",
    "invoke_agent > decision gpt-4o-mini",
]


def test_decisions(server: ModelServer, telemetry: Telemetry, openai_client: Any):
    """Decisions and the actions that they choose are below the run."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(chosen("open"), chosen("done"))
    own = telemetry.tracer_provider.get_tracer("application")

    def turn() -> None:
        with own.start_as_current_span("turn"):
            pass

    runner = decisions.DecisionsToolRunner(
        observe=lambda: "a door",
        candidates=lambda _seen: [
            {"id": "open", "description": "Open it", "execute": turn},
            {"id": "done", "description": "Done", "done": True},
        ],
    )
    result = runner.run(openai_client(), DECISION)
    assert result["completed_candidate_ids"] == ["open"]
    assert tree(telemetry) == DECIDED


async def test_asynchronous_decisions(server: ModelServer, telemetry: Telemetry, async_openai_client: Any):
    """The same tree."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(chosen("open"), chosen("done"))
    own = telemetry.tracer_provider.get_tracer("application")

    async def observe() -> str:
        return "a door"

    async def turn() -> None:
        with own.start_as_current_span("turn"):
            await asyncio.sleep(0)

    async def candidates(_seen: Any) -> list[dict[str, Any]]:
        return [
            {"id": "open", "description": "Open it", "execute": turn},
            {"id": "done", "description": "Done", "done": True},
        ]

    runner = decisions.AsyncDecisionsToolRunner(observe=observe, candidates=candidates)
    result = await runner.run(async_openai_client(), DECISION)
    assert result["completed_candidate_ids"] == ["open"]
    assert tree(telemetry) == DECIDED


def test_uninstrument_restores(telemetry: Telemetry):
    """The methods are the SDK's own again."""
    kinds = (
        runners.ResponsesToolRunner,
        runners.AsyncResponsesToolRunner,
        decisions.DecisionsToolRunner,
        decisions._Run,
        browsers.BrowserToolset,
        computers.ComputerToolset,
    )

    def methods() -> list[dict[str, int]]:
        return [{name: id(method) for name, method in vars(kind).items()} for kind in kinds]

    before = methods()
    OpenAIInstrumentor().instrument(**telemetry.providers)
    assert before != methods()
    OpenAIInstrumentor().uninstrument()
    assert before == methods()


def test_a_module_that_is_half_imported(
    server: ModelServer, telemetry: Telemetry, openai_client: Any, weather: Any, monkeypatch: pytest.MonkeyPatch
):
    """It is patched when it is there, though another one that was imported meanwhile has found it without its classes."""
    with monkeypatch.context() as importing:
        importing.setitem(sys.modules, runners.__name__, ModuleType(runners.__name__))
        OpenAIInstrumentor().instrument(**telemetry.providers)
    OpenAIInstrumentor()._imported(runners)  # as the hook of its import
    server.reply(Json(calling("call_1")), Json(response()))

    runner_of(weather).run(openai_client(), PARAMS)

    assert WHOLE[0] == tree(telemetry)[0]


@pytest.mark.parametrize("capture", ["no_content", "span_only"])
def test_arguments_are_parsed_only_for_content(
    server: ModelServer, telemetry: Telemetry, openai_client: Any, weather: Any, capture: str
):
    """Without content they are on no span."""
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content=capture)
    server.reply(Json(calling("call_1")), Json(response()))

    runner_of(weather).run(openai_client(), PARAMS)

    (tool,) = [span for span in telemetry.spans if span.name == "execute_tool weather"]
    given = None if capture == "no_content" else '{"city":"Rome"}'
    assert given == (tool.attributes or {}).get("gen_ai.tool.call.arguments")


def browsing(*urls: str) -> dict[str, Any]:
    """A response that lets the browser go to each URL."""
    call = {"type": "function_call", "name": "browser_navigate", "status": "completed"}
    tabs = [{**call, "id": f"fc_{at}", "call_id": f"call_{at}"} for at, _ in enumerate(urls)]
    return response(
        output=[
            {**one, "arguments": json.dumps({"tab_id": "1", "url": url})} for one, url in zip(tabs, urls, strict=True)
        ]
    )


class Browser:
    """A browser with one tab, which does not open all pages."""

    def __init__(self, telemetry: Telemetry) -> None:
        """Its actions have spans of their own."""
        self._own = telemetry.tracer_provider.get_tracer("application")

    def state(self) -> Any:
        """The tab."""
        return {"tabs": [{"id": "1", "title": "a page", "url": "https://example.com/", "active": True}]}

    def navigate(self, action: Any) -> None:
        """Go there."""
        with self._own.start_as_current_span("go"):
            if "refused" in action["url"]:
                raise ValueError(action["url"])


class AsyncBrowser(Browser):
    """The same with `await`."""

    async def state(self) -> Any:
        """The tab."""
        return super().state()

    async def navigate(self, action: Any) -> None:
        """Go there."""
        await asyncio.sleep(0)
        super().navigate(action)


def browser_runner_of(telemetry: Telemetry) -> Any:
    """A runner with a browser that may do everything."""
    toolset = browsers.BrowserToolset(
        Browser(telemetry), confirm=lambda _asked: True, url_policy=lambda _asked, _url: True
    )
    return runners.ResponsesToolRunner(browser=toolset)


async def yes(*_asked: Any) -> bool:
    """Everything is allowed."""
    return True


BROWSED = [
    "invoke_agent",
    "invoke_agent > chat gpt-4o-mini",
    "invoke_agent > execute_tool browser_navigate: tool_error",
    "invoke_agent > execute_tool browser_navigate > go",
    "invoke_agent > chat gpt-4o-mini",
]


def test_a_browser(server: ModelServer, telemetry: Telemetry, openai_client: Any):
    """Each call is a tool; one that fails goes on as text for the model, and those after it are not run."""
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    server.reply(Json(browsing("https://refused.example/", "https://example.com/")), Json(response("It is.")))
    browser_runner_of(telemetry).run(openai_client(), PARAMS)
    assert tree(telemetry) == BROWSED
    (tool,) = [span for span in telemetry.spans if span.name == "execute_tool browser_navigate"]
    attributes = dict(tool.attributes or {})
    assert '"ok": false' in json.loads(str(attributes.pop("gen_ai.tool.call.result")))[0]["text"]
    assert attributes == {
        "error.type": "tool_error",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.call.arguments": '{"tab_id":"1","url":"https://refused.example/"}',
        "gen_ai.tool.call.id": "call_0",
        "gen_ai.tool.name": "browser_navigate",
        "gen_ai.tool.type": "function",
    }


async def test_an_asynchronous_browser(server: ModelServer, telemetry: Telemetry, async_openai_client: Any):
    """The same."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(browsing("https://refused.example/", "https://example.com/")), Json(response("It is.")))
    toolset = browsers.AsyncBrowserToolset(AsyncBrowser(telemetry), confirm=yes, url_policy=yes)
    await runners.AsyncResponsesToolRunner(browser=toolset).run(async_openai_client(), PARAMS)
    assert tree(telemetry) == BROWSED


PIXEL = "data:image/png;base64,iVBORw0KGgo="


def clicking() -> dict[str, Any]:
    """A response that lets the computer click."""
    call = {
        "type": "computer_call",
        "id": "cu_1",
        "call_id": "call_1",
        "pending_safety_checks": [],
        "status": "completed",
    }
    return response(output=[{**call, "actions": [{"type": "click", "button": "left", "x": 1, "y": 2}]}])


class Computer:
    """A computer that does nothing, with spans of its own."""

    def __init__(self, telemetry: Telemetry, error: type[Exception] | None = None) -> None:
        """`error` is what a click raises."""
        self._own = telemetry.tracer_provider.get_tracer("application")
        self._error = error

    def click(self, _action: Any) -> None:
        """Click."""
        with self._own.start_as_current_span("click"):
            if self._error is not None:
                raise self._error

    def screenshot(self) -> Any:
        """What is seen."""
        return {"type": "computer_screenshot", "image_url": PIXEL}

    double_click = drag = keypress = move = scroll = type = wait = click


class AsyncComputer(Computer):
    """The same with `await`."""

    async def click(self, action: Any) -> None:
        """Click."""
        await asyncio.sleep(0)
        super().click(action)

    async def screenshot(self) -> Any:
        """What is seen."""
        return super().screenshot()

    double_click = drag = keypress = move = scroll = type = wait = click


CLICKED = [
    "invoke_agent",
    "invoke_agent > chat gpt-4o-mini",
    "invoke_agent > execute_tool computer",
    "invoke_agent > execute_tool computer > click",
    "invoke_agent > chat gpt-4o-mini",
]
COMPUTER_RUNS = {
    "runner": lambda toolset: runners.ResponsesToolRunner(computer=toolset),
    "by itself": lambda toolset: toolset,
}
ASYNC_COMPUTER_RUNS = {
    "runner": lambda toolset: runners.AsyncResponsesToolRunner(computer=toolset),
    "by itself": lambda toolset: toolset,
}


@pytest.mark.parametrize("by", COMPUTER_RUNS)
def test_a_computer(server: ModelServer, telemetry: Telemetry, openai_client: Any, by: str):
    """Its actions are one tool, in a runner and in the run of the toolset itself; what it sees is recorded without the bytes."""
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    server.reply(Json(clicking()), Json(response("It is.")))
    answer = COMPUTER_RUNS[by](computers.ComputerToolset(Computer(telemetry))).run(openai_client(), PARAMS)
    assert answer.output_text == "It is."
    assert tree(telemetry) == CLICKED
    by_name = {span.name: dict(span.attributes or {}) for span in telemetry.spans}
    assert "It is." in str(by_name["invoke_agent"]["gen_ai.output.messages"])
    assert by_name["execute_tool computer"]["gen_ai.tool.call.arguments"] == snapshot(
        '{"actions":[{"button":"left","type":"click","x":1,"y":2}]}'
    )
    assert by_name["execute_tool computer"]["gen_ai.tool.call.result"] == snapshot(
        '{"type":"computer_screenshot","image_url":{"type":"blob","modality":"image","mime_type":"image/png","byte_size":8,"sha256":"4c4b6a3be1314ab86138bef4314dde022e600960d8689a2c8f8631802d20dab6","content":""}}'
    )


@pytest.mark.parametrize("by", ASYNC_COMPUTER_RUNS)
async def test_an_asynchronous_computer(server: ModelServer, telemetry: Telemetry, async_openai_client: Any, by: str):
    """The same tree."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(clicking()), Json(response("It is.")))
    made = ASYNC_COMPUTER_RUNS[by](computers.AsyncComputerToolset(AsyncComputer(telemetry)))
    await made.run(async_openai_client(), PARAMS)
    assert tree(telemetry) == CLICKED


def test_a_computer_that_fails(server: ModelServer, telemetry: Telemetry, openai_client: Any):
    """The application gets the exception, and tool and run have it."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(clicking()))
    with pytest.raises(ValueError):
        computers.ComputerToolset(Computer(telemetry, ValueError)).run(openai_client(), PARAMS)
    assert tree(telemetry) == ["invoke_agent: ValueError", *CLICKED[1:2], f"{CLICKED[2]}: ValueError", CLICKED[3]]


def test_a_computer_in_a_loop_of_the_application(telemetry: Telemetry):
    """One call that the application has executed is a tool."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    call = computers.ResponseComputerToolCall.model_validate(clicking()["output"][0])
    computers.ComputerToolset(Computer(telemetry)).execute(call)
    assert tree(telemetry) == ["execute_tool computer", "execute_tool computer > click"]

"""The public names as users call them. Type checkers read this; nothing runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from typing import Any
from uuid import UUID

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Span
from typing_extensions import assert_type

import opentelemetry_instrumentation_genai
from opentelemetry_instrumentation_genai import (
    AnthropicInstrumentor,
    CallReference,
    ClaudeAgentInstrumentor,
    OllamaInstrumentor,
    OpenAIAgentsInstrumentor,
    OpenAIInstrumentor,
    capture_content,
    current_call,
    execute_tool,
    genai_context,
    invoke_agent,
    invoke_workflow,
    record_evaluation,
    retrieval,
    step,
)
from opentelemetry_instrumentation_genai.anthropic import AnthropicInstrumentor as AnthropicFromItsPackage
from opentelemetry_instrumentation_genai.hooks import (
    Completion,
    CompletionHook,
    GenAIRequest,
    ReferencingHook,
    RequestHook,
    ResponseHook,
)
from opentelemetry_instrumentation_genai.ollama import OllamaInstrumentor as OllamaFromItsPackage
from opentelemetry_instrumentation_genai.openai import OpenAIInstrumentor as OpenAIFromItsPackage

assert_type(opentelemetry_instrumentation_genai.__version__, str)


def the_same_class_from_both_places(
    openai: OpenAIInstrumentor, anthropic: AnthropicInstrumentor, ollama: OllamaInstrumentor
) -> tuple[OpenAIFromItsPackage, AnthropicFromItsPackage, OllamaFromItsPackage]:
    """The names at the top, which are loaded late, are the classes of the subpackages."""
    return openai, anthropic, ollama


def as_in_an_application() -> None:
    """Without anything, with providers, with settings, and off again."""
    OpenAIInstrumentor().instrument()
    OpenAIInstrumentor().instrument(
        tracer_provider=TracerProvider(),
        meter_provider=MeterProvider(),
        logger_provider=LoggerProvider(),
    )
    OpenAIInstrumentor().instrument(capture_message_content="span_only", emit_event=True, per_chunk_metric=False)
    OpenAIInstrumentor().instrument(metrics="extended", prices=["file:/etc/prices.json", "genai-prices"])
    OpenAIInstrumentor().uninstrument()


def as_in_an_application_of_anthropic() -> None:
    """The same, and what becomes of the SDK's own spans."""
    AnthropicInstrumentor().instrument()
    AnthropicInstrumentor().instrument(
        tracer_provider=TracerProvider(),
        meter_provider=MeterProvider(),
        logger_provider=LoggerProvider(),
    )
    AnthropicInstrumentor().instrument(capture_message_content="event_only", anthropic_native_tracing="enrich")
    AnthropicInstrumentor().uninstrument()


def as_in_an_application_of_ollama() -> None:
    """The same, and how a trace goes on in a server of one's own."""
    OllamaInstrumentor().instrument()
    OllamaInstrumentor().instrument(
        tracer_provider=TracerProvider(),
        meter_provider=MeterProvider(),
        logger_provider=LoggerProvider(),
    )
    OllamaInstrumentor().instrument(host_providers={"localhost:8080": "llama_cpp"}, propagate="self-hosted")
    OllamaInstrumentor().uninstrument()


def as_in_an_application_of_openai_agents() -> None:
    """The same of a framework."""
    OpenAIAgentsInstrumentor().instrument(tracer_provider=TracerProvider(), capture_message_content="span_only")
    OpenAIAgentsInstrumentor().uninstrument()


def as_in_an_application_of_claude_agent() -> None:
    """The same of another one."""
    ClaudeAgentInstrumentor().instrument(tracer_provider=TracerProvider(), capture_message_content="span_only")
    ClaudeAgentInstrumentor().uninstrument()


def dependencies(instrumentor: OpenAIInstrumentor | AnthropicInstrumentor | OllamaInstrumentor) -> None:
    """What an instrumentor says about its SDK has a type."""
    assert_type(instrumentor.instrumentation_dependencies(), Collection[str])


def blocks_of_code() -> None:
    """What holds in a block of code is entered with and without a loop."""
    with genai_context(conversation_id=UUID(int=1), user_id=7, tags={"team": "search", "groups": ["a"], "beta": True}):
        pass
    with capture_content("no_content"), genai_context(prompt_name="greeting", prompt_version=3):
        pass


async def asynchronous_blocks_of_code() -> None:
    """The same in a coroutine."""
    async with genai_context(conversation_id=None), capture_content(0.5):
        pass


@genai_context(user_id="joe")
def decorated(number: int, *, text: str) -> list[str]:
    """What is decorated keeps its type."""
    return [text] * number


@capture_content(mode=False)
async def decorated_coroutine() -> int:
    """So does a coroutine function."""
    return 1


@genai_context(user_id="joe")
def decorated_generator() -> Iterator[int]:
    """So does a generator."""
    yield 1


@genai_context(user_id="joe")
async def decorated_asynchronous_generator() -> AsyncIterator[int]:
    """Of either kind."""
    yield 1


async def called() -> None:
    """As callers see them."""
    assert_type(decorated(1, text="a"), list[str])
    assert_type(await decorated_coroutine(), int)
    assert_type(next(decorated_generator()), int)
    assert_type([number async for number in decorated_asynchronous_generator()], list[int])


def on_request(span: Span, request: GenAIRequest) -> None:
    """A hook of an application's."""
    span.set_attribute("app.model", request.model or request.operation)
    assert_type(request.body["messages"], Any)


def on_response(span: Span, _request: GenAIRequest, response: object) -> None:
    """Another."""
    span.set_attribute("app.failed", isinstance(response, BaseException))


def hooks() -> None:
    """Functions are hooks, and are given as settings."""
    request_hook: RequestHook = on_request
    response_hook: ResponseHook = on_response
    OpenAIInstrumentor().instrument(request_hook=request_hook, response_hook=response_hook)


class Store:
    """A hook that says where content will be."""

    def references(self, completion: Completion) -> Mapping[str, str]:
        """Name the place."""
        return {"gen_ai.input.messages_ref": completion.span_id}

    def __call__(self, completion: Completion) -> None:
        """Take what there is."""
        assert_type(completion.input_messages, list[dict[str, Any]])
        assert_type(completion.trace_id, str)


def print_it(completion: Completion) -> None:
    """A function is a hook as well."""


function: CompletionHook = print_it
store: ReferencingHook = Store()


@execute_tool(call_id="call_1", description="Adds.")
def add(one: int, two: int) -> int:
    """A decorated function keeps its type."""
    return one + two


@invoke_agent("adviser", model="m", provider="openai")
async def advise(question: str) -> str:
    """Likewise a coroutine function."""
    async with invoke_workflow("inner", input=question) as run:
        run.set_result([{"role": "assistant", "content": "x"}])
    with retrieval("docs", query=question, top_k=3) as found, step("prompt"):
        found.set_result(["a document"])
    assert_type(add(1, 2), int)
    return question


def judge(span: Span) -> None:
    """Results of evaluations, and the reference of a call."""
    kept = current_call()
    assert_type(kept, CallReference | None)
    record_evaluation("tone", score=0.5, label="fair", explanation="x", response_id="r", span=span, call=kept)

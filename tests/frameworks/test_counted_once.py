"""Frameworks that call the SDKs: each request of theirs is one span, and its tokens count once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_ollama import ChatOllama
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from langgraph.graph import START, StateGraph
from openai import DefaultAsyncHttpxClient
from pydantic_ai import Agent
from pydantic_ai.capabilities import Instrumentation
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.instrumented import InstrumentationSettings
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

from loopback import Json, ModelServer, Ndjson, Reply, Sse, Telemetry, anthropic_bodies, openai_bodies
from opentelemetry_instrumentation_genai import AnthropicInstrumentor, OllamaInstrumentor, OpenAIInstrumentor

KEY = "sk-test-not-a-key"
# Of what they import.
pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.usefixtures("nothing_stays")]

Make = Callable[[str], Any]


@pytest.fixture
def all_followed(telemetry: Telemetry) -> Telemetry:
    """Telemetry of all three SDKs."""
    for instrumentor in (OpenAIInstrumentor, AnthropicInstrumentor, OllamaInstrumentor):
        instrumentor().instrument(**telemetry.providers)
    return telemetry


def openai_model(url: str, **more: Any) -> ChatOpenAI:
    """LangChain's model of OpenAI. It would keep an asynchronous client for the next test, which has another loop."""
    own = DefaultAsyncHttpxClient()
    return ChatOpenAI(
        model="gpt-4o-mini", base_url=f"{url}/v1", api_key=KEY, max_retries=0, http_async_client=own, **more
    )


def anthropic_model(url: str) -> ChatAnthropic:
    """LangChain's model of Anthropic."""
    return ChatAnthropic(model="claude-haiku-4-5", base_url=url, api_key=KEY, max_retries=0, max_tokens=64)


def ollama_model(url: str) -> ChatOllama:
    """LangChain's model of Ollama."""
    return ChatOllama(model="llama3.2", base_url=url)


CHUNKS = Sse(
    [
        *openai_bodies.chunks("Hel", "lo"),
        {
            **openai_bodies.chunk(),
            "choices": [],
            "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
        },
    ],
    done=True,
)
MESSAGE = Json(anthropic_bodies.message(anthropic_bodies.text("Hello")))
MESSAGE_EVENTS = Sse(
    anthropic_bodies.events(
        anthropic_bodies.started(), anthropic_bodies.text_events("Hel", "lo"), anthropic_bodies.ended(output_tokens=3)
    ),
    event_names=True,
)
OLLAMA: dict[str, Any] = {
    "model": "llama3.2",
    "created_at": "2026-01-01T00:00:00Z",
    "message": {"role": "assistant", "content": "Hello"},
    "done": True,
    "done_reason": "stop",
    "prompt_eval_count": 9,
    "eval_count": 3,
}

EMBEDDINGS: dict[str, Any] = {
    "object": "list",
    "model": "text-embedding-3-small",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}],
    "usage": {"prompt_tokens": 2, "total_tokens": 2},
}

# The model; what the server answers to a plain and to a streamed call.
MODELS = [
    pytest.param(openai_model, Json(openai_bodies.completion()), CHUNKS, id="openai chat"),
    pytest.param(anthropic_model, MESSAGE, MESSAGE_EVENTS, id="anthropic"),
    pytest.param(ollama_model, Ndjson([OLLAMA]), Ndjson([OLLAMA]), id="ollama"),
]


def counted(telemetry: Telemetry) -> tuple[int, int, int]:
    """How many spans of calls, points of durations and points of token usage there are."""
    spans = [span for span in telemetry.spans if span.kind.name == "CLIENT"]
    metrics = telemetry.snapshot()["metrics"]
    points = {name: sum(point["count"] for point in metric["points"]) for name, metric in metrics.items()}
    return len(spans), points["gen_ai.client.operation.duration"], points["gen_ai.client.token.usage"]


@pytest.mark.parametrize(("make", "plain", "streamed"), MODELS)
async def test_langchain(
    make: Make, plain: Reply, streamed: Reply, server: ModelServer, all_followed: Telemetry
) -> None:
    """A call of a LangChain model, in each of its four ways, is one span, one duration, and two points of tokens."""
    model = make(server.url)
    server.reply(plain, streamed, plain, streamed)
    assert model.invoke("Hi").text == "Hello"
    assert "".join(part.text for part in model.stream("Hi")) == "Hello"
    assert (await model.ainvoke("Hi")).text == "Hello"
    assert "".join([part.text async for part in model.astream("Hi")]) == "Hello"
    assert len(server.requests) == 4
    assert counted(all_followed) == (4, 4, 8)


async def test_langchain_by_responses_and_embeddings(server: ModelServer, all_followed: Telemetry) -> None:
    """The Responses API and embeddings through LangChain too."""
    server.reply(Json(openai_bodies.response()), Json(openai_bodies.response()), Json(EMBEDDINGS))
    model = openai_model(server.url, use_responses_api=True)
    assert model.invoke("Hi").text == "Hello"
    assert (await model.ainvoke("Hi")).text == "Hello"
    embeddings = OpenAIEmbeddings(
        model="text-embedding-3-small", base_url=f"{server.url}/v1", api_key=KEY, check_embedding_ctx_length=False
    )
    assert embeddings.embed_documents(["Hi"]) == [[0.5, 0.25]]
    assert len(server.requests) == 3
    assert counted(all_followed) == (3, 3, 5)


PYDANTIC_AI = [
    pytest.param(
        lambda url: OpenAIChatModel("gpt-4o-mini", provider=OpenAIProvider(base_url=f"{url}/v1", api_key=KEY)),
        Json(openai_bodies.completion()),
        id="openai chat",
    ),
    pytest.param(
        lambda url: OpenAIResponsesModel("gpt-4o-mini", provider=OpenAIProvider(base_url=f"{url}/v1", api_key=KEY)),
        Json(openai_bodies.response()),
        id="openai responses",
    ),
    pytest.param(
        lambda url: AnthropicModel("claude-haiku-4-5", provider=AnthropicProvider(base_url=url, api_key=KEY)),
        MESSAGE_EVENTS,  # it streams
        id="anthropic",
    ),
]


@pytest.mark.parametrize(("make", "reply"), PYDANTIC_AI)
async def test_pydantic_ai(make: Make, reply: Reply, server: ModelServer, all_followed: Telemetry) -> None:
    """A run of an agent of Pydantic AI has one span for its one request."""
    server.reply(reply)
    run = await Agent(make(server.url)).run("Hi")
    assert run.output == "Hello"
    assert len(server.requests) == 1
    assert counted(all_followed) == (1, 1, 2)


@pytest.mark.parametrize(("make", "reply"), PYDANTIC_AI)
async def test_pydantic_ai_that_traces_itself(
    make: Make, reply: Reply, server: ModelServer, all_followed: Telemetry
) -> None:
    """Where Pydantic AI records its model calls, as `logfire.instrument_pydantic_ai()` has it do, they are recorded by it alone."""
    server.reply(reply)
    providers = {name: all_followed.providers[name] for name in ("tracer_provider", "meter_provider")}
    traced = Instrumentation(InstrumentationSettings(**providers))
    run = await Agent(make(server.url), capabilities=[traced]).run("Hi")
    assert run.output == "Hello"
    spans = [(span.instrumentation_scope.name, span.attributes["gen_ai.operation.name"]) for span in all_followed.spans]
    assert spans == [("pydantic-ai", "chat"), ("pydantic-ai", "invoke_agent")]
    assert sum(point.count for point in all_followed.metrics["gen_ai.client.token.usage"]) == 2


async def test_langgraph(server: ModelServer, all_followed: Telemetry) -> None:
    """A graph of two nodes that call models of two SDKs has one span for each request."""
    server.reply(Json(openai_bodies.completion()), MESSAGE)
    first, second = openai_model(server.url), anthropic_model(server.url)
    graph = StateGraph(dict)
    graph.add_node("first", lambda _state: {"text": first.invoke("Hi").text})
    graph.add_node("second", lambda state: {"text": state["text"] + second.invoke("Hi").text})
    graph.add_edge(START, "first")
    graph.add_edge("first", "second")
    assert (await graph.compile().ainvoke({"text": ""}))["text"] == "HelloHello"
    assert len(server.requests) == 2
    assert counted(all_followed) == (2, 2, 4)

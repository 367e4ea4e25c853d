"""LlamaIndex: each request of its models, embeddings and agents is one span, and its tokens count once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from loopback import Json, ModelServer, Reply, Sse, Telemetry, anthropic_bodies, openai_bodies
from opentelemetry_instrumentation_genai import AnthropicInstrumentor, OpenAIInstrumentor, invoke_agent

pytest.importorskip("llama_index.core")
from llama_index.core import Document, VectorStoreIndex
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.anthropic import Anthropic
from llama_index.llms.openai import OpenAI, OpenAIResponses

KEY = "sk-test-not-a-key"
USAGE = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
CHUNKS = Sse(
    [*openai_bodies.chunks("Hel", "lo"), {**openai_bodies.chunk(), "choices": [], "usage": USAGE}],
    done=True,
)
MESSAGE = Json(anthropic_bodies.message(anthropic_bodies.text("Hello")))
MESSAGE_EVENTS = Sse(
    anthropic_bodies.events(
        anthropic_bodies.started(), anthropic_bodies.text_events("Hel", "lo"), anthropic_bodies.ended(output_tokens=3)
    ),
    event_names=True,
)
# Of what it imports, and of clients that it never closes.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
Make = Callable[[str], Any]


@pytest.fixture
def all_followed(telemetry: Telemetry) -> Telemetry:
    """Telemetry of both SDKs."""
    for instrumentor in (OpenAIInstrumentor, AnthropicInstrumentor):
        instrumentor().instrument(**telemetry.providers)
    return telemetry


def openai_model(url: str) -> OpenAI:
    """Its model by chat completions."""
    return OpenAI("gpt-4o-mini", api_base=f"{url}/v1", api_key=KEY, max_retries=0)


def responses_model(url: str) -> OpenAIResponses:
    """Its model by the Responses API."""
    return OpenAIResponses("gpt-4o-mini", api_base=f"{url}/v1", api_key=KEY, max_retries=0)


def anthropic_model(url: str) -> Anthropic:
    """Its model of Anthropic."""
    return Anthropic("claude-haiku-4-5", base_url=url, api_key=KEY, max_retries=0, max_tokens=64)


def embeddings(url: str) -> OpenAIEmbedding:
    """Its embeddings."""
    return OpenAIEmbedding(model="text-embedding-3-small", api_base=f"{url}/v1", api_key=KEY, max_retries=0)


def vectors(*vectors: list[float]) -> Json:
    """What the server answers to embeddings."""
    data = [{"object": "embedding", "index": index, "embedding": one} for index, one in enumerate(vectors)]
    usage = {"prompt_tokens": 2, "total_tokens": 2}
    return Json({"object": "list", "model": "text-embedding-3-small", "data": data, "usage": usage})


def counted(telemetry: Telemetry) -> tuple[int, int, int]:
    """How many spans of calls, points of durations and points of token usage there are."""
    spans = [span for span in telemetry.spans if span.kind.name == "CLIENT"]
    metrics = telemetry.snapshot()["metrics"]
    points = {name: sum(point["count"] for point in metric["points"]) for name, metric in metrics.items()}
    return len(spans), points["gen_ai.client.operation.duration"], points["gen_ai.client.token.usage"]


MODELS = [
    pytest.param(openai_model, Json(openai_bodies.completion()), CHUNKS, id="openai chat"),
    pytest.param(anthropic_model, MESSAGE, MESSAGE_EVENTS, id="anthropic"),
]


@pytest.mark.parametrize(("make", "plain", "streamed"), MODELS)
async def test_models(make: Make, plain: Reply, streamed: Reply, server: ModelServer, all_followed: Telemetry) -> None:
    """A call, in each of its four ways, is one span and one duration; its tokens count once, where the provider reports them."""
    model, asked = make(server.url), [ChatMessage("Hi")]
    server.reply(plain, streamed, plain, streamed)
    assert model.chat(asked).message.content == "Hello"
    assert "".join(part.delta or "" for part in model.stream_chat(asked)) == "Hello"
    assert (await model.achat(asked)).message.content == "Hello"
    assert "".join([part.delta or "" async for part in await model.astream_chat(asked)]) == "Hello"
    assert len(server.requests) == 4
    assert counted(all_followed) == (4, 4, 8)


async def test_responses(server: ModelServer, all_followed: Telemetry) -> None:
    """The Responses API too."""
    server.reply(Json(openai_bodies.response()), Json(openai_bodies.response()))
    model, asked = responses_model(server.url), [ChatMessage("Hi")]
    assert model.chat(asked).message.content == "Hello"
    assert (await model.achat(asked)).message.content == "Hello"
    assert len(server.requests) == 2
    assert counted(all_followed) == (2, 2, 4)


def test_a_query_engine(server: ModelServer, all_followed: Telemetry) -> None:
    """An index, and a question that is answered from it, have one span for each request: two of embeddings, one of the model."""
    server.reply(vectors([1.0, 0.0]), vectors([1.0, 0.0]), Json(openai_bodies.completion()))
    index = VectorStoreIndex.from_documents([Document(text="The sky is blue.")], embed_model=embeddings(server.url))
    answer = index.as_query_engine(llm=openai_model(server.url), similarity_top_k=1).query("Which colour?")
    assert str(answer) == "Hello"
    names = [span.name for span in all_followed.spans]
    assert names == ["embeddings text-embedding-3-small", "embeddings text-embedding-3-small", "chat gpt-4o-mini"]
    assert len(server.requests) == 3
    assert counted(all_followed) == (3, 3, 4)


def calling(city: str) -> Json:
    """An answer that calls the tool."""
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "weather", "arguments": json.dumps({"city": city})},
    }
    choice = {
        "index": 0,
        "finish_reason": "tool_calls",
        "message": {"role": "assistant", "content": None, "tool_calls": [call]},
    }
    return Json({**openai_bodies.completion(), "choices": [choice]})


async def test_an_agent(server: ModelServer, all_followed: Telemetry) -> None:
    """Its model calls are below the operation that the application names, once each, whatever tasks it makes them in."""

    def weather(city: str) -> str:
        """Return the weather of a city."""
        return f"sunny in {city}"

    server.reply(calling("Rome"), Json(openai_bodies.completion()))
    agent = FunctionAgent(tools=[weather], llm=openai_model(server.url), streaming=False)
    with invoke_agent("guide"):
        assert str(await agent.run("Is it sunny?")) == "Hello"
    agent_span, *calls = sorted(all_followed.spans, key=lambda span: span.start_time or 0)
    assert [span.name for span in calls] == ["chat gpt-4o-mini"] * 2
    assert {span.parent.span_id for span in calls if span.parent} == {agent_span.context.span_id}
    assert len(server.requests) == 2
    assert counted(all_followed) == (2, 2, 4)

"""What each of the further SDKs has of its own: dialects, times of the server, costs, endpoints.

The bodies are written by hand, from the public API references of the providers and the types of their SDKs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import cerebras.cloud.sdk
import fireworks
import groq
import letta_client
import llama_api_client
import llama_stack_client
import openai
import perplexity
import portkey_ai
import pytest
import sambanova
import together
import writerai
from inline_snapshot import snapshot

import opentelemetry_instrumentation_genai
from loopback import Json, ModelServer, Sse, Telemetry, Text
from loopback.openai_bodies import chunk, completion
from opentelemetry_instrumentation_genai import LlamaApiInstrumentor, OpenAIInstrumentor

KEY = "sk-test-not-a-key"
HI = [{"role": "user", "content": "Hi"}]
NAMES = (
    "CerebrasInstrumentor",
    "FireworksInstrumentor",
    "GroqInstrumentor",
    "LettaInstrumentor",
    "LlamaApiInstrumentor",
    "LlamaStackInstrumentor",
    "PerplexityInstrumentor",
    "PortkeyInstrumentor",
    "SambaNovaInstrumentor",
    "TogetherInstrumentor",
    "WriterInstrumentor",
)


@pytest.fixture
def followed(telemetry: Telemetry) -> Telemetry:
    """Telemetry of all of them, with content."""
    for name in NAMES:
        getattr(opentelemetry_instrumentation_genai, name)().instrument(
            **telemetry.providers, capture_message_content="span_only", prices="billed"
        )
    return telemetry


@pytest.fixture
def client(server: ModelServer) -> Iterator[Callable[..., Any]]:
    """Makes clients of the model server."""
    made: list[Any] = []

    def make(kind: Callable[..., Any], **settings: Any) -> Any:
        made.append(kind(base_url=server.url, api_key=KEY, max_retries=0, **settings))
        return made[-1]

    yield make
    for one in made:
        if hasattr(one, "close"):
            one.close()


def attributes(telemetry: Telemetry, position: int | None = None) -> dict[str, Any]:
    """What the one span has, or the one at a position, but for what differs in each run."""
    span = telemetry.span if position is None else telemetry.spans[position]
    differing = ("server.port", "gen_ai.response.time_to_first_chunk")
    found = {name: value for name, value in (span.attributes or {}).items() if name not in differing}
    return {"name": span.name, "kind": span.kind.name, "status": span.status.status_code.name, **found}


def times(telemetry: Telemetry) -> dict[str, float]:
    """The times that the server measured, as the metrics have them."""
    return {
        name: round(points[0].sum, 6) for name, points in telemetry.metrics.items() if name.startswith("gen_ai.server.")
    }


GROQ_USAGE = {
    "queue_time": 0.01,
    "prompt_tokens": 8,
    "prompt_time": 0.02,
    "completion_tokens": 3,
    "completion_time": 0.04,
    "total_tokens": 11,
    "total_time": 0.06,
}


def test_groq_has_the_usage_of_a_stream_in_a_member_of_its_own(
    server: ModelServer, followed: Telemetry, client: Any
) -> None:
    """`x_groq` of the last chunk, with the times of the server."""
    server.reply(
        Sse([chunk({"content": "Hello"}), chunk({}, reason="stop", x_groq={"id": "req_1", "usage": GROQ_USAGE})])
    )
    [*_] = client(groq.Groq).chat.completions.create(model="llama-3.1-8b-instant", messages=HI, stream=True)
    assert attributes(followed) == snapshot(
        {
            "name": "chat llama-3.1-8b-instant",
            "kind": "CLIENT",
            "status": "UNSET",
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "groq",
            "gen_ai.request.model": "llama-3.1-8b-instant",
            "server.address": "127.0.0.1",
            "openai.api.type": "chat_completions",
            "gen_ai.request.stream": True,
            "gen_ai.response.id": "chatcmpl-1",
            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
            "gen_ai.usage.input_tokens": 8,
            "gen_ai.usage.output_tokens": 3,
            "http.response.status_code": 200,
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
            "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Hello"}],"finish_reason":"stop"}]',
        }
    )
    assert times(followed) == snapshot(
        {
            "gen_ai.server.request.duration": 0.07,
            "gen_ai.server.time_to_first_token": 0.03,
            "gen_ai.server.time_per_output_token": 0.02,
        }
    )


def test_together_ranks_documents(server: ModelServer, followed: Telemetry, client: Any) -> None:
    """Ranking has an operation of its own, with the tokens that were read, and no content."""
    server.reply(
        Json(
            {
                "id": "rerank-1",
                "object": "rerank",
                "model": "Salesforce/Llama-Rank-V1",
                "results": [{"index": 0, "relevance_score": 0.9, "document": {"text": "Rome"}}],
                "usage": {"prompt_tokens": 7, "completion_tokens": 0, "total_tokens": 7},
            }
        )
    )
    client(together.Together).rerank.create(model="Salesforce/Llama-Rank-V1", query="Where?", documents=["Rome"])
    assert attributes(followed) == snapshot(
        {
            "name": "rerank Salesforce/Llama-Rank-V1",
            "kind": "CLIENT",
            "status": "UNSET",
            "gen_ai.operation.name": "rerank",
            "gen_ai.provider.name": "together_ai",
            "gen_ai.request.model": "Salesforce/Llama-Rank-V1",
            "server.address": "127.0.0.1",
            "gen_ai.response.id": "rerank-1",
            "gen_ai.response.model": "Salesforce/Llama-Rank-V1",
            "gen_ai.usage.input_tokens": 7,
            "http.response.status_code": 200,
        }
    )


def test_together_makes_images(server: ModelServer, followed: Telemetry, client: Any) -> None:
    """By the API of OpenAI."""
    server.reply(
        Json(
            {
                "id": "i-1",
                "model": "FLUX.1",
                "object": "list",
                "data": [{"index": 0, "url": "https://x/y", "type": "url"}],
            }
        )
    )
    client(together.Together).images.generate(model="FLUX.1", prompt="A tram")
    assert attributes(followed) == snapshot(
        {
            "name": "generate_content FLUX.1",
            "kind": "CLIENT",
            "status": "UNSET",
            "gen_ai.operation.name": "generate_content",
            "gen_ai.provider.name": "together_ai",
            "gen_ai.request.model": "FLUX.1",
            "server.address": "127.0.0.1",
            "gen_ai.output.type": "image",
            "http.response.status_code": 200,
            "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"A tram"}]}]',
            "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"uri","modality":"image","mime_type":null,"uri":"https://x/y"}],"finish_reason":"stop"}]',
        }
    )


def test_cerebras_has_the_times_of_the_server_and_a_request_of_its_own(
    server: ModelServer, followed: Telemetry, client: Any
) -> None:
    """The request that warms the connection up, when a client is made, is no call of a model."""
    server.reply(Json({}))
    made = client(cerebras.cloud.sdk.Cerebras, warm_tcp_connection=True)
    assert len(server.requests) == 1
    assert followed.spans == []
    spent = {"queue_time": 0.01, "prompt_time": 0.02, "completion_time": 0.04, "total_time": 0.07, "created": 1}
    server.reply(Json(completion(time_info=spent)))
    made.chat.completions.create(model="llama3.1-8b", messages=HI)
    assert attributes(followed) == snapshot(
        {
            "name": "chat llama3.1-8b",
            "kind": "CLIENT",
            "status": "UNSET",
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "cerebras",
            "gen_ai.request.model": "llama3.1-8b",
            "server.address": "127.0.0.1",
            "openai.api.type": "chat_completions",
            "gen_ai.response.id": "chatcmpl-1",
            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
            "gen_ai.usage.input_tokens": 8,
            "gen_ai.usage.output_tokens": 2,
            "http.response.status_code": 200,
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
            "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Hello"}],"finish_reason":"stop"}]',
        }
    )
    assert times(followed) == snapshot(
        {
            "gen_ai.server.request.duration": 0.07,
            "gen_ai.server.time_to_first_token": 0.03,
            "gen_ai.server.time_per_output_token": 0.04,
        }
    )


def test_cerebras_has_the_times_of_a_stream(server: ModelServer, followed: Telemetry, client: Any) -> None:
    """The last chunk has them."""
    usage = {"prompt_tokens": 8, "completion_tokens": 3, "total_tokens": 11}
    spent = {"queue_time": 0.01, "prompt_time": 0.02, "completion_time": 0.04, "total_time": 0.07}
    server.reply(Sse([chunk({"content": "Hello"}), chunk({}, reason="stop", usage=usage, time_info=spent)]))
    made = client(cerebras.cloud.sdk.Cerebras, warm_tcp_connection=False)
    [*_] = made.chat.completions.create(model="llama3.1-8b", messages=HI, stream=True)
    assert times(followed) == snapshot(
        {
            "gen_ai.server.request.duration": 0.07,
            "gen_ai.server.time_to_first_token": 0.03,
            "gen_ai.server.time_per_output_token": 0.02,
        }
    )


def test_sambanova_has_the_times_of_the_server(server: ModelServer, followed: Telemetry, client: Any) -> None:
    """As members of its usage."""
    usage = {
        "prompt_tokens": 8,
        "completion_tokens": 3,
        "total_tokens": 11,
        "time_to_first_token": 0.1,
        "total_latency": 0.3,
    }
    server.reply(Json(completion(usage=usage)))
    client(sambanova.SambaNova).chat.completions.create(model="Meta-Llama-3.1-8B-Instruct", messages=HI)
    assert attributes(followed) == snapshot(
        {
            "name": "chat Meta-Llama-3.1-8B-Instruct",
            "kind": "CLIENT",
            "status": "UNSET",
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "sambanova",
            "gen_ai.request.model": "Meta-Llama-3.1-8B-Instruct",
            "server.address": "127.0.0.1",
            "openai.api.type": "chat_completions",
            "gen_ai.response.id": "chatcmpl-1",
            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
            "gen_ai.usage.input_tokens": 8,
            "gen_ai.usage.output_tokens": 3,
            "http.response.status_code": 200,
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
            "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Hello"}],"finish_reason":"stop"}]',
        }
    )
    assert times(followed) == snapshot(
        {
            "gen_ai.server.request.duration": 0.3,
            "gen_ai.server.time_to_first_token": 0.1,
            "gen_ai.server.time_per_output_token": 0.1,
        }
    )


def test_perplexity_has_its_bill_in_the_body(server: ModelServer, followed: Telemetry, client: Any) -> None:
    """The cost is the one that the provider reports, the fee of the search included."""
    cost = {"input_tokens_cost": 0.001, "output_tokens_cost": 0.002, "request_cost": 0.005, "total_cost": 0.008}
    usage = {"prompt_tokens": 8, "completion_tokens": 3, "total_tokens": 11, "cost": cost}
    server.reply(Json(completion(usage=usage, model="sonar")))
    client(perplexity.Perplexity).chat.completions.create(model="sonar", messages=HI)
    assert attributes(followed) == snapshot(
        {
            "name": "chat sonar",
            "kind": "CLIENT",
            "status": "UNSET",
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "perplexity",
            "gen_ai.request.model": "sonar",
            "server.address": "127.0.0.1",
            "openai.api.type": "chat_completions",
            "gen_ai.response.id": "chatcmpl-1",
            "gen_ai.response.model": "sonar",
            "gen_ai.usage.input_tokens": 8,
            "gen_ai.usage.output_tokens": 3,
            "http.response.status_code": 200,
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.usage.cost": 0.008,
            "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
            "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Hello"}],"finish_reason":"stop"}]',
        }
    )


@pytest.mark.parametrize("streamed", [False, True])
def test_perplexity_names_cached_tokens_otherwise(
    server: ModelServer, followed: Telemetry, client: Any, streamed: bool
) -> None:
    """Of a response, plain or streamed; they are a part of the input."""
    details = {"cache_read_input_tokens": 60, "cache_creation_input_tokens": 20}
    usage = {"input_tokens": 100, "output_tokens": 5, "total_tokens": 105, "input_tokens_details": details}
    body = {"id": "resp-1", "object": "response", "model": "sonar", "status": "completed", "output": [], "usage": usage}
    ended = {"type": "response.completed", "sequence_number": 0, "response": body}
    server.reply(Sse([ended], event_names=True) if streamed else Json(body))

    result = client(perplexity.Perplexity).responses.create(model="sonar", input="Hi", stream=streamed)
    if streamed:
        assert len([*result]) == 1

    found = followed.span.attributes or {}
    assert {name: value for name, value in found.items() if name.startswith("gen_ai.usage.")} == {
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 5,
        "gen_ai.usage.cache_read.input_tokens": 60,
        "gen_ai.usage.cache_write.input_tokens": 20,
        "gen_ai.usage.cache_creation.input_tokens": 20,
    }


def test_perplexity_searches_embeds_and_decides(server: ModelServer, followed: Telemetry, client: Any) -> None:
    """Each is an operation of its own."""
    made = client(perplexity.Perplexity)
    usage = {"prompt_tokens": 2, "total_tokens": 2}
    embedded = {"object": "list", "model": "pplx-embed-v1-4b", "data": [], "usage": usage}
    server.reply(Json({"id": "s-1", "results": []}), Json(embedded), Json(embedded))
    made.search.create(query="trams")
    made.embeddings.create(input="one", model="pplx-embed-v1-4b")
    made.contextualized_embeddings.create(input=[["one"]], model="pplx-embed-context-v1-4b")
    assert [span.name for span in followed.spans] == snapshot(
        ["web_search", "embeddings pplx-embed-v1-4b", "embeddings pplx-embed-context-v1-4b"]
    )


def test_writer_chats(server: ModelServer, followed: Telemetry, client: Any) -> None:
    """By an API that is nearly OpenAI's: the cached tokens are in `prompt_token_details`."""
    usage = {
        "prompt_tokens": 8,
        "completion_tokens": 3,
        "total_tokens": 11,
        "prompt_token_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 1},
    }
    server.reply(Json(completion(usage=usage)))
    client(writerai.Writer).chat.chat(model="palmyra-x5", messages=HI)
    assert attributes(followed) == snapshot(
        {
            "name": "chat palmyra-x5",
            "kind": "CLIENT",
            "status": "UNSET",
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "writer",
            "gen_ai.request.model": "palmyra-x5",
            "server.address": "127.0.0.1",
            "openai.api.type": "chat_completions",
            "gen_ai.response.id": "chatcmpl-1",
            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
            "gen_ai.usage.input_tokens": 8,
            "gen_ai.usage.output_tokens": 3,
            "gen_ai.usage.reasoning.output_tokens": 1,
            "gen_ai.usage.cache_read.input_tokens": 4,
            "http.response.status_code": 200,
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
            "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Hello"}],"finish_reason":"stop"}]',
        }
    )


def test_writer_completes(server: ModelServer, followed: Telemetry, client: Any) -> None:
    """A stream and a plain completion have the same text; there is neither usage nor a reason of the end."""
    made = client(writerai.Writer)
    server.reply(Sse([{"value": " upon"}, {"value": " a time"}]), Json({"choices": [{"text": " upon a time"}]}))
    [*_] = made.completions.create(model="palmyra-x5", prompt="Once", stream=True)
    made.completions.create(model="palmyra-x5", prompt="Once")
    streamed, plain = attributes(followed, 0), attributes(followed, 1)
    assert streamed == {**plain, "gen_ai.request.stream": True}
    assert plain == snapshot(
        {
            "name": "text_completion palmyra-x5",
            "kind": "CLIENT",
            "status": "UNSET",
            "gen_ai.operation.name": "text_completion",
            "gen_ai.provider.name": "writer",
            "gen_ai.request.model": "palmyra-x5",
            "server.address": "127.0.0.1",
            "http.response.status_code": 200,
            "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Once"}]}]',
            "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":" upon a time"}],"finish_reason":"stop"}]',
        }
    )


def test_writer_looks_at_images(server: ModelServer, followed: Telemetry, client: Any) -> None:
    """The prompt is the input, and what is said of the image the output."""
    server.reply(Json({"data": "A tram."}))
    client(writerai.Writer).vision.analyze(
        model="palmyra-vision", prompt="What is {{image}}?", variables=[{"name": "image", "file_id": "f-1"}]
    )
    assert attributes(followed) == snapshot(
        {
            "name": "chat palmyra-vision",
            "kind": "CLIENT",
            "status": "UNSET",
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "writer",
            "gen_ai.request.model": "palmyra-vision",
            "server.address": "127.0.0.1",
            "http.response.status_code": 200,
            "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"What is {{image}}?"}]}]',
            "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"A tram."}],"finish_reason":"stop"}]',
        }
    )


LLAMA_METRICS = [
    {"metric": "num_prompt_tokens", "value": 8, "unit": "tokens"},
    {"metric": "num_completion_tokens", "value": 3, "unit": "tokens"},
    {"metric": "num_total_tokens", "value": 11, "unit": "tokens"},
]


def llama_event(kind: str, delta: dict[str, Any], **members: Any) -> dict[str, Any]:
    """One chunk of a stream of the Llama API."""
    return {"id": "c-1", "event": {"event_type": kind, "delta": delta, **members}}


def test_llama_api_answers(server: ModelServer, followed: Telemetry, client: Any) -> None:
    """One message, whose content is a part, and a list of metrics."""
    message = {"role": "assistant", "content": {"type": "text", "text": "Hello"}, "stop_reason": "stop"}
    server.reply(Json({"id": "c-1", "completion_message": message, "metrics": LLAMA_METRICS}))
    client(llama_api_client.LlamaAPIClient).chat.completions.create(model="Llama-4-Scout", messages=HI)
    assert attributes(followed) == snapshot(
        {
            "name": "chat Llama-4-Scout",
            "kind": "CLIENT",
            "status": "UNSET",
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "meta",
            "gen_ai.request.model": "Llama-4-Scout",
            "server.address": "127.0.0.1",
            "gen_ai.response.id": "c-1",
            "gen_ai.usage.input_tokens": 8,
            "gen_ai.usage.output_tokens": 3,
            "http.response.status_code": 200,
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
            "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Hello"}],"finish_reason":"stop"}]',
        }
    )


def test_llama_api_counts_what_can_be_counted(server: ModelServer, followed: Telemetry, client: Any) -> None:
    """A metric that is no count is left out, and the rest of the call is recorded."""
    message = {"role": "assistant", "content": "Hello", "stop_reason": "stop"}
    odd = '[{"metric": "num_prompt_tokens", "value": Infinity}, {"metric": "num_completion_tokens", "value": 3.0}, null, {}]'
    server.reply(
        Text(json.dumps({"completion_message": message})[:-1] + f', "metrics": {odd}' + "}", "application/json")
    )
    client(llama_api_client.LlamaAPIClient).chat.completions.create(model="Llama-4-Scout", messages=HI)
    found = attributes(followed)
    assert "gen_ai.usage.input_tokens" not in found
    assert found["gen_ai.usage.output_tokens"] == 3
    assert found["gen_ai.response.finish_reasons"] == ("stop",)


def test_llama_api_streams_events(server: ModelServer, followed: Telemetry, client: Any) -> None:
    """A stream without `[DONE]`: text, two tool calls in pieces, and the metrics in an event at the end."""
    empty = {"type": "text", "text": ""}
    tool = {"type": "tool_call", "id": "call_1", "function": {"name": "weather", "arguments": '{"city":'}}
    server.reply(
        Sse(
            [
                llama_event("start", {"type": "text", "text": "Look"}),
                llama_event("progress", {"type": "text", "text": "ing."}),
                llama_event("progress", tool),
                llama_event("progress", {"type": "tool_call", "function": {"arguments": '"Rome"}'}}),
                llama_event("progress", {**tool, "id": "call_2", "function": {"name": "time", "arguments": "{}"}}),
                llama_event("complete", empty, stop_reason="tool_calls"),
                llama_event("metrics", empty, metrics=LLAMA_METRICS),
            ],
            done=False,
        )
    )
    made = client(llama_api_client.LlamaAPIClient)
    [*_] = made.chat.completions.create(model="Llama-4-Scout", messages=HI, stream=True)
    assert attributes(followed) == snapshot(
        {
            "name": "chat Llama-4-Scout",
            "kind": "CLIENT",
            "status": "UNSET",
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "meta",
            "gen_ai.request.model": "Llama-4-Scout",
            "server.address": "127.0.0.1",
            "gen_ai.request.stream": True,
            "gen_ai.response.id": "c-1",
            "gen_ai.usage.input_tokens": 8,
            "gen_ai.usage.output_tokens": 3,
            "http.response.status_code": 200,
            "gen_ai.response.finish_reasons": ("tool_calls",),
            "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
            "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Looking."},{"type":"tool_call","id":"call_1","name":"weather","arguments":{"city":"Rome"}},{"type":"tool_call","id":"call_2","name":"time","arguments":{}}],"finish_reason":"tool_calls"}]',
        }
    )


def test_a_hook_gets_the_response_of_the_sdk(server: ModelServer, telemetry: Telemetry, client: Any) -> None:
    """As the application does, and not in the form in which it is read."""
    given: list[Any] = []
    LlamaApiInstrumentor().instrument(
        **telemetry.providers, response_hook=lambda _span, _request, made: given.append(made)
    )
    message = {"role": "assistant", "content": "Hello", "stop_reason": "stop"}
    server.reply(Json({"id": "c-1", "completion_message": message, "metrics": LLAMA_METRICS}))
    made = client(llama_api_client.LlamaAPIClient).chat.completions.create(model="Llama-4-Scout", messages=HI)
    LlamaApiInstrumentor().uninstrument()
    assert given == [made]
    assert given[0] is made
    assert made.completion_message.content == "Hello"


def test_llama_stack_ranks(server: ModelServer, followed: Telemetry, client: Any) -> None:
    """A list of results within `data`."""
    server.reply(Json({"data": [{"index": 0, "relevance_score": 0.5}]}))
    client(llama_stack_client.LlamaStackClient).alpha.inference.rerank(model="m", query="Where?", items=["Rome"])
    assert attributes(followed) == snapshot(
        {
            "name": "rerank m",
            "kind": "CLIENT",
            "status": "UNSET",
            "gen_ai.operation.name": "rerank",
            "gen_ai.provider.name": "llama_stack",
            "gen_ai.request.model": "m",
            "server.address": "127.0.0.1",
            "http.response.status_code": 200,
        }
    )


def test_a_call_through_portkey_is_one_span(server: ModelServer, followed: Telemetry, client: Any) -> None:
    """It has a copy of OpenAI's SDK within; with that instrumented as well, there is one span still."""
    OpenAIInstrumentor().instrument(**followed.providers)
    server.reply(Json(completion()), Sse([chunk({"content": "Hello"}), chunk({}, reason="stop")]))
    made = portkey_ai.Portkey(base_url=server.url, api_key=KEY)
    made.chat.completions.create(model="gpt-4o-mini", messages=HI)
    [*_] = made.chat.completions.create(model="gpt-4o-mini", messages=HI, stream=True)
    assert [(span.name, span.attributes["gen_ai.provider.name"]) for span in followed.spans] == [
        ("chat gpt-4o-mini", "portkey")
    ] * 2


def test_a_provider_by_the_sdk_of_openai_is_one_span(
    server: ModelServer, followed: Telemetry, openai_client: Any
) -> None:
    """The SDK of the provider is not in its way."""
    OpenAIInstrumentor().instrument(**followed.providers, host_providers=f"127.0.0.1:{server.port}=groq")
    server.reply(Json(completion()))
    openai_client(openai.OpenAI).chat.completions.create(model="llama-3.1-8b-instant", messages=HI)
    assert followed.span.attributes["gen_ai.provider.name"] == "groq"


def letta(kind: str, identity: str = "message-1", **members: Any) -> dict[str, Any]:
    """One message of an agent of Letta."""
    return {"message_type": kind, "id": identity, "date": "2026-01-01T00:00:00Z", **members}


LETTA_USAGE = {
    "prompt_tokens": 80,
    "completion_tokens": 9,
    "total_tokens": 89,
    "cached_input_tokens": 16,
    "reasoning_tokens": 4,
    "step_count": 2,
}


def test_letta_runs_an_agent(server: ModelServer, followed: Telemetry, client: Any) -> None:
    """The server runs it: a call of an agent, with what it thought, did and answered, and the usage of all its steps."""
    server.reply(
        Json(
            {
                "messages": [
                    letta("reasoning_message", reasoning="Look it up."),
                    letta(
                        "tool_call_message",
                        "message-2",
                        tool_call={"name": "weather", "arguments": '{"city":"Rome"}', "tool_call_id": "call_1"},
                    ),
                    letta(
                        "tool_return_message", "message-3", tool_return="sunny", tool_call_id="call_1", status="success"
                    ),
                    letta("assistant_message", "message-4", content="It is sunny."),
                ],
                "stop_reason": {"message_type": "stop_reason", "stop_reason": "end_turn"},
                "usage": {"message_type": "usage_statistics", **LETTA_USAGE},
            }
        )
    )
    client(letta_client.Letta).agents.messages.create("agent-1", messages=HI)
    assert attributes(followed) == snapshot(
        {
            "name": "invoke_agent",
            "kind": "CLIENT",
            "status": "UNSET",
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": "letta",
            "server.address": "127.0.0.1",
            "gen_ai.agent.id": "agent-1",
            "gen_ai.usage.input_tokens": 80,
            "gen_ai.usage.output_tokens": 9,
            "gen_ai.usage.cache_read.input_tokens": 16,
            "gen_ai.usage.reasoning.output_tokens": 4,
            "http.response.status_code": 200,
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
            "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"reasoning","content":"Look it up."},{"type":"tool_call","id":"call_1","name":"weather","arguments":{"city":"Rome"}},{"type":"tool_call_response","id":"call_1","response":"sunny"},{"type":"text","content":"It is sunny."}],"finish_reason":"stop"}]',
        }
    )


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # of `stream`; `create` streams too
def test_letta_streams_an_agent(server: ModelServer, followed: Telemetry, client: Any) -> None:
    """Messages in pieces, then the reason of the end and the usage: the same as the plain answer has."""
    server.reply(
        Sse(
            [
                letta("reasoning_message", reasoning="Look "),
                letta("reasoning_message", reasoning="it up."),
                letta("assistant_message", "message-4", content="It is "),
                letta("assistant_message", "message-4", content="sunny."),
                {"message_type": "stop_reason", "stop_reason": "end_turn"},
                {"message_type": "usage_statistics", **LETTA_USAGE},
            ],
            done=True,
        )
    )
    [*_] = client(letta_client.Letta).agents.messages.stream("agent-1", messages=HI)
    assert attributes(followed) == snapshot(
        {
            "name": "invoke_agent",
            "kind": "CLIENT",
            "status": "UNSET",
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": "letta",
            "server.address": "127.0.0.1",
            "gen_ai.agent.id": "agent-1",
            "gen_ai.request.stream": True,
            "gen_ai.usage.input_tokens": 80,
            "gen_ai.usage.output_tokens": 9,
            "gen_ai.usage.cache_read.input_tokens": 16,
            "gen_ai.usage.reasoning.output_tokens": 4,
            "http.response.status_code": 200,
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
            "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"reasoning","content":"Look it up."},{"type":"text","content":"It is sunny."}],"finish_reason":"stop"}]',
        }
    )


def test_fireworks_has_another_copy_of_its_clients(server: ModelServer, followed: Telemetry, client: Any) -> None:
    """The one within, for training, is left alone; a chat is one span."""
    server.reply(Json(completion()))
    client(fireworks.Fireworks).chat.completions.create(model="accounts/fireworks/models/x", messages=HI)
    assert followed.span.name == "chat accounts/fireworks/models/x"

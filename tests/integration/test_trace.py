"""One trace through to the server: the spans that a server exports by itself are children of the call's span."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest
from opentelemetry.trace import format_span_id, format_trace_id

from exchanges import QUESTION
from loopback import OtlpReceiver, Telemetry
from opentelemetry_instrumentation_genai import AnthropicInstrumentor, OpenAIInstrumentor
from served import Served

CHAT: dict[str, Any] = {"messages": [{"role": "user", "content": QUESTION}], "max_tokens": 16}
# server -> from the span that continues the trace down to the one that has the id of the answer, and the attribute with it.
CHAINS = {
    "vllm": (["llm_request"], "gen_ai.request.id"),
    "litellm": (["Received Proxy Server Request", "litellm_request"], "gen_ai.response.id"),
}
# What it calls the tokens there.
TOKENS = {
    "vllm": ("gen_ai.usage.prompt_tokens", "gen_ai.usage.completion_tokens"),
    "litellm": ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"),
}
SERVERS = pytest.mark.parametrize("served", CHAINS, indirect=True)


def chat(served: Served) -> str:
    """The id of the answer to a chat."""
    with openai.OpenAI(**served.settings()) as client:
        return client.chat.completions.create(model=served.model, **CHAT).id


def streamed_chat(served: Served) -> str:
    """The same, streamed."""
    with openai.OpenAI(**served.settings()) as client:
        return [chunk.id for chunk in client.chat.completions.create(model=served.model, **CHAT, stream=True)][-1]


def message(served: Served) -> str:
    """The same through the other SDK."""
    with anthropic.Anthropic(**served.settings(base_url=served.url)) as client:
        return client.messages.create(model=served.model, **CHAT).id


def streamed_message(served: Served) -> str:
    """The same, streamed."""
    with anthropic.Anthropic(**served.settings(base_url=served.url)) as client:
        with client.messages.stream(model=served.model, **CHAT) as stream:
            return stream.get_final_message().id


def chain(receiver: OtlpReceiver, served: Served, identity: str) -> list[dict[str, Any]]:
    """The server's own spans about one answer, the outermost first, as soon as all of them were received."""
    names, attribute = CHAINS[served.name]

    def found(received: OtlpReceiver) -> list[dict[str, Any]]:
        spans = {span["span_id"]: span for span in received.spans}
        (last, *_) = [span for span in spans.values() if span["attributes"].get(attribute) == identity] or [None]
        above = [last] if last and last["name"] == names[-1] else []
        while above and above[0]["parent_span_id"] in spans and len(above) < len(names):
            above.insert(0, spans[above[0]["parent_span_id"]])
        return above if len(above) == len(names) else []

    spans = receiver.wait_for(found)
    assert names == [span["name"] for span in spans]
    return spans


def instrument(telemetry: Telemetry, **settings: Any) -> None:
    """Instruments both SDKs."""
    OpenAIInstrumentor().instrument(**telemetry.providers, **settings)
    AnthropicInstrumentor().instrument(**telemetry.providers, **settings)


@SERVERS
@pytest.mark.parametrize("ask", [chat, streamed_chat, message, streamed_message], ids=lambda ask: ask.__name__)
def test_the_server_continues_the_trace(
    served: Served, ask: Callable[[Served], str], telemetry: Telemetry, receiver: OtlpReceiver
) -> None:
    """With `PROPAGATE=self-hosted` the server's span has ours as its parent, and ours that of the application."""
    instrument(telemetry, propagate="self-hosted")

    with telemetry.tracer_provider.get_tracer("application").start_as_current_span("application") as application:
        identity = ask(served)

    spans = chain(receiver, served, identity)
    outermost, last = spans[0], spans[-1]
    (call,) = (span for span in telemetry.spans if span.name == "chat tiny")
    assert call.parent is not None
    assert application.get_span_context().span_id == call.parent.span_id
    assert (format_trace_id(call.context.trace_id), format_span_id(call.context.span_id)) == (
        outermost["trace_id"],
        outermost["parent_span_id"],
    )
    if "gen_ai.usage.input_tokens" in call.attributes:
        assert [last["attributes"][name] for name in TOKENS[served.name]] == [
            call.attributes[f"gen_ai.usage.{kind}_tokens"] for kind in ("input", "output")
        ]


@pytest.mark.parametrize("ask", [chat, streamed_chat], ids=lambda ask: ask.__name__)
def test_the_trace_goes_on_behind_a_proxy(
    litellm_of_vllm: Served, ask: Callable[[Served], str], telemetry: Telemetry, receiver: OtlpReceiver
) -> None:
    """LiteLLM hands the trace on to vLLM: the spans of all three are one trace."""
    instrument(telemetry, propagate="self-hosted")

    identity = ask(litellm_of_vllm)

    proxy = chain(receiver, litellm_of_vllm, identity)[0]
    trace = format_trace_id(telemetry.span.context.trace_id)
    (model,) = receiver.wait_for(
        lambda received: [
            span for span in received.spans if span["name"] == "llm_request" and span["trace_id"] == trace
        ]
    )
    # It hands on the header as it came.
    ours = format_span_id(telemetry.span.context.span_id)
    assert [(trace, ours)] * 2 == [(span["trace_id"], span["parent_span_id"]) for span in (proxy, model)]


@SERVERS
@pytest.mark.parametrize("ask", [chat, message], ids=lambda ask: ask.__name__)
def test_a_server_hears_nothing_of_the_trace_by_default(
    served: Served, ask: Callable[[Served], str], telemetry: Telemetry, receiver: OtlpReceiver
) -> None:
    """Without the setting, the server's spans are a trace of their own."""
    instrument(telemetry)

    identity = ask(served)

    outermost = chain(receiver, served, identity)[0]
    (call,) = telemetry.spans
    assert format_trace_id(call.context.trace_id) != outermost["trace_id"]

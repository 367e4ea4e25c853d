"""What only one of the servers does, and no application may notice that somebody watches."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from exchanges import ANSWER, QUESTION
from loopback import Telemetry
from opentelemetry_instrumentation_genai import OpenAIInstrumentor
from served import Served

CHAT: dict[str, Any] = {
    "model": "tiny",
    "messages": [{"role": "user", "content": QUESTION}],
    "max_tokens": 64,
    "temperature": 0.0,
}


@pytest.fixture
def ask(telemetry: Telemetry) -> Any:
    """Instruments the SDK and makes a client of a server."""

    def made(served: Served) -> openai.OpenAI:
        OpenAIInstrumentor().instrument(
            **telemetry.providers, capture_message_content="span_only", host_providers=served.declared
        )
        return openai.OpenAI(**served.settings())

    return made


def test_a_stream_that_nobody_asked_for(transformers: Served, ask: Any, telemetry: Telemetry) -> None:
    """`transformers serve` streams a response unless `stream` is false: the SDK gives a text, and so does ours."""
    arguments = {"model": "tiny", "input": QUESTION, "max_output_tokens": 64}
    with openai.OpenAI(**transformers.settings()) as client:
        plain: Any = client.responses.create(**arguments)

    with ask(transformers) as client:
        given: Any = client.responses.create(**arguments)

    assert (str, str) == (type(plain), type(given))
    assert plain.count("event") == given.count("event")
    assert ANSWER in given
    span = telemetry.span
    assert ("chat tiny", "UNSET", 200) == (
        span.name,
        span.status.status_code.name,
        span.attributes["http.response.status_code"],
    )


def test_usage_that_grows_from_chunk_to_chunk(vllm: Served, ask: Any, telemetry: Telemetry) -> None:
    """With vLLM's continuous usage every chunk has the count so far: the last one counts, not their sum."""
    before = vllm.before()
    options = {"include_usage": True, "continuous_usage_stats": True}

    with ask(vllm) as client:
        chunks = list(client.chat.completions.create(**CHAT, stream=True, stream_options=options))

    assert sorted(counts := [chunk.usage.completion_tokens for chunk in chunks if chunk.usage]) == counts
    assert len(counts) > 2
    found = telemetry.span.attributes
    assert vllm.since(before, 8) == (found["gen_ai.usage.input_tokens"], found["gen_ai.usage.output_tokens"], None)


@pytest.mark.parametrize("served", ["llama", "litellm", "vllm"], indirect=True)
def test_no_usage_that_was_not_asked_for(served: Served, ask: Any, telemetry: Telemetry) -> None:
    """A stream tells its tokens only if the caller asked: then there is no count, and no guess."""
    with ask(served) as client:
        list(client.chat.completions.create(**CHAT, stream=True))

    assert "gen_ai.usage.input_tokens" not in telemetry.span.attributes
    assert "gen_ai.client.token.usage" not in telemetry.metrics
    assert ("stop",) == telemetry.span.attributes["gen_ai.response.finish_reasons"]


@pytest.mark.parametrize("way", ["plain", "streamed"])
@pytest.mark.parametrize(
    ("served", "provider"),
    [("llama", "llama_cpp"), ("litellm", "litellm"), ("vllm", "vllm"), ("transformers", "openai")],
    indirect=["served"],
)
def test_who_a_server_says_it_is(served: Served, provider: str, way: str, telemetry: Telemetry) -> None:
    """Undeclared, it is known by its own words, on the span and in every metric; else it is taken for OpenAI's."""
    OpenAIInstrumentor().instrument(**telemetry.providers)

    with openai.OpenAI(**served.settings()) as client:
        if way == "plain":
            client.chat.completions.create(**CHAT)
        else:
            list(client.chat.completions.create(**CHAT, stream=True, stream_options={"include_usage": True}))

    assert provider == telemetry.span.attributes["gen_ai.provider.name"]
    duration, usage = (
        {point.attributes["gen_ai.provider.name"] for point in telemetry.metrics[name]}
        for name in ("gen_ai.client.operation.duration", "gen_ai.client.token.usage")
    )
    assert ({provider}, {provider}) == (duration, usage)


@pytest.mark.parametrize("served", ["llama", "litellm", "vllm", "transformers"], indirect=True)
def test_usage_that_we_ask_for(served: Served, telemetry: Telemetry) -> None:
    """With `STREAM_USAGE=inject` the tokens are the server's, and the application sees the stream that it would have seen."""
    with openai.OpenAI(**served.settings()) as client:
        plain = list(client.chat.completions.create(**CHAT, stream=True))
    OpenAIInstrumentor().instrument(**telemetry.providers, host_providers=served.declared, stream_usage="inject")
    before = served.before()

    with openai.OpenAI(**served.settings()) as client:
        given = list(client.chat.completions.create(**CHAT, stream=True))

    found = telemetry.span.attributes
    usage = (found["gen_ai.usage.input_tokens"], found["gen_ai.usage.output_tokens"])
    counted = served.since(before, usage[1]) or served.says("/v1/chat/completions", CHAT)
    assert counted[:2] == usage
    assert _seen(plain) == _seen(given)


def _seen(chunks: list[Any]) -> tuple[Any, ...]:
    """What an application sees of a stream, wherever the server cuts it: its text, its ends, and whether it has usage."""
    choices = [choice for chunk in chunks for choice in chunk.choices]
    return (
        "".join(choice.delta.content or "" for choice in choices),
        [choice.finish_reason for choice in choices if choice.finish_reason],
        [chunk.usage is not None for chunk in chunks if not chunk.choices or chunk.usage],
    )


@pytest.mark.parametrize("served", ["llama", "litellm", "vllm", "transformers"], indirect=True)
def test_a_stream_left_early(served: Served, ask: Any, telemetry: Telemetry) -> None:
    """The call ends where the application stops reading: no error, what was received, and no reason."""
    with ask(served) as client:
        with client.chat.completions.create(**CHAT, stream=True) as stream:
            next(chunk for chunk in stream if chunk.choices and chunk.choices[0].delta.content)

    span = telemetry.span
    assert ("UNSET", ("error",)) == (
        span.status.status_code.name,
        span.attributes["gen_ai.response.finish_reasons"],
    )


def test_the_server_times_itself(llama: Served, ask: Any, telemetry: Telemetry) -> None:
    """The `timings` of llama.cpp, in milliseconds, are the server metrics, in seconds."""
    with ask(llama) as client:
        timings: Any = client.chat.completions.create(**CHAT).timings

    (first,) = telemetry.metrics["gen_ai.server.time_to_first_token"]
    (each,) = telemetry.metrics["gen_ai.server.time_per_output_token"]
    assert timings["prompt_ms"] / 1000 == first.sum
    assert timings["predicted_ms"] / 1000 / (timings["predicted_n"] - 1) == each.sum

"""The dialects of servers that speak OpenAI's API: what each says otherwise, plain and streamed, comes out as the same telemetry.

The bodies are written by hand from the servers' public references.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import openai
import pytest

from loopback import Json, Reply, Sse, Text
from loopback.openai_bodies import CHAT, chunk, completion
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

ID, SERVED, REASONS = "gen_ai.response.id", "gen_ai.response.model", "gen_ai.response.finish_reasons"
INPUT, OUTPUT = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"
CACHED, REASONING = "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.reasoning.output_tokens"
USAGE = {"prompt_tokens": 8, "completion_tokens": 3, "total_tokens": 11}
KNOWN = {ID: "chatcmpl-1", SERVED: "gpt-4o-mini-2024-07-18", REASONS: ("stop",), INPUT: 8, OUTPUT: 3}
HELLO = {"type": "text", "content": "Hello you"}


class Dialect(NamedTuple):
    """One of them.

    Attributes:
        plain: the body of a plain response.
        chunks: what is streamed instead.
        parts: of the message.
        changes: to what `KNOWN` says of the span; None for what is not there.
    """

    plain: Any
    chunks: Sequence[Any]
    parts: Sequence[Any] = (HELLO,)
    changes: Mapping[str, Any] = {}


def with_message(reason: Any = "stop", usage: Any = USAGE, **message: Any) -> dict[str, Any]:
    """A plain response."""
    choice = {"index": 0, "finish_reason": reason, "message": {"role": "assistant", **message}}
    return completion(choices=[choice], usage=usage)


def without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    """A body that lacks some members."""
    return {name: value for name, value in body.items() if name not in names}


def choice(**members: Any) -> list[dict[str, Any]]:
    """The choices of a chunk."""
    return [{"index": 0, "finish_reason": None, "delta": {}, **members}]


HELLO_CHUNKS = [chunk({"role": "assistant", "content": "Hello "}), chunk({"content": "you"})]
ENDED = chunk(reason="stop", usage=USAGE)
THOUGHT = {"type": "reasoning", "content": "They greet."}
WEATHER = {"type": "tool_call", "id": "a", "name": "weather", "arguments": {"city": "Paris"}}
TIME = {"type": "tool_call", "id": "b", "name": "time", "arguments": {"zone": "UTC"}}


def tool(piece: Mapping[str, Any], *, split: bool = False, **more: Any) -> dict[str, Any]:
    """A tool call as servers give it."""
    arguments = json.dumps(piece["arguments"])
    function = {"name": piece["name"], "arguments": "" if split else arguments}
    return {"id": piece["id"], "type": "function", "function": function, **more}


CALLED = with_message("tool_calls", content=None, tool_calls=[tool(WEATHER), tool(TIME)])
CALLING = {"parts": (WEATHER, TIME), "changes": {REASONS: ("tool_calls",)}}
CALLS_ENDED = chunk(reason="tool_calls", usage=USAGE)
DIALECTS = {
    "DeepSeek": Dialect(
        with_message(
            content="Hello you",
            reasoning_content="They greet.",
            usage={**USAGE, "prompt_cache_hit_tokens": 4, "prompt_cache_miss_tokens": 4},
        ),
        [
            chunk({"role": "assistant", "content": None, "reasoning_content": "They "}, usage=None),
            chunk({"content": None, "reasoning_content": "greet."}, usage=None),
            chunk({"content": "Hello you", "reasoning_content": None}, usage=None),
            chunk({"content": ""}, reason="stop", usage={**USAGE, "prompt_cache_hit_tokens": 4}),
        ],
        (THOUGHT, HELLO),
        {CACHED: 4},
    ),
    "DeepSeek, both words for its cache": Dialect(
        with_message(
            content="Hello you",
            usage={**USAGE, "prompt_cache_hit_tokens": 4, "prompt_tokens_details": {"cached_tokens": 4}},
        ),
        [
            *HELLO_CHUNKS,
            chunk(
                reason="stop",
                usage={**USAGE, "prompt_cache_hit_tokens": 4, "prompt_tokens_details": {"cached_tokens": 4}},
            ),
        ],
        changes={CACHED: 4},
    ),
    "vLLM": Dialect(
        {
            **with_message(content="Hello you", reasoning="They greet."),
            "kv_transfer_params": None,
            "prompt_logprobs": None,
        },
        [
            chunk({"role": "assistant", "content": "", "reasoning": None}, usage={**USAGE, "completion_tokens": 0}),
            chunk({"reasoning": "They greet."}, usage={**USAGE, "completion_tokens": 1}),
            chunk({"content": "Hello "}, usage={**USAGE, "completion_tokens": 2}),
            chunk(
                choices=choice(delta={"content": "you"}, finish_reason="stop", stop_reason=None, token_ids=None),
                usage=USAGE,
            ),
            chunk(choices=[], usage={**USAGE, "prompt_tokens_details": None}),
        ],
        (THOUGHT, HELLO),
    ),
    "vLLM, both words for reasoning": Dialect(
        with_message(content="Hello you", reasoning="They greet.", reasoning_content="They greet."),
        [chunk({"reasoning": "They greet.", "reasoning_content": "They greet."}), *HELLO_CHUNKS, ENDED],
        (THOUGHT, HELLO),
    ),
    "vLLM, older: an id for each piece of a tool call": Dialect(
        with_message("tool_calls", content=None, tool_calls=[tool(WEATHER)]),
        [
            chunk({"tool_calls": [{"index": 0, **tool(WEATHER, split=True)}]}),
            chunk({"tool_calls": [{"index": 0, "id": "b", "function": {"arguments": '{"city": '}}]}),
            chunk({"tool_calls": [{"index": 0, "id": "a", "function": {"arguments": '"Paris"}'}}]}),
            CALLS_ENDED,
        ],
        (WEATHER,),
        {REASONS: ("tool_calls",)},
    ),
    "Ollama": Dialect(
        with_message(content="Hello you", reasoning="They greet."),
        [chunk({"role": "assistant", "content": "", "reasoning": "They greet."}), *HELLO_CHUNKS, ENDED],
        (THOUGHT, HELLO),
    ),
    "llama.cpp": Dialect(
        {**with_message(content="Hello you", reasoning_content="They greet."), "timings": {"prompt_n": 1}},
        [
            chunk({"role": "assistant", "content": None}),
            chunk({"reasoning_content": "They greet."}),
            *HELLO_CHUNKS,
            chunk(reason="stop"),
            chunk(choices=[], usage=USAGE, timings={"prompt_n": 1}),
        ],
        (THOUGHT, HELLO),
    ),
    "Mistral": Dialect(
        with_message(
            "model_length",
            content=[
                {"type": "thinking", "thinking": [{"type": "text", "text": "They greet."}]},
                {"type": "text", "text": "Hello you"},
            ],
        ),
        [
            chunk(
                {
                    "role": "assistant",
                    "content": [{"type": "thinking", "thinking": [{"type": "text", "text": "They "}]}],
                }
            ),
            chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "greet."}]}]}),
            chunk({"content": "Hello "}),
            chunk({"content": "you"}, reason="model_length", usage=USAGE),
        ],
        (THOUGHT, HELLO),
        {REASONS: ("model_length",)},
    ),
    "Mistral, thinking in one text": Dialect(
        with_message(content=[{"type": "thinking", "thinking": "They greet."}, {"type": "text", "text": "Hello you"}]),
        [
            chunk({"role": "assistant", "content": [{"type": "thinking", "thinking": "They "}]}),
            chunk({"content": [{"type": "thinking", "thinking": "greet.", "closed": True}]}),
            *HELLO_CHUNKS,
            ENDED,
        ],
        (THOUGHT, HELLO),
    ),
    "Databricks": Dialect(
        with_message(
            content=[
                {"type": "reasoning", "summary": [{"type": "summary_text", "text": "They greet.", "signature": "x"}]},
                {"type": "text", "text": "Hello you"},
            ]
        ),
        [
            chunk({"content": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "They "}]}]}),
            chunk({"content": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "greet."}]}]}),
            *HELLO_CHUNKS,
            ENDED,
        ],
        (THOUGHT, HELLO),
    ),
    "OpenRouter": Dialect(
        {
            **with_message(
                content="Hello you",
                reasoning="They greet.",
                reasoning_details=[{"type": "reasoning.text", "text": "They greet."}],
                usage={**USAGE, "cost": 0.1, "completion_tokens_details": {"reasoning_tokens": 1}},
            ),
            "provider": "X",
        },
        [
            b": OPENROUTER PROCESSING\n\n",
            chunk(
                {"role": "assistant", "content": "", "reasoning": "They greet.", "reasoning_details": []}, provider="X"
            ),
            *HELLO_CHUNKS,
            chunk(choices=choice(finish_reason="stop", native_finish_reason="completed")),
            chunk(
                choices=choice(delta={"role": "assistant", "content": ""}),
                usage={**USAGE, "cost": 0.1, "completion_tokens_details": {"reasoning_tokens": 1}},
            ),
        ],
        (THOUGHT, HELLO),
        {REASONING: 1},
    ),
    "OpenRouter, thinking in its details alone": Dialect(
        with_message(
            content="Hello you",
            reasoning=None,
            reasoning_details=[
                {"type": "reasoning.summary", "summary": "They greet.", "index": 0},
                {"type": "reasoning.encrypted", "data": "c2VjcmV0", "index": 1},
            ],
        ),
        [
            chunk(
                {"content": "", "reasoning_details": [{"type": "reasoning.summary", "summary": "They ", "index": 0}]}
            ),
            chunk({"reasoning_details": [{"type": "reasoning.summary", "summary": "greet.", "index": 0}]}),
            chunk({"reasoning_details": [{"type": "reasoning.encrypted", "data": "c2VjcmV0", "index": 1}]}),
            *HELLO_CHUNKS,
            ENDED,
        ],
        (THOUGHT, HELLO),
    ),
    "MiniMax: each delta has the whole text so far": Dialect(
        with_message(
            content="Hello you",
            reasoning_details=[{"type": "reasoning.text", "id": "r-1", "index": 0, "text": "They greet."}],
        ),
        [
            chunk({"role": "assistant", "reasoning_details": [{"type": "reasoning.text", "index": 0, "text": "They"}]}),
            chunk({"reasoning_details": [{"type": "reasoning.text", "index": 0, "text": "They greet."}]}),
            chunk({"content": "Hel"}),
            chunk({"content": "Hello"}),
            chunk({"content": "Hello yo"}),
            chunk({"content": "Hello you"}),
            chunk({"content": "Hello you"}, reason="stop", usage=USAGE),
        ],
        (THOUGHT, HELLO),
    ),
    "the whole text once more at the end": Dialect(
        with_message(content="Hello you", reasoning_content="They greet."),
        [
            chunk({"reasoning_content": "They "}),
            chunk({"reasoning_content": "greet."}),
            chunk({"reasoning_content": "They greet."}),
            *HELLO_CHUNKS,
            chunk({"content": "Hello you"}, reason="stop", usage=USAGE),
        ],
        (THOUGHT, HELLO),
    ),
    "words that repeat what is there": Dialect(
        with_message(content="1100 ha haha 11"),
        [
            *(chunk({"content": piece}) for piece in ("1", "10", "0", " ha", " haha", " ", "1", "1")),
            ENDED,
        ],
        ({"type": "text", "content": "1100 ha haha 11"},),
    ),
    "one piece, again and again": Dialect(
        with_message(content="hahaha"),
        [*(chunk({"content": "ha"}) for _ in range(3)), ENDED],
        ({"type": "text", "content": "hahaha"},),
    ),
    "the deprecated form of a tool call": Dialect(
        with_message(
            "function_call", content=None, function_call={"name": "weather", "arguments": '{"city": "Paris"}'}
        ),
        [
            chunk({"role": "assistant", "content": None, "function_call": {"name": "weather", "arguments": ""}}),
            chunk({"function_call": {"arguments": '{"city": '}}),
            chunk({"function_call": {"name": "weather", "arguments": '"Paris"}'}}),
            chunk(reason="function_call", usage=USAGE),
        ],
        ({**WEATHER, "id": None},),
        {REASONS: ("function_call",)},
    ),
    "Gemini: one index for all tool calls": Dialect(
        CALLED,
        [
            chunk({"role": "assistant", "tool_calls": [{"index": 0, **tool(WEATHER)}]}, usage=USAGE),
            chunk({"tool_calls": [{"index": 0, **tool(TIME)}]}, usage=USAGE),
            CALLS_ENDED,
        ],
        **CALLING,
    ),
    "one index for all tool calls, and no ids": Dialect(
        with_message("tool_calls", content=None, tool_calls=[{**tool(WEATHER), "id": ""}, {**tool(TIME), "id": ""}]),
        [
            chunk({"tool_calls": [{"index": 0, **tool(WEATHER), "id": ""}]}),
            chunk({"tool_calls": [{"index": 0, **tool(TIME), "id": ""}]}),
            CALLS_ENDED,
        ],
        ({**WEATHER, "id": None}, {**TIME, "id": None}),
        {REASONS: ("tool_calls",)},
    ),
    **{
        f"{named} in each piece of a tool call, and an id {identity!r}": Dialect(
            CALLED,
            [
                chunk({"tool_calls": [{"index": 0, **tool(WEATHER, split=True)}]}),
                *(
                    chunk({"tool_calls": [{"index": 0, "id": identity, "function": {**name, "arguments": piece}}]})
                    for piece in ('{"city"', ': "Pa', 'ris"}')
                ),
                chunk({"tool_calls": [{"index": 1, **tool(TIME)}]}),
                CALLS_ENDED,
            ],
            **CALLING,
        )
        for named, name, identities in (
            ("the name", {"name": "weather"}, ("a", "", None, "null")),
            ("no name", {"name": None}, ("", None, "null", "call_2")),
            ("an empty name", {"name": ""}, ("", "null", "call_2")),
        )
        for identity in identities
    },
    "an id that comes after 'null'": Dialect(
        with_message("tool_calls", content=None, tool_calls=[tool(WEATHER)]),
        [
            chunk({"tool_calls": [{"index": 0, **tool(WEATHER, split=True), "id": "null"}]}),
            chunk({"tool_calls": [{"index": 0, "id": "a", "function": {"arguments": '{"city": "Paris"}'}}]}),
            CALLS_ENDED,
        ],
        (WEATHER,),
        {REASONS: ("tool_calls",)},
    ),
    "a tool call whose pieces have all that there is": Dialect(
        with_message("tool_calls", content=None, tool_calls=[tool(WEATHER)]),
        [
            *(
                chunk({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "weather", "arguments": piece}}]})
                for piece in ("", '{"city"', '{"city": "Paris"}')
            ),
            CALLS_ENDED,
        ],
        (WEATHER,),
        {REASONS: ("tool_calls",)},
    ),
    "no index at all": Dialect(
        CALLED,
        [chunk({"tool_calls": [tool(WEATHER)]}), chunk({"tool_calls": [tool(TIME)]}), CALLS_ENDED],
        **CALLING,
    ),
    "the same id in each piece": Dialect(
        CALLED,
        [
            chunk({"tool_calls": [{"index": 0, **tool(WEATHER, split=True)}]}),
            chunk(
                {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "", "arguments": '{"city": "Paris"}'}}]}
            ),
            chunk({"tool_calls": [{"index": 1, **tool(TIME, split=True)}]}),
            chunk(
                {"tool_calls": [{"index": 1, "id": "b", "function": {"name": None, "arguments": '{"zone": "UTC"}'}}]}
            ),
            CALLS_ENDED,
        ],
        **CALLING,
    ),
    "Perplexity: the message beside what is new, usage in each": Dialect(
        {**with_message(content="Hello you"), "citations": ["https://example.com"], "search_results": []},
        [
            {
                **chunk(
                    choices=choice(delta={"content": "Hello "}, message={"role": "assistant", "content": "Hello "})
                ),
                "object": "chat.completion",
                "usage": {**USAGE, "completion_tokens": 2},
            },
            {
                **chunk(
                    choices=choice(
                        delta={"content": "you"},
                        message={"role": "assistant", "content": "Hello you"},
                        finish_reason="stop",
                    )
                ),
                "usage": USAGE,
                "citations": ["https://example.com"],
            },
        ],
    ),
    "Groq: usage in a place of its own": Dialect(
        {**with_message(content="Hello you", usage={**USAGE, "queue_time": 0.1}), "x_groq": {"id": "req_1"}},
        [*HELLO_CHUNKS, chunk(reason="stop", x_groq={"id": "req_1", "usage": {**USAGE, "queue_time": 0.1}})],
    ),
    "Groq, asked for usage": Dialect(
        with_message(content="Hello you"),
        [*HELLO_CHUNKS, chunk(reason="stop", x_groq={"id": "req_1", "usage": USAGE}), chunk(choices=[], usage=USAGE)],
    ),
    "Moonshot: usage in the choice": Dialect(
        with_message(content="Hello you", usage={**USAGE, "cached_tokens": 4}),
        [*HELLO_CHUNKS, chunk(choices=choice(finish_reason="stop", usage={**USAGE, "cached_tokens": 4}))],
        changes={CACHED: 4},
    ),
    "details null": Dialect(
        with_message(
            content="Hello you", usage={**USAGE, "prompt_tokens_details": None, "completion_tokens_details": None}
        ),
        [
            *HELLO_CHUNKS,
            chunk(reason="stop", usage={**USAGE, "prompt_tokens_details": None, "completion_tokens_details": None}),
        ],
    ),
    "usage before the end": Dialect(
        with_message(content="Hello you"),
        [chunk({"role": "assistant", "content": "Hello "}, usage=USAGE), chunk({"content": "you"}, reason="stop")],
    ),
    "no ids": Dialect(
        {**with_message(content="Hello you"), "id": ""},
        [{**one, "id": ""} for one in [*HELLO_CHUNKS, ENDED]],
        changes={ID: None},
    ),
    "neither id nor model": Dialect(
        without(with_message(content="Hello you"), "id", "model", "object", "created"),
        [without(one, "id", "model", "object", "created") for one in [*HELLO_CHUNKS, ENDED]],
        changes={ID: None, SERVED: None},
    ),
    "an id that comes late": Dialect(
        with_message(content="Hello you"),
        [{**one, "id": None, "model": None} for one in HELLO_CHUNKS] + [ENDED],
    ),
    "another id in each chunk": Dialect(
        with_message(content="Hello you"),
        [HELLO_CHUNKS[0], {**HELLO_CHUNKS[1], "id": "chatcmpl-2"}, {**ENDED, "id": "chatcmpl-3"}],
    ),
    "no index of choices": Dialect(
        completion(choices=[{"finish_reason": "stop", "message": {"content": "Hello you"}}], usage=USAGE),
        [
            chunk(choices=[{"delta": {"content": "Hello "}}]),
            chunk(choices=[{"delta": {"content": "you"}, "finish_reason": "stop"}], usage=USAGE),
        ],
    ),
    "a finish reason that is empty until the end": Dialect(
        with_message(content="Hello you"),
        [*({**one, "choices": [{**one["choices"][0], "finish_reason": ""}]} for one in HELLO_CHUNKS), ENDED],
    ),
    "everything in one chunk": Dialect(
        with_message(content="Hello you"),
        [chunk({"role": "assistant", "content": "Hello you"}, reason="stop", usage=USAGE)],
    ),
    "extra members": Dialect(
        {**with_message(content="Hello you", mood="fine"), "request_id": "1", "metadata": {"a": [1]}},
        [*({**one, "request_id": "1", "metadata": {"a": [1]}} for one in HELLO_CHUNKS), ENDED],
    ),
}
DIALECTS |= {
    f"finished by {word}": Dialect(
        with_message(word, content="Hello you"),
        [*HELLO_CHUNKS, chunk(reason=word, usage=USAGE)],
        changes={REASONS: (word,)},
    )
    for word in ("eos", "eos_token", "stop_sequence", "max_tokens", "abort", "insufficient_system_resource", "SAFETY")
}


def recorded(telemetry: Any) -> tuple[Any, Any, Any]:
    """What of the one call does not depend on whether it was streamed."""
    attributes = dict(telemetry.span.attributes or {})
    output = json.loads(attributes.pop("gen_ai.output.messages"))
    for name in ("gen_ai.request.stream", "gen_ai.response.time_to_first_chunk"):
        attributes.pop(name, None)
    points = telemetry.metrics.get("gen_ai.client.token.usage", ())
    tokens = {point.attributes["gen_ai.token.type"]: point.sum for point in points}
    return attributes, output, tokens


@pytest.mark.parametrize("read", ["events", "lines"])
@pytest.mark.parametrize("name", DIALECTS)
def test_plain_and_streamed_tell_the_same(server, telemetry, openai_client, name, read):
    """Both as the dialect means it."""
    dialect = DIALECTS[name]
    server.reply(Json(dialect.plain), Sse(dialect.chunks))
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    client = openai_client()

    client.chat.completions.create(**CHAT)
    plain = recorded(telemetry)
    telemetry.clear()
    if read == "events":
        list(client.chat.completions.create(**CHAT, stream=True))
    else:
        with client.chat.completions.with_streaming_response.create(**CHAT, stream=True) as raw:
            raw.read()
    streamed = recorded(telemetry)

    expected = {**KNOWN, **dialect.changes}
    attributes, output, tokens = plain
    assert expected == {name: attributes.get(name) for name in expected}
    reason = expected[REASONS][0]
    assert [{"role": "assistant", "parts": list(dialect.parts), "finish_reason": reason}] == output
    assert {"input": 8, "output": 3} == tokens
    assert plain == streamed


@pytest.mark.parametrize("captured", ["no_content", "span_only"])
@pytest.mark.parametrize("name", DIALECTS)
def test_without_content_the_attributes_are_the_same(server, telemetry, openai_client, name, captured):
    """Streams are read in less detail then."""
    dialect = DIALECTS[name]
    server.reply(Sse(dialect.chunks))
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content=captured)

    list(openai_client().chat.completions.create(**CHAT, stream=True))

    expected = {**KNOWN, **dialect.changes}
    assert expected == {name: telemetry.span.attributes.get(name) for name in expected}


# Refusals that are not in OpenAI's words: answer, and `error.type`.
ERRORS: dict[str, tuple[Reply, str]] = {
    "OpenAI": (
        Json({"error": {"message": "No", "type": "invalid_request_error", "code": "bad_thing"}}, 400),
        "bad_thing",
    ),
    "llama.cpp": (
        Json({"error": {"code": 400, "message": "No", "type": "exceed_context_size_error", "n_ctx": 512}}, 400),
        "exceed_context_size_error",
    ),
    "vLLM": (
        Json({"error": {"message": "No", "type": "NotFoundError", "param": "model", "code": 404}}, 404),
        "NotFoundError",
    ),
    "vLLM, older": (
        Json({"object": "error", "message": "No", "type": "BadRequestError", "param": None, "code": 400}, 400),
        "BadRequestError",
    ),
    "Mistral": (
        Json(
            {
                "object": "error",
                "message": {"detail": [{"type": "missing"}]},
                "type": "invalid_request_error",
                "code": None,
            },
            422,
        ),
        "invalid_request_error",
    ),
    "LiteLLM": (
        Json({"error": {"message": "No", "type": "None", "param": "None", "code": "429"}}, 429),
        "openai.RateLimitError",
    ),
    "FastAPI": (Json({"detail": "Not Found"}, 404), "openai.NotFoundError"),
    "FastAPI, a list": (Json({"detail": [{"loc": ["body"], "msg": "No"}]}, 422), "openai.UnprocessableEntityError"),
    "an error of text": (Json({"error": "model not found"}, 404), "openai.NotFoundError"),
    "a message": (Json({"message": "No"}, 401), "openai.AuthenticationError"),
    "a list": (
        Json([{"error": {"code": 400, "message": "No", "status": "INVALID_ARGUMENT"}}], 400),
        "openai.BadRequestError",
    ),
    "a text": (Text("No", status=503), "openai.InternalServerError"),
    "HTML": (Text("<html>No</html>", "text/html", 502), "openai.InternalServerError"),
    "nothing": (Text("", status=500), "openai.InternalServerError"),
}


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("name", ERRORS)
def test_errors(server, telemetry, openai_client, name, stream):
    """The provider's own word where it has one, else the exception's name; plain and streamed alike."""
    reply, kind = ERRORS[name]
    server.reply(reply)
    OpenAIInstrumentor().instrument(**telemetry.providers)

    with pytest.raises(openai.APIStatusError) as raised:
        openai_client().chat.completions.create(**CHAT, stream=stream)

    span = telemetry.span
    assert kind == span.attributes["error.type"]
    assert "ERROR" == span.status.status_code.name
    assert raised.value.status_code == span.attributes["http.response.status_code"]
    (duration,) = telemetry.metrics["gen_ai.client.operation.duration"]
    assert kind == duration.attributes["error.type"]
    assert {"gen_ai.client.operation.duration"} == telemetry.metrics.keys()

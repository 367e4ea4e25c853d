"""Calls of Amazon Bedrock's runtime, with what it answers, and the ways to read what they give."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import botocore
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError
from botocore.session import Session

from loopback import Reply
from loopback.anthropic_bodies import message, text as text_block, text_events
from loopback.bedrock_bodies import begun, block, chunks, converse, ended, plain, raised, refused, stream, usage, words
from loopback.openai_bodies import chunk, completion

OLDEST = botocore.__version__.startswith("1.34.")
CLAUDE, NOVA = "anthropic.claude-sonnet-4-20250514-v1:0", "us.amazon.nova-lite-v1:0"
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6"
HI = [{"role": "user", "content": [{"text": "Hi"}]}]
KEYS = {"aws_access_key_id": "AKIDEXAMPLE0000EXAMPLE", "aws_secret_access_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLE"}


def client_of(url: str, service: str = "bedrock-runtime", *, attempts: int = 1, **more: Any) -> Any:
    """A client of a server on loopback, which has no configuration of this machine."""
    session = Session()
    session.set_config_variable("config_file", "/dev/null")
    session.set_config_variable("credentials_file", "/dev/null")
    config = Config(retries={"total_max_attempts": attempts, "mode": "standard"}, **more)
    return session.create_client(service, region_name="us-east-1", endpoint_url=url, config=config, **KEYS)


class Exchange(NamedTuple):
    """A call: the method, its arguments, what is answered; ``body`` is of InvokeModel, in JSON."""

    method: str
    arguments: Mapping[str, Any]
    reply: Reply
    body: Any = None

    def make(self, client: Any) -> Any:
        """Make the call. It is skipped where the oldest release knows the operation or a parameter not yet."""
        body = {} if self.body is None else {"body": json.dumps(self.body)}
        if OLDEST and not hasattr(client, self.method):
            pytest.skip(f"this botocore has no {self.method}")
        try:
            return getattr(client, self.method)(**self.arguments, **body)
        except ParamValidationError as error:
            if not OLDEST:
                raise
            pytest.skip(f"this botocore does not know it: {error}")


def read(result: Any) -> Any:
    """Read what a call gives to its end. What differs from run to run is left out."""
    held = {name: value for name, value in result.items() if name != "ResponseMetadata"}
    status = result["ResponseMetadata"]["HTTPStatusCode"]
    if "stream" in held:
        return status, {**held, "stream": [*held["stream"]]}
    if "body" in held:
        body = held["body"]
        return status, {**held, "body": body.read() if hasattr(body, "read") else [*body]}
    return status, held


PIXEL = bytes(range(64))
TOOLS = {
    "tools": [
        {
            "toolSpec": {
                "name": "weather",
                "description": "The weather of a city",
                "inputSchema": {"json": {"type": "object", "properties": {"city": {"type": "string"}}}},
            }
        },
        {"systemTool": {"name": "nova_grounding"}},
        {"cachePoint": {"type": "default"}},
    ]
}
EVERYTHING = [
    {
        "role": "user",
        "content": [
            {"text": "What is this?"},
            {"image": {"format": "png", "source": {"bytes": PIXEL}}},
            {"image": {"format": "jpeg", "source": {"s3Location": {"uri": "s3://bucket/cat.jpg"}}}},
            {"document": {"format": "pdf", "name": "Report", "source": {"bytes": b"%PDF"}, "context": "of May"}},
            {"document": {"format": "txt", "name": "Note", "source": {"text": "It rains."}}},
            {"document": {"format": "txt", "name": "Parts", "source": {"content": [{"text": "One."}]}}},
            {"video": {"format": "three_gp", "source": {"s3Location": {"uri": "s3://bucket/film.3gp"}}}},
            {"audio": {"format": "wav", "source": {"bytes": b"RIFF"}}},
            {"guardContent": {"text": {"text": "Look at this.", "qualifiers": ["query"]}}},
            {"guardContent": {"image": {"format": "png", "source": {"bytes": PIXEL}}}},
            {"searchResult": {"source": "https://a.example", "title": "A", "content": [{"text": "Found"}]}},
            {"toolAddition": {"tool": {"type": "tool", "name": "clock"}}},
            {"cachePoint": {"type": "default"}},
        ],
    },
    {
        "role": "assistant",
        "content": [
            {"reasoningContent": {"reasoningText": {"text": "Hm", "signature": "c2ln"}}},
            {"reasoningContent": {"redactedContent": b"encrypted"}},
            {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Oslo"}}},
        ],
    },
    {
        "role": "user",
        "content": [
            {"toolResult": {"toolUseId": "t1", "content": [{"json": {"degrees": 3}}], "status": "success"}},
            {"toolResult": {"toolUseId": "t2", "content": [{"text": "no"}], "status": "error"}},
            {
                "toolResult": {
                    "toolUseId": "t3",
                    "content": [{"text": "Seen"}, {"image": {"format": "png", "source": {"bytes": PIXEL}}}],
                }
            },
        ],
    },
]
STRUCTURE = {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": "{}"}}}, "effort": "low"}
CITED = {
    "citationsContent": {
        "content": [{"text": "It rains."}],
        "citations": [{"title": "Note", "sourceContent": [{"text": "It rains."}]}],
    }
}
GUARDED = {"guardrailIdentifier": "gr-1", "guardrailVersion": "1", "trace": "enabled"}
BLOCKED = {"guardrail": {"actionReason": "Guardrail blocked.", "modelOutput": ["bad"]}}
ASKED = {"messages": [{"role": "user", "content": "Hi"}]}
CLAUDE_BODY = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 100,
    "system": "Be kind",
    "temperature": 0.5,
    "top_k": 5,
    **ASKED,
}
NOVA_BODY = {
    "schemaVersion": "messages-v1",
    "system": [{"text": "Be kind"}],
    "messages": HI,
    "inferenceConfig": {"maxTokens": 100, "topK": 20, "temperature": 0.5},
}
TITAN_BODY = {
    "inputText": "Hi",
    "textGenerationConfig": {"maxTokenCount": 100, "temperature": 0.5, "topP": 0.9, "stopSequences": ["|"]},
}
LLAMA_BODY = {"prompt": "Hi", "max_gen_len": 100, "temperature": 0.5, "top_p": 0.9}
MISTRAL_BODY = {"prompt": "<s>[INST] Hi [/INST]", "max_tokens": 100, "top_k": 50, "stop": ["</s>"]}
COHERE_BODY = {
    "message": "Is it sunny?",
    "chat_history": [
        {"role": "USER", "message": "Hi"},
        {"role": "CHATBOT", "message": "Hello"},
    ],
    "preamble": "Be kind",
    "max_tokens": 100,
    "p": 0.9,
    "k": 5,
    "response_format": {"type": "json_object"},
    "tools": [{"name": "weather", "description": "The weather", "parameter_definitions": {"city": {"type": "str"}}}],
    "tool_results": [{"call": {"name": "weather", "parameters": {}}, "outputs": [{"sunny": True}]}],
}
COHERE_ANSWER = {
    "response_id": "r-1",
    "text": "Yes",
    "generation_id": "g-1",
    "finish_reason": "COMPLETE",
    "tool_calls": [{"name": "weather", "parameters": {"city": "Oslo"}}],
}
COUNTED = {"input-token-count": 11, "output-token-count": 7, "invocation-latency": 900}
NOVA_ANSWER = {name: value for name, value in converse({"text": "Hello"}).items() if name != "metrics"}
MISTRAL_CHOICE = {"index": 0, "message": {"role": "assistant", "content": "Hello"}, "stop_reason": "stop"}
TOOL_START = {"toolUse": {"toolUseId": "t1", "name": "weather"}}
SEARCHED = {"toolUse": {"toolUseId": "s1", "name": "nova_grounding", "type": "server_tool_use"}}
FOUND = {"toolResult": {"toolUseId": "s1", "type": "nova_grounding_result", "status": "success"}}


def _invoked(model: str, body: Any, reply: Reply, **more: Any) -> Exchange:
    return Exchange("invoke_model", {"modelId": model, **more}, reply, body)


def _streamed(model: str, body: Any, *contents: Any, **more: Any) -> Exchange:
    return Exchange("invoke_model_with_response_stream", {"modelId": model, **more}, chunks(*contents), body)


EXCHANGES: dict[str, Exchange] = {
    "converse": Exchange(
        "converse",
        {
            "modelId": CLAUDE,
            "messages": HI,
            "system": [{"text": "Be kind"}],
            "inferenceConfig": {"maxTokens": 100, "temperature": 0.5, "topP": 0.75, "stopSequences": ["|"]},
            "additionalModelRequestFields": {"top_k": 20},
        },
        plain(converse({"text": "Hello"})),
    ),
    "converse_everything": Exchange(
        "converse",
        {"modelId": PROFILE, "messages": EVERYTHING, "toolConfig": TOOLS, "outputConfig": STRUCTURE},
        plain(
            converse(
                {"reasoningContent": {"reasoningText": {"text": "Hm"}}},
                CITED,
                {"toolUse": {"toolUseId": "t4", "name": "weather", "input": {"city": "Bergen"}}},
                reason="tool_use",
                usage=usage(11, 7, read=100, written=20),
                trace={"promptRouter": {"invokedModelId": "anthropic.claude-3-haiku"}},
            )
        ),
    ),
    "converse_guardrail": Exchange(
        "converse",
        {"modelId": NOVA, "messages": HI, "guardrailConfig": GUARDED},
        plain(converse({"text": "Sorry."}, reason="guardrail_intervened", trace=BLOCKED)),
    ),
    "converse_filtered": Exchange(
        "converse", {"modelId": NOVA, "messages": HI}, plain(converse(reason="content_filtered"))
    ),
    "converse_stream": Exchange("converse_stream", {"modelId": CLAUDE, "messages": HI}, words("Hel", "lo")),
    "converse_stream_everything": Exchange(
        "converse_stream",
        {"modelId": NOVA, "messages": HI, "toolConfig": TOOLS},
        stream(
            begun(),
            *block(0, *({"reasoningContent": {"text": text}} for text in ("H", "m"))),
            *block(1, {"text": "It "}, {"text": "rains."}, {"citation": {"title": "Note"}}),
            *block(2, {"toolUse": {"input": '{"city": '}}, {"toolUse": {"input": '"Oslo"}'}}, start=TOOL_START),
            *block(3, {"toolUse": {"input": '{"query": "rain"}'}}, start=SEARCHED),
            *block(4, {"toolResult": [{"text": "We"}, {"text": "t"}, {"json": {"n": 1}}]}, start=FOUND),
            *block(5, {"reasoningContent": {"redactedContent": "ZW5j"}}),
            *block(6, {"image": {"source": {"bytes": "AAEC"}}}, start={"image": {"format": "png"}}),
            *ended("tool_use", usage=usage(11, 7, read=100, written=20)),
        ),
    ),
    "count_tokens": Exchange(
        "count_tokens", {"modelId": CLAUDE, "input": {"converse": {"messages": HI}}}, plain({"inputTokens": 9})
    ),
    "anthropic": _invoked(CLAUDE, CLAUDE_BODY, plain(message(text_block("Hello")), counts=COUNTED)),
    "anthropic_stream": _streamed(CLAUDE, CLAUDE_BODY, *text_events("Hel", "lo")),
    "anthropic_guardrail": _invoked(
        CLAUDE,
        CLAUDE_BODY,
        plain({**message(text_block("Sorry.")), "amazon-bedrock-guardrailAction": "INTERVENED"}, counts=COUNTED),
        guardrailIdentifier="gr-1",
        guardrailVersion="1",
    ),
    "nova": _invoked(NOVA, NOVA_BODY, plain(NOVA_ANSWER, counts=COUNTED)),
    "nova_stream": _streamed(
        NOVA,
        NOVA_BODY,
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"delta": {"text": "Hel"}, "contentBlockIndex": 0}},
        {"contentBlockDelta": {"delta": {"text": "lo"}, "contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "end_turn"}},
        {"metadata": {"usage": usage()}},
    ),
    "titan": _invoked(
        "amazon.titan-text-express-v1",
        TITAN_BODY,
        plain(
            {
                "inputTextTokenCount": 11,
                "results": [{"tokenCount": 7, "outputText": "Hello", "completionReason": "FINISH"}],
            },
            counts=COUNTED,
        ),
    ),
    "titan_stream": _streamed(
        "amazon.titan-text-express-v1",
        TITAN_BODY,
        {"outputText": "Hel", "index": 0, "inputTextTokenCount": 11},
        {"outputText": "lo", "index": 0, "totalOutputTextTokenCount": 7, "completionReason": "LENGTH"},
    ),
    "titan_embeddings": _invoked(
        "amazon.titan-embed-text-v2:0",
        {"inputText": "Hi", "dimensions": 256, "embeddingTypes": ["float"]},
        plain({"embedding": [0.5, 0.25], "inputTextTokenCount": 2}, counts={"input-token-count": 2}),
    ),
    "cohere_embeddings": _invoked(
        "cohere.embed-multilingual-v3",
        {"texts": ["Hi"], "input_type": "search_query", "embedding_types": ["float", "int8"]},
        plain({"id": "e-1", "embeddings": {"float": [[0.5]]}, "texts": ["Hi"]}, counts={"input-token-count": 2}),
    ),
    "cohere": _invoked("cohere.command-r-v1:0", COHERE_BODY, plain(COHERE_ANSWER, counts=COUNTED)),
    "cohere_stream": _streamed(
        "cohere.command-r-v1:0",
        COHERE_BODY,
        {"event_type": "stream-start", "is_finished": False},
        {"event_type": "text-generation", "text": "Y", "is_finished": False},
        {"event_type": "text-generation", "text": "es", "is_finished": False},
        {"event_type": "tool-calls-generation", "tool_calls": COHERE_ANSWER["tool_calls"], "is_finished": False},
        {"event_type": "stream-end", "finish_reason": "COMPLETE", "response": COHERE_ANSWER, "is_finished": True},
    ),
    "command": _invoked(
        "cohere.command-text-v14",
        {"prompt": "Hi", "num_generations": 2, "p": 0.9},
        plain(
            {
                "id": "c-1",
                "generations": [
                    {"text": "Hello", "finish_reason": "COMPLETE"},
                    {"text": "Hi", "finish_reason": "ERROR_TOXIC"},
                ],
            },
            counts=COUNTED,
        ),
    ),
    "llama": _invoked(
        "meta.llama3-70b-instruct-v1:0",
        LLAMA_BODY,
        plain(
            {"generation": "Hello", "prompt_token_count": 11, "generation_token_count": 7, "stop_reason": "length"},
            counts=COUNTED,
        ),
    ),
    "llama_images": _invoked(
        "meta.llama3-2-11b-instruct-v1:0",
        {**LLAMA_BODY, "images": ["AAECAw=="]},
        plain({"generation": "Hello", "prompt_token_count": 11, "generation_token_count": 7, "stop_reason": "stop"}),
    ),
    "llama_stream": _streamed(
        "meta.llama3-70b-instruct-v1:0",
        LLAMA_BODY,
        {"generation": "Hel", "prompt_token_count": 11, "generation_token_count": 1, "stop_reason": None},
        {"generation": "lo", "prompt_token_count": None, "generation_token_count": 7, "stop_reason": "stop"},
    ),
    "mistral": _invoked(
        "mistral.mistral-7b-instruct-v0:2",
        MISTRAL_BODY,
        plain({"outputs": [{"text": "Hello", "stop_reason": "stop"}]}, counts=COUNTED),
    ),
    "mistral_stream": _streamed(
        "mistral.mistral-7b-instruct-v0:2",
        MISTRAL_BODY,
        {"outputs": [{"text": "Hel", "stop_reason": None}]},
        {"outputs": [{"text": "lo", "stop_reason": "stop"}]},
    ),
    "mistral_chat": _invoked(
        "mistral.mistral-large-2407-v1:0",
        {**ASKED, "max_tokens": 100},
        plain({"choices": [MISTRAL_CHOICE]}, counts=COUNTED),
    ),
    "mistral_chat_stream": _streamed(
        "mistral.mistral-large-2407-v1:0",
        {**ASKED, "max_tokens": 100},
        {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hel"}, "stop_reason": None}]},
        {"choices": [{"index": 0, "message": {"role": "assistant", "content": "lo"}, "stop_reason": "stop"}]},
    ),
    "deepseek": _invoked(
        "us.deepseek.r1-v1:0",
        {"prompt": "Hi", "max_tokens": 100},
        plain({"choices": [{"text": "Hello", "stop_reason": "stop"}]}, counts=COUNTED),
    ),
    "gpt_oss": _invoked(
        "openai.gpt-oss-20b-1:0",
        {**ASKED, "model": "openai.gpt-oss-20b-1:0", "max_completion_tokens": 100, "reasoning_effort": "low"},
        plain(completion(), counts=COUNTED),
    ),
    "gpt_oss_stream": _streamed(
        "openai.gpt-oss-20b-1:0",
        ASKED,
        chunk({"role": "assistant", "content": "Hel"}),
        chunk({"content": "lo"}),
        chunk(reason="stop"),
    ),
    "stability": _invoked(
        "stability.stable-image-core-v1:1",
        {"prompt": "A cat", "seed": 3},
        plain({"images": ["AAECAw==", None], "seeds": [3, 4], "finish_reasons": [None, "Filter reason: output image"]}),
    ),
    "canvas": _invoked(
        "amazon.nova-canvas-v1:0",
        {
            "taskType": "TEXT_IMAGE",
            "textToImageParams": {"text": "A cat"},
            "imageGenerationConfig": {"numberOfImages": 2, "seed": 3},
        },
        plain({"images": ["AAECAw==", "AAEC"]}),
    ),
    "unknown": _invoked(PROFILE, {"something": "else"}, plain({"anything": 1}, counts=COUNTED)),
    "unknown_stream": _streamed(PROFILE, {"something": "else"}, {"anything": 1}),
}


def whole_of(exchange: Exchange) -> Callable[[Any], Any]:
    """Make a call, and read what it gives to its end."""
    return lambda client: read(exchange.make(client))


def _raised(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Make a call that fails; what the SDK raises is its result."""

    def failing(client: Any) -> Any:
        try:
            return make(client)
        except ClientError as error:
            return type(error).__name__, str(error)

    return failing


def _left(client: Any) -> Any:
    stream = EXCHANGES["converse_stream"].make(client)["stream"]
    first = next(iter(stream))
    stream.close()
    return first


def _dropped(client: Any) -> None:
    iterator = iter(EXCHANGES["converse_stream"].make(client)["stream"])
    next(iterator)


def _body(read_all: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda client: read_all(EXCHANGES["llama"].make(client)["body"])


def _into(body: Any) -> bytes:
    buffer, found = bytearray(7), b""
    while size := body.readinto(buffer):
        found += buffer[:size]
    return found


def _within(read_all: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def reading(body: Any) -> Any:
        with body as raw:
            return read_all(raw)

    return reading


_LLAMA, _STREAM = EXCHANGES["llama"].reply, EXCHANGES["converse_stream"].reply
READ: dict[str, tuple[Reply, Callable[[Any], Any]]] = {
    "a plain response": (EXCHANGES["converse"].reply, whole_of(EXCHANGES["converse"])),
    "a stream": (_STREAM, whole_of(EXCHANGES["converse_stream"])),
    "bytes": (_LLAMA, whole_of(EXCHANGES["llama"])),
    "a stream of a model": (EXCHANGES["llama_stream"].reply, whole_of(EXCHANGES["llama_stream"])),
    "a stream that is closed": (_STREAM, _left),
    "a stream that is dropped": (_STREAM, _dropped),
    "a stream that fails": (
        stream(begun(), raised("throttlingException", "slow down")),
        _raised(whole_of(EXCHANGES["converse_stream"])),
    ),
    "a refusal": (refused("ValidationException", "no", 400), _raised(whole_of(EXCHANGES["converse"]))),
    "bytes by pieces": (_LLAMA, _body(lambda body: [*body.iter_chunks(9)])),
    "bytes into a buffer": (_LLAMA, _body(_into)),
    "bytes by lines": (_LLAMA, _body(lambda body: body.readlines())),
    "bytes within": (_LLAMA, _body(_within(lambda raw: raw.read()))),
    "bytes within, by pieces": (_LLAMA, _body(_within(lambda raw: [*raw.stream(9)]))),
    "bytes within, by lines": (_LLAMA, _body(_within(lambda raw: [*raw]))),
    "bytes that are closed": (_LLAMA, _body(lambda body: body.close())),
    "bytes within that are closed": (_LLAMA, _body(_within(lambda raw: raw.close()))),
}
"""Ways to make calls and to read what they give: the reply, and what makes the call."""

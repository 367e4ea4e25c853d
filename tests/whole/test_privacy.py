"""Nothing secret leaves the process: what is planted in a call is looked for in every byte that was exported."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from loopback import Json, Sse
from loopback.exported import Exported
from loopback.openai_bodies import MODEL, chunk, completion, error, response
from loopback.processes import run
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

KEY = "sk-proj-planted0key0ABCDEF"
FILE = base64.b64encode(b"planted bytes of a file " * 20).decode()
# What the application says and what it is answered.
CONTENT = {
    "prompt": "planted-prompt",
    "system prompt": "planted-system",
    "history": "planted-history",
    "tool description": "planted-tool-description",
    "tool parameter": "planted_tool_parameter",
    "tool arguments": "planted-tool-arguments",
    "tool result": "planted-tool-result",
    "completion": "planted-completion",
    "refusal": "planted-refusal",
    "reasoning": "planted-reasoning",
}
# What is nobody's content: telemetry has no place for it, captured or not.
NEVER = {
    "key": KEY,
    "key without its prefix": KEY[8:],
    "organization": "org-planted",
    "project": "proj_planted",
    "header": "planted-header",
    "default header": "planted-default-header",
    "cookie": "planted-cookie",
    "query": "planted-query",
    "response header": "planted-response-header",
    "file": FILE,
    "bytes of the file": "planted bytes of a file",
    "user": "planted-user",
    "metadata": "planted-metadata",
    "extra body": "planted-extra-body",
    "schema": "planted_schema",
    "logit bias": "50256",
}
TOOL = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": CONTENT["tool description"],
        "parameters": {"type": "object", "properties": {CONTENT["tool parameter"]: {"type": "string"}}},
    },
}
CALLED = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "look_up", "arguments": json.dumps({"a": CONTENT["tool arguments"]})},
}
MESSAGES = [
    {"role": "system", "content": CONTENT["system prompt"]},
    {"role": "assistant", "content": CONTENT["history"], "tool_calls": [CALLED]},
    {"role": "tool", "tool_call_id": "call_1", "content": CONTENT["tool result"]},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": CONTENT["prompt"]},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{FILE}"}},
            {"type": "input_audio", "input_audio": {"data": FILE, "format": "wav"}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{FILE}"}},
        ],
    },
]
REQUEST: dict[str, Any] = {
    "model": MODEL,
    "messages": MESSAGES,
    "tools": [TOOL],
    "user": NEVER["user"],
    "logit_bias": {NEVER["logit bias"]: 1},
    "response_format": {"type": "json_schema", "json_schema": {"name": NEVER["schema"], "schema": {"type": "object"}}},
    "extra_headers": {"X-Planted": NEVER["header"], "Cookie": NEVER["cookie"]},
    "extra_query": {"q": NEVER["query"]},
    "extra_body": {"metadata": {"m": NEVER["metadata"]}, "planted": NEVER["extra body"]},
}
MESSAGE = {
    "role": "assistant",
    "content": CONTENT["completion"],
    "refusal": CONTENT["refusal"],
    "reasoning_content": CONTENT["reasoning"],
    "tool_calls": [CALLED],
}
COMPLETION = completion(choices=[{"index": 0, "finish_reason": "stop", "message": MESSAGE}])
CHUNKS = [chunk({**MESSAGE, "tool_calls": [{"index": 0, **CALLED}]}), chunk(reason="stop")]
HEADERS = {"x-planted": NEVER["response header"], "set-cookie": NEVER["cookie"], "x-request-id": "req_1"}
QUOTING = " ".join((*CONTENT.values(), KEY, NEVER["organization"]))


@pytest.fixture
def exported(receiver) -> Iterator[Exported]:
    """Instrument with its providers."""
    everything = Exported(receiver)
    yield everything
    OpenAIInstrumentor().uninstrument()
    everything.shutdown()


def plain(server, client: Any) -> None:
    """A call that goes well."""
    server.reply(Json(COMPLETION, headers=HEADERS))
    client.chat.completions.create(**REQUEST)


def raw(server, client: Any) -> None:
    """The same, raw."""
    server.reply(Json(COMPLETION, headers=HEADERS))
    client.chat.completions.with_raw_response.create(**REQUEST)


def streamed(server, client: Any) -> None:
    """The same, streamed."""
    server.reply(Sse(CHUNKS, headers=HEADERS))
    list(client.chat.completions.create(**REQUEST, stream=True))


def refused(server, client: Any) -> None:
    """A refusal that quotes all of it."""
    server.reply(Json(error(QUOTING, "invalid_prompt"), 400, HEADERS))
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(**REQUEST)


def broken_off(server, client: Any) -> None:
    """A stream in which the server reports a failure that quotes all of it."""
    server.reply(Sse([*CHUNKS[:1], error(QUOTING, "server_error")], headers=HEADERS))
    with pytest.raises(openai.APIError):
        list(client.chat.completions.create(**REQUEST, stream=True))


def misunderstood(server, client: Any) -> None:
    """An answer that is no JSON and quotes all of it."""
    server.reply(Json(None, headers={**HEADERS, "content-type": "application/json"}, end="early", sent=1))
    with pytest.raises(json.JSONDecodeError):
        client.chat.completions.create(**REQUEST)


def failing_in_the_application(server, client: Any) -> None:
    """An exception of the application's own, in the SDK's work, which quotes all of it."""
    quoting = ValueError(QUOTING)

    def fail(_request: Any) -> None:
        raise quoting

    client._client.event_hooks = {"request": [fail]}
    with pytest.raises((ValueError, openai.APIConnectionError)):
        client.chat.completions.create(**REQUEST)


def completed(server, client: Any) -> None:
    """A legacy completion."""
    server.reply(Json(completion(choices=[{"index": 0, "finish_reason": "stop", "text": CONTENT["completion"]}])))
    client.completions.create(model=MODEL, prompt=CONTENT["prompt"], suffix=CONTENT["history"], user=NEVER["user"])


def embedded(server, client: Any) -> None:
    """Embeddings."""
    server.reply(Json({"object": "list", "model": MODEL, "data": [], "usage": {"prompt_tokens": 1, "total_tokens": 1}}))
    client.embeddings.create(model=MODEL, input=[CONTENT["prompt"]], user=NEVER["user"], encoding_format="float")


CALLS = [
    plain,
    raw,
    streamed,
    refused,
    broken_off,
    misunderstood,
    failing_in_the_application,
    completed,
    embedded,
]


@pytest.fixture
def planting_client(openai_client) -> Any:
    """A client with secrets in every setting that takes one."""
    return openai_client(
        api_key=KEY,
        organization=NEVER["organization"],
        project=NEVER["project"],
        default_headers={"X-Default": NEVER["default header"]},
        default_query={"d": NEVER["query"]},
    )


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
@pytest.mark.parametrize("settings", [{}, {"emit_event": True}], ids=["", "with the event"])
def test_by_default_nothing_leaves(server, exported, planting_client, call, settings):
    """Neither content nor anything else that was planted is in any exported byte, with the details event neither."""
    OpenAIInstrumentor().instrument(**exported.providers, **settings)

    call(server, planting_client)

    assert set() == exported.found(CONTENT | NEVER)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_with_content_no_secret_leaves(server, exported, planting_client, call):
    """With content captured everywhere, keys, headers, parameters and bytes of files stay out of it still."""
    OpenAIInstrumentor().instrument(**exported.providers, capture_message_content="span_and_event")

    call(server, planting_client)

    quoted = {"organization"} if call in (refused, broken_off, failing_in_the_application) else set()
    assert exported.found(NEVER) <= quoted


# The signal that carries content, and the one that does not.
CARRIERS = {"span_only": ("spans", "logs"), "event_only": ("logs", "spans")}


@pytest.mark.parametrize("call", [plain, raw, streamed], ids=lambda call: call.__name__)
@pytest.mark.parametrize("mode", CARRIERS)
def test_content_is_where_it_belongs(server, exported, planting_client, call, mode):
    """All of it in the signal that was chosen, and none of it in the other, nor in metrics."""
    OpenAIInstrumentor().instrument(**exported.providers, capture_message_content=mode, emit_event=True)
    carrier, other = CARRIERS[mode]

    call(server, planting_client)

    assert set(CONTENT) == exported.found(CONTENT, carrier)
    assert set() == exported.found(CONTENT, other)
    assert set() == exported.found(CONTENT, "metrics")


@pytest.mark.parametrize("call", [refused, broken_off], ids=lambda call: call.__name__)
@pytest.mark.parametrize("mode", CARRIERS)
def test_messages_of_errors_are_where_content_is(server, exported, planting_client, call, mode):
    """A provider's words that quote the prompt are content, in description, message and stack trace."""
    OpenAIInstrumentor().instrument(**exported.providers, capture_message_content=mode)

    call(server, planting_client)

    assert set() == exported.found(CONTENT, CARRIERS[mode][1])


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("mode", ["no_content", "span_only", "event_only"])
def test_responses(server, exported, planting_client, mode, stream):
    """The Responses API as well: its responses repeat the request."""
    if not hasattr(planting_client, "responses"):
        pytest.skip("this SDK has no responses")
    repeated = response(
        CONTENT["completion"],
        instructions=CONTENT["system prompt"],
        tools=[{"type": "function", "name": "look_up", "description": CONTENT["tool description"], "parameters": {}}],
        metadata={"m": NEVER["metadata"]},
        user=NEVER["user"],
    )
    events = [{"type": "response.created", "response": repeated}, {"type": "response.completed", "response": repeated}]
    server.reply(Sse(events, event_names=True) if stream else Json(repeated))
    OpenAIInstrumentor().instrument(**exported.providers, capture_message_content=mode)

    answer = planting_client.responses.create(
        model=MODEL,
        instructions=CONTENT["system prompt"],
        input=[{"role": "user", "content": [{"type": "input_text", "text": CONTENT["prompt"]}]}],
        metadata={"m": NEVER["metadata"]},
        stream=stream,
    )
    if stream:
        list(answer)

    expected = set() if mode == "no_content" else {"prompt", "system prompt", "completion"}
    assert expected == exported.found(CONTENT) - {"tool description"}
    assert set() == exported.found(CONTENT, "logs" if mode == "span_only" else "spans")
    assert set() == exported.found(NEVER)


def test_what_is_logged_about_errors_of_ours_quotes_nothing(server, exported, planting_client, caplog, monkeypatch):
    """Should we fail, the log says where, and not on what: a message could quote the call."""
    monkeypatch.setattr("opentelemetry_instrumentation_genai._runtime.guard.strict", False)
    monkeypatch.setattr("opentelemetry_instrumentation_genai._runtime.guard._reported", set())

    class Broken(dict[str, Any]):
        """A message of the caller's that only the SDK can read."""

        def get(self, *_: Any) -> Any:
            raise LookupError(QUOTING)

    OpenAIInstrumentor().instrument(**exported.providers, capture_message_content="span_and_event")
    server.reply(Json(COMPLETION))
    body = {"model": MODEL, "messages": [Broken(role="user", content=CONTENT["prompt"])]}
    planting_client.post("/chat/completions", body=body, cast_to=object)

    assert CONTENT["prompt"] not in caplog.text
    assert [CONTENT["prompt"]] == [message["content"] for message in server.requests[0].json["messages"]]


@pytest.mark.process
def test_zero_code_exports_no_secret(tmp_path, server, receiver):
    """The same from outside: an application under `opentelemetry-instrument`, its literals in its source included."""
    server.reply(Json(COMPLETION, headers=HEADERS), Json(error(QUOTING), 400))
    program = f"""
import openai

client = openai.OpenAI(api_key="{KEY}", organization="{NEVER["organization"]}", base_url="{server.url}/v1", max_retries=0)
ask = client.chat.completions.create
ask(model="{MODEL}", messages=[dict(role="user", content="{CONTENT["prompt"]}")])
try:
    ask(model="{MODEL}", messages=[dict(role="user", content="{CONTENT["prompt"]}")])
except openai.BadRequestError as error:
    print(error.status_code)
"""

    assert (["400"], []) == run(tmp_path, program, instrumented=True, **receiver.environment())

    assert 2 == len(receiver.spans)
    assert [] == [name for name, text in (CONTENT | NEVER).items() if text.encode() in receiver.raw]


def test_the_planted_texts_would_be_found(server, exported, planting_client):
    """What the tests look for is in what the server received, or else they would look for nothing."""
    plain(server, planting_client)

    (request,) = server.requests
    sent = f"{request.path} {request.headers}".encode() + request.body
    absent = {name for name, text in (CONTENT | NEVER).items() if text.encode() not in sent}
    answered = {"completion", "refusal", "reasoning", "response header"}
    assert answered | {"bytes of the file"} == absent  # of which the base64 is sent

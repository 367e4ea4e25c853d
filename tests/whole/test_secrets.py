"""Ten thousand secrets in every place where content can travel, and not a piece of one in the bytes of an OTLP receiver."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import anthropic
import ollama
import openai
import pytest
from typing_extensions import Self

from loopback import Json, ModelServer, Ndjson, Sse, anthropic_bodies, openai_bodies
from loopback.exported import Exported
from opentelemetry_instrumentation_genai import AnthropicInstrumentor, OllamaInstrumentor, OpenAIInstrumentor
from planted import GRAMMARS, Planter, leaks

pytestmark = pytest.mark.exhaustive

OURS = "opentelemetry_instrumentation_genai"
INSTRUMENTORS = (OpenAIInstrumentor, AnthropicInstrumentor, OllamaInstrumentor)
# Room for all of it, so that nothing is left out but by redaction.
ROOM = {"content_budget": "64MiB"}


class Talk:
    """What the calls have in common: a server, a planter, and tools."""

    def __init__(self, server: ModelServer, planter: Planter) -> None:
        self.server = server
        self.planter = planter
        self.say, self.quote, self.hush = planter.say, planter.quote, planter.hush
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._opened.close()

    def headers(self) -> dict[str, str]:
        """Of a request or a response."""
        return {"x-planted": self.hush(), "cookie": self.hush()}

    def arguments(self) -> dict[str, Any]:
        """Of a tool: texts, names of members, and what is deep."""
        return {"query": self.say(), self.say(2): self.say(4), "deep": [{"more": [self.say()]}]}

    def parameters(self) -> dict[str, Any]:
        """A JSON schema."""
        member = {"type": "string", "description": self.say(), "enum": [self.say(2)]}
        return {"type": "object", "properties": {"query": member, self.say(2): {"type": "string"}}}

    def openai_client(self) -> Any:
        """A client with secrets in its settings."""
        client = openai.OpenAI(
            base_url=f"{self.server.url}/v1",
            api_key=self.hush(),
            default_headers=self.headers(),
            default_query={"q": self.hush()},
            max_retries=0,
        )
        return self._opened.enter_context(client)

    def anthropic_client(self) -> Any:
        """The same of Anthropic's."""
        url, headers = self.server.url, self.headers()
        client = anthropic.Anthropic(base_url=url, api_key=self.hush(), default_headers=headers, max_retries=0)
        return self._opened.enter_context(client)

    def ollama_client(self) -> Any:
        """The same of Ollama's."""
        client = ollama.Client(host=self.server.url, headers=self.headers(), verify=False)
        self._opened.callback(client._client.close)
        return client

    def chat(self) -> dict[str, Any]:
        """A request of chat completions."""
        called = {"id": "call_1", "type": "function"}
        whole = {**called, "function": {"name": "look_up", "arguments": json.dumps(self.arguments())}}
        broken = {**called, "function": {"name": "look_up", "arguments": json.dumps(self.arguments())[:-1]}}
        function = {"name": "look_up", "description": self.say(), "parameters": self.parameters()}
        return {
            "model": openai_bodies.MODEL,
            "messages": [
                {"role": "system", "content": self.say()},
                {"role": "assistant", "content": self.say(), "tool_calls": [whole, broken]},
                {"role": "tool", "tool_call_id": "call_1", "content": self.say()},
                {"role": "user", "name": self.say(1), "content": [{"type": "text", "text": self.say()}]},
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": f"https://x/?{self.say(1)}"}}]},
                {"role": "user", "content": [{"type": "new_kind", "deep": {"text": [self.say()]}}]},
                {"role": "user", "content": self.say()},
            ],
            "tools": [{"type": "function", "function": function}],
            "user": self.hush(),
            "extra_headers": self.headers(),
            "extra_query": {"signature": self.hush()},
            "extra_body": {"metadata": {"m": self.hush()}},
        }

    def message(self) -> dict[str, Any]:
        """What a model says in chat completions."""
        function = {"name": "look_up", "arguments": json.dumps(self.arguments())}
        return {
            "role": "assistant",
            "content": self.say(),
            "refusal": self.say(),
            "reasoning_content": self.say(),
            "tool_calls": [{"id": "call_2", "type": "function", "function": function}],
        }


def openai_chat(talk: Talk) -> None:
    """A plain call."""
    choice = {"index": 0, "finish_reason": "stop", "message": talk.message()}
    talk.server.reply(Json(openai_bodies.completion(choices=[choice]), headers=talk.headers()))
    talk.openai_client().chat.completions.create(**talk.chat())


def openai_stream(talk: Talk) -> None:
    """A stream, split anywhere."""
    message = talk.message()
    (called,) = message.pop("tool_calls")
    role = message.pop("role")
    deltas: list[dict[str, Any]] = [{"role": role, "content": ""}]
    deltas += [{name: piece} for name, text in message.items() for piece in talk.planter.pieces(text)]
    deltas += [{"tool_calls": [{"index": 0, **called, "function": {"name": "look_up", "arguments": ""}}]}]
    deltas += [
        {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}
        for piece in talk.planter.pieces(called["function"]["arguments"])
    ]
    chunks = [*map(openai_bodies.chunk, deltas), openai_bodies.chunk(reason="tool_calls")]
    talk.server.reply(Sse(chunks, headers=talk.headers()))
    list(talk.openai_client().chat.completions.create(**talk.chat(), stream=True))


def openai_refused(talk: Talk) -> None:
    """A refusal that quotes the content."""
    talk.server.reply(Json(openai_bodies.error(talk.quote(), talk.quote(1)), 400, talk.headers()))
    with pytest.raises(openai.BadRequestError):
        talk.openai_client().chat.completions.create(**talk.chat())


def openai_broken_off(talk: Talk) -> None:
    """A stream that ends with an error that quotes."""
    events = [openai_bodies.chunk({"content": talk.say()}), openai_bodies.error(talk.quote(), "server_error")]
    talk.server.reply(Sse(events, headers=talk.headers()))
    with pytest.raises(openai.APIError):
        list(talk.openai_client().chat.completions.create(**talk.chat(), stream=True))


def openai_failing_transport(talk: Talk) -> None:
    """An exception of the application's own, which another one causes."""

    def fail(_request: Any) -> None:
        cause = ValueError(talk.quote())
        raise LookupError(talk.quote()) from cause

    client = talk.openai_client()
    client._client.event_hooks = {"request": [fail]}
    with pytest.raises((LookupError, openai.APIConnectionError)):
        client.chat.completions.create(**talk.chat())


def openai_others(talk: Talk) -> None:
    """Legacy completions, and embeddings, the input of which is not recorded."""
    choice = {"index": 0, "finish_reason": "stop", "text": talk.say()}
    talk.server.reply(Json(openai_bodies.completion(choices=[choice])))
    talk.openai_client().completions.create(model="m", prompt=talk.say(), suffix=talk.planter.hush())
    talk.server.reply(Json({"object": "list", "model": "m", "data": [], "usage": {"prompt_tokens": 1}}))
    talk.openai_client().embeddings.create(model="m", input=[talk.hush()], encoding_format="float")


def openai_responses(talk: Talk) -> None:
    """The Responses API, plain and streamed."""
    client = talk.openai_client()
    if not hasattr(client, "responses"):
        return
    for stream in (False, True):
        answer = openai_bodies.response(talk.say(), instructions=talk.hush(), metadata={"m": talk.hush()})
        called = {"type": "function_call", "id": "fc_1", "call_id": "call_2", "name": "look_up", "status": "completed"}
        answer["output"].append({**called, "arguments": json.dumps(talk.arguments())})
        answer["output"].append(
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": talk.say()}]}
        )
        events = [{"type": f"response.{state}", "response": answer} for state in ("created", "completed")]
        talk.server.reply(Sse(events, event_names=True) if stream else Json(answer))
        made = client.responses.create(
            model=openai_bodies.MODEL,
            instructions=talk.say(),
            input=[
                {"role": "user", "content": [{"type": "input_text", "text": talk.say()}]},
                {**called, "arguments": json.dumps(talk.arguments())},
                {"type": "function_call_output", "call_id": "call_2", "output": talk.say()},
            ],
            tools=[{"type": "function", "name": "look_up", "description": talk.say(), "parameters": talk.parameters()}],
            stream=stream,
        )
        if stream:
            list(made)


def messages(talk: Talk) -> dict[str, Any]:
    """A request of Anthropic's messages."""
    document = {"type": "text", "media_type": "text/plain", "data": talk.say()}
    result = [{"type": "text", "text": talk.say()}]
    return {
        "model": anthropic_bodies.MODEL,
        "max_tokens": 64,
        "system": [{"type": "text", "text": talk.say()}],
        "messages": [
            {"role": "user", "content": talk.say()},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "t_1", "name": "f", "input": talk.arguments()}],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t_1", "content": result}]},
            {"role": "user", "content": [{"type": "document", "source": document, "title": talk.say(1)}]},
        ],
        "tools": [{"name": "f", "description": talk.say(), "input_schema": talk.parameters()}],
        "metadata": {"user_id": talk.hush()},
        "extra_headers": talk.headers(),
    }


def anthropic_messages(talk: Talk) -> None:
    """A plain call."""
    blocks = [
        {"type": "thinking", "thinking": talk.say(), "signature": talk.hush()},
        anthropic_bodies.text(talk.say()),
        {"type": "tool_use", "id": "t_2", "name": "f", "input": talk.arguments()},
    ]
    talk.server.reply(Json(anthropic_bodies.message(*blocks), headers=talk.headers()))
    talk.anthropic_client().messages.create(**messages(talk))


def anthropic_stream(talk: Talk) -> None:
    """A stream, split anywhere."""
    pieces, block = talk.planter.pieces, anthropic_bodies.block_events
    arguments = json.dumps(talk.arguments())
    tool = {"type": "tool_use", "id": "t_2", "name": "f"}
    events = anthropic_bodies.events(
        anthropic_bodies.started(),
        block({"type": "thinking", "signature": ""}, [("thinking", piece) for piece in pieces(talk.say())], 0),
        block({"type": "text"}, [("text", piece) for piece in pieces(talk.say())], 1),
        block(tool, [("input", piece) for piece in pieces(arguments)], 2),
        anthropic_bodies.ended("tool_use"),
    )
    talk.server.reply(Sse(events, event_names=True, headers=talk.headers()))
    list(talk.anthropic_client().messages.create(**messages(talk), stream=True))


def anthropic_refused(talk: Talk) -> None:
    """A refusal that quotes the content."""
    talk.server.reply(Json(anthropic_bodies.error(talk.quote(), "invalid_request_error"), 400, talk.headers()))
    with pytest.raises(anthropic.BadRequestError):
        talk.anthropic_client().messages.create(**messages(talk))


def anthropic_broken_off(talk: Talk) -> None:
    """A stream that ends with an error that quotes."""
    events = [*anthropic_bodies.text_events(talk.say())[:-2], anthropic_bodies.error(talk.quote())]
    talk.server.reply(Sse(events, event_names=True, headers=talk.headers()))
    with pytest.raises(anthropic.APIStatusError):
        list(talk.anthropic_client().messages.create(**messages(talk), stream=True))


def ollama_chat(talk: Talk, *, stream: bool = False) -> None:
    """A call, plain or streamed."""
    called = {"function": {"name": "f", "arguments": {"query": talk.say()}}}
    text = talk.say()
    pieces = talk.planter.pieces(text) if stream else [text]
    lines = [{"model": "m", "message": {"role": "assistant", "content": piece}, "done": False} for piece in pieces]
    last = {"role": "assistant", "content": "", "tool_calls": [called]}
    lines.append({"model": "m", "message": last, "done": True, "done_reason": "stop"})
    plain = {**lines[-1], "message": {**last, "content": text}}
    talk.server.reply(Ndjson(lines, headers=talk.headers()) if stream else Json(plain, headers=talk.headers()))
    function = {"name": "f", "description": talk.say(), "parameters": {"type": "object", "properties": {}}}
    made = talk.ollama_client().chat(
        model="m",
        messages=[
            {"role": "system", "content": talk.say()},
            {"role": "user", "content": talk.say()},
            {"role": "assistant", "content": talk.say(), "tool_calls": [called]},
            {"role": "tool", "content": talk.say()},
        ],
        tools=[{"type": "function", "function": function}],
        stream=stream,
    )
    if stream:
        list(made)


def ollama_stream(talk: Talk) -> None:
    """A stream, split anywhere."""
    ollama_chat(talk, stream=True)


def ollama_refused(talk: Talk) -> None:
    """A refusal that quotes the content, of a call that is made of texts."""
    talk.server.reply(Json({"error": talk.quote()}, 400, talk.headers()))
    with pytest.raises(ollama.ResponseError):
        talk.ollama_client().generate("m", talk.say(), system=talk.say())


CALLS: tuple[Callable[[Talk], None], ...] = (
    openai_chat,
    openai_stream,
    openai_refused,
    openai_broken_off,
    openai_failing_transport,
    openai_others,
    openai_responses,
    anthropic_messages,
    anthropic_stream,
    anthropic_refused,
    anthropic_broken_off,
    ollama_chat,
    ollama_stream,
    ollama_refused,
)


@pytest.fixture
def exported(receiver) -> Iterator[Exported]:
    """Instrument with its providers."""
    everything = Exported(receiver)
    yield everything
    for instrumentor in INSTRUMENTORS:
        instrumentor().uninstrument()
    everything.shutdown()


@pytest.fixture
def planted(server, exported, caplog) -> Callable[..., Planter]:
    """Makes all calls with these settings until so many secrets are planted, and gives what was planted."""

    def call(count: int, **settings: Any) -> Planter:
        planter = Planter(count)
        caplog.set_level(logging.DEBUG, OURS)
        for instrumentor in INSTRUMENTORS:
            instrumentor().instrument(**exported.providers, **settings)
        while len(planter.all) < count:
            for made in CALLS:
                with Talk(server, planter) as talk:
                    made(talk)
                server.reset()
        assert {*GRAMMARS} == {secret.rule for secret in planter.all}
        return planter

    return call


def logged(caplog) -> bytes:
    """All that was logged of ours and of OpenTelemetry."""
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("opentelemetry")]
    return "\n".join(lines).encode()


def test_with_redaction_no_secret_leaves(planted, exported, caplog):
    """Not a piece of any, in spans, events, exceptions and their stack traces, metrics and log lines; the words around stay."""
    planter = planted(10_000, capture_message_content=True, redact="all", **ROOM)

    raw = exported.bytes
    assert [] == leaks(raw + logged(caplog), planter.all)
    for rule in GRAMMARS:
        assert f"planted [{rule}]".encode() in raw


@pytest.mark.parametrize("settings", [{}, {"emit_event": True, "redact": "email"}], ids=["", "with the event"])
def test_without_content_nothing_planted_leaves(planted, exported, caplog, settings):
    """Neither a secret nor a word of the content, of the application or of the model."""
    planter = planted(3_000, **settings)

    raw = exported.bytes + logged(caplog)
    assert [] == leaks(raw, planter.all)
    assert b"planted" not in raw.replace(b"x-planted", b"")


def test_with_content_and_no_redaction_they_would_be_found(planted, exported):
    """What the tests look for is there, or they would look for nothing: all but what no content is."""
    planter = planted(3_000, capture_message_content=True, **ROOM)

    raw = exported.bytes
    assert set(planter.in_content) == set(leaks(raw, planter.in_content))
    assert leaks(raw, planter.quoted)
    assert [] == [secret for secret in planter.outside_content if secret.needle.encode() in raw]


def test_a_redactor_that_quotes(planted, exported, caplog, monkeypatch):
    """One that fails with what it was given takes the content with it, and the log line says nothing of it."""
    monkeypatch.setattr(f"{OURS}._runtime.guard._reported", set())

    def quoting(part: Any) -> Any:
        raise ValueError(part)

    planter = planted(1_000, capture_message_content=True, redactor=quoting, **ROOM)

    raw = exported.bytes + logged(caplog)
    assert [] == leaks(raw, planter.all)
    assert b"raised ValueError" in raw


# Texts with one password, as applications and servers quote them.
PASSWORD = "Tr0ub4dor&3xyz#9Z"
QUOTING = (
    f'{{"user": "joe", "password": "{PASSWORD}"}}',
    f"DB_PASSWORD={PASSWORD}",
    f"Server=db;Uid=joe;Pwd={PASSWORD};",
    f"password:      {PASSWORD}",
    f"the password is `{PASSWORD}`",
    f"**Password:** {PASSWORD}",
    f"<password>{PASSWORD}</password>",
    f"| password | {PASSWORD} |",
    f"login(password='{PASSWORD}')",
)


@pytest.mark.parametrize("settings", [{"redact": "secrets"}, {}], ids=["redaction", "masking"])
def test_no_tail_of_a_password_leaves(server, exported, settings):
    """Its special characters belong to it: in content where that is redacted, in messages of exceptions always."""
    OpenAIInstrumentor().instrument(**exported.providers, capture_message_content=True, **settings)
    with Talk(server, Planter(0)) as talk, talk.openai_client() as client:
        for quoting in QUOTING:
            text = quoting if settings else "hello"
            server.reply(Json(openai_bodies.error(f"planted {quoting} is wrong"), 400))
            with pytest.raises(openai.BadRequestError):
                client.chat.completions.create(model="m", messages=[{"role": "user", "content": text}])

    raw = exported.bytes
    pieces = [PASSWORD[at : at + 4].encode() for at in range(len(PASSWORD) - 3)]
    assert [] == [piece for piece in pieces if piece in raw]
    assert raw.count(b"is wrong") >= len(QUOTING)

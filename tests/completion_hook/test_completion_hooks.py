"""Completion hooks: what they get, of which calls, and that nothing they do reaches a call."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from loopback import Json, Sse, Telemetry
from loopback.anthropic_bodies import MESSAGES, message, text
from loopback.openai_bodies import CHAT, chunks, completion, error
from loopback.schemas import complaints
from ollama_endings import DONE, line
from opentelemetry_instrumentation_genai import (
    AnthropicInstrumentor,
    OllamaInstrumentor,
    OpenAIInstrumentor,
    capture_content,
)
from opentelemetry_instrumentation_genai.hooks import Completion

OURS = "opentelemetry_instrumentation_genai"
VARIABLE = "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK"
DROPPED = "gen_ai.client.completion_hook.dropped"
INPUT, OUTPUT = "gen_ai.input.messages", "gen_ai.output.messages"
ASKED = [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]
ANSWERED = [{"role": "assistant", "parts": [{"type": "text", "content": "Hello"}], "finish_reason": "stop"}]


@pytest.fixture(autouse=True)
def warn_again(monkeypatch) -> None:
    """Warnings that are logged once per process are logged again."""
    monkeypatch.setattr(f"{OURS}._runtime.guard._reported", set())


@pytest.fixture
def logged(caplog) -> Callable[[], list[str]]:
    """What we have logged so far."""
    caplog.set_level(logging.WARNING, logger=OURS)
    return lambda: [record.getMessage() for record in caplog.records if record.name == OURS]


@pytest.fixture
def instrument(telemetry) -> Callable[..., Callable[[], None]]:
    """Instruments with these settings; what is returned takes it back, and so has waited for the hook."""

    def start(**settings: Any) -> Callable[[], None]:
        OpenAIInstrumentor().instrument(**telemetry.providers, **settings)
        return OpenAIInstrumentor().uninstrument

    return start


class Gate:
    """A hook that waits within each call of it until the gate is opened."""

    def __init__(self) -> None:
        self.entered, self.open = threading.Event(), threading.Event()
        self.seen: list[str] = []

    def __call__(self, given: Completion) -> None:
        """Wait."""
        self.entered.set()
        assert self.open.wait(10)
        self.seen.append(given.input_messages[0]["parts"][0]["content"])


def drops(telemetry: Telemetry) -> dict[str, Any]:
    """How many completions were dropped, by the reason."""
    return {point.attributes["error.type"]: point.value for point in telemetry.metrics.get(DROPPED, ())}


def test_all_that_a_hook_gets(server, telemetry, openai_client, instrument):
    """The ids and attributes of the span, and the content; span and event have none of it, for nobody asked that."""
    given: list[Completion] = []
    done = instrument(completion_hook=given.append, emit_event=True)
    server.reply(Json(completion()))

    openai_client().chat.completions.create(**CHAT)
    done()

    (one,) = given
    ids = telemetry.span.get_span_context()
    assert ("chat", "openai") == (one.operation, one.provider)
    assert (trace.format_trace_id(ids.trace_id), trace.format_span_id(ids.span_id)) == (one.trace_id, one.span_id)
    attributes = {
        name: list(value) if isinstance(value, tuple) else value for name, value in telemetry.span.attributes.items()
    }
    assert attributes == one.attributes
    assert {INPUT, OUTPUT} == one.content.keys()
    assert (ASKED, ANSWERED, [], []) == (
        one.input_messages,
        one.output_messages,
        one.system_instructions,
        one.tool_definitions,
    )
    assert {} == one.references
    assert {INPUT, OUTPUT}.isdisjoint(attributes)
    assert {INPUT, OUTPUT}.isdisjoint(telemetry.events[0].attributes)
    assert "Hello" not in repr(one)


def test_a_hook_has_its_own_content(server, telemetry, openai_client, instrument):
    """What a hook does to it changes neither span nor event."""

    def spoil(given: Completion) -> None:
        given.input_messages[0]["parts"][0]["content"] = "spoilt"
        given.attributes["gen_ai.request.model"] = "spoilt"  # type: ignore[index]

    done = instrument(completion_hook=spoil, capture_message_content="span_and_event")
    server.reply(Json(completion()))

    openai_client().chat.completions.create(**CHAT)
    done()

    assert ASKED == json.loads(telemetry.span.attributes[INPUT])
    assert "spoilt" not in str(telemetry.snapshot())


# Settings, the block of code around the call, whether it fails -> whether the hook gets it.
MODES: dict[str, tuple[dict[str, Any], Any, bool, bool]] = {
    "by default": ({}, None, False, True),
    "no content elsewhere": ({"capture_message_content": "no_content"}, None, False, True),
    "none elsewhere, in older words": ({"capture_message_content": "false"}, None, False, True),
    "on spans": ({"capture_message_content": "span_only"}, None, False, True),
    "on events that are off": ({"capture_message_content": "event_only", "emit_event": False}, None, False, True),
    "a block without content": ({"capture_message_content": "true"}, "no_content", False, False),
    "a block with content": ({"capture_message_content": "no_content"}, "span_only", False, True),
    "a block of no share": ({}, 0.0, False, False),
    "no share": ({"capture_message_content": "0"}, None, False, False),
    "on error, and it succeeds": ({"capture_message_content": "on_error"}, None, False, False),
    "on error, and it fails": ({"capture_message_content": "on_error"}, None, True, True),
    "a block on error, and it succeeds": ({}, "on_error", False, False),
    "a block on error, and it fails": ({}, "on_error", True, True),
    "it fails": ({}, None, True, True),
    "a redaction that is not understood": ({"redact": "emial"}, None, False, False),
}


@pytest.mark.parametrize(("settings", "block", "fails", "handed"), MODES.values(), ids=MODES)
def test_of_which_calls(server, openai_client, instrument, *, settings, block, fails, handed):
    """A hook is asking for content, unless a block of code says no; what is captured of some calls only, it gets of those."""
    given: list[Completion] = []
    done = instrument(completion_hook=given.append, **settings)
    server.reply(Json(error("no"), status=400) if fails else Json(completion()))
    client = openai_client()

    with capture_content(block) if block is not None else trace.use_span(trace.INVALID_SPAN):
        try:
            client.chat.completions.create(**CHAT)
        except Exception:
            assert fails
    done()

    assert ([ASKED] if handed else []) == [one.input_messages for one in given]
    assert [fails] * handed == ["error.type" in one.attributes for one in given]


def test_a_share_of_the_calls(server, openai_client, instrument, telemetry):
    """The hook gets the calls with captured content, and no others."""
    given: list[Completion] = []
    done = instrument(completion_hook=given.append, capture_message_content=0.5)
    server.reply_always(Json(completion()))
    client = openai_client()

    for _ in range(20):
        client.chat.completions.create(**CHAT)
    done()

    captured = [span for span in telemetry.spans if INPUT in span.attributes]
    assert [trace.format_span_id(span.context.span_id) for span in captured] == [one.span_id for one in given]


def test_a_span_that_is_not_sampled(server, openai_client):
    """The hook gets its call all the same, with the content of the response."""
    given: list[Completion] = []
    telemetry = Telemetry(ALWAYS_OFF)
    OpenAIInstrumentor().instrument(**telemetry.providers, completion_hook=given.append)
    server.reply(Json(completion()))

    openai_client().chat.completions.create(**CHAT)
    OpenAIInstrumentor().uninstrument()
    telemetry.shutdown()

    assert [("chatcmpl-1", ANSWERED)] == [(one.attributes["gen_ai.response.id"], one.output_messages) for one in given]


SECRETS = "write to joe@example.com, my key is sk-proj-" + "a1B2" * 12


def test_after_redaction_and_budget(server, openai_client, instrument):
    """What a hook gets holds no secret, and no more than the budget."""
    given: list[Completion] = []
    done = instrument(completion_hook=given.append, redact="all", content_budget=2048)
    server.reply(Json(completion(SECRETS + " word" * 2000)))

    openai_client().chat.completions.create(**{**CHAT, "messages": [{"role": "user", "content": SECRETS}]})
    done()

    (one,) = given
    assert "joe@example.com" not in str(one.content)
    assert "sk-proj-" not in str(one.content)
    assert sum(len(value.encode()) for value in one.content.values()) <= 2048
    assert one.attributes["gen_ai.content.original_bytes"] > 10_000
    for name, value in one.content.items():
        assert [] == complaints(name, json.loads(value))


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
async def test_asynchronous_calls(server, async_openai_client, instrument, stream):
    """Plain and streamed, the hook gets the whole answer, in a thread that is not the event loop's."""
    threads: list[tuple[Any, int]] = []
    done = instrument(completion_hook=lambda one: threads.append((one.output_messages, threading.get_ident())))
    server.reply(Sse(chunks("Hel", "lo")) if stream else Json(completion()))

    answer = await async_openai_client().chat.completions.create(**CHAT, stream=stream)
    if stream:
        async for _ in answer:
            pass
    done()

    ((messages, thread),) = threads
    assert ANSWERED == messages
    assert threading.get_ident() != thread


def test_a_stream_that_is_left(server, openai_client, instrument):
    """The hook gets what was received."""
    given: list[Completion] = []
    done = instrument(completion_hook=given.append)
    server.reply(Sse(chunks("Hel", "lo")))

    with openai_client().chat.completions.create(**CHAT, stream=True) as stream:
        next(iter(stream))
    done()

    assert ["Hel"] == [one.output_messages[0]["parts"][0]["content"] for one in given]


def test_anthropic(server, telemetry):
    """The hook gets calls of the anthropic SDK as well."""
    import anthropic

    given: list[Completion] = []
    AnthropicInstrumentor().instrument(**telemetry.providers, completion_hook=given.append)
    server.reply(Json(message(text("Hello"))))

    with anthropic.Anthropic(base_url=server.url, api_key="k") as client:
        client.messages.create(**MESSAGES)
    AnthropicInstrumentor().uninstrument()

    assert [("anthropic", ASKED, ANSWERED)] == [
        (one.provider, one.input_messages, one.output_messages) for one in given
    ]
    assert [telemetry.span.context.span_id] == [int(one.span_id, 16) for one in given]


@pytest.mark.parametrize(("mode", "referenced"), [("replace", True), ("enrich", True), ("off", False)])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_beside_the_own_tracing_of_anthropic(server, telemetry, *, mode, referenced, stream):
    """The hook gets the ids of the span, ours or the SDK's, and the content; a span that is left alone no reference."""
    import anthropic

    if not isinstance(vars(anthropic._base_client.BaseClient).get("_tracer"), property):
        pytest.skip("this SDK does not trace itself")

    class Store:
        given: list[Completion]

        def references(self, one: Completion) -> dict[str, str]:
            return {f"{INPUT}_ref": one.span_id}

        def __call__(self, one: Completion) -> None:
            self.given = [one]

    store = Store()
    AnthropicInstrumentor().instrument(
        **telemetry.providers, completion_hook=store, anthropic_native_tracing=mode, emit_event=True
    )
    start = {"type": "message_start", "message": message()}
    block = {"type": "content_block_start", "index": 0, "content_block": text("Hello")}
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}}
    events = [start, block, {"type": "content_block_stop", "index": 0}, end, {"type": "message_stop"}]
    server.reply(Sse(events, event_names=True) if stream else Json(message(text("Hello"))))

    options = {"tracer_provider": telemetry.tracer_provider}
    with anthropic.Anthropic(base_url=server.url, api_key="k", open_telemetry=options) as client:
        answer = client.messages.create(**MESSAGES, stream=stream)
        if stream:
            list(answer)
    AnthropicInstrumentor().uninstrument()

    (one,) = store.given
    span, (event,) = telemetry.span, telemetry.events
    assert trace.format_span_id(span.context.span_id) == one.span_id
    assert (ASKED, ANSWERED) == (one.input_messages, one.output_messages)
    assert (one.span_id if referenced else None) == span.attributes.get(f"{INPUT}_ref")
    assert one.span_id == event.attributes[f"{INPUT}_ref"]


def test_ollama(server, telemetry):
    """And of the ollama SDK."""
    import ollama

    given: list[Completion] = []
    OllamaInstrumentor().instrument(**telemetry.providers, completion_hook=given.append)
    server.reply(Json(line("Hello", **DONE)))

    client = ollama.Client(host=server.url)
    client.chat(model="llama3.2", messages=[{"role": "user", "content": "Hi"}])
    client._client.close()
    OllamaInstrumentor().uninstrument()

    assert [("ollama", ASKED, ANSWERED)] == [(one.provider, one.input_messages, one.output_messages) for one in given]


def test_operations_without_messages(server, openai_client, instrument):
    """An embedding has no messages, so no hook is called."""
    given: list[Completion] = []
    done = instrument(completion_hook=given.append)
    vectors = [{"object": "embedding", "index": 0, "embedding": [0.5]}]
    server.reply(
        Json({"object": "list", "data": vectors, "model": "e", "usage": {"prompt_tokens": 1, "total_tokens": 1}})
    )

    openai_client().embeddings.create(model="e", input="Hi", encoding_format="float")
    done()

    assert [] == given


def test_a_full_queue(server, telemetry, openai_client, instrument, *, logged):
    """Nobody waits for a hook that is stuck: what there is no room for is dropped, counted, and logged once."""
    gate = Gate()
    done = instrument(completion_hook=gate, completion_hook_queue_size=2)
    server.reply_always(Json(completion()))
    client = openai_client()

    def call(text: str) -> None:
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": text}])

    call("first")
    assert gate.entered.wait(10)
    for number in range(5):
        call(f"later {number}")

    assert {"queue_full": 3} == drops(telemetry)
    assert ("{completion}", {}) == (telemetry._collected()[DROPPED].unit, {})[:2]
    assert 6 == len(telemetry.spans)
    gate.open.set()
    done()
    assert ["first", "later 0", "later 1"] == gate.seen
    assert [
        "The completion hook Gate is slower than the calls: its queue is full, and completions are dropped."
    ] == logged()


def test_a_queue_that_is_full_of_bytes(server, telemetry, openai_client, instrument, *, monkeypatch):
    """Few completions can be too large as well."""
    monkeypatch.setattr(f"{OURS}._content.completion_hook.delivery._SIZE", 1000)
    gate = Gate()
    done = instrument(completion_hook=gate)
    server.reply_always(Json(completion("x" * 400)))
    client = openai_client()

    for _ in range(3):
        client.chat.completions.create(**CHAT)
    gate.open.set()
    done()

    assert (1, {"queue_full": 2}) == (len(gate.seen), drops(telemetry))


def test_no_references_to_what_is_dropped(server, telemetry, openai_client, instrument):
    """A span refers to nothing that will never be there."""

    class Referring(Gate):
        def references(self, given: Completion) -> dict[str, str]:
            return {f"{INPUT}_ref": f"memory://{given.span_id}"}

    gate = Referring()
    done = instrument(completion_hook=gate, completion_hook_queue_size=1, emit_event=True)
    server.reply_always(Json(completion()))
    client = openai_client()

    client.chat.completions.create(**CHAT)
    assert gate.entered.wait(10)
    client.chat.completions.create(**CHAT)
    client.chat.completions.create(**CHAT)
    gate.open.set()
    done()

    ids = [trace.format_span_id(span.context.span_id) for span in telemetry.spans]
    expected = [f"memory://{ids[0]}", f"memory://{ids[1]}", None]
    assert expected == [span.attributes.get(f"{INPUT}_ref") for span in telemetry.spans]
    assert expected == [event.attributes.get(f"{INPUT}_ref") for event in telemetry.events]


def test_a_hook_that_raises(server, telemetry, openai_client, instrument, *, logged):
    """Its exceptions are logged once for each type, without their words, and counted; the calls know nothing of it."""
    raised = iter([ValueError("Hi"), ValueError("Hi"), KeyError("Hi"), SystemExit(1)])

    def broken(_given: Completion) -> None:
        raise next(raised)

    done = instrument(completion_hook=broken)
    server.reply_always(Json(completion()))

    for _ in range(4):
        openai_client().chat.completions.create(**CHAT)
    done()

    assert {"ValueError": 2, "KeyError": 1, "SystemExit": 1} == drops(telemetry)
    name = f"{test_a_hook_that_raises.__name__}.<locals>.broken"
    assert [
        f"The completion hook {name} raised {kind}: such completions are lost, the calls are not affected."
        for kind in ("ValueError", "KeyError", "SystemExit")
    ] == logged()


def test_references_do_not_replace_facts(server, telemetry, openai_client, instrument):
    """What a hook says of a call neither changes what is known of it nor gets onto metrics."""

    class Wrong:
        def __call__(self, one: Completion) -> None:
            """Take it."""

        def references(self, given: Completion) -> dict[str, str]:
            return dict.fromkeys(
                ("gen_ai.response.model", "gen_ai.request.model", "my.place"), f"wrong {given.span_id}"
            )

    done = instrument(completion_hook=Wrong())
    server.reply(Json(completion()))

    openai_client().chat.completions.create(**CHAT)
    done()

    attributes = telemetry.span.attributes
    assert completion()["model"] == attributes["gen_ai.response.model"]
    assert CHAT["model"] == attributes["gen_ai.request.model"]
    assert attributes["my.place"].startswith("wrong ")
    assert "wrong" not in repr(telemetry.metrics)


def test_references_that_cannot_be_made(server, telemetry, openai_client, instrument, *, logged):
    """The hook is called without them."""
    given: list[Completion] = []

    class Broken:
        def __call__(self, one: Completion) -> None:
            given.append(one)

        def references(self, _given: Completion) -> dict[str, str]:
            raise RuntimeError

    done = instrument(completion_hook=Broken())
    server.reply(Json(completion()))

    openai_client().chat.completions.create(**CHAT)
    done()

    assert [{}] == [one.references for one in given]
    assert 1 == len(logged())
    assert "UNSET" == telemetry.span.status.status_code.name


def test_a_hook_that_calls_a_model(server, telemetry, openai_client, instrument):
    """That call is not recorded, and so comes to no hook, and the hook sees nothing of the context of the call."""
    seen = []
    client = openai_client()

    def asks(_given: Completion) -> None:
        seen.append(trace.get_current_span())
        client.chat.completions.create(**CHAT)

    done = instrument(completion_hook=asks)
    server.reply_always(Json(completion()))

    client.chat.completions.create(**CHAT)
    done()

    assert 2 == len(server.requests)
    assert [trace.INVALID_SPAN] == seen
    assert 1 == len(telemetry.spans)


def test_references_that_ask_a_model(server, telemetry, openai_client, instrument):
    """That call is not recorded either, and so is asked for no references."""
    client = openai_client()

    class Asks:
        def __call__(self, one: Completion) -> None:
            """Nothing."""

        def references(self, _given: Completion) -> dict[str, str]:
            return {"app.title": client.chat.completions.create(**CHAT).choices[0].message.content}

    done = instrument(completion_hook=Asks())
    server.reply_always(Json(completion("A title")))

    client.chat.completions.create(**CHAT)
    done()

    assert 2 == len(server.requests)
    assert "A title" == telemetry.span.attributes["app.title"]


def test_threads_end_with_the_instrumentation(server, openai_client, instrument):
    """However often it is switched on and off, no thread stays."""
    server.reply_always(Json(completion()))
    client = openai_client()

    for _ in range(3):
        done = instrument(completion_hook=lambda _one: None)
        client.chat.completions.create(**CHAT)
        done()

    for thread in hook_threads():
        thread.join(10)
    assert [] == hook_threads()


def test_a_stream_that_ends_after_the_instrumentation(server, openai_client, instrument):
    """The hook gets it all the same."""
    arrived = threading.Event()
    done = instrument(completion_hook=lambda _one: arrived.set())
    server.reply(Sse(chunks("Hel", "lo")))

    stream = openai_client().chat.completions.create(**CHAT, stream=True)
    next(iter(stream))
    done()
    stream.close()

    assert arrived.wait(10)
    for thread in hook_threads():
        thread.join(10)
    assert [] == hook_threads()


def test_a_hook_that_takes_the_instrumentation_back(server, telemetry, openai_client, instrument):
    """It does not wait for itself."""
    taken_back = threading.Event()

    def takes_back(_given: Completion) -> None:
        OpenAIInstrumentor().uninstrument()
        taken_back.set()

    instrument(completion_hook=takes_back, completion_hook_flush_timeout=3000)
    server.reply(Json(completion()))

    openai_client().chat.completions.create(**CHAT)

    assert taken_back.wait(10)
    assert "chat gpt-4o-mini" == telemetry.span.name


def hook_threads() -> list[threading.Thread]:
    """The threads that call hooks."""
    return [thread for thread in threading.enumerate() if thread.name == "opentelemetry-genai-hook"]


@pytest.fixture
def installed(tmp_path, monkeypatch) -> Iterator[list[Any]]:
    """A distribution with entry points of the ecosystem's group: what they made is called with is in the list."""
    (tmp_path / "their_hooks.py").write_text(
        """
given = []
def function(): return given.append
class Theirs:
    def on_completion(self, **members): given.append(members)
def broken(): raise RuntimeError("no")
def nothing(): return None
not_callable = 1
""",
        encoding="utf-8",
    )
    info = tmp_path / "their_hooks-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-hooks\nVersion: 1\n", encoding="utf-8")
    names = {
        name: f"their_hooks:{name}" for name in ("function", "Theirs", "broken", "nothing", "not_callable", "absent")
    }
    lines = [f"{name} = {value}" for name, value in names.items()]
    (info / "entry_points.txt").write_text(
        "\n".join(["[opentelemetry_genai_completion_hook]", *lines]), encoding="utf-8"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import their_hooks

    yield their_hooks.given
    their_hooks.given.clear()
    monkeypatch.delitem(__import__("sys").modules, "their_hooks")


def test_a_function_by_its_entry_point(server, openai_client, instrument, installed, monkeypatch):
    """The variable names an entry point, which gives a hook of our protocol."""
    monkeypatch.setenv(VARIABLE, "function")
    done = instrument()
    server.reply(Json(completion()))

    openai_client().chat.completions.create(**CHAT)
    done()

    assert [ANSWERED] == [one.output_messages for one in installed]


def test_a_hook_of_the_ecosystem(server, telemetry, openai_client, instrument, *, installed, monkeypatch):
    """It gets messages as objects, with a span that says which it was."""
    monkeypatch.setenv(VARIABLE, "Theirs")
    done = instrument()
    server.reply(Json(completion()))
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    messages = [{"role": "user", "content": [{"type": "text", "text": "Hi"}, image]}]
    tools = [
        {"type": "function", "function": {"name": "find", "description": "Finds", "strict": True, "parameters": {}}}
    ]

    openai_client().chat.completions.create(model="m", messages=messages, tools=tools)
    done()

    (one,) = installed
    (asked,) = one["inputs"]
    (answered,) = one["outputs"]
    (tool,) = one["tool_definitions"]
    words, picture = asked.parts
    assert ("user", "text", "Hi") == (asked.role, words.type, words.content)
    assert ("blob", 3, "image/png") == (picture.type, picture.byte_size, picture.mime_type)
    assert ("assistant", "stop", "Hello") == (answered.role, answered.finish_reason, answered.parts[0].content)
    assert ("function", "find", "Finds", {}) == (tool.type, tool.name, tool.description, tool.parameters)
    assert ([], None) == (one["system_instruction"], one["log_record"])
    assert telemetry.span.context.span_id == one["span"].get_span_context().span_id


def test_a_hook_of_the_ecosystem_by_keyword(server, openai_client, instrument):
    """An object with `on_completion` is one, wherever it comes from."""
    given = []

    class Theirs:
        def on_completion(self, **members: Any) -> None:
            given.append(members)

    done = instrument(completion_hook=Theirs())
    server.reply(Json(completion()))

    openai_client().chat.completions.create(**CHAT)
    done()

    assert ["Hello"] == [one["outputs"][0].parts[0].content for one in given]


# What is asked for -> the warning.
WRONG = {
    "functoin": f"{VARIABLE}='functoin' is not accepted (installed are: ",
    "broken": "The completion hook broken cannot be created (RuntimeError): it is not used.",
    "nothing": "The completion hook nothing is not callable, and has no on_completion: it is not used.",
    "not_callable": "The completion hook not_callable cannot be created (TypeError): it is not used.",
    "absent": "The completion hook absent cannot be created (AttributeError): it is not used.",
}


@pytest.mark.parametrize(("name", "expected"), WRONG.items())
@pytest.mark.usefixtures("installed")
def test_a_hook_that_is_not_there(server, telemetry, openai_client, instrument, *, logged, monkeypatch, name, expected):
    """One warning that names it, and the calls are recorded as ever."""
    monkeypatch.setenv(VARIABLE, name)
    done = instrument()
    server.reply(Json(completion()))

    openai_client().chat.completions.create(**CHAT)
    done()

    (warning,) = logged()
    assert warning.startswith(expected)
    if name == "functoin":
        assert "Theirs, absent, broken, function, not_callable, nothing" in warning
        assert warning.endswith("For all SDKs the default applies: off.")
    assert "chat gpt-4o-mini" == telemetry.span.name


@pytest.mark.parametrize("value", ["off", "OFF", ""])
def test_no_hook(server, telemetry, openai_client, instrument, *, logged, monkeypatch, value):
    """Switched off, nothing is logged, and no thread runs."""
    monkeypatch.setenv(VARIABLE, value)
    done = instrument()
    server.reply(Json(completion()))

    openai_client().chat.completions.create(**CHAT)

    assert ([], []) == (logged(), hook_threads())
    assert INPUT not in telemetry.span.attributes
    done()


async def coroutine_function(_given: Completion) -> None:
    """Nobody would await it."""


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (1, "it cannot be called"),
        (object(), "it cannot be called"),
        (Gate, "it is a class"),
        (coroutine_function, "it is a coroutine function, which nobody would await"),
    ],
)
def test_a_keyword_that_is_no_hook(instrument, logged, value, why):
    """The warning says why it would not do."""
    instrument(completion_hook=value)()

    (warning,) = logged()
    assert warning.startswith("completion_hook=")
    assert f" is not accepted ({why}). Accepted is: off, a callable that takes a completion" in warning


# Setting -> a value that is wrong, what is accepted, and the default.
WRONG_VALUES = {
    "completion_hook_queue_size": ("0", "a whole number from 1", "1000"),
    "completion_hook_flush_timeout": ("soon", "a number of seconds above 0, at most 3600", "10.0"),
    "upload_format": ("xml", "json, jsonl", "json"),
}


@pytest.mark.parametrize("name", WRONG_VALUES)
def test_other_settings_that_are_wrong(instrument, logged, monkeypatch, name):
    """One warning, and the default applies."""
    value, accepted, default = WRONG_VALUES[name]
    variable = f"OTEL_INSTRUMENTATION_GENAI_{name.upper()}"
    monkeypatch.setenv(variable, value)

    instrument(completion_hook=lambda _one: None)()

    expected = (
        f"{variable}={value!r} is not accepted. Accepted is: {accepted}. For all SDKs the default applies: {default}."
    )
    assert [expected] == logged()

"""Of which calls content is captured: those that failed, a share of them, those of a block of code; and what redacts it."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import json
import random
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, NamedTuple

import anthropic
import ollama
import openai
import pytest
from opentelemetry import context as otel_context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from loopback import Json, ModelServer, Ndjson, Sse, Telemetry, anthropic_bodies, openai_bodies
from opentelemetry_instrumentation_genai import (
    AnthropicInstrumentor,
    OllamaInstrumentor,
    OpenAIInstrumentor,
    capture_content,
)

OURS = "opentelemetry_instrumentation_genai"
INPUT, OUTPUT = "gen_ai.input.messages", "gen_ai.output.messages"
DETAILS, EXCEPTION = "gen_ai.client.inference.operation.details", "gen_ai.client.operation.exception"
PROMPT, ANSWER, QUOTING = "planted prompt", "planted answer", "the server quotes planted prompt"
MESSAGES = [{"role": "user", "content": PROMPT}]
PIXELS = b64encode(b"not really an image").decode()
NATIVE = hasattr(anthropic._base_client.BaseClient, "_tracer")


class Api(NamedTuple):
    """An SDK, as far as these tests need it: what makes a client and a call of it, and what the server answers."""

    name: str
    instrumentor: Callable[[], Any]
    client: Callable[[str], Any]
    call: Callable[..., Any]
    error: Callable[[str], Any]
    answer: Any
    events: Callable[..., Any]
    image: Any


def _ollama_line(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "m", "message": {"role": "assistant", "content": text}, "done": False, **more}


APIS = [
    Api(
        "openai",
        OpenAIInstrumentor,
        lambda url: openai.OpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0),
        lambda client, **more: client.chat.completions.create(**{"model": "m", "messages": MESSAGES, **more}),
        openai_bodies.error,
        Json(openai_bodies.completion(ANSWER)),
        lambda *more: Sse([*openai_bodies.chunks(ANSWER)[:-1], *(more or [openai_bodies.chunk(reason="stop")])]),
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXELS}"}}]},
    ),
    Api(
        "anthropic",
        AnthropicInstrumentor,
        lambda url: anthropic.Anthropic(base_url=url, api_key="k", max_retries=0),
        lambda client, **more: client.messages.create(**{"model": "m", "max_tokens": 9, "messages": MESSAGES, **more}),
        anthropic_bodies.error,
        Json(anthropic_bodies.message(anthropic_bodies.text(ANSWER))),
        lambda *more: Sse(
            [*anthropic_bodies.text_events(ANSWER)[:-2], *(more or anthropic_bodies.ended())], event_names=True
        ),
        {
            "role": "user",
            "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXELS}}],
        },
    ),
    Api(
        "ollama",
        OllamaInstrumentor,
        lambda url: ollama.Client(host=url, verify=False),
        lambda client, **more: client.chat(**{"model": "m", "messages": MESSAGES, **more}),
        lambda message: {"error": message},
        Json(_ollama_line(ANSWER, done=True, done_reason="stop")),
        lambda *more: Ndjson([_ollama_line(ANSWER), *(more or [_ollama_line("", done=True, done_reason="stop")])]),
        {"role": "user", "content": "what?", "images": [PIXELS]},
    ),
]
BY_API = pytest.mark.parametrize("api", APIS, ids=lambda api: api.name)


@pytest.fixture(autouse=True)
def warn_again(monkeypatch) -> None:
    """Warnings that are logged once per process are logged again."""
    monkeypatch.setattr(f"{OURS}._runtime.guard._reported", set())


@pytest.fixture
def client(server: ModelServer) -> Iterator[Callable[[Api], Any]]:
    """Makes clients, which are closed after the test."""
    with ExitStack() as opened:

        def make(api: Api) -> Any:
            made = api.client(server.url)
            opened.callback(getattr(made, "close", None) or made._client.close)
            return made

        yield make


@pytest.fixture
def ask(server: ModelServer, telemetry: Telemetry, client: Any) -> Callable[..., bool]:
    """Instruments OpenAI's SDK if it is not yet, makes a call, and tells whether its content was captured."""
    made = client(APIS[0])

    def call(**settings: Any) -> bool:
        telemetry.clear()
        if settings:
            OpenAIInstrumentor().uninstrument() if OpenAIInstrumentor().is_instrumented_by_opentelemetry else None
            OpenAIInstrumentor().instrument(**telemetry.providers, **settings)
        server.reply(APIS[0].answer)
        assert ANSWER == APIS[0].call(made).choices[0].message.content
        return captured(telemetry)

    return call


def captured(telemetry: Telemetry) -> bool:
    """Whether the one span and its event have content; one of the two is an error of the test."""
    on_span = {name for name in (INPUT, OUTPUT) if name in telemetry.span.attributes}
    events = [event for event in telemetry.events if event.event_name == DETAILS]
    in_event = {name for event in events for name in (INPUT, OUTPUT) if name in event.attributes}
    assert on_span == in_event
    assert bool(on_span) == bool(events)
    return bool(on_span)


def recorded(telemetry: Telemetry, name: str = INPUT) -> Any:
    """The content on the one span, as JSON values."""
    return json.loads(telemetry.span.attributes[name])


# Calls that fail.


def succeed(api: Api, server: ModelServer, client: Any) -> None:
    """A call that goes well."""
    server.reply(api.answer)
    api.call(client)


def stream(api: Api, server: ModelServer, client: Any) -> None:
    """A stream that is read to its end."""
    server.reply(api.events())
    list(api.call(client, stream=True))


def leave(api: Api, server: ModelServer, client: Any) -> None:
    """A stream that is left early, which is no failure."""
    server.reply(api.events())
    chunks = api.call(client, stream=True)
    next(iter(chunks))
    chunks.close()


def fail(api: Api, server: ModelServer, client: Any) -> None:
    """A refusal."""
    server.reply(Json(api.error(QUOTING), 400))
    with pytest.raises(Exception, match="quotes"):
        api.call(client)


def break_off(api: Api, server: ModelServer, client: Any) -> None:
    """A stream with an error in it, after the answer has begun."""
    server.reply(api.events(api.error(QUOTING)))
    with pytest.raises(Exception, match="quotes"):
        list(api.call(client, stream=True))


@BY_API
@pytest.mark.parametrize("call", [succeed, stream, leave], ids=lambda call: call.__name__)
@pytest.mark.parametrize("emit", [None, True])
def test_on_error_tells_nothing_of_a_call_that_goes_well(server, telemetry, client, *, api, call, emit):
    """Neither its content nor an event, unless that is asked for: then it has none either."""
    api.instrumentor().instrument(**telemetry.providers, capture_message_content="on_error", emit_event=emit)

    call(api, server, client(api))

    assert "planted" not in repr(telemetry.snapshot())
    assert [DETAILS] * bool(emit) == [event.event_name for event in telemetry.events]


@BY_API
@pytest.mark.parametrize("call", [fail, break_off], ids=lambda call: call.__name__)
def test_on_error_tells_all_of_a_call_that_failed(server, telemetry, client, api, call):
    """What was asked, what was answered until then, and what the error quotes: on the span and in both events."""
    api.instrumentor().instrument(**telemetry.providers, capture_message_content="on_error")

    call(api, server, client(api))

    assert captured(telemetry)
    assert [{"role": "user", "parts": [{"type": "text", "content": PROMPT}]}] == recorded(telemetry)
    assert (OUTPUT in telemetry.span.attributes) == (call is break_off)
    assert QUOTING in telemetry.span.status.description
    (exception,) = (event for event in telemetry.events if event.event_name == EXCEPTION)
    assert QUOTING in exception.attributes["exception.message"]


def test_on_error_tells_what_was_asked_at_the_start(server, telemetry, client):
    """The caller's list may have grown in the meantime."""
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="on_error")
    messages = [*MESSAGES]
    server.reply(APIS[0].events(openai_bodies.error(QUOTING)))

    chunks = APIS[0].call(client(APIS[0]), messages=messages, stream=True)
    messages.append({"role": "user", "content": "later"})
    with pytest.raises(openai.APIError):
        list(chunks)

    assert 1 == len(recorded(telemetry))


@pytest.mark.skipif(not NATIVE, reason="this SDK does not trace itself")
@pytest.mark.parametrize("mode", ["replace", "enrich", "off"])
@pytest.mark.parametrize("failing", [False, True])
def test_on_error_beside_anthropics_own_tracing(server, telemetry, monkeypatch, mode, failing):
    """Content goes where ours goes: with `off` the span is the SDK's alone, and the event has it."""
    monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY", "true")
    api = APIS[1]
    api.instrumentor().instrument(
        **telemetry.providers, capture_message_content="on_error", anthropic_native_tracing=mode
    )
    providers = {"tracer_provider": telemetry.tracer_provider}
    with anthropic.Anthropic(base_url=server.url, api_key="k", max_retries=0, open_telemetry=providers) as made:
        (fail if failing else succeed)(api, server, made)

    on_span = INPUT in telemetry.span.attributes
    in_event = [INPUT in event.attributes for event in telemetry.events if event.event_name == DETAILS]
    assert (failing and mode != "off") == on_span
    assert [True] * failing == in_event


# A share of the calls.


@pytest.mark.parametrize("share", ["0", 0.0, "1", 1, "1.0"])
def test_none_and_all(ask, share):
    """Either end of the scale."""
    assert (float(share) == 1) == ask(capture_message_content=share)


@BY_API
def test_a_share(server, telemetry, client, api):
    """About as many traces as asked for, all calls of one alike, on span and event alike."""
    api.instrumentor().instrument(**telemetry.providers, capture_message_content="0.3")
    made, drawn, chosen = client(api), random.Random(api.name), []
    for _ in range(40):
        parent = SpanContext(drawn.getrandbits(128), drawn.getrandbits(64), is_remote=True, trace_flags=TraceFlags(1))
        token = otel_context.attach(set_span_in_context(NonRecordingSpan(parent)))
        found = set()
        for call in (succeed, stream):
            telemetry.clear()
            call(api, server, made)
            found.add(captured(telemetry))
        otel_context.detach(token)
        assert 1 == len(found)
        chosen += found

    assert 4 <= sum(chosen) <= 20


# A block of code.


@pytest.mark.parametrize("setting", ["no_content", "span_and_event"])
@BY_API
def test_a_block_of_code_has_its_own_mode(server, telemetry, client, api, setting):
    """Whatever the setting is: in the block the other holds, after it the setting again; for streams as they were called."""
    other = {"no_content": "span_and_event", "span_and_event": "no_content"}[setting]
    api.instrumentor().instrument(**telemetry.providers, capture_message_content=setting)
    made, found = client(api), []

    def look() -> None:
        found.append(captured(telemetry))
        telemetry.clear()

    with capture_content(other):
        succeed(api, server, made)
        look()
        server.reply(api.events())
        chunks = api.call(made, stream=True)
    list(chunks)
    look()
    succeed(api, server, made)
    look()

    inside = other == "span_and_event"
    assert [inside, inside, not inside] == found


def test_the_innermost_block_wins(ask):
    """And what is around it holds again after it, an exception or not."""
    ask(capture_message_content="no_content")
    with capture_content("span_and_event"):
        with pytest.raises(LookupError), capture_content("no_content"):
            assert not ask()
            raise LookupError
        assert ask()
    assert not ask()


def test_one_object_for_many_blocks(ask):
    """It may be entered again within itself, and in threads."""
    everything = capture_content(True)
    ask(capture_message_content="no_content")
    with everything, everything:
        with ThreadPoolExecutor(1) as pool, everything:
            assert not pool.submit(lambda: bool(otel_context.get_current())).result()
        assert ask()
    assert not ask()


def test_threads_and_tasks(ask):
    """A task has it, and a thread that is given the context; a thread that is not has the setting."""
    ask(capture_message_content="no_content")

    async def in_a_task() -> bool:
        return ask()

    async def tasks() -> list[bool]:
        with capture_content(True):
            task, thread = asyncio.create_task(in_a_task()), asyncio.to_thread(ask)
        return [await task, await thread]

    # `to_thread` copies the context when it starts, which is after the block.
    assert [True, False] == asyncio.run(tasks())

    with ThreadPoolExecutor(1) as pool, capture_content(True):
        found = [pool.submit(contextvars.copy_context().run, ask).result(), pool.submit(ask).result()]
    assert [True, False] == found


def test_tasks_beside_each_other(ask):
    """A block that waits holds for its own task alone."""
    ask(capture_message_content="no_content")

    async def waiting(inside: asyncio.Event, outside: asyncio.Event) -> bool:
        with capture_content(True):
            inside.set()
            await outside.wait()
            return ask()

    async def both() -> list[bool]:
        inside, outside = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(waiting(inside, outside))
        await inside.wait()
        found = ask()
        outside.set()
        return [found, await task]

    assert [False, True] == asyncio.run(both())


def test_as_a_decorator(ask):
    """Of a function, a coroutine function, a generator, an asynchronous one: within them, and nowhere else."""
    ask(capture_message_content="no_content")
    found = []

    @capture_content(True)
    def function() -> None:
        found.append(ask())

    @capture_content(True)
    async def coroutine() -> None:
        await asyncio.sleep(0)
        found.append(ask())

    @capture_content(True)
    def generator() -> Iterator[bool]:
        yield ask()
        yield ask()

    @capture_content(True)
    async def asynchronous() -> Any:
        yield ask()
        await asyncio.sleep(0)
        yield ask()

    async def consume() -> None:
        await coroutine()
        async for step in asynchronous():
            found.extend([step, ask()])

    function()
    for step in generator():
        found.extend([step, ask()])
    asyncio.run(consume())

    assert [True, True, False, True, False, True, True, False, True, False] == found
    assert ["function", "coroutine"] == [function.__name__, coroutine.__name__]


def test_a_decorated_generator_is_one(ask):
    """It can be sent to, thrown into, closed."""
    ask(capture_message_content="no_content")
    closed = []

    @capture_content(True)
    def generator() -> Any:
        try:
            got = yield ask()
            try:
                yield got
            except LookupError:
                yield ask()
        finally:
            closed.append(ask())

    steps = generator()
    assert next(steps)
    assert "sent" == steps.send("sent")
    assert steps.throw(LookupError())
    steps.close()
    assert [True] == closed
    assert not ask()


def test_a_wrong_mode_of_a_block_captures_nothing(ask, caplog):
    """With one warning that names the value and what is accepted."""
    ask(capture_message_content=True)
    for _ in range(2):
        with capture_content("everything"):
            assert not ask()

    (line,) = [record.getMessage() for record in caplog.records if record.name == OURS]
    assert "capture_content('everything')" in line
    assert "on_error" in line


def test_a_key_as_the_mode_of_a_block_is_not_logged(caplog):
    """It was meant for another place."""
    capture_content("sk-proj-planted0123456789")

    (line,) = [record.getMessage() for record in caplog.records if record.name == OURS]
    assert line.startswith("capture_content('[secrets]') is not accepted.")


class Speechless:
    """What fails to describe itself."""

    def __repr__(self) -> str:
        raise RuntimeError("too early")


@pytest.mark.parametrize(
    ("mode", "quoted"),
    [
        (10**400, "capture_content(1000"),
        pytest.param(10**5000, "capture_content(int)", id="more digits than Python writes"),
        (-1, "capture_content(-1)"),
        (float("nan"), "capture_content(nan)"),
        ("inf", "capture_content('inf')"),
        (None, "capture_content(None)"),
        (["true"], "capture_content(['true'])"),
        (Speechless(), "capture_content(Speechless)"),
    ],
)
def test_whatever_the_mode_of_a_block_is(ask, caplog, mode, quoted):
    """Code that makes one goes on."""
    ask(capture_message_content=True)
    with capture_content(mode):
        assert not ask()

    (line,) = [record.getMessage() for record in caplog.records if record.name == OURS]
    assert line.startswith(quoted)


def test_a_function_that_returns_a_coroutine(ask):
    """Nothing of what it does is captured, though the function itself has ended before that begins."""
    ask(capture_message_content=True)

    async def private() -> bool:
        await asyncio.sleep(0)
        return bool(ask())

    assert not asyncio.run(capture_content("no_content")(functools.partial(lambda made: made(), private))())
    assert ask()


def test_a_block_does_not_undo_a_refusal(ask, caplog):
    """Where redaction was asked for and is not understood, no block has content either."""
    assert not ask(capture_message_content=True, redact="emial")
    with capture_content(True):
        assert not ask()

    (line,) = [record.getMessage() for record in caplog.records if record.name == OURS]
    assert line.startswith("redact='emial' is not accepted (emial is no rule, and no entry point of ")


# Redactors.


def entry_point(folder: Any, name: str, source: str) -> None:
    """Install a distribution with an entry point of ours."""
    (folder / f"{name}_module.py").write_text(source)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[opentelemetry_genai_redaction]\n{name} = {name}_module:redact\n")


UPPER = "def redact(part):\n    return {**part, 'content': part['content'].upper()} if 'content' in part else None\n"


@pytest.mark.parametrize("setting", ["redact", "redactor"])
def test_a_redactor_by_entry_point(ask, telemetry, tmp_path, monkeypatch, setting):
    """By its name, among rules or alone."""
    entry_point(tmp_path, f"Upper_{setting}", UPPER)
    monkeypatch.syspath_prepend(tmp_path)

    assert ask(capture_message_content=True, **{setting: f"Upper_{setting}"})

    assert PROMPT.upper() == recorded(telemetry)[0]["parts"][0]["content"]


@pytest.mark.parametrize("setting", ["redact", "redactor"])
@pytest.mark.parametrize(
    ("source", "reason"),
    [("raise OSError", "OSError"), ("", "AttributeError"), ("redact = 7", "it cannot be called")],
    ids=["fails", "empty", "number"],
)
def test_an_entry_point_without_a_redactor(ask, tmp_path, monkeypatch, caplog, *, request, setting, source, reason):
    """No content is captured, and a warning has the reason."""
    name = f"{setting}_{request.node.callspec.id.replace('-', '_')}"
    entry_point(tmp_path, name, source)
    monkeypatch.syspath_prepend(tmp_path)

    assert not ask(capture_message_content=True, **{setting: name})

    (line,) = [record.getMessage() for record in caplog.records if record.name == OURS]
    assert line.startswith(f"{setting}='{name}' is not accepted (the entry point {name} cannot be loaded: {reason}).")


def test_rules_see_what_a_redactor_returns(ask, telemetry):
    """The user's callables come first, each after the other."""
    assert ask(
        capture_message_content=True, redact="email", redactor=lambda part: {**part, "content": "by joe@example.com"}
    )

    assert "by [email]" == recorded(telemetry)[0]["parts"][0]["content"]


def test_a_redactor_drops_a_part(ask, telemetry):
    """The rest is recorded; the parts that it gets are copies."""
    seen = []

    def redact(part: dict[str, Any]) -> dict[str, Any] | None:
        seen.append(part["type"])
        return None if part["content"] == PROMPT else part

    assert ask(capture_message_content=True, redactor=redact)

    assert [{"role": "user", "parts": []}] == recorded(telemetry)
    assert [{"type": "text", "content": ANSWER}] == recorded(telemetry, OUTPUT)[0]["parts"]
    assert ["text", "text"] == seen


def test_a_redactor_that_asks_a_model(server, telemetry, client):
    """What it asks is not reported, and is not redacted by asking again."""
    asked, other = [], client(APIS[0])

    def judge(part: dict[str, Any]) -> dict[str, Any]:
        asked.append(APIS[0].call(other).choices[0].message.content)
        return part

    OpenAIInstrumentor().instrument(
        **telemetry.providers, capture_message_content=True, redactor=judge, redact_timeout=60
    )
    server.reply_always(APIS[0].answer)

    APIS[0].call(client(APIS[0]))

    assert [ANSWER, ANSWER] == asked
    assert captured(telemetry)


class Interrupted(BaseException):
    """What is raised into an application from outside, wherever it is."""


def test_an_application_that_is_interrupted_in_its_redactor(server, telemetry, client):
    """It gets what was raised, and the call its span and its metrics, without content."""

    def redact(_part: dict[str, Any]) -> None:
        raise Interrupted

    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content=True, redactor=redact)
    server.reply(APIS[0].answer)

    with pytest.raises(Interrupted):
        APIS[0].call(client(APIS[0]))

    assert "planted" not in repr(telemetry.snapshot())
    assert "chat m" == telemetry.span.name
    assert {"gen_ai.client.operation.duration", "gen_ai.client.token.usage"} == telemetry.metrics.keys()


def test_a_redactor_that_failed_is_not_asked_again_for_the_call(server, telemetry, client):
    """Neither for the other parts, nor for the message and the stack trace of its exception."""
    asked = []

    def redact(part: dict[str, Any]) -> None:
        asked.append(part["type"])
        raise LookupError

    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content=True, redactor=redact)
    server.reply(Json(APIS[0].error(QUOTING), status=400))

    with pytest.raises(openai.BadRequestError):
        APIS[0].call(client(APIS[0]))

    assert ["text"] == asked
    assert "planted" not in repr(telemetry.snapshot())


def test_patterns_of_a_file(ask, telemetry, tmp_path):
    """Each has a name, which stands in the place of what it finds."""
    rules = tmp_path / "rules.txt"
    rules.write_text("# ours\n\nword = pl[a-z]+\nnumber = \\b[0-9]{4,}\\b\n")

    assert ask(capture_message_content=True, redact=f"email,file:{rules}")

    assert "[word] prompt" == recorded(telemetry)[0]["parts"][0]["content"]


def raising(_part: Any) -> Any:
    """Fails."""
    raise ValueError(PROMPT)


BROKEN = {
    "raises": (raising, {}, "raised ValueError"),
    "takes long": (lambda part: part, {"redact_timeout": 1e-12}, "took longer than 1e-12 s"),
    "a text": (lambda _part: "text", {}, "returned no part"),
    "no type": (lambda _part: {"content": "text"}, {}, "returned no part"),
    "a list": (lambda part: [part], {}, "returned no part"),
}


@BY_API
@pytest.mark.parametrize("broken", BROKEN)
def test_a_redactor_that_fails_drops_the_content(server, telemetry, client, caplog, *, api, broken):
    """Not the call, nor the rest of its telemetry; one line says so, and quotes nothing."""
    redactor, more, why = BROKEN[broken]
    api.instrumentor().instrument(
        **telemetry.providers, capture_message_content=True, redactor=redactor, redact=["email"], **more
    )
    made = client(api)
    for _ in range(2):
        telemetry.clear()
        succeed(api, server, made)
        assert "planted" not in repr(telemetry.snapshot())
        assert [DETAILS] == [event.event_name for event in telemetry.events]
    telemetry.clear()
    fail(api, server, made)

    assert "planted" not in repr(telemetry.snapshot())
    lines = [record.getMessage() for record in caplog.records if record.name == OURS]
    assert [True] == [why in line for line in lines]
    assert "planted" not in repr(lines)


def test_a_pattern_that_takes_long(ask, telemetry, caplog, tmp_path):
    """The same: between two windows of a text the clock is looked at."""
    rules = tmp_path / "rules.txt"
    rules.write_text("word = pl[a-z]+\n")

    assert not ask_dropped(ask, telemetry, capture_message_content=True, redact=f"file:{rules}", redact_timeout=1e-12)

    assert any("The pattern word took longer" in record.getMessage() for record in caplog.records)


def ask_dropped(ask: Any, telemetry: Telemetry, **settings: Any) -> bool:
    """Whether any content is recorded of a call that has its event although its content is dropped."""
    with pytest.raises(AssertionError):
        ask(**settings)
    return "planted" in repr(telemetry.snapshot())


REFUSED = [
    ("redact", "emial"),
    ("redact", "email,no_such_rule"),
    ("redact", "off,email"),
    ("redact", "file:/no/such/file"),
    ("redact", 5),
    ("redactor", "no_such_entry_point"),
    ("redactor", 5),
    ("redactor", asyncio.sleep),
]


@pytest.mark.parametrize(("setting", "value"), REFUSED)
def test_redaction_that_is_not_understood(ask, caplog, setting, value):
    """Nothing is captured then, and one warning says why: content that is to be redacted is not recorded without."""
    assert not ask(capture_message_content=True, **{setting: value})

    (line,) = [record.getMessage() for record in caplog.records if record.name == OURS]
    assert line.startswith(f"{setting}={value!r} is not accepted")
    assert line.endswith("no content is captured.")


REFUSED_LINES = {
    "no name": "[0-9]+",
    "a name in capitals": "Number = [0-9]+",
    "nothing": "number =",
    "no pattern": "number = [0-9",
    "too large a repeat": "number = [0-9]{99999999999}",
    "the empty text": "number = [0-9]*",
    "a repeat in a repeat": "number = (?:[0-9]+)+x",
    "a choice in a repeat": "word = (?:foo|foobar)+x",
    "a reference": r"twice = (\w+) \1",
    "many repeats": r"words = \w+ \w+ \w+ \w+",
    "many choices": "word = (?:aa|bb){3}" + "(?:cc|dd)" * 9,
    "repeats of nothing": r"word = (?:\b{200}){200}x",
}


@pytest.mark.parametrize("case", REFUSED_LINES)
def test_lines_of_a_file_that_are_refused(ask, caplog, tmp_path, case):
    """By the number of the line, without the line itself; nothing is captured then."""
    rules = tmp_path / "rules.txt"
    rules.write_text(f"fine = abc\n{REFUSED_LINES[case]}\n")

    assert not ask(capture_message_content=True, redact=f"file:{rules}")

    (line,) = [record.getMessage() for record in caplog.records if record.name == OURS]
    assert f"(line 2 of {rules}: " in line


# What Python says of such patterns; the pieces of them that it quotes are secrets, maybe.
NO_PATTERNS = {
    "[planted": "unterminated character set, at character 1",
    "(planted": "missing ), unterminated subpattern, at character 1",
    r"planted\q": "bad escape, at character 8",
    "(?P<planted": "missing >, unterminated name, at character 5",
    "(?P=planted)": "unknown group name, at character 5",
    "(?P<planted one>x)": "bad character in group name, at character 5",
    "(?P<planted>a)(?P<planted>b)": "redefinition of group name, at character 19",
    "[planted-a]": "bad character range, at character 8",
    "(?planted)": "unknown extension, at character 2",
    "*planted": "nothing to repeat, at character 1",
    "(?<=a+)planted": "look-behind requires fixed-width pattern",
}


@pytest.mark.parametrize("pattern", NO_PATTERNS)
def test_why_a_line_is_no_regular_expression(ask, caplog, tmp_path, pattern):
    """In Python's words, without those of the pattern."""
    rules = tmp_path / "rules.txt"
    rules.write_text(f"own = {pattern}\n")

    assert not ask(capture_message_content=True, redact=f"file:{rules}")

    (line,) = [record.getMessage() for record in caplog.records if record.name == OURS]
    assert f"(line 1 of {rules}: no regular expression of Python's: {NO_PATTERNS[pattern]}). " in line
    assert "planted" not in line.replace(str(rules), "")


# Settings that are wrong, and no refusal.

WRONG = [
    ("capture_message_content", "1.5"),
    ("capture_message_content", "-0.1"),
    ("capture_message_content", "nan"),
    ("capture_message_content", "on-error"),
    ("capture_binary", "maybe"),
    ("content_budget", "lots"),
    ("content_budget", -1),
    ("content_part_budget", "1.5KiB"),
    ("redact_timeout", "0"),
    ("redact_timeout", "soon"),
]


@pytest.mark.parametrize(("setting", "value"), WRONG)
def test_a_wrong_value(ask, caplog, setting, value):
    """One warning names it and the value; the default applies, by which no content is captured."""
    assert (setting != "capture_message_content") == ask(**{"capture_message_content": True, setting: value})

    (line,) = [record.getMessage() for record in caplog.records if record.name == OURS]
    assert line.startswith(f"{setting}={value!r} is not accepted. Accepted is: ")


def test_the_settings_name_the_rules():
    """What they say is accepted are the rules that there are."""
    from opentelemetry_instrumentation_genai._masking.rules import RULES
    from opentelemetry_instrumentation_genai._settings.readers import _RULES

    assert _RULES == ", ".join(RULES)


# The budget, and binary data.


@BY_API
def test_what_is_cut_is_marked_on_the_span(server, telemetry, client, api):
    """All of it is counted before it is cut; what is recorded is within the budget."""
    api.instrumentor().instrument(
        **telemetry.providers, capture_message_content=True, content_budget="1KiB", content_part_budget=300
    )
    server.reply(api.answer)

    api.call(client(api), messages=[{"role": "user", "content": "word " * 1000}] * 5)

    texts = [telemetry.span.attributes[name] for name in (INPUT, OUTPUT)]
    assert sum(map(len, texts)) <= 1024
    original = telemetry.span.attributes["gen_ai.content.original_bytes"]
    assert 5 * 5000 < original < 5 * 5000 + 1024
    (cut, *_) = recorded(telemetry)
    assert "cut" == cut["parts"][0]["type"]


@pytest.mark.parametrize(("budget", "names"), [("10", set()), (193, set()), (194, {OUTPUT})])
def test_a_budget_without_room_for_a_mark(server, telemetry, client, budget, names):
    """What was left out is marked from 194 bytes on; below that the size of all alone tells that there was content."""
    api = APIS[0]
    api.instrumentor().instrument(**telemetry.providers, capture_message_content="span_only", content_budget=budget)
    server.reply(Json(openai_bodies.completion("word " * 100)))

    api.call(client(api))

    attributes = telemetry.span.attributes
    assert names == {INPUT, OUTPUT} & attributes.keys()
    assert all('{"type":"cut","parts":1' in attributes[name] for name in names)
    assert 500 < attributes["gen_ai.content.original_bytes"]


@BY_API
@pytest.mark.parametrize("binary", [False, True])
def test_binary_data_on_request(server, telemetry, client, api, binary):
    """An image is recorded by kind, size and digest; its bytes in base64 only if asked for, which no rule touches."""
    api.instrumentor().instrument(
        **telemetry.providers,
        capture_message_content=True,
        capture_binary=binary,
        redact="all",
        redactor=lambda part: part,
    )
    server.reply(api.answer)

    api.call(client(api), messages=[api.image])

    blob = recorded(telemetry)[0]["parts"][-1]
    assert ("blob", "image", 19) == (blob["type"], blob["modality"], blob["byte_size"])
    assert (PIXELS if binary else "") == blob["content"]
    assert 64 == len(blob["sha256"])

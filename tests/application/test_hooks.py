"""Request and response hooks: when they are called, with what, and that nothing becomes of a call through them."""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import anthropic
import ollama
import openai
import pytest
from inline_snapshot import snapshot
from opentelemetry import trace
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from loopback import Hang, Json, Ndjson, Sse, Telemetry, settle
from loopback.openai_bodies import CHAT, MODEL, chunk, chunks, completion, error
from opentelemetry_instrumentation_genai import AnthropicInstrumentor, OllamaInstrumentor, OpenAIInstrumentor
from opentelemetry_instrumentation_genai.hooks import GenAIRequest

OURS = "opentelemetry_instrumentation_genai"
PREFIX = "OTEL_INSTRUMENTATION_GENAI_"


@pytest.fixture(autouse=True)
def warn_again(monkeypatch) -> None:
    """Warnings that are logged once per process are logged again."""
    monkeypatch.setattr(f"{OURS}._runtime.guard._reported", set())


@pytest.fixture
def warned(caplog, without_start_line) -> Callable[[], list[str]]:
    """What was logged so far."""
    caplog.set_level(logging.INFO, "opentelemetry")
    caplog.set_level(logging.INFO, OURS)
    return lambda: [record.getMessage() for record in caplog.records if record.name == OURS]


class Hooks:
    """An application's hooks, which write down what they are given."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, ...]] = []
        self.spans: list[Any] = []
        self.current: list[Any] = []

    def request(self, span: Any, request: GenAIRequest) -> None:
        """A call has started."""
        self._take(span, request)

    def response(self, span: Any, request: GenAIRequest, response: Any) -> None:
        """A call is about to end."""
        self._take(span, request, response)

    def _take(self, span: Any, *given: Any) -> None:
        span.set_attribute(f"hook.{len(self.seen)}", "called")
        self.seen.append(given)
        self.spans.append(span)
        self.current.append(trace.get_current_span())

    @property
    def settings(self) -> dict[str, Any]:
        """Both as keywords."""
        return {"request_hook": self.request, "response_hook": self.response}


@pytest.fixture
def hooks() -> Hooks:
    """Those of the application."""
    return Hooks()


@pytest.fixture
def instrumented(telemetry, hooks) -> None:
    """With both hooks."""
    OpenAIInstrumentor().instrument(**telemetry.providers, **hooks.settings)


@pytest.mark.usefixtures("instrumented")
def test_a_plain_call(server, telemetry, openai_client, hooks):
    """The first hook gets what is asked, the second also what came; both may add to the span, which is current meanwhile."""
    server.reply(Json(completion()))

    answer = openai_client().chat.completions.create(**CHAT, temperature=0.5, extra_body={"top_k": 1})

    (request,), (again, response) = hooks.seen
    assert request is again
    assert response is answer
    assert snapshot(
        {
            "operation": "chat",
            "provider": "openai",
            "model": "gpt-4o-mini",
            "stream": False,
            "server_address": "127.0.0.1",
            "body": {
                "model": "gpt-4o-mini",
                "messages": [{"role": "user", "content": "Hi"}],
                "temperature": 0.5,
                "top_k": 1,
            },
        }
    ) == {
        name: getattr(request, name) if name != "body" else dict(request.body)
        for name in request.__dataclass_fields__
        if name != "server_port"
    }
    assert server.port == request.server_port
    assert ("called", "called") == (telemetry.span.attributes["hook.0"], telemetry.span.attributes["hook.1"])
    assert hooks.spans == hooks.current
    assert trace.INVALID_SPAN is trace.get_current_span()


@pytest.mark.usefixtures("instrumented")
def test_a_request_is_read_only(server, openai_client, hooks):
    """Neither the record nor the body can be changed through it, and it shows no content where it is logged."""
    server.reply(Json(completion()))
    openai_client().chat.completions.create(**CHAT)

    (request, *_), _ = hooks.seen
    with pytest.raises(AttributeError):
        request.model = "another"
    with pytest.raises(TypeError):
        request.body["model"] = "another"
    assert "Hi" not in repr(request)


@pytest.mark.usefixtures("instrumented")
def test_a_stream(server, openai_client, hooks):
    """The second hook gets the response put together, when the stream has been read to its end."""
    server.reply(Sse(chunks("Hel", "lo")))

    stream = openai_client().chat.completions.create(**CHAT, stream=True)
    next(iter(stream))
    assert 1 == len(hooks.seen)
    list(stream)

    (request,), (_, response) = hooks.seen
    assert request.stream
    (choice,) = response["choices"]
    assert ("Hello", "stop") == (choice["message"]["content"], choice["finish_reason"])


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("read", [0, 1])
def test_a_stream_left_early(server, openai_client, hooks, read):
    """What was received of it; nothing, if nothing was read."""
    server.reply(Sse(chunks("Hel", "lo")))
    stream = openai_client().chat.completions.create(**CHAT, stream=True)
    for _ in range(read):
        next(iter(stream))
    stream.close()

    _, (_, response) = hooks.seen
    assert (["Hel"] if read else None) == (response and [c["message"]["content"] for c in response["choices"]])


@pytest.mark.usefixtures("instrumented")
def test_a_stream_dropped(server, openai_client, hooks):
    """Its end is when it is collected."""
    server.reply(Sse(chunks("Hel", "lo")))
    stream = openai_client().chat.completions.create(**CHAT, stream=True)
    next(iter(stream))
    del stream
    gc.collect()
    settle()

    assert 2 == len(hooks.seen)


@pytest.mark.usefixtures("instrumented")
def test_a_raw_response(server, openai_client, hooks):
    """What is read raw is given as JSON."""
    server.reply(Json(completion()))
    openai_client().chat.completions.with_raw_response.create(**CHAT)

    assert completion() == hooks.seen[1][1]


@pytest.mark.usefixtures("instrumented")
def test_a_body_that_nobody_reads(server, openai_client, hooks):
    """There is nothing to give."""
    server.reply(Json(completion()))
    with openai_client().chat.completions.with_streaming_response.create(**CHAT):
        pass

    assert [1, 2] == [len(given) for given in hooks.seen]
    assert None is hooks.seen[1][1]


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("stream", [False, True])
def test_a_failure(server, openai_client, hooks, *, stream):
    """The second hook gets the exception that the application does."""
    server.reply(Sse([chunk({"content": "Hel"}), error("no")]) if stream else Json(error("no"), status=400))

    with pytest.raises(openai.APIError) as raised:
        list(openai_client().chat.completions.create(**CHAT, stream=stream))

    assert raised.value is hooks.seen[1][1]


@pytest.mark.usefixtures("instrumented")
async def test_asynchronous_calls(server, async_openai_client, hooks):
    """They have the same, each its own."""
    client = async_openai_client()
    server.reply(Json(completion()), Json(completion()))

    answers = await asyncio.gather(*(client.chat.completions.create(**CHAT, user=name) for name in ("a", "b")))

    asked = [given[0] for given in hooks.seen if len(given) == 1]
    assert {"a", "b"} == {request.body["user"] for request in asked}
    assert {*map(id, answers)} == {id(given[1]) for given in hooks.seen if len(given) == 2}


@pytest.mark.usefixtures("instrumented")
async def test_a_cancelled_task(server, async_openai_client, hooks):
    """Its second hook gets the cancellation."""
    server.reply(Hang())
    client, sending = async_openai_client(), asyncio.Event()

    async def sends(_request: Any) -> None:
        sending.set()

    client._client.event_hooks = {"request": [sends]}
    task = asyncio.ensure_future(client.chat.completions.create(**CHAT))
    await sending.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert [1, 2] == [len(given) for given in hooks.seen]
    assert isinstance(hooks.seen[1][1], asyncio.CancelledError)


def test_a_list_that_goes_on(server, telemetry, openai_client, hooks):
    """The application may go on with the list that it gave: the hook sees what was sent."""
    OpenAIInstrumentor().instrument(**telemetry.providers, **hooks.settings)
    server.reply(Sse(chunks("Hello")))
    messages = [*CHAT["messages"]]

    stream = openai_client().chat.completions.create(model=MODEL, messages=messages, stream=True)
    messages.append({"role": "assistant", "content": "?"})
    list(stream)

    assert CHAT["messages"] == hooks.seen[1][0].body["messages"]


def test_a_call_that_is_not_sampled(server, openai_client, hooks):
    """Hooks are called all the same, with a span that is not recorded."""
    telemetry = Telemetry(sampler=ALWAYS_OFF)
    OpenAIInstrumentor().instrument(**telemetry.providers, **hooks.settings)
    server.reply(Json(completion()))
    answer = openai_client().chat.completions.create(**CHAT)

    assert answer is hooks.seen[1][1]
    assert [False, False] == [span.is_recording() for span in hooks.spans]
    assert [] == telemetry.spans


@pytest.mark.parametrize("hook", ["request_hook", "response_hook"])
def test_one_hook_alone(server, telemetry, openai_client, hooks, hook):
    """Either can be there without the other."""
    OpenAIInstrumentor().instrument(**telemetry.providers, **{hook: hooks.settings[hook]})
    server.reply(Json(completion()))
    openai_client().chat.completions.create(**CHAT)

    assert [{"request_hook": 1, "response_hook": 2}[hook]] == [len(given) for given in hooks.seen]


def test_the_hook_has_the_last_word(server, telemetry, openai_client):
    """What the second hook writes stays; metrics and the details event are not changed by it."""

    def rewrite(span: Any, _request: Any, _response: Any) -> None:
        span.set_attribute("gen_ai.response.model", "rewritten")
        span.update_name("renamed")

    OpenAIInstrumentor().instrument(**telemetry.providers, response_hook=rewrite, emit_event=True)
    server.reply(Json(completion()))
    openai_client().chat.completions.create(**CHAT)

    assert ("renamed", "rewritten") == (telemetry.span.name, telemetry.span.attributes["gen_ai.response.model"])
    assert "gpt-4o-mini-2024-07-18" == telemetry.events[0].attributes["gen_ai.response.model"]
    (point,) = telemetry.metrics["gen_ai.client.operation.duration"]
    assert "gpt-4o-mini-2024-07-18" == point.attributes["gen_ai.response.model"]


def _raises(*_given: Any) -> None:
    raise KeyError("secret")


@pytest.mark.parametrize("stream", [False, True])
def test_hooks_that_raise(server, telemetry, openai_client, warned, *, stream):
    """The call is not affected, its telemetry is whole, and each failure is logged once, without its message."""
    OpenAIInstrumentor().instrument(**telemetry.providers, request_hook=_raises, response_hook=_raises)
    client = openai_client()
    for _ in range(2):
        server.reply(Sse(chunks("Hello")) if stream else Json(completion()))
        answer = client.chat.completions.create(**CHAT, stream=stream)
        if stream:
            list(answer)

    assert 2 == len(telemetry.spans)
    first, second = warned()
    assert "request_hook _raises raised KeyError. The calls are not affected." == first
    assert "response_hook _raises raised KeyError. The calls are not affected." == second


def test_a_hook_that_calls_a_model(server, telemetry, openai_client, warned):
    """What a hook asks a model is not reported, and calls no hook."""
    client, asked = openai_client(), []

    def ask(*_given: Any) -> None:
        asked.append(client.chat.completions.create(**CHAT))

    OpenAIInstrumentor().instrument(**telemetry.providers, request_hook=ask, response_hook=ask)
    server.reply(Json(completion("1")), Json(completion("2")), Json(completion("3")))
    answer = client.chat.completions.create(**CHAT)

    assert "2" == answer.choices[0].message.content
    assert ["1", "3"] == [each.choices[0].message.content for each in asked]
    assert f"chat {MODEL}" == telemetry.span.name
    assert 1 == sum(point.count for point in telemetry.metrics["gen_ai.client.operation.duration"])
    assert [] == warned()


def test_an_application_that_is_interrupted_in_its_request_hook(telemetry, openai_client):
    """It gets what was raised, and the span that was started ends."""

    def interrupted(*_given: Any) -> None:
        raise KeyboardInterrupt

    OpenAIInstrumentor().instrument(**telemetry.providers, request_hook=interrupted)
    with pytest.raises(KeyboardInterrupt):
        openai_client().chat.completions.create(**CHAT)

    assert f"chat {MODEL}" == telemetry.span.name


def test_in_the_thread_that_ends_the_call(server, telemetry, openai_client):
    """The second hook runs where the stream is read."""
    threads = []
    OpenAIInstrumentor().instrument(
        **telemetry.providers, response_hook=lambda *_given: threads.append(threading.current_thread().name)
    )
    server.reply(Sse(chunks("Hello")))
    stream = openai_client().chat.completions.create(**CHAT, stream=True)
    reader = threading.Thread(target=list, args=(stream,), name="reader")
    reader.start()
    reader.join()

    assert ["reader"] == threads


# By their names.


def as_a_module(monkeypatch: pytest.MonkeyPatch, name: str, **members: Any) -> None:
    """Have a module of the application be there."""
    module = ModuleType(name)
    vars(module).update(members)
    monkeypatch.setitem(sys.modules, name, module)


def test_by_name(monkeypatch, server, telemetry, *, openai_client, hooks, warned):
    """A hook may be named, and its module need not be there before the first call."""
    monkeypatch.setenv(PREFIX + "REQUEST_HOOK", "hooks_of_the_application:request")
    monkeypatch.setenv(PREFIX + "RESPONSE_HOOK", "hooks_of_the_application:both.response")
    OpenAIInstrumentor().instrument(**telemetry.providers)
    client = openai_client()
    as_a_module(monkeypatch, "hooks_of_the_application", request=hooks.request, both=hooks)
    server.reply(Json(completion()))
    client.chat.completions.create(**CHAT)

    assert [1, 2] == [len(given) for given in hooks.seen]
    assert [] == warned()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("no_such_module_of_the_application:hook", "ModuleNotFoundError"),
        ("hooks_of_the_application:missing", "AttributeError"),
        ("hooks_of_the_application:number", "it cannot be called"),
    ],
)
def test_a_name_of_nothing(monkeypatch, server, telemetry, *, openai_client, warned, name, why):
    """One warning says which and why; the calls are not affected."""
    as_a_module(monkeypatch, "hooks_of_the_application", number=1)
    OpenAIInstrumentor().instrument(**telemetry.providers, response_hook=name)
    client = openai_client()
    for _ in range(2):
        server.reply(Json(completion()))
        client.chat.completions.create(**CHAT)

    assert 2 == len(telemetry.spans)
    (warning,) = warned()
    assert f"response_hook={name!r} is not accepted ({why})" in warning


WARMING_UP = """
import warming_up_calls
warming_up_calls.call()
seen = []
def hook(*given): seen.append(given)
"""


@pytest.mark.parametrize(
    ("name", "modules"),
    [
        ("warming_up:hook", {"warming_up": WARMING_UP}),
        ("warming_up.hooks:hook", {"warming_up": WARMING_UP, "warming_up/hooks": "from warming_up import hook"}),
        ("warming_up_hooks:hook", {"warming_up": WARMING_UP, "warming_up_hooks": "from warming_up import hook"}),
    ],
)
def test_a_call_while_the_application_is_imported(
    monkeypatch, server, telemetry, *, openai_client, warned, tmp_path, name, modules
):
    """Then the hook's module is not there to its end; it is called as soon as it is, and no warning is logged."""
    for path, source in modules.items():
        package = path == "warming_up" and "warming_up/hooks" in modules
        file = tmp_path / (f"{path}/__init__.py" if package else f"{path}.py")
        file.parent.mkdir(exist_ok=True)
        file.write_text(source, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    client = openai_client()
    as_a_module(monkeypatch, "warming_up_calls", call=lambda: client.chat.completions.create(**CHAT))
    OpenAIInstrumentor().instrument(**telemetry.providers, request_hook=name)
    server.reply_always(Json(completion()))

    try:
        seen = importlib.import_module("warming_up").seen
        assert [] == seen
        client.chat.completions.create(**CHAT)
        client.chat.completions.create(**CHAT)
    finally:
        for module in [module for module in sys.modules if module.startswith("warming_up")]:
            del sys.modules[module]

    assert 2 == len(seen)
    assert 3 == len(telemetry.spans)
    assert [] == warned()


def test_a_module_with_an_import_that_does_not_end(monkeypatch, server, telemetry, *, openai_client, warned, tmp_path):
    """A hook that is not found for many calls is given up, with one warning."""
    (tmp_path / "serving_for_ever.py").write_text("import warming_up_calls\nwarming_up_calls.calls()\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    client = openai_client()

    def calls() -> None:
        for _ in range(110):
            client.chat.completions.create(**CHAT)

    as_a_module(monkeypatch, "warming_up_calls", calls=calls)
    OpenAIInstrumentor().instrument(**telemetry.providers, request_hook="serving_for_ever:hook")
    server.reply_always(Json(completion()))
    importlib.import_module("serving_for_ever")
    monkeypatch.delitem(sys.modules, "serving_for_ever")

    (warning,) = warned()
    assert "request_hook='serving_for_ever:hook' is not accepted (AttributeError)" in warning


async def _asynchronous(*_given: Any) -> None:
    raise AssertionError("nobody runs it")


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (7, "request_hook=7 is not accepted (it cannot be called)"),
        ("hook", "request_hook='hook' is not accepted. Accepted is: "),
        ("a module:hook", "is not accepted. Accepted is: "),
        (_asynchronous, "(it is asynchronous)"),
    ],
)
def test_what_is_no_hook(server, telemetry, openai_client, *, warned, given, complaint):
    """One warning, and no hook."""
    OpenAIInstrumentor().instrument(**telemetry.providers, request_hook=given)
    server.reply(Json(completion()))
    openai_client().chat.completions.create(**CHAT)

    assert f"chat {MODEL}" == telemetry.span.name
    (warning,) = warned()
    assert complaint in warning


def test_an_asynchronous_hook_that_does_not_look_it(server, telemetry, openai_client, warned):
    """It is not run, and that is logged."""

    def hook(*given: Any) -> Any:
        return _asynchronous(*given)

    OpenAIInstrumentor().instrument(**telemetry.providers, request_hook=hook)
    server.reply(Json(completion()))
    openai_client().chat.completions.create(**CHAT)

    (warning,) = warned()
    assert "is asynchronous" in warning


# The other SDKs.


def test_ollama(server, telemetry, hooks):
    """A stream's call starts with its first step; the response is put together."""
    OllamaInstrumentor().instrument(**telemetry.providers, **hooks.settings)
    client = ollama.Client(host=server.url)
    pieces = [
        {"model": "m", "message": {"role": "assistant", "content": text}, "done": text == ""}
        for text in ("Hel", "lo", "")
    ]
    server.reply(Ndjson(pieces))

    stream = client.chat(model="m", messages=CHAT["messages"], stream=True)
    assert [] == hooks.seen
    list(stream)
    client._client.close()

    (request,), (_, response) = hooks.seen
    assert ("chat", "ollama", "m", True) == (request.operation, request.provider, request.model, request.stream)
    assert "Hello" == response["message"]["content"]


def test_sentinels_and_iterators(server, telemetry, hooks):
    """The body has no sentinel of the SDK's, and lists for one-shot iterators, where the SDK has either."""
    AnthropicInstrumentor().instrument(**telemetry.providers, **hooks.settings)
    server.reply(Json({"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "claude-test"}))
    with anthropic.Anthropic(base_url=server.url, api_key="not-a-key", max_retries=0) as client:
        client.messages.create(
            model="claude-test",
            max_tokens=64,
            messages=iter(CHAT["messages"]),
            system=getattr(anthropic, "omit", anthropic.NOT_GIVEN),
        )

    body = hooks.seen[0][0].body
    assert "system" not in body
    if hasattr(anthropic._base_client.SyncAPIClient, "_copy_and_prepare"):
        assert CHAT["messages"] == body["messages"]

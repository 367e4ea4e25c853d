"""`uninstrument()` leaves every object as it was, keeps what others have put there, and is silent wherever we survive."""

from __future__ import annotations

import functools
import inspect
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import openai
import pytest
import wrapt
from openai import _base_client, _streaming

from loopback import Json, Sse, uninstrument_all
from loopback.openai_bodies import CHAT, MODEL, chunks, completion
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

OURS = "opentelemetry_instrumentation_genai"


class Target(NamedTuple):
    """A method that is patched."""

    module: Any
    kind: str
    name: str

    @property
    def owner(self) -> Any:
        """Its class."""
        return getattr(self.module, self.kind)

    @property
    def current(self) -> Any:
        """What the class has under its name."""
        return vars(self.owner)[self.name]

    def wrap(self, wrapper: Any) -> Any:
        """Has wrapt put a wrapper above what is there."""
        return wrapt.wrap_function_wrapper(self.module, f"{self.kind}.{self.name}", wrapper)


# Of each kind one.
TARGETS = [
    Target(_base_client, "SyncAPIClient", "request"),
    Target(_base_client, "SyncAPIClient", "_process_response"),
    Target(_streaming, "Stream", "__stream__"),
]
each_target = pytest.mark.parametrize("target", TARGETS, ids=lambda target: f"{target.kind}.{target.name}")


@pytest.fixture(autouse=True)
def logged(caplog, monkeypatch) -> Callable[[], list[str]]:
    """What we log, as if no warning had been logged before."""
    monkeypatch.setattr(f"{OURS}._runtime.guard._reported", set())
    return lambda: [record.getMessage() for record in caplog.records if record.name == OURS]


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Whatever a test puts on a class of the SDK goes with the test."""
    before = {(kind, name): value for kind in classes() for name, value in vars(kind).items()}
    yield
    uninstrument_all()
    for (kind, name), value in before.items():
        if vars(kind).get(name) is not value:
            setattr(kind, name, value)


def classes() -> list[type]:
    """The classes of the two modules that are patched."""
    return [
        kind
        for module in (_base_client, _streaming)
        for kind in vars(module).values()
        if inspect.isclass(kind) and kind.__module__.partition(".")[0] == "openai"
    ]


def namespaces() -> dict[Any, dict[str, Any]]:
    """Every module of the SDK and every class in them, with what they hold."""
    modules = [module for name, module in sys.modules.items() if name.partition(".")[0] == "openai"]
    # By type(), because the SDK has objects that import what they stand for when they are asked for their class.
    kinds = {kind for module in modules for kind in list(vars(module).values()) if issubclass(type(kind), type)}
    return {space: dict(vars(space)) for space in (*modules, *kinds)}


TARGETED = [
    ("AsyncAPIClient", "_process_response"),
    ("AsyncAPIClient", "request"),
    ("AsyncStream", "__stream__"),
    ("Stream", "__stream__"),
    ("SyncAPIClient", "_process_response"),
    ("SyncAPIClient", "request"),
]


def event_streams() -> list[tuple[str, str]]:
    """What is patched of the classes that `stream()` returns, as far as this SDK has them."""
    chat = "openai.lib.streaming.chat._completions" in sys.modules
    responses = "openai.lib.streaming.responses._responses" in sys.modules
    found = [(f"{kind}ChatCompletionStream", name) for kind in ("", "Async") for name in EVENTS if chat]
    return found + [(f"{kind}ResponseStream", "__stream__") for kind in ("", "Async") if responses]


EVENTS = ("__stream__", "get_final_completion")


def changed(before: dict[Any, dict[str, Any]]) -> list[tuple[str, str]]:
    """The names that hold another object than before, or that came or went."""
    differing = []
    for space, held in before.items():
        now = vars(space)
        differing += [
            (space.__name__, name)
            for name in {*held, *now}
            if name not in held or name not in now or held[name] is not now[name]
        ]
    return sorted(differing)


def later() -> list[tuple[str, ...]]:
    """The methods of tool runners and of connections, as far as the version of the SDK has them, and their modules are imported."""
    rows = (
        (getattr(sys.modules[module], name.partition(".")[0], None), name)
        for module in OpenAIInstrumentor.later
        if module in sys.modules
        for name, _ in OpenAIInstrumentor()._later_targets(module)
    )
    return [tuple(name.split(".")) for owner, name in rows if hasattr(owner, name.partition(".")[2])]


@pytest.fixture
def call(server, openai_client) -> Callable[[], Any]:
    """Makes one plain and one streamed call by a client that is older than the instrumentation."""
    client = openai_client()

    def both() -> None:
        server.reply(Json(completion()), Sse(chunks("Hello")))
        assert "Hello" == client.chat.completions.create(**CHAT).choices[0].message.content
        assert 2 == len(list(client.chat.completions.create(**CHAT, stream=True)))

    return both


def test_every_object_is_what_it_was(call, telemetry):
    """In the whole SDK nothing is changed but the six targets and what `stream()` returns, and after `uninstrument()` nothing."""
    call()  # whatever the SDK makes on first use is there
    before = namespaces()

    OpenAIInstrumentor().instrument(**telemetry.providers)
    call()
    patched, expected = changed(before), sorted([*TARGETED, *event_streams(), *later()])
    OpenAIInstrumentor().uninstrument()

    assert expected == patched
    assert [] == changed(before)
    assert 2 == len(telemetry.spans)


def test_patched_methods_look_like_those_of_the_sdk(telemetry):
    """Name, signature, documentation and kind are the SDK's, for whoever inspects them."""
    sync, asynchronous = _base_client.SyncAPIClient, _base_client.AsyncAPIClient
    before = [(kind.request.__qualname__, inspect.signature(kind.request)) for kind in (sync, asynchronous)]

    OpenAIInstrumentor().instrument(**telemetry.providers)

    assert before == [(kind.request.__qualname__, inspect.signature(kind.request)) for kind in (sync, asynchronous)]
    assert inspect.iscoroutinefunction(asynchronous.request)
    assert inspect.iscoroutinefunction(asynchronous._process_response)
    assert inspect.isasyncgenfunction(_streaming.AsyncStream.__stream__)
    assert not inspect.iscoroutinefunction(sync.request)


def test_bound_methods_taken_before_are_silent(server, telemetry, openai_client):
    """What was cached while instrumented goes on working and reports nothing any more."""
    client = openai_client()
    OpenAIInstrumentor().instrument(**telemetry.providers)
    create, request, post = client.chat.completions.create, client.request, client.post
    raw = client.chat.completions.with_raw_response.create
    client.request = request  # shadows the class, as some gateways' wrappers do
    OpenAIInstrumentor().uninstrument()

    server.reply_always(Json(completion()))
    create(**CHAT)
    raw(**CHAT)
    post("/chat/completions", body=CHAT, cast_to=object)
    options = _base_client.FinalRequestOptions(method="post", url="/chat/completions", json_data=CHAT)
    request(object, options)

    assert 4 == len(server.requests)
    assert (([], {}, [])) == (telemetry.spans, telemetry.metrics, telemetry.logs)


async def test_asynchronous_bound_methods_taken_before_are_silent(server, telemetry, async_openai_client):
    """The same for an asynchronous client, a stream included."""
    client = async_openai_client()
    OpenAIInstrumentor().instrument(**telemetry.providers)
    create, client.request = client.chat.completions.create, client.request
    OpenAIInstrumentor().uninstrument()

    server.reply(Json(completion()), Sse(chunks("Hello")))
    await create(**CHAT)
    async for _ in await create(**CHAT, stream=True):
        pass

    assert ([], {}) == (telemetry.spans, telemetry.metrics)


def test_bound_methods_taken_before_report_once_when_instrumented_again(server, telemetry, openai_client):
    """An old wrapper that survives in a cached method stays silent: the new one reports, or nobody, but not both."""
    client = openai_client()
    OpenAIInstrumentor().instrument(**telemetry.providers)
    create, request = client.chat.completions.create, client.request
    OpenAIInstrumentor().uninstrument()
    OpenAIInstrumentor().instrument(**telemetry.providers)

    server.reply_always(Json(completion()))
    create(**CHAT)
    assert 1 == len(telemetry.spans)
    request(object, _base_client.FinalRequestOptions(method="post", url="/chat/completions", json_data=CHAT))
    assert len(telemetry.spans) <= 2


def test_a_stream_in_flight_is_still_reported(server, telemetry, openai_client):
    """A call that began instrumented ends as one span with its metrics, though read after `uninstrument()`."""
    server.reply(Sse(chunks("Hel", "lo")))
    OpenAIInstrumentor().instrument(**telemetry.providers)
    stream = openai_client().chat.completions.create(**CHAT, stream=True)
    next(stream)

    OpenAIInstrumentor().uninstrument()
    list(stream)

    assert ("stop",) == telemetry.span.attributes["gen_ai.response.finish_reasons"]
    assert 1 == telemetry.metrics["gen_ai.client.operation.duration"][0].count


class Foreign:
    """Somebody else's wrapper, which counts how often it is called."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        """As wrapt calls it."""
        self.calls += 1
        return wrapped(*args, **kwargs)

    def closure(self, wrapped: Callable[..., Any], *, named: bool) -> Callable[..., Any]:
        """A plain function around another one, with or without a trace of it."""

        def around(*args: Any, **kwargs: Any) -> Any:
            return self(wrapped, None, args, kwargs)

        return functools.wraps(wrapped)(around) if named else around


@each_target
def test_a_wrapt_wrapper_above_ours_stays(call, telemetry, logged, target):
    """Ours is cut out from below it, without a word; theirs goes on working on what was below ours."""
    original = target.current
    foreign = Foreign()
    OpenAIInstrumentor().instrument(**telemetry.providers)
    above = target.wrap(foreign)

    OpenAIInstrumentor().uninstrument()
    call()

    assert above is target.current
    assert original is above.__wrapped__
    assert foreign.calls > 0
    assert ([], []) == (telemetry.spans, logged())


@each_target
def test_two_wrapt_wrappers_above_ours_stay(call, telemetry, logged, target):
    """Ours is found below more than one."""
    original = target.current
    foreign = Foreign()
    OpenAIInstrumentor().instrument(**telemetry.providers)
    below = target.wrap(foreign)
    above = target.wrap(foreign)

    OpenAIInstrumentor().uninstrument()
    call()

    assert above is target.current
    assert below is above.__wrapped__
    assert original is below.__wrapped__
    assert ([], []) == (telemetry.spans, logged())


@each_target
def test_a_wrapt_wrapper_below_ours_stays(call, telemetry, logged, target):
    """What was there before us is there after us."""
    foreign = Foreign()
    below = target.wrap(foreign)
    OpenAIInstrumentor().instrument(**telemetry.providers)

    OpenAIInstrumentor().uninstrument()
    call()

    assert below is target.current
    assert foreign.calls > 0
    assert ([], []) == (telemetry.spans, logged())


@pytest.mark.parametrize("named", [True, False], ids=["functools.wraps", "no trace of ours"])
@each_target
def test_below_a_closure_ours_stays_silent(call, telemetry, logged, target, named):
    """It cannot be cut out: one line says so, nothing is reported, and instrumented again a call is one span, a chunk one chunk."""
    foreign = Foreign()
    OpenAIInstrumentor().instrument(**telemetry.providers)
    closure = foreign.closure(getattr(target.owner, target.name), named=named)
    setattr(target.owner, target.name, closure)

    OpenAIInstrumentor().uninstrument()
    call()
    assert closure is target.current
    assert foreign.calls > 0
    assert [] == telemetry.spans
    assert [
        f"{target.kind}.{target.name} is wrapped by others too: our wrapper stays below theirs, and does nothing."
    ] == logged()

    OpenAIInstrumentor().instrument(**telemetry.providers)
    call()
    assert [f"chat {MODEL}"] * 2 == [span.name for span in telemetry.spans]
    metrics = telemetry.metrics
    assert 2 == sum(point.count for point in metrics["gen_ai.client.operation.duration"])
    assert 1 == sum(point.count for point in metrics["gen_ai.client.operation.time_per_output_chunk"])
    OpenAIInstrumentor().uninstrument()
    assert closure is target.current


@each_target
def test_called_as_a_plain_function(call, telemetry, logged, target):
    """Who takes ours out of the class's dict, where it is not bound to it, and calls it so, finds it working as well."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    setattr(target.owner, target.name, Foreign().closure(target.current, named=True))

    call()
    assert [200, 200] == [span.attributes.get("http.response.status_code") for span in telemetry.spans]
    OpenAIInstrumentor().uninstrument()
    call()
    assert 2 == len(telemetry.spans)


def test_someone_else_took_theirs_back_in_between(call, telemetry, logged):
    """Who restores what was there before them takes ours away with it: that costs one call, and `uninstrument()` is no harm."""
    owner = _base_client.SyncAPIClient
    original = vars(owner)["request"]
    OpenAIInstrumentor().instrument(**telemetry.providers)
    owner.request = original

    call()
    OpenAIInstrumentor().uninstrument()
    call()

    assert original is vars(owner)["request"]
    assert 1 == len(telemetry.spans)


def test_a_subclass_that_overrides_is_left_alone(server, telemetry, openai_client):
    """A client class of the application that wraps `request` by inheritance keeps its own, before and after."""
    from openai import OpenAI

    class Counting(OpenAI):
        calls = 0

        def request(self, *args: Any, **kwargs: Any) -> Any:
            Counting.calls += 1
            return super().request(*args, **kwargs)

    own = vars(Counting)["request"]
    server.reply_always(Json(completion()))
    client = openai_client(Counting)
    OpenAIInstrumentor().instrument(**telemetry.providers)
    client.chat.completions.create(**CHAT)
    OpenAIInstrumentor().uninstrument()
    client.chat.completions.create(**CHAT)

    assert (1, 2) == (len(telemetry.spans), Counting.calls)
    assert own is vars(Counting)["request"]


def test_uninstrument_says_nothing(call, telemetry, caplog):
    """In the common case there is nothing to say but the line of the start."""
    with caplog.at_level(logging.DEBUG, logger=OURS):
        OpenAIInstrumentor().instrument(**telemetry.providers)
        call()
        OpenAIInstrumentor().uninstrument()

    logged = [record.getMessage() for record in caplog.records if record.name == OURS]
    assert [
        f"openai {openai.__version__} is instrumented; spans go to InMemorySpanExporter; prompts are not recorded."
    ] == logged

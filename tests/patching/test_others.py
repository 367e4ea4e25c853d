"""Beside other instrumentations of the same SDK: each call is reported once, one line says by whom, whoever came first."""

from __future__ import annotations

import importlib
import logging
import os
import sysconfig
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, NamedTuple

import anthropic
import ollama
import openai
import pytest

from foreign import foreign, source
from loopback import Json, Sse, uninstrument_all
from loopback.anthropic_bodies import message
from loopback.openai_bodies import CHAT, MODEL, chunks, completion
from loopback.processes import run
from opentelemetry_instrumentation_genai import AnthropicInstrumentor, OllamaInstrumentor, OpenAIInstrumentor

OURS = "opentelemetry_instrumentation_genai"
NAME = f"chat {MODEL}"
LINE = (
    "{} is instrumented by {} already: its calls are not instrumented twice. "
    "Disable that, or set OTEL_INSTRUMENTATION_GENAI_ALLOW_OTHERS=true to have both."
)
VECTORS = {
    "object": "list",
    "model": "e",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.1]}],
    "usage": {"prompt_tokens": 1, "total_tokens": 1},
}
OLLAMA = {
    "model": "m",
    "created_at": "2026-01-01T00:00:00Z",
    "message": {"role": "assistant", "content": "Hello"},
    "done": True,
    "done_reason": "stop",
}


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Whatever a test leaves in a class of an SDK goes with the test."""
    from anthropic.resources import messages
    from openai import _base_client
    from openai.resources import embeddings
    from openai.resources.chat import completions

    kinds = [openai.OpenAI, openai.AsyncOpenAI, _base_client.SyncAPIClient, _base_client.AsyncAPIClient]
    kinds += [completions.Completions, completions.AsyncCompletions, embeddings.Embeddings, embeddings.AsyncEmbeddings]
    kinds += [messages.Messages, messages.AsyncMessages, ollama.Client, ollama.AsyncClient]
    before = [(kind, dict(vars(kind))) for kind in kinds]
    yield
    uninstrument_all()
    for kind, held in before:
        for name in vars(kind).keys() - held.keys():
            delattr(kind, name)
        for name, value in held.items():
            if vars(kind).get(name) is not value:
                setattr(kind, name, value)


@pytest.fixture
def logged(caplog, monkeypatch) -> Callable[[], list[str]]:
    """What we log, as if no warning had been logged before."""
    monkeypatch.setattr(f"{OURS}._runtime.guard._reported", set())
    caplog.set_level(logging.WARNING, OURS)
    return lambda: [record.getMessage() for record in caplog.records if record.name == OURS]


class App:
    """An application that is instrumented by two."""

    def __init__(self, server: Any, telemetry: Any, client: Any) -> None:
        self._server = server
        self._telemetry = telemetry
        self.client = client
        self._kept: list[Any] = []  # classes that nobody refers to are collected

    def ours(self, **settings: Any) -> None:
        """Instrument by ours."""
        OpenAIInstrumentor().instrument(**self._telemetry.providers, **settings)

    def spans(self) -> list[str]:
        """The names of the spans since the last time."""
        names = [span.name for span in self._telemetry.spans]
        self._telemetry.clear()
        return sorted(names)

    def chat(self) -> list[str]:
        """Make a call. Returns the names of its spans."""
        self._server.reply(Json(completion()))
        self.client.chat.completions.create(**CHAT)
        return self.spans()

    def embed(self) -> list[str]:
        """The same, of embeddings."""
        self._server.reply(Json(VECTORS))
        self.client.embeddings.create(model="e", input="Hi", encoding_format="float")
        return self.spans()

    def theirs(self, module: ModuleType, name: str = "OpenAIInstrumentor") -> Any:
        """Instrument by theirs. Returns their instrumentor."""
        instrumentor = vars(module)[name]()
        instrumentor.instrument(tracer_provider=self._telemetry.tracer_provider)
        self._kept.append(instrumentor)
        return instrumentor


@pytest.fixture
def app(server, telemetry, openai_client) -> App:
    """An application with one client."""
    return App(server, telemetry, openai_client())


class Theirs(NamedTuple):
    """Another instrumentation: its source, its instrumentor, the name of its span, and what the line calls it."""

    source: str
    instrumentor: str
    span: str
    package: str


THEIRS = [
    Theirs("openllmetry", "OpenAIInstrumentor", "openai.chat", "opentelemetry.instrumentation.openai"),
    Theirs("openinference", "OpenAIInstrumentor", "ChatCompletion", "openinference.instrumentation.openai"),
    Theirs("official", "OpenAIInstrumentor", "inference", "opentelemetry.instrumentation.genai.openai"),
    Theirs("vendor", "Telemetry", "vendor", "vendor.telemetry.openai"),
]
each = pytest.mark.parametrize("theirs", THEIRS, ids=lambda theirs: theirs.source)


@each
def test_theirs_first(app, logged, theirs):
    """Where another instrumentation was first, it reports alone; one line names it, and the setting that changes that."""
    app.theirs(foreign(theirs.source), theirs.instrumentor)
    app.ours()

    assert [theirs.span] == app.chat() == app.chat()
    assert [LINE.format("openai", theirs.package)] == logged()


@each
def test_ours_first(app, logged, theirs):
    """The same where it comes later, as the order of entry points has it under `opentelemetry-instrument`."""
    app.ours()
    app.theirs(foreign(theirs.source), theirs.instrumentor)

    assert [theirs.span] == app.chat() == app.chat()
    assert [LINE.format("openai", theirs.package)] == logged()


@each
def test_theirs_come_later_in_code(app, logged, theirs):
    """It may come after calls that were ours, and go again: who reports is decided again when a method has changed."""
    app.ours()
    assert [NAME] == app.chat()

    instrumentor = app.theirs(foreign(theirs.source), theirs.instrumentor)
    assert [theirs.span] == app.chat()
    assert [LINE.format("openai", theirs.package)] == logged()

    instrumentor.uninstrument()
    assert [NAME] == app.chat()


@each
async def test_asynchronous_calls(server, app, async_openai_client, theirs):
    """The asynchronous twin: others wrap its methods besides, or do not: then the calls are ours."""
    app.theirs(foreign(theirs.source), theirs.instrumentor)
    app.ours()
    server.reply(Json(completion()))

    await async_openai_client().chat.completions.create(**CHAT)

    both = theirs.source in {"openllmetry", "openinference"}
    assert [theirs.span if both else NAME] == app.spans()


def test_an_application_with_an_instrumentor_of_its_own(server, app, openai_client, tmp_path, monkeypatch):
    """That of something else, which its package offers, does not make a reporter of another wrapper in that package."""
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("from .telemetry import QueueInstrumentor\n")
    (package / "telemetry.py").write_text(
        "from opentelemetry.instrumentation.instrumentor import BaseInstrumentor\n\n"
        "class QueueInstrumentor(BaseInstrumentor):\n"
        "    def instrumentation_dependencies(self):\n        return ()\n\n"
        "    def _instrument(self, **kwargs):\n        pass\n\n"
        "    def _uninstrument(self, **kwargs):\n        pass\n"
    )
    (package / "retry.py").write_text(
        "def retrying(method):\n    def call(*args, **kwargs):\n        return method(*args, **kwargs)\n\n    return call\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    shop, retry = importlib.import_module("shop"), importlib.import_module("shop.retry")
    shop.QueueInstrumentor().instrument()
    completions_class = openai.resources.chat.completions.Completions
    monkeypatch.setattr(completions_class, "create", retry.retrying(completions_class.create))
    app.ours()
    server.reply(Json(completion()))
    try:
        openai_client().chat.completions.create(**CHAT)
    finally:
        shop.QueueInstrumentor().uninstrument()

    assert [NAME] == app.spans()


@pytest.mark.parametrize("first", ["ours", "theirs"])
async def test_a_plain_function_around_an_asynchronous_method(server, app, async_openai_client, first):
    """Their wrapper has returned when the request is sent: the method that it is around shows by which way the call came."""
    if first == "ours":
        app.ours()
    app.theirs(foreign("by_callback"))
    if first == "theirs":
        app.ours()
    server.reply(Json(completion()), Json(completion()))
    client = async_openai_client()

    await client.chat.completions.create(**CHAT)
    assert ["theirs"] == app.spans()

    await client.post("/chat/completions", body=CHAT, cast_to=object)
    assert [NAME] == app.spans()


@pytest.mark.parametrize("first", ["ours", "theirs"])
@pytest.mark.parametrize("theirs", ["openllmetry", "official", "vendor"])
def test_a_call_that_does_not_come_by_a_method_that_others_wrap_is_ours(server, app, theirs, first):
    """They wrap `create`; of the same operation, what is sent by `client.post` or another method is reported here."""
    server.reply(Json(completion()))
    theirs = next(other for other in THEIRS if other.source == theirs)
    if first == "ours":
        app.ours()
    app.theirs(foreign(theirs.source), theirs.instrumentor)
    if first == "theirs":
        app.ours()

    app.client.post("/chat/completions", body=CHAT, cast_to=object)
    assert [NAME] == app.spans()
    assert [theirs.span] == app.chat()


@pytest.mark.parametrize("theirs", ["openllmetry", "official", "langfuse"])
def test_ways_to_make_a_call_that_others_report(server, app, theirs):
    """Streams, raw responses, and a response that is requested when its block is entered come by the same method: they report alone."""
    app.ours()
    module = foreign(theirs)
    if theirs == "langfuse":
        module.register(app._telemetry.tracer_provider)
    else:
        app.theirs(module)
    create = app.client.chat.completions
    server.reply(Sse(chunks("Hello")), Json(completion()), Json(completion()))

    list(create.create(**CHAT, stream=True))
    assert 1 == len(app.spans())
    create.with_raw_response.create(**CHAT).parse()
    assert 1 == len(app.spans())
    with create.with_streaming_response.create(**CHAT) as response:
        response.read()
    names = app.spans()
    assert 1 == len(names)
    assert NAME not in names


@pytest.mark.skipif(
    not hasattr(openai.resources.chat.completions.Completions, "parse"), reason="this SDK has no parse()"
)
def test_parse_beside_a_package_that_wraps_create(server, app):
    """`parse` sends by itself, so who wraps `create` alone, as the official package does, does not see it."""
    server.reply(Json(completion()))
    app.ours()
    app.theirs(foreign("official"))

    app.client.chat.completions.parse(**CHAT)

    assert [NAME] == app.spans()


def test_what_others_do_not_wrap_is_reported(app):
    """Who wraps chats only does not report embeddings: those are ours."""
    app.ours()
    app.theirs(foreign("vendor"), "Telemetry")

    assert ["vendor"] == app.chat()
    assert ["embeddings e"] == app.embed()


@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_embeddings_of_the_official_package_are_reported_once(app, telemetry, first):
    """It has a key of its own for them; their metrics are not doubled either."""
    if first == "ours":
        app.ours()
    app.theirs(foreign("official"))
    if first == "theirs":
        app.ours()

    assert ["embedding"] == app.embed()
    assert {} == telemetry.metrics


def test_an_instrumentor_at_work_with_wrappers_that_are_not_seen(app, logged):
    """Whoever calls itself as all do, and is at work in a way of its own, is believed to report everything."""
    app.ours()
    app.theirs(foreign("unseen"))

    assert [] == app.chat() == app.embed()
    assert [LINE.format("openai", "vendor.transport")] == logged()


@pytest.mark.parametrize(
    "theirs", [theirs for theirs in THEIRS if theirs.source != "official"], ids=lambda theirs: theirs.source
)
@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_both_on_request(app, logged, theirs, first):
    """With `allow_others` both report, in either order, and nothing is logged."""
    if first == "ours":
        app.ours(allow_others=True)
    app.theirs(foreign(theirs.source), theirs.instrumentor)
    if first == "theirs":
        app.ours(allow_others=True)

    assert sorted([NAME, theirs.span]) == app.chat() == app.chat()
    assert [] == logged()


def test_what_is_published_in_the_context_counts_all_the_same(app):
    """Who publishes that it reports a call, as the official packages do, reports it alone even if others are allowed."""
    app.theirs(foreign("official"))
    app.ours(allow_others=True)

    assert ["inference"] == app.chat()


@pytest.mark.parametrize("suppress", [True, False])
@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_a_function_in_the_place_of_request(app, logged, suppress, first):
    """Logfire puts a function there, which suppresses other instrumentations or does not: it reports alone in either case."""
    instrument = foreign("logfire").instrument
    if first == "ours":
        app.ours()
    instrument(openai.OpenAI, app._telemetry.tracer_provider, suppress)
    if first == "theirs":
        app.ours()

    assert ["Chat Completion"] == app.chat()
    assert [LINE.format("openai", "logfire")] == logged()


@pytest.mark.parametrize("suppress", [True, False])
def test_a_function_in_the_place_of_a_client_s_request(app, logged, openai_client, suppress):
    """It can be put into one client: the calls of the others stay ours."""
    app.ours()
    assert [NAME] == app.chat()
    take_back = foreign("logfire").instrument(app.client, app._telemetry.tracer_provider, suppress)

    assert ["Chat Completion"] == app.chat()
    assert [LINE.format("openai", "logfire")] == logged()
    instrumented, app.client = app.client, openai_client()
    assert [NAME] == app.chat()

    app.client = instrumented
    take_back()
    assert [NAME] == app.chat()


@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_a_drop_in_for_the_sdk(app, logged, first):
    """`from langfuse.openai import openai` wraps the SDK's own classes, so whoever uses them is reported by Langfuse."""
    if first == "ours":
        app.ours()
    foreign("langfuse").register(app._telemetry.tracer_provider)
    if first == "theirs":
        app.ours()

    assert ["OpenAI-generation"] == app.chat()
    assert [LINE.format("openai", "langfuse")] == logged()


@pytest.mark.parametrize("theirs", ["openinference", "logfire"])
@pytest.mark.parametrize("order", ["tTo", "otT", "otOTo"])
def test_a_request_that_others_have_left_behind(app, logged, theirs, order):
    """Switched off, they leave a `request` in the clients' classes before the one that is patched: calls are followed there.

    In the order of the letters: ours on or off, theirs on or off.
    """
    module = foreign(theirs)
    state: dict[str, Any] = {}

    def on() -> None:
        if theirs == "logfire":
            state["off"] = module.instrument(openai.OpenAI, app._telemetry.tracer_provider)
        else:
            state["off"] = app.theirs(module).uninstrument

    steps = {"o": app.ours, "O": OpenAIInstrumentor().uninstrument, "t": on, "T": lambda: state["off"]()}  # noqa: PLW0108 - it is there only then
    for letter in order:
        steps[letter]()

    assert [NAME] == app.chat()
    assert [] == logged()
    OpenAIInstrumentor().uninstrument()
    assert [] == app.chat()


REPAIRED = (
    "{} has been replaced by others, so that a call was not recorded. It is patched again: further calls are recorded."
)
LEFT_OUT = (
    "{} has been replaced by others, so that its calls are not recorded. Replace it after instrument(), or not at all."
)


@pytest.mark.parametrize("theirs", ["openinference", "logfire"])
def test_a_bare_request_that_others_put_back_is_patched_again(app, logged, theirs):
    """Who was first and is switched off puts back what was there before ours: one call shows it, and is the only one that is lost."""
    before = vars(openai.OpenAI).get("request")
    module = foreign(theirs)
    if theirs == "logfire":
        off = module.instrument(openai.OpenAI, app._telemetry.tracer_provider)
    else:
        off = app.theirs(module).uninstrument
    app.ours()
    off()
    left = vars(openai.OpenAI)["request"]

    assert [] == app.chat()
    assert [REPAIRED.format("OpenAI.request")] == logged()
    assert [NAME] == app.chat() == app.chat()
    assert 1 == len(logged())
    OpenAIInstrumentor().uninstrument()
    assert left is vars(openai.OpenAI)["request"] is not before
    assert [] == app.chat()


async def test_asynchronous_calls_that_come_past_ours(server, app, logged, async_openai_client):
    """The asynchronous twin."""
    theirs = app.theirs(foreign("openinference"))
    app.ours()
    theirs.uninstrument()
    client = async_openai_client()
    server.reply_always(Json(completion()))

    await client.chat.completions.create(**CHAT)
    assert ([], [REPAIRED.format("AsyncOpenAI.request")]) == (app.spans(), logged())
    await client.chat.completions.create(**CHAT)
    assert [NAME] == app.spans()


def test_the_patched_method_itself_is_put_back(app, logged):
    """The same where others restore the method of the SDK's own class."""
    from openai._base_client import SyncAPIClient

    bare = vars(SyncAPIClient)["request"]
    app.ours()
    SyncAPIClient.request = bare  # type: ignore[method-assign]

    assert [] == app.chat()
    assert [REPAIRED.format("SyncAPIClient.request")] == logged()
    assert [NAME] == app.chat()
    OpenAIInstrumentor().uninstrument()
    assert bare is vars(SyncAPIClient)["request"]


def test_a_client_that_was_given_the_bare_request(app, logged, openai_client):
    """What one client has of its own is left alone: one line says that its calls are not recorded. Those of others are."""
    take_back = foreign("logfire").instrument(app.client, app._telemetry.tracer_provider)
    app.ours()
    take_back()

    assert [] == app.chat() == app.chat()
    assert [LEFT_OUT.format("OpenAI.request")] == logged()
    app.client = openai_client()
    assert [NAME] == app.chat()


def test_a_request_that_does_not_show_what_it_calls(app, logged):
    """A function of the application that sends by the SDK's bare method, without a trace of it, is left alone, and logged."""
    from openai._base_client import SyncAPIClient

    bare = vars(SyncAPIClient)["request"]
    app.ours()

    def sending(*args: Any, **kwargs: Any) -> Any:
        return bare(*args, **kwargs)

    SyncAPIClient.request = sending  # type: ignore[method-assign]

    assert [] == app.chat() == app.chat()
    assert [LEFT_OUT.format("OpenAI.request")] == logged()


def test_calls_that_are_not_followed_are_no_sign(server, app, logged):
    """An endpoint that is not followed, and a call that somebody suppresses, say nothing of the method."""
    from openai._base_client import SyncAPIClient
    from opentelemetry.instrumentation.utils import suppress_instrumentation

    app.ours()
    followed = vars(SyncAPIClient)["request"]

    def sending(*args: Any, **kwargs: Any) -> Any:
        return followed(*args, **kwargs)

    SyncAPIClient.request = sending  # type: ignore[method-assign]
    server.reply(Json({"object": "list", "data": []}), Json(completion()))

    app.client.models.list()
    with suppress_instrumentation():
        app.client.chat.completions.create(**CHAT)

    assert ([], []) == (app.spans(), logged())
    assert [NAME] == app.chat()


def test_a_bare_request_of_ollama_is_patched_again(server, telemetry, logged):
    """The same for the method that is patched of Ollama's clients."""
    client = ollama.Client(host=server.url, verify=False)
    bare = vars(ollama.Client)["_request"]
    OllamaInstrumentor().instrument(**telemetry.providers)
    ollama.Client._request = bare
    server.reply_always(Json(OLLAMA))

    client.chat(model="m", messages=[])
    assert ([], [REPAIRED.format("Client._request")]) == (telemetry.spans, logged())
    client.chat(model="m", messages=[])
    client._client.close()

    assert ["chat m"] == [span.name for span in telemetry.spans]
    OllamaInstrumentor().uninstrument()
    assert bare is vars(ollama.Client)["_request"]


def test_who_calls_the_patched_function_of_a_class_without_binding_it(app):
    """A function that takes `request` out of the class's dictionary gives it the client as an argument: the call is followed."""
    from openai._base_client import SyncAPIClient

    app.ours()
    patched = vars(SyncAPIClient)["request"]

    def around(*args: Any, **kwargs: Any) -> Any:
        return patched(*args, **kwargs)

    SyncAPIClient.request = around  # type: ignore[method-assign]

    assert [NAME] == app.chat()


async def test_who_calls_the_patched_function_of_an_asynchronous_class(server, app, async_openai_client):
    """The asynchronous twin, plain and as a stream."""
    from openai._base_client import AsyncAPIClient

    app.ours()
    patched = vars(AsyncAPIClient)["request"]

    async def around(*args: Any, **kwargs: Any) -> Any:
        return await patched(*args, **kwargs)

    AsyncAPIClient.request = around  # type: ignore[method-assign]
    client = async_openai_client()
    server.reply(Json(completion()), Sse(chunks("Hello")))

    await client.chat.completions.create(**CHAT)
    async for _ in await client.chat.completions.create(**CHAT, stream=True):
        pass

    assert [NAME, NAME] == app.spans()


def test_an_own_wrapper_of_the_application_reports_nothing(app):
    """A wrapper that counts, retries or logs is no other instrumentation: the call is ours."""
    from openai.resources.chat import completions

    calls = []
    original = completions.Completions.create

    def counting(*args: Any, **kwargs: Any) -> Any:
        calls.append(kwargs)
        return original(*args, **kwargs)

    app.ours()
    completions.Completions.create = counting  # type: ignore[method-assign]

    assert [NAME] == app.chat()
    assert 1 == len(calls)


@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_anthropic(server, telemetry, logged, first):
    """The same for the messages of Anthropic."""
    client = anthropic.Anthropic(base_url=server.url, api_key="none", max_retries=0)
    ours, theirs = AnthropicInstrumentor(), foreign("openllmetry_anthropic").AnthropicInstrumentor()
    for instrumentor in (ours, theirs) if first == "ours" else (theirs, ours):
        instrumentor.instrument(tracer_provider=telemetry.tracer_provider)
    server.reply(Json(message()))

    client.messages.create(model="claude", max_tokens=5, messages=[{"role": "user", "content": "Hi"}])
    client.close()

    assert ["theirs"] == [span.name for span in telemetry.spans]
    assert [LINE.format("anthropic", "opentelemetry.instrumentation.anthropic")] == logged()


@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_ollama(server, telemetry, logged, first):
    """The same for Ollama, where they wrap the method that is patched."""
    client = ollama.Client(host=server.url, verify=False)
    ours, theirs = OllamaInstrumentor(), foreign("openllmetry_ollama").OllamaInstrumentor()
    for instrumentor in (ours, theirs) if first == "ours" else (theirs, ours):
        instrumentor.instrument(tracer_provider=telemetry.tracer_provider)
    server.reply(Json(OLLAMA))

    client.chat(model="m", messages=[{"role": "user", "content": "Hi"}])
    client._client.close()

    assert ["theirs"] == [span.name for span in telemetry.spans]
    assert [LINE.format("ollama", "opentelemetry.instrumentation.ollama")] == logged()


@pytest.mark.process
@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_the_order_of_entry_points(tmp_path, server, receiver, first):
    """Under `opentelemetry-instrument`, theirs imports the SDK when it is loaded; whoever is loaded first, a call is one span."""
    server.reply(Json(completion()))
    theirs = tmp_path / "theirs"
    information = theirs / "theirs-1.dist-info"
    information.mkdir(parents=True)
    (theirs / "theirs_openai.py").write_bytes(source("openllmetry").read_bytes())
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1\n", encoding="utf-8")
    entry = "[opentelemetry_instrumentor]\nopenai = theirs_openai:OpenAIInstrumentor\n"
    (information / "entry_points.txt").write_text(entry, encoding="utf-8")
    installed = sysconfig.get_path("purelib")
    path = os.pathsep.join([installed, str(theirs)] if first == "ours" else [str(theirs), installed])
    program = f"""
from openai import OpenAI

OpenAI(max_retries=0).chat.completions.create(model="{MODEL}", messages=[])
"""
    environment = {"OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": "none", "PYTHONPATH": path}

    _, errors = run(tmp_path, program, instrumented=True, **environment, **receiver.environment())

    assert ["openai.chat"] == [span["name"] for span in receiver.spans]
    assert [LINE.format("openai", "theirs_openai")] == errors


@pytest.mark.process
def test_a_resource_that_is_imported_after_the_first_call(tmp_path, server):
    """To look for others imports nothing of the SDK, and who wraps what is imported later is found."""
    server.reply_always(Json(completion()))
    program = f"""
import sys
from openai import OpenAI
from foreign import foreign
from loopback import Telemetry
from {OURS} import OpenAIInstrumentor

telemetry = Telemetry()
resources = lambda: {{name for name in sys.modules if name.startswith("openai.resources")}}
before = resources()
OpenAIInstrumentor().instrument(**telemetry.providers)
client = OpenAI(base_url="{server.url}/v1", api_key="none", max_retries=0)
client.post("/chat/completions", body=dict(model="{MODEL}", messages=[]), cast_to=object)
print(sorted(resources() - before))
foreign("openllmetry").OpenAIInstrumentor().instrument(tracer_provider=telemetry.tracer_provider)
client.chat.completions.create(model="{MODEL}", messages=[])
print([span.name for span in telemetry.spans])
"""

    written, logged = run(tmp_path, program)

    assert ["[]", f"['{NAME}', 'openai.chat']"] == written
    assert [LINE.format("openai", "opentelemetry.instrumentation.openai")] == logged


def test_no_look_at_others_in_the_path_of_later_calls(app, monkeypatch):
    """Who is at work is looked up at the first call of a kind, and not again while nothing changes."""
    from opentelemetry_instrumentation_genai._patching import other_instrumentations as _others

    looks = []
    monkeypatch.setattr(_others, "_at_work", lambda: looks.append(1) or [])
    app.ours()

    for _ in range(5):
        app.chat()

    assert [1] == looks

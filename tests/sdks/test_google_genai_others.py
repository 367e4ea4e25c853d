"""Other instrumentations beside that of `google-genai`, the trace context in headers, and versions that are not supported."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("google.genai")

from google.genai import models, version
from opentelemetry import context
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from google_callers import Caller
from loopback import Json, ModelServer, Sse, Telemetry
from loopback.google_bodies import MODEL, chunks, response
from opentelemetry_instrumentation_genai import GoogleGenAIInstrumentor
from opentelemetry_instrumentation_genai.sdks.google_genai._endpoints import ENDPOINTS

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")  # the SDK's own, of aiohttp
# As small as it can be, with the wrappers that the real ones have around these methods.
WRAPPERS = """
import functools

def around(original, tracer):
    @functools.wraps(original)
    def plain(self, **given):
        with tracer.start_as_current_span("theirs"):
            return original(self, **given)
    return plain

def async_around(original, tracer):
    @functools.wraps(original)
    async def plain(self, **given):
        with tracer.start_as_current_span("theirs"):
            return await original(self, **given)
    return plain
"""
NAMES = {
    "opentelemetry.instrumentation.google_genai.generate_content": "GoogleGenAiSdkInstrumentor",
    "openinference.instrumentation.google_genai._wrappers": "GoogleGenAIInstrumentor",
    "opentelemetry.instrumentation.google_generativeai": "GoogleGenerativeAiInstrumentor",
}


@pytest.fixture(params=NAMES)
def theirs(request: pytest.FixtureRequest, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch) -> str:
    """Another instrumentation, by the name of its module, of content that is not streamed."""
    module = module_of(request.param)
    tracer = telemetry.tracer_provider.get_tracer(request.param)
    monkeypatch.setattr(models.Models, "generate_content", module.around(models.Models.generate_content, tracer))
    wrapped = module.async_around(models.AsyncModels.generate_content, tracer)
    monkeypatch.setattr(models.AsyncModels, "generate_content", wrapped)
    return str(request.param)


def module_of(name: str) -> Any:
    """A module of that name with the wrappers."""
    module = ModuleType(name)
    exec(WRAPPERS, vars(module))
    return module


def names(telemetry: Telemetry) -> list[str]:
    """The names of the spans, by their end."""
    return [span.name for span in telemetry.spans]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_what_others_report(server: ModelServer, telemetry: Telemetry, theirs: str, kind: str):
    """A call that another instrumentation reports is not reported twice; those that it does not report are."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(response()), Json({"totalTokens": 3}), Sse(chunks(), done=False))
    call = Caller(server, kind)
    call("generate_content", model=MODEL, contents="Hi")
    call("count_tokens", model=MODEL, contents="Hi")
    call("generate_content_stream", model=MODEL, contents="Hi")
    assert names(telemetry) == ["theirs", f"count_tokens {MODEL}", f"generate_content {MODEL}"]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_both(server: ModelServer, telemetry: Telemetry, theirs: str, kind: str):
    """With the setting for it, a call has both spans."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers, allow_others=True)
    server.reply(Json(response()))
    Caller(server, kind)("generate_content", model=MODEL, contents="Hi")
    assert names(telemetry) == [f"generate_content {MODEL}", "theirs"]


@pytest.mark.parametrize("name", NAMES.values())
def test_an_instrumentation_without_visible_wrappers(server: ModelServer, telemetry: Telemetry, name: str):
    """One that is known by the name of its instrumentor reports all calls."""

    def _nothing(self: Any, **_kwargs: Any) -> Any:
        return ()

    methods = {"instrumentation_dependencies": _nothing, "_instrument": _nothing, "_uninstrument": _nothing}
    other = type(name, (BaseInstrumentor,), {**methods, "__module__": "vendor.telemetry.google"})()
    other.instrument(skip_dep_check=True)
    try:
        GoogleGenAIInstrumentor().instrument(**telemetry.providers)
        server.reply(Json(response()))
        Caller(server)("generate_content", model=MODEL, contents="Hi")
        assert names(telemetry) == []
    finally:
        other.uninstrument()


def test_a_call_of_a_framework(server: ModelServer, telemetry: Telemetry):
    """What a package of the ecosystem publishes as its own call is not reported twice."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(response()))
    token = context.attach(context.set_value("opentelemetry.genai.client.inference.context", object()))
    try:
        Caller(server)("generate_content", model=MODEL, contents="Hi")
    finally:
        context.detach(token)
    assert names(telemetry) == []


@pytest.mark.parametrize("method", ["generate_content", "generate_content_stream"])
def test_the_trace_context_is_propagated(server: ModelServer, telemetry: Telemetry, method: str):
    """To a server of one's own it goes in a header of the request, on request; the options of the client stay as they are."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers, propagate="self-hosted")
    server.reply(Json(response()) if method == "generate_content" else Sse(chunks(), done=False))
    call = Caller(server)
    call(method, model=MODEL, contents="Hi", options={"headers": {"x-mine": "1"}})
    span = telemetry.span.context
    headers = server.requests[0].headers
    assert headers["traceparent"].split("-")[1:3] == [f"{span.trace_id:032x}", f"{span.span_id:016x}"]
    assert headers["x-mine"] == "1"


def test_nothing_is_propagated_by_default(server: ModelServer, telemetry: Telemetry):
    """The request has the headers that it has without us."""
    sent = []
    for settings in ({}, telemetry.providers):
        if settings:
            GoogleGenAIInstrumentor().instrument(**settings)
        server.reply(Json(response()))
        Caller(server)("generate_content", model=MODEL, contents="Hi")
        sent.append(dict(server.requests[-1].headers))
    assert sent[0] == sent[1]


def test_an_unsupported_version(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """It is not patched, and one line says so."""
    monkeypatch.setattr(version, "__version__", "9.0.0")
    GoogleGenAIInstrumentor().instrument(**telemetry.providers)
    assert "google_genai 9.0.0 is installed, supported is >=1.32.0,<4" in caplog.text


def test_the_methods_of_the_endpoints():
    """Those that other instrumentations wrap are methods of the SDK."""
    for endpoint in ENDPOINTS.values():
        for path in endpoint.methods:
            module, _, method = path.partition(":")
            kind, _, name = method.partition(".")
            owner = getattr(sys.modules[f"google.genai.{module}"], kind)
            assert name.startswith("_") or hasattr(owner, name), path

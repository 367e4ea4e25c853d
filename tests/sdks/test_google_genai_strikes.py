"""Whatever step of the instrumentation of `google-genai` fails or is interrupted, the application is not harmed."""

import asyncio
import gc
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

pytest.importorskip("google.genai")

from google.genai import types
from opentelemetry.context import attach, get_current
from opentelemetry.context.context import Context
from opentelemetry.sdk.trace import SpanProcessor

from google_callers import Caller, done
from loopback import Json, ModelServer, Sse, Telemetry
from loopback.google_bodies import MODEL, calling, candidate, chunks, error, response
from opentelemetry_instrumentation_genai import GoogleGenAIInstrumentor
from opentelemetry_instrumentation_genai._call.call import current_call
from opentelemetry_instrumentation_genai._call.context import _current
from opentelemetry_instrumentation_genai._runtime import guard
from opentelemetry_instrumentation_genai._runtime.lifetime import finish_pending
from strikes import Place, PlantedError, functions, places, struck

pytestmark = [
    pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning"),  # the SDK's own, of aiohttp
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:.*deprecated"),
]
OURS = "sdks/google_genai/"
# What the SDK calls, and what only calls what is guarded: nothing can be caught that is raised at their own entry.
FRAMES = {"_streamed", "_once", "_async_once", "_respond", "_async_respond", "__exit__"}
# Run when it is instrumented or imported, once for each server, or with propagation alone.
ELSEWHERE = {
    "BaseUrl.__str__",
    "Providers.__call__",
    "_parsed",
    "GoogleGenAIInstrumentor._installed",
    "GoogleGenAIInstrumentor._later_targets",
    "GoogleGenAIInstrumentor._make_seam",
    "GoogleGenAI.__init__",
    "GoogleGenAI.targets",
    "BaseUrls.__init__",
    "Functions.__init__",
    "Functions.targets",
    "Providers.__init__",
    "_of",
    "http_client",
    "async_http_client",
}


def weather(city: str) -> str:
    """Look up the weather."""
    return city


async def time() -> str:
    """Look up the time."""
    return "noon"


class Followed(NamedTuple):
    """A call: its name, what makes it, and the answers that it gets."""

    name: str
    make: Callable[[Any], Any]
    replies: list[Any]
    vertex: bool = False


async def _all(result: Any) -> Any:
    result = await done(result)
    if hasattr(result, "__anext__"):
        return [chunk.text async for chunk in result]
    return [chunk.text for chunk in result] if hasattr(result, "__next__") else result.model_dump(mode="json")


def _asked(method: str, **config: Any) -> Callable[[Any], Any]:
    given = types.GenerateContentConfig(**config) if config else None
    return lambda client: _all(getattr(client.models, method)(model=MODEL, contents="Hi", config=given))


CONFIG: dict[str, Any] = {
    "temperature": 0.5,
    "candidate_count": 2,
    "system_instruction": "Be brief.",
    "response_mime_type": "application/json",
    "response_modalities": ["TEXT"],
    "thinking_config": {"thinking_budget": 5},
    "http_options": {"extra_body": {"labels": {}}},
}
PARTS = [
    {"text": "thought", "thought": True},
    {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
    {"fileData": {"fileUri": "gs://a/b"}},
    {"executableCode": {"code": "1"}},
    {"codeExecutionResult": {"output": "1"}},
    {"toolCall": {"toolType": "SEARCH"}},
    {"toolResponse": {"toolType": "SEARCH"}},
    {"functionResponse": {"name": "weather", "response": {}}},
]
ROME = {"name": "weather", "args": {"city": "Rome"}}
PIECES = [{"name": "f", "willContinue": True}, {"partialArgs": [{"jsonPath": "$.a", "stringValue": "b"}]}]
FOLLOWED = [
    Followed("plain", _asked("generate_content", **CONFIG), [Json(response(candidate(*PARTS)))]),
    Followed("stream", _asked("generate_content_stream", **CONFIG), [Sse(chunks(), done=False)]),
    Followed(
        "streamed call",
        _asked("generate_content_stream"),
        [Sse([response(candidate({"functionCall": piece})) for piece in PIECES], done=False)],
        vertex=True,
    ),
    Followed("functions", _asked("generate_content", tools=[weather]), [Json(calling(ROME)), Json(response())]),
    Followed(
        "coroutines", _asked("generate_content", tools=[time]), [Json(calling({"name": "time"})), Json(response())]
    ),
    Followed("failure", _asked("generate_content"), [Json(error(), status=429)]),
    Followed("error in a body", _asked("generate_content"), [Json(error())]),
    Followed("failed stream", _asked("generate_content_stream"), [Json(error(), status=429)]),
    Followed(
        "embeddings",
        lambda client: _all(
            client.models.embed_content(model=MODEL, contents="a", config={"output_dimensionality": 2})
        ),
        [Json({"embeddings": [{"values": [0.5]}], "usageMetadata": {"promptTokenCount": 3}})],
    ),
    Followed(
        "predicted embeddings",
        lambda client: _posted(client, "text-embedding-005:predict", {"instances": [{"content": "a"}]}),
        [Json({"predictions": [{"embeddings": {"statistics": {"token_count": 3}}}]})],
        vertex=True,
    ),
    Followed(
        "images",
        lambda client: _posted(
            client, "imagen:predict", {"instances": [{"prompt": "a"}], "parameters": {"sampleCount": 2}}
        ),
        [Json({"predictions": [{"bytesBase64Encoded": "AAAA"}]})],
        vertex=True,
    ),
    Followed(
        "count", lambda client: _all(client.models.count_tokens(model=MODEL, contents="a")), [Json({"totalTokens": 3})]
    ),
]


async def _posted(client: Any, path: str, body: Any) -> Any:
    api = client._api_client
    post = api.async_request if type(client).__name__.startswith("Async") else api.request
    return (await done(post("post", f"publishers/google/models/{path}", body))).body


class Open(SpanProcessor):
    """The spans that have started and not ended."""

    def __init__(self) -> None:
        """None yet."""
        self.spans: set[int] = set()

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        """A span has started."""
        self.spans.add(span.context.span_id)

    def on_end(self, span: Any) -> None:
        """A span has ended."""
        self.spans.remove(span.context.span_id)


class Strikes:
    """Makes calls that are struck.

    Args:
        server: the model server.
        telemetry: what is recorded.
        kind: of client.
    """

    def __init__(self, server: ModelServer, telemetry: Telemetry, kind: str) -> None:
        self._server = server
        self._telemetry = telemetry
        self._kind = kind
        self._loop = asyncio.new_event_loop()
        self._open = Open()
        telemetry.tracer_provider.add_span_processor(self._open)
        self._done: set[tuple[Place, type]] = set()
        self._clients = {vertex: Caller(server, kind, vertex=vertex).client() for vertex in (False, True)}
        self.functions: set[tuple[str, int]] = set()

    def close(self) -> None:
        """Close the clients."""
        for client in self._clients.values():
            self._loop.run_until_complete(client.aio.aclose())
            client.close()
        self._loop.close()

    def faults(self, followed: Followed, error: type[BaseException]) -> list[str]:
        """Strike at each place that no call before this one has come to. Returns what was not right."""
        bare = self._made(followed)
        GoogleGenAIInstrumentor().instrument(
            **self._telemetry.providers, capture_message_content="span_only", prices="genai-prices"
        )
        try:
            self._made(followed)
            passed = places(lambda: self._made(followed))
            new = [place for place in passed if self._is_new(place, error)]
            return [fault for place in new for fault in self._strike(followed, place, error, bare)]
        finally:
            GoogleGenAIInstrumentor().uninstrument()

    def _is_new(self, place: Place, error: type[BaseException]) -> bool:
        if (place, error) in self._done or not (place.module.startswith(OURS) or "late_streams" in place.module):
            return False
        self._done.add((place, error))
        return place.entry or error is KeyboardInterrupt

    def _made(self, followed: Followed) -> Any:
        self._server.reset()
        self._server.reply(*followed.replies)
        client = self._clients[followed.vertex]
        try:
            return self._loop.run_until_complete(followed.make(client.aio if self._kind == "async" else client))
        except BaseException as raised:
            return type(raised)

    def _strike(self, followed: Followed, place: Place, error: type[BaseException], bare: Any) -> Iterator[str]:
        with struck(place, error()) as hit:
            got = self._made(followed)
        if hit and place.entry:
            self.functions.add((place.module, place.line))
        if (
            got != bare
            and not (got is error and (error is KeyboardInterrupt or place.function in FRAMES | LATE))
            and place.function not in OF_FUNCTIONS
        ):
            yield f"{followed.name}: {place}: the application got {str(got)[:60]}"
        for attempt in range(50):  # what an interrupted loop has left is ended by its collection, in tasks of its own
            gc.collect(0 if attempt < 2 else 2)
            self._loop.run_until_complete(asyncio.sleep(0))
            finish_pending()
            if attempt and not self._open.spans:
                break
        if self._open.spans:
            yield f"{followed.name}: {place}: a span stays open"
            self._open.spans.clear()
        if get_current() or current_call() is not None:
            yield f"{followed.name}: {place}: the context stays attached"
            attach(Context())
            _current.set(None)


LATE = {"__aiter__", "__anext__", "_self_first", "stream_of"}
OF_FUNCTIONS = {"__exit__"}  # what is raised around a function, the SDK gives to the model


@pytest.fixture
def strikes(server: ModelServer, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Strikes]]:
    """Of both kinds. Failures are dropped here as they are in production."""
    monkeypatch.setattr(guard, "strict", False)
    made = [Strikes(server, telemetry, kind) for kind in ("sync", "async")]
    yield made
    for one in made:
        one.close()


def test_a_step_that_fails(strikes: list[Strikes]):
    """Each function that a call passes raises once at its entry: the application gets what it gets without us."""
    faults = [fault for one in strikes for followed in FOLLOWED for fault in one.faults(followed, PlantedError)]
    assert faults == []
    hit = {place for one in strikes for place in one.functions}
    missed = {name for place, name in functions().items() if place[0].startswith(OURS) and place not in hit}
    assert (missed - ELSEWHERE, ELSEWHERE - missed) == (set(), set())


@pytest.mark.exhaustive
def test_an_interrupt(strikes: list[Strikes]):
    """An interrupt before each line that a call passes reaches the application, or nothing does; no span stays open."""
    faults = [fault for one in strikes for followed in FOLLOWED for fault in one.faults(followed, KeyboardInterrupt)]
    assert faults == []

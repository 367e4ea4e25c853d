"""Whatever step of the instrumentation fails or is interrupted, the application is not harmed, and no call stays open."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest
from anthropic._base_client import BaseClient
from opentelemetry.context import attach, get_current
from opentelemetry.context.context import Context
from opentelemetry.sdk.trace import SpanProcessor

from followed_calls import FOLLOWED, Clients, Followed, clients_of
from followed_rows import MORE, rows
from loopback import ModelServer, Telemetry
from not_struck import NOT_STRUCK
from opentelemetry_instrumentation_genai import (
    AnthropicInstrumentor,
    BedrockInstrumentor,
    OllamaInstrumentor,
    OpenAIInstrumentor,
)
from opentelemetry_instrumentation_genai._call.call import current_call
from opentelemetry_instrumentation_genai._call.context import _current
from opentelemetry_instrumentation_genai._content.completion_hook.queue import Queue
from opentelemetry_instrumentation_genai._runtime import guard
from opentelemetry_instrumentation_genai._runtime.lifetime import finish_pending
from strikes import Place, PlantedError, functions, functions_of, places, struck

# The frames through which our code is called, and which only call what is guarded: what is raised at their own entry cannot be caught.
FRAMES = frozenset(
    {
        ("_patching/event_streams.py", "__anext__"),
        ("_patching/event_streams.py", "_async_final"),
        ("_patching/event_streams.py", "_final"),
        ("_patching/event_streams.py", "_steps"),
        ("_runtime/guard.py", "safe"),
        ("_runtime/guard.py", "wrapper"),
        ("_patching/seam.py", "wrapper"),
        ("_stream/body.py", "__aiter__"),
        ("_stream/followed.py", "__anext__"),
        ("_stream/followed.py", "aclose"),
        ("_stream/body.py", "__iter__"),
        ("_stream/followed.py", "followed"),
        ("_stream/body.py", "aclose"),
        ("_stream/body.py", "close"),
        ("_stream/usage_filter.py", "__anext__"),
        ("_stream/usage_filter.py", "_passing"),
        ("_stream/usage_filter.py", "_remaining"),
        ("_stream/usage_filter.py", "_filtered"),
        ("_stream/usage_filter.py", "_step"),
        ("_stream/usage_filter.py", "aclose"),
        *(
            ("sdks/bedrock/_bodies.py", name)
            for name in (
                "__enter__",
                "__exit__",
                "__iter__",
                "close",
                "events",
                "pieces",
                "read",
                "readinto",
                "readlines",
            )
        ),
        *(("sdks/bedrock/_bodies.py", name) for name in ("run", "steps", "stream")),
        ("sdks/bedrock/_seam.py", "of_service"),
        ("_patching/late_streams.py", "__aiter__"),
        ("_patching/late_streams.py", "__anext__"),
        ("_patching/late_streams.py", "_self_first"),
        ("_patching/late_streams.py", "stream_of"),
        ("_stream/transparent_proxy.py", "__getattribute__"),
        ("_operations/framework_run.py", "wrapper"),
        ("_operations/turns.py", "aclose"),
        ("_operations/turns.py", "asend"),
        ("_operations/turns.py", "close"),
        ("_operations/turns.py", "send"),
        ("anthropic/_native.py", "_answer"),
        ("anthropic/_tool_runners.py", "_async_iterate"),
        ("anthropic/_tool_runners.py", "_execute"),
        ("anthropic/_tool_runners.py", "_executed"),
        ("anthropic/_tool_runners.py", "_iterate"),
        ("anthropic/_tool_runners.py", "_start_span"),
        ("openai/_realtime.py", "_async_enter"),
        ("openai/_realtime.py", "_enter"),
        ("openai/_realtime.py", "_queue"),
        *(
            ("openai/_realtime_methods.py", f"{asynchronous}_{name}")
            for asynchronous in ("", "_async")
            for name in ("close", "receive", "receive_bytes", "send", "send_raw")
        ),
        ("openai/_tool_runners.py", "_async_iterate"),
        ("openai/_tool_runners.py", "_candidates"),
        ("openai/_tool_runners.py", "_iterate"),
        ("openai/_tool_runners.py", "asend"),
        ("openai/_tool_runners.py", "send"),
    }
)
# Where it fails, what was asked for on the caller's behalf cannot be distinguished from the rest: all passes.
FILTER = frozenset(
    {
        ("_call/call.py", "stream_usage"),
        *(
            (module, name)
            for module in ("_stream/usage_filter.py", "_stream/event_texts.py")
            for name in functions_of(module)
        ),
    }
)

# The SDKs that all of the contract can be made with, and the Python of which lines and functions are counted.
NEWEST = find_spec("openai.lib.streaming.chat") is not None and sys.version_info[:2] == (3, 12)
# What the application itself calls to start and to stop, and what would stop.
START = frozenset(
    ("_patching/instrumentor.py", name)
    for name in ("instrument", "_instrument", "uninstrument", "_uninstrument", "_stop", "instrumentation_dependencies")
)
INSTRUMENTORS = {"openai": OpenAIInstrumentor, "anthropic": AnthropicInstrumentor, "ollama": OllamaInstrumentor}
INSTRUMENTORS["bedrock"] = BedrockInstrumentor


@pytest.fixture(autouse=True)
def no_collection_within_a_call() -> None:
    """One test makes calls for minutes: the collector runs as ever."""


def _looked_at() -> None:
    """A collection after each strike looks at what came since; what was imported and made before has been looked at."""
    gc.collect()
    gc.freeze()


# What the application itself calls, around its own code, and what these only hand on.
OPERATIONS = frozenset(
    {
        "__aenter__",
        "__enter__",
        "__exit__",
        "__init__",
        "current_call",
        "of_call",
        "postponed",
        "record_evaluation",
        "set_result",
    }
)


def _is_own(place: Place) -> bool:
    """Whether it is of a block, which the application calls by itself, around its own code."""
    within = ("_application/context_block.py", "_within_outer")
    blocks = ("_application/block.py", "_application/context_block.py", "_application/steps.py")
    made = place.function == "__init__" and place.module in (
        "_application/capture_content.py",
        "_application/genai_context.py",
    )
    if place.module.startswith("_operations/") and place.module != "_operations/framework_run.py":
        return place.function in OPERATIONS
    return made or (place.module in blocks and (place.module, place.function) != within)


class Open(SpanProcessor):
    """The spans that have started and not ended."""

    def __init__(self) -> None:
        """None yet."""
        self.started = 0
        self.spans: set[int] = set()
        self.twice = 0

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        """A span has started."""
        self.started += 1
        self.spans.add(span.context.span_id)

    def on_end(self, span: Any) -> None:
        """A span has ended."""
        if span.context.span_id not in self.spans:
            self.twice += 1
        self.spans.discard(span.context.span_id)


class Struck:
    """Makes calls that are struck, and looks at what becomes of them."""

    def __init__(self, server: ModelServer, telemetry: Telemetry, clients: Clients) -> None:
        """The server answers each call as the call wants it.

        ``struck`` counts the strikes, ``functions`` has the functions, by module and first line, that were struck at their entry.
        """
        self._server = server
        self._telemetry = telemetry
        self._clients = clients
        self._open = Open()
        telemetry.tracer_provider.add_span_processor(self._open)
        self._done: set[tuple[Place, type]] = set()
        self.struck = 0
        self.functions: set[tuple[str, int]] = set()

    def bare(self, followed: Followed) -> Any:
        """What the application gets without us."""
        self._server.reply_always(followed.reply)
        return followed.make(self._clients)

    def faults(self, followed: Followed, error: type[BaseException]) -> list[str]:
        """Strike at each place that no call before this one has come to. Returns what was not right."""
        expected = self._expected(followed)
        INSTRUMENTORS[followed.sdk]().instrument(**self._telemetry.providers, **followed.settings)
        try:
            followed.make(self._clients)  # what is done once only is done
            _looked_at()
            passed = places(lambda: followed.make(self._clients))
            found = []
            for place in self._new(passed, error):
                if self.struck % 100 == 0:
                    self._telemetry.clear()
                found += [
                    f"{followed.name}: {place}: {fault}" for fault in self._strike(followed, place, error, expected)
                ]
            return found
        finally:
            INSTRUMENTORS[followed.sdk]().uninstrument()
            self._telemetry.clear()

    def faults_of_start(self, followed: Followed) -> list[str]:
        """Strike at the entry of each function that `instrument()` and `uninstrument()` pass. Returns what was not right."""
        bare, unfiltered = self._expected(followed)
        own = self._spans_of(followed)  # an SDK may trace itself
        _looked_at()
        passed = places(lambda: self._instrumented(followed))
        found = []
        for place in self._new(passed, PlantedError):
            with struck(place, PlantedError()) as hit:
                got = self._instrumented(followed)
            if hit:
                self._count(place)
            let = (place.module, place.function)
            if (
                got != bare
                and not (got is PlantedError and (let in FRAMES or let in START))
                and not (got == unfiltered and let in FILTER)
            ):
                found.append(f"{followed.name}: {place}: the application got {got!r}")
            if self._spans_of(followed) != own and let not in START:
                found.append(f"{followed.name}: {place}: calls are followed after uninstrument()")
                INSTRUMENTORS[followed.sdk]()._stop()
            found += [f"{followed.name}: {place}: {fault}" for fault in self._left_open()]
        return found

    def _spans_of(self, followed: Followed) -> int:
        started = self._open.started
        followed.make(self._clients)
        return self._open.started - started

    def _instrumented(self, followed: Followed) -> Any:
        instrumentor = INSTRUMENTORS[followed.sdk]()
        try:
            instrumentor.instrument(**self._telemetry.providers, **followed.settings)
            got = followed.make(self._clients)
            instrumentor.uninstrument()
        except Exception as raised:
            return type(raised)
        finally:
            if instrumentor.is_instrumented_by_opentelemetry:
                instrumentor.uninstrument()
        return got

    def _expected(self, followed: Followed) -> tuple[Any, Any]:
        """What the application gets without us, and what it gets where our filter fails."""
        unfiltered = None
        if followed.unfiltered is not None:
            unfiltered = self.bare(followed._replace(reply=followed.unfiltered))
        return self.bare(followed), unfiltered

    def _new(self, passed: list[Place], error: type[BaseException]) -> Iterator[Place]:
        for place in passed:
            if (place, error) not in self._done and (error is KeyboardInterrupt or place.entry) and not _is_own(place):
                self._done.add((place, error))
                yield place

    def _count(self, place: Place) -> None:
        self.struck += 1
        if place.entry:
            self.functions.add((place.module, place.line))

    def _strike(
        self, followed: Followed, place: Place, error: type[BaseException], expected: tuple[Any, Any]
    ) -> Iterator[str]:
        got: Any = None
        with struck(place, error()) as hit:
            try:
                got = followed.make(self._clients)
            except BaseException as raised:
                got = type(raised)
        if not hit:  # a step that is taken now and then only
            return
        self._count(place)
        bare, unfiltered = expected
        let = (place.module, place.function)
        if (
            got != bare
            and not (got is error and (error is KeyboardInterrupt or let in FRAMES))
            and not (got == unfiltered and let in FILTER)
        ):
            yield f"the application got {got!r}"
        yield from self._left_open()
        # What one call leaves to the next is the context, which has been looked at; the call itself is made for some.
        if self.struck % 10 == 0:
            yield from self._next(followed, bare)

    def _next(self, followed: Followed, expected: Any) -> Iterator[str]:
        started = self._open.started
        if (got := followed.make(self._clients)) != expected:
            yield f"the next call got {got!r}"
        yield from self._left_open()
        if self._open.started != started + followed.spans:
            yield f"the next call had {self._open.started - started} spans"

    def _left_open(self) -> Iterator[str]:
        for _ in range(50):  # an event loop ends abandoned generators in tasks of its own
            gc.collect()
            self._clients.loop.run_until_complete(asyncio.sleep(0))
            finish_pending()
            if not self._open.spans:
                break
        if self._open.spans:
            yield f"{len(self._open.spans)} spans stay open"
            self._open.spans.clear()
        if self._open.twice:
            yield "a span ended twice"
            self._open.twice = 0
        if get_current() or current_call() is not None:
            yield "the context stays attached"
            attach(Context())
            _current.set(None)


@pytest.fixture
def strikes(server: ModelServer, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch) -> Iterator[Struck]:
    """Failures are dropped here as they are in production."""
    monkeypatch.setattr(guard, "strict", False)
    if hasattr(BaseClient, "_tracer"):  # given back after the test, whichever step of stopping was struck
        monkeypatch.setattr(BaseClient, "_tracer", vars(BaseClient)["_tracer"])
    with clients_of(server, telemetry) as clients:
        yield Struck(server, telemetry, clients)
    # A queue with a failed `close` waits for more: its threads would be found by other tests.
    for queue in [one for one in gc.get_objects() if isinstance(one, Queue)]:
        queue.close()


# What is raised in a finalizer is raised to nobody.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def test_a_step_that_fails(strikes: Struck) -> None:
    """Each function that a call passes raises once at its entry: the application gets what it gets without us."""
    faults = [fault for followed in FOLLOWED for fault in strikes.faults(followed, PlantedError)]
    assert faults == []


@pytest.mark.exhaustive
def test_an_interrupt(strikes: Struck) -> None:
    """KeyboardInterrupt strikes before each line that a call passes: the span ends once, and the next call is followed."""
    faults = [fault for followed in FOLLOWED for fault in strikes.faults(followed, KeyboardInterrupt)]
    assert faults == []


@pytest.mark.exhaustive
def test_every_function_that_fails(strikes: Struck, server: ModelServer) -> None:
    """The same for all that the contract has calls of, with every setting, and for what starts and stops.

    What no strike reaches is listed with the reason.
    """
    with rows(server.url) as more:
        calls = [*FOLLOWED, *more, *MORE]
        assert [] == [fault for followed in calls for fault in strikes.faults(followed, PlantedError)]
    assert [] == [fault for followed in FOLLOWED for fault in strikes.faults_of_start(followed)]
    if NEWEST:
        known = functions()
        missed = {(place[0], name) for place, name in known.items() if place not in strikes.functions}
        assert set() == missed - _listed()
        assert set() == _listed() - {(module, name) for (module, _), name in known.items()}


def _listed() -> set[tuple[str, str]]:
    return {(module, name) for reason in NOT_STRUCK for module, names in reason.items() for name in names}

"""Cases, and how one is held: run bare, run instrumented, compared."""

from __future__ import annotations

import copy
import gc
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, fields
from typing import Any

import anthropic
import openai
from hypothesis import strategies as st

from contract.drive import WAYS, Way
from differential import replies
from differential.clients import calls, client, instrumentor
from differential.endpoints import USAGE_CHUNK, Endpoint
from differential.listed import OURS, comparable
from differential.observation import Observation, Records, observe
from differential.readings import READINGS, Reading, shown
from differential.recipes import ANYTHING, build
from differential.trees import changed
from loopback import ModelServer, Telemetry


@dataclass(frozen=True)
class Case:
    """One case.

    Attributes:
        endpoint: what is called.
        reading: how what comes is read.
        way: sync or async.
        arguments: recipe of what the caller gives.
        reply: what the server answers.
        settings: those of the instrumentation; `raising` says that the application's own functions raise.
        retries: how often the SDK may send the request again.
    """

    endpoint: Endpoint
    reading: Reading
    way: Way
    arguments: Any
    reply: Any
    settings: dict[str, Any]
    retries: int = 0

    def __repr__(self) -> str:
        return (
            f"Case({self.endpoint.name!r}, {self.reading.name!r}, {self.way.name!r},\n  arguments={self.arguments!r},\n"
            f"  reply={self.reply!r},\n  settings={self.settings!r}, retries={self.retries})"
        )


SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "capture_message_content": st.sampled_from(["span_and_event", "span_only", "event_only", "on_error", "0.5"]),
        "raising": st.booleans(),
        "request_hook": st.just(True),
        "response_hook": st.just(True),
        "completion_hook": st.just(True),
        "redactor": st.just(True),
        "redact": st.just("all"),
        "stream_usage": st.just("inject"),
        "metrics": st.just("extended"),
        "prices": st.just("billed"),
        "enrichers": st.just("llm.request.purpose"),
        "semconv_stability_opt_in": st.just("gen_ai_latest_experimental/dup"),
        "emit_event": st.booleans(),
        "content_budget": st.sampled_from([0, 300]),
        "capture_binary": st.just(True),
        "anthropic_native_tracing": st.sampled_from(["replace", "enrich", "off"]),
    },
)


def _readings(endpoint: Endpoint) -> list[Reading]:
    return [
        reading
        for reading in READINGS
        if endpoint.family in reading.families
        and (not (reading.stream or reading.helper) or endpoint.chunks)
        and (not reading.helper or endpoint.helper)
        and (not reading.access or endpoint.method != "post")
        and _there(endpoint, reading)
    ]


def _there(endpoint: Endpoint, reading: Reading) -> bool:
    """Whether this version of the SDK has it."""
    try:
        _method(client(endpoint.sdk, "sync", "http://127.0.0.1:1"), endpoint, reading)
    except AttributeError:
        return False
    return True


def _method(found: Any, endpoint: Endpoint, reading: Reading) -> Any:
    method = (endpoint.stream_method if reading.stream else "") or endpoint.method
    *path, last = (endpoint.helper if reading.helper else method).split(".")
    for name in path:
        found = getattr(found, name)
    return getattr(getattr(found, reading.access) if reading.access else found, last)


OURS_LOGGED = "we logged:"
"""How a difference begins that is a fault in the log of ours."""

ODD_MORE = {
    "extra_body": st.one_of(st.dictionaries(st.sampled_from(["model", "stream", "messages", "x", "temperature", "input", "stream_options"]), ANYTHING, max_size=2), ANYTHING),
    "extra_headers": st.one_of(st.dictionaries(st.sampled_from(["x-a", "X-Stainless-Raw-Response", "anthropic-beta", "authorization", ""]), ANYTHING, max_size=2), ANYTHING),
    "extra_query": ANYTHING,
    "timeout": st.sampled_from([None, 5]),
}  # fmt: skip


def cases(endpoints: Sequence[Endpoint], ways: Sequence[str] = ()) -> st.SearchStrategy[Case]:
    """Return cases of all kinds: odd requests, odd answers, both, and neither.

    Args:
        endpoints: what is called, of what this version of the SDK has.
        ways: of `sync` and `async`; both if not given.
    """
    return _cases([endpoint for endpoint in endpoints if _readings(endpoint)], ways)


@st.composite
def _cases(draw: st.DrawFn, endpoints: Sequence[Endpoint], ways: Sequence[str]) -> Case:
    endpoint = draw(st.sampled_from(endpoints))
    reading = draw(st.sampled_from(_readings(endpoint)))
    odd = draw(st.sampled_from(["request", "answer", "answer", "both", "neither"]))
    arguments = endpoint.arguments
    if odd in ("request", "both"):
        arguments = draw(changed(arguments, ANYTHING, 2))
        for name in draw(st.lists(st.sampled_from([*endpoint.more, "extra"]), max_size=1)):
            arguments = {**arguments, name: draw(ODD_MORE.get(name, ANYTHING))}
    if reading.helper and endpoint.sdk == "openai":
        arguments = {name: value for name, value in arguments.items() if name != "stream"}
    streams = reading.stream or reading.helper
    if odd in ("answer", "both"):
        # Now and then one that does not fit the question.
        fits = draw(st.integers(0, 9)) > 0 or not endpoint.chunks
        reply = draw(replies.streamed(endpoint) if streams == fits else replies.plain(endpoint))
    elif streams:
        frames = tuple(endpoint.framed(chunk) for chunk in endpoint.chunks)
        reply = replies.Wire(200, endpoint.media, (*frames, endpoint.last), streamed=True)
    else:
        reply = replies.Wire(200, "application/json", (replies._encoded(endpoint.answer),))
    retries = draw(st.sampled_from([0, 0, 1]))
    possible = ("sync",) if endpoint.family == "botocore" else ways
    way = draw(st.sampled_from([way for way in WAYS if not possible or way.name in possible]))
    return Case(endpoint, reading, way, arguments, reply, draw(SETTINGS), retries)


def _answer(case: Case, request: Any) -> Any:
    """What the server answers: with the usage of a stream of chat completions only where it is asked for."""
    reply = case.reply
    if case.endpoint.name != "chat" or b'"include_usage"' not in request.body.replace(b" ", b"") or not reply.streamed:
        return reply
    *before, last = reply.pieces or (b"",)
    # What stands before it must not be a part of the same event, of which it would make something that no server sends.
    if (
        last == case.endpoint.last
        and reply.end == "complete"
        and b"".join(before).endswith((b"\n\n", b"\r\r", b"\r\n\r\n"))
    ):
        return replies.Wire(**{**vars(reply), "pieces": (*before, case.endpoint.framed(USAGE_CHUNK), last)})
    return reply


def run(case: Case, server: ModelServer) -> Observation:
    """Make the call of a case, once."""
    server.reset()
    server.reply_always(lambda request: _answer(case, request))
    made = build({**case.arguments, **case.endpoint.fixed}, case.endpoint.sdk)
    if case.reading.stream:
        made |= copy.deepcopy(case.endpoint.streaming)
    if case.endpoint.method == "post":
        made["cast_to"] = object
        if case.reading.stream:
            made["body"] = {**made["body"], "stream": True} if type(made.get("body")) is dict else made.get("body")
            made["stream_cls"] = _stream_class(case)
    made_by = client(case.endpoint.sdk, case.way.name, server.url, case.retries)
    method = _method(made_by, case.endpoint, case.reading)
    return observe(case.way, case.reading, lambda: method(**made), server, lambda: shown(made))


def _stream_class(case: Case) -> Any:
    module = {"openai": openai, "anthropic": anthropic}[case.endpoint.sdk]
    return (module.AsyncStream if case.way.name == "async" else module.Stream)[dict]


def _settings(case: Case) -> dict[str, Any]:
    """The settings with functions of the application's own."""

    def raising(*_: Any) -> Any:
        raise ZeroDivisionError

    own: dict[str, Callable[..., Any]] = {
        "request_hook": lambda *_: None,
        "response_hook": lambda *_: None,
        "completion_hook": lambda *_: None,
        "redactor": lambda part: part,
    }
    settings = {name: value for name, value in case.settings.items() if name != "raising"}
    raises = case.settings.get("raising")
    return {name: (raising if raises else own[name]) if name in own else value for name, value in settings.items()}


def differences(
    case: Case, server: ModelServer, plant: Callable[[], AbstractContextManager[Any]] = nullcontext
) -> list[str]:
    """What is not as it should be in a case: what differs, and spans that are missing, too many or still open.

    Args:
        case: the case.
        server: what the call is made to.
        plant: what surrounds the instrumented run.
    """
    bare = run(case, server)
    gc.collect() if case.reading.drops else None
    telemetry = Telemetry()
    before = calls(case.endpoint.sdk, case.way.name)
    instrumented = instrumentor(case.endpoint.sdk)
    ours = Records()
    logging.getLogger(OURS).addHandler(ours)
    instrumented.instrument(**telemetry.providers, **_settings(case))
    try:
        with plant():
            followed = run(case, server)
        after = calls(case.endpoint.sdk, case.way.name)
        made = None if before is None or after is None else after - before
        spans = _ended(telemetry, case, made, len(followed.requests))
    finally:
        instrumented.uninstrument()
        telemetry.shutdown()
        logging.getLogger(OURS).removeHandler(ours)
    one, other = comparable(bare, case), comparable(followed, case)
    found = [
        f"{name.name}: {getattr(one, name.name)!r} became {getattr(other, name.name)!r}"
        for name in fields(Observation)
        if getattr(one, name.name) != getattr(other, name.name)
    ]
    found += [f"{OURS_LOGGED} {line}" for line in ours.logged if "Please report" in line[2]]
    return [*found, *spans]


def lasting_differences(case: Case, server: ModelServer) -> list[str]:
    """Return what differs in a case three times in a row.

    When a connection is cut, and when a stream is collected, depends on the moment, also of two bare calls. What we log of ourselves
    counts at once: it is logged only once.
    """
    found = differences(case, server)
    for _ in range(2):
        if found and not any(line.startswith(OURS_LOGGED) for line in found):
            found = differences(case, server)
    return found


def _ended(telemetry: Telemetry, case: Case, made: int | None, requests: int) -> list[str]:
    """What is wrong with the spans: one has ended for each call that is followed."""
    unknown = {1} if requests else {0, 1}  # a request that cannot be built may be a call or none
    expected = unknown if made is None else {made}
    if case.endpoint.sdk == "anthropic" and case.settings.get("anthropic_native_tracing", "replace") != "replace":
        expected.add(0)  # the span is the SDK's own then
    if case.endpoint.sdk == "ollama" and (case.reading.stream or case.arguments.get("stream")):
        expected = {requests, max(made or 0, 1)} if requests else {0, 1}  # a stream's call begins with its first step
    deadline = time.monotonic() + 2
    while len(telemetry.spans) not in expected and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.01)
    ended = len(telemetry.spans)
    return [] if ended in expected else [f"spans: {ended} ended of {sorted(expected)}"]

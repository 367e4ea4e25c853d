"""Every operation, plain, streamed and failing, in each generation of the conventions, held against its registry.

What an SDK raises is recorded with content, so that nothing that can be emitted is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from opentelemetry.semconv._incubating.attributes.enduser_attributes import ENDUSER_ID, ENDUSER_PSEUDO_ID

from conformance import NEWER, Exchange, nonconformities
from contract import SYNC, VARIANTS, Provider, Row, Variant
from contract.expected import read_content
from contract.openai import OPENAI
from contract.providers import PROVIDERS
from loopback import Json, Ndjson, Snapshot, Sse
from loopback.openai_bodies import response
from loopback.replies import JSONL
from opentelemetry_instrumentation_genai._conventions import names as _attributes
from opentelemetry_instrumentation_genai._conventions.names import OWN, OWN_EVENTS, OWN_METRICS
from semconv import registry

# How each is asked for, and what it is held against.
GENERATIONS = {"default": "v1.41", "gen_ai_latest_experimental": "latest"}
DUP = "gen_ai_latest_experimental/dup"
# Of OpenTelemetry's conventions for MCP, for remote procedure calls, networks and AWS, which these registries do not have.
OF_OTHER_REGISTRIES = {
    "aws.bedrock.guardrail.id",
    "aws.request_id",
    "jsonrpc.request.id",
    "mcp.client.operation.duration",
    "mcp.client.session.duration",
    "mcp.method.name",
    "mcp.protocol.version",
    "mcp.resource.uri",
    "mcp.session.id",
    "network.protocol.name",
    "network.transport",
    "rpc.response.status_code",
}
SEEN = [variant for variant in VARIANTS if variant.sees == "response" and not variant.access]


def _variants(row: Row) -> list[Variant]:
    """The first way of reading what is plain, and the first of what is streamed."""
    fitting = [variant for variant in SEEN if variant.fits(row)]
    return [*{variant.stream: variant for variant in reversed(fitting)}.values()]


CALLS = [
    pytest.param(provider, row, variant, id=f"{provider.name}-{row.id}-{variant.id}")
    for provider in PROVIDERS
    for row in provider.rows
    for variant in _variants(row)
]
REFUSED = Json({"error": {"message": "No", "type": "server_error", "code": None}}, status=400)


def _failing(reply: Any) -> Any:
    """A stream with an error in the place of its last piece, as each provider sends one; what is plain is refused."""
    error: Any = {"type": "error", "error": {"type": "overloaded_error", "message": "No"}}
    if isinstance(reply, Ndjson):
        return replace(reply, lines=[*reply.lines[:-1], "{" if reply.content_type == JSONL else {"error": "No"}])
    if isinstance(reply, Sse):
        return replace(reply, events=[*reply.events[:-1], error if reply.event_names else {"error": error["error"]}])
    return REFUSED


ANSWERS: dict[str, Callable[[Any], Any]] = {
    "answered": lambda reply: reply,
    "refused": lambda _reply: REFUSED,
    "cut": lambda reply: replace(reply, end="cut"),
    "failing": _failing,
}


@pytest.fixture
def called(caller: Any) -> Any:
    """Makes a call in a generation, with content; what was recorded is in `caller.telemetry`."""

    def call(generation: str, provider: Provider, row: Row, variant: Variant, answers: Any) -> Exchange:
        caller.telemetry.clear()
        instrumentor = provider.instrumentor()
        settings = {"semconv_stability_opt_in": generation, "capture_message_content": "span_and_event"}
        instrumentor.instrument(**caller.telemetry.providers, **settings)
        failed = False
        try:
            caller.make(row, variant, caller.clients(provider.clients[0], SYNC), SYNC, answers)
        except AssertionError:
            raise
        except Exception:
            failed = True
        finally:
            instrumentor.uninstrument()
        (request,) = caller.server.requests
        return Exchange(_asked(request), _seen(answers(row.reply(stream=variant.stream))), failed, request.path)

    return call


def _asked(request: Any) -> Mapping[str, Any]:
    query = dict(parse_qsl(urlsplit(request.path).query))
    return {**query, **request.members}


def _seen(reply: Any) -> list[Mapping[str, Any]]:
    """The JSON objects of a reply that arrive; those that it spells out itself are left out."""
    objects = next(getattr(reply, name) for name in ("body", "events", "lines", "text") if hasattr(reply, name))
    objects = objects if isinstance(objects, list | tuple) else [objects]
    return [entry for entry in (objects if reply.end == "complete" else objects[:-1]) if isinstance(entry, Mapping)]


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_failure_that_nobody_raises(
    server: Any, telemetry: Any, openai_client: Any, *, stream: bool, generation: str
) -> None:
    """A response that says itself that it failed, in each generation."""
    client = openai_client()
    if not hasattr(client, "responses"):
        pytest.skip("this SDK has no Responses API")
    answer = response(status="failed", output=[], error={"code": "server_error", "message": "No"})
    event = {"type": "response.failed", "sequence_number": 0, "response": answer}
    server.reply(Sse([event], event_names=True) if stream else Json(answer))
    settings = {"semconv_stability_opt_in": generation, "capture_message_content": "span_and_event"}
    OPENAI.instrumentor().instrument(**telemetry.providers, **settings)

    made = client.responses.create(model="m", input="Hi", **({"stream": True} if stream else {}))
    if stream:
        list(made)

    exchange = Exchange(_asked(server.requests[0]), [answer], failed=True)
    assert [] == nonconformities(telemetry, GENERATIONS[generation], exchange)
    assert "server_error" == telemetry.span.attributes["error.type"]


@pytest.mark.parametrize("answers", ANSWERS)
@pytest.mark.parametrize(("provider", "row", "variant"), CALLS)
def test_each_generation_is_as_its_registry_says(
    caller: Any, called: Any, *, provider: Provider, row: Row, variant: Variant, answers: str
) -> None:
    """Names, types, units, instruments, buckets, requirement levels, enums and JSON schemas; nothing that is deprecated.

    `dup` emits what both do, and nothing twice.
    """
    recorded: dict[str, Snapshot] = {}
    for generation in (*GENERATIONS, DUP):
        exchange = called(generation, provider, row, variant, ANSWERS[answers])
        assert (answers != "answered") == exchange.failed
        if generation in GENERATIONS:
            assert [] == nonconformities(caller.telemetry, GENERATIONS[generation], exchange), generation
        recorded[generation] = read_content(caller.telemetry.snapshot())

    assert _together(*(recorded[generation] for generation in GENERATIONS)) == recorded[DUP]


def _together(default: Snapshot, latest: Snapshot) -> dict[str, Any]:
    """What has all of both: where they say different things of one message, the default does, which says more."""
    return {
        "spans": _side_by_side(default["spans"], latest["spans"]),
        "metrics": {**latest["metrics"], **default["metrics"]},
        "events": _side_by_side(default["events"], latest["events"]),
    }


def _side_by_side(default: list[Any], latest: list[Any]) -> list[Any]:
    return [
        {**one, "attributes": {**other["attributes"], **one["attributes"]}}
        for one, other in zip(default, latest, strict=True)
    ]


def test_every_name_is_in_a_registry_or_our_own() -> None:
    """A name that neither generation has is in the table of ours or of another registry; nothing is there that one of them has."""
    names = {value for name, value in vars(_attributes).items() if name.isupper() and isinstance(value, str)}
    names = {name.rstrip(".") for name in names} - {ENDUSER_ID, ENDUSER_PSEUDO_ID}
    registries = [registry(generation) for generation in GENERATIONS.values()]
    known = {name for one in registries for name in (*one.attributes, *one.metrics, *one.events)}

    assert {*OWN, *OWN_METRICS, *OWN_EVENTS, *OF_OTHER_REGISTRIES} == names - known
    assert set() == NEWER - set(registries[1].attributes)
    assert set() == NEWER & set(registries[0].attributes)

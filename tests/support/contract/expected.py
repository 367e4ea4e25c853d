"""What is to be recorded of one call, as a whole: derived from the row, so that span, metrics and events have to agree.

It has the form of `Telemetry.snapshot()`, with content on spans read as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from conformance import INFERENCE
from contract.row import Row
from contract.variants import Variant
from loopback import Snapshot, same

SCOPE = "opentelemetry_instrumentation_genai"
INPUT, OUTPUT = "gen_ai.input.messages", "gen_ai.output.messages"
SYSTEM, TOOLS = "gen_ai.system_instructions", "gen_ai.tool.definitions"
QUERY, DOCUMENTS = "gen_ai.retrieval.query.text", "gen_ai.retrieval.documents"
CONTENT = (INPUT, OUTPUT, SYSTEM, TOOLS, DOCUMENTS)

_SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
_TOKENS = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864]
_METRICS = {
    "gen_ai.client.operation.duration": ("s", "GenAI operation duration.", _SECONDS),
    "gen_ai.client.operation.time_per_output_chunk": ("s", "Time per output chunk after the first one.", _SECONDS),
    "gen_ai.client.operation.time_to_first_chunk": ("s", "Time to receive the first chunk.", _SECONDS),
    "gen_ai.server.request.duration": ("s", "Time that the server took, by its own clock.", _SECONDS),
    "gen_ai.server.time_per_output_token": (
        "s",
        "Time that the server took per token after the first one.",
        [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5],
    ),
    "gen_ai.server.time_to_first_token": (
        "s",
        "Time that the server took to the first token.",
        [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0],
    ),
    "gen_ai.client.token.usage": ("{token}", "Number of input and output tokens used.", _TOKENS),
}
_RESPONSE_MODEL = "gen_ai.response.model"
_DIMENSIONS = (
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    _RESPONSE_MODEL,
    "server.address",
    "server.port",
)
_SERVER = {"server.address": "127.0.0.1", "server.port": "<port>"}


def expected(row: Row, variant: Variant, constants: Mapping[str, Any], *, content: bool) -> dict[str, Any]:
    """All that one call records.

    Args:
        row: the call.
        variant: how it is made and read.
        constants: attributes that every answered call of the client has.
        content: whether content is captured on spans and events.
    """
    attributes = {**_SERVER, **constants, **row.request, **_received(row, variant)}
    captured = _captured(row, variant) if content else {}
    return {
        "spans": [_span(row.span, {**attributes, **captured})],
        "metrics": _metrics(row, variant, attributes),
        "events": [_details(row.span, {**attributes, **captured})] if content and row.details else [],
    }


def read_content(snapshot: Snapshot) -> dict[str, Any]:
    """The snapshot with content on spans as what its JSON says; the JSON is strict."""
    for span in snapshot["spans"]:
        for name in CONTENT:
            if name in span["attributes"]:
                text = span["attributes"][name]
                assert type(text) is str, f"{name} is no JSON text: {text!r}"
                span["attributes"][name] = json.loads(text, parse_constant=_no_constant)
    return snapshot


def differences(wanted: Any, found: Any, path: str = "") -> list[str]:
    """Where two recordings differ, in types too: one line each, for whoever reads the failure."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        names = sorted({*wanted, *found})
        return [line for name in names for line in _differences(wanted, found, name, f"{path}/{name}")]
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        pairs = enumerate(zip(wanted, found, strict=True))
        return [line for place, (one, other) in pairs for line in differences(one, other, f"{path}[{place}]")]
    return [] if same(wanted, found) else [f"{path}: expected {wanted!r}, not {found!r}"]


def _differences(wanted: dict[str, Any], found: dict[str, Any], name: str, path: str) -> list[str]:
    if name not in found:
        return [f"{path}: expected {wanted[name]!r}, but it is missing"]
    if name not in wanted:
        return [f"{path}: not expected: {found[name]!r}"]
    return differences(wanted[name], found[name], path)


def _no_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def _received(row: Row, variant: Variant) -> dict[str, Any]:
    """What the answer adds; of a stream, that it is one, and when it began."""
    asks = row.request["gen_ai.operation.name"] in (*INFERENCE, "invoke_agent")
    asked: dict[str, Any] = {"gen_ai.request.stream": True} if variant.stream and asks else {}
    if variant.sees == "nothing":
        return asked
    if not variant.stream:
        return {**asked, **row.response}
    return {**asked, **row.stream_response, "gen_ai.response.time_to_first_chunk": "<seconds>"}


def _captured(row: Row, variant: Variant) -> dict[str, Any]:
    """The content."""
    if variant.sees == "nothing":
        return {**row.content}
    output = row.output if not variant.stream or row.stream_output is None else row.stream_output
    return {**row.content, **output}


def _span(name: str, attributes: dict[str, Any]) -> dict[str, Any]:
    """One span, whole."""
    return {
        "name": name,
        "kind": "CLIENT",
        "status": {"code": "UNSET", "description": None},
        "attributes": attributes,
        "events": [],
        "parent": None,
        "scope": SCOPE,
    }


def _details(span: str, attributes: dict[str, Any]) -> dict[str, Any]:
    """The details event, whole."""
    return {
        "event_name": "gen_ai.client.inference.operation.details",
        "severity_number": 5,
        "body": None,
        "attributes": attributes,
        "span": span,
        "timestamp": True,
    }


def _metrics(row: Row, variant: Variant, attributes: dict[str, Any]) -> dict[str, Any]:
    """Each metric with the points that one call leaves."""
    shared = {name: attributes[name] for name in _DIMENSIONS if name in attributes}
    tier = "openai.response.service_tier"  # which the page of OpenAI adds to durations and tokens
    refined = {**shared, tier: attributes[tier]} if tier in attributes else shared
    recorded = {"gen_ai.client.operation.duration": [(refined, 1, "<seconds>")]}
    if variant.stream and variant.sees == "response":
        recorded["gen_ai.client.operation.time_to_first_chunk"] = [(shared, 1, "<seconds>")]
        if row.chunks > 1:
            known = {name: value for name, value in shared.items() if not (row.late_model and name == _RESPONSE_MODEL)}
            recorded["gen_ai.client.operation.time_per_output_chunk"] = [(known, row.chunks - 1, "<seconds>")]
    if variant.sees == "response":
        recorded.update({name: [(shared, 1, "<seconds>")] for name in row.timings})
    used = [
        ({**refined, "gen_ai.token.type": kind}, 1, attributes[name])
        for kind, name in (("input", "gen_ai.usage.input_tokens"), ("output", "gen_ai.usage.output_tokens"))
        if name in attributes
    ]
    used += _of_results(row, shared)
    if used:
        recorded["gen_ai.client.token.usage"] = used
    return {name: _metric(name, row.span, points) for name, points in sorted(recorded.items())}


def _of_results(row: Row, shared: Mapping[str, Any]) -> list[Any]:
    """The tokens of results of earlier inferences, by their model."""
    return [
        ({**shared, _RESPONSE_MODEL: model, "gen_ai.token.type": kind}, len(tokens), sum(tokens))
        for model in sorted({model for model, *_ in row.results})
        for place, kind in enumerate(("input", "output"), 1)
        for tokens in [[result[place] for result in row.results if result[0] == model]]
    ]


def _metric(name: str, span: str, points: list[Any]) -> dict[str, Any]:
    """One metric; every point links to the span."""
    unit, description, bounds = _METRICS[name]
    rows = [
        {"attributes": attributes, "exemplars": [span], "count": count, "sum": total}
        for attributes, count, total in points
    ]
    return {"unit": unit, "description": description, "bounds": bounds, "points": rows}

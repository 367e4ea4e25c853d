"""What InvokeModel adds to the body of a model, by AWS's API reference: counts of tokens, times, and what a guardrail has done.

A plain response has the counts in headers, the last chunk of a stream in a member of its own. They count where the body has none. What the
price depends on is in headers of both.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ..._adapter.fields import both, count, field, member, members, table
from ..._adapter.json_text import parsed
from ..._adapter.server_timings import Timings, timings
from ..._conventions import names
from ._common import GUARDRAIL, model_of, seconds, terms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..._adapter.billing import Billing
    from ..._adapter.endpoint import Accumulator, Endpoint

METRICS = "amazon-bedrock-invocationMetrics"
_ACTION = "amazon-bedrock-guardrailAction"
_ADDED = (METRICS, _ACTION)
TERMS = "terms"
# Header of a plain response -> the name of the same in a stream.
_HEADERS = {
    "x-amzn-bedrock-input-token-count": "inputTokenCount",
    "x-amzn-bedrock-output-token-count": "outputTokenCount",
    "x-amzn-bedrock-cache-read-input-token-count": "cacheReadInputTokenCount",
    "x-amzn-bedrock-cache-write-input-token-count": "cacheWriteInputTokenCount",
    "x-amzn-bedrock-invocation-latency": "invocationLatency",
    "x-amzn-bedrock-first-byte-latency": "firstByteLatency",
}


def by_headers(headers: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the headers of a response say of it: members that are added to its body."""
    found = ((name, headers.get(header)) for header, name in _HEADERS.items())
    metrics = {
        name: int(value) for name, value in found if isinstance(value, str) and value.isdecimal() and len(value) < 19
    }
    billed = terms(headers.get("x-amzn-bedrock-service-tier"), headers.get("x-amzn-bedrock-performanceconfig-latency"))
    return {name: value for name, value in ((METRICS, metrics), (TERMS, billed)) if value}


def with_added(body: Any, added: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a body with what the headers say; None if nothing is known."""
    return {**members(body), **added} or None


def _input_tokens(metrics: Any) -> int | None:
    counts = members(metrics)
    fresh = count(counts.get("inputTokenCount"))
    if fresh is None:
        return None
    cached = (count(counts.get(name)) or 0 for name in ("cacheReadInputTokenCount", "cacheWriteInputTokenCount"))
    return count(fresh + sum(cached))


def _of(name: str) -> Callable[[Any], int | None]:
    return lambda metrics: count(member(metrics, name))


def _intervened(action: object) -> bool | None:
    return True if action == "INTERVENED" else None


# Leaves, so that what the body itself has wins: see `table`.
_RESPONSE = table(
    field(names.USAGE_INPUT_TOKENS, _input_tokens, METRICS),
    field(names.USAGE_OUTPUT_TOKENS, _of("outputTokenCount"), METRICS),
    field(names.USAGE_CACHE_READ_INPUT_TOKENS, _of("cacheReadInputTokenCount"), METRICS),
    field(names.USAGE_CACHE_WRITE_INPUT_TOKENS, _of("cacheWriteInputTokenCount"), METRICS),
    field(names.USAGE_CACHE_CREATION_INPUT_TOKENS, _of("cacheWriteInputTokenCount"), METRICS),
    field(names.AWS_BEDROCK_GUARDRAIL_INTERVENED, _intervened, _ACTION),
)


def invoked(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint of InvokeModel, and of its stream, for a model with bodies as `endpoint` describes them."""
    make = endpoint.accumulator
    return dataclasses.replace(
        endpoint,
        request=both(endpoint.request, table(*GUARDRAIL)),
        response=both(_RESPONSE, endpoint.response),
        model=model_of,
        constants={name: value for name, value in endpoint.constants.items() if name != names.OPENAI_API_TYPE},
        finish_reasons=_reasons(endpoint.finish_reasons),
        billing=_billing(endpoint.billing),
        timings=_timings,
        timed=frozenset({names.USAGE_OUTPUT_TOKENS}),
        accumulator=lambda content: Chunks(None if make is None else make(content)),
        stream_usage=None,
        methods=(),
    )


def _reasons(reasons: Callable[[Any, bool], Sequence[str]]) -> Callable[[Any, bool], list[str]]:
    """Return a reader of finish reasons for which content that a guardrail has replaced is filtered."""

    def read(response: Any, streamed: bool) -> list[str]:
        found = [*reasons(response, streamed)]
        return ["content_filter"] * len(found) if _intervened(member(response, _ACTION)) else found

    return read


def _billing(billing: Callable[[Any], Billing]) -> Callable[[Any], Billing]:
    """Return a reader of what the price depends on, for which the terms of the service come on top of those of the model."""

    def read(response: Any) -> Billing:
        found = billing(response)
        return found._replace(terms={**found.terms, **members(member(response, TERMS))})

    return read


def _timings(response: Any, found: Mapping[str, Any]) -> Timings | None:
    metrics = members(member(response, METRICS))
    whole, first = seconds(metrics.get("invocationLatency")), seconds(metrics.get("firstByteLatency"))
    generating = None if whole is None or first is None else max(whole - first, 0.0)
    return timings(whole, first, generating, found.get(names.USAGE_OUTPUT_TOKENS))


class Chunks:
    """Accumulates the events of a stream, each with a chunk of the model in JSON.

    Args:
        model: accumulates the chunks; None where their form is not known.
    """

    __slots__ = ("_added", "_model")

    def __init__(self, model: Accumulator | None) -> None:
        self._model = model
        self._added: dict[str, Any] = {}

    def add(self, event: Any) -> None:
        """Add one event."""
        if TERMS in members(event):
            self._added[TERMS] = event[TERMS]
        data = member(member(event, "chunk"), "bytes")
        chunk = parsed(data) if isinstance(data, bytes) else None
        for name in _ADDED:
            value = member(chunk, name)
            if value is not None:
                self._added[name] = value
        if self._model is not None and chunk is not None:
            self._model.add(chunk)

    def result(self) -> dict[str, Any]:
        """Return the response received so far."""
        return {**({} if self._model is None else self._model.result()), **self._added}

"""What generates no message at once: token counting, and batches of requests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from anthropic import _base_client
from anthropic._decoders.jsonl import AsyncJSONLDecoder, JSONLDecoder
from anthropic.types.beta.messages import BetaMessageBatchIndividualResponse

from contract.anthropic_messages import HEADERS
from contract.row import Row, given
from loopback import Json, Ndjson
from loopback.anthropic_bodies import BATCH, MESSAGES, MODEL, SERVED, batch, counted, message, result, text
from loopback.replies import JSONL

_ASKED: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}]}
_COUNT = Row(
    "count-tokens",
    "messages.count_tokens",
    given(
        **_ASKED,
        system=[text("Be brief.")],
        tools=[{"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}],
    ),
    f"count_tokens {MODEL}",
    {"gen_ai.operation.name": "count_tokens", "gen_ai.request.model": MODEL},
    plain=Json(counted(42), headers=HEADERS),
    response={"anthropic.message.count_tokens.input_tokens": 42},
    details=False,
)
_COUNT_BETA = replace(
    _COUNT,
    id="beta-count-tokens",
    method="beta.messages.count_tokens",
    arguments=given(**_ASKED, betas=["files-api-2025-04-14"]),
    # The SDK adds the second one.
    request={**_COUNT.request, "anthropic.beta": ["files-api-2025-04-14", "token-counting-2024-11-01"]},
    # With what only the beta's answer has.
    plain=Json({**counted(42), "context_management": {"original_input_tokens": 64}}, headers=HEADERS),
)
_COUNT_BY_HAND = replace(
    _COUNT,
    id="count-tokens-posted",
    method="post",
    arguments=given(path="/v1/messages/count_tokens", body=_ASKED, cast_to=object),
    style="by hand",
)
_BATCH_ID = {"anthropic.message.batch.id": BATCH}


def _counts(status: str, **counts: int) -> dict[str, Any]:
    """The attributes of a batch."""
    none = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
    found = {
        f"anthropic.message.batch.request_counts.{outcome}": count for outcome, count in {**none, **counts}.items()
    }
    return {**_BATCH_ID, "anthropic.message.batch.processing_status": status, **found}


_CREATED, _ENDED = {"processing": 2}, {"succeeded": 4, "errored": 3, "canceled": 2, "expired": 1}
_REQUESTS = [{"custom_id": name, "params": MESSAGES} for name in ("first", "second")]
_CREATE = Row(
    "batches-create",
    "messages.batches.create",
    given(requests=_REQUESTS),
    "create_batch",
    {"gen_ai.operation.name": "create_batch", "anthropic.message.batch.request_count": 2},
    plain=Json(batch(**_CREATED), headers=HEADERS),
    response=_counts("in_progress", **_CREATED),
    details=False,
)
_CREATE_BY_HAND = replace(
    _CREATE,
    id="batches-create-posted",
    method="post",
    arguments=given(path="/v1/messages/batches", body={"requests": _REQUESTS}, cast_to=object),
    style="by hand",
)
_RETRIEVE = Row(
    "batches-retrieve",
    "messages.batches.retrieve",
    given(message_batch_id=BATCH),
    "fetch_batch",
    {"gen_ai.operation.name": "fetch_batch", **_BATCH_ID},
    plain=Json(batch("ended", **_ENDED), headers=HEADERS),
    response=_counts("ended", **_ENDED),
    details=False,
)
_RETRIEVE_BY_HAND = replace(
    _RETRIEVE,
    id="batches-retrieve-by-hand",
    method="get",
    arguments=given(path=f"v1/messages/batches/{BATCH}/", cast_to=object),
    style="by hand",
)


def _reading(client: Any) -> dict[str, Any]:
    """How `results` reads them, when it knows where they are."""
    kind: Any = JSONLDecoder if isinstance(client, _base_client.SyncAPIClient) else AsyncJSONLDecoder
    path = f"/v1/messages/batches/{BATCH}/results"
    return {"path": path, "cast_to": kind[BetaMessageBatchIndividualResponse], "stream": True}


_OTHER_MODEL = "claude-other-1"
_REFUSED = {"type": "error", "error": {"type": "invalid_request_error", "message": "No"}}
RESULTS = [
    result("first", message=message(text("Hello"))),
    result("second", "errored", error=_REFUSED),
    result("third", message=message(text("Hi"), model=_OTHER_MODEL, usage={"input_tokens": 5, "output_tokens": 2})),
    result("fourth", "canceled"),
    result("fifth", "expired"),
    result("sixth", message=message(text("Grüß dich 🌍"), usage={"input_tokens": 64, "output_tokens": 1})),
]
COUNTED = {"succeeded": 3, "errored": 1, "canceled": 1, "expired": 1}
_RESULTS = Row(
    "batches-results-by-hand",
    "get",
    _reading,
    "batch_results",
    {"gen_ai.operation.name": "batch_results", **_BATCH_ID},
    style="lines",
    streamed=Ndjson(RESULTS, headers=HEADERS, content_type=JSONL),
    stream_arguments={},
    stream_response={
        f"anthropic.message.batch.request_counts.{outcome}": number for outcome, number in COUNTED.items()
    },
    chunks=len(RESULTS),
    details=False,
    results=[(SERVED, 8, 3), (SERVED, 64, 1), (_OTHER_MODEL, 5, 2)],
)


def _beta(row: Row) -> Row:
    """The same of `beta.messages`, with a feature: as a header, which replaces the one that older SDKs send."""
    feature = "files-api-2025-04-14"
    return replace(
        row,
        id=f"beta-{row.id}",
        method=f"beta.{row.method}",
        arguments=lambda client: {**row.arguments(client), "extra_headers": {"anthropic-beta": feature}},
        request={**row.request, "anthropic.beta": [feature]},
    )


OTHER_ROWS = (
    _COUNT,
    _COUNT_BETA,
    _COUNT_BY_HAND,
    _CREATE,
    _CREATE_BY_HAND,
    _RETRIEVE,
    _RETRIEVE_BY_HAND,
    _RESULTS,
    _beta(_CREATE),
    _beta(_RETRIEVE),
)

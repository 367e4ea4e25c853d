"""What is neither generated nor embedded: moderations, decisions, and operations on responses."""

from __future__ import annotations

from dataclasses import replace

from contract.expected import DOCUMENTS, QUERY
from contract.openai_chat import HEADERS, MODEL
from contract.openai_responses import beta, response
from contract.row import Row, given
from loopback import Json
from loopback.openai_bodies import batch, compacted, decision, detailed_usage, found, moderation

_MODERATION = "omni-moderation-latest"
_USED = {
    "gen_ai.usage.input_tokens": 30,
    "gen_ai.usage.cache_creation.input_tokens": 4,
    "gen_ai.usage.cache_read.input_tokens": 16,
    "gen_ai.usage.cache_write.input_tokens": 4,
    "gen_ai.usage.reasoning.output_tokens": 1,
}

_MODERATED = Row(
    "moderations",
    "moderations.create",
    given(model=_MODERATION, input=["one", "two"]),
    f"moderation {_MODERATION}",
    {"gen_ai.operation.name": "moderation", "gen_ai.request.model": _MODERATION},
    plain=Json(moderation(), headers=HEADERS),
    response={"gen_ai.response.id": "modr-1", "gen_ai.response.model": _MODERATION},
    details=False,
)
_MODERATED_BY_DEFAULT = replace(
    _MODERATED,
    id="moderations-without-a-model",
    arguments=given(input="one"),
    span="moderation",
    request={"gen_ai.operation.name": "moderation"},
)
_DECIDED = Row(
    "decisions",
    "decisions.create",
    given(model=MODEL, input="Please.", questions=[{"type": "predicate", "name": "polite", "question": "Polite?"}]),
    f"decision {MODEL}",
    {"gen_ai.operation.name": "decision", "gen_ai.request.model": MODEL},
    plain=Json(decision(), headers=HEADERS),
    response={"gen_ai.response.model": MODEL, **_USED, "gen_ai.usage.output_tokens": 2},
    details=False,
)

_ON_RESPONSES = {"openai.api.type": "responses", "gen_ai.request.model": MODEL}
_COMPACTED = Row(
    "responses-compact",
    "responses.compact",
    given(
        model=MODEL,
        input=[
            {"role": "user", "content": "Hi"},
            {"type": "compaction", "id": "cmp_0", "encrypted_content": "c2VjcmV0"},
        ],
        previous_response_id="resp_1",
        extra_body={"service_tier": "flex"},
    ),
    f"compact_response {MODEL}",
    {
        **_ON_RESPONSES,
        "gen_ai.operation.name": "compact_response",
        "gen_ai.conversation.compacted": True,
        "gen_ai.request.previous_response.id": "resp_1",
        "openai.request.service_tier": "flex",
    },
    plain=Json(compacted(), headers=HEADERS),
    response={"gen_ai.response.id": "resp_2", **_USED, "gen_ai.usage.output_tokens": 12},
    details=False,
)
_COUNTED = Row(
    "responses-count",
    "responses.input_tokens.count",
    given(
        model=MODEL,
        input="Hi",
        conversation="conv_1",
        reasoning={"effort": "low"},
        text={"format": {"type": "json_schema", "name": "word", "schema": {"type": "object"}}},
    ),
    f"count_tokens {MODEL}",
    {
        **_ON_RESPONSES,
        "gen_ai.operation.name": "count_tokens",
        "gen_ai.conversation.id": "conv_1",
        "gen_ai.output.type": "json",
        "gen_ai.request.reasoning.level": "low",
    },
    plain=Json({"object": "response.input_tokens", "input_tokens": 11}, headers=HEADERS),
    # The tokens of a call that is not made: no usage, and in no metric of tokens.
    response={"openai.count_tokens.input_tokens": 11},
    details=False,
)
_COUNTED_SMALL = replace(
    _COUNTED,
    id="responses-count-small",
    arguments=given(model=MODEL, input="Hi"),
    request={**_ON_RESPONSES, "gen_ai.operation.name": "count_tokens"},
)
_CANCELLED = Row(
    "responses-cancel",
    "responses.cancel",
    given(response_id="resp_1"),
    "cancel_response",
    {"gen_ai.operation.name": "cancel_response", "openai.api.type": "responses", "gen_ai.response.id": "resp_1"},
    plain=Json(response(status="cancelled", background=True), headers=HEADERS),
    response={"gen_ai.response.model": response()["model"], "gen_ai.response.status": "cancelled"},
    details=False,
)

_SEARCHED = Row(
    "vector-stores-search",
    "vector_stores.search",
    given(vector_store_id="vs_1", query="tea", max_num_results=2, rewrite_query=True),
    "retrieval vs_1",
    {"gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": "vs_1", "gen_ai.retrieval.top_k": 2},
    plain=Json(found("Green.\nBlack.", "Cups."), headers=HEADERS),
    content={QUERY: "tea"},
    output={
        DOCUMENTS: [
            {
                "type": "text",
                "content": "Green.\nBlack.",
                "id": "file-1",
                "score": 0.875,
                "filename": "1.md",
                "attributes": {"author": "Ada"},
            },
            {"type": "text", "content": "Cups.", "id": "file-2", "score": 0.75, "filename": "2.md"},
        ]
    },
    details=False,
)
_SEARCHED_BY_TWO = replace(
    _SEARCHED,
    id="vector-stores-search-two",
    arguments=given(vector_store_id="vs_1", query=["tea", "cups"]),
    request={"gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": "vs_1"},
    plain=Json(found(), headers=HEADERS),
    content={QUERY: "tea\ncups"},
    output={DOCUMENTS: []},
)

_BATCH_CREATED = Row(
    "batches-create",
    "batches.create",
    given(completion_window="24h", endpoint="/v1/chat/completions", input_file_id="file-1"),
    "create_batch",
    {"gen_ai.operation.name": "create_batch"},
    plain=Json(batch(request_counts=None), headers=HEADERS),
    response={"openai.batch.id": "batch_1", "openai.batch.status": "validating"},
    details=False,
)
_BATCH_FETCHED = Row(
    "batches-retrieve",
    "batches.retrieve",
    given(batch_id="batch_1"),
    "fetch_batch",
    {"gen_ai.operation.name": "fetch_batch", "openai.batch.id": "batch_1"},
    # What the requests of a batch used, none of these calls has used.
    plain=Json(
        batch(
            status="completed",
            model=MODEL,
            request_counts={"total": 5, "completed": 3, "failed": 2},
            usage=detailed_usage(30, 12),
        ),
        headers=HEADERS,
    ),
    response={
        "gen_ai.response.model": MODEL,
        "openai.batch.status": "completed",
        "openai.batch.request_counts.completed": 3,
        "openai.batch.request_counts.failed": 2,
        "openai.batch.request_counts.total": 5,
    },
    details=False,
)

OPERATION_ROWS = (
    _MODERATED,
    _MODERATED_BY_DEFAULT,
    _DECIDED,
    _COMPACTED,
    beta(_COMPACTED),
    _COUNTED_SMALL,
    _COUNTED,
    beta(_COUNTED),
    _CANCELLED,
    beta(_CANCELLED),
    _SEARCHED,
    _SEARCHED_BY_TWO,
    _BATCH_CREATED,
    _BATCH_FETCHED,
)

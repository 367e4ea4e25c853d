"""Operations on responses beside creating and fetching them, by OpenAI's API reference.

`POST /responses/compact`, `POST /responses/{id}/cancel`, and `POST /responses/input_tokens`.
"""

from __future__ import annotations

from ..._conventions import names, operation_kinds
from ..endpoint import Endpoint
from ..fields import count, field, string, table
from .common import MEASURED_VALUES, REQUEST_TIER, failure, output_type
from .responses import RESPONSE_ATTRIBUTES, RESPONSE_USAGE, compacted, conversation_id, counts_fetched_usage

_CONSTANTS = {names.OPENAI_API_TYPE: "responses"}
_CONTEXT = (
    field(names.REQUEST_PREVIOUS_RESPONSE_ID, string, "previous_response_id"),
    field(names.CONVERSATION_COMPACTED, compacted, "input"),
)

COMPACT_RESPONSE = Endpoint(
    kind=operation_kinds.COMPACT_RESPONSE,
    request=table(*_CONTEXT, REQUEST_TIER),
    response=table(field(names.RESPONSE_ID, string, "id"), *RESPONSE_USAGE),
    constants=_CONSTANTS,
    failure=failure,
    unread=frozenset({"output"}),
)
CANCEL_RESPONSE = Endpoint(
    kind=operation_kinds.CANCEL_RESPONSE,
    request=table(field(names.RESPONSE_ID, string, "id")),
    response=table(*RESPONSE_ATTRIBUTES, *RESPONSE_USAGE),
    constants=_CONSTANTS,
    counts_usage=counts_fetched_usage,
    task=names.RESPONSE_ID,
    measured_values=MEASURED_VALUES,
)
COUNT_TOKENS = Endpoint(
    kind=operation_kinds.COUNT_TOKENS,
    request=table(
        *_CONTEXT,
        field(names.REQUEST_REASONING_LEVEL, string, "reasoning.effort"),
        field(names.CONVERSATION_ID, conversation_id, "conversation"),
        field(names.OUTPUT_TYPE, output_type, "text.format.type"),
    ),
    response=table(field(names.OPENAI_COUNTED_INPUT_TOKENS, count, "input_tokens")),
    constants=_CONSTANTS,
    failure=failure,
)

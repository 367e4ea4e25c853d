"""Token counting: `POST /v1/messages/count_tokens`, by Anthropic's API reference. Nothing is generated, and nothing is billed."""

from __future__ import annotations

from ..._conventions import names, operation_kinds
from ..endpoint import Endpoint
from ..fields import count, field, table
from .messages import failure

COUNT_TOKENS = Endpoint(
    kind=operation_kinds.COUNT_TOKENS,
    methods=(
        "resources.messages:Messages.count_tokens",
        "resources.messages:AsyncMessages.count_tokens",
        "resources.beta.messages:Messages.count_tokens",
        "resources.beta.messages:AsyncMessages.count_tokens",
    ),
    request=table(),
    response=table(field(names.ANTHROPIC_COUNTED_INPUT_TOKENS, count, "input_tokens")),
    failure=failure,
)

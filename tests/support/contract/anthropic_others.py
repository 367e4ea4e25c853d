"""What generates no message at once: token counting."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from contract.anthropic_messages import HEADERS
from contract.row import Row, given
from loopback import Json
from loopback.anthropic_bodies import MODEL, counted, text

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

OTHER_ROWS = (_COUNT, _COUNT_BETA, _COUNT_BY_HAND)

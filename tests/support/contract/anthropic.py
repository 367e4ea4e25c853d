"""The rows of the `anthropic` SDK: its provider record, put together from its operations, clients, and what is not followed."""

from __future__ import annotations

from typing import Any

import anthropic
from anthropic import _base_client, _resource

from contract.anthropic_clients import CLIENTS
from contract.anthropic_messages import MESSAGES_ROWS
from contract.anthropic_methods import NOT_CALLED, NOT_FOLLOWED, OTHER_PATHS
from contract.anthropic_others import OTHER_ROWS
from contract.provider import Provider


def _instrumentor() -> Any:
    from opentelemetry_instrumentation_genai import AnthropicInstrumentor

    return AnthropicInstrumentor()


ANTHROPIC = Provider(
    name=anthropic.__title__,
    instrumentor=_instrumentor,
    constants={
        "http.response.status_code": 200,
        "anthropic.request.id": "req_1",
        "anthropic.organization.id": "org_1",
        "anthropic.workspace.id": "wrkspc_1",
    },
    clients=CLIENTS,
    rows=(*MESSAGES_ROWS, *OTHER_ROWS),
    samples=(
        "messages-full",
        "messages",
        "messages-parse",
        "messages-helper",
        "messages-posted",
        "beta-messages",
        "beta-messages-parse",
        "beta-messages-helper",
        "completions",
        "count-tokens",
        "beta-count-tokens",
    ),
    always=("messages.create", "messages.stream", "beta.messages.create", "beta.messages.batches.list", "post"),
    not_followed=NOT_FOLLOWED,
    not_called=NOT_CALLED,
    other_paths=OTHER_PATHS,
    resources=(_resource.SyncAPIResource, _resource.AsyncAPIResource),
    funnels=(_base_client.SyncAPIClient, _base_client.AsyncAPIClient),
)

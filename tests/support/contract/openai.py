"""The rows of the `openai` SDK: its provider record, put together from its operations, clients, and what is not followed."""

from __future__ import annotations

from typing import Any

import openai
from openai import _base_client, _resource

from contract.openai_chat import CHAT_ROWS
from contract.openai_clients import CLIENTS
from contract.openai_media import MEDIA_ROWS
from contract.openai_methods import NOT_CALLED, NOT_FOLLOWED, OTHER_PATHS
from contract.openai_operations import OPERATION_ROWS
from contract.openai_others import OTHER_ROWS
from contract.openai_responses import RESPONSES_ROWS
from contract.provider import Provider


def _instrumentor() -> Any:
    from opentelemetry_instrumentation_genai import OpenAIInstrumentor

    return OpenAIInstrumentor()


OPENAI = Provider(
    name=openai.__title__,
    instrumentor=_instrumentor,
    constants={"http.response.status_code": 200, "openai.request.id": "req_1"},
    clients=CLIENTS,
    rows=(*CHAT_ROWS, *RESPONSES_ROWS, *OTHER_ROWS, *OPERATION_ROWS, *MEDIA_ROWS),
    samples=("chat", "chat-parse", "chat-helper", "chat-posted", "completions", "embeddings", "responses"),
    always=(
        "chat.completions.create",
        "completions.create",
        "embeddings.create",
        "files.create",
        "post",
        "beta.assistants.list",
    ),
    not_followed=NOT_FOLLOWED,
    not_called=NOT_CALLED,
    other_paths=OTHER_PATHS,
    resources=(_resource.SyncAPIResource, _resource.AsyncAPIResource),
    funnels=(_base_client.SyncAPIClient, _base_client.AsyncAPIClient),
)

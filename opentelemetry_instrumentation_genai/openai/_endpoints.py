"""The endpoints of the SDK that are followed: (method, path with `{name}` for an id) -> endpoint.

Calls of other endpoints are not instrumented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._adapter.openai_api.audio import SPEECH, TRANSCRIPTIONS
from .._adapter.openai_api.batches import CREATE_BATCH, FETCH_BATCH
from .._adapter.openai_api.chat import CHAT
from .._adapter.openai_api.completions import COMPLETIONS
from .._adapter.openai_api.embeddings import EMBEDDINGS
from .._adapter.openai_api.images import IMAGE_VARIATIONS, IMAGES
from .._adapter.openai_api.moderations import MODERATIONS
from .._adapter.openai_api.response_operations import CANCEL_RESPONSE, COMPACT_RESPONSE, COUNT_TOKENS
from .._adapter.openai_api.responses import FETCH_RESPONSE, RESPONSES
from .._adapter.openai_api.vector_stores import VECTOR_STORE_SEARCH
from ._decisions import DECISIONS

if TYPE_CHECKING:
    from .._adapter.endpoint import Endpoint


ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("post", "/chat/completions"): CHAT.called_by("chat.completions", "Completions"),
    ("post", "/completions"): COMPLETIONS.called_by("completions", "Completions"),
    ("post", "/embeddings"): EMBEDDINGS.called_by("embeddings", "Embeddings"),
    ("post", "/responses"): RESPONSES.called_by("responses", "Responses"),
    ("get", "/responses/{id}"): FETCH_RESPONSE.called_by("responses", "Responses", "retrieve"),
    ("post", "/responses/compact"): COMPACT_RESPONSE.called_by("responses", "Responses", "compact"),
    ("post", "/responses/input_tokens"): COUNT_TOKENS.called_by("responses.input_tokens", "InputTokens", "count"),
    ("post", "/responses/{id}/cancel"): CANCEL_RESPONSE.called_by("responses", "Responses", "cancel"),
    ("post", "/images/generations"): IMAGES.called_by("images", "Images", "generate"),
    ("post", "/images/edits"): IMAGES.called_by("images", "Images", "edit"),
    ("post", "/images/variations"): IMAGE_VARIATIONS.called_by("images", "Images", "create_variation"),
    ("post", "/audio/transcriptions"): TRANSCRIPTIONS.called_by("audio.transcriptions", "Transcriptions"),
    ("post", "/audio/translations"): TRANSCRIPTIONS.called_by("audio.translations", "Translations"),
    ("post", "/audio/speech"): SPEECH.called_by("audio.speech", "Speech"),
    ("post", "/batches"): CREATE_BATCH.called_by("batches", "Batches"),
    ("get", "/batches/{id}"): FETCH_BATCH.called_by("batches", "Batches", "retrieve"),
    ("post", "/moderations"): MODERATIONS.called_by("moderations", "Moderations"),
    ("post", "/vector_stores/{id}/search"): VECTOR_STORE_SEARCH.called_by("vector_stores", "VectorStores", "search"),
    ("post", "/decisions"): DECISIONS.called_by("decisions", "Decisions"),
}

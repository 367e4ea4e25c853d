"""The endpoints of the API, and where the SDKs that are made for it have their methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .audio import SPEECH, TRANSCRIPTIONS
from .batches import CREATE_BATCH, FETCH_BATCH
from .chat import CHAT
from .completions import COMPLETIONS
from .decisions import DECISIONS
from .embeddings import EMBEDDINGS
from .images import IMAGE_VARIATIONS, IMAGES
from .moderations import MODERATIONS
from .response_operations import CANCEL_RESPONSE, COMPACT_RESPONSE, COUNT_TOKENS
from .responses import FETCH_RESPONSE, RESPONSES
from .vector_stores import VECTOR_STORE_SEARCH

if TYPE_CHECKING:
    from ..endpoint import Endpoint

# (method, path) -> endpoint, module of the resource, its class, its method
_ENDPOINTS: dict[tuple[str, str], tuple[Endpoint, str, str, str]] = {
    ("post", "/chat/completions"): (CHAT, "chat.completions", "Completions", "create"),
    ("post", "/completions"): (COMPLETIONS, "completions", "Completions", "create"),
    ("post", "/embeddings"): (EMBEDDINGS, "embeddings", "Embeddings", "create"),
    ("post", "/responses"): (RESPONSES, "responses", "Responses", "create"),
    ("get", "/responses/{id}"): (FETCH_RESPONSE, "responses", "Responses", "retrieve"),
    ("post", "/responses/compact"): (COMPACT_RESPONSE, "responses", "Responses", "compact"),
    ("post", "/responses/input_tokens"): (COUNT_TOKENS, "responses.input_tokens", "InputTokens", "count"),
    ("post", "/responses/{id}/cancel"): (CANCEL_RESPONSE, "responses", "Responses", "cancel"),
    ("post", "/images/generations"): (IMAGES, "images", "Images", "generate"),
    ("post", "/images/edits"): (IMAGES, "images", "Images", "edit"),
    ("post", "/images/variations"): (IMAGE_VARIATIONS, "images", "Images", "create_variation"),
    ("post", "/audio/transcriptions"): (TRANSCRIPTIONS, "audio.transcriptions", "Transcriptions", "create"),
    ("post", "/audio/translations"): (TRANSCRIPTIONS, "audio.translations", "Translations", "create"),
    ("post", "/audio/speech"): (SPEECH, "audio.speech", "Speech", "create"),
    ("post", "/batches"): (CREATE_BATCH, "batches", "Batches", "create"),
    ("get", "/batches/{id}"): (FETCH_BATCH, "batches", "Batches", "retrieve"),
    ("post", "/moderations"): (MODERATIONS, "moderations", "Moderations", "create"),
    ("post", "/vector_stores/{id}/search"): (VECTOR_STORE_SEARCH, "vector_stores", "VectorStores", "search"),
    ("post", "/decisions"): (DECISIONS, "decisions", "Decisions", "create"),
}


def openai_endpoints(*paths: str, below: str = "", suffix: str = "Resource") -> dict[tuple[str, str], Endpoint]:
    """Return endpoints of the API, as the SDK of another provider has them: (method, path) -> endpoint.

    Args:
        paths: those that the provider has, such as `/chat/completions`.
        below: what stands before them in the requests of the SDK, such as `/v1`.
        suffix: of the SDK's classes of resources.
    """
    return {
        (method, below + path): endpoint.called_by(module, kind + suffix, called)
        for (method, path), (endpoint, module, kind, called) in _ENDPOINTS.items()
        if path in paths
    }


ENDPOINTS = openai_endpoints(*(path for _, path in _ENDPOINTS), suffix="")
"""Those of the SDK of OpenAI, with `{name}` for an id in a path. Calls of other endpoints are not followed."""

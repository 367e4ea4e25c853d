"""The endpoints of the API and their operations, by the last word of the path. Calls of other endpoints are not instrumented.

Not among them: live sessions, videos, batches, interactions, and what only reads or changes what the server stores.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..._adapter.endpoint import Endpoint
from ..._adapter.fields import count, field, items, member, table
from ..._conventions import names, operation_kinds
from ._embeddings import EMBED_CONTENT, EMBED_PREDICTED
from ._generate_content import GENERATE_CONTENT, failure
from ._images import GENERATE_IMAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

STREAM = "streamGenerateContent"
"""The one that streams."""
_PREDICT, _PREDICT_EMBEDDINGS = "predict", "predict embeddings"
_MODELS = "/models/"

COUNT_TOKENS = Endpoint(
    kind=operation_kinds.COUNT_TOKENS,
    methods=("models:Models.count_tokens", "models:AsyncModels.count_tokens"),
    messages="contents",
    request=table(),
    response=table(field(names.GOOGLE_GENAI_COUNTED_TOKENS, count, "totalTokens")),
    failure=failure,
)
ENDPOINTS: Mapping[tuple[str, str], Endpoint] = {
    ("post", "generateContent"): GENERATE_CONTENT,
    ("post", STREAM): replace(
        GENERATE_CONTENT,
        methods=("models:Models.generate_content_stream", "models:AsyncModels.generate_content_stream"),
    ),
    ("post", "embedContent"): EMBED_CONTENT,
    ("post", "batchEmbedContents"): EMBED_CONTENT,
    ("post", _PREDICT_EMBEDDINGS): EMBED_PREDICTED,
    ("post", _PREDICT): GENERATE_IMAGES,
    ("post", "countTokens"): COUNT_TOKENS,
}
"""`predict` of Vertex AI serves two operations, which its body distinguishes."""


def split(path: str) -> tuple[str, str]:
    """Return the model and the method that a path names: `models/gemini-2.5-flash:generateContent?alt=sse`.

    A model of the provider is called by its own name, without the resource that it is in; any other, such as a tuned one or an
    endpoint, by all of its path.
    """
    resource, _, method = path.partition("?")[0].rpartition(":")
    name = f"/{resource}".rpartition(_MODELS)[2]
    return name.lstrip("/"), method


def route(method: str, body: Any) -> str:
    """Return the path by which `ENDPOINTS` has a method."""
    instances = items(body, "instances") if method == _PREDICT else ()
    return _PREDICT_EMBEDDINGS if instances and member(instances[0], "content") is not None else method

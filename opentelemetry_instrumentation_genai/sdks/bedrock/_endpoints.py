"""The endpoints: Converse, and InvokeModel by the form that a model's bodies have. Calls of other operations are not instrumented."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._adapter.anthropic_api.messages import MESSAGES
from ._cohere import COHERE
from ._converse import CONVERSE, COUNT_TOKENS
from ._embeddings import EMBEDDINGS
from ._images import CONTENT, IMAGES
from ._invocation import invoked
from ._openai import OPENAI
from ._texts import TEXTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..._adapter.endpoint import Endpoint

ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("converse", ""): CONVERSE,
    ("count_tokens", ""): COUNT_TOKENS,
    ("invoke_model", "anthropic"): invoked(MESSAGES),
    ("invoke_model", "cohere"): invoked(COHERE),
    ("invoke_model", "embeddings"): invoked(EMBEDDINGS),
    ("invoke_model", "images"): invoked(IMAGES),
    ("invoke_model", "nova"): invoked(CONVERSE),
    ("invoke_model", "openai"): invoked(OPENAI),
    ("invoke_model", "texts"): invoked(TEXTS),
    ("invoke_model", "unknown"): invoked(CONTENT),
}
"""(operation, form of the bodies) -> endpoint; an operation and its stream have one."""

_IMAGE_MODELS = ("stability.", "nova-canvas", "titan-image")
_NOVA = ("inferenceConfig", "schemaVersion")
# Member of a body -> the form that it is of, in the order in which they are looked at.
_MEMBERS = {
    "messages": "openai",
    "message": "cohere",
    "texts": "embeddings",
    "input_type": "embeddings",
    "prompt": "texts",
    "inputText": "texts",
    "inputPrompt": "texts",
}


def form_of(model: str, body: Mapping[str, Any]) -> str:
    """Return the form that a request body of InvokeModel has.

    Args:
        model: the id of the model, or an ARN, which may not contain the model's name.
        body: the body.
    """
    if "embed" in model:
        return "embeddings"
    if "taskType" in body or any(name in model for name in _IMAGE_MODELS):
        return "images"
    if "messages" in body and ("anthropic_version" in body or "anthropic" in model):
        return "anthropic"
    if "messages" in body and (".nova" in model or any(name in body for name in _NOVA)):
        return "nova"
    return next((form for name, form in _MEMBERS.items() if name in body), "unknown")

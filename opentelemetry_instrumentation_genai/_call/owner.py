"""Owners of calls: what a running call publishes under the ecosystem's keys of OpenTelemetry's context.

Any value but None means that a caller up the stack records calls of that kind. Ours names its call, and counts until that ends:
a task that the SDK started inside it inherits the context, and may outlive the call.

The instrumentations of the ecosystem look for a class of their own there. It is resolved when it is imported, never within a call.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import wrapt

from .._guard import guarded

if TYPE_CHECKING:
    from types import ModuleType

    from opentelemetry.context.context import Context

_KEY = "opentelemetry.genai.client.{}.context"
OWNER_KEY = _KEY.format("inference")
# The operations with a key of their own for the owner of the call.
_KEYS = {name: _KEY.format(kind) for name, kind in (
    ("embeddings", "embedding"), ("retrieval", "retrieval"), ("fetch_response", "fetch_response"),
)}  # fmt: skip
# Key -> module and name of the class that the ecosystem looks for.
_THEIRS = {
    OWNER_KEY: ("opentelemetry.util.genai._inference_invocation", "InferenceData"),
    _KEYS["embeddings"]: ("opentelemetry.util.genai._embedding_invocation", "EmbeddingData"),
    _KEYS["retrieval"]: ("opentelemetry.util.genai._retrieval_invocation", "RetrievalData"),
    _KEYS["fetch_response"]: ("opentelemetry.util.genai._fetch_response_invocation", "FetchResponseData"),
}


class Running(Protocol):
    """What is known here of a call that runs.

    Attributes:
        operation: its `gen_ai.operation.name`.
        context: the OpenTelemetry context with its span.
    """

    operation: str
    context: Context

    @property
    def ended(self) -> bool:
        """Whether all is done."""
        ...


class Owner:
    """The value under an owner key while a call of ours runs.

    Args:
        call: the call that is reported.
    """

    def __init__(self, call: Running) -> None:
        self.call = call

    def merge(self, *_args: Any, **_kwargs: Any) -> None:
        """Ignore what a nested call publishes for the outer one; the ecosystem's class has such a method."""


_classes: dict[str, type[Owner]] = dict.fromkeys(_THEIRS, Owner)
_resolving = False


def resolve_classes() -> None:
    """Have the ecosystem's classes used once they are imported, which may have happened already."""
    global _resolving  # noqa: PLW0603 - wrapt forgets no hook: one for the process
    if not _resolving:
        _resolving = True
        for key, (module, name) in _THEIRS.items():
            wrapt.register_post_import_hook(partial(_resolve, key, name), module)


@guarded
def _resolve(key: str, name: str, module: ModuleType) -> None:
    """Make a class of ours that is one of theirs as well; ours alone stays where theirs cannot be made without arguments."""
    theirs: Any = getattr(module, name, None)
    if isinstance(theirs, type):
        _classes[key] = _joined(theirs) or Owner


def _joined(theirs: type) -> type[Owner] | None:
    try:
        members = vars(theirs())
        kind: type[Owner] = type(
            "Owner", (Owner, theirs), {**members}
        )  # as members of the class they cost a call nothing
        kind(None)  # type: ignore[arg-type] # whether it can be made
    except Exception:  # noqa: BLE001 - a release that is made otherwise
        return None
    return kind


def published(call: Running, operation: str) -> dict[str, object]:
    """Return what the context has in addition while a call runs: key -> owner.

    Args:
        call: the call.
        operation: its `gen_ai.operation.name`.
    """
    key = _KEYS.get(operation)
    owner = _classes[OWNER_KEY](call)
    return {OWNER_KEY: owner} if key is None else {OWNER_KEY: owner, key: _classes[key](call)}


def owned(current: Context, operation: str) -> bool:
    """Return whether a call made in this context has another owner: a caller up the stack, or the call of ours it is part of.

    Args:
        current: the OpenTelemetry context.
        operation: the call's `gen_ai.operation.name`.
    """
    owner = current.get(OWNER_KEY)
    if isinstance(owner, Owner) and not owner.call.ended:
        return True
    key = _KEYS.get(operation)
    if key is not None:
        owner = current.get(key)
    return owner is not None and not isinstance(owner, Owner)

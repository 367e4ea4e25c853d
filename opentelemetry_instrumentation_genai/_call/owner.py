"""Owners of calls: what a running call publishes under the ecosystem's keys of OpenTelemetry's context.

Any value but None means that a caller up the stack records calls of that kind. Ours names its call, and counts until that ends:
a task that the SDK started inside it inherits the context, and may outlive the call.

The instrumentations of the ecosystem look for a class of their own there. It is resolved when it is imported, never within a call.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import wrapt

from .._conventions.operation_kinds import key_of_owner
from .._runtime.guard import guarded

if TYPE_CHECKING:
    from types import ModuleType

    from opentelemetry.context.context import Context

    from .._conventions.operation_kinds import OperationKind

OWNER_KEY = key_of_owner("inference")
"""The key of every call: a call of ours is recorded once, whatever kind a package above takes it for."""
# Key -> module and name of the class that the ecosystem looks for.
_THEIRS = {
    OWNER_KEY: ("opentelemetry.util.genai._inference_invocation", "InferenceData"),
    key_of_owner("embedding"): ("opentelemetry.util.genai._embedding_invocation", "EmbeddingData"),
    key_of_owner("retrieval"): ("opentelemetry.util.genai._retrieval_invocation", "RetrievalData"),
    key_of_owner("fetch_response"): ("opentelemetry.util.genai._fetch_response_invocation", "FetchResponseData"),
}


class Running(Protocol):
    """What this module reads of a running call.

    Attributes:
        kind: the kind of its operation.
        context: the OpenTelemetry context with its span.
    """

    kind: OperationKind
    context: Context

    @property
    def ended(self) -> bool:
        """Return whether the call has ended, and all its signals are recorded."""
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
    """Register the use of the ecosystem's classes as soon as they are imported, or at once if they are."""
    global _resolving  # noqa: PLW0603 - wrapt forgets no hook: one for the process
    if not _resolving:
        _resolving = True
        for key, (module, name) in _THEIRS.items():
            wrapt.register_post_import_hook(partial(_resolve, key, name), module)


@guarded
def _resolve(key: str, name: str, module: ModuleType) -> None:
    """Make a class that inherits from ours and theirs; keep ours alone if theirs cannot be created without arguments."""
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


def published(call: Running) -> dict[str, object]:
    """Return what the context has in addition while a call runs: key -> owner."""
    key = call.kind.owner_key
    owner = _classes[OWNER_KEY](call)
    return {OWNER_KEY: owner} if key == OWNER_KEY else {OWNER_KEY: owner, key: _classes[key](call)}


def owned(current: Context, kind: OperationKind) -> bool:
    """Return whether a call made in this context has another owner: a caller up the stack, or the call of ours it is part of.

    Args:
        current: the OpenTelemetry context.
        kind: the kind of the call's operation.
    """
    owner = current.get(OWNER_KEY)
    if isinstance(owner, Owner) and not owner.call.ended:
        return True
    owner = current.get(kind.owner_key)
    return owner is not None and not isinstance(owner, Owner)

"""What a call tells besides its body: in headers, and in the options of the client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import _attributes as names
from .._fields import string

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._fields import Attribute

# Response headers, by Anthropic's API reference.
HEADERS = (
    ("request-id", names.ANTHROPIC_REQUEST_ID),
    ("anthropic-organization-id", names.ANTHROPIC_ORGANIZATION_ID),
    ("anthropic-workspace-id", names.ANTHROPIC_WORKSPACE_ID),
)
_BETA_HEADER = "anthropic-beta"


def start_attributes(client: Any, options: Any) -> dict[str, Attribute]:
    """What is known before the call is sent.

    Args:
        client: the SDK's client; what its headers say counts where the call's own say nothing.
        options: of the request.

    Returns:
        The beta features that are asked for, and the conversation that the client belongs to.
    """
    found: dict[str, Attribute] = {}
    betas = _betas(options.headers)
    if betas is None:
        betas = _betas(getattr(client, "_custom_headers", None))
    if betas:
        found[names.ANTHROPIC_BETA] = betas
    conversation = string(getattr(getattr(client, "_otel", None), "conversation_id", None))
    if conversation:
        found[names.CONVERSATION_ID] = conversation
    return found


def _betas(headers: Any) -> list[str] | None:
    for name, value in _items(headers):
        if isinstance(name, str) and name.lower() == _BETA_HEADER:
            return [beta.strip() for beta in value.split(",") if beta.strip()] if isinstance(value, str) else []
    return None


def _items(headers: Any) -> Iterator[tuple[Any, Any]]:
    """The headers of a mapping; of a sentinel, none."""
    if hasattr(headers, "items"):
        yield from headers.items()

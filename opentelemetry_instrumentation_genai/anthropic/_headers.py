"""Attributes of a call from outside its body: from headers, and from the options of the client."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .._adapter.fields import string, strings
from .._adapter.request_bodies import mapping
from .._conventions import names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._adapter.fields import Attribute

# Response headers, by Anthropic's API reference.
HEADERS = (
    ("request-id", names.ANTHROPIC_REQUEST_ID),
    ("anthropic-organization-id", names.ANTHROPIC_ORGANIZATION_ID),
    ("anthropic-workspace-id", names.ANTHROPIC_WORKSPACE_ID),
)
_BETA_HEADER = "anthropic-beta"
_NOTHING: Mapping[str, Attribute] = MappingProxyType({})


def start_attributes(client: Any, options: Any) -> Mapping[str, Attribute]:
    """Return the attributes that are known before the request is sent.

    Args:
        client: the SDK's client; its headers are read where those of the call do not have the header.
        options: the options of the request.

    Returns:
        The requested beta features, and the conversation that the client belongs to.
    """
    betas = _betas(options.headers)
    if betas is None:
        betas = _betas(getattr(client, "_custom_headers", None))
    conversation = getattr(getattr(client, "_otel", None), "conversation_id", None)
    if not betas and conversation is None:
        return _NOTHING
    found: dict[str, Attribute] = {}
    if betas:
        found[names.ANTHROPIC_BETA] = betas
    identity = string(conversation)
    if identity:
        found[names.CONVERSATION_ID] = identity
    return found


def _betas(headers: Any) -> list[str] | None:
    """Return the values of the beta header, none if a sentinel omits it; None if it is not among the headers."""
    for name, value in mapping(headers).items():
        if isinstance(name, str) and name.lower() == _BETA_HEADER:
            return strings([beta.strip() for beta in value.split(",")]) or [] if isinstance(value, str) else []
    return None

"""Results of tools as JSON values, with what is inline in them by its type, size and fingerprint."""

from __future__ import annotations

from typing import Any

from ..._adapter.fields import items, member, string
from ..._adapter.parts import attached, modality_of, plain

_LEFT_OUT = ("_meta", "isError", "resultType")  # for the client, and not for the model


def json_of(result: Any) -> Any:
    """Return the result of a tool by the names that it has on the wire.

    Args:
        result: a model of the SDK.
    """
    held = result.model_dump(by_alias=True, mode="json", exclude_none=True)
    found = {name: plain(value) for name, value in held.items() if name not in _LEFT_OUT and name != "content"}
    return {"content": [_block(block) for block in items(held, "content")], **found}


def _block(block: Any) -> Any:
    """Return a block of content; what is inline is the part that the conventions have for it."""
    resource = member(block, "resource")
    data, held = (member(block, "data"), block) if resource is None else (member(resource, "blob"), resource)
    if not isinstance(data, str):
        return plain(block)
    mime_type = string(member(held, "mimeType"))
    return attached(modality_of(mime_type), data=data, mime_type=mime_type)

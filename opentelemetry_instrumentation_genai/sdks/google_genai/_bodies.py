"""The bodies of requests and responses, as JSON values.

The SDK sends some members in the spelling of REST and others in that of Python: `inlineData` with a `mime_type` in it. The API takes both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._adapter.fields import member, members
from ..._adapter.json_text import read_json

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_LARGEST_MEMBERS = frozenset({"candidates", "predictions"})


def spelled(source: Any) -> Mapping[str, Any]:
    """Return the members of a JSON object, spelled as the API reference does. Those below them stay as they are."""
    held = members(source)
    return {_camel(name): value for name, value in held.items()} if any("_" in name for name in held) else held


def _camel(name: str) -> str:
    first, *others = name.strip("_").split("_")
    return first + "".join(other[:1].upper() + other[1:] for other in others)


def merged(body: Any, extra: Any) -> Any:
    """Return a body with the caller's `extra_body`, as the SDK merges them: objects member by member. Neither is changed."""
    if not isinstance(body, dict) or not isinstance(extra, dict):
        return extra
    return {**body, **{name: merged(body.get(name), value) for name, value in extra.items()}}


def request_body(given: Any, extra: Any, model: str) -> dict[str, Any]:
    """Return what is sent, and the model in it, which the API has in the path."""
    body = merged(given, extra) if isinstance(extra, dict) and extra else members(given)
    return {**members(body), "model": model}


def response_body(response: Any, unread: Collection[str] = ()) -> Any:
    """Return the JSON values of a response or of a chunk of one; None if there is none.

    Args:
        response: as the SDK's method returns it: with the body as a text.
        unread: members that nothing reads.
    """
    text = member(response, "body")
    if not isinstance(text, str) or not text:
        return None
    body = text.encode("utf-8", "replace")
    found = read_json(body, unread)
    # What is too large has images in it: then the usage is still read.
    return read_json(body, _LARGEST_MEMBERS.union(unread)) if found is None else found

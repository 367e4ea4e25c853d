"""Requests: what an operation of the service and its parameters say of a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..._adapter.fields import string
from ..._adapter.json_text import read_json
from ..._adapter.request_bodies import mapping
from ._common import MODEL
from ._endpoints import form_of

if TYPE_CHECKING:
    from collections.abc import Mapping

# Operation of the service -> the client's method, the operation that its endpoint is of, and whether the response is streamed.
_OPERATIONS = {
    "Converse": ("converse", "converse", False),
    "ConverseStream": ("converse_stream", "converse", True),
    "CountTokens": ("count_tokens", "count_tokens", False),
    "InvokeModel": ("invoke_model", "invoke_model", False),
    "InvokeModelWithResponseStream": ("invoke_model_with_response_stream", "invoke_model", True),
}
_BODY = "body"


class Given(NamedTuple):
    """What a request says of its call.

    Attributes:
        method: the client's method by which it is made.
        route: the key of its endpoint: an operation, and the form of the bodies.
        body: its input: its parameters, with the members of a JSON body among them.
        stream: whether its response is streamed.
    """

    method: str
    route: tuple[str, str]
    body: Mapping[str, Any]
    stream: bool


def given_by(operation: Any, parameters: Any) -> Given | None:
    """Return what a request says of its call; None for an operation that is not followed."""
    known = _OPERATIONS.get(operation) if isinstance(operation, str) else None
    if known is None:
        return None
    method, route, stream = known
    members = mapping(parameters)
    if route != "invoke_model":
        return Given(method, (route, ""), members, stream)
    body = _invoked(members)
    return Given(method, (route, form_of((string(members.get(MODEL)) or "").lower(), body)), body, stream)


def _invoked(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of InvokeModel with the members of its body. A file is not read: the SDK does that when it sends it."""
    given = parameters.get(_BODY)
    text = given.encode("utf-8", "replace") if isinstance(given, str) else given
    body = read_json(text) if isinstance(text, (bytes, bytearray)) else None
    others = {name: value for name, value in parameters.items() if name != _BODY}
    return {**mapping(body), **others}

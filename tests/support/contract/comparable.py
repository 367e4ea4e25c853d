"""What an application gets from an SDK, as plain values that two runs can be compared by: types, values, public members."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

# Of raw responses; what is missing in an SDK is missing with and without instrumentation.
_RAW = ("status_code", "http_version", "method", "retries_taken", "request_id", "is_closed")

# Left on a class by `copy`, the first time that something of it is copied.
_COPIED = {"__slotnames__"}


def comparable(value: Any) -> Any:
    """The type of a value and all that is in it; a model's `repr` names the types of what it holds."""
    if isinstance(value, BaseModel):
        request_id = getattr(value, "_request_id", None)
        return type(value), repr(value), value.model_dump(warnings=False), sorted(value.model_fields_set), request_id
    if isinstance(value, list):
        return [comparable(item) for item in value]
    if hasattr(value, "http_response"):
        return comparable_raw(value)
    if hasattr(value, "write_to_file"):
        return type(value), comparable_http(value.response), value.content
    if hasattr(value, "is_stream_consumed"):
        return comparable_http(value)
    return type(value), repr(value)


def comparable_stream(stream: Any) -> Any:
    """The type of a stream and what it has besides its chunks."""
    kinds = [(kind.__module__, kind.__qualname__) for kind in type(stream).__mro__]
    return type(stream), kinds, sorted(vars(stream)), sorted({*dir(stream)} - _COPIED), comparable_http(stream.response)


def comparable_decoder(decoder: Any) -> Any:
    """The type of what makes values of lines, and what it has besides them."""
    kinds = [(kind.__module__, kind.__qualname__) for kind in type(decoder).__mro__]
    return kinds, sorted(vars(decoder)), sorted({*dir(decoder)} - _COPIED), comparable_http(decoder.http_response)


def comparable_raw(raw: Any) -> Any:
    """The public members of a raw response that do not read its body."""
    members = {name: getattr(raw, name, None) for name in _RAW}
    kind = (type(raw), sorted(dir(raw)), type(raw.elapsed) if raw.is_closed else None)
    return kind, members, list(raw.headers.items()), str(raw.url), comparable_http(raw.http_response)


def comparable_http(response: Any) -> Any:
    """An HTTP response but for its body."""
    request = response.request
    return (
        type(response),
        response.status_code,
        list(response.headers.items()),
        response.is_closed,
        response.is_stream_consumed,
        type(request),
        request.method,
        str(request.url),
        vars(request).get("_content"),  # none of a form
    )

"""The attributes that the span of a call has from its start, so that samplers see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._adapter.request_bodies import reading
from .._application.attribution import FIRST
from .._conventions.names import PROMPT_NAME, PROMPT_VERSION, REQUEST_STREAM
from .._runtime.guard import guarded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._adapter.fields import Attribute, Table
    from .._application.enrichers import Enrichers
    from .._call.request import Request
    from .._call.state import CallState


def request_attributes(call: CallState, request: Request, enrichers: Enrichers | None) -> dict[str, Attribute]:
    """Return what is known of a call at its start. Its `attribution` is set: what overrides the attributes of the response.

    Args:
        call: the call.
        request: its request.
        enrichers: those of the settings; None if there are none.
    """
    endpoint = request.endpoint
    attributes = call.identity.copy()
    attributes.update(endpoint.constants)
    attributes.update(_read(endpoint.request, request.body) or {})
    if request.stream and endpoint.kind.records_stream:
        attributes[REQUEST_STREAM] = True
    if enrichers is not None:
        attributes.update(enrichers.of(request) or {})
    if not request.attribution:
        return attributes
    call.attribution = first = {name: request.attribution[name] for name in FIRST if name in request.attribution}
    if PROMPT_NAME in first:
        attributes.pop(PROMPT_VERSION, None)  # that of the prompt that the request names
    return {**request.attribution, **attributes, **first}


@guarded
def _read(rows: Table, body: Mapping[str, Any]) -> dict[str, Attribute]:
    return reading(rows.read, body)

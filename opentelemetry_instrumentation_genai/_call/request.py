"""A request, as a seam describes it to a call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._conventions.names import OPERATION_NAME, PROVIDER_NAME, REQUEST_MODEL, SERVER_ADDRESS, SERVER_PORT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._adapter.client_servers import Server
    from .._adapter.endpoint import Endpoint
    from .._adapter.fields import Attribute
    from .._conventions.capture_modes import Capture


@dataclass(slots=True)  # not frozen, which would make it slower to create
class Request:
    """One request. It is not changed.

    Attributes:
        endpoint: where it goes.
        provider: `gen_ai.provider.name`, as far as it is known at the start; empty if there is none.
        server: the server that it is sent to.
        body: its input: the body, or the parameters of a request without one.
        stream: whether a streamed response was requested.
        capture: the content capture that a block of code around the call sets, if one does.
        attribution: attributes by which the application attributes the call to a user, a session and the like.
    """

    endpoint: Endpoint
    provider: str
    server: Server
    body: Mapping[str, Any]
    stream: bool
    capture: Capture | None
    attribution: Mapping[str, Attribute]

    def identity(self) -> dict[str, Attribute]:
        """Return the attributes that span and metrics share, as far as they are known at the start."""
        endpoint, server = self.endpoint, self.server
        known: dict[str, Attribute] = {OPERATION_NAME: endpoint.kind.name} if endpoint.kind.name else {}
        if self.provider:
            known[PROVIDER_NAME] = self.provider
        model = endpoint.model(self.body)
        if model is not None:
            known[REQUEST_MODEL] = model
        if server.host and server.port:
            known[SERVER_ADDRESS] = server.host
            known[SERVER_PORT] = server.port
        if endpoint.identity is not None:
            known.update(endpoint.identity.read(self.body))
        return known

"""The base class of the seams. Each SDK's client sends all its calls through one method, its funnel; a seam wraps that method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.context import get_current

from .._adapter.client_servers import port_of
from .._application.capture_content import capture_in
from .._call.call import Call
from .._call.context import is_skipped
from .._call.request import Request
from .routes import Routes, path_below

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context

    from .._adapter.client_servers import Server, Servers
    from .._adapter.endpoint import Endpoint
    from .._signals.signals import Signals
    from .other_instrumentations import Others
    from .patch import Patches
    from .propagation import Propagation
    from .seam import Scope


class Funnel:
    """The base of a seam: the endpoints of one SDK, and what its calls share (signals, propagation, patches).

    Args:
        method: the name of the method through which the calls go.
        endpoints: (method of HTTP in lower case, path) -> endpoint.
        signals: what observes the calls.
        others: the other instrumentations of the SDK, which record some of its calls; None to look for none.
        propagation: the servers that receive the trace context in headers; None if no server does.

    Attributes:
        active: whether calls are followed.
    """

    _servers: Servers  # set by the seam

    def __init__(
        self,
        method: str,
        endpoints: Mapping[tuple[str, str], Endpoint],
        signals: Signals,
        others: Others | None,
        propagation: Propagation | None,
    ) -> None:
        self.active = True
        self._method = method
        self._routes = Routes(signals.endpoints(endpoints))
        self._signals = signals
        self._others = others
        self._propagation = propagation
        self._patches: Patches | None = None

    def start(self, patches: Patches) -> None:
        """Keep the patches; called when the targets are patched."""
        self._patches = patches

    def stop(self) -> None:
        """Follow no more calls; called before the targets are unpatched."""
        self.active = False

    def close(self) -> None:
        """Close what the calls needed; called when the targets are unpatched."""
        try:
            self._signals.close()
        finally:
            if self._propagation is not None:
                self._propagation.close()

    # Calls that bypass the funnel, such as those on a websocket.

    @property
    def signals(self) -> Signals:
        """Return what observes the calls."""
        return self._signals

    def server_beside(self, client: Any, endpoint: Endpoint, url: Any) -> Server | None:
        """Return the server of calls that bypass the funnel; None if another instrumentation records these calls.

        Args:
            client: the SDK's client that makes the calls.
            endpoint: the endpoint of the calls.
            url: the server's; None for the client's own.
        """
        if self._others is not None and self._others.report_connections(client, endpoint):
            return None
        base = self._base(client)
        return self._servers.of(client, base if url is None else type(base)(str(url)))

    def call_beside(self, server: Server, endpoint: Endpoint, body: Mapping[str, Any], context: Context) -> Call | None:
        """Create the call for a streamed response that bypasses the funnel; None if it is not followed.

        Args:
            server: the receiver.
            endpoint: as `Signals.endpoints` returned it.
            body: the body of the request.
            context: the context in which the request is made.
        """
        if not self.active or is_skipped(context, endpoint.kind):
            return None
        return Call(self._signals, self._request(endpoint, server, body, context, stream=True), context)

    # Steps of a call, for seams that need nothing special.

    def sends_again(self, _scope: Scope, _error: BaseException) -> bool | None:
        """Return False: the SDK retries within its own method, so that no further request follows an error here."""
        return False

    # What the seams do.

    def _request(
        self, endpoint: Endpoint, server: Server, body: Mapping[str, Any], context: Context, *, stream: bool
    ) -> Request:
        attribution = self._signals.attribution.of(context)
        return Request(endpoint, provider_of(server), server, body, stream, capture_in(context), attribution)

    def _start(self, scope: Scope, request: Request, exchange: Any, *, running: bool) -> Call | None:
        """Start the call of a request that is sent now, unless the context excludes it. Return it.

        Args:
            scope: measures the time of the call.
            request: the request; some streams send theirs only when the application starts to read them, maybe in another context.
            exchange: the HTTP side of the call.
            running: whether the SDK's method is still running: then the call cannot end before it returns.
        """
        context = get_current()
        if not self.active or is_skipped(context, request.endpoint.kind) or self._is_recorded_above(request, context):
            return None
        scope.call = call = Call(self._signals, request, context, exchange)
        call.running = running
        call.start()
        return call

    def _is_recorded_above(self, request: Request, context: Context) -> bool:
        """Return whether a framework has recorded the call already, in the span that is current."""
        return self._others is not None and self._others.recorded_above(request, context)

    def _find(self, client: Any, method: str, path: str, context: Context) -> tuple[Endpoint | None, Mapping[str, str]]:
        """Return a pair: the endpoint of a request (None if its call is not followed here), and the ids in its path.

        The path may be a whole URL, which the SDK took from a response, or uses for all clients.
        """
        path = path_below(str(self._base(client)), path) if "://" in path else path
        endpoint, ids = self._routes.find(method.lower(), path)
        if endpoint is not None and (
            not self.active
            or (self._others is not None and self._others.report(client, endpoint))
            or is_skipped(context, endpoint.kind)
        ):
            endpoint = None
        return endpoint, ids

    def _base(self, client: Any) -> Any:
        """Return the base URL of a client: httpx's, or an object with the same members."""
        raise NotImplementedError

    def _server(self, client: Any, url: str) -> Server:
        """Return the server that a request goes to: the client's, unless `url` is a whole URL with another host or port."""
        base = self._base(client)
        if "://" in url:
            whole = base.join(url)
            if (whole.host, port_of(whole)) != (base.host, port_of(base)):
                return self._servers.of(client, whole)
        return self._servers.of(client, base)

    def _repair(self, client: Any, method: str, path: str) -> None:
        """Patch the funnel again after a request that bypassed our wrapper, if it is one that we follow: another package has replaced the method."""
        if self._patches is not None and self._find(client, method, path, get_current())[0] is not None:
            self._patches.repair(client, self._method)

    def _propagates_to(self, _client: object, host: str, port: int) -> bool:
        """Return whether the trace context is propagated to a server."""
        return self._propagation is not None and self._propagation.reaches(host, port)


def provider_of(server: Server) -> str:
    """Return the provider of a server; of an unknown server, the one that an earlier response has identified."""
    return server.provider if server.unknown_server is None else server.unknown_server.provider

"""The seam of the `ollama` SDK: all calls go through `client._request`.

A plain call runs within it. A stream is a generator that sends nothing before its first step, so the call starts with that step,
and a stream that is never read is no call. `_request_raw` returns the HTTP response of a plain call; that of a stream is not
accessible.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry.context import get_current

from .._adapter.client_servers import Servers
from .._adapter.fields import as_sent, member
from .._conventions.names import HTTP_RESPONSE_STATUS_CODE
from .._patching.funnel import Funnel
from .._patching.http_exchange import Exchange, call_of, secrets_in, unparsed
from .._patching.late_streams import AsyncStream, Start, stream_of
from .._patching.seam import async_following, following
from .._runtime.guard import async_transformed, guarded, transformed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .._adapter.client_servers import Server
    from .._adapter.endpoint import Endpoint
    from .._call.call import Call
    from .._call.request import Request
    from .._patching.other_instrumentations import Others
    from .._patching.propagation import Propagation
    from .._patching.seam import Scope
    from .._signals.signals import Signals


class Ollama(Funnel):
    """Instruments the calls of the SDK.

    Args:
        signals: the signals that the telemetry is recorded with.
        endpoints: (method, path) -> endpoint.
        provider: client, host and port -> `gen_ai.provider.name`.
        others: other instrumentations of the SDK, which may record some of its calls.
        propagation: the servers that receive the trace context in headers, if any.
    """

    def __init__(
        self,
        signals: Signals,
        endpoints: Mapping[tuple[str, str], Endpoint],
        provider: Callable[[Any, str, int], str],
        others: Others | None = None,
        propagation: Propagation | None = None,
    ) -> None:
        super().__init__("_request", endpoints, signals, others, propagation)
        self._servers = Servers(provider, self._propagates_to)

    def targets(self) -> list[tuple[str, str, Callable[..., object]]]:
        """Return the methods to patch and their wrappers."""
        module = "ollama._client"
        return [
            (module, "Client._request", following(self)),
            (module, "AsyncClient._request", async_following(self)),
            (module, "Client._request_raw", transformed(self.answered)),
            (module, "AsyncClient._request_raw", async_transformed(self.answered)),
        ]

    # The steps of a call.

    @guarded
    def begin(self, scope: Scope) -> None:
        """Start a plain call, if it is instrumented; for a stream, keep what starts its call."""
        client = scope.client
        request = self._read_request(client, scope.args, scope.kwargs)
        if request is None:
            return
        headers = None if self._propagation is None else self._headers(request.server, scope.kwargs)
        if headers is not None:
            scope.kwargs = {**scope.kwargs, "headers": headers}
        if request.stream:
            call = partial(self._call, request=request, headers=headers)
            scope.deferred = Start(self, client, call, partial(_read_failure, client))
        else:
            self._call(scope, request, headers)

    def received(self, scope: Scope) -> None:
        """Put a stream that starts the call in place of the SDK's."""
        if scope.deferred is not None:
            follow = AsyncStream if hasattr(scope.result, "__anext__") else stream_of
            scope.result = follow(scope.result, scope.deferred)

    def answered(self, response: Any, client: Any) -> None:
        """Record the HTTP status of a plain call; runs after `_request_raw`."""
        call = call_of(client)
        if call is None:
            self._repair(client, response.request.method, response.request.url.path)
            return
        call.http_attributes = {HTTP_RESPONSE_STATUS_CODE: as_sent(response.status_code)}
        call.exchange.received = response
        call.secrets = secrets_in(response.request)
        call.answered(response.headers)

    @guarded
    def end(self, call: Call, result: Any, error: BaseException | None) -> None:
        """End a plain call with its result or exception. The call of a stream ends with its reading."""
        exchange: Exchange = call.exchange
        call.running = False
        if error is not None:
            if exchange.client is not None:
                _read_failure(exchange.client, call, error)
            call.fail(error, unparsed(call))
        elif not call.open:
            call.succeed(result)

    # What they do.

    def _base(self, client: Any) -> Any:
        """Return the base URL of a client."""
        return client._client.base_url

    @guarded
    def _read_request(self, client: Any, args: Any, kwargs: Any) -> Request | None:
        """Return the request, if its endpoint is instrumented."""
        context = get_current()
        endpoint, _ = self._find(client, args[1], args[2], context) if len(args) > 2 else (None, {})
        if endpoint is None:
            return None
        server = self._server(client, args[2])
        return self._request(endpoint, server, kwargs.get("json") or {}, context, stream=bool(kwargs.get("stream")))

    @guarded
    def _headers(self, server: Server, kwargs: Any) -> dict[str, str] | None:
        """Return a copy of the headers of a request that propagates the trace context, for `_inject`; None otherwise."""
        return dict(kwargs.get("headers") or {}) if server.propagates else None

    def _call(self, scope: Scope, request: Request, headers: dict[str, str] | None) -> None:
        # `answered` needs the client of a plain call; a stream may end while the SDK's code runs.
        exchange = Exchange(None if request.stream else scope.client)
        call = self._start(scope, request, exchange, running=not request.stream)
        if call is not None and headers is not None:
            self._inject(call, scope.client, headers)

    @guarded
    def _inject(self, call: Call, client: Any, headers: dict[str, str]) -> None:
        """Inject the trace context into the headers. The SDK builds the request of a stream from them only after this."""
        assert self._propagation is not None
        headers.update(self._propagation.headers(call, client._client, headers, client._client.headers) or {})


@guarded
def _read_failure(client: Any, call: Call, error: BaseException) -> None:
    """Read what is recorded of a failure besides the exception: credentials to mask, the request, and the HTTP status."""
    from .._masking.credentials import credentials_in

    # The SDK raises its own error in place of the HTTP client's, and only the latter has the request.
    request = member(error, "_request") or member(error.__context__, "_request")
    call.secrets = secrets_in(request, *credentials_in(client._client.headers))
    status = member(error, "status_code")
    if isinstance(status, int) and status > 0:  # -1 for an error within a stream
        call.http_attributes = {HTTP_RESPONSE_STATUS_CODE: as_sent(status)}

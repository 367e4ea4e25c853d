"""The seam of the `ollama` SDK: all calls go through `client._request`.

A plain call runs within it. A stream is a generator that sends nothing before its first step, so the call starts with that step,
and a stream that is never read is no call. `_request_raw` returns the HTTP response of a plain call; that of a stream is not
accessible.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.context import get_current

from .._adapter.client_servers import Servers
from .._adapter.fields import as_sent, member
from .._application.capture_content import capture_in
from .._call.call import Call
from .._call.context import is_skipped
from .._call.request import Request
from .._conventions.names import HTTP_RESPONSE_STATUS_CODE
from .._patching.funnel import Funnel
from .._patching.http_exchange import Exchange, call_of, secrets_in, unparsed
from .._patching.late_streams import AsyncStream, stream_of
from .._patching.seam import Scope, async_following, following
from .._runtime.guard import async_transformed, guarded, transformed
from .._stream.body import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .._adapter.client_servers import Server
    from .._adapter.endpoint import Endpoint
    from .._patching.other_instrumentations import Others
    from .._patching.propagation import Propagation
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
            scope.deferred = _Start(self, Scope(self, None, client, (), {}), request, headers)
        else:
            self.call(scope, request, headers)

    def sends_again(self, _scope: Scope, _error: BaseException) -> bool:
        """Return False: no request is sent twice."""
        return False

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
                _read_failure(call, exchange.client, error)
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
        body, stream = kwargs.get("json") or {}, bool(kwargs.get("stream"))
        attribution = self._signals.attribution.of(context)
        return Request(endpoint, server.provider, server, body, stream, capture_in(context), attribution)

    @guarded
    def _headers(self, server: Server, kwargs: Any) -> dict[str, str] | None:
        """Return a copy of the headers of a request that propagates the trace context, for `_inject`; None otherwise."""
        return dict(kwargs.get("headers") or {}) if server.propagates else None

    def call(self, scope: Scope, request: Request, headers: dict[str, str] | None) -> None:
        """Start the call, timed by the scope, unless the context excludes it: a stream may be read in another context."""
        context = get_current()
        if not self.active or is_skipped(context, request.endpoint.kind):
            return
        # `answered` needs the client of a plain call; a stream may end while the SDK's code runs.
        scope.call = call = Call(self._signals, request, context, Exchange(None if request.stream else scope.client))
        call.running = not request.stream
        call.start()
        if headers is not None:
            self._inject(call, scope.client, headers)

    @guarded
    def _inject(self, call: Call, client: Any, headers: dict[str, str]) -> None:
        """Inject the trace context into the headers. The SDK builds the request of a stream from them only after this."""
        assert self._propagation is not None
        headers.update(self._propagation.headers(call, client._client, headers, client._client.headers) or {})


@guarded
def _read_failure(call: Call, client: Any, error: BaseException) -> None:
    """Read what is recorded of a failure besides the exception: credentials to mask, the request, and the HTTP status."""
    from .._masking.credentials import credentials_in

    # The SDK raises its own error in place of the HTTP client's, and only the latter has the request.
    request = member(error, "_request") or member(error.__context__, "_request")
    call.secrets = secrets_in(request, *credentials_in(client._client.headers))
    status = member(error, "status_code")
    if isinstance(status, int) and status > 0:  # -1 for an error within a stream
        call.http_attributes = {HTTP_RESPONSE_STATUS_CODE: as_sent(status)}


class _StreamReading(Reading):
    """The reading of a stream.

    Args:
        call: the call, which ends with the reading.
        client: the SDK's client that makes it.
    """

    __slots__ = ("_client",)

    def __init__(self, call: Call, client: Any) -> None:
        super().__init__(call)
        self._client = client

    def failed(self, error: BaseException) -> None:
        """Record a failure: the SDK raised, or the consumer left."""
        if self._stepping:
            _read_failure(self._call, self._client, error)
        super().failed(error)


class _Start:
    """Starts the call of a stream at its first step.

    Args:
        seam: the seam of the SDK.
        scope: the scope of that step.
        request: the request of the call.
        headers: the headers of the request, if it propagates the trace context.
    """

    def __init__(self, seam: Ollama, scope: Scope, request: Request, headers: dict[str, str] | None) -> None:
        self._seam = seam
        self.scope = scope
        self._request = request
        self._headers = headers

    @guarded
    def __call__(self, source: Any) -> tuple[_StreamReading, Any] | None:
        """Start the call and make it current. Return its reading and the steps of `source`, None if it is not instrumented."""
        scope = self.scope
        self._seam.call(scope, self._request, self._headers)
        if scope.call is None:
            return None
        reading = _StreamReading(scope.call, scope.client)
        steps = reading.chunks(source)
        scope.start()
        return reading, steps

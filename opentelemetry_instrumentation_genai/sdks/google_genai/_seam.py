"""The seam of the `google-genai` SDK: all calls go through `BaseApiClient.request`, `request_streamed` and their asynchronous twins.

A plain call runs within its method. `request_streamed` is a generator, which sends its request with its first step: the call starts
there. `async_request_streamed` sends the request itself, and returns a generator of its chunks. Each request that is sent,
again after a failure too, goes through `_request_once` or `_async_request_once`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry.context import get_current

from ..._adapter.client_servers import Servers
from ..._adapter.fields import member
from ..._patching.funnel import Funnel
from ..._patching.http_exchange import call_of
from ..._patching.late_streams import AsyncStream, Start, StreamReading, stream_of
from ..._patching.seam import async_following, following
from ..._runtime.guard import guarded
from ._base_urls import BaseUrls
from ._bodies import request_body, response_body
from ._endpoints import STREAM, route, split
from ._requests import Headers, Requests, async_http_client, http_client, read_failure, secrets_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..._adapter.endpoint import Endpoint
    from ..._call.call import Call
    from ..._call.request import Request
    from ..._patching.other_instrumentations import Others
    from ..._patching.propagation import Propagation
    from ..._patching.seam import Scope
    from ..._signals.signals import Signals

_MODULE = "google.genai._api_client"
_PARAMETERS = ("http_method", "path", "request_dict", "http_options")
_SUCCESS = 200  # for any other status the SDK raises


class GoogleGenAI(Funnel):
    """Instruments the calls of the SDK.

    Args:
        signals: the signals that the telemetry is recorded with.
        endpoints: (method, last word of the path) -> endpoint.
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
        super().__init__("request", endpoints, signals, others, propagation)
        self._servers = Servers(provider, self._propagates_to)
        self._urls = BaseUrls()

    def targets(self) -> list[tuple[str, str, Callable[..., object]]]:
        """Return the methods to patch and their wrappers."""
        return [
            (_MODULE, "BaseApiClient.request", following(self)),
            (_MODULE, "BaseApiClient.async_request", async_following(self)),
            (_MODULE, "BaseApiClient.request_streamed", self._streamed),
            (_MODULE, "BaseApiClient.async_request_streamed", async_following(self)),
            (_MODULE, "BaseApiClient._request_once", self._once),
            (_MODULE, "BaseApiClient._async_request_once", self._async_once),
        ]

    # The steps of a call.

    @guarded
    def begin(self, scope: Scope) -> None:
        """Start a call, if it is instrumented."""
        request = self._read_request(scope.client, scope.args, scope.kwargs)
        if request is not None:
            self._call(scope, request, running=True)

    def received(self, scope: Scope) -> None:
        """Follow the generator of an asynchronous stream."""
        call, source = scope.call, scope.result
        if call is not None and hasattr(source, "__anext__"):
            reading = StreamReading(call, read_failure)
            scope.result = AsyncStream(source, None, (reading, reading.chunks(source)))

    @guarded
    def end(self, call: Call, result: Any, error: BaseException | None) -> None:
        """End a call with its result or exception. That of a stream ends with its reading."""
        call.running = False
        if error is not None:
            read_failure(call, error)
            call.fail(error)
        elif not call.open:
            call.succeed(response_body(result, call.unread))

    def _streamed(self, wrapped: Any, client: Any, args: Any, kwargs: Any) -> Any:
        stream = wrapped(*args, **kwargs)
        start = self._start_of(client, args, kwargs)
        return stream if start is None else stream_of(stream, start)

    def _once(self, wrapped: Any, client: Any, args: Any, kwargs: Any) -> Any:
        self._sending(client, args, kwargs, http_client)
        response = wrapped(*args, **kwargs)
        self._answered(client, response)
        return response

    async def _async_once(self, wrapped: Any, client: Any, args: Any, kwargs: Any) -> Any:
        self._sending(client, args, kwargs, async_http_client)
        response = await wrapped(*args, **kwargs)
        self._answered(client, response)
        return response

    # What they do.

    def _call(self, scope: Scope, request: Request, *, running: bool) -> None:
        requests = Requests(scope.client, propagates=request.server.propagates)
        self._start(scope, request, requests, running=running)

    @guarded
    def _start_of(self, client: Any, args: Any, kwargs: Any) -> Start | None:
        """Return what starts the call of a stream; None if it is not instrumented."""
        if not self.active:
            return None
        if client is None:  # called as BaseApiClient.request_streamed(client, ...)
            client, *args = args
        request = self._read_request(client, args, kwargs)
        if request is None:
            return None
        return Start(self, client, partial(self._call, request=request, running=False), read_failure)

    @guarded
    def _read_request(self, client: Any, args: Any, kwargs: Any) -> Request | None:
        """Return the request, if its endpoint is instrumented."""
        given = {**dict(zip(_PARAMETERS, args, strict=False)), **kwargs}
        path, options, context = str(given["path"]), given.get("http_options"), get_current()
        model, method = split(path)
        endpoint, _ = self._find(client, given["http_method"], route(method, given["request_dict"]), context)
        if endpoint is None:
            return None
        server = self._servers.of(client, self._url(client, options))
        extra = _option(client, options, "extra_body")
        body = request_body(given["request_dict"], extra, model)
        return self._request(endpoint, server, body, context, stream=method == STREAM)

    def _url(self, client: Any, options: Any) -> Any:
        """Return the base URL of a request, which its options may replace."""
        return self._urls.of(_option(client, options, "base_url"), bool(client.vertexai))

    @guarded
    def _sending(self, client: Any, args: Any, kwargs: Any, sender: Callable[[Any], Any]) -> None:
        """Record that a request is sent, and inject the trace context into its headers; runs before `_request_once`.

        Args:
            client: the SDK's client.
            args: the positional arguments of the method.
            kwargs: its keyword arguments.
            sender: the SDK's client -> the HTTP client that sends the request.
        """
        call = call_of(client)
        if call is None:
            return
        request, requests = args[0] if args else kwargs["http_request"], call.exchange
        requests.count += 1
        request.headers = headers = dict(request.headers)  # of older releases they are the client's own
        call.secrets = partial(secrets_of, headers)
        if requests.propagates and self._propagation is not None:
            http = sender(client)
            headers.update({} if http is None else self._propagation.headers(call, http, headers) or {})

    @guarded
    def _answered(self, client: Any, response: Any) -> None:
        """Record the HTTP response of a call; runs after `_request_once`."""
        call = call_of(client)
        if call is not None:
            call.http_attributes = call.exchange.attributes(_SUCCESS)
            call.answered(Headers(response.headers))


def _option(client: Any, options: Any, name: str) -> Any:
    """Return an option of a request; that of its client, if the request has none."""
    given = member(options, name)
    return member(client._http_options, name) if given is None else given

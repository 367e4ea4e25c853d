"""The seam of the `ollama` SDK, whose calls all go through `client._request`.

A plain call is made within it. A stream is a generator that sends nothing before its first step, so the call starts there, and
one that is never started is no call. `_request_raw` sees the HTTP response of a plain call; that of a stream nobody sees.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry.context import get_current

from ._attributes import HTTP_RESPONSE_STATUS_CODE
from ._call import Call
from ._capture import asked_here
from ._context import attach, current_call, detach, stand_back
from ._fields import as_sent, member
from ._guard import guarded
from ._hosts import Servers
from ._operation import Operation, Request
from ._proxy import Proxy, own
from ._streams import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from ._signals import Signals

_END = object()


class Ollama:
    """How the SDK is followed.

    Args:
        signals: where the telemetry goes.
        routes: (method, path) -> operation.
        provider: client, host and port -> `gen_ai.provider.name`.
    """

    def __init__(
        self,
        signals: Signals,
        routes: Mapping[tuple[str, str], Operation],
        provider: Callable[[Any, str, int], str],
    ) -> None:
        self.active = True
        self._signals = signals
        self._routes = signals.operations(routes)
        self._propagation = signals.propagation
        self._servers = Servers(provider, self._tells)

    def targets(self) -> list[tuple[str, str, Callable[..., Any]]]:
        """The rows of what is patched."""
        module = "ollama._client"
        return [
            (module, "Client._request", self.request),
            (module, "AsyncClient._request", self.async_request),
            (module, "Client._request_raw", self.request_raw),
            (module, "AsyncClient._request_raw", self.async_request_raw),
        ]

    def start(self) -> None:
        """Called when the targets are patched."""

    def stop(self) -> None:
        """Called before they are unpatched."""
        self.active = False
        self._signals.close()

    # The wrappers, as wrapt calls them.

    def request(self, wrapped: Any, client: Any, args: Any, kwargs: Any) -> Any:
        """Around `Client._request`."""
        request = self._asked(client, args, kwargs)
        if request is None:
            return wrapped(*args, **kwargs)
        headers = None if self._propagation is None else self._headers(client, kwargs)
        if headers is not None:
            kwargs = {**kwargs, "headers": headers}
        if request.stream:
            return _stream(wrapped(*args, **kwargs), client, partial(self._call, request, client, headers))
        call = self._call(request, client, headers)
        if call is None:
            return wrapped(*args, **kwargs)
        token = attach(call)
        try:
            result = wrapped(*args, **kwargs)
        except BaseException as error:
            _blame(call, client, error)
            call.client = None
            call.fail(error)
            raise
        finally:
            detach(call, token)
        call.client = None
        call.succeed(result)
        return result

    async def async_request(self, wrapped: Any, client: Any, args: Any, kwargs: Any) -> Any:
        """Around `AsyncClient._request`."""
        request = self._asked(client, args, kwargs)
        if request is None:
            return await wrapped(*args, **kwargs)
        headers = None if self._propagation is None else self._headers(client, kwargs)
        if headers is not None:
            kwargs = {**kwargs, "headers": headers}
        if request.stream:
            return _AsyncStream(await wrapped(*args, **kwargs), client, partial(self._call, request, client, headers))
        call = self._call(request, client, headers)
        if call is None:
            return await wrapped(*args, **kwargs)
        token = attach(call)
        try:
            result = await wrapped(*args, **kwargs)
        except BaseException as error:
            _blame(call, client, error)
            call.client = None
            call.fail(error)
            raise
        finally:
            detach(call, token)
        call.client = None
        call.succeed(result)
        return result

    def request_raw(self, wrapped: Any, client: Any, args: Any, kwargs: Any) -> Any:
        """Around `Client._request_raw`, which makes the HTTP request of a plain call."""
        response = wrapped(*args, **kwargs)
        _answered(client, response)
        return response

    async def async_request_raw(self, wrapped: Any, client: Any, args: Any, kwargs: Any) -> Any:
        """Around `AsyncClient._request_raw`."""
        response = await wrapped(*args, **kwargs)
        _answered(client, response)
        return response

    # What they do.

    @guarded
    def _asked(self, client: Any, args: Any, kwargs: Any) -> Request | None:
        """What is asked, if it is an operation that is followed."""
        operation = self._routes.get(args[1:3])
        if operation is None or not self.active:
            return None
        context = get_current()
        if stand_back(context, operation.name):
            return None
        server = self._servers.of(client, client._client.base_url)
        host, port, provider, *_ = server
        body, stream = kwargs.get("json") or {}, bool(kwargs.get("stream"))
        said = self._signals.who.of(context)
        return Request(operation, provider, host, port, body, stream, asked_here(context), said, server)

    def _tells(self, _client: Any, host: str, port: int) -> bool:
        """Whether a server is told of the trace."""
        return self._propagation is not None and self._propagation.reaches(host, port)

    @guarded
    def _headers(self, client: Any, kwargs: Any) -> dict[str, str] | None:
        """Headers for a request whose server is told of the trace: those that it has, until `_tell` adds to them."""
        server = self._servers.of(client, client._client.base_url)
        return dict(kwargs.get("headers") or {}) if server.told else None

    @guarded
    def _call(self, request: Request, client: Any, headers: dict[str, str] | None) -> Call | None:
        """The call, which starts now; a stream may have come to someone who reports it."""
        if not self.active or stand_back(get_current(), request.operation.name):
            return None
        # That of a plain call is asked for by `_request_raw`; a stream may end while the SDK's code runs.
        call = Call(self._signals, request, None if request.stream else client)
        if headers is not None:
            self._tell(call, client, headers)
        return call

    @guarded
    def _tell(self, call: Call, client: Any, headers: dict[str, str]) -> None:
        """Tell the server of the call's span. The SDK makes a stream's request only now, with the headers that it was given."""
        assert self._propagation is not None
        headers.update(self._propagation.headers(call, client._client, headers, client._client.headers) or {})


@guarded
def _answered(client: Any, response: Any) -> None:
    call = current_call()
    if call is not None and call.client is client:
        call.answered({HTTP_RESPONSE_STATUS_CODE: as_sent(response.status_code)})
        call.received = response


@guarded
def _blame(call: Call, client: Any, error: BaseException) -> None:
    """Take what is known of a failure besides the exception itself."""
    from ._credentials import credentials_in

    call.keyed(*credentials_in(client._client.headers))
    # The SDK raises its own error in place of the HTTP client's, which has the request.
    call.sent = member(error, "_request") or member(error.__context__, "_request")
    status = member(error, "status_code")
    if isinstance(status, int) and status > 0:  # -1 for an error that came within a stream
        call.answered({HTTP_RESPONSE_STATUS_CODE: as_sent(status)})


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
        """The SDK raised, or the consumer left."""
        if self._stepping:
            _blame(self._call, self._client, error)
        super().failed(error)


def _stream(
    source: Generator[Any, Any, Any], client: Any, start: Callable[[], Call | None]
) -> Generator[Any, Any, Any]:
    """The SDK's generator within one that starts the call at the first step, and follows it."""
    call = start()
    if call is None:
        yield from source
        return
    steps = _StreamReading(call, client).chunks(source)
    try:
        token = attach(call)
        try:
            item = next(steps, _END)
        finally:
            detach(call, token)
        if item is not _END:
            yield item
            yield from steps
    finally:
        steps.close()
        source.close()


class _AsyncStream(Proxy):
    """The asynchronous twin, to all who look the SDK's generator itself.

    A generator around it would be finalised by the event loop beside the SDK's, and they would collide.
    """

    __slots__ = ("_self_client", "_self_reading", "_self_start", "_self_steps")

    _self_methods = frozenset({"__aiter__", "__anext__", "asend", "athrow", "aclose"})

    def __init__(self, source: Any, client: Any, start: Callable[[], Call | None]) -> None:
        super().__init__(source)
        self._self_client = client
        self._self_start: Callable[[], Call | None] | None = start
        self._self_reading: _StreamReading | None = None
        self._self_steps: Any = source

    def __aiter__(self) -> Any:
        return self

    def __anext__(self) -> Any:
        return own(self, "_self_steps").__anext__() if own(self, "_self_start") is None else self._self_first()

    def asend(self, value: Any) -> Any:
        if value is not None and self._self_start is not None:  # which Python refuses, and the generator is as it was
            return self._self_source.asend(value)
        return self.__anext__()  # the SDK's generator makes nothing of what is sent

    async def _self_first(self) -> Any:
        start, self._self_start = self._self_start, None
        call = None if start is None else start()
        if call is None:
            return await self._self_steps.__anext__()
        self._self_reading = reading = _StreamReading(call, self._self_client)
        self._self_steps = steps = reading.chunks(self._self_source)
        token = attach(call)
        try:
            return await steps.__anext__()
        finally:
            detach(call, token)

    async def athrow(self, *error: Any) -> Any:
        try:
            return await self._self_source.athrow(*error)
        finally:
            self._self_closed()

    async def aclose(self) -> None:
        try:
            await self._self_source.aclose()
        finally:
            self._self_closed()

    def _self_closed(self) -> None:
        self._self_start = None
        if self._self_reading is not None:
            self._self_reading.closed()

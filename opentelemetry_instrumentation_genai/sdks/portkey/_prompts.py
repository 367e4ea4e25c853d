"""The seam of the SDK's own client, which sends saved prompts (`prompts.completions`) and whatever is given to `post`, by `_post`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.context import get_current

from ..._adapter.fields import as_sent, member
from ..._conventions.names import HTTP_RESPONSE_STATUS_CODE
from ..._patching.funnel import Funnel
from ..._patching.http_exchange import Exchange, secrets_in
from ..._patching.routes import input_of
from ..._patching.seam import async_following, following
from ..._runtime.guard import guarded
from ..._stream.body import Body
from ._endpoints import ENDPOINTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..._call.call import Call
    from ..._patching.seam import Scope


class Prompts(Funnel):
    """Follows the calls of this client.

    Args:
        beside: the seam of the client within; its settings count, and calls are followed as long as it follows its own.
    """

    def __init__(self, beside: Funnel) -> None:
        super().__init__("_post", ENDPOINTS, beside.signals, None, beside._propagation)
        self._beside = beside
        self._servers = beside._servers

    def targets(self) -> list[tuple[str, Callable[..., object]]]:
        """Return the (`Class.method`, wrapper) rows."""
        return [("APIClient._post", following(self)), ("AsyncAPIClient._post", async_following(self))]

    # The steps of a call.

    @guarded
    def begin(self, scope: Scope) -> None:
        """Start a call, if it is instrumented."""
        client, kwargs, context = scope.client, scope.kwargs, get_current()
        path = scope.args[0] if scope.args else kwargs["path"]
        endpoint, ids = self._find(client, "post", path, context)
        if endpoint is None or not self._beside.active:
            return
        server, body = self._server(client, path), input_of(endpoint, ids, kwargs.get("body"), None, None)
        request = self._request(endpoint, server, body, context, stream=kwargs.get("stream") is True)
        call = self._start(scope, request, Exchange(client), running=True)
        if call is not None and server.propagates and self._propagation is not None:
            headers = dict(kwargs.get("headers") or {})
            headers.update(self._propagation.headers(call, client._client, headers, client._client.headers) or {})
            scope.kwargs = {**kwargs, "headers": headers}

    def received(self, scope: Scope) -> None:
        """Record the headers of a response, and follow a stream."""
        if scope.call is not None:
            self._answered(scope.call, scope.result)

    @guarded
    def _answered(self, call: Call, result: Any) -> None:
        if hasattr(result, "_iterator"):
            _read_exchange(call, result.response)
            result._iterator = Body(call, result.response).events(result._iterator, result)
        else:
            call.answered(result._headers)

    @guarded
    def end(self, call: Call, result: Any, error: BaseException | None) -> None:
        """End a call with its result or exception. That of a stream ends with its reading."""
        call.running = False
        if error is not None:
            _read_failure(call, error)
            call.fail(error)
        elif not call.open:
            call.succeed(result)

    # What they do.

    def _base(self, client: Any) -> Any:
        """Return the base URL of a client."""
        return client._client.base_url


@guarded
def _read_failure(call: Call, error: BaseException) -> None:
    """Read the credentials of the request that failed, and the status of its response, if it had one."""
    call.secrets = secrets_in(member(error, "request"), getattr(call.exchange.client, "api_key", None))
    _read_exchange(call, member(error, "response"))


@guarded
def _read_exchange(call: Call, response: Any) -> None:
    """Read the status of an HTTP response, and the credentials that its request had."""
    if response is not None:
        call.http_attributes = {HTTP_RESPONSE_STATUS_CODE: as_sent(response.status_code)}
        call.secrets = secrets_in(response.request)
        call.answered(response.headers)

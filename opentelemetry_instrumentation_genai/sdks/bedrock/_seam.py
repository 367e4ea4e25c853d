"""The seam of botocore: all calls of all of its clients go through `BaseClient._make_api_call`.

Clients of other services than `bedrock-runtime` pass it at the cost of one comparison. A response with a body is returned unread;
its call ends when the application has read it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry.context import get_current

from ..._adapter.fields import count, member, members, string
from ..._conventions.names import AWS_REQUEST_ID, HTTP_REQUEST_RESEND_COUNT, HTTP_RESPONSE_STATUS_CODE
from ..._patching.funnel import Funnel
from ..._patching.http_exchange import Exchange
from ..._patching.seam import following
from ..._runtime.guard import guarded
from ._bodies import follow
from ._invocation import by_headers
from ._requests import given_by

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..._adapter.endpoint import Endpoint
    from ..._adapter.fields import Attribute
    from ..._call.call import Call
    from ..._patching.seam import Scope
    from ..._signals.signals import Signals
    from ._others import BedrockOthers
    from ._servers import Servers

_SERVICE = "bedrock-runtime"
_KEYS = ("access_key", "secret_key", "token", "_access_key", "_secret_key", "_token")


class Bedrock(Funnel):
    """Instruments the calls of the clients of one service.

    Args:
        signals: the signals that the telemetry is recorded with.
        endpoints: (operation, form of the bodies) -> endpoint.
        servers: the servers by their URLs.
        others: other instrumentations of the SDK, which may record some of its calls.
    """

    def __init__(
        self,
        signals: Signals,
        endpoints: Mapping[tuple[str, str], Endpoint],
        servers: Servers,
        others: BedrockOthers,
    ) -> None:
        super().__init__("_make_api_call", endpoints, signals, None, None)
        self._servers_by_url = servers
        self._reported = others.report_method

    def targets(self) -> list[tuple[str, str, Callable[..., object]]]:
        """Return the method to patch and its wrapper."""
        return [("botocore.client", "BaseClient._make_api_call", _of_service(following(self)))]

    # The steps of a call.

    @guarded
    def begin(self, scope: Scope) -> None:
        """Start the call, if it is instrumented."""
        client, context = scope.client, get_current()
        given = given_by(*_arguments(scope))
        if given is None:
            return
        endpoint, _ = self._find(client, *given.route, context)
        if endpoint is None or self._reported(client, given.method, endpoint):
            return
        server = self._servers_by_url.at(client.meta.endpoint_url)
        request = self._request(endpoint, server, given.body, context, stream=given.stream)
        call = self._start(scope, request, Exchange(client), running=True)
        if call is not None:
            call.secrets = partial(_secrets_of, _sources_of(client))

    def received(self, scope: Scope) -> None:
        """Record what the response says of itself, and follow its body, if it has one."""
        if scope.call is not None:
            self._answered(scope.call, scope.result)

    @guarded
    def _answered(self, call: Call, result: Any) -> None:
        metadata = member(result, "ResponseMetadata")
        headers = members(member(metadata, "HTTPHeaders"))
        call.http_attributes = _http_attributes(metadata)
        call.answered(_Headers(headers))
        for name in ("stream", "body"):
            body = member(result, name)
            if body is not None:
                follow(body, call, by_headers(headers))

    @guarded
    def end(self, call: Call, result: Any, error: BaseException | None) -> None:
        """End a call with its result or exception. The call of an unread body ends with its reading."""
        call.running = False
        if error is not None:
            _read_failure(call, error)
            call.fail(error)
        elif not call.open:
            call.succeed(result)


class _Headers(dict[str, Any]):
    """The headers of a response as those of httpx; botocore has their names in lower case."""

    @property
    def raw(self) -> list[tuple[bytes, bytes]]:
        """Return names and values as bytes."""
        return [(name.encode(), str(value).encode("utf-8", "replace")) for name, value in self.items()]


def _of_service(wrapper: Callable[..., object]) -> Callable[..., object]:
    """Return a wrapper for wrapt that leaves all clients alone but those of the service."""

    def of_service(wrapped: Callable[..., object], client: Any, args: Any, kwargs: Any) -> object:
        model = getattr(client, "_service_model", None)
        if getattr(model, "service_name", None) != _SERVICE:
            return wrapped(*args, **kwargs)
        return wrapper(wrapped, client, args, kwargs)

    return of_service


def _arguments(scope: Scope) -> tuple[Any, Any]:
    """Return the operation and the parameters of a call."""
    operation, parameters = [*scope.args, None, None][:2]
    kwargs = scope.kwargs
    return kwargs.get("operation_name", operation), kwargs.get("api_params", parameters)


def _http_attributes(metadata: Any) -> dict[str, Attribute]:
    """Return the attributes of the HTTP exchange, by what botocore adds to each response and to each error."""
    held = members(metadata)
    status, retries, identity = (
        count(held.get("HTTPStatusCode")),
        held.get("RetryAttempts"),
        string(held.get("RequestId")),
    )
    found: dict[str, Attribute] = {} if status is None else {HTTP_RESPONSE_STATUS_CODE: status}
    resent = count(retries)
    if resent:
        found[HTTP_REQUEST_RESEND_COUNT] = resent
    return found if identity is None else {**found, AWS_REQUEST_ID: identity}


@guarded
def _read_failure(call: Call, error: BaseException) -> None:
    """Read what is recorded of a failure besides the exception, which has the response as JSON values."""
    found = _http_attributes(member(member(error, "response"), "ResponseMetadata"))
    if found:
        call.http_attributes = found


def _sources_of(client: Any) -> tuple[Any, Any]:
    """Return what a client has its credentials from: those to sign with, and the bearer token. Many fetch them only when a request is sent."""
    signer = getattr(client, "_request_signer", None)
    return member(signer, "_credentials"), member(signer, "_auth_token")


def _secrets_of(sources: tuple[Any, Any]) -> tuple[str, ...]:
    """Return the credentials that are known after a call has failed: none is fetched for it."""
    from ..._masking.credentials import credentials_of

    token = sources[1]
    found = [member(source, name) for source in sources for name in _KEYS]
    frozen = (token, member(token, "_frozen_token"))  # tuples of a token and when it expires
    return credentials_of(None, *found, *(value for one in frozen if isinstance(one, tuple) for value in one))

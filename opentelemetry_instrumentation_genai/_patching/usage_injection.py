"""Usage injection: requests the usage of a stream where the caller does not, by `stream_usage="inject"`.

It goes into a copy of the request, and what it adds to the response is withheld from the caller (`usage_filter`). If the server
refuses it, the caller's own request is sent instead, within the same call, and nothing is injected again for that client.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from .._adapter.fields import member
from .._adapter.request_bodies import reading
from .._runtime.guard import guarded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._call.call import Call
    from .http_exchange import Exchange
    from .seam import Scope

_REFUSALS = (400, 422)
_UNDONE = "gzip, deflate"  # the encodings from which `usage_filter` can remove something
_ENCODING_HEADER = "accept-encoding"


class UsageInjection:
    """Requests usage from the servers of one SDK, and remembers those that refused.

    They are remembered by HTTP client and base URL: a copy that `with_options` makes shares its HTTP client.
    """

    def __init__(self) -> None:
        self._refused: WeakKeyDictionary[object, set[str]] = WeakKeyDictionary()

    @guarded
    def inject(self, scope: Scope, call: Call, options: Any, body: Mapping[str, Any], provider: str) -> None:
        """Replace the options that the SDK gets by a copy that requests usage, if the request does not do so already.

        Args:
            scope: of the call.
            call: the call, of a streamed request.
            options: of the request, without the injection.
            body: what is sent.
            provider: `gen_ai.provider.name`.
        """
        usage = call.endpoint.stream_usage
        if usage is None or provider in usage.unasked:
            return
        members = reading(usage.members, body)
        extra = options.extra_json
        if members is None or type(extra) not in (dict, type(None)) or not isinstance(options.json_data, dict):
            return  # the SDK refuses what is no object, and the caller gets that error
        if self._has_refused(scope.client):
            return
        injected = copy.copy(options)
        injected.extra_json = {**(extra or {}), **members}  # of the two, this one wins
        headers = _headers(options.headers, scope.client)
        if headers is not None:
            injected.headers = headers
        scope.substitute = with_options(injected, scope.args, scope.kwargs)
        call.exchange.injected = usage

    @guarded
    def sends_again(self, scope: Scope, exchange: Exchange, error: BaseException) -> bool:
        """Return whether the caller's own request is to be sent, since the server may have refused the injected members.

        Args:
            scope: of the call.
            exchange: its exchange; it keeps the refusal, for `remember`.
            error: what the SDK raised. A server may also quote the members in the refusal of something else.
        """
        usage, scope.substitute, exchange.injected = exchange.injected, None, None
        response = member(error, "response")
        if usage is None or response is None or response.status_code not in _REFUSALS:
            return False
        exchange.refused = any(word in response.content for word in usage.refused)
        return exchange.refused

    @guarded
    def remember(self, client: Any) -> None:
        """Remember a refusal: the request succeeded without the injected members, so these were refused, and no other part."""
        refused = self._refused.setdefault(client._client, set())
        if len(refused) >= 64:
            refused.clear()
        refused.add(str(client.base_url))

    def _has_refused(self, client: Any) -> bool:
        refused = self._refused.get(client._client)
        return refused is not None and str(client.base_url) in refused


def with_options(options: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """Return the arguments of `request` with other options than the caller's."""
    return ((args[0], options, *args[2:]), kwargs) if len(args) > 1 else (args, {**kwargs, "options": options})


def _headers(given: Any, client: Any) -> dict[str, Any] | None:
    """Return headers that accept only encodings that can be decoded, if the HTTP client would accept others; else None."""
    accepted = client._client.headers.get(_ENCODING_HEADER) or ""
    if "br" not in accepted and "zstd" not in accepted:
        return None
    own = given if isinstance(given, dict) else {}
    if any(str(name).lower() == _ENCODING_HEADER for name in (*own, *client._custom_headers)):
        return None
    return {**own, _ENCODING_HEADER: _UNDONE}

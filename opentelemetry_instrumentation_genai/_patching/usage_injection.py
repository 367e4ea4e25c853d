"""Injection of a request for the usage of a stream, on the caller's behalf: `stream_usage="inject"`.

It goes into a copy of the request, and what it adds to the response is withheld from the caller (`usage_filter`). If the server
refuses it, the caller's own request is sent instead, within the same call, and nothing is injected again for that client.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from .._adapter.fields import member
from .._adapter.request_bodies import reading
from .._guard import guarded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._adapter.operation import StreamUsage
    from .._call.call import Call
    from .seam import Scope

_REFUSALS = (400, 422)
_UNDONE = "gzip, deflate"  # the encodings from which `usage_filter` can remove something
_ENCODING_HEADER = "accept-encoding"


class UsageInjection:
    """Requests usage from the servers of one SDK, and remembers those that refused.

    They are remembered by HTTP client and base URL: a copy that `with_options` makes shares its HTTP client.
    """

    def __init__(self) -> None:
        self._refused: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()

    @guarded
    def ask(self, call: Call, usage: StreamUsage, options: Any, body: Mapping[str, Any], provider: str) -> None:
        """Set a copy of `options` that requests usage on the call, if there is something to inject.

        Args:
            call: the call, of a streamed request.
            usage: how usage is requested from its endpoint.
            options: of the request, without the injection.
            body: what is sent.
            provider: `gen_ai.provider.name`.
        """
        members = None if provider in usage.unasked else reading(usage.asked, body)
        extra = options.extra_json
        if members is None or type(extra) not in (dict, type(None)) or not isinstance(options.json_data, dict):
            return  # the SDK refuses what is no object, and the caller gets that error
        if self._has_refused(call.client):
            return
        injected = copy.copy(options)
        injected.extra_json = {**(extra or {}), **members}  # of the two, this one wins
        headers = _headers(options.headers, call.client)
        if headers is not None:
            injected.headers = headers
        call.injected = injected

    def send(self, scope: Scope, call: Call) -> None:
        """Send the request with the injected members, and without them if the server refuses these."""
        try:
            scope.send(*with_options(call.injected, scope.args, scope.kwargs))
        except Exception as error:
            if not _refuses(call, error):
                raise
        else:
            return
        finally:
            call.injected = None
        scope.send(scope.args, scope.kwargs)
        self._remember(call.client)

    async def async_send(self, scope: Scope, call: Call) -> None:
        """Send the request as `send` does, asynchronously."""
        try:
            await scope.async_send(*with_options(call.injected, scope.args, scope.kwargs))
        except Exception as error:
            if not _refuses(call, error):
                raise
        else:
            return
        finally:
            call.injected = None
        await scope.async_send(scope.args, scope.kwargs)
        self._remember(call.client)

    def _has_refused(self, client: Any) -> bool:
        refused = self._refused.get(client._client)
        return refused is not None and str(client.base_url) in refused

    @guarded
    def _remember(self, client: Any) -> None:
        """Remember a refusal: the request succeeded without the injected members, so these were refused, and no other part."""
        refused = self._refused.setdefault(client._client, set())
        if len(refused) >= 64:
            refused.clear()
        refused.add(str(client.base_url))


def with_options(options: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """Return the arguments of `request` with other options than the caller's."""
    return ((args[0], options, *args[2:]), kwargs) if len(args) > 1 else (args, {**kwargs, "options": options})


@guarded
def _refuses(call: Call, error: Exception) -> bool:
    """Return whether a failure may be a refusal of the injected members; a server may also quote them in another refusal."""
    usage, response = call.stream_usage, member(error, "response")
    if usage is None or response is None or response.status_code not in _REFUSALS:
        return False
    return any(word in response.content for word in usage.refused)


def _headers(given: Any, client: Any) -> dict[str, Any] | None:
    """Return headers that accept only encodings that can be decoded, if the HTTP client would accept others; else None."""
    accepted = client._client.headers.get(_ENCODING_HEADER) or ""
    if "br" not in accepted and "zstd" not in accepted:
        return None
    own = given if isinstance(given, dict) else {}
    if any(str(name).lower() == _ENCODING_HEADER for name in (*own, *client._custom_headers)):
        return None
    return {**own, _ENCODING_HEADER: _UNDONE}

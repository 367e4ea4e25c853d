"""UsageInjection for the usage of a stream on the caller's behalf: `stream_usage="inject"`.

The question goes into a copy of the request, and what it adds to the answer is kept from the caller (`_filter`). A server that
refuses the question gets the caller's own request instead, within the same call, and is not asked again through that client.
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
_UNDONE = "gzip, deflate"  # the encodings of which `_filter` can take something out
_ENCODING_HEADER = "accept-encoding"


class UsageInjection:
    """Asks the servers of one SDK, and remembers which refused.

    That is remembered by HTTP client and base URL: what `with_options` copies shares its HTTP client.
    """

    def __init__(self) -> None:
        self._refused: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()

    @guarded
    def ask(self, call: Call, usage: StreamUsage, options: Any, body: Mapping[str, Any], provider: str) -> None:
        """Give the call, where there is something to ask, a copy of `options` that asks.

        Args:
            call: the call, of a streamed request.
            usage: how its endpoint is asked.
            options: of the request, as they are without us.
            body: what is sent.
            provider: who answers.
        """
        members = None if provider in usage.unasked else reading(usage.asked, body)
        extra = options.extra_json
        if members is None or type(extra) not in (dict, type(None)) or not isinstance(options.json_data, dict):
            return  # what is no object the SDK refuses, which is for the caller to see
        if self._has_refused(call.client):
            return
        asked = copy.copy(options)
        asked.extra_json = {**(extra or {}), **members}  # of the two, this one wins
        headers = _headers(options.headers, call.client)
        if headers is not None:
            asked.headers = headers
        call.injected = asked

    def send(self, scope: Scope, call: Call) -> None:
        """Send the request with the question, and without it if that is refused."""
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
        """The asynchronous twin."""
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
        """The request went through without the question, so it was the question that was refused, and no other part."""
        refused = self._refused.setdefault(client._client, set())
        if len(refused) >= 64:
            refused.clear()
        refused.add(str(client.base_url))


def with_options(options: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """The arguments of `request` with other options than the caller's."""
    return ((args[0], options, *args[2:]), kwargs) if len(args) > 1 else (args, {**kwargs, "options": options})


@guarded
def _refuses(call: Call, error: Exception) -> bool:
    """Whether a failure is, or may be, about the question; a server can also quote the request it refuses for another reason."""
    usage, response = call.stream_usage, member(error, "response")
    if usage is None or response is None or response.status_code not in _REFUSALS:
        return False
    return any(word in response.content for word in usage.refused)


def _headers(given: Any, client: Any) -> dict[str, Any] | None:
    """Headers that ask for an encoding that can be undone, if the HTTP client by itself would take any other."""
    accepted = client._client.headers.get(_ENCODING_HEADER) or ""
    if "br" not in accepted and "zstd" not in accepted:
        return None
    own = given if isinstance(given, dict) else {}
    if any(str(name).lower() == _ENCODING_HEADER for name in (*own, *client._custom_headers)):
        return None
    return {**own, _ENCODING_HEADER: _UNDONE}

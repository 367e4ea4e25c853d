"""The HTTP requests of one call, as the SDK sends them by httpx, aiohttp or google-auth."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ..._adapter.fields import integer, member
from ..._conventions.names import HTTP_REQUEST_RESEND_COUNT, HTTP_RESPONSE_STATUS_CODE
from ..._patching.http_exchange import Exchange
from ..._runtime.guard import guarded, warn_once

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..._adapter.fields import Attribute
    from ..._call.call import Call


class Requests(Exchange):
    """The requests of one call.

    Args:
        client: the SDK's client that makes it.
        propagates: whether the server receives the trace context in headers.

    Attributes:
        count: how many were sent.
        propagates: as given.
    """

    __slots__ = ("count", "propagates")

    def __init__(self, client: Any, *, propagates: bool) -> None:
        super().__init__(client)
        self.count = 0
        self.propagates = propagates

    def attributes(self, status: int | None) -> Mapping[str, Attribute]:
        """Return the attributes of the last one.

        Args:
            status: of its response; None if there is none.
        """
        found: dict[str, Attribute] = {} if status is None else {HTTP_RESPONSE_STATUS_CODE: status}
        return {**found, HTTP_REQUEST_RESEND_COUNT: self.count - 1} if self.count > 1 else found


class Headers(dict[str, str]):
    """The headers of a response, as observers read them: by their names in lower case, and as bytes.

    Args:
        headers: as the SDK has them.
    """

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__({name.lower(): value for name, value in headers.items()})

    @property
    def raw(self) -> list[tuple[bytes, bytes]]:
        """Return names and values."""
        return [(name.encode("utf-8", "replace"), value.encode("utf-8", "replace")) for name, value in self.items()]


def secrets_of(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the credentials that the headers of a request hold, the token among them that the SDK adds before it sends it."""
    from ..._masking.credentials import credentials_in

    return credentials_in(SimpleNamespace(multi_items=headers.items))


@guarded
def read_failure(call: Call, error: BaseException) -> None:
    """Read the HTTP status of a request that failed. An error that comes within a stream has none of its own."""
    if not call.http_attributes:
        status = integer(member(error, "code")) if member(error, "response") is not None else None
        call.http_attributes = call.exchange.attributes(status)


def http_client(client: Any) -> Any:
    """Return the HTTP client that sends a request; None where that is no httpx client."""
    return client._httpx_client


def async_http_client(client: Any) -> Any:
    """Return the HTTP client that sends an asynchronous request; None where it is not known how that follows redirects."""
    if client._use_aiohttp():
        warn_once("aiohttp follows redirects in an unknown way: it sends no trace context.")
        return None
    return client._async_httpx_client

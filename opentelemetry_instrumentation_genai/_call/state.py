"""The state of a call: what its observers read while it runs and when it ends."""

from __future__ import annotations

from threading import Lock
from time import perf_counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import INVALID_SPAN

from .._conventions.names import PROVIDER_NAME
from .._runtime import lifetime
from .._runtime.guard import guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from .._adapter.counted_usage import Counted
    from .._adapter.fields import Attribute
    from .chunks import Chunks
    from .request import Request

_NOTHING: Mapping[str, Attribute] = MappingProxyType({})


class CallState:
    """The state of one call.

    Args:
        request: the request, as the seam describes it.
        context: the OpenTelemetry context in which it is made.
        counted: the ids of responses with usage that was counted; several calls may receive one response, and only one counts it.

    Attributes:
        kind, endpoint, stream: of its request.
        counted: as given.
        identity: the attributes that span and metrics share.
        attributes: those of the span at its start, and what was added since.
        attribution: those by which the application attributes it, and which override attributes of a response.
        http_attributes: those of the HTTP response.
        span: its span.
        context: a context with that span, which metrics and events link to.
        detailed: whether more than metrics is recorded: the span is sampled, or there is a details event or a completion hook.
        needs_messages: whether the messages of a response are read, and those of a streamed one put together.
        started: when the SDK's code was called, in seconds of `perf_counter`.
        stopped: when that returned, or the response was read that the application reads later; None until then.
        open: whether its response is read by the application, later; then reading ends the call.
        chunks: the chunks of that response.
        unknown_server: the server, as long as its provider is not identified.
        secrets: returns the credentials that the message of a failure may quote.
    """

    __slots__ = (
        "_done", "_forks", "_lock", "attributes", "attribution", "chunks", "context", "counted", "detailed", "endpoint",
        "http_attributes", "identity", "kind", "needs_messages", "open", "secrets", "span", "started", "stopped", "stream",
        "unknown_server",
    )  # fmt: skip

    def __init__(self, request: Request, context: Context, counted: Counted) -> None:
        self._lock, self._forks, self._done = Lock(), lifetime.forks, False
        self.endpoint = endpoint = request.endpoint
        self.kind, self.stream, self.counted = endpoint.kind, request.stream, counted
        self.identity = request.identity()
        self.attributes: dict[str, Attribute] = {}
        self.attribution: Mapping[str, Attribute] = _NOTHING
        self.http_attributes: Mapping[str, Attribute] = _NOTHING
        self.span: Span = INVALID_SPAN
        self.context = context
        self.detailed = self.needs_messages = self.open = False
        self.started = perf_counter()  # as long as nothing is called, for a call that is interrupted before
        self.stopped: float | None = None
        self.chunks: Chunks | None = None
        self.unknown_server = request.server.unknown_server
        self.secrets: Callable[[], tuple[str, ...]] = tuple

    @property
    def over(self) -> bool:
        """Return whether the call has ended, or is ending; in the child of a fork, calls of the parent are over."""
        return self._lock.locked() or self._forks != lifetime.forks

    @property
    def ended(self) -> bool:
        """Return whether the call has ended and its hooks have run; in the child of a fork, calls of the parent have ended."""
        return self._done or self._forks != lifetime.forks

    @property
    def unread(self) -> frozenset[str]:
        """Return the members of a response that nothing reads."""
        endpoint = self.endpoint
        return endpoint.unread if self.needs_messages else endpoint.unread | endpoint.for_messages

    def add_attributes(self, attributes: Mapping[str, Attribute]) -> None:
        """Add attributes of the request that are not read from its body."""
        if attributes:
            added = {**attributes, **self.attribution}
            self.attributes.update(added)
            self.span.set_attributes(added)

    def add_identity(self, attributes: Mapping[str, Attribute]) -> None:
        """Add attributes that span and metrics share, and that were not known at the start."""
        if attributes:
            self.identity = {**self.identity, **attributes}  # a new one: recorded points hold the other
            self.add_attributes(attributes)

    def identify_by_headers(self, headers: Any) -> None:
        """Identify the provider by the headers of a response, where neither host nor settings name it."""
        if self.unknown_server is not None:
            self._set_provider(self.unknown_server.by_headers(headers))

    @guarded
    def identify_by_response(self, response: Any) -> None:
        """Identify the provider by a response, or by the received part of it, where neither host nor settings name it."""
        if self.unknown_server is not None and response is not None:
            self._set_provider(self.unknown_server.by_response(response))

    def _set_provider(self, provider: str | None) -> None:
        """Set the provider, if it is identified: the span and all later metrics have it."""
        if provider is None:
            return
        self.unknown_server = None
        if provider != self.identity[PROVIDER_NAME]:
            self.identity = {**self.identity, PROVIDER_NAME: provider}  # a new one: recorded points hold the other
            self.attributes[PROVIDER_NAME] = provider
            self.span.set_attribute(PROVIDER_NAME, provider)

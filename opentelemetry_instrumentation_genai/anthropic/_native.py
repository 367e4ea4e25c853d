"""The SDK's own tracing: by default, newer versions start a span of their own for each call.

Its clients read a tracer from the property `BaseClient._tracer`, within `request`, at each call; with None they start no span.
While an instrumented call runs, a property of ours returns None (`replace`), or a tracer that shares its spans with our call
(`enrich`, `off`). The property is private to the SDK: without it the SDK keeps its spans, and a warning is logged.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from operator import attrgetter
from time import time_ns
from typing import TYPE_CHECKING, Any

import wrapt
from opentelemetry.trace import NonRecordingSpan

from .._patching.http_exchange import call_of
from .._runtime.guard import guarded, warn_once

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from .._call.call import Call

_CLIENT = "anthropic._base_client"
_SDK_TRACING = "anthropic._tracing"


class NativeTracing:
    """Replaces, enriches or keeps the SDK's own spans of instrumented calls.

    Args:
        mode: `replace` prevents them, `enrich` adds missing attributes to them, `off` leaves them unchanged, as the only spans.
        hooked: whether the application's hooks are called with them.
    """

    def __init__(self, mode: str, *, hooked: bool = False) -> None:
        self._mode = mode
        self._hooked = hooked
        self._original: Any = None
        self._ours: Any = None

    def start(self) -> None:
        """Patch the SDK's tracer property."""
        owner = import_module(_CLIENT).BaseClient
        original = vars(owner).get("_tracer")
        if isinstance(original, property):
            self._original = original
            self._ours = property(self._answer)
            owner._tracer = self._ours
        elif find_spec(_SDK_TRACING) is not None:
            warn_once(
                "This version of anthropic makes spans of its own in an unknown way: its calls have two spans, its own and ours. "
                "ANTHROPIC_OPEN_TELEMETRY=false leaves ours alone."
            )

    def stop(self) -> None:
        """Restore the SDK's tracer property."""
        owner = import_module(_CLIENT).BaseClient
        if self._ours is not None and vars(owner).get("_tracer") is self._ours:
            owner._tracer = self._original

    def spans(self, client: Any, options: Any) -> bool:
        """Return whether the span of this call is the SDK's: the SDK starts one, and the mode keeps it."""
        return self.traces(client) and bool(getattr(options, "span_name", None))

    def traces(self, client: Any) -> bool:
        """Return whether the spans of this client's operations are the SDK's: it starts them, and the mode keeps them."""
        return self._mode != "replace" and self._original is not None and self._original.fget(client) is not None

    def client_of(self, client: Any, call: Call) -> Any:
        """Return a client like this one, with a tracer by which the SDK starts the span of one operation.

        Args:
            client: the SDK's client.
            call: our call of the operation, which replaces the span, or adopts it.
        """
        if self._mode == "replace":
            return _Client(client, None)
        if not self.traces(client):
            return client
        tracer = self._original.fget(client)
        return _Client(client, _Tracer(tracer, call, self._mode == "enrich", self._hooked))

    def _answer(self, client: Any) -> Any:
        if self._replaces(client):
            return None
        tracer = self._original.fget(client)
        return tracer if tracer is None else self._ours_around(tracer, client) or tracer

    @guarded
    def _replaces(self, client: Any) -> bool:
        """Return whether our span replaces the one that the SDK is about to start."""
        return self._mode == "replace" and call_of(client) is not None

    @guarded
    def _ours_around(self, tracer: Any, client: Any) -> Any:
        """Return our tracer around the SDK's while an instrumented call runs, None otherwise."""
        call = call_of(client)
        return None if call is None else _Tracer(tracer, call, self._mode == "enrich", self._hooked)


class _Tracer:
    """The SDK's tracer while an instrumented call runs."""

    def __init__(self, tracer: Any, call: Call, shares: bool, hooked: bool) -> None:
        self._tracer = tracer
        self._call = call
        self._shares = shares
        self._hooked = hooked

    def start_span(self, *args: Any, **kwargs: Any) -> Any:
        """Start the SDK's span, and let our call adopt it."""
        span = None
        try:
            span = self._tracer.start_span(*args, **kwargs)
            return self._adopted(span) or span
        except BaseException:
            if span is not None:  # interrupted in our code: the SDK does not have the span yet
                span.end()
            raise

    @guarded
    def _adopted(self, span: Span) -> Any:
        if not self._shares and not self._hooked:
            self._call.adopt(NonRecordingSpan(span.get_span_context()), span)
            return None
        shared = _Shared(span, self._call)
        ours: Any = _Ours(span, shared) if self._shares else _Untouched(span, shared)
        shared._self_ours = ours
        self._call.adopt(ours, span)
        return shared


class _Client(wrapt.ObjectProxy):  # type: ignore[type-arg] # wrapt 1 has no types
    """The client from which the SDK's own operations, such as the run of a tool, take the tracer of their span."""

    def __init__(self, client: Any, tracer: _Tracer | None) -> None:
        super().__init__(client)
        self._self_tracer = tracer

    _tracer = property(attrgetter("_self_tracer"))


class _Shared(wrapt.ObjectProxy):  # type: ignore[type-arg] # wrapt 1 has no types
    """The SDK's span as the SDK uses it. It ends when the SDK and our call have both ended it.

    The SDK ends the span of a plain call before we receive the response, and that of a body that is read as bytes after us.
    """

    def __init__(self, span: Span, call: Call) -> None:
        super().__init__(span)
        self._self_call = call
        self._self_ours: Any = None
        self._self_left = False
        self._self_end_time: int | None = None

    def is_recording(self) -> bool:
        """Return whether the span is recording for the SDK, which has not ended it yet."""
        return self._self_end_time is None and self.__wrapped__.is_recording()

    def end(self, end_time: int | None = None) -> None:
        """Record the end by the SDK, and end the span unless our call still needs it."""
        if self._self_end_time is None:
            self._self_end_time = end_time or time_ns()
        if not self._self_finish():
            self.__wrapped__.end(self._self_end_time)

    @guarded
    def _self_finish(self) -> bool:
        """End the span, unless either side still needs it: the SDK until a plain call ends, our call once it has adopted it."""
        call = self._self_call
        needed_by_us = call.span is self._self_ours and not self._self_left
        needed_by_sdk = self._self_end_time is None and call.open
        if not needed_by_us and not needed_by_sdk and self.__wrapped__.is_recording():
            self.__wrapped__.end(self._self_end_time)
        return True


class _Ours(wrapt.ObjectProxy):  # type: ignore[type-arg] # wrapt 1 has no types
    """The same span as our call uses it: attributes and the status that the SDK has set stay unchanged."""

    def __init__(self, span: Span, shared: _Shared) -> None:
        super().__init__(span)
        self._self_shared = shared

    def set_attributes(self, attributes: Any) -> None:
        """Set the attributes that the span does not have yet."""
        present = getattr(self.__wrapped__, "attributes", None) or {}
        self.__wrapped__.set_attributes({name: value for name, value in attributes.items() if name not in present})

    def set_status(self, *_args: object, **_kwargs: object) -> None:
        """Do nothing: the SDK sets the status."""

    def end(self, _end_time: int | None = None) -> None:
        """Record the end by our call. Further calls do nothing."""
        self._self_shared._self_left = True
        self._self_shared._self_finish()


class _Untouched(NonRecordingSpan):
    """The same span where only the application's hooks use it, and we add nothing."""

    def __init__(self, span: Span, shared: _Shared) -> None:
        super().__init__(span.get_span_context())
        self._shared = shared

    def end(self, end_time: int | None = None) -> None:
        """Record that the hooks have run. Further calls do nothing."""
        self._shared._self_left = True
        self._shared._self_finish()

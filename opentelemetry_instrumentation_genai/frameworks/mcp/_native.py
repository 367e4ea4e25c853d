"""The SDK's own tracing: mcp 2 starts a span for each request, and writes the context of the trace into it.

Both are functions that a module of it calls by their names there. While a request of ours is sent, our span is in the place of the
SDK's. The context is written where the SDK would write one without us, and where the settings want it.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import wrapt
from opentelemetry import context as otel_context, trace

from ..._application.context_block import entered
from ..._runtime.guard import guarded, warn_once
from ._requests import McpRequest

if TYPE_CHECKING:
    from opentelemetry.context.context import Context

    from ..._patching.propagation import Propagation

_DISPATCHER = "mcp.shared.jsonrpc_dispatcher"  # new in mcp 2
_NO_PROVIDERS = (trace.ProxyTracerProvider, trace.NoOpTracerProvider)


class NativeTracing:
    """Replaces the SDK's own spans of requests that are followed.

    Args:
        propagation: the servers that receive the context of the trace; None if none does.
    """

    def __init__(self, propagation: Propagation | None) -> None:
        self._propagation = propagation
        self._patched: dict[str, tuple[Any, Any]] = {}
        self._active = True

    @property
    def writes(self) -> bool:
        """Return whether the SDK writes the context into requests by itself."""
        return bool(self._patched)

    def start(self) -> None:
        """Patch the functions of the SDK, if it has them."""
        module = sys.modules.get(_DISPATCHER)
        for name, wrapper in (("otel_span", self._span), ("inject_trace_context", self._inject)):
            original = None if module is None else vars(module).get(name)
            if original is not None:
                ours = wrapt.FunctionWrapper(original, wrapper)
                self._patched[name] = original, ours
                setattr(module, name, ours)
            elif module is not None:
                warn_once("This version of mcp makes spans of its own in an unknown way: its requests may have two.")

    def stop(self) -> None:
        """Restore the functions."""
        self._active = False
        module = sys.modules.get(_DISPATCHER)
        for name, (original, ours) in self._patched.items():
            if module is not None and vars(module).get(name) is ours:
                setattr(module, name, original)

    def _span(self, wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
        return (self._in_place(kwargs) if self._active else None) or wrapped(*args, **kwargs)

    @guarded
    def _in_place(self, kwargs: Any) -> Any:
        """Return what the SDK takes for its own span; None where it is to start one."""
        request = _sending()
        if request is None or not request.sending:
            return None
        request.sending, request.injecting = False, True
        request.identify((kwargs.get("attributes") or {}).get("jsonrpc.request.id"))
        return nullcontext(trace.NonRecordingSpan(request.span_context or trace.INVALID_SPAN_CONTEXT))

    def _inject(self, wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
        context = self._context()
        if context is None:
            return wrapped(*args, **kwargs)
        token = otel_context.attach(context)
        try:
            return wrapped(*args, **kwargs)
        finally:
            otel_context.detach(token)

    @guarded
    def _context(self) -> Context | None:
        """Return the context that the SDK is to write; None for the current one."""
        request = _sending()
        if request is None or not request.injecting:
            return None
        request.injecting = False
        if not isinstance(trace.get_tracer_provider(), _NO_PROVIDERS):
            return None  # the SDK would write that of its own span
        if request.propagates and self._propagation is not None and request.context is not None:
            return self._propagation.context(request.context)
        return request.outer


def _sending() -> McpRequest | None:
    """Return the request that the SDK is sending here."""
    request = next(iter(entered()), None)
    return request if isinstance(request, McpRequest) and request.context is not None else None

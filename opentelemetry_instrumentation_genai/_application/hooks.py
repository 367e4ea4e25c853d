"""Hooks: functions of the application, called with the span of a call at its start and at its end.

Hooks are the application's own code: they are given the request and the response, and run in the thread or task of the call.
An exception of a hook is logged once and does not affect the call. While a hook runs, the call's span is current, and calls of
models that the hook makes itself are not instrumented.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from inspect import iscoroutine
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from .._adapter.parts import left_out
from .._runtime.callables import entry_point, load, name_of
from .._runtime.errors import RefusedError
from .._runtime.guard import guarded, warn_once

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.trace import Span

    from .._call.request import Request

    Given: TypeAlias = Callable[..., object] | str | None
    Refuse: TypeAlias = Callable[[str, str, str], None]

_TRIES = (
    100  # to find a function while modules are imported: the import of a module that runs the application never ends
)


@dataclass(frozen=True)
class GenAIRequest:
    """A request as hooks are given it.

    Attributes:
        operation: `gen_ai.operation.name`.
        provider: `gen_ai.provider.name`, as far as it is known at the start.
        model: the model that the request names, if any.
        stream: whether the response is requested as a stream.
        server_address: host of the server, if known.
        server_port: port of the server, if known.
        body: the members of the request's body, by the names of the provider's API; for a request without a body, its parameters.
            Values may be the application's own objects: read them, do not change them.
    """

    operation: str
    provider: str
    model: str | None = None
    stream: bool = False
    server_address: str | None = None
    server_port: int | None = None
    body: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), repr=False)


class RequestHook(Protocol):
    """Called when a call starts, with the attributes on the span that are known by then."""

    def __call__(self, span: Span, request: GenAIRequest, /) -> object:
        """Add to the span.

        Args:
            span: the span of the call, whether it is recorded or not.
            request: the request.
        """


class ResponseHook(Protocol):
    """Called when a call ends, just before its span does, in the thread that ends it."""

    def __call__(self, span: Span, request: GenAIRequest, response: Any, /) -> object:
        """Add to the span.

        Args:
            span: the span of the call, whether it is recorded or not.
            request: the request.
            response: the SDK's object; JSON for a response that was read raw; for a stream, a dict of what was received of it,
                with those members of the plain response that telemetry reads, in which there may be the SDK's own objects; for a
                call that failed, the exception; None for a body that was not read.
        """


def hook_request(request: Request) -> GenAIRequest:
    """Return a request as hooks are given it. Lists are copied, since the application may change its own later."""
    body = {
        name: [*value] if type(value) is list else value for name, value in request.body.items() if not left_out(value)
    }
    return GenAIRequest(
        request.endpoint.kind.name,
        request.provider,
        request.endpoint.model(body),
        request.stream,
        request.server.host or None,
        request.server.port or None,
        MappingProxyType(body),
    )


class Callback:
    """A function of the application, which may fail.

    Args:
        setting: the name of the setting that gave it.
        given: the function, or `module:function`. The module is imported at the first call: when instrumentation starts, the
            application's modules may not be importable yet, nor the SDK that they import.
        refuse: called with the setting, the name and the reason if there is no such function.
    """

    def __init__(self, setting: str, given: Callable[..., object] | str, refuse: Refuse) -> None:
        self._setting = setting
        self._refuse = refuse
        self._name = given if isinstance(given, str) else name_of(given)
        self._function = None if isinstance(given, str) else given
        self._tries = 0

    def __call__(self, *args: object) -> object:
        """Call the function and return its result; None where it cannot be found, and where it raises."""
        try:
            function = self._function or self._found()
            answer = function(*args)
        except Exception as error:  # noqa: BLE001 - an error of the application's function must not fail the call
            warn_once("%s %s raised %s. The calls are not affected.", self._setting, self._name, type(error).__name__)
            return None
        if iscoroutine(answer):
            answer.close()
            warn_once("%s %s is asynchronous, and is not run.", self._setting, self._name)
            return None
        return answer

    def _found(self) -> Callable[..., object]:
        try:
            function = load(entry_point(self._name))
        except RefusedError as error:
            self._tries += 1
            if self._tries < _TRIES and _importing():
                return _nothing
            self._refuse(self._setting, self._name, str(error))
            function = _nothing
        self._function = function
        return function


def _importing() -> bool:
    """Return whether any module is being imported. If it makes a call, functions further down in it are not defined yet.

    Any module counts: the one that has the function may import from the one that makes the call.
    """
    specs = (getattr(module, "__spec__", None) for module in [*sys.modules.values()])
    return any(getattr(spec, "_initializing", False) for spec in specs)  # as Python itself checks for circular imports


def _nothing(*_args: object) -> None:
    """Replace a function that is not found."""


class Within(Protocol):
    """Runs a function while a call and its span are current."""

    def __call__(self, function: Callable[..., object], /, *args: object) -> None:
        """Run the function with these arguments."""


class Hooks:
    """The hooks of one instrumentor.

    Args:
        request: the request hook: a function, or `module:function`; None if there is none.
        response: the response hook, in the same form.
        refuse: called with the setting, the name and the reason if there is no such function.
    """

    def __init__(self, request: Given, response: Given, refuse: Refuse) -> None:
        self._request = None if request is None else Callback("request_hook", request, refuse)
        self._response = None if response is None else Callback("response_hook", response, refuse)

    @property
    def want_response(self) -> bool:
        """Return whether there is a response hook."""
        return self._response is not None

    @guarded
    def started(self, within: Within, span: Span, request: Request) -> GenAIRequest:
        """Run the request hook of a call that has started.

        Args:
            within: runs the hook while the call is current.
            span: the call's span, as its owner has it.
            request: the request of the call.

        Returns:
            The request as hooks are given it, for `ended`.
        """
        genai_request = hook_request(request)
        if self._request is not None:
            within(self._request, span, genai_request)
        return genai_request

    @guarded
    def ended(self, within: Within, span: Span, request: GenAIRequest, response: Any) -> None:
        """Run the response hook of a call that is about to end, with its response or its exception."""
        if self._response is not None:
            within(self._response, span, request, response)

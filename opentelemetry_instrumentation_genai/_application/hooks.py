"""Hooks: the application's own functions, called with the span of a call at its start and at its end.

They are the application's code, see what it sent and got, and run where the call does. What they raise is said once, and kept
from the call. While one runs the call's span is current, and calls of models that it makes itself are not reported.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from inspect import iscoroutine
from pkgutil import resolve_name
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from .._adapter.fields import string
from .._adapter.parts import left_out
from .._guard import guarded, say_once

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.trace import Span

    from .._adapter.operation import Request

    Given: TypeAlias = Callable[..., Any] | str | None
    Refuse: TypeAlias = Callable[[str, str, str], None]

_TRIES = 100  # to find a function while modules are imported: what runs in a module to its end is imported for ever


@dataclass(frozen=True)
class GenAIRequest:
    """A request as a hook sees it.

    Attributes:
        operation: `gen_ai.operation.name`.
        provider: `gen_ai.provider.name`, as far as it is known at the start.
        model: the model that is asked for, if the request names one.
        stream: whether the response was asked for as a stream.
        server_address: host of the server, if known.
        server_port: port of the server, if known.
        body: what is sent, by the names of the provider's API; of a request without a body, its parameters. What is in it may be
            the application's own objects: they are to be read, not changed.
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
            request: what is asked.
        """


class ResponseHook(Protocol):
    """Called when a call ends, just before its span does, in the thread that ends it."""

    def __call__(self, span: Span, request: GenAIRequest, response: Any, /) -> object:
        """Add to the span.

        Args:
            span: the span of the call, whether it is recorded or not.
            request: what was asked.
            response: what came: the SDK's object; JSON for what was read raw; for a stream a dict of what was received of it,
                with those members of the plain response that telemetry reads, in which there may be the SDK's own objects; the
                exception of a call that failed; None for a body that nobody read.
        """


def hook_request(request: Request) -> GenAIRequest:
    """A request as a hook sees it. The application may go on with a list that it gave, so lists are copied."""
    body = {
        name: [*value] if type(value) is list else value for name, value in request.body.items() if not left_out(value)
    }
    return GenAIRequest(
        request.operation.name,
        request.provider,
        string(body.get("model")),
        request.stream,
        request.address,
        request.port,
        MappingProxyType(body),
    )


class Callback:
    """A function of the application's, which may fail.

    Args:
        setting: which one gave it.
        given: the function, or where it is, as `module:function`. That is imported at the first call: when instrumentation
            starts, the application's modules may not be there to be imported, nor the SDK that they import.
        refuse: called with the setting, the name and the reason, where there is no such function.
    """

    def __init__(self, setting: str, given: Callable[..., Any] | str, refuse: Refuse) -> None:
        self._setting = setting
        self._refuse = refuse
        self._name = given if isinstance(given, str) else getattr(given, "__qualname__", type(given).__qualname__)
        self._function = None if isinstance(given, str) else given
        self._tries = 0

    def __call__(self, *args: Any) -> Any:
        """What the function returns; None where it cannot be found, and where it raises."""
        try:
            function = self._function or self._found()
            answer = function(*args)
        except Exception as error:  # noqa: BLE001 - it is the application's; the call is not to fail with it
            say_once("%s %s raised %s. The calls are not affected.", self._setting, self._name, type(error).__name__)
            return None
        if iscoroutine(answer):
            answer.close()
            say_once("%s %s is asynchronous, and is not run.", self._setting, self._name)
            return None
        return answer

    def _found(self) -> Callable[..., Any]:
        found: Any = None
        why = "it cannot be called"
        try:
            found = resolve_name(self._name)
        except Exception as error:  # noqa: BLE001 - importing a module can raise anything
            why = type(error).__name__
        if not callable(found):
            self._tries += 1
            if self._tries < _TRIES and _importing():
                return _nothing
            self._refuse(self._setting, self._name, why)
            found = _nothing
        function: Callable[..., Any] = found
        self._function = function
        return function


def _importing() -> bool:
    """Whether modules are being imported. A call that one of them makes comes before what stands further down in it.

    Any of them: the module of a function that is named may import from the one that makes the call.
    """
    specs = (getattr(module, "__spec__", None) for module in [*sys.modules.values()])
    return any(getattr(spec, "_initializing", False) for spec in specs)  # as Python's own messages ask it


def _nothing(*_args: Any) -> None:
    """In the place of a function that is not there."""


class Within(Protocol):
    """Runs a function while a call and its span are current."""

    def __call__(self, function: Callable[..., object], /, *args: Any) -> None:
        """Run it."""


class Hooks:
    """The hooks of one instrumentor.

    Args:
        request: that of the request: a function, or where it is; None if there is none.
        response: likewise, of the response.
        refuse: called with the setting, the name and the reason, where there is no such function.
    """

    def __init__(self, request: Given, response: Given, refuse: Refuse) -> None:
        self._request = None if request is None else Callback("request_hook", request, refuse)
        self._response = None if response is None else Callback("response_hook", response, refuse)

    @property
    def want_response(self) -> bool:
        """Whether a hook is given the response."""
        return self._response is not None

    @guarded
    def started(self, within: Within, span: Span, request: Request) -> GenAIRequest:
        """A call has started.

        Args:
            within: runs the hook while the call is current.
            span: the call's span, as its owner has it.
            request: what is asked.

        Returns:
            What `ended` wants.
        """
        told = hook_request(request)
        if self._request is not None:
            within(self._request, span, told)
        return told

    @guarded
    def ended(self, within: Within, span: Span, request: GenAIRequest, response: Any) -> None:
        """A call is about to end, with its response or its exception."""
        if self._response is not None:
            within(self._response, span, request, response)

"""Automatic function calling: each function that the SDK calls because the model asked for it is the execution of a tool.

The model calls around it are followed by the seam. Tools of MCP servers are calls of the `mcp` SDK, and not followed here.
"""

from __future__ import annotations

import inspect
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from ..._adapter.fields import string
from ..._operations.endpoints import TOOL
from ..._operations.framework_run import FrameworkRun, async_recorded, recorded
from ..._operations.operation import reads_input
from ..._runtime.guard import guarded
from ..._signals.application import used_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextvars import Token

_FAILED = "FunctionInvocationError"  # the SDK raises it in place of what a function has raised

# (name, id) of the functions that a response calls, in the order in which the SDK runs them; each is taken out when it runs.
_calls: ContextVar[list[tuple[Any, Any]] | None] = ContextVar("opentelemetry_instrumentation_genai.calls", default=None)


class Functions:
    """Follows the functions of one instrumentor.

    Args:
        owner: the instrumentor; its settings count.
    """

    def __init__(self, owner: object) -> None:
        self._owner = owner

    def targets(self) -> Iterable[tuple[str, Callable[..., object]]]:
        """Return the (function, wrapper) rows of the SDK's module."""
        return (
            ("get_function_response_parts", self._respond),
            ("get_function_response_parts_async", self._async_respond),
            ("invoke_function_from_dict_args", recorded(self._run, _FunctionRun.finished)),
            ("invoke_function_from_dict_args_async", async_recorded(self._run, _FunctionRun.finished)),
        )

    def _respond(self, wrapped: Any, _module: Any, args: Any, kwargs: Any) -> Any:
        token = _calls.set(self._called(args, kwargs))
        try:
            return wrapped(*args, **kwargs)
        finally:
            _reset(token)

    async def _async_respond(self, wrapped: Any, _module: Any, args: Any, kwargs: Any) -> Any:
        token = _calls.set(self._called(args, kwargs))
        try:
            return await wrapped(*args, **kwargs)
        finally:
            _reset(token)

    @guarded
    def _called(self, args: Any, kwargs: Any) -> list[tuple[Any, Any]] | None:
        """Return the names and ids of the functions that a response calls; None where they are not followed."""
        if used_by(self._owner) is None:
            return None
        response = args[0] if args else kwargs["response"]
        candidates = response.candidates
        content = candidates[0].content if candidates else None
        calls = [part.function_call for part in (content and content.parts) or () if part.function_call]
        return [(call.name, call.id) for call in calls]

    @guarded
    def _run(self, args: Any, kwargs: Any) -> _FunctionRun | None:
        """Return the run of a function; None where it is not followed."""
        used = used_by(self._owner)
        if used is None:
            return None
        given = args[0] if args else kwargs["args"]
        function = args[1] if len(args) > 1 else kwargs["function_to_invoke"]
        name, documentation = function.__name__, function.__doc__
        about = {"type": "function", "name": name, "call_id": _taken(name)}
        if isinstance(documentation, str):
            about["description"] = inspect.cleandoc(documentation)
        if reads_input(TOOL, used):
            about["arguments"] = given
        return _FunctionRun(TOOL, about, used)


@guarded
def _reset(token: Token[list[tuple[Any, Any]] | None]) -> None:
    with suppress(ValueError):  # of a coroutine that is closed in another context, which has nothing to restore
        _calls.reset(token)


def _taken(name: str) -> str | None:
    """Take the next call of a function out of those of the response, and return its id."""
    calls = _calls.get() or []
    while calls:
        called, identity = calls.pop(0)
        if called == name:
            return string(identity)
    return None


class _FunctionRun(FrameworkRun):
    """One run of a function. It fails with what the function has raised, which the SDK gives to the model as a text."""

    @guarded
    def _end(self, error: BaseException | None) -> None:
        cause = None if error is None or type(error).__name__ != _FAILED else error.__context__
        super()._end(error if cause is None else cause)

"""The guards: an exception of ours is logged and dropped here, and never reaches the application.

The SDK and the application enter our code through few functions: the wrappers of `_patching/seam`, and, while a response is read,
those of `_stream/body`, `_stream/followed` and `_patching/event_streams`. What these call is guarded. An error is logged once for each
place and type, without its message, which may quote content of the call.

All that is logged or printed is made safe here: an escape sequence can rewrite what a terminal shows, a newline forges a line of a log,
an override of the writing direction turns what is read around.
"""

from __future__ import annotations

import functools
import logging
from contextlib import suppress
from inspect import CO_VARARGS
from types import FunctionType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast
from unicodedata import category

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

_P = ParamSpec("_P")
_T = TypeVar("_T")

_LONGEST = 4096  # characters that a log line has of one value
# Letters and marks that nothing is seen of, beside the format characters.
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")

_logger = logging.getLogger(__name__.partition(".")[0])
_reported: set[tuple[str, str]] = set()
_MOST = 1000

strict = False
"""The test suite sets it: what would be logged is raised instead."""


def guarded(function: Callable[_P, _T]) -> Callable[_P, _T | None]:
    """Return a wrapper of `function` that lets no `Exception` escape.

    Args:
        function: a step of building telemetry.

    Returns:
        A function of the same parameters, taken by position, which returns None where `function` failed.
    """
    return cast("Callable[_P, _T | None]", functools.wraps(function)(_guard_of(function)(function)))


def _guard_of(function: Any) -> Callable[[Any], Any]:
    """Return what makes the wrapper of a function, by the number of its parameters."""
    if type(function) is not FunctionType or function.__defaults__ or function.__code__.co_flags & CO_VARARGS:
        return _guarded
    return _BY_PARAMETERS.get(function.__code__.co_argcount, _guarded)


def _guarded(function: Any) -> Any:
    def safe(*args: Any) -> Any:  # keywords would cost a dictionary for each call
        try:
            return function(*args)
        except Exception as error:  # noqa: BLE001 - this is the guard
            report(function.__qualname__, error)

    return safe


# With as many parameters as the function has, the wrapper costs half as much, and some run for every chunk.
def _guarded_one(function: Any) -> Any:
    def safe(one: Any) -> Any:
        try:
            return function(one)
        except Exception as error:  # noqa: BLE001 - as above
            report(function.__qualname__, error)

    return safe


def _guarded_two(function: Any) -> Any:
    def safe(one: Any, two: Any) -> Any:
        try:
            return function(one, two)
        except Exception as error:  # noqa: BLE001 - as above
            report(function.__qualname__, error)

    return safe


def _guarded_three(function: Any) -> Any:
    def safe(one: Any, two: Any, three: Any) -> Any:
        try:
            return function(one, two, three)
        except Exception as error:  # noqa: BLE001 - as above
            report(function.__qualname__, error)

    return safe


_BY_PARAMETERS = {1: _guarded_one, 2: _guarded_two, 3: _guarded_three}


def observed(step: Callable[[Any, Any], object]) -> Callable[..., object]:
    """Return a wrapper, as wrapt calls it, that looks at the arguments of a method before it runs.

    Args:
        step: called with the instance and the keyword arguments. What it raises is dropped.
    """
    look = guarded(step)

    @functools.wraps(step)
    def wrapper(
        wrapped: Callable[..., object], instance: object, args: tuple[object, ...], kwargs: dict[str, object]
    ) -> object:
        look(args[0] if instance is None else instance, kwargs)
        return wrapped(*args, **kwargs)

    return wrapper


def transformed(step: Callable[[Any, Any], object]) -> Callable[..., object]:
    """Return a wrapper, as wrapt calls it, that replaces the result of a method.

    Args:
        step: called with what the method returned and the instance. Where it raises, the result stays as it is.
    """
    replace = guarded(step)

    @functools.wraps(step)
    def wrapper(
        wrapped: Callable[..., object], instance: object, args: tuple[object, ...], kwargs: dict[str, object]
    ) -> object:
        result = wrapped(*args, **kwargs)
        replaced = replace(result, instance)
        return result if replaced is None else replaced

    return wrapper


def async_transformed(step: Callable[[Any, Any], object]) -> Callable[..., Awaitable[object]]:
    """Return a wrapper as `transformed` does, for a method that is a coroutine function."""
    replace = guarded(step)

    @functools.wraps(step)
    async def wrapper(
        wrapped: Callable[..., Awaitable[object]], instance: object, args: tuple[object, ...], kwargs: dict[str, object]
    ) -> object:
        result = await wrapped(*args, **kwargs)
        replaced = replace(result, instance)
        return result if replaced is None else replaced

    return wrapper


def warn_once(message: str, *args: object) -> None:
    """Log a warning that the user can act on, the first time only, and at most 1000 different ones.

    What the application's logging raises does not reach the call.

    Args:
        message: a text with `%s` places, and no content of any call.
        args: what goes into the places.
    """
    with suppress(Exception):
        key = (message, repr(args))
        if key not in _reported and len(_reported) < _MOST:
            _reported.add(key)
            _logger.warning(message, *map(loggable, args))


def logs_info() -> bool:
    """Return whether the level INFO is logged."""
    return _logger.isEnabledFor(logging.INFO)


def log_info(message: str, *args: object) -> None:
    """Log how something was set up, at level INFO.

    Args:
        message: a text with `%s` places, and no content of any call.
        args: what goes into the places.
    """
    with suppress(Exception):
        _logger.info(message, *map(loggable, args))


def report(place: str, error: Exception) -> None:
    """Log a failure of our own, once for each place and type; in the test suite, raise it.

    Args:
        place: the name of the function that failed.
        error: what it raised. Its message is omitted, because it may quote content of the call.
    """
    if strict:
        raise error
    with suppress(Exception):
        name, line = _innermost(error.__traceback__)
        warn_once(
            "%s in %s (%s line %s): the telemetry of such calls is incomplete, the calls are not affected. Please report this.",
            type(error).__name__,
            place,
            name,
            line,
        )


def _innermost(trace: TracebackType | None) -> tuple[str, int]:
    """Return where an exception was raised. The traceback is not formatted: that would read source files."""
    name, line = "?", 0
    while trace is not None:
        name, line, trace = trace.tb_frame.f_code.co_name, trace.tb_lineno, trace.tb_next
    return name, line


def printable(text: str) -> str:
    r"""Return a text in which control, format and invisible characters are shown as escapes, such as `\x1b`, `\n` and `\u202e`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join([character if _is_seen(character) else _escape(character) for character in text])


def loggable(value: object) -> object:
    """Return a value that goes into a log line: a number unchanged, anything else as a printable text."""
    return value if isinstance(value, (int, float)) else printable(str(value)[:_LONGEST])


def _is_seen(character: str) -> bool:
    return (character.isprintable() or category(character) == "Zs") and character not in _UNSEEN


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")

"""The only place that catches `Exception`: telemetry that fails is dropped, the application's call is not.

An error is logged once for each place and type. Its message is left out, because it may quote what the call said.
"""

from __future__ import annotations

import functools
import logging
import traceback
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from ._printable import loggable

if TYPE_CHECKING:
    from collections.abc import Callable

_P = ParamSpec("_P")
_S = TypeVar("_S")
_T = TypeVar("_T")

_logger = logging.getLogger(__package__)
_reported: set[tuple[str, str]] = set()
_MOST = 1000

strict = False
"""The test suite sets it: what would be logged is raised instead."""


def guarded(function: Callable[_P, _T]) -> Callable[_P, _T | None]:
    """Give `function` such a form that no `Exception` leaves it.

    Args:
        function: a step of building telemetry.

    Returns:
        A function of the same parameters, taken by position, which returns None where `function` failed.
    """

    @functools.wraps(function)
    def safe(*args: Any) -> _T | None:  # keywords would cost a dictionary for each call
        try:
            return function(*args)  # type: ignore[call-arg]
        except Exception as error:
            if strict:
                raise
            _report(function.__qualname__, error)
            return None

    return cast("Callable[_P, _T | None]", safe)


def guarded_step(method: Callable[[_S, _T], None]) -> Callable[[_S, _T], None]:
    """`guarded` for a method of one argument that is called for every chunk of a stream: it costs half as much."""

    @functools.wraps(method)
    def safe(self: _S, value: _T) -> None:
        try:
            method(self, value)
        except Exception as error:
            if strict:
                raise
            _report(method.__qualname__, error)

    return safe


def say_once(message: str, *args: object) -> None:
    """Log a warning that the user can act on, the first time only; so many in all, whatever applications may put into them.

    Args:
        message: a text with `%s` places, and no content of any call.
        args: what goes into the places.
    """
    key = (message, repr(args))
    if key not in _reported and len(_reported) < _MOST:
        _reported.add(key)
        _logger.warning(message, *map(loggable, args))


def note(message: str, *args: object) -> None:
    """Log how something was set up, at level INFO.

    Args:
        message: likewise.
        args: likewise.
    """
    _logger.info(message, *map(loggable, args))


def _report(place: str, error: Exception) -> None:
    frames = traceback.extract_tb(error.__traceback__)
    say_once(
        "%s in %s (%s line %s): the telemetry of such calls is incomplete, the calls are not affected. Please report this.",
        type(error).__name__,
        place,
        frames[-1].name,
        frames[-1].lineno,
    )

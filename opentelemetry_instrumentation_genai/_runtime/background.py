"""Objects that may take long to make: made in a thread of their own at the first call, never while the application imports.

A store may not respond, a third-party module may do anything, and a price list is large. Neither an import nor a call waits for
them: what is not ready yet is skipped by the calls that end before.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import partial
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING, Generic, TypeVar

from opentelemetry.instrumentation.utils import suppress_instrumentation

from . import lifetime

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")


class UnavailableError(Exception):
    """It cannot be made; the reason has been logged."""


class _Making(Generic[_T]):
    """The making of it in one process. Calls read its attributes, without a lock: a fork could leave that taken."""

    def __init__(self) -> None:
        self.since = monotonic()
        self.made: _T | None = None
        self.error: BaseException | None = None
        self.over = Event()


class Background(Generic[_T]):
    """Something that is made in the background, once in each process: a connection does not survive a fork.

    Args:
        make: makes it; may take any time.
        failed: called with what `make` raises, if that is no `UnavailableError`.
        made: the thing itself, where there is nothing to make.
    """

    def __init__(
        self, make: Callable[[], _T], failed: Callable[[BaseException], object], made: _T | None = None
    ) -> None:
        self._make = make
        self._failed = failed
        self._given = made
        self._makings: dict[int, _Making[_T]] = {}  # by the forks before it
        self._at_exit: tuple[float, Callable[[float], object]] | None = None

    def wait_at_exit(self, seconds: float, waited: Callable[[float], object]) -> None:
        """Register that the process waits for it at its end, while threads can still be started, as an import or a connection may want to.

        Args:
            seconds: how long at most.
            waited: called with the seconds that have been waited.
        """
        self._at_exit = seconds, waited

    def begin(self) -> bool:
        """Start to make it, if that has not been started. Does not block.

        Returns:
            False if it is known that it cannot be made.
        """
        if self._given is not None:
            return True
        making = self._makings.get(lifetime.forks) or self._start()
        return making.error is None

    def _start(self) -> _Making[_T]:
        ours: _Making[_T] = _Making()
        making = self._makings.setdefault(lifetime.forks, ours)  # another thread may have been faster
        if making is ours:
            thread = Thread(target=self._fill, args=(ours,), name="opentelemetry-genai-background", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:  # the process is too near to its end
                ours.error = error
                ours.over.set()
            else:
                self._register(ours)
        return making

    def _register(self, making: _Making[_T]) -> None:
        """Register a function to run at exit before Python stops starting threads, unlike those of `atexit`."""
        register = getattr(threading, "_register_atexit", None)
        if self._at_exit is not None and register is not None:
            with suppress(RuntimeError):  # the process ends already
                register(partial(_wait, making.over, *self._at_exit))

    def _fill(self, making: _Making[_T]) -> None:
        try:
            with suppress_instrumentation():
                making.made = self._make()
        except BaseException as error:  # noqa: BLE001 - raised to the threads that wait for it
            if not isinstance(error, UnavailableError):
                self._failed(error)
            making.error = error
        finally:
            making.over.set()

    def known(self) -> _T | None:
        """Return it if it is there, in the child of a fork also that of the parent; never waits."""
        if self._given is not None:
            return self._given
        made = (making.made for making in reversed([*self._makings.values()]))
        return next((one for one in made if one is not None), None)

    def seconds(self) -> float:
        """Return for how long it has been in the making; 0 if it is not being made."""
        making = self._makings.get(lifetime.forks)
        return 0.0 if making is None or making.over.is_set() else monotonic() - making.since

    def result(self) -> _T:
        """Return it, as soon as it is there: for threads of ours that have nothing else to do.

        Raises:
            BaseException: it cannot be made.
        """
        if self._given is not None:
            return self._given
        making = self._makings.get(lifetime.forks) or self._start()
        making.over.wait()
        if making.made is None:
            raise making.error or UnavailableError
        return making.made


def _wait(over: Event, seconds: float, waited: Callable[[float], object]) -> None:
    since = monotonic()
    over.wait(seconds)
    waited(monotonic() - since)

"""What outlasts a call: the forks of the process, its exit, and the one thread that ends the calls a finalizer has found.

A finalizer runs in whatever thread the garbage collector interrupts, between any two of its instructions, so also where that
thread holds a lock of a span processor, a log handler or a hook. Telemetry that wanted the same lock would wait for ever.
"""

from __future__ import annotations

import _thread
import os
import sys
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from .guard import guarded

if TYPE_CHECKING:
    from collections.abc import Callable

_pending: deque[Callable[[], object]] = deque()
_working = _thread.allocate_lock()
forks = 0
"""How many forks lie between this process and the one that imported this module. Read as `lifetime.forks`: it changes."""


def finish_later(end: Callable[[], object]) -> None:
    """Queue `end` for the finisher thread. Never waits, and never takes a lock that could be held: for use in finalizers.

    Args:
        end: ends a call. What is still pending when the process exits is called by `finish_pending`.
    """
    _pending.append(end)
    _start()


def finish_pending(seconds: float = 5.0) -> None:
    """Wait until the calls that are pending have ended.

    Args:
        seconds: how long to wait for the finisher thread at most.
    """
    _finish_all()
    if _working.acquire(timeout=seconds):
        _working.release()


def _start() -> None:
    """Start the finisher thread, unless it runs. It ends when nothing is pending: a thread that waits would block gevent's hub."""
    if sys.is_finalizing() or _working.locked():
        return
    with suppress(RuntimeError):  # no thread can be started any more: `finish_pending` is called at exit
        _thread.start_new_thread(_work, ())


def _work() -> None:
    if not _working.acquire(blocking=False):  # two were started at the same time
        return
    try:
        _finish_all()
    finally:
        _working.release()
    if _pending:  # it came after the last look, and found the lock taken
        _start()


def _finish_all() -> None:
    while _pending:
        _finish_next()


@guarded
def _finish_next() -> None:
    try:
        end = _pending.popleft()
    except IndexError:  # another thread was faster
        return
    end()


def _forked() -> None:
    """Forget what is pending: those are calls of the parent, and its thread is not here."""
    global forks, _working  # noqa: PLW0603 - a process has one of each
    forks += 1
    _pending.clear()
    _working = _thread.allocate_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)

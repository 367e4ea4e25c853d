"""A bounded queue between calls and slow work, processed by daemon threads, and flushed at exit.

Adding an entry never blocks, and is safe wherever a call can end: in any thread, in a signal handler, and in the garbage
collector during another `put` of the same thread, which is why the lock is reentrant.

What may wait is looked up when the first entry comes. gevent replaces it in `queue` and `threading`, often after this module was
imported, as in a worker of gunicorn: the originals would stop all of its greenlets.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from contextlib import suppress
from queue import Empty
from threading import RLock, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import WeakSet

from ..._runtime.guard import guarded

if TYPE_CHECKING:
    from collections.abc import Callable
    from queue import SimpleQueue

_T = TypeVar("_T")
_END: Any = object()
_GLANCE = 0.1  # seconds: two that flush at once could take each other's tokens
_queues: WeakSet[Queue[Any]] = WeakSet()


class Queue(Generic[_T]):
    """A queue, and the threads that process it.

    Args:
        work: what is done with each entry. It raises nothing.
        entries: how many may wait.
        size: how many bytes they may have together.
        seconds: how long a flush may take.
        workers: how many threads there may be. They start when there is work.
        lost: called at exit with the number of entries that were not processed.
    """

    def __init__(
        self,
        work: Callable[[_T], object],
        *,
        entries: int,
        size: int,
        seconds: float,
        workers: int = 1,
        lost: Callable[[int], object] = lambda _number: None,
    ) -> None:
        self._work = work
        self._entries = entries
        self._size = size
        self._seconds = seconds
        self._workers = workers
        self._lost = lost
        self._closed = self._registered = False
        self._until: float | None = None
        self._spent = 0.0
        self._begin()
        _queues.add(self)

    def _begin(self) -> None:
        self._made: dict[str, SimpleQueue[Any]] = {}
        self._lock = RLock()
        self._inside: set[int] = set()
        self._bytes = self._unfinished = self._threads = self._flushing = 0

    @property
    def _waiting(self) -> SimpleQueue[tuple[_T, int]]:
        """The entries that wait."""
        return self._queue("waiting")

    @property
    def _done(self) -> SimpleQueue[None]:
        """A token for each entry that was processed during a flush."""
        return self._queue("done")

    def _queue(self, name: str) -> SimpleQueue[Any]:
        """Return a queue, made at its first use; of two threads that make it, both get the same."""
        if name not in self._made:
            from queue import SimpleQueue

            self._made.setdefault(name, SimpleQueue())
        return self._made[name]

    def full(self, size: int) -> bool:
        """Return whether there is no room for an entry of so many bytes."""
        return self._waiting.qsize() >= self._entries or self._bytes + size > self._size

    def put(self, entry: _T, size: int) -> bool:
        """Add an entry of so many bytes; return False if there is no room."""
        with self._lock:
            if self.full(size):
                return False
            self._bytes += size
            self._unfinished += 1
        self._waiting.put((entry, size))
        with self._lock:
            wanted = self._threads < self._workers and self._unfinished > self._threads
            if wanted:
                self._threads += 1
        if wanted:
            self._start()
        if self._until is not None:
            self.flush()
        return True

    def _start(self) -> None:
        """Start a thread. If the process ends, none can be started, and the flush does the work."""
        _register_at_exit(self)
        thread = Thread(target=self._run, args=(self._waiting,), name="opentelemetry-genai-hook", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            with self._lock:
                self._threads -= 1

    def _run(self, waiting: SimpleQueue[tuple[_T, int]]) -> None:
        end_received = False
        while not (self._closed and self._ends(end_received)):
            try:
                entry = waiting.get(timeout=_GLANCE if self._closed else None)
            except Empty:  # another thread was faster
                continue
            end_received = entry is _END
            if not end_received:
                self._take(*entry)

    def _ends(self, end_received: bool) -> bool:
        """Return whether a thread may end after the queue was closed: another thread is there, or no entry waits.

        Args:
            end_received: whether the thread has taken an end marker from the queue.
        """
        with self._lock:
            ends = (end_received and self._threads > 1) or not self._waiting.qsize()
            self._threads -= ends
        return ends

    def _take(self, entry: _T, size: int) -> None:
        self._inside.add(threading.get_ident())
        try:
            self._work(entry)
        finally:
            self._inside.discard(threading.get_ident())
            with self._lock:
                self._bytes -= size
                self._unfinished -= 1
            if self._flushing:
                self._done.put(None)

    def flush(self) -> int:
        """Wait until all entries are processed, or the time for that is over; after the exit there is no more time.

        Returns:
            How many entries are left.
        """
        if threading.get_ident() in self._inside:  # it would wait for itself
            return self._unfinished
        until = self._until or monotonic() + self._seconds
        with self._lock:
            self._flushing += 1
        try:
            while self._unfinished > 0 and (left := until - monotonic()) > 0:
                if self._threads:
                    with suppress(Empty):
                        self._done.get(timeout=min(left, _GLANCE))
                else:
                    self._work_here()
        finally:
            with self._lock:
                self._flushing -= 1
        return self._unfinished

    def _work_here(self) -> None:
        """Process one entry in this thread, because there is no other."""
        with suppress(Empty):
            entry = self._waiting.get_nowait()
            if entry is not _END:
                self._take(*entry)

    def close(self) -> None:
        """Flush the queue, and let its threads end. Entries that are added later are still processed."""
        self.flush()
        self._closed = True
        for _ in range(self._threads):
            self._waiting.put(_END)

    def spend(self, seconds: float) -> None:
        """Set the seconds of its time at exit that are already over."""
        self._spent = seconds

    def exit(self, now: float) -> None:
        """Flush the queue, because the process ends.

        Args:
            now: when the exit began. The time of all queues counts from then, and is not added up.
        """
        if self._until is None:
            self._until = now + self._seconds - self._spent
            left = self.flush()
            if left:
                self._lost(left)


def _register_at_exit(queue: Queue[Any]) -> None:
    """Register the flush of the queues, to run before the shutdown of the providers, which were registered earlier.

    Before Python 3.14, children of `multiprocessing` run no `atexit`.
    """
    if queue._registered:
        return
    queue._registered = True
    atexit.register(_exit)
    multiprocessing: Any = sys.modules.get("multiprocessing.util")
    if multiprocessing is not None and sys.modules["multiprocessing"].parent_process() is not None:
        multiprocessing.Finalize(None, _exit, exitpriority=0)


@guarded
def _exit() -> None:
    """Flush all; a call that ends only after this, such as a stream that is held open, waits for its hook."""
    now = monotonic()
    for queue in list(_queues):
        queue.exit(now)


def _forked() -> None:
    """Drop in a child process what waits: it belongs to the parent, and the worker threads are not copied."""
    for queue in list(_queues):
        queue._begin()
        queue._registered = False


atexit.register(_exit)  # for what comes only when the process ends: then it is too late to register
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)

"""The queue before a completion hook: its bounds, its threads, and calls that end in the middle of another's `put`."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from opentelemetry_instrumentation_genai._content.completion_hook.queue import Queue

NAME = "opentelemetry-genai-hook"


@pytest.fixture
def queue():
    """Makes a queue, which is closed after the test; whatever is stuck in it goes on then."""
    opened: list[Queue[Any]] = []
    stuck = threading.Event()

    def make(work: Any, **settings: Any) -> Queue[Any]:
        opened.append(Queue(work, **({"entries": 10, "size": 100, "seconds": 10} | settings)))
        return opened[-1]

    make.stuck = stuck
    yield make
    stuck.set()
    for one in opened:
        one.close()
    for thread in threading.enumerate():
        if thread.name == NAME:
            thread.join(10)
    assert [] == [thread for thread in threading.enumerate() if thread.name == NAME]


def test_in_order(queue):
    """One thread does what was put, in its order, and a flush waits for all of it."""
    done: list[int] = []
    numbers = queue(done.append)

    assert [True] * 10 == [numbers.put(number, 1) for number in range(10)]
    assert 0 == numbers.flush()
    assert [*range(10)] == done


def test_workers(queue):
    """As many threads as there is work for, up to their number, work at the same time."""
    together = threading.Barrier(4, timeout=10)
    pairs = queue(lambda _entry: together.wait(), workers=3)

    for _ in range(3):
        pairs.put(None, 1)
    together.wait()  # the fourth

    assert 0 == pairs.flush()
    assert 3 == len([thread for thread in threading.enumerate() if thread.name == NAME])


@pytest.mark.parametrize(("bounds", "fit"), [({"entries": 3}, 4), ({"size": 30}, 3), ({"size": 9}, 0)])
def test_bounds(queue, bounds, fit):
    """What is being done takes no place of what waits, but its bytes count until it is done."""
    begun = threading.Event()

    def work(_entry: Any) -> None:
        begun.set()
        queue.stuck.wait(10)

    bounded = queue(work, **bounds)
    first = bounded.put(None, 10)

    if first:
        assert begun.wait(10)
    assert fit == first + sum(bounded.put(None, 10) for _ in range(9))


def test_a_flush_ends_in_time(queue):
    """It says how much is left."""
    slow = queue(lambda _entry: queue.stuck.wait(10), seconds=0.01)
    slow.put(None, 1)
    slow.put(None, 1)

    assert 2 == slow.flush()


class Reentering(int):
    """A size that puts something more when it is added, as the garbage collector can within any step."""

    queue: Queue[str] | None

    def __radd__(self, other: int) -> int:
        """Add, and put."""
        queue, self.queue = self.queue, None
        if queue is not None:
            assert queue.put("inner", 1)
        return other + int(self)


def test_a_call_that_ends_in_the_middle_of_another(queue):
    """The same thread puts while it puts: neither waits for the other."""
    done: list[str] = []
    reentered = queue(done.append)
    size = Reentering(1)
    size.queue = reentered

    assert reentered.put("outer", size)
    assert 0 == reentered.flush()
    assert ["inner", "outer"] == done


def test_after_it_was_closed(queue):
    """What comes late is done all the same, by a thread that ends with it."""
    done: list[int] = []
    late = queue(done.append, workers=3)
    late.put(1, 1)
    late.close()

    for number in range(2, 7):
        late.put(number, 1)

    assert 0 == late.flush()
    assert [1, 2, 3, 4, 5, 6] == sorted(done)

"""Links from the spans that ask for a task of the server, such as a background response or a batch, to the span that created it."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from .._call.observer import Observer
from .._conventions.names import SERVER_ADDRESS, SERVER_PORT

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext

    from .._adapter.fields import Attribute
    from .._call.outcome import Outcome
    from .._call.request import Request
    from .._call.state import CallState

_MOST = 4096  # tasks that are remembered, about 1 MiB


class Task(NamedTuple):
    """Something that a server does after the call that asked for it.

    Attributes:
        address: of the server.
        port: of the server.
        identity: its id there.
    """

    address: Attribute | None
    port: Attribute | None
    identity: Attribute


class Creators:
    """The spans that created the latest tasks of this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._spans: OrderedDict[Task, SpanContext] = OrderedDict()

    def add(self, task: Task, span: SpanContext) -> None:
        """Remember the span that created a task."""
        with self._lock:
            self._spans[task] = span
            if len(self._spans) > _MOST:
                self._spans.popitem(last=False)

    def of(self, task: Task) -> SpanContext | None:
        """Return the span that created a task; None if that was in another process, or too many tasks ago."""
        return self._spans.get(task)


class TaskLink(Observer):
    """Links one call to the creator of its task, or remembers it as the creator.

    Args:
        call: the call, of an endpoint with a `task`.
        creators: of the tasks so far.
    """

    __slots__ = ("_call", "_creators")

    def __init__(self, call: CallState, creators: Creators) -> None:
        self._call = call
        self._creators = creators

    def started(self, request: Request) -> None:
        """Link to the creator, if the request names a task that has one."""
        task = self._task(self._call.attributes)
        creator = None if task is None else self._creators.of(task)
        if creator is not None:
            self._call.span.add_link(creator)

    def ended(self, outcome: Outcome) -> None:
        """Remember the call, if it has created a task."""
        creates, span = self._call.endpoint.creates_task, self._call.span.get_span_context()
        if creates is None or not span.is_valid or not creates(outcome.response):
            return
        task = self._task(outcome.attributes)
        if task is not None:
            self._creators.add(task, span)

    def _task(self, attributes: dict[str, Attribute]) -> Task | None:
        call = self._call
        identity = attributes.get(call.endpoint.task or "")
        address, port = call.identity.get(SERVER_ADDRESS), call.identity.get(SERVER_PORT)
        return None if identity is None else Task(address, port, identity)

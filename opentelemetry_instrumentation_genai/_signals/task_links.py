"""Links from the spans that ask for a task of the server, such as a background response or a batch, to the span that created it."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from .._call.observer import Observer
from .._conventions.names import SERVER_ADDRESS, SERVER_PORT

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext

    from .._adapter.fields import Attribute
    from .._call.outcome import Outcome
    from .._call.request import Request
    from .._call.state import CallState

_MOST = 4096  # tasks that are remembered, about 2 MiB


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
    """The spans that created the latest tasks of this process. Each step is atomic, so there is no lock that a fork could leave held."""

    def __init__(self) -> None:
        self._spans: OrderedDict[Task, SpanContext] = OrderedDict()

    def add(self, task: Task, span: SpanContext) -> None:
        """Remember the span that created a task."""
        self._spans[task] = span
        if len(self._spans) > _MOST:
            self._spans.popitem(last=False)

    def of(self, task: Task) -> SpanContext | None:
        """Return the span that created a task; None if that was in another process, or too many tasks ago."""
        return self._spans.get(task)


class TaskLink(Observer):
    """Links one call to the creator of its task, or remembers it as the creator.

    Args:
        call: the call, of an endpoint with a `task`, with a span that is recorded.
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
        creates, task = self._call.endpoint.creates_task, self._task(outcome.attributes)
        if task is not None and creates is not None and creates(outcome.response):
            self._creators.add(task, self._call.span.get_span_context())

    def _task(self, attributes: dict[str, Attribute]) -> Task | None:
        server, identity = self._call.identity, attributes.get(self._call.endpoint.task or "")
        return None if identity is None else Task(server.get(SERVER_ADDRESS), server.get(SERVER_PORT), identity)

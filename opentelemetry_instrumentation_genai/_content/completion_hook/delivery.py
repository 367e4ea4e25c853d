"""The way of completions to a hook: from the thread in which a call ends, through a bounded queue, to a thread of its own."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from sys import getsizeof
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from opentelemetry import context as otel_context
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.trace import format_span_id, format_trace_id

from ..._conventions.names import ERROR_TYPE, METRIC_HOOK_DROPPED, OPERATION_NAME, PROVIDER_NAME
from ..._runtime.background import Background, UnavailableError
from ..._runtime.guard import warn_once
from .completion import Completion
from .queue import Queue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.metrics import Meter
    from opentelemetry.trace import Span

    from ..._adapter.fields import Attribute
    from .entry_points import Hook

_SIZE = 1 << 26  # bytes of memory that waiting content may take: a thousand calls with the default budget
_NONE: Mapping[str, str] = MappingProxyType({})
WORKERS = 8
"""How many threads upload at the same time: a storage service answers in tenths of seconds."""
_PATIENCE = 5.0  # seconds, after which a warning is logged that there is no hook yet
Called: TypeAlias = "Callable[[Completion], object]"


class Completions:
    """A completion hook with the queue before it.

    Args:
        name: what the hook is called in messages.
        hook: a hook by the protocols in `hooks`, as it is made.
        meter: for the metric of what it did not get.
        entries: how many completions may wait.
        seconds: how long is waited for it when the process ends, or the instrumentation.
        workers: how many threads may call it at the same time.
    """

    def __init__(
        self,
        name: str,
        hook: Background[Called],
        meter: Meter,
        *,
        entries: int = 1000,
        seconds: float = 10.0,
        workers: int = 1,
    ) -> None:
        self._name = name
        self._hook = hook
        self._dropped = meter.create_counter(
            METRIC_HOOK_DROPPED, "{completion}", "Completions that a completion hook did not get, or did not take."
        )
        self._queue = Queue(
            self._call, entries=entries, size=_SIZE, seconds=seconds, workers=workers, lost=self._left_at_exit
        )
        hook.wait_at_exit(seconds, self._queue.spend)

    def begin(self) -> bool:
        """Start to load the hook: a call has started, and the hook is to get its content. Waits for nothing.

        Returns:
            False if there is no hook, since it could not be made.
        """
        return self._hook.begin()

    def take(self, attributes: Mapping[str, Attribute], content: Mapping[str, str], span: Span) -> Mapping[str, str]:
        """Take the content of a call that ends. Waits for nothing.

        Args:
            attributes: those of its span.
            content: attribute -> JSON text.
            span: the call's.

        Returns:
            Attributes that refer to where the content will be stored.
        """
        size = sum(map(getsizeof, content.values()))
        if self._queue.full(size):
            return self._drop()
        ids = span.get_span_context()
        completion = Completion(
            operation=str(attributes[OPERATION_NAME]),
            provider=str(attributes[PROVIDER_NAME]),
            trace_id=format_trace_id(ids.trace_id),
            span_id=format_span_id(ids.span_id),
            attributes=attributes,
            content=content,
        )
        references = self._referred(completion)
        return references if self._queue.put(completion, size) else self._drop()

    def _drop(self) -> Mapping[str, str]:
        """Drop a completion, because the queue is full."""
        warn_once(
            "The completion hook %s is slower than the calls: its queue is full, and completions are dropped.",
            self._name,
        )
        self._dropped.add(1, {ERROR_TYPE: "queue_full"})
        return _NONE

    def _referred(self, completion: Completion) -> Mapping[str, str]:
        """Return the hook's references to the content. Calls of models that it makes are not instrumented."""
        hook = self._hook.known()
        if hook is None:
            self._warn_of_slow_load()
        refer: Callable[[Completion], Mapping[str, str]] | None = getattr(hook, "references", None)
        if refer is None:
            return _NONE
        try:
            with suppress_instrumentation():
                references = {str(name): str(place) for name, place in refer(completion).items()}
        except Exception as error:  # noqa: BLE001 - it is the user's; the call must not fail with it
            self._warn_of_error(error, ".references")
            return _NONE
        object.__setattr__(completion, "references", references)
        return references

    def _warn_of_slow_load(self) -> None:
        if self._hook.seconds() > _PATIENCE:
            warn_once(
                "The completion hook %s is not loaded after %s s: until it is, spans do not refer to what it gets.",
                self._name,
                _PATIENCE,
            )

    def _call(self, completion: Completion) -> None:
        """Call the hook in a thread of the queue. Calls of models that it makes are not instrumented: that would not end."""
        try:
            hook = self._hook.result()
        except BaseException as error:  # noqa: BLE001 - it has been logged
            self._dropped.add(1, {ERROR_TYPE: type(error.__cause__ or error).__qualname__})
            return
        token = otel_context.attach(otel_context.Context())
        try:
            with suppress_instrumentation():
                hook(completion)
        except BaseException as error:  # noqa: BLE001 - as above; and a thread that ends with it would be missed
            self._warn_of_error(error)
            self._dropped.add(1, {ERROR_TYPE: type(error).__qualname__})
        finally:
            otel_context.detach(token)

    def _warn_of_error(self, error: BaseException, part: str = "") -> None:
        warn_once(
            "The completion hook %s raised %s: such completions are lost, the calls are not affected.",
            self._name + part,
            type(error).__qualname__,
        )

    def _left_at_exit(self, number: int) -> None:
        warn_once("The completion hook %s was not done at exit: %d completions are lost.", self._name, number)
        self._dropped.add(number, {ERROR_TYPE: "exit"})

    def close(self) -> None:
        """Wait until the hook has all completions, or the time for it is over."""
        self._queue.close()


def completions(
    chosen: Hook, meter: Meter, *, entries: int, seconds: float, base_path: str | None, upload_format: str
) -> Completions | None:
    """Return a hook with its queue; None, and a warning, if a setting for it is missing.

    Args:
        chosen: the hook that the settings name.
        meter: for the metric of what it did not get.
        entries: how many completions may wait for it.
        seconds: how long the end of the process waits for it.
        base_path: where the hook `upload` writes.
        upload_format: in which format.
    """
    if chosen.uploads and not base_path:
        warn_once("The completion hook upload needs OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH: nothing is uploaded.")
        return None
    hook = _hook(chosen, partial(_uploading, chosen, base_path or "", upload_format))
    return Completions(
        chosen.name, hook, meter, entries=entries, seconds=seconds, workers=WORKERS if chosen.uploads else 1
    )


def _hook(chosen: Hook, uploading: Callable[[], Called]) -> Background[Called]:
    """Return the hook; it is loaded in the background unless a keyword gave it."""
    failed = partial(_warn_of_failed_load, chosen.name)
    if not chosen.given:
        # It cannot be imported any more once the process ends, and most libraries that hooks use import it.
        import_module("concurrent.futures.thread")
        return Background(uploading if chosen.uploads else partial(_called, chosen), failed)
    called = _called(chosen)
    return Background(lambda: called, failed, called)


def _uploading(chosen: Hook, base_path: str, upload_format: str) -> Called:
    from .upload import UnknownVersionError, upload

    try:
        return upload(base_path, upload_format)
    except UnknownVersionError:
        warn_once("opentelemetry-util-genai has an unknown version: spans do not refer to uploads.")
    return _called(chosen)


def _called(chosen: Hook) -> Called:
    hook = chosen.make()
    if hasattr(hook, "on_completion"):
        from .ecosystem import Ecosystem

        return Ecosystem(hook)
    if callable(hook):
        called: Called = hook
        return called
    warn_once("The completion hook %s is not callable, and has no on_completion: it is not used.", chosen.name)
    raise UnavailableError


def _warn_of_failed_load(name: str, error: BaseException) -> None:
    warn_once("The completion hook %s cannot be created (%s): it is not used.", name, type(error).__qualname__)

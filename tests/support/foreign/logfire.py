"""A plain function in the place of `request`, in a class or in a client; it is no instrumentor."""

from contextlib import nullcontext
from functools import wraps

from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.trace import get_tracer


def instrument(target, tracer_provider, suppress=True):
    """Returns what takes it back."""
    tracer = get_tracer(__name__, tracer_provider=tracer_provider)
    original = target.request

    @wraps(original)
    def request(*args, **kwargs):
        with tracer.start_as_current_span("Chat Completion"), suppress_instrumentation() if suppress else nullcontext():
            return original(*args, **kwargs)

    target.request = request
    return lambda: setattr(target, "request", original)

# ruff: noqa: D103 - it looks as those of others do
"""A drop-in for the SDK's module: whoever imports it has the SDK's own classes wrapped, for ever."""

from opentelemetry.trace import get_tracer
from wrapt import wrap_function_wrapper


def register(tracer_provider):
    tracer = get_tracer(__name__, tracer_provider=tracer_provider)

    def around(wrapped, instance, args, kwargs):
        with tracer.start_as_current_span("OpenAI-generation"):
            return wrapped(*args, **kwargs)

    wrap_function_wrapper("openai.resources.chat.completions", "Completions.create", around)

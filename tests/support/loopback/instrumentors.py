"""Whatever instruments anything in this process."""

from __future__ import annotations

from collections.abc import Iterator

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor


def uninstrument_all() -> None:
    """Uninstruments what is instrumented, by whomever."""
    for instrumentor in _instrumentors(BaseInstrumentor):
        # Singletons: making one instead of looking for it would run the constructor of those never used.
        instance = vars(instrumentor).get("_instance")
        if instance is not None and instance.is_instrumented_by_opentelemetry:
            instance.uninstrument()


def _instrumentors(base: type[BaseInstrumentor]) -> Iterator[type[BaseInstrumentor]]:
    """Every subclass that exists in this process."""
    for subclass in base.__subclasses__():
        yield subclass
        yield from _instrumentors(subclass)

"""The base of the instrumentors: settings, version check, patching when the application imports the SDK, and exact unpatching."""

from __future__ import annotations

import os
import re
import sys
from abc import abstractmethod
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import wrapt
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from ._config import FILE, Config, resolve, shared
from ._guard import guarded, note, say_once
from ._owner import resolve_classes
from ._patch import Patch, apply, remove

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from types import ModuleType

_PROVIDERS = ("tracer_provider", "meter_provider", "logger_provider")
# What only `opentelemetry-instrument` says, depending on its version.
_AUTOMATIC = frozenset({"skip_dep_check", "raise_exception_on_conflict"})


class Seam(Protocol):
    """How one SDK is followed."""

    active: bool
    """Whether calls are followed. A wrapper that survives somewhere asks for it."""

    def targets(self) -> Iterable[tuple[str, str, Callable[..., Any]]]:
        """The (module, `Class.method`, wrapper) rows of what is patched."""
        ...

    def start(self) -> None:
        """Called when they are patched."""

    def stop(self) -> None:
        """Called before they are unpatched: from now on nothing is followed."""


class _Configuration:
    """How the SDK of OpenTelemetry hands over a section of a declarative file: a dataclass, made when it asks for it."""

    def __get__(self, instance: object, owner: type) -> type:
        from ._section import Section

        return Section


class GenAISettings(BaseInstrumentor):  # type: ignore[misc] # opentelemetry-instrumentation has no types
    """The entry point `genai`: the section of a declarative file whose settings are those of all providers.

    It instruments nothing.
    """

    configuration: ClassVar[_Configuration] = _Configuration()

    def instrumentation_dependencies(self) -> Collection[str]:
        """Nothing: there is nothing to instrument."""
        return ()

    def instrument(self, **kwargs: Any) -> None:
        """Keep the section, if the SDK has one; `opentelemetry-instrument` comes later, without.

        What runs already takes it over: the SDK goes by the order of the file, and `redact` must not depend on that.
        """
        declared = kwargs.get("declared")
        if not declared:
            return
        shared.update(declared)
        if os.environ.get(FILE):  # that counts instead, and each instrumentor has read it by itself
            return
        running = [instance for instance in _instances(GenAIInstrumentor) if instance.is_instrumented_by_opentelemetry]
        for instance in running:
            instance.start_again()
        if not running:
            note(
                "The section genai of the configuration file has settings, and instruments nothing by itself. "
                "What instruments is a section of a provider, which may be empty, such as genai_openai: {}, or instrument()."
            )

    def uninstrument(self, **kwargs: Any) -> None:
        """Forget the section."""
        shared.clear()

    def _uninstrument(self, **kwargs: Any) -> None:
        shared.clear()


class GenAIInstrumentor(BaseInstrumentor):  # type: ignore[misc] # opentelemetry-instrumentation has no types
    """What the instrumentors of all providers share.

    Attributes:
        sdk: the SDK's package, and the provider's name in the `enabled` setting.
        module: the SDK's module that, once imported, can be patched.
        supported: the lowest version that is supported, and the lowest that is too new.
    """

    sdk: ClassVar[str]
    module: ClassVar[str]
    supported: ClassVar[tuple[str, str]]
    configuration: ClassVar[_Configuration] = _Configuration()

    _config: Config | None = None
    _providers: dict[str, Any]
    _given: Mapping[str, Any] = MappingProxyType({})
    _seam: Seam | None = None
    _patches: tuple[Patch, ...] = ()
    _waiting: ClassVar[bool] = False
    _declared: bool = False

    def instrumentation_dependencies(self) -> Collection[str]:
        """Nothing: the SDK's version is checked when it is imported, the same way however instrumentation was started."""
        return ()

    @abstractmethod
    def _make_seam(self, config: Config, providers: dict[str, Any]) -> Seam:
        """Make the seam, in a process that has the SDK imported; a process that never imports it does not pay for the engine."""

    def instrument(self, **kwargs: Any) -> Any:
        """As the base's, but silent for `opentelemetry-instrument` where the SDK has started it by the declarative file."""
        if self._declared and self.is_instrumented_by_opentelemetry and not _AUTOMATIC.isdisjoint(kwargs):
            return None
        self._declared = "declared" in kwargs
        return super().instrument(**kwargs)

    def _instrument(self, **kwargs: Any) -> None:
        self._given = kwargs
        self._start({**kwargs})

    def start_again(self) -> None:
        """Read the settings again, with the keywords that `instrument()` was given."""
        self._stop()
        self._start({**self._given})

    def _uninstrument(self, **_kwargs: Any) -> None:
        self._given = {}
        self._stop()

    @guarded
    def _start(self, kwargs: dict[str, Any]) -> None:
        self._providers = {name: kwargs.pop(name, None) for name in _PROVIDERS}
        config = resolve(kwargs, self.sdk, kwargs.pop("declared", None))
        if self.sdk not in config.enabled:
            note("%s is not instrumented: it is not among the enabled providers.", self.sdk)
            return
        self._config = config
        if not self._waiting:
            type(self)._waiting = True  # wrapt forgets no hook: one for the process
            wrapt.register_post_import_hook(self._patch, self.module)
            wrapt.register_post_import_hook(self._look, self.sdk)
        elif self.module in sys.modules:
            self._patch(sys.modules[self.module])

    @guarded
    def _look(self, module: ModuleType) -> None:
        """The SDK's package has been imported: without the module that is patched, it is one that is not supported."""
        version = getattr(module, "__version__", None)
        if self._config is not None and self.module not in sys.modules and isinstance(version, str):
            self._supports(version)

    @guarded
    def _patch(self, _module: ModuleType) -> None:
        """The SDK has been imported."""
        config = self._config
        if config is None or self._seam is not None or not self._supports_installed():
            return
        if not config.allow_others and self._instrumented_by_others():
            return
        resolve_classes()
        seam = self._make_seam(config, self._providers)
        patches: list[Patch] = []
        try:
            for module, name, wrap in seam.targets():
                patches.append(apply(import_module(module), name, wrap))
            seam.start()
        except (AttributeError, ImportError):
            seam.stop()
            for patch in patches:
                remove(patch)
            raise
        self._seam, self._patches = seam, tuple(patches)

    @guarded
    def _stop(self) -> None:
        self._config = None
        if self._seam is not None:
            self._seam.stop()
            self._seam = None
        for patch in self._patches:
            remove(patch)
        self._patches = ()

    def _supports_installed(self) -> bool:
        return self._supports(self._installed())

    def _installed(self) -> str:
        """The SDK's version, as the SDK that is imported says."""
        version: str = import_module(self.sdk + "._version").__version__
        return version

    def _supports(self, installed: str) -> bool:
        lowest, too_new = self.supported
        if _release(lowest) <= _release(installed) < _release(too_new):
            return True
        say_once(
            "%s %s is installed, supported is >=%s,<%s: its calls are not instrumented. Install a supported version of it, "
            "or a version of opentelemetry-instrumentation-genai that supports yours.",
            self.sdk,
            installed,
            lowest,
            too_new,
        )
        return False

    def _instrumented_by_others(self) -> bool:
        """Whether another package's instrumentor of the same name is at work, as all packages call theirs."""
        for instance in _instances(BaseInstrumentor):
            kind = type(instance)
            if kind.__name__ != type(self).__name__ or isinstance(instance, GenAIInstrumentor):
                continue
            if instance.is_instrumented_by_opentelemetry:
                say_once(
                    "%s is instrumented by %s already: its calls are not instrumented twice. Disable that, "
                    "or set OTEL_INSTRUMENTATION_GENAI_ALLOW_OTHERS=true to have both.",
                    self.sdk,
                    kind.__module__,
                )
                return True
        return False


def _release(version: str) -> tuple[int, ...]:
    """The release of a version, its pre-release left out: 3.0.0rc1 counts as 3.0.0."""
    return tuple(int(part) for part in re.findall(r"\d+", re.split(r"[a-z+-]", version, maxsplit=1)[0]))


def _instances(kind: type) -> Iterable[Any]:
    """The instrumentors below a class that somebody has made: of each class there is one."""
    for subclass in _subclasses(kind):
        instance = subclass.__dict__.get("_instance")
        if instance is not None:
            yield instance


def _subclasses(kind: type) -> Iterable[type]:
    subclass: type
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)

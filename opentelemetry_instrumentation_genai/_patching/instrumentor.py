"""The base of the instrumentors: settings, version check, patching when the application imports the SDK, and exact unpatching."""

from __future__ import annotations

import os
import sys
from abc import abstractmethod
from importlib import import_module
from threading import RLock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypedDict

import wrapt
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from .._runtime.guard import guarded, log_info, logs_info, warn_once
from .._settings.config import Config, resolve, shared
from .._settings.readers import FILE
from .._signals.application import release, use

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from types import ModuleType

    from opentelemetry._logs import LoggerProvider
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from .patch import Patches

# Keywords that only `opentelemetry-instrument` passes, depending on its version.
_AUTOMATIC = frozenset({"skip_dep_check", "raise_exception_on_conflict"})


class GivenProviders(TypedDict):
    """The providers that `instrument()` was given; None stands for the global one."""

    tracer_provider: TracerProvider | None
    meter_provider: MeterProvider | None
    logger_provider: LoggerProvider | None


class Seam(Protocol):
    """The seam of one SDK: what is patched in it, and how calls are followed there."""

    active: bool
    """Whether calls are followed. A wrapper that was kept after unpatching reads it."""

    def targets(self) -> Iterable[tuple[str, str, Callable[..., object]]]:
        """Return the (module, `Class.method`, wrapper) rows of what is patched."""
        ...

    def start(self, patches: Patches, /) -> None:
        """Start what the seam needs besides the patches; called when they are applied."""

    def stop(self) -> None:
        """Stop following calls; called before the patches are removed."""

    def close(self) -> None:
        """Deliver what waits for a completion hook; called when the patches are removed."""


class _Configuration:
    """Descriptor of the dataclass for a section of a declarative file, which the OpenTelemetry SDK reads; imported on access."""

    def __get__(self, instance: object, owner: type) -> type:
        from .._settings.section import Section

        return Section


class GenAISettings(BaseInstrumentor):  # type: ignore[misc] # opentelemetry-instrumentation has no types
    """The entry point `genai`: the section of a declarative file for settings of all providers.

    It instruments nothing.
    """

    configuration: ClassVar[_Configuration] = _Configuration()

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return nothing: there is nothing to instrument."""
        return ()

    def instrument(self, **kwargs: Any) -> None:
        """Keep the section, if the SDK has one; `opentelemetry-instrument` comes later, without.

        Running instrumentors apply it too: the SDK follows the order of the file, and `redact` must not depend on that.
        """
        declared = kwargs.get("declared")
        if not declared:
            return
        shared.update(declared)
        if os.environ.get(FILE):  # that counts instead, and each instrumentor has read it by itself
            return
        from .other_instrumentations import instances

        running = [instance for instance in instances(GenAIInstrumentor) if instance.is_instrumented_by_opentelemetry]
        for instance in running:
            instance.start_again()
        if not running:
            log_info(
                "The section genai of the configuration file has settings, and instruments nothing by itself. "
                "Add a section of a provider, which may be empty, such as genai_openai: {}, or call instrument()."
            )

    def uninstrument(self, **kwargs: object) -> None:
        """Forget the section."""
        shared.clear()

    def _uninstrument(self, **kwargs: object) -> None:
        shared.clear()


class GenAIInstrumentor(BaseInstrumentor):  # type: ignore[misc] # opentelemetry-instrumentation has no types
    """The base class of the instrumentors.

    Attributes:
        sdk: the name of the SDK in the `enabled` setting.
        package: the SDK's package, where that is not `sdk`.
        module: the SDK's module that, once imported, can be patched.
        later: modules of the SDK that are patched as well, when the application imports them: after `module`, or never.
        supported: the lowest version that is supported, and the lowest that is too new.
    """

    sdk: ClassVar[str]
    package: ClassVar[str] = ""
    module: ClassVar[str]
    later: ClassVar[tuple[str, ...]] = ()
    supported: ClassVar[tuple[str, str]]
    configuration: ClassVar[_Configuration] = _Configuration()

    _config: Config | None = None
    _providers: GivenProviders
    _given: Mapping[str, object] = MappingProxyType({})
    _seam: Seam | None = None
    _patches: Patches | None = None
    _patched_later: set[tuple[str, str]]
    _waiting: ClassVar[bool] = False
    _declared: bool = False
    _lock: ClassVar[RLock]  # held while settings and patches change
    _changed = _patching = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._lock = RLock()

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return nothing: the SDK's version is checked when it is imported, however instrumentation was started."""
        return ()

    @abstractmethod
    def _make_seam(self, config: Config, providers: GivenProviders) -> Seam:
        """Make the seam, in a process that has the SDK imported; a process that never imports it does not pay for the engine."""

    def _later_targets(self, _module: str) -> Iterable[tuple[str, Callable[..., object]]]:
        """Return the (`Class.method` or function, wrapper) rows of one of the `later` modules. An SDK's version may lack some of them."""
        return ()

    def instrument(self, **kwargs: object) -> Any:
        """Start the instrumentation, as `BaseInstrumentor` does. A later call adds its keywords to the earlier ones, and logs that.

        It does nothing for `opentelemetry-instrument` where the declarative file has started it already.
        """
        result, replaced = None, None
        with self._lock:
            if not self.is_instrumented_by_opentelemetry:
                self._declared = "declared" in kwargs
                result = super().instrument(**kwargs)
            elif not (self._declared and not _AUTOMATIC.isdisjoint(kwargs)):
                changed = self._changes(kwargs)
                result, replaced = (None, self._take_over(changed)) if changed else (super().instrument(**kwargs), None)
        self._settle()
        _close(replaced)
        return result

    def uninstrument(self, **kwargs: object) -> Any:
        """Stop the instrumentation, as `BaseInstrumentor` does, and remove all patches."""
        with self._lock:
            result = super().uninstrument(**kwargs)
            stopped = self._stop()  # also where `instrument()` was interrupted
        _close(stopped)
        return result

    def _instrument(self, **kwargs: object) -> None:
        self._given = kwargs
        self._start({**kwargs})

    def _uninstrument(self, **_kwargs: object) -> None:
        self._given = {}

    def start_again(self) -> None:
        """Read the settings again, with the keywords that `instrument()` was given."""
        with self._lock:
            replaced = self._stop()
            self._start({**self._given})
        self._settle()
        _close(replaced)

    def _changes(self, kwargs: Mapping[str, object]) -> dict[str, object]:
        """Return the keywords that differ from those in force."""
        return {
            name: value
            for name, value in kwargs.items()
            if name not in _AUTOMATIC and value is not None and not _same(value, self._given.get(name))
        }

    def _take_over(self, changed: Mapping[str, object]) -> Seam | None:
        """Instrument with these keywords in addition. Return the seam that is replaced."""
        from .._masking.masking import masked

        self._given = {**self._given, **changed}
        names = masked(", ".join(sorted(changed)))
        warn_once(
            "%s is instrumented already: the keywords %s of this instrument() are applied as well.", self.sdk, names
        )
        replaced = self._stop()
        self._start({**self._given})
        return replaced

    @guarded
    def _start(self, kwargs: dict[str, Any]) -> None:
        self._providers = {
            "tracer_provider": kwargs.pop("tracer_provider", None),
            "meter_provider": kwargs.pop("meter_provider", None),
            "logger_provider": kwargs.pop("logger_provider", None),
        }
        config = resolve(kwargs, self.sdk, kwargs.pop("declared", None))
        if self.sdk not in config.enabled:
            log_info("%s is not instrumented: it is not among the enabled providers.", self.sdk)
            return
        self._config = config
        use(self, config, self._providers)
        if not self._waiting:
            type(self)._waiting = True  # wrapt cannot remove a hook: one for the process
            for name in (self.module, *self.later):
                wrapt.register_post_import_hook(self._imported, name)
            wrapt.register_post_import_hook(self._look, self.package or self.sdk)

    def _imported(self, _module: ModuleType) -> None:
        """Patch the module that has just been imported. The lock of its import is held, so this never waits."""
        self._settle()

    @guarded
    def _look(self, module: ModuleType) -> None:
        """Check the SDK's package that has just been imported: without the module to patch, its version is not supported."""
        self._settle()
        version = getattr(module, "__version__", None)
        if self._config is not None and self.module not in sys.modules and isinstance(version, str):
            self._supports(version)

    @guarded
    def _settle(self) -> None:
        """Patch the SDK, if it is imported and not patched. Never blocks: another thread that is patching does the rest.

        A thread that imports the SDK holds the lock of that import, for which a thread in `instrument()` may be waiting.
        """
        self._changed = True
        while self._changed and self._lock.acquire(blocking=False):
            try:
                if self._patching:
                    return
                self._patching, self._changed = True, False
                try:
                    self._patch()
                finally:
                    self._patching = False
            finally:
                self._lock.release()

    @guarded
    def _patch(self) -> None:
        config = self._config
        if config is None or self.module not in sys.modules:
            return
        if self._seam is None and self._supports_installed():
            self._patch_sdk(config)
        if self._seam is not None and self._patches is not None:
            for module in self.later:
                if module in sys.modules:
                    self._patch_later(module, self._patches)

    @guarded
    def _patch_later(self, module: str, patches: Patches) -> None:
        """Patch what a module has. Another thread, or an import within it, may see it half imported: the rest comes at its end."""
        for name, wrap in self._later_targets(module):
            kind, _, method = name.partition(".")
            owner = getattr(sys.modules[module], kind, None)
            found = hasattr(owner, method) if method else owner is not None
            if found and (module, name) not in self._patched_later:
                patches.apply(sys.modules[module], name, wrap)
                self._patched_later.add((module, name))

    def _patch_sdk(self, config: Config) -> None:
        from .._call.owner import resolve_classes
        from .patch import Patches

        resolve_classes()
        self._patches, self._patched_later = Patches(), set()
        try:
            self._seam = seam = self._make_seam(config, self._providers)
            for module, name, wrap in seam.targets():
                self._patches.apply(import_module(module), name, wrap)
            seam.start(self._patches)
        except BaseException:  # all or nothing
            _close(self._stop())
            raise
        if logs_info():
            self._log_start(config)

    @guarded
    def _log_start(self, config: Config) -> None:
        from .start_line import log_start

        log_start(self.sdk, self._installed(), config, self._providers["tracer_provider"])

    @guarded
    def _stop(self) -> Seam | None:
        """Remove all patches. Return the seam, which follows no more calls, for the caller to close without the lock."""
        seam, patches = self._seam, self._patches
        self._config = None
        release(self)
        _silence(seam)
        if patches is not None:
            patches.remove()
        self._seam = self._patches = None
        self._patched_later = set()
        return seam

    def _supports_installed(self) -> bool:
        return self._supports(self._installed())

    def _installed(self) -> str:
        """Return the version of the SDK that is imported."""
        version: str = import_module((self.package or self.sdk) + "._version").__version__
        return version

    def _supports(self, installed: str) -> bool:
        lowest, too_new = self.supported
        if _is_within(installed, f">={lowest},<{too_new}"):
            return True
        warn_once(
            "%s %s is installed, supported is >=%s,<%s: its calls are not instrumented. Install a supported version of it, "
            "or a version of opentelemetry-instrumentation-genai that supports yours.",
            self.sdk,
            installed,
            lowest,
            too_new,
        )
        return False


@guarded
def _silence(seam: Seam | None) -> None:
    if seam is not None:
        seam.active = False
        seam.stop()


@guarded
def _close(seam: Seam | None) -> None:
    if seam is not None:
        seam.close()


def _same(value: object, other: object) -> bool:
    """Return whether two values of a keyword are equal. Only plain values are compared; others must be the same object."""
    return value is other or (type(value) is type(other) and isinstance(value, (str, int, float)) and value == other)


def _is_within(version: str, supported: str) -> bool:
    """Return whether a version is within a range. A pre-release counts as its release: 3.0.0rc1 as 3.0.0."""
    try:
        release = Version(version).base_version
    except InvalidVersion:
        return False
    return release in SpecifierSet(supported)

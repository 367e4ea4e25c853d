"""Other instrumentations of the same SDK: a call that one of them reports is not reported here as well.

They wrap the methods of the SDK that make the calls of an endpoint, or the method of its clients that sends all of them. The
wrappers are looked up at the first call of an operation by a class of clients, and again when one of these methods has been
replaced since. So the order of instrumentation does not matter, and one that was uninstrumented is noticed. One that wraps
methods of the SDK's resources reports the calls of these methods, and no others of the same operation.

A framework with tracing of its own wraps nothing: it makes a span of a call of a model, and calls the SDK while that is current.
"""

from __future__ import annotations

import sys
from inspect import iscoroutinefunction
from operator import is_
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from .._call.span_above import recorder_above
from .._runtime.guard import guarded, warn_once
from .patch import innermost, layers, origin, subclasses

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from types import CodeType

    from opentelemetry.context import Context

    from .._adapter.endpoint import Endpoint
    from .._call.request import Request

_OURS = __name__.partition(".")[0] + "."
_NAMESPACE = "opentelemetry.instrumentation."
# Packages with wrappers that report calls by OpenTelemetry, beside those that an active instrumentor belongs to.
_KNOWN = ("opentelemetry.instrumentation", "openinference", "langfuse", "logfire")
_MOST = 256
_DEEPEST = 64  # frames between our wrapper and theirs
_value: Any = MappingProxyType.get  # looks up in one step of `map`
_Seen: TypeAlias = "tuple[Mapping[str, object], str, object]"


class _Reporter(NamedTuple):
    """Another instrumentation that reports calls.

    Attributes:
        name: its name in the log.
        package: the package of the wrappers, where it reports only calls that come by them: its code is on the stack then; else None.
        methods: the code of the asynchronous methods that they are around: a wrapper that is a plain function has returned by then.
    """

    name: str
    package: str | None
    methods: frozenset[CodeType] = frozenset()


class _Finding(NamedTuple):
    """The instrumentation that was found to report the calls of an operation.

    Attributes:
        namespaces: of the methods that were looked at.
        names: theirs.
        values: what the namespaces had under these names.
        reporter: the instrumentation that reports them; None if no other does.
    """

    namespaces: tuple[MappingProxyType[str, Any], ...]
    names: tuple[str, ...]
    values: tuple[Any, ...]
    reporter: _Reporter | None


class Others:
    """The other instrumentations of one SDK.

    Args:
        sdk: the SDK's package.
        instrumentors: what the packages call their instrumentors of it.
        method: the clients' method that sends all calls.
        endpoints: all that are followed.
        allowed: whether calls that others report are reported here as well.
        of_both: whether one class of clients makes both synchronous and asynchronous calls.
    """

    def __init__(
        self,
        sdk: str,
        instrumentors: str | tuple[str, ...],
        method: str,
        endpoints: Iterable[Endpoint],
        *,
        allowed: bool,
        of_both: bool = False,
    ) -> None:
        self._sdk = sdk
        self._instrumentors = (instrumentors,) if isinstance(instrumentors, str) else instrumentors
        self._of_both = of_both
        self._sending_method = method
        self._methods = tuple({path for endpoint in endpoints for path in endpoint.methods})
        self._allowed = allowed
        self._findings: dict[tuple[type, tuple[str, ...]], _Finding] = {}

    def report(self, client: Any, endpoint: Endpoint) -> bool:
        """Return whether another instrumentation reports a call, so that ours is not to.

        Args:
            client: the SDK's client that makes it.
            endpoint: the call's.
        """
        reporter = self._reporter_of(client, endpoint)
        return reporter is not None and (reporter.package is None or _running(reporter.package, reporter.methods))

    def report_connections(self, client: Any, endpoint: Endpoint) -> bool:
        """Return the same of what happens on a connection, which one of the endpoint's methods was to open: that has returned by now."""
        return self._reporter_of(client, endpoint) is not None

    def recorded_above(self, request: Request, context: Context) -> bool:
        """Return whether the current span is a framework's own record of a call; log that once.

        Args:
            request: the request of the call.
            context: the context in which it is made.
        """
        scope = None if self._allowed else recorder_above(request, context)
        if scope is not None:
            warn_of(self._sdk, scope)
        return scope is not None

    def _reporter_of(self, client: Any, endpoint: Endpoint) -> _Reporter | None:
        if self._allowed:
            return None
        finding = self._findings.get((type(client), endpoint.methods))
        if (
            finding is None
            or not all(map(is_, finding.values, map(_value, finding.namespaces, finding.names)))
            or self._sending_method in client.__dict__
        ):
            finding = self._look(client, endpoint)
        return None if finding is None else finding.reporter

    @guarded
    def _look(self, client: Any, endpoint: Endpoint) -> _Finding:
        """Look up the other instrumentation that reports such calls of a client, and log it once."""
        both, kind = self._of_both, _is_async(type(client))
        methods = [path for path in endpoint.methods if both or _asynchronous(path) == kind]
        resources, senders = tuple(self._resources(methods)), self._senders(type(client))
        own = client.__dict__.get(self._sending_method)
        reporter = self._reporter([value for _, _, value in resources], [own, *(value for _, _, value in senders)])
        seen = (*resources, *senders)
        namespaces = tuple(MappingProxyType(namespace) for namespace, _, _ in seen)
        finding = _Finding(
            namespaces, tuple(name for _, name, _ in seen), tuple(value for _, _, value in seen), reporter
        )
        if own is None:
            if len(self._findings) >= _MOST:
                self._findings.clear()
            self._findings[type(client), endpoint.methods] = finding
        if reporter is not None:
            warn_of(self._sdk, reporter.name)
        return finding

    def _resources(self, methods: Iterable[str]) -> Iterator[_Seen]:
        """Yield the methods of the SDK's resources; for a class that is not imported yet, the modules that may have it."""
        for path in methods:
            module, _, method = path.partition(":")
            kind, _, attribute = method.partition(".")
            modules = self._modules(module)
            owner = next((found for found in (_imported(name, kind) for name in modules) if found is not None), None)
            if owner is not None:
                yield vars(owner), attribute, vars(owner).get(attribute)
            else:
                yield from ((sys.modules, name, sys.modules.get(name)) for name in modules)

    def _modules(self, path: str) -> tuple[str, str]:
        """Return the possible names of a module of resources: newer releases have made packages of some, with a module of the same name."""
        name = f"{self._sdk}.{path}"
        return name, f"{name}.{name.rpartition('.')[2]}"

    def _senders(self, client: type) -> list[_Seen]:
        """Return the method that sends requests, of the client's class and of its base classes, down to the last that has it."""
        seen: list[_Seen] = [
            (vars(kind), self._sending_method, vars(kind).get(self._sending_method)) for kind in client.__mro__
        ]
        while seen and seen[-1][2] is None:
            seen.pop()
        return seen

    def _reporter(self, resources: Collection[object], senders: Collection[object]) -> _Reporter | None:
        """Return the instrumentation that has wrapped one of the methods, or that is active without a visible wrapper."""
        instrumentors = {self._package_of(type(other)): type(other).__name__ for other in _at_work()}
        packages = (*instrumentors, *_KNOWN)
        for package, _ in _wrapping(senders, packages):
            return _Reporter(package, None)
        for package, module in _wrapping(resources, packages):
            wrapped = package if package in instrumentors else _package(module)
            return _Reporter(package, wrapped, _coroutines(resources, wrapped))
        for module, name in instrumentors.items():
            # A package that has wrapped others of the methods reports those, and not this one.
            if name in self._instrumentors and not any(_wrapping(self._all(), [module])):
                return _Reporter(module, None)
        return None

    def _package_of(self, instrumentor: type) -> str:
        """Return the package of an instrumentor, of which all modules may have wrappers: of one for another SDK, its own module."""
        return _package_of(instrumentor) if instrumentor.__name__ in self._instrumentors else instrumentor.__module__

    def _all(self) -> Iterator[object]:
        return (value for _, _, value in self._resources(self._methods))


def warn_of(sdk: str, reporter: str) -> None:
    """Log, once, that calls of an SDK are left to the instrumentation that reports them."""
    warn_once(
        "%s is instrumented by %s already: its calls are not instrumented twice. Disable that, "
        "or set OTEL_INSTRUMENTATION_GENAI_ALLOW_OTHERS=true to have both.",
        sdk,
        reporter,
    )


def reporter_of(method: object) -> str | None:
    """Return the package of another instrumentation that has replaced a method of one client; None where none has."""
    packages = (*(type(other).__module__ for other in _at_work()), *_KNOWN)
    return next((package for package, _ in _wrapping([method], packages)), None)


def _at_work() -> list[BaseInstrumentor]:
    """Return the active instrumentors that are not made of ours."""
    return [
        other
        for other in instances(BaseInstrumentor)
        if other.is_instrumented_by_opentelemetry
        and not any(base.__module__.startswith(_OURS) for base in type(other).__mro__)
    ]


def _package_of(instrumentor: type) -> str:
    """Return the package of an instrumentor: the one that offers it as its own, or else the module that has it."""
    module = instrumentor.__module__
    parent = module.rpartition(".")[0]
    return parent if _imported(parent, instrumentor.__name__) is instrumentor else module


def _imported(module: str, name: str) -> Any:
    """Return what a module has under a name. Nothing is imported for it, neither the module nor what it imports on demand."""
    return getattr(sys.modules.get(module), "__dict__", {}).get(name)


def _asynchronous(path: str) -> bool:
    """Return whether a method, as endpoints name it, is one of asynchronous clients, by the name of its class."""
    return path.partition(":")[2].startswith("Async")


def _is_async(client: type) -> bool:
    return any(kind.__name__.startswith("Async") for kind in client.__mro__)


def instances(kind: type) -> Iterator[Any]:
    """Yield the instances of the instrumentors below a class: of each class there is at most one."""
    for subclass in subclasses(kind):
        instance = vars(subclass).get("_instance")
        if instance is not None:
            yield instance


def _wrapping(methods: Iterable[object], packages: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield which of some packages have a wrapper around one of some methods, each with the wrapper's module."""
    modules = {origin(layer) for method in methods for layer in layers(method)}
    for package in packages:
        yield from ((package, module) for module in modules if _within(module, package))


def _coroutines(methods: Iterable[object], package: str) -> frozenset[CodeType]:
    """Return the code of those of some methods that are coroutine functions, and that a package has a wrapper around."""
    functions = [innermost(method) for method in methods if any(_wrapping([method], [package]))]
    return frozenset(function.__code__ for function in functions if iscoroutinefunction(function))


def _within(module: str, package: str) -> bool:
    return f"{module}.".startswith(f"{package}.")


def _package(module: str) -> str:
    """Return the package of one SDK's instrumentation, of which a module is one: `opentelemetry.instrumentation.openai`."""
    parts = module.split(".")
    return ".".join(parts[: 4 if parts[2:3] == ["genai"] else 3])


def _running(package: str, methods: frozenset[CodeType]) -> bool:
    """Return whether code of a package, or one of the methods that it wraps, is on the stack: by its wrapper this call came."""
    frame = sys._getframe(1)
    for _ in range(_DEEPEST):
        if frame.f_code in methods or _within(str(frame.f_globals.get("__name__")), package):
            return True
        if frame.f_back is None:
            break
        frame = frame.f_back
    return False

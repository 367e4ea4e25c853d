"""The signals of operations that belong to no SDK: those of the application. They follow the settings of the instrumentors.

Of several active instrumentors the one that was started last counts. Where none is active, nothing is recorded.
"""

from __future__ import annotations

import dataclasses
from threading import RLock
from typing import TYPE_CHECKING, Any

from .._runtime.guard import guarded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._adapter.endpoint import Endpoint
    from .._settings.config import Config
    from .signals import Signals


class ApplicationSignals:
    """The signals of one instrumentor's settings, made when they are first needed.

    Args:
        config: the settings.
        providers: of OpenTelemetry, as `Signals` takes them.
    """

    def __init__(self, config: Config, providers: Mapping[str, Any]) -> None:
        self._config = config
        self._providers = providers
        self._signals: Signals | None = None
        self._endpoints: dict[int, Endpoint] = {}

    @property
    def signals(self) -> Signals:
        """Return the signals."""
        signals = self._signals
        if (
            signals is None
        ):  # without a lock, which the child of a fork could wait for; of two that are made, the later stays
            from .signals import Signals

            # None of these operations has a completion.
            config = dataclasses.replace(self._config, completion_hook=None)
            signals = self._signals = Signals(config, **self._providers)
        return signals

    def endpoint(self, given: Endpoint) -> Endpoint:
        """Return an endpoint as the chosen generation of the conventions has it.

        Args:
            given: an endpoint of a table, which lives as long as the process.
        """
        key = id(given)
        if key not in self._endpoints:
            self._endpoints[key] = self.signals.endpoints({("", given.kind.name): given})["", given.kind.name]
        return self._endpoints[key]


_lock = RLock()
_in_use: dict[object, ApplicationSignals] = {}
_latest: ApplicationSignals | None = None


@guarded
def use(owner: object, config: Config, providers: Mapping[str, Any]) -> None:
    """Use the settings of an instrumentor that starts.

    Args:
        owner: the instrumentor.
        config: its settings.
        providers: of OpenTelemetry, as `Signals` takes them.
    """
    with _lock:
        _in_use.pop(owner, None)
        _in_use[owner] = ApplicationSignals(config, providers)
        _choose()


@guarded
def release(owner: object) -> None:
    """Use the settings of an instrumentor no more."""
    with _lock:
        _in_use.pop(owner, None)
        _choose()


def _choose() -> None:
    global _latest  # noqa: PLW0603 - read without a lock, by every operation
    _latest = next(reversed(_in_use.values()), None)


def in_use() -> ApplicationSignals | None:
    """Return the signals in use; None where no instrumentor is active."""
    return _latest


def used_by(owner: object) -> ApplicationSignals | None:
    """Return the signals by the settings of one instrumentor; None where it is not active."""
    return _in_use.get(owner)

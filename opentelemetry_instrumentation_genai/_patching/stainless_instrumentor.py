"""The base of the instrumentors of SDKs of the Stainless family, for those that need no more than their endpoints."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

from .instrumentor import GenAIInstrumentor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._adapter.endpoint import Endpoint
    from .._settings.config import Config
    from .instrumentor import GivenProviders, Seam


class StainlessInstrumentor(GenAIInstrumentor):
    """The base class of the instrumentors of such SDKs.

    Attributes:
        distribution: of the SDK, if its metadata have the version: what the package itself says is another one in some releases.
        provider: `gen_ai.provider.name` of the calls, where the host is not known to belong to another provider.
    """

    module: ClassVar[str]
    distribution: ClassVar[str] = ""
    provider: ClassVar[str]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.module = cls._sending_package() + "._base_client"

    @classmethod
    def _sending_package(cls) -> str:
        """Return the package with the module of the clients."""
        return cls.package or cls.sdk

    def _installed(self) -> str:
        from importlib.metadata import version

        return version(self.distribution) if self.distribution else super()._installed()

    def _endpoints(self) -> Mapping[tuple[str, str], Endpoint]:
        """Return the endpoints: (method, path with `{name}` for an id) -> endpoint. Called when the SDK is patched.

        An instrumentor that is a folder has them in its module `_endpoints`.
        """
        folder = next(kind.__module__ for kind in type(self).__mro__ if "sdk" in vars(kind))
        endpoints: Mapping[tuple[str, str], Endpoint] = import_module("._endpoints", folder).ENDPOINTS
        return endpoints

    def _make_seam(self, config: Config, providers: GivenProviders) -> Seam:
        from .._adapter.host_providers import HostProviders
        from .._signals.signals import Signals
        from .other_instrumentations import Others
        from .propagation import propagation_of
        from .stainless import Stainless, StainlessSdk

        package, endpoints = self._sending_package(), self._endpoints()
        provider = HostProviders(config.host_providers, self.provider)
        others = Others(package, type(self).__name__, "request", endpoints.values(), allowed=config.allow_others)
        sdk = StainlessSdk(package, endpoints, provider, sure=provider.sure)
        return Stainless(sdk, Signals(config, **providers), others, propagation_of(config))

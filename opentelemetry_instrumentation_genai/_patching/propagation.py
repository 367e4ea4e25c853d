"""Propagation of the trace context to the model's server, so that its spans become children of the call's.

Off by default: the context goes to whatever server answers. The application's propagator determines the headers.
An HTTP client copies the headers of a request into the one that follows a redirect, whatever host that goes to. So its method that
builds that request is patched, and our headers are removed there unless the settings name the new host as well.
"""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry import baggage
from opentelemetry.propagate import inject

from .._adapter.client_servers import port_of
from .._adapter.host_patterns import among
from .._call.call import current_call
from .._runtime.guard import guarded, warn_once
from .patch import Patch, apply_to, remove

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from opentelemetry.context.context import Context

    from .._call.call import Call
    from .._settings.config import Config

SELF_HOSTED = "self-hosted"

# This machine, which Ollama's users call 0.0.0.0 too, and networks that are not public: RFC 1918, 3927, 4193, 4291.
_OWN_NETWORKS = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/32",
        "10.0.0.0/8",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::/127",
        "fc00::/7",
        "fe80::/10",
    )
)
# Suffixes of no public name: RFC 6761, 6762 and 8375, and the one that ICANN keeps for private use.
_OWN_NAMES = (".home.arpa", ".internal", ".local", ".localhost")
_NAME = re.compile(r"[\w.-]+")  # what has a percent sign, a proxy may read as another name
_BAGGAGE = "baggage"
_REDIRECT = "_build_redirect_request"  # of httpx and httpx2, in all their releases and in both clients


def propagation_of(config: Config) -> Propagation | None:
    """Return the propagation that the settings enable; None if they propagate to no server."""
    if not config.propagate:
        return None
    return Propagation(config.propagate, config.host_providers, with_baggage=config.propagate_baggage)


class Propagated(NamedTuple):
    """The headers that were added to one request.

    Attributes:
        propagation: the propagation that added them; it knows the hosts that may receive them.
        headers: name -> value.
    """

    propagation: Propagation
    headers: Mapping[str, str]


class Propagation:
    """Propagation of the trace context to some servers.

    Args:
        hosts: patterns, HOST or HOST:PORT in lower case with `*`; `self-hosted` is one for one's own servers.
        declared: the (pattern, provider) pairs of the servers that the user declared, which are his own.
        with_baggage: whether the application's baggage is propagated too.
    """

    def __init__(self, hosts: Sequence[str], declared: Iterable[tuple[str, str]], *, with_baggage: bool) -> None:
        self._own = SELF_HOSTED in hosts
        self._patterns = [*hosts, *(pattern for pattern, _ in declared)] if self._own else hosts
        self._with_baggage = with_baggage
        self._lock = Lock()
        self._patches: dict[type, Patch] = {}

    def reaches(self, host: str, port: int) -> bool:
        """Return whether the context is propagated to the server at a host and port."""
        return (self._own and _self_hosted(host)) or among(self._patterns, host, port)

    @guarded
    def headers(self, call: Call, http: Any, *given: Iterable[str]) -> dict[str, str]:
        """Return the headers to add to a request, and record them in the exchange of its call.

        Args:
            call: the call; its span becomes the parent of the server's spans.
            http: the HTTP client that sends the request.
            given: names of headers that the request already has. A trace context among them is not changed.
        """
        if not self._follows_redirects_of(http):
            return {}
        carrier = self.carrier(call.context)
        names = {name.lower() for names in given for name in names}
        injected = {name: value for name, value in carrier.items() if _sendable(value)}
        if any(name.lower() in names for name in injected if name != _BAGGAGE):
            return {}
        added = {name: value for name, value in injected.items() if name not in names}
        call.exchange.propagated = Propagated(self, added)
        return added

    def carrier(self, context: Context) -> dict[str, str]:
        """Return what the application's propagator makes of a context: name -> value."""
        carrier: dict[str, str] = {}
        inject(carrier, self.context(context))
        return carrier

    def context(self, context: Context) -> Context:
        """Return what is propagated of a context: without the baggage, unless the settings include it."""
        return context if self._with_baggage else baggage.clear(context)

    def close(self) -> None:
        """Take the patches of HTTP clients back."""
        with self._lock:
            patches, self._patches = self._patches, {}
        for patch in patches.values():
            remove(patch)

    def _follows_redirects_of(self, http: Any) -> bool:
        """Return whether our headers can be removed on a redirect: the client's class is patched, or it follows none."""
        owner = next((kind for kind in http.__class__.__mro__ if _REDIRECT in vars(kind)), None)
        if owner is None:
            if getattr(http, "follow_redirects", True):
                warn_once(
                    "%s follows redirects in an unknown way: it sends no trace context.",
                    http.__class__.__qualname__,
                )
                return False
        elif owner not in self._patches:
            with self._lock:
                if owner not in self._patches:
                    self._patches[owner] = apply_to(owner, _REDIRECT, self._redirected)
        return True

    def _redirected(
        self, wrapped: Callable[..., object], _http: object, args: tuple[object, ...], kwargs: dict[str, object]
    ) -> object:
        """Build the request that follows a redirect, and remove our headers from it if they must not go there."""
        request = wrapped(*args, **kwargs)
        self._remove_headers(request)
        return request

    @guarded
    def _remove_headers(self, request: Any) -> None:
        """Remove our headers from a request that goes to another host than those of the settings."""
        call = current_call()
        propagated = None if call is None else call.exchange.propagated
        if (
            propagated is None
            or propagated.propagation is not self
            or self.reaches(request.url.host, port_of(request.url))
        ):
            return
        for name, value in propagated.headers.items():
            if request.headers.get(name) == value:  # another is the application's, or of an HTTP instrumentation
                del request.headers[name]


def _self_hosted(host: str) -> bool:
    """Return whether a host is this machine or in a network of its own, by its address or its name. No name is looked up."""
    given, host = host, host.lower().rstrip(".")
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        if not _NAME.fullmatch(host):
            return False
        if "." in host or host == "localhost":
            return f".{host}".endswith(_OWN_NAMES)
        # Without a dot it is a service's or container's, unless it starts with a digit, which resolvers read as an address, or
        # ends with a dot: that is a name of the public root, such as `ai.`.
        return given == host and not host[:1].isdigit()
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in _OWN_NETWORKS)


def _sendable(value: object) -> bool:
    """Return whether a header can carry a propagator's value."""
    return isinstance(value, str) and value.isascii() and value.isprintable()

"""The trace, told to the model's server in the headers of the request, so that its spans become children of the call's.

Off unless the user asks for it: what is told goes to whoever answers. The application's propagator says in which headers.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from opentelemetry import baggage
from opentelemetry.propagate import inject

from ._guard import guarded
from ._hosts import among

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from opentelemetry.context import Context

SELF_HOSTED = "self-hosted"

# This machine, which Ollama's users call 0.0.0.0 too, and networks that are nobody's in public: RFC 1918, 3927, 4193, 4291.
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
# What no public name ends in: RFC 6761, 6762 and 8375, and the one that ICANN keeps for private use.
_OWN_NAMES = (".home.arpa", ".internal", ".local", ".localhost")
_BAGGAGE = "baggage"


class Propagation:
    """Which servers are told, and what.

    Args:
        hosts: patterns, HOST or HOST:PORT in lower case with `*`; `self-hosted` is one for one's own servers.
        declared: the (pattern, provider) pairs of the servers that the user declared, which are his own.
        with_baggage: whether the application's baggage is told too.
    """

    def __init__(self, hosts: Sequence[str], declared: Iterable[tuple[str, str]], *, with_baggage: bool) -> None:
        self._own = SELF_HOSTED in hosts
        self._patterns = [*hosts, *(pattern for pattern, _ in declared)] if self._own else hosts
        self._with_baggage = with_baggage

    def reaches(self, host: str, port: int) -> bool:
        """Whether the server at a host and port is told."""
        return (self._own and _self_hosted(host)) or among(self._patterns, host, port)

    @guarded
    def headers(self, context: Context, *given: Iterable[str]) -> dict[str, str]:
        """The headers to add to a request.

        Args:
            context: with the span that the server's spans are to be children of.
            given: names of headers that the request has without us. A trace context among them stays alone.
        """
        carrier: dict[str, str] = {}
        inject(carrier, context if self._with_baggage else baggage.clear(context))
        names = {name.lower() for names in given for name in names}
        told = {name: value for name, value in carrier.items() if _sendable(value)}
        if any(name.lower() in names for name in told if name != _BAGGAGE):
            return {}
        return {name: value for name, value in told.items() if name not in names}


def _self_hosted(host: str) -> bool:
    """Whether a host is this machine or in a network of its own, by its address or its name. No name is looked up."""
    host = host.lower().rstrip(".")
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        # Without a dot it is a service's or container's, unless it starts with a digit: resolvers read that as an address.
        return host.endswith(_OWN_NAMES) if "." in host else not host[:1].isdigit()
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in _OWN_NETWORKS)


def _sendable(value: object) -> bool:
    """Whether a header can carry what a propagator made."""
    return isinstance(value, str) and value.isascii() and value.isprintable()

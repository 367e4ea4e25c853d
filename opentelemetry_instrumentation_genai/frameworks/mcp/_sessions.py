"""The client sessions: what is known of each, and the metric of how long they last."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from opentelemetry.context import get_current

from ..._adapter.failure import raised
from ..._adapter.fields import member, string
from ..._conventions import names
from ..._signals.metrics import MCP_SECONDS
from ..._signals.recording import record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.metrics import Histogram

    from ..._adapter.fields import Attribute
    from ..._signals.application import ApplicationSignals
    from ._transports import Connection, Transports


class _Session:
    """What is kept of one session.

    Attributes:
        started: when its entering began, in seconds of `perf_counter`; None before, and after its end.
        version: of the protocol, as far as it is known.
    """

    __slots__ = ("started", "version")

    def __init__(self) -> None:
        self.started: float | None = None
        self.version: str | None = None


class Sessions:
    """The sessions that are open.

    Args:
        transports: know the connections of their streams.
    """

    def __init__(self, transports: Transports) -> None:
        self._transports = transports
        self._known: WeakKeyDictionary[Any, _Session] = WeakKeyDictionary()
        self._histogram: tuple[ApplicationSignals, Histogram] | None = None

    def connection(self, session: Any) -> Connection | None:
        """Return the connection of a session; None if it is not known."""
        return self._transports.of(_stream(session))

    def session_id(self, session: Any) -> str | None:
        """Return the id that the server has given a session; None if it has none."""
        return self._transports.session_id(_stream(session))

    def version(self, session: Any) -> str | None:
        """Return the version of the protocol that client and server have agreed on; None before they have."""
        version = string(getattr(session, "_negotiated_version", None))  # of mcp 2
        known = self._known.get(session)
        return version or (None if known is None else known.version)

    def initialized(self, session: Any, result: Any) -> str | None:
        """Keep and return the version of the protocol that the result of `initialize` has."""
        version = string(member(result, "protocolVersion")) or string(member(result, "protocol_version"))
        self._of(session).version = version
        return version

    def entering(self, session: Any) -> None:
        """Keep when a session is entered."""
        self._of(session).started = perf_counter()

    def left(self, session: Any, used: ApplicationSignals | None, error: BaseException | None) -> None:
        """Record how long a session has lasted, with the exception that it was left with, if it was."""
        known = self._known.get(session)
        if known is None or known.started is None:
            return
        seconds, known.started = perf_counter() - known.started, None
        if used is None:
            return
        record(self._instrument(used), seconds, self._attributes(session, error), get_current())

    def _attributes(self, session: Any, error: BaseException | None) -> dict[str, Attribute]:
        connection, version = self.connection(session), self.version(session)
        found: dict[str, Attribute | None] = {names.MCP_PROTOCOL_VERSION: version}
        if connection is not None:
            found |= of_connection(connection)
        if error is not None:
            found[names.ERROR_TYPE] = raised(error).measured
        return {name: value for name, value in found.items() if value is not None}

    def _instrument(self, used: ApplicationSignals) -> Histogram:
        if self._histogram is None or self._histogram[0] is not used:
            made = used.signals.meter.create_histogram(
                names.METRIC_MCP_SESSION_DURATION,
                "s",
                "Duration of a session with an MCP server, as its client sees it.",
                explicit_bucket_boundaries_advisory=[*MCP_SECONDS],
            )
            self._histogram = used, made
        return self._histogram[1]

    def _of(self, session: Any) -> _Session:
        return self._known.setdefault(session, _Session())


def _stream(session: Any) -> Any:
    """Return the stream that a session writes to; None if it has none."""
    holder = getattr(session, "_dispatcher", session)  # mcp 2, and 1
    return getattr(holder, "_write_stream", None)


def of_connection(connection: Connection) -> Mapping[str, Attribute | None]:
    """Return the attributes of a connection that span and metrics share."""
    address = connection.host and connection.port
    return {
        names.NETWORK_TRANSPORT: connection.transport,
        names.NETWORK_PROTOCOL_NAME: connection.protocol,
        names.SERVER_ADDRESS: connection.host if address else None,
        names.SERVER_PORT: connection.port if address else None,
    }

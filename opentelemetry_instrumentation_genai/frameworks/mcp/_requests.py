"""The requests of a client session: each is one operation, from its sending to its result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.trace import get_current_span

from ..._adapter.client_servers import Server
from ..._adapter.fields import member, members, string
from ..._conventions import names
from ..._operations.endpoints import RESULT
from ..._operations.framework_run import FrameworkRun
from ..._operations.operation import reads_input
from ..._runtime.guard import guarded
from ._endpoints import REQUEST, TOOL_CALL, WITHIN_TOOL
from ._sessions import of_connection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context.context import Context
    from opentelemetry.trace import Span, SpanContext

    from ..._signals.application import ApplicationSignals
    from ._sessions import Sessions

_CLOSED = (-32000, "Connection closed")  # the SDK itself raises this, in the form of an error of the server


class McpRequest(FrameworkRun):
    """One request of a client session.

    Args:
        session: the client session.
        sessions: what is known of it.
        given: the method and the parameters, as `described` returns them.
        used: the signals that record it.
        propagates: whether the server gets the context of the trace.

    Attributes:
        propagates: as given.
        outer: the context around it.
        sending: whether the SDK has not begun to send it.
        injecting: whether the SDK is about to write the context of the trace into it.
    """

    def __init__(
        self, session: Any, sessions: Sessions, given: dict[str, Any], used: ApplicationSignals, propagates: bool
    ) -> None:
        self.propagates = propagates
        self.sending, self.injecting = True, False
        self.outer: Context | None = None
        self._session, self._sessions = session, sessions
        self._initializes = given["method"] == "initialize"
        endpoint, span = REQUEST, None
        if given["method"] == "tools/call":
            span = _span_of_tool(given.get("tool"))
            endpoint = TOOL_CALL if span is None else WITHIN_TOOL
        if not reads_input(endpoint, used):
            given.pop("arguments", None)
        self._connection = connection = sessions.connection(session)
        server = (
            Server("", 0, "", propagates)
            if connection is None
            else Server(connection.host, connection.port, "", propagates)
        )
        super().__init__(endpoint, {**given, **self._known()}, used, server, span)

    @property
    def span_context(self) -> SpanContext | None:
        """Return what identifies the span of the request; None where it is not followed."""
        return None if self._call is None else self._call.span.get_span_context()

    @property
    def context(self) -> Context | None:
        """Return the context with the span of the request; None where it is not followed."""
        return None if self._call is None else self._call.context

    def _within(self, outer: Context) -> Context:
        self.outer = outer
        return super()._within(outer)

    def identify(self, request_id: object) -> None:
        """Record the id of the request, which the SDK has chosen."""
        identity = string(request_id)
        if self._call is not None and identity is not None:
            self._call.add_attributes({names.JSONRPC_REQUEST_ID: identity})

    @guarded
    def answered(self, result: Any) -> None:
        """Take the result of the request."""
        self._response[RESULT] = result
        if self._call is not None and self._initializes:
            version = self._sessions.initialized(self._session, result)
            self._call.add_identity({} if version is None else {names.MCP_PROTOCOL_VERSION: version})

    def __exit__(self, *error: object) -> None:
        self._ending(error[1] if len(error) > 1 else None)
        super().__exit__(*error)
        self._session = self._connection = self.outer = None

    @guarded
    def _ending(self, error: object) -> None:
        """Add what was not known at the start, and take the error that the server has answered with."""
        if error is not None:
            self._response["error"] = _error(error)
        call, connection = self._call, self._sessions.connection(self._session)
        if call is None or connection is None:
            return
        if self._connection is None:
            call.add_identity({name: value for name, value in of_connection(connection).items() if value is not None})
        session_id = self._sessions.session_id(self._session)
        if session_id is not None and "session_id" not in self._given:
            call.add_attributes({names.MCP_SESSION_ID: session_id})

    def _known(self) -> Mapping[str, Any]:
        """Return what is known of the session."""
        connection = self._connection
        found = {"protocol_version": self._sessions.version(self._session)}
        if connection is not None:
            found |= {"transport": connection.transport, "protocol": connection.protocol}
            found["session_id"] = self._sessions.session_id(self._session)
        return {name: value for name, value in found.items() if value is not None}


def described(request: Any) -> dict[str, Any]:
    """Return the method and the parameters of a request.

    Args:
        request: a model of the SDK; mcp 1 has another one around it.
    """
    request = member(request, "root") or request
    method, params = string(member(request, "method")), members(member(request, "params"))
    found: dict[str, Any] = {"method": method or "unknown", "arguments": params.get("arguments")}
    name = string(params.get("name"))
    if method == "tools/call":
        found["tool"] = name
    elif method == "prompts/get":
        found["prompt"] = name
    elif method == "completion/complete":
        found["prompt"] = string(member(params.get("ref"), "name"))
    if "uri" in params:
        found["uri"] = str(params["uri"])
    return {name: value for name, value in found.items() if value is not None}


def _span_of_tool(name: object) -> Span | None:
    """Return the current span, if that is of the same execution of a tool: of ours, or of another instrumentation.

    Frameworks put the name of the server before that of its tool.
    """
    span = get_current_span()
    attributes = getattr(span, "attributes", None) or {}
    outer = attributes.get(names.TOOL_NAME)
    if (
        not isinstance(outer, str)
        or not isinstance(name, str)
        or attributes.get(names.OPERATION_NAME) != "execute_tool"
        or names.MCP_METHOD_NAME in attributes  # that of another request, such as the one that this server answers
        or not span.is_recording()
    ):
        return None
    before = outer.removesuffix(name)
    return span if outer.endswith(name) and not before[-1:].isalnum() else None


def _error(error: object) -> Mapping[str, Any]:
    """Return the error that an exception of the SDK stands for: by its code, if the server has sent one. Empty for any other exception."""
    found = member(error, "error")
    code, message = member(found, "code"), member(found, "message")
    if isinstance(getattr(error, "__context__", None), TimeoutError):
        return {"type": "timeout"}
    if (code, message) == _CLOSED:
        return {"type": "connection_closed"}
    return {} if code is None else {"code": code}

"""The seam of the SDKs in which all calls go through `client.request`: openai, anthropic, and others of the same generator.

Three methods are wrapped, sync and async: `request` is the call, `_process_response` sees its HTTP response, and the streams'
`__stream__` makes the events of a body for all code that reads them.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from opentelemetry.context import get_current

from .._adapter.client_servers import Servers
from .._adapter.fields import LONGEST, Attribute, as_sent, member
from .._adapter.json_text import read_body, read_json
from .._adapter.request_bodies import mapping
from .._adapter.unknown_servers import UnknownServer
from .._application.capture_content import capture_in
from .._call.call import Call
from .._conventions.names import HTTP_REQUEST_RESEND_COUNT, HTTP_RESPONSE_STATUS_CODE
from .._runtime.guard import guarded, observed, transformed
from .._stream.body import Body, body_of
from .funnel import Funnel, provider_of
from .http_exchange import Exchange, call_of, secrets_in, unparsed
from .request_iterators import without_iterators
from .routes import input_of
from .seam import async_following, following
from .usage_injection import UsageInjection, with_options

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .._adapter.endpoint import Endpoint
    from .._adapter.unknown_servers import Signs
    from .._signals.signals import Signals
    from .event_streams import EventStreams
    from .other_instrumentations import Others
    from .patch import Patches
    from .propagation import Propagation
    from .seam import Scope

_LONGEST = 1 << 20  # characters of a text that is looked at for JSON
_RETRY_COUNT_HEADER = "x-stainless-retry-count"


class Native(Protocol):
    """The SDK's own tracing."""

    def start(self) -> None:
        """Take over the SDK's spans."""

    def stop(self) -> None:
        """Stop taking over the SDK's spans."""

    def spans(self, client: Any, options: Any, /) -> bool:
        """Return whether the SDK makes the span of a call."""
        ...


@dataclass(frozen=True)
class StainlessSdk:
    """One SDK of the family.

    Attributes:
        package: its name.
        endpoints: (method, path with `{name}` for ids) -> endpoint.
        provider: client, host and port -> `gen_ai.provider.name`.
        headers: (response header, attribute) pairs, the provider's id of the request among them.
        sure: client, host and port -> whether the provider is known, and not only a default.
        signs: how servers that `provider` does not know are identified from their responses.
        start_attributes: client and options -> attributes that are known at the start and are not in the body, if there are any.
            No sampler wants them.
        native: its own tracing, if it has any.
        lazy_bodies: whether iterators may be left in a body, which it reads only when it sends.
        event_streams: what its `stream()` methods return.
        line_decoders: (module, class) pairs, below the package, of what makes values of the lines of a response, in `__decode__`.
    """

    package: str
    endpoints: Mapping[tuple[str, str], Endpoint]
    provider: Callable[[Any, str, int], str]
    headers: Sequence[tuple[str, str]] = ()
    sure: Callable[[Any, str, int], bool] = lambda *_server: True
    signs: Signs | None = None
    start_attributes: Callable[[Any, Any], Mapping[str, Attribute]] | None = None
    native: Native | None = None
    lazy_bodies: bool = False
    event_streams: EventStreams | None = None
    line_decoders: Sequence[tuple[str, str]] = ()


class Stainless(Funnel):
    """How one SDK of the family is followed.

    Args:
        sdk: the SDK.
        signals: makes what records the calls.
        others: the other instrumentations of the SDK, which report some of its calls.
        propagation: which servers receive the trace in headers, if any does.
    """

    def __init__(
        self, sdk: StainlessSdk, signals: Signals, others: Others | None = None, propagation: Propagation | None = None
    ) -> None:
        super().__init__("request", sdk.endpoints, signals, others, propagation)
        self._event_streams = sdk.event_streams
        self._package = sdk.package
        self._line_decoders = sdk.line_decoders
        self._headers = {name.encode(): attribute for name, attribute in sdk.headers}
        self._start_attributes = sdk.start_attributes
        self._signs = sdk.signs
        self._unknown_servers: dict[tuple[str, int, str], UnknownServer] = {}
        self._native = sdk.native
        self._usage_injection = UsageInjection() if signals.injects_usage else None
        self._lazy = sdk.lazy_bodies
        self._servers = Servers(sdk.provider, self._propagates_to, self._unknown_server, sdk.sure)

    def targets(self) -> list[tuple[str, str, Callable[..., Any]]]:
        """Return the (module, `Class.method`, wrapper) rows of what is patched."""
        client, streams = self._package + "._base_client", self._package + "._streaming"
        answered, events = observed(self.answered), transformed(self.events)
        return [
            (client, "SyncAPIClient.request", following(self)),
            (client, "AsyncAPIClient.request", async_following(self)),
            (client, "SyncAPIClient._process_response", answered),
            (client, "AsyncAPIClient._process_response", answered),
            (streams, "Stream.__stream__", events),
            (streams, "AsyncStream.__stream__", events),
            *((f"{self._package}.{module}", f"{kind}.__decode__", events) for module, kind in self._line_decoders),
        ]

    def start(self, patches: Patches) -> None:
        """Start what else follows the SDK; called when the targets are patched."""
        super().start(patches)
        if self._native is not None:
            self._native.start()
        if self._event_streams is not None:
            self._event_streams.start()

    def stop(self) -> None:
        """Stop it; called before the targets are unpatched."""
        super().stop()
        _stop(self._event_streams)
        _stop(self._native)

    # The steps of a call.

    @guarded
    def begin(self, scope: Scope) -> None:
        """Start the call, if its endpoint is followed, and set the arguments that the SDK gets."""
        client = scope.client
        options = _options(scope.args, scope.kwargs)
        context = get_current()
        endpoint, ids = self._find(client, options.method, options.url, context)
        if endpoint is None:
            return
        if self._lazy and self._signals.reads_input(capture_in(context), endpoint.kind):
            options = _replace_options(scope, options, without_iterators(options))  # once: it reads the iterators
        body = input_of(endpoint, ids, options.json_data, options.extra_json, options.params)
        server = self._server(client, options.url)
        streamed = scope.kwargs.get("stream") is True
        request = self._request(endpoint, server, body, context, stream=streamed or body.get("stream") is True)
        if self._is_recorded_above(request, context):
            return
        adopts = self._native is not None and self._native.spans(client, options)
        scope.call = call = Call(self._signals, request, context, Exchange(client))
        call.running = True
        call.start(adopts)
        if self._start_attributes is not None and (call.detailed or adopts):
            _add_attributes(call, self._start_attributes, client, options)
        if server.propagates and not adopts:  # else the SDK propagates its own span
            options = _replace_options(scope, options, self._propagated(call, client, options) or options)
        if self._usage_injection is not None and streamed:
            self._usage_injection.inject(scope, call, options, body, request.provider)

    def sends_again(self, scope: Scope, error: BaseException) -> bool | None:
        """Return whether the caller's own request is to be sent, because the server refused what was injected into it."""
        call, injection = scope.call, self._usage_injection
        if injection is None or call is None or not isinstance(error, Exception):
            return False
        return injection.sends_again(scope, call.exchange, error)

    def received(self, scope: Scope) -> None:
        """Remember a server that refused what was injected."""
        call = scope.call
        if self._usage_injection is not None and call is not None and call.exchange.refused:
            self._usage_injection.remember(scope.client)

    def answered(self, client: Any, kwargs: Any) -> None:
        """Read an HTTP response before `_process_response`, and follow its body if that is unread."""
        call, response = call_of(client), kwargs["response"]
        if call is None:
            self._repair(client, kwargs["options"].method, kwargs["options"].url)
            return
        exchange: Exchange = call.exchange
        if response.is_success:
            if kwargs.get("stream") or not response.is_closed:
                if body_of(response) is not None:
                    return  # it is followed already
                Body(call, response, exchange.injected)
            else:
                exchange.received = response
        exchange.sent = response.request
        call.secrets = secrets_in(response.request)
        self._look_at(call, response, kwargs.get("retries_taken"))

    def events(self, chunks: Any, stream: Any) -> Any:
        """Return the chunks of `__stream__` or `__decode__`, followed."""
        body = body_of(getattr(stream, "response", None) or getattr(stream, "http_response", None))
        return chunks if body is None else body.events(chunks, stream)

    @guarded
    def end(self, call: Call, result: Any, error: BaseException | None) -> None:
        """End a call with what the SDK returned or raised, unless its response is read later."""
        if error is not None:
            self._read_failure(call, error)
            response = unparsed(call)
            call.running = False
            call.fail(error, response)
            return
        call.running = False
        if not call.open:
            call.succeed(_response(result, call))
        elif call.early:
            call.finish()

    # What they do.

    def _base(self, client: Any) -> Any:
        """Return the base URL of a client."""
        return client.base_url

    def provider_of(self, client: Any) -> str:
        """Return the provider of a client, as its next call has it."""
        return provider_of(self._server(client, ""))

    def _unknown_server(self, client: Any, host: str, port: int, provider: str) -> UnknownServer | None:
        """Return what identifies a server's provider from its responses, if nothing else does: one for each address."""
        if self._signs is None or not self._signs.unknown(client, host, port):
            return None
        if len(self._unknown_servers) >= 256:
            self._unknown_servers.clear()
        return self._unknown_servers.setdefault(
            (host, port, client.base_url.path), UnknownServer(provider, self._signs)
        )

    def _propagates_to(self, client: Any, host: str, port: int) -> bool:
        """Return whether the trace context is propagated to a server."""
        return super()._propagates_to(client, host, port) and not _signs(client)

    @guarded
    def _propagated(self, call: Call, client: Any, options: Any) -> Any:
        """Return a copy of the options with headers that propagate the call's span; the options, if there are none."""
        assert self._propagation is not None
        given = mapping(options.headers)
        added = self._propagation.headers(call, client._client, given, client.default_headers, client._client.headers)
        if not added:
            return options
        copied = copy.copy(options)
        copied.headers = {**given, **added}
        return copied

    def _look_at(self, call: Call, response: Any, retries: Any) -> None:
        """Read what is recorded of an HTTP response besides its body."""
        if call.unknown_server is not None:
            call.identify_by_headers(response.headers)
        if call.detailed:
            call.http_attributes = self._http_attributes(response, retries)
        call.answered(response.headers)

    def _http_attributes(self, response: Any, retries: Any) -> dict[str, Attribute]:
        """Return the attributes of an HTTP response besides its body: status, headers and number of retries."""
        found: dict[str, Attribute] = {HTTP_RESPONSE_STATUS_CODE: as_sent(response.status_code)}
        for name, value in response.headers.raw:
            attribute = self._headers.get(name.lower())
            if attribute is not None and value:
                found[attribute] = value[:LONGEST].decode("latin-1")
        return {**found, **_resent(response.request if retries is None else None, retries)}

    @guarded
    def _read_failure(self, call: Call, error: BaseException) -> None:
        """Read what is recorded of a failure besides the exception: the request, and the response that the SDK raised for."""
        exchange: Exchange = call.exchange
        client, request, response = exchange.client, member(error, "request"), member(error, "response")
        keys = getattr(client, "api_key", None), getattr(client, "auth_token", None)
        call.secrets = secrets_in(request or member(error, "_request") or exchange.sent, *keys)
        if response is not None and response is exchange.received:
            return  # it was answered, and the SDK fails to parse that
        if response is not None or request is not None:
            exchange.received = None  # that of an earlier attempt, if there is one
        if response is not None:
            self._look_at(call, response, None)
        else:
            call.http_attributes = _resent(request, None) or call.http_attributes


@guarded
def _add_attributes(call: Call, read: Callable[[Any, Any], Mapping[str, Attribute]], client: Any, options: Any) -> None:
    call.add_attributes(read(client, options))


@guarded
def _stop(part: Native | EventStreams | None) -> None:
    """Stop one part; guarded separately, so that a failure does not prevent the others."""
    if part is not None:
        part.stop()


def _options(args: Any, kwargs: Any) -> Any:
    """Return the options of a request, from the arguments of `request`."""
    return args[1] if len(args) > 1 else kwargs.get("options")


def _replace_options(scope: Scope, given: Any, options: Any) -> Any:
    """Replace the options that the SDK gets, if they are not the `given` ones. Return them."""
    if options is not given:
        scope.args, scope.kwargs = with_options(options, scope.args, scope.kwargs)
    return options


def _signs(client: Any) -> bool:
    """Return whether a client signs its headers, as those of AWS do: an HTTP instrumentation that replaces one breaks that."""
    runtime = getattr(getattr(client, "_provider_runtime", None), "name", None)
    names = [kind.__name__ for kind in type(client).__mro__]
    return runtime == "bedrock" or any("AWS" in name or "Bedrock" in name for name in names)


def _resent(request: Any, retries: Any) -> dict[str, Attribute]:
    """Return how often the request was sent again. SDKs that pass no count send it in a header of the final attempt."""
    if retries is None and request is not None:
        count = request.headers.get(_RETRY_COUNT_HEADER)
        retries = int(count) if count and count.isdigit() else None
    return {HTTP_REQUEST_RESEND_COUNT: retries} if retries else {}


@guarded
def _response(result: Any, call: Call) -> Any:
    """Return the response of a plain call: the SDK's model, or the JSON of a raw response with its body in memory, or of a text.

    Of JSON, members that nothing reads are omitted.
    """
    if type(result) is str and result[:1] == "{" and len(result) <= _LONGEST:
        return read_json(result.encode("utf-8", "replace"), call.unread) or result
    members = getattr(result, "__dict__", {})
    raw = members.get("http_response", result if "_content" in members else None)
    return result if raw is None else read_body(raw.content, call.unread, text=call.endpoint.reads_text)

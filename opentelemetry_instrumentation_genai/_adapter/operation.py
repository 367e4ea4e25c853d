"""The interface between adapters, seams and calls: the operations of an adapter, and a request as a seam describes it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from .._conventions.names import (
    OLLAMA_EVAL_DURATION,
    OLLAMA_LOAD_DURATION,
    OLLAMA_PROMPT_EVAL_DURATION,
    OLLAMA_TOTAL_DURATION,
    OPERATION_NAME,
    OUTPUT_MESSAGES,
    PROVIDER_NAME,
    REQUEST_MODEL,
    RESPONSE_MODEL,
    SERVER_ADDRESS,
    SERVER_PORT,
    USAGE_INPUT_TOKENS,
    USAGE_OUTPUT_TOKENS,
)
from .fields import only, string, without

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from .._conventions.capture_modes import Capture
    from .._conventions.generations import Generation
    from .failure import Failure
    from .fields import Attribute, Table
    from .hosts import Server
    from .server_timings import Timings

_MEASURED = frozenset(
    {
        OLLAMA_EVAL_DURATION,
        OLLAMA_LOAD_DURATION,
        OLLAMA_PROMPT_EVAL_DURATION,
        OLLAMA_TOTAL_DURATION,
        RESPONSE_MODEL,
        USAGE_INPUT_TOKENS,
        USAGE_OUTPUT_TOKENS,
    }
)

Content: TypeAlias = "dict[str, Any]"
"""Attribute of content (`gen_ai.input.messages`, ...) -> its value by the JSON schema of the conventions, or any JSON value."""


class Accumulator(Protocol):
    """Puts the chunks of a stream together into the shape that the plain response would have had."""

    def add(self, chunk: Any, /) -> None:
        """Take one chunk, an SDK's model or a JSON object."""

    def result(self) -> dict[str, Any]:
        """Return the response as far as it was received."""
        ...


@dataclass(frozen=True)
class StreamUsage:
    """How the usage of a stream is requested, and what that adds to the stream.

    Attributes:
        member: the member of a chunk that holds the usage; null in chunks without usage, if it was requested.
        asked: request body -> the members that request usage, sent in place of the caller's; None if no change is needed.
        unasked: providers that send usage without a request for it.
        refused: texts that occur in the body of a response that refuses these members.
        withheld: chunk, and headers of the response -> whether it was sent only because usage was requested.
        last: chunk -> whether it could have been the last one, had usage not been requested.
        moved: headers of the response -> members that the withheld chunk has in place of the last one.
    """

    member: str
    asked: Callable[[Mapping[str, Any]], dict[str, Any] | None]
    unasked: frozenset[str]
    refused: Sequence[bytes]
    withheld: Callable[[Any, Mapping[str, str]], bool]
    last: Callable[[Any], bool]
    moved: Callable[[Mapping[str, str]], Sequence[str]]


class Billing(NamedTuple):
    """What the price of a response depends on besides its attributes.

    Attributes:
        amounts: how many of what is billed and is no attribute, by the names of `_units`, and `total_tokens`.
        terms: what the price depends on: name -> value, such as a speed.
        beside: (model, attributes) of usages that are billed beside the response's own; None for the same model.
        listed: whether the cost of such a response can be computed from a public list of prices.
    """

    amounts: Mapping[str, int] = MappingProxyType({})
    terms: Mapping[str, str] = MappingProxyType({})
    beside: Sequence[tuple[str | None, Mapping[str, Attribute]]] = ()
    listed: bool = True


NO_MORE = Billing()
"""Nothing besides."""


@dataclass(frozen=True)
class Operation:
    """One endpoint of a provider, as data and pure functions.

    Attributes:
        name: `gen_ai.operation.name`.
        request: request attributes, read from the body.
        response: response attributes, read from the response.
        measured: the response attributes that metrics need; no others are read if only metrics are recorded.
        constants: attributes that every call of the endpoint has.
        finish_reasons: response, and whether it was streamed -> one reason for each choice.
        input_content: request body -> input messages, system instructions, tool definitions.
        output_content: response, and its finish reasons -> output messages.
        failure: response -> the failure that it reports without the SDK raising it.
        messages: the member of the body that has the messages.
        billing: response -> what its price depends on besides its attributes.
        timings: response, and the measured attributes of it -> the times that the server reports, if it does.
        accumulator: for endpoints that stream: whether messages are wanted, or only what the attributes need -> a new one.
        stream_usage: for endpoints that stream usage only on request: how it is requested.
        unread: members of a response that nothing reads, and that may be large, such as vectors.
        details: whether the operation has messages, and so a details event.
        counted: response attributes that metrics need besides those that they always do.
        measured_values: response attributes that metrics have as well -> the values of them that do; any other is left out there,
            so that no server makes series without end.
        counts_usage: response, and whether an id is seen for the first time -> whether its usage is the call's to count. Several
            calls may see the usage of one response.
        says_stream: whether its spans have `gen_ai.request.stream`.
        methods: the methods of the SDK that make such calls, as `module:Class.method` below the SDK's package: where other
            instrumentations have their wrappers.
    """

    name: str
    request: Table
    response: Table
    constants: Mapping[str, Attribute] = dataclasses.field(default_factory=dict)
    finish_reasons: Callable[[Any, bool], list[str]] = lambda _response, _streamed: []
    input_content: Callable[[Mapping[str, Any]], Content] = lambda _body: {}
    output_content: Callable[[Any, Sequence[str]], Content] = lambda _response, _reasons: {}
    failure: Callable[[Any], Failure | None] = lambda _response: None
    timings: Callable[[Any, Mapping[str, Attribute]], Timings | None] = lambda _response, _found: None
    messages: str = "messages"
    billing: Callable[[Any], Billing] = lambda _response: NO_MORE
    accumulator: Callable[[bool], Accumulator] | None = None
    stream_usage: StreamUsage | None = None
    unread: frozenset[str] = frozenset()
    details: bool = True
    counted: frozenset[str] = frozenset()
    measured_values: Mapping[str, frozenset[str]] = dataclasses.field(default_factory=dict)
    counts_usage: Callable[[Any, Callable[[str], bool]], bool] | None = None
    says_stream: bool = True
    methods: tuple[str, ...] = ()
    measured: Table = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "measured", only(self.response, _MEASURED | self.counted | self.measured_values.keys())
        )

    def of(self, generation: Generation, needed: frozenset[str] = frozenset()) -> Operation:
        """Return the operation without the attributes that a generation of the conventions does not have.

        Args:
            generation: of the conventions.
            needed: response attributes that are read even if only metrics are recorded.
        """
        return dataclasses.replace(
            self,
            response=without(self.response, generation.missing),
            counted=generation.counted | needed,
            output_content=_without_members(self.output_content, generation.missing_in_messages),
        )


def _without_members(
    output_content: Callable[[Any, Sequence[str]], Content], missing: Collection[str]
) -> Callable[[Any, Sequence[str]], Content]:
    """Return a reader of output messages that removes some of their members."""
    if not missing:
        return output_content

    def content(response: Any, reasons: Sequence[str]) -> Content:
        attributes = output_content(response, reasons)
        for message in attributes.get(OUTPUT_MESSAGES, ()):
            for name in missing:
                message.pop(name, None)
        return attributes

    return content


class Request(NamedTuple):
    """One request, as a seam describes it.

    Attributes:
        operation: the endpoint's operation.
        provider: `gen_ai.provider.name`.
        address: host of the server, if known.
        port: port of the server, if known.
        body: the request's body; for a request without one, its parameters.
        stream: whether a streamed response was requested.
        capture: the content capture that a block of code around the call sets, if one does.
        attribution: attributes by which the application attributes the call to a user, a session and the like.
        server: the server of the request, if known.
    """

    operation: Operation
    provider: str
    address: str | None
    port: int | None
    body: Mapping[str, Any]
    stream: bool
    capture: Capture | None = None
    attribution: Mapping[str, Attribute] = MappingProxyType({})
    server: Server | None = None

    def identity(self) -> dict[str, Attribute]:
        """Return the attributes that span and metrics share, as far as they are known at the start."""
        known: dict[str, Attribute] = {OPERATION_NAME: self.operation.name, PROVIDER_NAME: self.provider}
        model = string(self.body.get("model"))
        if model is not None:
            known[REQUEST_MODEL] = model
        if self.address and self.port:
            known[SERVER_ADDRESS] = self.address
            known[SERVER_PORT] = self.port
        return known

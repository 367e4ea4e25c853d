"""One endpoint of a provider's API, as an adapter describes it: data and pure functions."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from .._conventions.names import OUTPUT_MESSAGES, RESPONSE_MODEL, USAGE_INPUT_TOKENS, USAGE_OUTPUT_TOKENS
from .billing import NO_MORE
from .fields import only, string, without

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from .._conventions.generations import Generation
    from .._conventions.operation_kinds import OperationKind
    from .billing import Billing
    from .failure import Failure
    from .fields import Attribute, Table
    from .results import Results
    from .server_timings import Timings
    from .stream_usage import StreamUsage

_MEASURED = frozenset({RESPONSE_MODEL, USAGE_INPUT_TOKENS, USAGE_OUTPUT_TOKENS})

Content: TypeAlias = "dict[str, Any]"
"""Attribute of content (`gen_ai.input.messages`, ...) -> its value by the JSON schema of the conventions, or any JSON value."""


class Accumulator(Protocol):
    """Puts the chunks of a stream together into the shape that the plain response would have had."""

    def add(self, chunk: Any, /) -> None:
        """Take one chunk, an SDK's model or a JSON object."""

    def result(self) -> dict[str, Any]:
        """Return the response as far as it was received."""
        ...


def _model_of_body(body: Mapping[str, Any]) -> str | None:
    return string(body.get("model"))


@dataclass(frozen=True)
class Endpoint:
    """One route of a provider's API.

    Attributes:
        kind: the kind of operation that its calls are.
        request: request attributes, read from the input.
        response: response attributes, read from the response.
        form: plain response as received -> the form that all members here read, and that the accumulator makes: for an API that
            differs from another one in form.
        measured: the response attributes that metrics need; no others are read if only metrics are recorded.
        constants: attributes that every call of the endpoint has.
        identity: attributes that span and metrics share, besides provider, model and server, read from the input.
        input: where the input of a call is: in the body of the request, or in its parameters. Ids in the path are in both.
        model: input -> the model that the request names.
        finish_reasons: response, and whether it was streamed -> one reason for each choice.
        input_content: input -> input messages, system instructions, tool definitions.
        output_content: response, and its finish reasons -> output messages.
        failure: response -> the failure that it reports without the SDK raising it.
        messages: the member of the input that has the messages.
        billing: response -> what its price depends on besides its attributes.
        timings: response, and the measured attributes of it -> the times that the server reports, if it does.
        accumulator: for endpoints that stream: whether messages are needed, or only what the attributes need -> a new one.
        stream_usage: for endpoints that stream usage only on request: how it is requested.
        unread: members of a response that nothing reads, and that may be large, such as vectors.
        for_messages: members of a response that messages alone are made of, and that may be large, such as images.
        reads_text: whether a response may be a text that is no JSON.
        timed: response attributes that `timings` needs.
        counted: response attributes that metrics need besides those that they always do.
        measured_values: response attributes that metrics have as well -> the values of them that do; any other is left out there,
            so that no server makes series without end.
        counts_usage: response, and whether an id is seen for the first time -> whether its usage is the call's to count. Several
            calls may see the usage of one response.
        task: the attribute with the id of what the server does after the call that creates it: a background response, a batch.
        creates_task: response -> whether such a task was created.
        results: for endpoints that stream results of earlier inferences, each with a usage of its own: how they are read.
        lines: whether a response that is streamed has a JSON value in each line, and is no stream of server-sent events.
        methods: the methods of the SDK that make such calls, as `module:Class.method` below the SDK's package: where other
            instrumentations have their wrappers.
    """

    kind: OperationKind
    request: Table
    response: Table
    constants: Mapping[str, Attribute] = dataclasses.field(default_factory=dict)
    identity: Table | None = None
    input: Literal["body", "parameters"] = "body"
    model: Callable[[Mapping[str, Any]], str | None] = _model_of_body
    finish_reasons: Callable[[Any, bool], list[str]] = lambda _response, _streamed: []
    input_content: Callable[[Mapping[str, Any]], Content] = lambda _body: {}
    output_content: Callable[[Any, Sequence[str]], Content] = lambda _response, _reasons: {}
    failure: Callable[[Any], Failure | None] = lambda _response: None
    timings: Callable[[Any, Mapping[str, Attribute]], Timings | None] = lambda _response, _found: None
    messages: str = "messages"
    billing: Callable[[Any], Billing] = lambda _response: NO_MORE
    form: Callable[[Any], Any] | None = None
    accumulator: Callable[[bool], Accumulator] | None = None
    stream_usage: StreamUsage | None = None
    unread: frozenset[str] = frozenset()
    for_messages: frozenset[str] = frozenset()
    reads_text: bool = False
    timed: frozenset[str] = frozenset()
    counted: frozenset[str] = frozenset()
    measured_values: Mapping[str, frozenset[str]] = dataclasses.field(default_factory=dict)
    counts_usage: Callable[[Any, Callable[[str], bool]], bool] | None = None
    task: str | None = None
    creates_task: Callable[[Any], bool] | None = None
    results: Results | None = None
    lines: bool = False
    methods: tuple[str, ...] = ()
    measured: Table = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        measured = _MEASURED | self.timed | self.counted | self.measured_values.keys()
        object.__setattr__(self, "measured", only(self.response, measured))

    def called_by(self, module: str, kind: str, method: str = "create") -> Endpoint:
        """Return the endpoint with the methods of the SDK that make its calls, the synchronous and the asynchronous one.

        Args:
            module: of the SDK's resources, such as `chat.completions`.
            kind: the class, such as `Completions`; the asynchronous one has the prefix `Async`.
            method: its method.
        """
        path = f"resources.{module}"
        return dataclasses.replace(self, methods=(f"{path}:{kind}.{method}", f"{path}:Async{kind}.{method}"))

    def of(self, generation: Generation, needed: frozenset[str] = frozenset(), *, reads_all: bool = False) -> Endpoint:
        """Return the endpoint without the attributes that a generation of the conventions does not have.

        Args:
            generation: of the conventions.
            needed: response attributes that are read even if only metrics are recorded.
            reads_all: whether all members of a response are read.
        """
        return dataclasses.replace(
            self,
            response=without(self.response, generation.missing),
            counted=generation.counted | needed,
            output_content=_without_members(self.output_content, generation.missing_in_messages),
            unread=frozenset() if reads_all else self.unread,
            for_messages=frozenset() if reads_all else self.for_messages,
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

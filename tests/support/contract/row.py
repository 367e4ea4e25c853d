"""The rows."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from loopback import Reply

Attributes = Mapping[str, Any]


def given(**arguments: Any) -> Callable[[Any], dict[str, Any]]:
    """The same arguments for every call, in objects of its own each time."""
    return lambda _client: deepcopy(arguments)


@dataclass(frozen=True)
class Row:
    """One operation, called by one method of the SDK.

    Attributes:
        id: what the test is called.
        method: where the method is, from the client on: `chat.completions.create`.
        arguments: client -> keywords of a plain call, new ones for each.
        span: the name of the span.
        request: attributes that the request gives, those that every call of the provider has left out.
        style: how it is read: a `call` has all raw variants, `lines` are values of a body, a `helper` is a context manager, a
            `message helper` one that also has the text by itself, `generator` is one with a generator as its stream, `wrapped` one
            whose SDK makes something of its own of what it gets, without raw variants, `bytes` a call with a body that is no JSON, `by hand` is none of them.
        plain: the reply to a plain call, if there is one.
        response: attributes that it gives.
        streamed: the reply to a streamed call, if there is one.
        stream_arguments: keywords that a streamed call has besides.
        stream_response: attributes that the stream gives.
        chunks: how many chunks it has.
        late_model: whether only its last chunk names the model, too late for the time of each chunk.
        content: attributes of content that the request gives, as values.
        output: those that a plain response gives.
        stream_output: those that a stream gives; the same as a plain response if not given.
        details: whether the operation has messages, and so a details event.
        results: the usage of each result of an earlier inference that a stream has: model, input and output tokens.
        timings: the metrics that come of what the server says of its own time, plain and streamed.
    """

    id: str
    method: str
    arguments: Callable[[Any], dict[str, Any]]
    span: str
    request: Attributes
    style: str = "call"
    plain: Reply | None = None
    response: Attributes = field(default_factory=dict)
    streamed: Reply | None = None
    stream_arguments: Attributes = field(default_factory=lambda: {"stream": True})
    stream_response: Attributes = field(default_factory=dict)
    chunks: int = 0
    late_model: bool = False
    content: Attributes = field(default_factory=dict)
    output: Attributes = field(default_factory=dict)
    stream_output: Attributes | None = None
    details: bool = True
    results: Sequence[tuple[str, int, int]] = ()
    timings: Sequence[str] = ()

    def reply(self, *, stream: bool) -> Reply | None:
        """What the server answers."""
        return self.streamed if stream else self.plain

    def keywords(self, client: Any, *, stream: bool) -> dict[str, Any]:
        """The arguments of one call."""
        return {**self.arguments(client), **(deepcopy(dict(self.stream_arguments)) if stream else {})}

    def find(self, client: Any, access: str = "") -> Callable[..., Any] | None:
        """The method of a client, or of its `with_raw_response` or `with_streaming_response`; None where there is none."""
        *path, name = self.method.split(".")
        found = client
        for step in [*path, *([access] if access else []), name]:
            found = getattr(found, step, None)
            if found is None:
                return None
        return found  # type: ignore[no-any-return]

    def missing(self, client: Any, access: str = "", *, stream: bool) -> str:
        """What this SDK does not have for the row, in words; nothing where it has all of it."""
        method = self.find(client, access)
        if method is None:
            return f"this SDK has no {self.method} {access}".rstrip()
        parameters = inspect.signature(method).parameters
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
            return ""
        unknown = self.keywords(client, stream=stream).keys() - parameters.keys()
        return f"{self.method} of this SDK takes no {', '.join(sorted(unknown))}" if unknown else ""

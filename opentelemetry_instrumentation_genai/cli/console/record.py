"""A finished span, as far as it is shown. Of what is long there is only the beginning, so that many can be held."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from ..._conventions import names
from .messages import Message, messages_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.trace import ReadableSpan

_LONGEST = 300  # characters of a name or an attribute
_MOST = 20  # values of an attribute that has several
_KEPT = (
    "error.type",
    "http.response.status_code",
    "http.status_code",
    "http.url",
    "url.full",
    names.HTTP_REQUEST_RESEND_COUNT,
    names.MCP_METHOD_NAME,
    names.OPERATION_NAME,
    names.PROVIDER_NAME,
    names.REQUEST_MODEL,
    names.RESPONSE_FINISH_REASONS,
    names.RESPONSE_MODEL,
    names.RESPONSE_TIME_TO_FIRST_CHUNK,
    names.SERVER_ADDRESS,
    names.USAGE_CACHE_READ_INPUT_TOKENS,
    names.USAGE_CACHE_CREATION_INPUT_TOKENS,
    names.USAGE_CACHE_WRITE_INPUT_TOKENS,
    names.USAGE_COST,
    names.USAGE_INPUT_TOKENS,
    names.USAGE_OUTPUT_TOKENS,
    names.USAGE_REASONING_OUTPUT_TOKENS,
)


@dataclass(frozen=True)
class Record:
    """A finished span.

    Attributes:
        trace: the id of its trace, in hexadecimal.
        id: its own id.
        parent: that of the span around it; empty if there is none.
        remote: whether the span around it is of another process.
        name: its name.
        start: when it began, in nanoseconds since 1970.
        end: when it ended.
        failed: whether its status is an error.
        description: what its status says of the error.
        service: the name of the service.
        attributes: those that are shown, besides the content.
        messages: its captured content.
    """

    trace: str
    id: str
    parent: str
    remote: bool
    name: str
    start: int
    end: int
    failed: bool
    description: str
    service: str
    attributes: Mapping[str, Any]
    messages: tuple[Message, ...] = ()

    @property
    def seconds(self) -> float:
        """Its duration."""
        return max(self.end - self.start, 0) / 1e9

    @property
    def is_call(self) -> bool:
        """Whether it is an operation of GenAI or a request to an MCP server, and not what lies around it or below it."""
        return names.OPERATION_NAME in self.attributes or names.MCP_METHOD_NAME in self.attributes

    @property
    def is_model_call(self) -> bool:
        """Whether it is a request to a model's server, and no operation of the application's own code."""
        operation = self.attributes.get(names.OPERATION_NAME)
        is_asked = names.SERVER_ADDRESS in self.attributes or operation in _ALWAYS_ASKED
        return operation is not None and is_asked and names.MCP_METHOD_NAME not in self.attributes

    def number(self, name: str) -> float | None:
        """Return the value of an attribute if it is a number."""
        value = self.attributes.get(name)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)
        return value if is_number else None

    def text(self, name: str) -> str:
        """Return the value of an attribute as a text; empty if there is none."""
        value = self.attributes.get(name)
        return "" if value is None else str(value)


_ALWAYS_ASKED = ("chat", "text_completion", "generate_content", "embeddings")


def record_of(span: ReadableSpan) -> Record:
    """Return the record of a finished span of OpenTelemetry's SDK."""
    context, parent = span.get_span_context(), span.parent
    attributes = span.attributes or {}
    assert context is not None
    return Record(
        trace=f"{context.trace_id:032x}",
        id=f"{context.span_id:016x}",
        parent=f"{parent.span_id:016x}" if parent else "",
        remote=bool(parent and parent.is_remote),
        name=shortened(span.name),
        start=span.start_time or 0,
        end=span.end_time or span.start_time or 0,
        failed=not span.status.is_ok,
        description=shortened(span.status.description or ""),
        service=shortened(str(span.resource.attributes.get("service.name", ""))),
        attributes=kept(attributes),
        messages=messages_of(attributes),
    )


def kept(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes that are shown, each at most so long."""
    return {name: _short(attributes[name]) for name in _KEPT if name in attributes}


def shortened(text: str) -> str:
    """Return the beginning of a long text."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _short(value: Any) -> Any:
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, (list, tuple)):
        return tuple(shortened(str(entry)) for entry in value[:_MOST])
    return shortened(str(value))

"""Completion hooks of the ecosystem, and content as their types: dataclasses of `opentelemetry-util-genai`, whichever release it is.

This is the only place that knows those types. What one of them has no member for, such as the size of what was cut, a subclass of
it has; what none of them fits is a part of their general type; and where the package is not installed, dataclasses of the same
names and members take their place.
"""

from __future__ import annotations

from base64 import b64decode
from dataclasses import MISSING, field, fields, make_dataclass
from functools import lru_cache
from importlib import import_module
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..._adapter.parts import Part
    from .completion import Completion

# What they are called, the newest name first.
_PARTS = {
    "text": ("TextPart", "Text"),
    "reasoning": ("ReasoningPart", "Reasoning"),
    "compaction": ("CompactionPart",),
    "tool_call": ("ToolCallRequestPart", "ToolCallRequest", "ToolCall"),
    "tool_call_response": ("ToolCallResponsePart", "ToolCallResponse"),
    "server_tool_call": ("ServerToolCallPart", "ServerToolCall"),
    "server_tool_call_response": ("ServerToolCallResponsePart", "ServerToolCallResponse"),
    "blob": ("BlobPart", "Blob"),
    "file": ("FilePart", "File"),
    "uri": ("UriPart", "Uri"),
}
_NEEDED = {"text": "content", "reasoning": "content", "blob": "content", "uri": "uri", "file": "file_id"}
_OTHER_PART = ("GenericPart",)


class Ecosystem:
    """A hook of the ecosystem, called as one of ours.

    It gets a span with the ids of the call's, which has ended when it is called: what it sets there goes nowhere.

    Args:
        hook: an object with `on_completion`, as `opentelemetry.util.genai.completion_hook` describes it.
    """

    def __init__(self, hook: Any) -> None:
        self._hook = hook

    def __call__(self, completion: Completion) -> None:
        """Call the hook with the content as the ecosystem's types."""
        ids = SpanContext(
            int(completion.trace_id, 16), int(completion.span_id, 16), is_remote=False, trace_flags=TraceFlags()
        )
        self._hook.on_completion(
            inputs=[_message(("InputMessage",), message) for message in completion.input_messages],
            outputs=[_message(("OutputMessage",), message) for message in completion.output_messages],
            system_instruction=parts_of(completion.system_instructions),
            tool_definitions=tools_of(completion.tool_definitions),
            span=NonRecordingSpan(ids),
            log_record=None,
        )


def is_plain_text(parts: list[Part]) -> bool:
    """Return whether all parts are texts without any further member."""
    return bool(parts) and all(part.keys() == {"type", "content"} and part["type"] == "text" for part in parts)


def parts_of(parts: Iterable[Part]) -> list[object]:
    """Return parts as the ecosystem's types."""
    return [_part(part) for part in parts]


def tools_of(tools: Iterable[Part]) -> list[object] | None:
    """Return tool definitions as the ecosystem's types; None if there are none, as its hooks expect."""
    return [
        _made(("FunctionToolDefinition",) if tool.get("type") == "function" else ("GenericToolDefinition",), tool)
        for tool in tools
    ] or None


def _message(kinds: tuple[str, ...], message: dict[str, Any]) -> object:
    return _made(kinds, {**message, "parts": parts_of(message["parts"])})


def _part(part: Part) -> object:
    kinds = _PARTS.get(part["type"], _OTHER_PART)
    needed = _NEEDED.get(part["type"])
    if (needed is not None and needed not in part) or _found(kinds) is None:
        kinds = _OTHER_PART
    elif part["type"] == "blob":
        part = {**part, "content": b64decode(part["content"])}
    return _made(kinds, part)


def _made(kinds: tuple[str, ...], entries: dict[str, Any]) -> object:
    """Return an object of an ecosystem's type with all entries as members; None for required members without an entry."""
    base = _found(kinds)
    known = {} if base is None else {each.name: each for each in fields(base)}
    more = tuple(sorted(name for name in entries if name not in known and name.isidentifier() and not iskeyword(name)))
    missing = [
        name
        for name, each in known.items()
        if name not in entries and each.default is MISSING and each.default_factory is MISSING
    ]
    kind = base if base is not None and not more else _with(base, kinds[0], more)
    given = {name: entries[name] for name in (*known, *more) if name in entries}
    return kind(**dict.fromkeys(missing), **given)


@lru_cache(maxsize=256)
def _with(base: type | None, name: str, more: tuple[str, ...]) -> type:
    """Return a dataclass with more members than `base` has."""
    return make_dataclass(
        name if base is None else base.__name__,
        [(member, Any, field(default=None)) for member in more],
        bases=() if base is None else (base,),
    )


@lru_cache(maxsize=64)
def _found(kinds: tuple[str, ...]) -> Any:
    """Return the ecosystem's type of the first name that exists; None if there is none, or the package is not installed."""
    try:
        types = import_module("opentelemetry.util.genai.types")
    except ImportError:
        return None
    return next((getattr(types, kind) for kind in kinds if hasattr(types, kind)), None)

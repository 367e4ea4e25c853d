"""The operations of the SDK's tool runner as endpoints: the run of an agent, and that of a tool."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from .._adapter.anthropic_api.messages import MESSAGES, finish_reasons
from .._adapter.fields import field, member, members, string, table
from .._conventions import names
from .._operations import endpoints

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._adapter.endpoint import Content


def answer_of(last: Any) -> Any:
    """Return the last message of a runner that has ended.

    Args:
        last: what the runner has of it: the message, or the method of a stream that gives it. The stream has been read.
    """
    stream = getattr(last, "__self__", None)
    return last if stream is None else stream.current_message_snapshot


def _json(value: Any) -> str | None:
    """Return the type of what is put out: a class stands for a schema of JSON."""
    return "json" if isinstance(value, type) or member(value, "type") == "json_schema" else None


def _output(response: Any, _reasons: Sequence[str]) -> Content:
    message = members(response).get(endpoints.RESULT)
    return MESSAGES.output_content(message, finish_reasons(message))


_CONVERSATION = field(names.CONVERSATION_ID, string, "conversation")
AGENT = dataclasses.replace(
    endpoints.AGENT,
    request=table(
        _CONVERSATION,
        field(names.OUTPUT_TYPE, _json, "output_format"),
        field(names.OUTPUT_TYPE, _json, "output_config.format"),
    ),
    input_content=MESSAGES.input_content,
    output_content=_output,
)
TOOL = dataclasses.replace(
    endpoints.TOOL,
    request=table(
        field(names.TOOL_CALL_ID, string, "call_id"),
        field(names.TOOL_DESCRIPTION, string, "description"),
        field(names.ANTHROPIC_TOOLSET_NAME, string, "toolset"),
        _CONVERSATION,
    ),
)

"""The kinds of operation: one row for each `gen_ai.operation.name`, with what all its calls have in common."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from opentelemetry.trace import SpanKind

from . import names


def key_of_owner(kind: str) -> str:
    """Return the context key of the owners of calls of a kind, by the ecosystem's name for it."""
    return f"opentelemetry.genai.client.{kind}.context"


@dataclass(frozen=True, slots=True)  # its fields are read in less time than those of a tuple
class OperationKind:
    """What is the same for all calls of one operation, whatever the provider.

    Attributes:
        name: `gen_ai.operation.name`; empty if its calls have none.
        metrics: which metrics of a generation its calls have, by the group that `Generation.measures` names.
        owner_key: the key in OpenTelemetry's context under which packages of the ecosystem publish that they record such a call.
        has_details: whether it has messages, and so a details event.
        has_content: whether it has content at all: messages, a query and documents, or arguments and a result.
        records_stream: whether its spans have `gen_ai.request.stream`, which the conventions define for inference only.
        span_kind: the kind of its span.
        subject: the attribute with what the call is about; its value follows the operation in the name of the span.
        method: the attribute with the method of a protocol, with which the name of the span begins; None where it begins with
            the operation.
        remote: whether a server does it. Else the application's own code does, which may make calls of its own.
        of_provider: whether the provider of a model does it. Else it has no metrics and no events of a model's clients, and what
            it names may come from a model, so that metrics have a bounded number of such names.
    """

    name: str
    metrics: Literal["inference", "fetched", "others", "tools", "agents", "programs", "workflows", "mcp", "none"] = (
        "inference"
    )
    owner_key: str = key_of_owner("inference")
    has_details: bool = True
    has_content: bool = True
    records_stream: bool = True
    span_kind: SpanKind = SpanKind.CLIENT
    subject: str = names.REQUEST_MODEL
    method: str | None = None
    remote: bool = True
    of_provider: bool = True


CHAT: Final = OperationKind("chat")
REALTIME: Final = CHAT
"""A response on a connection of the Realtime API. The conventions discuss a name of its own, and have none yet."""
TEXT_COMPLETION: Final = OperationKind("text_completion")
GENERATE_CONTENT: Final = OperationKind("generate_content")
EMBEDDINGS: Final = OperationKind(
    "embeddings", metrics="others", owner_key=key_of_owner("embedding"), has_details=False, has_content=False
)
RETRIEVAL: Final = OperationKind(
    "retrieval",
    metrics="others",
    owner_key=key_of_owner("retrieval"),
    has_details=False,
    records_stream=False,
    subject=names.DATA_SOURCE_ID,
)
FETCH_RESPONSE: Final = OperationKind(
    "fetch_response", metrics="fetched", owner_key=key_of_owner("fetch_response"), records_stream=False
)
"""A response is read again; of one that was made in the background it has the usage."""


def _unnamed(name: str) -> OperationKind:
    """Return a kind for which the conventions have no word: it has neither content nor metrics of an inference."""
    return OperationKind(name, metrics="others", has_details=False, has_content=False, records_stream=False)


MODERATION: Final = _unnamed("moderation")
DECISION: Final = _unnamed("decision")
RERANK: Final = _unnamed("rerank")
"""Documents are put into the order of their relevance to a query."""
COUNT_TOKENS: Final = _unnamed("count_tokens")
COMPACT_RESPONSE: Final = _unnamed("compact_response")
CANCEL_RESPONSE: Final = replace(_unnamed("cancel_response"), metrics="fetched")
"""A response that runs in the background ends; it has the usage until then."""
CREATE_BATCH: Final = _unnamed("create_batch")
FETCH_BATCH: Final = _unnamed("fetch_batch")
BATCH_RESULTS: Final = replace(_unnamed("batch_results"), metrics="fetched")
"""Responses that were made in the background are read; they have the usage of each."""
WEB_SEARCH: Final = _unnamed("web_search")
"""The web is searched for an application. `retrieval` is of the conventions' data sources, which have an id; the web has none."""
WEB_FETCH: Final = _unnamed("web_fetch")
"""The text of a page of the web is fetched by its URL."""

APPLICATION_RETRIEVAL: Final = replace(RETRIEVAL, remote=False, of_provider=False)
"""A retrieval by code of the application, which may ask a server or not."""


def _local(name: str, metrics: Literal["tools", "agents", "workflows", "none"], subject: str) -> OperationKind:
    """Return a kind of operation that the application's own code does."""
    return OperationKind(
        name,
        metrics=metrics,
        has_details=False,
        records_stream=False,
        span_kind=SpanKind.INTERNAL,
        subject=subject,
        remote=False,
        of_provider=False,
    )


EXECUTE_TOOL: Final = _local("execute_tool", "tools", names.TOOL_NAME)
INVOKE_AGENT: Final = _local("invoke_agent", "agents", names.AGENT_NAME)
AGENT_PROGRAM: Final = replace(INVOKE_AGENT, metrics="programs")
"""An agent that a program beside the application runs. Its model calls are made there, so that their usage is the agent's to count."""
REMOTE_AGENT: Final = OperationKind("invoke_agent", metrics="others", has_details=False, subject=names.AGENT_NAME)
"""An agent that a server runs, for an answer to a message."""
INVOKE_WORKFLOW: Final = _local("invoke_workflow", "workflows", names.WORKFLOW_NAME)
STEP: Final = replace(_local("step", "none", names.STEP_NAME), has_content=False)
"""A part of an application for which the conventions have no word, such as making a prompt."""

MCP_REQUEST: Final = OperationKind(
    "",
    metrics="mcp",
    has_details=False,
    records_stream=False,
    subject=names.PROMPT_NAME,
    method=names.MCP_METHOD_NAME,
    of_provider=False,
)
"""A request to an MCP server, but for calls of its tools."""
MCP_TOOL_CALL: Final = replace(MCP_REQUEST, name=EXECUTE_TOOL.name, subject=names.TOOL_NAME)
"""A call of a tool of an MCP server."""
MCP_WITHIN_TOOL: Final = replace(MCP_TOOL_CALL)
"""The same where an `execute_tool` span around it is that of the tool: what it adds to that span is no tool call of its own."""

INFERENCE: Final = (CHAT.name, TEXT_COMPLETION.name, GENERATE_CONTENT.name)
"""The operations by which a model generates something."""

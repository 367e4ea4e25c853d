"""What is reported of a call does not depend on whether its content is captured: attributes, status and metrics are the same.

A stream is read wholly, and cut off after each of its events: an accumulator that drops what no message needs keeps what an
attribute does.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

import pytest

from contract import SYNC, VARIANTS, WAYS, Provider, Row, Variant, Way
from contract.expected import CONTENT, QUERY, differences
from contract.openai_responses import response
from contract.providers import PROVIDERS
from loopback import Reply, Sse, Telemetry
from loopback.anthropic_bodies import closed, ended, events, opened, piece, started, text_events

# One way to read each style as events, one that leaves the events to us, and the plain call.
READ = (
    "plain",
    "stream",
    "streaming-iter_lines-stream",
    "generator",
    "by-hand",
    "by-hand-stream",
    "helper",
    "bytes-plain",
    "lines",
)
OPENAI, ANTHROPIC = (next(found for found in PROVIDERS if found.name == name) for name in ("openai", "anthropic"))
COMPACTED, REASONS = "gen_ai.conversation.compacted", "gen_ai.response.finish_reasons"


def calls(provider: Provider, *rows: Row) -> list[Any]:
    """A row in each way that it can be read."""
    variants = [variant for variant in VARIANTS if variant.id in READ]
    return [
        pytest.param(provider, row, variant, id=f"{provider.name}-{row.id}-{variant.id}")
        for row in rows
        for variant in variants
        if variant.fits(row)
    ]


def cuts(reply: Reply | None) -> list[Any]:
    """The endings of a reply: of a stream one after each event."""
    assert reply is not None
    count = len(reply.plan().pieces) if reply.plan().streamed else 0
    return [
        lambda made: made,
        *(lambda made, sent=sent: replace(made, end="early", sent=sent) for sent in range(count)),
    ]


def facts(telemetry: Telemetry) -> dict[str, Any]:
    """Span and metrics without content, and without what quotes it."""
    recorded = telemetry.snapshot()
    for span in recorded["spans"]:
        for name in (*CONTENT, QUERY):
            span["attributes"].pop(name, None)
        span["status"].pop("description")
    return {"spans": recorded["spans"], "metrics": recorded["metrics"]}


def made(caller: Any, provider: Provider, row: Row, variant: Variant, capture: str) -> list[dict[str, Any]]:
    """The facts of the call with each ending. An application may fail to read what was cut off."""
    client = caller.clients(provider.clients[0], SYNC)
    provider.instrumentor().instrument(**caller.telemetry.providers, capture_message_content=capture)
    found = []
    for cut in cuts(row.reply(stream=variant.stream)):
        caller.telemetry.clear()
        with contextlib.suppress(Exception):
            caller.make(row, variant, client, SYNC, answers=cut)
        assert caller.telemetry.spans
        found.append(facts(caller.telemetry))
    provider.instrumentor().uninstrument()
    return found


@pytest.mark.parametrize(
    ("provider", "row", "variant"), [call for found in PROVIDERS for call in calls(found, *found.rows)]
)
def test_the_facts_of_a_call_are_the_same_with_and_without_content(
    caller: Any, provider: Provider, row: Row, variant: Variant
) -> None:
    """Every row of the contract, its streams also cut off after each event."""
    without, captured = (made(caller, provider, row, variant, capture) for capture in ("no_content", "span_and_event"))

    assert [] == differences(without, captured)


def responses_row(*events: dict[str, Any], **whole: Any) -> Row:
    """A streamed response with these events, and a last one that says of the output what `whole` does."""
    begun = {"type": "response.created", "response": response(status="in_progress")}
    last = {"type": "response.completed", "response": {**response(status="completed"), **whole}}
    numbered = [{**event, "sequence_number": number} for number, event in enumerate((begun, *events, last))]
    row = next(found for found in OPENAI.rows if found.id == "responses")
    return replace(row, streamed=Sse(numbered, event_names=True))


def item(kind: str, **members: Any) -> list[dict[str, Any]]:
    """The events of an item of the output."""
    whole = {"type": kind, "id": "i_1", **members}
    return [
        {"type": "response.output_item.added", "output_index": 0, "item": whole},
        {"type": "response.output_item.done", "output_index": 0, "item": whole},
    ]


def messages_row(*parts: Any) -> Row:
    """A streamed message with these events."""
    row = next(found for found in ANTHROPIC.rows if found.id == "messages")
    return replace(row, streamed=Sse(events(*parts), event_names=True))


COMPACTION = [opened({"type": "compaction", "content": None}), piece("compaction_delta", content="Short."), closed()]
CALL = {"call_id": "call_1", "name": "weather", "arguments": "{}", "status": "completed"}
# What only the items or blocks of a stream say: the row, after how many events it is cut off, and the attribute that is there.
WITHIN: dict[str, tuple[Provider, Row, int | None, str, Any]] = {
    "a compaction block": (
        ANTHROPIC,
        messages_row(started(), COMPACTION, text_events("Hello")[1:]),
        None,
        COMPACTED,
        True,
    ),
    "a compaction block, left after it": (
        ANTHROPIC,
        messages_row(started(), COMPACTION, ended()),
        4,
        COMPACTED,
        True,
    ),
    "a compaction item, left after it": (
        OPENAI,
        responses_row(*item("compaction", encrypted_content="c2VjcmV0")),
        3,
        COMPACTED,
        True,
    ),
    "a compaction item that the completed response does not list": (
        OPENAI,
        responses_row(*item("compaction", encrypted_content="c2VjcmV0")),
        None,
        COMPACTED,
        True,
    ),
    "a function call that the completed response does not list": (
        OPENAI,
        responses_row(*item("function_call", **CALL)),
        None,
        REASONS,
        ("tool_calls",),
    ),
    "a tool search for the client that the completed response does not list": (
        OPENAI,
        responses_row(*item("tool_search_call", execution="client", call_id="call_1")),
        None,
        REASONS,
        ("tool_calls",),
    ),
    "a function call that was answered": (
        OPENAI,
        responses_row(
            *item("function_call", **CALL),
            *({**event, "output_index": 1} for event in item("function_call_output", call_id="call_1", output="7")),
        ),
        None,
        REASONS,
        ("stop",),
    ),
}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
@pytest.mark.parametrize("capture", ["no_content", "span_and_event"])
@pytest.mark.parametrize("read", ["stream", "streaming-iter_lines-stream"])
@pytest.mark.parametrize("name", WITHIN)
def test_facts_that_only_items_and_blocks_say(caller: Any, name: str, read: str, capture: str, way: Way) -> None:
    """That the context was compacted, and that a tool call waits: with and without content."""
    provider, row, sent, attribute, value = WITHIN[name]
    variant = next(found for found in VARIANTS if found.id == read)
    provider.instrumentor().instrument(**caller.telemetry.providers, capture_message_content=capture)
    client = caller.clients(provider.clients[0], way)

    caller.make(
        row,
        variant,
        client,
        way,
        answers=lambda reply: reply if sent is None else replace(reply, end="early", sent=sent),
    )

    assert value == caller.telemetry.span.attributes.get(attribute)

"""What it costs to put a stream together: milliseconds for 4,000 pieces of each kind, and how much more for twice as many.

An accumulator is linear if twice the pieces take about twice the time. Each kind of piece that an accumulator joins has a row.

    tox -e bench -- benchmarks/accumulators.py
"""

from __future__ import annotations

import gc
import json
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from opentelemetry_instrumentation_genai._adapter.anthropic_api.events import MessageEvents
from opentelemetry_instrumentation_genai._adapter.openai_api.chunks import ChoiceChunks
from opentelemetry_instrumentation_genai._adapter.openai_api.stream_usage import STREAM_USAGE
from opentelemetry_instrumentation_genai._adapter.openai_api.typed_events import _PIECES, TypedEvents
from opentelemetry_instrumentation_genai._stream.decoding import Wire
from opentelemetry_instrumentation_genai._stream.usage_filter import BytesFilter
from opentelemetry_instrumentation_genai.ollama._chunks import MessageChunks, TextChunks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from opentelemetry_instrumentation_genai._adapter.endpoint import Accumulator

    Chunk = Callable[[int, str], dict[str, Any]]  # number of the piece, and its text -> the chunk

PIECES = 4_000
SIZE = 1_024
SSE = {"content-type": "text/event-stream"}


def chat(delta: dict[str, Any], index: int = 0) -> dict[str, Any]:
    """A chunk of a chat completion."""
    return {"choices": [{"index": index, "delta": delta, "finish_reason": None}]}


def call(index: int, name: str | None, piece: str) -> dict[str, Any]:
    """A piece of a tool call."""
    return chat({"tool_calls": [{"index": index, "function": {"name": name, "arguments": piece}}]})


def listed(kind: str, text: Any) -> dict[str, Any]:
    """A content part of a chat."""
    return chat({"content": [{"type": kind, kind: text}]})


def block(kind: str, **piece: str) -> dict[str, Any]:
    """A piece of a block of a message."""
    return {"type": "content_block_delta", "index": 0, "delta": {"type": kind, **piece}}


def item(number: int) -> dict[str, Any]:
    """An item of a response, whole."""
    return {"type": "response.output_item.done", "output_index": number, "item": {"type": "message", "content": []}}


OF_CHAT: dict[str, Chunk] = {
    "content": lambda _, text: chat({"content": text}),
    "refusal": lambda _, text: chat({"refusal": text}),
    "reasoning": lambda _, text: chat({"reasoning": text}),
    "reasoning_details": lambda _, text: chat({"reasoning_details": [{"type": "reasoning.text", "text": text}]}),
    "audio": lambda _, text: chat({"audio": {"id": "a", "data": text, "transcript": text}}),
    "arguments": lambda _, text: call(0, "read", text),
    "tool calls": lambda number, text: call(number, "read", text),
    "function_call": lambda _, text: chat({"function_call": {"name": "read", "arguments": text}}),
    "text parts": lambda _, text: listed("text", text),
    "thinking parts": lambda _, text: listed("thinking", [{"type": "text", "text": text}]),
    "other parts": lambda _, text: listed("image_url", text),
    "annotations": lambda _, text: chat({"annotations": [{"type": "url_citation", "url": text}]}),
    "choices": lambda number, text: chat({"content": text}, number),
    "text": lambda _, text: {"choices": [{"index": 0, "text": text}]},
}
OF_RESPONSES: dict[str, Chunk] = {
    kind: lambda _, text, kind=kind: {"type": kind, "output_index": 0, "content_index": 0, "delta": text}
    for kind in _PIECES
} | {"items": lambda number, _: item(number)}
OF_MESSAGES: dict[str, Chunk] = {
    "text": lambda _, text: block("text_delta", text=text),
    "thinking": lambda _, text: block("thinking_delta", thinking=text),
    "signature": lambda _, text: block("signature_delta", signature=text),
    "input": lambda _, text: block("input_json_delta", partial_json=text),
    "compaction": lambda _, text: block("compaction_delta", content=text),
    "citations": lambda _, text: {**block("citations_delta"), "delta": {"type": "citations_delta", "citation": text}},
    "blocks": lambda number, text: {**block("text_delta", text=text), "index": number},
}
OF_OLLAMA: dict[str, Chunk] = {
    "content": lambda _, text: {"message": {"content": text}},
    "thinking": lambda _, text: {"message": {"thinking": text}},
    "tool calls": lambda _, text: {"message": {"tool_calls": [{"function": {"name": text}}]}},
}
OF_GENERATE: dict[str, Chunk] = {"response": lambda _, text: {"response": text}}
ACCUMULATORS: dict[str, tuple[Callable[[bool], Accumulator], dict[str, Chunk], list[dict[str, Any]]]] = {
    "chat": (ChoiceChunks, OF_CHAT, []),
    "responses": (TypedEvents, OF_RESPONSES, [{**item(0), "type": "response.output_item.added"}]),
    "messages": (MessageEvents, OF_MESSAGES, [{"type": "message_start", "message": {}}]),
    "ollama chat": (MessageChunks, OF_OLLAMA, []),
    "ollama generate": (TextChunks, OF_GENERATE, []),
}


def pieces(count: int) -> list[str]:
    """Texts, no two of which are alike."""
    return [f"{number:08}".ljust(SIZE, "x") for number in range(count)]


def put_together(make: Callable[[bool], Accumulator], chunks: Iterable[Any]) -> Any:
    """What an accumulator makes of chunks."""
    accumulator = make(True)  # with content
    for chunk in chunks:
        accumulator.add(chunk)
    return accumulator.result()


def chunks_of(kind: str, name: str, texts: list[str]) -> list[Any]:
    """The chunks of one row."""
    _, rows, first = ACCUMULATORS[kind]
    return [*first, *(rows[name](number, text) for number, text in enumerate(texts))]


def read(texts: list[str], *, lines: bool) -> None:
    """Read an event stream from its bytes: an event for each text, or one that is made of all."""
    wire = Wire(SSE)
    for data in on_wire(texts, lines=lines):
        for _ in wire.feed(data):
            pass


def filtered(texts: list[str], *, lines: bool) -> None:
    """Filter an event stream."""
    passing = BytesFilter(STREAM_USAGE, SSE)
    for data in on_wire(texts, lines=lines):
        passing.take(data)
    passing.rest(ended=True)


def on_wire(texts: list[str], *, lines: bool) -> list[bytes]:
    """The bytes of an event for each text, or of one event in as many lines."""
    if lines:
        return [f"data: {json.dumps(text)}\n".encode() for text in texts]
    return [f"data: {json.dumps({'choices': [], 'usage': None, 'text': text})}\n\n".encode() for text in texts]


def rows() -> dict[str, Callable[[list[str]], Callable[[], object]]]:
    """Name -> texts that come in pieces -> what is measured."""
    found: dict[str, Callable[[list[str]], Callable[[], object]]] = {
        f"{kind}: {name}": lambda texts, kind=kind, name=name: partial(
            put_together, ACCUMULATORS[kind][0], chunks_of(kind, name, texts)
        )
        for kind, (_, chunks, _) in ACCUMULATORS.items()
        for name in chunks
    }
    for name, work in {"bytes read": read, "bytes filtered": filtered}.items():
        for lines in (False, True):
            label = f"{name}: {'lines of one event' if lines else 'events'}"
            found[label] = lambda texts, work=work, lines=lines: partial(work, texts, lines=lines)
    return found


def main() -> None:
    """Print the milliseconds of each row, and the factor for twice as many pieces."""
    gc.disable()  # its passes take longer for more objects, whoever has them
    print(f"{'what comes in pieces':<52}{f'ms for {PIECES}':>14}{'for twice':>12}")
    for name, row in rows().items():
        once, twice = (min(_seconds(row(pieces(count))) for _ in range(5)) for count in (PIECES, 2 * PIECES))
        print(f"{name:<52}{once * 1000:>14.1f}{twice / once:>12.1f}", flush=True)


def _seconds(work: Callable[[], object]) -> float:
    begin = perf_counter()
    work()
    return perf_counter() - begin


if __name__ == "__main__":
    main()

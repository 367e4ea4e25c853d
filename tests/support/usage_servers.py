"""Servers that send the usage of a stream as real ones do: only if the request asks for it, each in its own way.

Each is a function from a request to its answer, the kind of reply that a `ModelServer` takes as well.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from loopback import Json, RecordedRequest, Reply, Sse
from loopback.openai_bodies import SERVED, chunk

USAGE = {"prompt_tokens": 8, "completion_tokens": 3, "total_tokens": 11}
DETAILS = {"prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {"reasoning_tokens": 1}}
WORDS = ("one", "two", "three")
TIMINGS = {"cache_n": 4, "prompt_n": 4, "prompt_ms": 0.25, "predicted_n": 3, "predicted_ms": 1.5}
Server = Callable[[RecordedRequest], Reply]


def asks(request: RecordedRequest) -> bool:
    """Whether the request asks for usage."""
    options = request.json.get("stream_options")
    return isinstance(options, dict) and bool(options.get("include_usage"))


def _legacy(text: str, reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "text": text, "finish_reason": reason, "logprobs": None}
    return {"id": "chatcmpl-1", "object": "text_completion", "created": 1, "model": SERVED, "choices": [choice]}


def text_chunks(request: RecordedRequest) -> list[dict[str, Any]]:
    """The chunks that have a choice."""
    if request.path.endswith("/chat/completions"):
        return [*(chunk({"role": "assistant", "content": word}) for word in WORDS), chunk(reason="stop")]
    return [*map(_legacy, WORDS), _legacy("", "stop")]


def extra(request: RecordedRequest, usage: Any = None, **more: Any) -> dict[str, Any]:
    """The chunk that has usage and no choice."""
    return {**text_chunks(request)[-1], "choices": [], "usage": usage or {**USAGE, **DETAILS}, **more}


def openai(request: RecordedRequest) -> Sse:
    """OpenAI: who asks gets one chunk more, and `usage: null` in the others; what hides their lengths comes after it."""
    chunks = text_chunks(request)
    if asks(request):
        chunks = [*({**one, "usage": None} for one in chunks), extra(request)]
    return Sse([{**one, "obfuscation": "x" * place} for place, one in enumerate(chunks)])


def azure(request: RecordedRequest) -> Sse:
    """Azure: the first chunk and one in the middle have filter results, and no choices."""
    first = {"choices": [], "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}]}
    filters = {"choices": [], "content_filter_results": {"hate": {"filtered": False}}}
    empty = {"id": "", "object": "", "created": 0, "model": ""}
    one, *others = text_chunks(request)
    chunks = [{**empty, **first}, one, {**empty, **filters}, *others]
    if asks(request):
        chunks = [*({**each, "usage": None} for each in chunks), extra(request)]
    return Sse(chunks)


def vllm(request: RecordedRequest) -> Sse:
    """vLLM: `usage` is in no chunk that has none; continuous usage is in each, if both are asked for."""
    if not asks(request):
        return Sse(text_chunks(request))
    continuous = request.json["stream_options"].get("continuous_usage_stats")
    counted = [{**USAGE, "completion_tokens": count, "total_tokens": 8 + count} for count in range(4)]
    pairs = zip(text_chunks(request), counted, strict=True)
    chunks = [{**one, "usage": usage} for one, usage in pairs] if continuous else text_chunks(request)
    return Sse([*chunks, extra(request, USAGE)])


def llama_cpp(request: RecordedRequest) -> Sse:
    """llama.cpp: timings are in the last chunk, whichever that is."""
    chunks = text_chunks(request)
    if asks(request):
        chunks.append(extra(request))
    chunks[-1] = {**chunks[-1], "timings": TIMINGS}
    return Sse(chunks, headers={"server": "llama.cpp"})


def litellm(request: RecordedRequest) -> Sse:
    """LiteLLM's proxy: the chunk with the usage has a choice that says nothing."""
    chunks = text_chunks(request)
    if asks(request):
        empty = {"index": 0, "delta": {}} if request.path.endswith("/chat/completions") else {"index": 0}
        chunks.append({**extra(request), "choices": [empty]})
    return Sse(chunks, headers={"x-litellm-call-id": "1"})


def always(request: RecordedRequest) -> Sse:
    """One that sends usage with the last choice, whatever it is asked."""
    *chunks, last = text_chunks(request)
    return Sse([*chunks, {**last, "usage": USAGE}])


def unaware(request: RecordedRequest) -> Sse:
    """One that knows nothing of it."""
    return Sse(text_chunks(request))


def spaced(request: RecordedRequest) -> Sse:
    """OpenAI's answer by one that writes its JSON otherwise: usage first, spaces, lines that end in two characters."""
    if not asks(request):
        return Sse([_spaced(one) for one in text_chunks(request)])
    with_null = [{"usage": None, **one} for one in text_chunks(request)]
    return Sse([_spaced(one) for one in [*with_null, {"usage": USAGE, **extra(request, USAGE)}]])


def _spaced(one: Any) -> bytes:
    body = json.dumps(one, separators=(" , ", " : ")).replace("}", " }").replace("{", "{ ")
    return f": as it comes\r\ndata:{body}\r\n\r\n".encode()


def in_lines(end: str, server: Server) -> Server:
    """A server that writes the data of each event in several lines, with a comment between them, and ends lines like this."""

    def answer(request: RecordedRequest) -> Reply:
        reply: Any = server(request)
        return replace(reply, events=[_in_lines(one, end) for one in reply.events])

    return answer


def _in_lines(one: Any, end: str) -> bytes:
    first, *others = json.dumps(one, indent=1).split("\n")
    lines = [": as it comes", "id: 1", f"data: {first}", ": still", *(f"data:{line}" for line in others)]
    return "".join(line + end for line in (*lines, "")).encode()


def narrow(server: Server) -> Server:
    """A server with chunks that have nothing that can be left out: most are objects of one member."""
    wanted = ("choices", "usage", "timings")

    def answer(request: RecordedRequest) -> Reply:
        reply: Any = server(request)
        return replace(reply, events=[{name: one[name] for name in wanted if name in one} for one in reply.events])

    return answer


def quoting(request: RecordedRequest) -> Sse:
    """OpenAI's answer, in which the model talks about usage; what is below the chunk is its own."""
    words = ['"usage": null', '\\"usage":null,', "{'usage': null}"]
    tool = {"index": 0, "id": "1", "function": {"name": "f", "arguments": '{"usage":null,"a":1}'}}
    other = {"x_groq": {"id": "1", "usage": None}, "choices": [{"index": 0, "delta": {"usage": None, "content": ""}}]}
    chunks = [*(chunk({"content": word}) for word in words), chunk({"tool_calls": [tool]}), chunk(**other)]
    chunks.append(chunk(reason="stop"))
    if asks(request):
        chunks = [*({**one, "usage": None} for one in chunks), extra(request)]
    return Sse(chunks)


def choices(request: RecordedRequest) -> Sse:
    """Two choices that come in turns, and end at different times."""

    def of(index: int, **more: Any) -> dict[str, Any]:
        return {"index": index, "delta": {"content": "x"}, "finish_reason": None, **more}

    order = [of(0), of(1), of(0, finish_reason="stop"), of(1), of(1, finish_reason="length")]
    chunks = [chunk(choices=[one]) for one in order]
    if asks(request):
        chunks = [*({**one, "usage": None} for one in chunks), extra(request)]
    return Sse(chunks)


def refusing(
    status: int = 400, message: str = "Unrecognized request argument supplied: stream_options"
) -> Callable[[RecordedRequest], Reply]:
    """One that knows no `stream_options`."""

    def answer(request: RecordedRequest) -> Reply:
        if "stream_options" in request.json:
            error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
            return Json({"error": error}, status=status)
        return Sse(text_chunks(request))

    return answer


def ending(server: Server, **changes: Any) -> Server:
    """The same server, with streams that end otherwise."""
    return lambda request: replace(server(request), **changes)  # type: ignore[type-var] # a dataclass, as all replies


def torn(server: Server, size: int) -> Server:
    """The same, with bytes that come in pieces of some size, as networks deliver them."""

    def answer(request: RecordedRequest) -> Reply:
        plan = server(request).plan()
        body = b"".join((*plan.pieces, plan.terminator))
        pieces: Sequence[bytes] = [body[at : at + size] for at in range(0, len(body), size)]
        headers: Mapping[str, str] = plan.headers
        return Sse(pieces, done=False, headers=headers)

    return answer

"""Generated text and images, embeddings, scores, and what the provider's site does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from contract.expected import INPUT, OUTPUT, SYSTEM
from contract.ollama_chat import (
    ASKED,
    DONE,
    IMAGE,
    IMAGE_PART,
    MODEL,
    OPTIONS,
    RESPONSE,
    STATUS,
    TIMED,
    assistant,
    user,
)
from contract.row import Row, given
from loopback import Json, Ndjson


def generated(response: str = "", **members: Any) -> dict[str, Any]:
    """One line of a streamed text, or with `**DONE` the last one, or a plain answer."""
    return {"model": MODEL, "created_at": "2026-01-01T00:00:00Z", "response": response, "done": False, **members}


_BASE = {"gen_ai.operation.name": "text_completion", "gen_ai.request.model": MODEL}
_HELLO = {OUTPUT: [assistant({"type": "text", "content": "Hello"})]}
_GENERATE = Row(
    "ollama-generate",
    "generate",
    given(model=MODEL, prompt="Hi"),
    f"text_completion {MODEL}",
    _BASE,
    style="generator",
    plain=Json(generated("Hello", context=[1, 2, 3], **DONE)),
    response={**RESPONSE, **STATUS},
    streamed=Ndjson([generated("Hel"), generated("lo"), generated(context=[1, 2, 3], **DONE)]),
    stream_response=RESPONSE,
    chunks=3,
    content={INPUT: [user("Hi")]},
    output=_HELLO,
    timings=TIMED,
)
_FULL = replace(
    _GENERATE,
    id="ollama-generate-full",
    arguments=given(
        model=MODEL,
        prompt="def f(",
        suffix="return 1",
        system="Be brief.",
        template="{{ .Prompt }}",
        context=[1, 2, 3],
        images=[IMAGE, "AQID"],
        options=OPTIONS,
        format="json",
        raw=False,
        keep_alive=60.0,
    ),
    request={**_BASE, **ASKED, "gen_ai.output.type": "json"},
    content={
        INPUT: [
            {
                "role": "user",
                "parts": [
                    {"type": "text", "content": "def f("},
                    {"type": "suffix", "content": "return 1"},
                    IMAGE_PART,
                    IMAGE_PART,
                ],
            }
        ],
        SYSTEM: [{"type": "text", "content": "Be brief."}],
    },
)
_THINKING = replace(
    _GENERATE,
    id="ollama-generate-thinking",
    arguments=given(model=MODEL, prompt="Hi", think=True),
    plain=Json(generated("Hello", thinking="Why not?", **DONE)),
    streamed=Ndjson([generated(thinking="Why "), generated(thinking="not?"), generated("Hello", **DONE)]),
    output={OUTPUT: [assistant({"type": "reasoning", "content": "Why not?"}, {"type": "text", "content": "Hello"})]},
)
_DRAWING = replace(
    _GENERATE,
    id="ollama-generate-image",
    arguments=given(model=MODEL, prompt="Hi", width=16, height=8, steps=2),
    request={
        **_BASE,
        "gen_ai.output.type": "image",
        "ollama.image.width": 16,
        "ollama.image.height": 8,
        "ollama.image.steps": 2,
    },
    plain=Json(generated(image="AQID", **DONE)),
    streamed=Ndjson([generated(completed=1, total=2), generated(image="AQID", **DONE)]),
    chunks=2,
    output={OUTPUT: [assistant(IMAGE_PART)]},
)
_DRAWING_SOME = replace(
    _DRAWING,
    id="ollama-generate-image-of-a-height",
    arguments=given(model=MODEL, prompt="Hi", height=8),
    request={**_BASE, "gen_ai.output.type": "image", "ollama.image.height": 8},
)
_LOAD = replace(
    _GENERATE,
    id="ollama-generate-load",
    arguments=given(model=MODEL),
    plain=Json(generated(done=True, done_reason="load")),
    response={"gen_ai.response.model": MODEL, "gen_ai.response.finish_reasons": ["load"], **STATUS},
    streamed=None,
    content={},
    output={OUTPUT: [assistant(reason="load")]},
    timings=(),
)
_EMBEDDINGS = {"gen_ai.operation.name": "embeddings", "gen_ai.request.model": MODEL}
_EMBEDDED = {
    "model": MODEL,
    "embeddings": [[0.5, -1.0]],
    "total_duration": 20_000_000,
    "load_duration": 1_000_000,
    "prompt_eval_count": 4,
}
_EMBED = Row(
    "ollama-embed",
    "embed",
    given(model=MODEL, input=["one", "two"], truncate=True),
    f"embeddings {MODEL}",
    _EMBEDDINGS,
    style="generator",
    plain=Json(_EMBEDDED),
    response={
        "gen_ai.response.model": MODEL,
        "gen_ai.usage.input_tokens": 4,
        "ollama.total_duration": 0.02,
        "ollama.load_duration": 0.001,
        **STATUS,
    },
    details=False,
    timings=("gen_ai.server.request.duration",),
)
_DIMENSIONS = replace(
    _EMBED,
    id="ollama-embed-dimensions",
    arguments=given(model=MODEL, input="one", dimensions=2),
    request={**_EMBEDDINGS, "gen_ai.embeddings.dimension.count": 2},
)
_DEPRECATED = replace(
    _EMBED,
    id="ollama-embeddings",
    method="embeddings",
    arguments=given(model=MODEL, prompt="one"),
    plain=Json({"embedding": [0.5, -1.0]}),
    response=STATUS,
    timings=(),
)
_SYSTEMONE = Row(
    "ollama-systemone",
    "systemone",
    given(
        model=MODEL,
        state={"mail": "Where is my parcel?"},
        questions={
            "about": {"type": "choice", "instructions": "About what?", "criteria": {"order": None, "other": None}},
            "urgent": {"type": "noul", "instructions": "Is it urgent?"},
        },
    ),
    f"decision {MODEL}",
    {"gen_ai.operation.name": "decision", "gen_ai.request.model": MODEL},
    style="generator",
    plain=Json(
        {
            "model": f"{MODEL}:8b",
            "answers": {
                "about": {
                    "type": "choice",
                    "choice": "order",
                    "probabilities": {"order": 0.75, "other": 0.25},
                    "confidence": 0.75,
                },
                "urgent": {"type": "noul", "noul": 0.5},
            },
            "usage": {"input_tokens": 64, "output_tokens": 2},
        }
    ),
    response={
        "gen_ai.response.model": f"{MODEL}:8b",
        "gen_ai.usage.input_tokens": 64,
        "gen_ai.usage.output_tokens": 2,
        **STATUS,
    },
    details=False,
)
# The SDK has the host of both in its code, whatever host the client is for.
_SITE = {"server.address": "ollama.com"}
_WEB_SEARCH = Row(
    "ollama-web-search",
    "web_search",
    given(query="the weather in Oslo", max_results=2),
    "web_search",
    {"gen_ai.operation.name": "web_search", "ollama.web_search.max_results": 2, **_SITE},
    style="generator",
    plain=Json({"results": [{"title": "Oslo", "url": "https://example.com", "content": "Rain."}]}),
    response={"ollama.web_search.result_count": 1, **STATUS},
    details=False,
)
_WEB_FETCH = replace(
    _WEB_SEARCH,
    id="ollama-web-fetch",
    method="web_fetch",
    arguments=given(url="https://example.com"),
    span="web_fetch",
    request={"gen_ai.operation.name": "web_fetch", **_SITE},
    plain=Json({"title": "Oslo", "content": "Rain.", "links": ["https://example.com/more"]}),
    response=STATUS,
)

OTHER_ROWS = (
    _GENERATE,
    _FULL,
    _THINKING,
    _DRAWING,
    _DRAWING_SOME,
    _LOAD,
    _EMBED,
    _DIMENSIONS,
    _DEPRECATED,
    _SYSTEMONE,
    _WEB_SEARCH,
    _WEB_FETCH,
)

"""Every public method of the `google-genai` SDK, sync and async: it is followed, or listed here with the reason why not."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("google.genai")

import google.genai
from google.genai import types

from google_callers import KEY, Caller
from loopback import Json, ModelServer, Reply, Sse, Telemetry
from loopback.google_bodies import MODEL, chunks, response
from opentelemetry_instrumentation_genai import GoogleGenAIInstrumentor

pytestmark = [
    pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning"),  # the SDK's own, of aiohttp
    pytest.mark.filterwarnings("ignore:.*experimental:UserWarning"),
    pytest.mark.filterwarnings("ignore:The .* method is deprecated"),
]
_STORED = "reads or changes what the server stores: no call of a model"
_ANOTHER = "another client of the SDK sends it: an API of its own"
_LATER = "starts a job, and its result is fetched later"
# Method, or resource with all of its methods.
NOT_FOLLOWED = {
    **dict.fromkeys(("auth_tokens", "caches", "credentials", "environments", "file_search_stores", "files"), _STORED),
    **dict.fromkeys(("models.delete", "models.get", "models.list", "models.update", "operations", "voices"), _STORED),
    **dict.fromkeys(("triggers", "webhooks", "agents.create", "agents.delete", "agents.get", "agents.list"), _STORED),
    **dict.fromkeys(("agents", "decisions", "interactions"), _ANOTHER),
    **dict.fromkeys(("batches", "models.generate_videos", "tunings"), _LATER),
    "models.compute_tokens": "splits a text into tokens, and counts none for a model to read",
    **dict.fromkeys(("live", "live_music"), "connections that stay open"),
    **dict.fromkeys(("aclose", "close"), "of the client itself"),
    "chats.create": "makes a chat, whose messages are followed: see below",
}
_IMAGE = types.Image(image_bytes=b"\x89PNG", mime_type="image/png")
_MADE = Json({"predictions": [{"mimeType": "image/png", "bytesBase64Encoded": "iVBORw0KGgo="}]})
_MASKED = Json(
    {
        "predictions": [
            {"mimeType": "image/png", "bytesBase64Encoded": "iVBORw0KGgo=", "labels": [{"label": "cat", "score": 0.5}]}
        ]
    }
)
IMAGEN = "imagen-3.0-capability-001"
# Method -> whether it is one of Vertex AI alone, its arguments, what is answered, the name of its span.
FOLLOWED: dict[str, tuple[bool, dict[str, Any], Reply, str]] = {
    "models.generate_content": (False, {"contents": "Hi"}, Json(response()), f"generate_content {MODEL}"),
    "models.generate_content_stream": (
        False,
        {"contents": "Hi"},
        Sse(chunks(), done=False),
        f"generate_content {MODEL}",
    ),
    "models.count_tokens": (False, {"contents": "Hi"}, Json({"totalTokens": 3}), f"count_tokens {MODEL}"),
    "models.embed_content": (
        False,
        {"contents": "Hi"},
        Json({"embeddings": [{"values": [0.5]}], "embedding": {"values": [0.5]}}),
        f"embeddings {MODEL}",
    ),
    "models.generate_images": (True, {"model": IMAGEN, "prompt": "A cat"}, _MADE, f"generate_content {IMAGEN}"),
    "models.edit_image": (
        True,
        {
            "model": IMAGEN,
            "prompt": "A hat",
            "reference_images": [types.RawReferenceImage(reference_id=1, reference_image=_IMAGE)],
        },
        _MADE,
        f"generate_content {IMAGEN}",
    ),
    "models.upscale_image": (
        True,
        {"model": IMAGEN, "image": _IMAGE, "upscale_factor": "x2"},
        _MADE,
        f"generate_content {IMAGEN}",
    ),
    "models.recontext_image": (
        True,
        {"model": IMAGEN, "source": {"prompt": "On the moon", "person_image": _IMAGE}},
        _MADE,
        f"generate_content {IMAGEN}",
    ),
    "models.segment_image": (
        True,
        {"model": IMAGEN, "source": {"image": _IMAGE}, "config": {"mode": "FOREGROUND"}},
        _MASKED,
        f"generate_content {IMAGEN}",
    ),
}


def methods(part: Any, prefix: str = "") -> Iterator[str]:
    """The public methods of a part of a client and of its resources, by their paths."""
    for name in sorted(dir(type(part))):
        if name.startswith("_") or name in ("aio", "vertexai", "do_request"):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = getattr(part, name)
        if callable(value):
            yield prefix + name
        elif type(value).__module__.startswith("google.genai") and not prefix:
            yield from methods(value, f"{name}.")


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_every_method_is_followed_or_listed(kind: str) -> None:
    """Of the installed SDK: a new one is noticed."""
    client = google.genai.Client(api_key=KEY)
    found = list(methods(client.aio if kind == "async" else client))
    client.close() if hasattr(client, "close") else None

    assert "models.generate_content" in found
    assert [] == [
        method
        for method in found
        if method not in FOLLOWED and method not in NOT_FOLLOWED and method.partition(".")[0] not in NOT_FOLLOWED
    ]


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("method", FOLLOWED)
def test_every_followed_method_is_one_span(server: ModelServer, telemetry: Telemetry, method: str, kind: str) -> None:
    """The application gets the same, the server the same request, and there is one span."""
    on_vertex, arguments, reply, name = FOLLOWED[method]
    caller, short = Caller(server, kind, vertex=on_vertex), method.partition(".")[2]
    if not hasattr(google.genai.models.Models, short):
        pytest.skip(f"this SDK has no {method}")
    given = {"model": MODEL, **arguments}

    def made() -> tuple[Any, Any]:
        server.reset()
        server.reply(reply)
        result = caller(short, **given)
        (request,) = server.requests
        return repr(result), (request.method, request.path, request.body)

    bare = made()
    GoogleGenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")

    assert bare == made()
    assert telemetry.span.name == name
    assert telemetry.span.status.status_code.name == "UNSET"
    assert KEY not in telemetry.span.to_json()


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("method", ["send_message", "send_message_stream"])
def test_messages_of_a_chat(server: ModelServer, telemetry: Telemetry, method: str, kind: str) -> None:
    """Each is one span, with what was said before it as its input."""
    GoogleGenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    streamed = method.endswith("stream")

    async def use(client: Any, done: Any) -> None:
        chat = client.chats.create(model=MODEL)
        for _ in range(2):
            server.reply(Sse(chunks(), done=False) if streamed else Json(response()))
            answer = await done(getattr(chat, method)("Hi"))
            if hasattr(answer, "__anext__"):
                [_ async for _ in answer]
            elif inspect.isgenerator(answer):
                list(answer)

    Caller(server, kind).run(use)
    first, second = telemetry.spans
    assert first.name == second.name == f"generate_content {MODEL}"
    # The SDK keeps each chunk of an answer as a message of its own.
    assert second.attributes["gen_ai.input.messages"].count('"role"') == (5 if streamed else 3)

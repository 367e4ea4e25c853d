"""What a call costs, in calls of functions of ours: a figure that no busy machine changes.

The limits are a fifth above what is counted. Who needs more has made each call of every application dearer: `docs/performance.md` says
by how much, once it is counted again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Any

import anthropic
import pytest
from packaging.version import Version

import opentelemetry_instrumentation_genai
from loopback import Json, Sse, anthropic_bodies
from loopback.openai_bodies import CHAT, chunks, completion
from opentelemetry_instrumentation_genai import AnthropicInstrumentor, OpenAIInstrumentor

OURS = str(Path(opentelemetry_instrumentation_genai.__file__).parent)
FEW, MANY = 10, 60
pytestmark = pytest.mark.skipif(
    Version(version("opentelemetry-sdk")) < Version("1.45"),
    reason="values of metrics take a longer way in older releases",
)


def steps(call: Callable[[], Any]) -> int:
    """Count the calls of functions of ours within a call, after one that is not counted."""
    counted = 0

    def look(frame: FrameType, event: str, _: Any) -> None:
        nonlocal counted
        counted += event == "call" and frame.f_code.co_filename.startswith(OURS)

    call()
    sys.setprofile(look)
    try:
        call()
    finally:
        sys.setprofile(None)
    return counted


def of_a_chunk(stream: Callable[[int], Any]) -> float:
    """Count those that a stream has more for each chunk that it has more."""
    return (steps(lambda: stream(MANY)) - steps(lambda: stream(FEW))) / (MANY - FEW)


@pytest.mark.parametrize(("content", "most"), [(False, 180), (True, 280)])
def test_a_chat(server, telemetry, openai_client, content, most):
    """A plain chat of `openai`."""
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content=content)
    server.reply_always(Json(completion()))
    client = openai_client()

    assert steps(lambda: client.chat.completions.create(**CHAT)) <= most


def test_a_chunk(server, telemetry, openai_client):
    """A chunk of a streamed chat of `openai`, with its value in the histogram."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    client = openai_client()

    def stream(length: int) -> None:
        server.reply(Sse(chunks(*["word"] * length)))
        list(client.chat.completions.create(**CHAT, stream=True))

    assert of_a_chunk(stream) <= 16


def test_an_event_of_anthropic(server, telemetry):
    """An event of a streamed message of `anthropic`."""
    AnthropicInstrumentor().instrument(**telemetry.providers)

    def stream(length: int) -> None:
        parts = (anthropic_bodies.started(), anthropic_bodies.text_events(*["word"] * length), anthropic_bodies.ended())
        server.reply(Sse(anthropic_bodies.events(*parts), event_names=True))
        list(client.messages.create(model="m", max_tokens=9, messages=[], stream=True))

    with anthropic.Anthropic(base_url=server.url, api_key="not-a-key", max_retries=0) as client:
        assert of_a_chunk(stream) <= 16

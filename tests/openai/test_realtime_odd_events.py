"""Events on connections that no server should send, and no application: nothing of ours fails, and all that began ends."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from opentelemetry.sdk.trace import SpanProcessor

from contract.drive import Opened, settled
from followed_calls import RESPONSE_EVENTS
from loopback import Telemetry
from loopback.realtime_bodies import (
    MODEL,
    called,
    committed,
    created,
    deltas,
    done,
    error,
    session,
    spoken,
    transcribing,
    transcription,
    typed,
)
from loopback.websockets import Peer, WebsocketServer
from opentelemetry_instrumentation_genai import OpenAIInstrumentor
from opentelemetry_instrumentation_genai._runtime import guard

pytest.importorskip("websockets.exceptions")
realtime: Any = pytest.importorskip("openai.resources.realtime.realtime")
responses: Any = pytest.importorskip("openai.resources.responses.responses")
if not hasattr(responses.Responses, "connect") or not hasattr(realtime.RealtimeConnection, "send_raw"):
    pytest.skip("this version has no connections that take bytes", allow_module_level=True)
pytestmark = pytest.mark.filterwarnings("ignore:connect.. must be used as a context manager:DeprecationWarning")

ODD: tuple[Any, ...] = (
    None,
    0,
    -1,
    1.5,
    True,
    "",
    "x",
    [],
    {},
    [None],
    {"a": None},
    [[]],
    {"type": []},
    "resp_1",
    10**30,
)
USAGE = {"type": "tokens", "input_tokens": 3, "output_tokens": 2, "input_token_details": {"text_tokens": 1}}
LISTENING = {"turn_detection": {"type": "server_vad"}, "transcription": {"model": "gpt-4o-transcribe", "prompt": "p"}}
CONVERSATION = (
    session(audio={"input": LISTENING}),
    {"type": "session.updated", "session": session()["session"]},
    committed("item_1"),
    created(),
    *deltas("a", "b"),
    *transcription("item_1", "x", "y", usage=USAGE),
    transcribing("failed", "item_1", error={"code": "c", "message": "m"}),
    done(output=[spoken("Hi"), called()]),
    error("c", event_id="e"),
)
LANES = (
    *(event for event in RESPONSE_EVENTS.events if isinstance(event, dict)),
    {"type": "error", "error": {"type": "server_error", "message": "No."}},
)
ASKED = {"metadata": {"a": "b"}, "conversation": "none", "input": [typed("x")]}
REQUESTS = (
    {"type": "response.create", "response": ASKED, "model": "m", "input": "Hi"},
    {"type": "conversation.item.create", "item": typed("x")},
)


class Begun(SpanProcessor):
    """The spans that have begun."""

    def __init__(self) -> None:
        """None yet."""
        self.spans: list[int] = []

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        """A span has begun."""
        self.spans.append(span.context.span_id)


def changed(value: Any, chance: random.Random) -> Any:
    """A JSON value of which some parts are missing, or are something else."""
    if chance.random() < 0.06:
        return chance.choice(ODD)
    if isinstance(value, dict):
        return {name: changed(entry, chance) for name, entry in value.items() if chance.random() > 0.04}
    return [changed(entry, chance) for entry in value] if isinstance(value, list) else value


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("api", ["realtime", "responses"])
async def test_odd_events(api: str, seed: int, websockets: WebsocketServer, telemetry: Telemetry) -> None:
    """Under the guard of the tests, which raises what it would log, the application gets the bytes that were sent."""
    import openai

    chance = random.Random(seed)
    events = [changed(chance.choice(CONVERSATION if api == "realtime" else LANES), chance) for _ in range(300)]
    texts = [json.dumps(event) for event in events]

    async def script(peer: Peer) -> None:
        for text in texts:
            await peer.send_text(text)
        await peer.wait()

    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event", metrics="extended")
    websockets.script(script)
    client: Any = openai.AsyncOpenAI(base_url=f"{websockets.url}/v1", api_key="sk-not-a-key")
    made = client.realtime.connect(model=MODEL) if api == "realtime" else client.responses.connect()
    assert guard.strict
    begun = Begun()
    telemetry.tracer_provider.add_span_processor(begun)
    async with Opened(made) as connection:
        for text in texts:
            assert (await settled(connection.recv_bytes())).decode() == text
            if chance.random() < 0.2:
                await settled(connection.send_raw(json.dumps(changed(chance.choice(REQUESTS), chance)).encode()))
    ended = [span.context.span_id for span in telemetry.spans if span.context]
    assert sorted(ended) == sorted(begun.spans)
    assert ended

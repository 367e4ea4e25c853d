"""Transcriptions of audio on connections of the Realtime API: each is a call of the model that makes it, counted once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from inline_snapshot import snapshot

from contract.drive import Opened, settled
from loopback import Telemetry
from loopback.realtime_bodies import MODEL, committed, created, done, session, transcribing, transcription
from loopback.websockets import Peer, WebsocketServer
from opentelemetry_instrumentation_genai import OpenAIInstrumentor
from opentelemetry_instrumentation_genai.openai import _realtime_transcriptions

websockets_package: Any = pytest.importorskip("websockets.exceptions")
pytest.importorskip("openai.resources.realtime.realtime")
pytestmark = pytest.mark.filterwarnings("ignore:connect.. must be used as a context manager:DeprecationWarning")

LATEST = "gen_ai_latest_experimental"
NAME = "generate_content gpt-4o-transcribe"
CONFIG = {"model": "gpt-4o-transcribe", "language": "en", "prompt": "About weather."}
TRANSCRIBING = session(audio={"input": {"turn_detection": {"type": "server_vad"}, "transcription": CONFIG}})
TOKENS = {
    "type": "tokens",
    "total_tokens": 36,
    "input_tokens": 26,
    "input_token_details": {"text_tokens": 9, "audio_tokens": 17},
    "output_tokens": 10,
}
Run = Callable[..., Any]


@pytest.fixture(params=["sync", "async"])
def client(request: pytest.FixtureRequest, websockets: WebsocketServer) -> Any:
    """A client of the server of websockets, sync or async; its connections are used alike by `settled`."""
    import openai

    kind = openai.OpenAI if request.param == "sync" else openai.AsyncOpenAI
    return kind(base_url=f"{websockets.url}/v1", api_key="sk-not-a-key")


@pytest.fixture
def run(client: Any, websockets: WebsocketServer, telemetry: Telemetry) -> Run:
    """Reads what a server sends until an event of a type has come, and closes."""

    async def make(*events: dict[str, Any], last: str, first: dict[str, Any] = TRANSCRIBING, **settings: Any) -> None:
        async def script(peer: Peer) -> None:
            await peer.send(first, *events)
            await peer.wait()

        OpenAIInstrumentor().instrument(**telemetry.providers, **settings)
        websockets.script(script)
        async with Opened(client.realtime.connect(model=MODEL)) as connection:
            while (await settled(connection.recv())).type != last:
                pass

    return make


COMPLETED, FAILED = (transcribing(step, "")["type"] for step in ("completed", "failed"))


def tokens(telemetry: Telemetry, name: str, by: str) -> dict[Any, Any]:
    """What a metric has counted, by the model and an attribute."""
    return {
        (point.attributes["gen_ai.request.model"], point.attributes[by]): point.sum if point.count else point.value
        for point in telemetry.metrics.get(name, ())
    }


async def test_a_transcription(run, telemetry):
    """From the end of the audio to its text it is a call of its own, with its own model, beside the response to the same audio."""
    pieces = transcription("item_1", "Is it ", "sunny?", usage=TOKENS)
    events = (committed("item_1"), created(), *pieces[:2], done(), *pieces[2:])
    await run(*events, last=COMPLETED, capture_message_content="span_only")
    recorded = {span["name"]: span for span in telemetry.snapshot()["spans"]}
    assert sorted(recorded) == ["chat gpt-realtime", NAME]
    assert recorded[NAME]["status"] == {"code": "UNSET", "description": None}
    assert recorded[NAME]["attributes"] == snapshot(
        {
            "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"About weather."}]}]',
            "gen_ai.operation.name": "generate_content",
            "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Is it sunny?"}],"finish_reason":"stop"}]',
            "gen_ai.output.type": "text",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o-transcribe",
            "gen_ai.request.stream": True,
            "gen_ai.response.time_to_first_chunk": "<seconds>",
            "gen_ai.usage.audio.input_tokens": 17,
            "gen_ai.usage.input_tokens": 26,
            "gen_ai.usage.output_tokens": 10,
            "gen_ai.usage.text.input_tokens": 9,
            "openai.api.type": "realtime",
            "openai.realtime.session.id": "sess_1",
            "server.address": "127.0.0.1",
            "server.port": "<port>",
        }
    )
    assert tokens(telemetry, "gen_ai.client.token.usage", "gen_ai.token.type") == {
        ("gpt-realtime", "input"): 132,
        ("gpt-realtime", "output"): 121,
        ("gpt-4o-transcribe", "input"): 26,
        ("gpt-4o-transcribe", "output"): 10,
    }


async def test_tokens_by_modality(run, telemetry):
    """The latest generation counts those of text and of audio apart, each once."""
    events = (committed("item_1"), *transcription("item_1", "Hello.", usage=TOKENS))
    await run(*events, last=COMPLETED, semconv_stability_opt_in=LATEST)
    name = "gen_ai.client.inference.usage.input_tokens"
    model = "gpt-4o-transcribe"
    assert tokens(telemetry, name, "gen_ai.token.modality") == {(model, "text"): 9, (model, "audio"): 17}


async def test_seconds(run, telemetry):
    """A model that is billed by the length of the audio has that on the span, and no tokens."""
    usage = {"type": "duration", "seconds": 3.5}
    await run(committed("item_1"), *transcription("item_1", usage=usage), last=COMPLETED)
    (span,) = telemetry.spans
    assert (span.name, span.attributes["openai.usage.audio_seconds"]) == (NAME, 3.5)
    assert "gen_ai.client.token.usage" not in telemetry.metrics
    assert telemetry.metrics["gen_ai.client.operation.duration"][0].count == 1


async def test_content_is_off_by_default(run, telemetry):
    """Neither the text nor the prompt is recorded."""
    await run(committed("item_1"), *transcription("item_1", "Is it ", "sunny?", usage=TOKENS), last=COMPLETED)
    recorded = str(telemetry.snapshot())
    assert not [word for word in ("sunny", "weather") if word in recorded]
    assert "gen_ai.usage.input_tokens" in recorded


async def test_one_that_fails(run, telemetry):
    """It has the provider's code, and what was received until then."""
    error = {"type": "server_error", "code": "audio_unintelligible", "message": "No.", "param": None}
    events = (
        committed("item_1"),
        transcribing("delta", "item_1", delta="Is "),
        transcribing("failed", "item_1", error=error),
    )
    await run(*events, last=FAILED, capture_message_content="span_only")
    (span,) = telemetry.spans
    assert (span.name, span.status.status_code.name) == (NAME, "ERROR")
    assert span.attributes["error.type"] == "audio_unintelligible"
    assert '"Is "' in span.attributes["gen_ai.output.messages"]


async def test_segments(run, telemetry):
    """What is reported of segments is no text of its own: the last event has the whole."""
    segment = transcribing("segment", "item_1", text="Hello.", id="seg_1", speaker="A", start=0.0, end=1.0)
    events = (committed("item_1"), segment, *transcription("item_1", "Hello.", usage=TOKENS))
    await run(*events, last=COMPLETED, capture_message_content="span_only")
    (span,) = telemetry.spans
    assert span.attributes["gen_ai.output.messages"].count("Hello.") == 1


@pytest.mark.parametrize("by", ["cut", "close"])
async def test_the_connection_ends_before(by, client, websockets, telemetry):
    """A transcription that goes on then ends with the connection: as failed if that was cut."""

    async def script(peer: Peer) -> None:
        await peer.send(TRANSCRIBING, committed("item_1"), transcribing("delta", "item_1", delta="Is "))
        await (peer.cut() if by == "cut" else peer.close())

    OpenAIInstrumentor().instrument(**telemetry.providers)
    websockets.script(script)
    async with Opened(client.realtime.connect(model=MODEL)) as connection:
        with pytest.raises(websockets_package.ConnectionClosed):
            while True:
                await settled(connection.recv())
    (span,) = telemetry.spans
    assert (span.name, span.status.status_code.name) == (NAME, "ERROR" if by == "cut" else "UNSET")


async def test_the_form_of_the_beta(run, telemetry):
    """There the session has it in another place."""
    first = session(audio=None, input_audio_transcription=CONFIG)
    await run(committed("item_1"), *transcription("item_1", "Hi", usage=TOKENS), last=COMPLETED, first=first)
    assert [span.name for span in telemetry.spans] == [NAME]


async def test_a_session_that_transcribes_nothing(run, telemetry):
    """Audio alone is no transcription; one that comes nevertheless counts if it has usage, and has no model."""
    first = session()
    events = (
        committed("item_1"),
        *transcription("item_1"),
        committed("item_2"),
        *transcription("item_2", usage=TOKENS),
    )
    await run(*events, done("never"), last="response.done", first=first)
    (span,) = telemetry.spans
    assert (span.name, span.attributes["gen_ai.usage.input_tokens"]) == ("generate_content", 26)


async def test_more_than_are_kept(run, telemetry, monkeypatch):
    """A server that does not end its transcriptions fills no memory: the first are given up."""
    monkeypatch.setattr(_realtime_transcriptions, "_MOST", 2)
    events = [committed(f"item_{number}") for number in range(4)]
    await run(*events, *transcription("item_3", usage=TOKENS), last=COMPLETED)
    used = [(span.attributes or {}).get("gen_ai.usage.input_tokens") for span in telemetry.spans]
    assert used == [None, None, 26, None]

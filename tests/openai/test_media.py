"""Images and sound: what is kept of large and of binary bodies, and when a call ends whose body the application reads."""

from __future__ import annotations

import inspect
import json
from typing import Any

import openai
import pytest

from contract.drive import WAYS, Opened, Way, listed, settled
from loopback import Json, ModelServer, Sse, Telemetry, Text
from loopback.openai_bodies import image_events, image_usage, images, speech_events, transcript_events
from opentelemetry_instrumentation_genai import OpenAIInstrumentor
from opentelemetry_instrumentation_genai._adapter.openai_api.images import IMAGES

BY_WAY = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
OUTPUT = "gen_ai.output.messages"
IMAGE: dict[str, Any] = {"model": "gpt-image-1", "prompt": "A cup."}
SPEECH: dict[str, Any] = {"model": "tts-1", "input": "Hello there", "voice": "alloy"}
SOUND = ("hello.wav", b"RIFF", "audio/wav")
USED = {"gen_ai.usage.input_tokens": 30, "gen_ai.usage.output_tokens": 272}


def client_of(server: ModelServer, way: Way) -> Any:
    """A client of the model server."""
    kind = openai.AsyncOpenAI if way.name == "async" else openai.OpenAI
    return kind(base_url=f"{server.url}/v1", api_key="none", max_retries=0)


def streams(method: Any) -> Any:
    """Return a method of the SDK; skip the test where it does not stream."""
    if "stream" not in inspect.signature(method).parameters:
        pytest.skip(f"{method.__qualname__} of this SDK does not stream")
    return method


def used(telemetry: Telemetry) -> dict[str, Any]:
    """The usage of the span, without its parts."""
    attributes = telemetry.span.attributes
    return {name: attributes[name] for name in USED if name in attributes}


@pytest.mark.parametrize("capture", ["no_content", "span_only"])
@BY_WAY
def test_a_large_raw_image_has_its_usage(server: ModelServer, telemetry: Telemetry, way: Way, capture: str):
    """Without content nothing reads the image, so that its size does not matter; with content it is too large."""
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content=capture)
    server.reply(Json(images({"b64_json": "A" * (9 << 20)})))

    async def ask(client: Any) -> None:
        await settled(client.images.with_raw_response.generate(**IMAGE))
        await settled(client.close())

    way.run(ask(client_of(server, way)))

    assert (USED if capture == "no_content" else {}) == used(telemetry)
    assert OUTPUT not in telemetry.span.attributes


@pytest.mark.parametrize("binary", [False, True])
def test_the_bytes_of_an_image_are_recorded_on_request_only(
    server: ModelServer, telemetry: Telemetry, openai_client: Any, binary: bool
):
    """As with every image."""
    settings = {"capture_message_content": "span_only", "capture_binary": binary}
    OpenAIInstrumentor().instrument(**telemetry.providers, **settings)
    server.reply(Json(images({"b64_json": "AQID"})))

    openai_client().images.generate(**IMAGE)

    (message,) = json.loads(telemetry.span.attributes[OUTPUT])
    assert ["AQID" if binary else ""] == [part["content"] for part in message["parts"]]


def test_no_partial_image_is_recorded(server: ModelServer, telemetry: Telemetry, openai_client: Any):
    """A stream that ends before the image came whole has a message without parts."""
    generate = streams(openai_client().images.generate)
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    server.reply(Sse(image_events("image_generation", "AQID", whole="AQIDBA==")[:1], event_names=True))

    list(generate(**IMAGE, stream=True))

    assert [{"role": "assistant", "parts": [], "finish_reason": "error"}] == json.loads(
        telemetry.span.attributes[OUTPUT]
    )
    assert {} == used(telemetry)


def test_vectors_are_billed_beside_the_image():
    """By the prices of the model that drew them."""
    svg = {"model": "gpt-6-astra", "input_tokens": 5, "output_tokens": 7, "reasoning_tokens": 2, "total_tokens": 12}

    billed = IMAGES.billing({"usage": image_usage(), "svg_usage": svg}).beside

    expected = {
        "gen_ai.usage.input_tokens": 5,
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.reasoning.output_tokens": 2,
    }
    assert [("gpt-6-astra", expected)] == billed
    assert () == IMAGES.billing({"usage": image_usage()}).beside


@BY_WAY
@pytest.mark.parametrize("ending", ["read", "closed"])
def test_a_call_of_speech_ends_with_the_reading_of_its_sound(
    server: ModelServer, telemetry: Telemetry, way: Way, ending: str
):
    """Nothing is read ahead of the application, which gets the first half while the server withholds the second."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    server.reply(Text("ID3 not really", "audio/mpeg", end="stall", sent=1))

    async def ask(client: Any) -> list[bytes]:
        pieces = []
        async with Opened(client.audio.speech.with_streaming_response.create(**SPEECH)) as response:
            reading = response.iter_bytes()
            pieces.append(await (anext(reading) if hasattr(reading, "__anext__") else _next(reading)))
            assert [] == telemetry.spans
            if ending == "read":
                server.release()
                pieces += await listed(reading)
                assert ["generate_content tts-1"] == [span.name for span in telemetry.spans]
        await settled(client.close())
        return pieces

    async def _next(reading: Any) -> bytes:
        return next(reading)  # type: ignore[no-any-return]

    pieces = way.run(ask(client_of(server, way)))

    assert ("ID3 not really" if ending == "read" else "ID3 not") == b"".join(pieces).decode()
    assert "UNSET" == telemetry.span.status.status_code.name


@BY_WAY
def test_speech_as_events_has_usage(server: ModelServer, telemetry: Telemetry, way: Way):
    """The last event has it, whatever the application makes of the lines."""
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    server.reply(Sse(speech_events("AQID", "BAUG"), done=False))

    async def ask(client: Any) -> None:
        speaking = client.audio.speech.with_streaming_response
        async with Opened(speaking.create(**SPEECH, extra_body={"stream_format": "sse"})) as response:
            await listed(response.iter_lines())
        await settled(client.close())

    way.run(ask(client_of(server, way)))

    attributes = telemetry.span.attributes
    assert (14, 101) == tuple(attributes[f"gen_ai.usage.{kind}_tokens"] for kind in ("input", "output"))
    assert OUTPUT not in attributes


def test_a_transcription_that_is_left_has_what_came(server: ModelServer, telemetry: Telemetry, openai_client: Any):
    """The pieces, as the text of a message that is an error."""
    create = streams(openai_client().audio.transcriptions.create)
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    server.reply(Sse(transcript_events("Hel", "lo", " there"), event_names=True))

    stream = create(model="gpt-4o-transcribe", file=SOUND, stream=True)
    assert ["Hel", "lo"] == [next(stream).delta, next(stream).delta]
    stream.close()

    (message,) = json.loads(telemetry.span.attributes[OUTPUT])
    assert ([{"type": "text", "content": "Hello"}], "error") == (message["parts"], message["finish_reason"])


@pytest.mark.parametrize("transcript", ["42\n", "null\n", '"Hello"', "Grüße", ""])
@pytest.mark.parametrize("raw", [False, True], ids=["parsed", "raw"])
def test_a_transcription_that_is_a_text_stays_one(
    server: ModelServer, telemetry: Telemetry, openai_client: Any, transcript: str, raw: bool
):
    """Also where it could be read as JSON."""
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    server.reply(Text(transcript))
    resource = openai_client().audio.transcriptions

    method = (resource.with_raw_response if raw else resource).create
    result = method(model="whisper-1", file=SOUND, response_format="text")

    if not raw and result != transcript:
        pytest.skip("this SDK reads it as JSON")
    (message,) = json.loads(telemetry.span.attributes[OUTPUT])
    assert ([transcript] if transcript else []) == [part["content"] for part in message["parts"]]

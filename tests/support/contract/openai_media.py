"""What is made of images and sound: images from prompts and from images, texts from sound, and sound from texts."""

from __future__ import annotations

from dataclasses import replace

from contract.expected import INPUT, OUTPUT, SYSTEM
from contract.openai_chat import HEADERS
from contract.row import Row, given
from loopback import Json, Sse, Text
from loopback.openai_bodies import image_events, images, transcript_events, transcription, verbose_transcription

_MODEL, _OLDER = "gpt-image-1", "dall-e-3"
_PIXEL = "AQID"
_FILE = ("pixel.png", b"\x01\x02\x03", "image/png")
_IMAGES = {"gen_ai.operation.name": "generate_content", "gen_ai.output.type": "image", "gen_ai.request.model": _MODEL}
_USED = {
    "gen_ai.usage.input_tokens": 30,
    "gen_ai.usage.text.input_tokens": 10,
    "gen_ai.usage.image.input_tokens": 20,
    "gen_ai.usage.output_tokens": 272,
    "gen_ai.usage.text.output_tokens": 0,
    "gen_ai.usage.image.output_tokens": 272,
}
_BLOB = {
    "type": "blob",
    "modality": "image",
    "mime_type": "image/png",
    "byte_size": 3,
    "sha256": "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81",
    "content": "",
}
_ASKED = {INPUT: [{"role": "user", "parts": [{"type": "text", "content": "A cup."}]}]}


def _made(*parts: dict[str, object]) -> dict[str, object]:
    return {"role": "assistant", "parts": list(parts), "finish_reason": "stop"}


_ANSWERED = {OUTPUT: [_made(_BLOB)]}

_GENERATED = Row(
    "images-generate",
    "images.generate",
    given(model=_MODEL, prompt="A cup."),
    f"generate_content {_MODEL}",
    _IMAGES,
    plain=Json(images({"b64_json": _PIXEL}), headers=HEADERS),
    response=_USED,
    streamed=Sse(image_events("image_generation", "AA==", "AAE=", whole=_PIXEL), event_names=True, headers=HEADERS),
    stream_arguments={"stream": True, "partial_images": 2},
    stream_response=_USED,
    chunks=3,
    content=_ASKED,
    output=_ANSWERED,
)
_BY_URL = replace(
    _GENERATED,
    id="images-generate-urls",
    arguments=given(model=_OLDER, prompt="A cup.", n=2, response_format="url"),
    span=f"generate_content {_OLDER}",
    request={**_IMAGES, "gen_ai.request.choice.count": 2, "gen_ai.request.model": _OLDER},
    plain=Json(
        {
            "created": 1,
            "data": [
                {"url": "https://example.com/1.png", "revised_prompt": "A red cup."},
                {"url": "https://example.com/2.png"},
            ],
        },
        headers=HEADERS,
    ),
    response={},
    streamed=None,
    output={
        OUTPUT: [
            _made(
                {"type": "revised_prompt", "content": "A red cup."},
                {"type": "uri", "modality": "image", "mime_type": None, "uri": "https://example.com/1.png"},
            ),
            _made({"type": "uri", "modality": "image", "mime_type": None, "uri": "https://example.com/2.png"}),
        ]
    },
)
_EDITED = replace(
    _GENERATED,
    id="images-edit",
    method="images.edit",
    arguments=given(model=_MODEL, prompt="A cup.", image=_FILE, n=1),
    streamed=Sse(image_events("image_edit", whole=_PIXEL), event_names=True, headers=HEADERS),
    chunks=1,
)
_EDITED_BY_HAND = replace(
    _EDITED,
    id="images-edit-posted",
    method="post",
    arguments=given(
        path="/images/edits",
        body={"model": _MODEL, "prompt": "A cup.", "images": [{"file_id": "file-1"}, {"image_url": "data:,A"}]},
        cast_to=object,
    ),
    style="by hand",
    streamed=None,
    content={
        INPUT: [
            {
                "role": "user",
                "parts": [
                    {"type": "text", "content": "A cup."},
                    {"type": "file", "modality": "image", "mime_type": None, "file_id": "file-1"},
                    {
                        "type": "blob",
                        "modality": "image",
                        "mime_type": None,
                        "byte_size": 1,
                        "sha256": "559aead08264d5795d3909718cdd05abd49572e84fe55590eef31a88a08fdffd",
                        "content": "",
                    },
                ],
            }
        ]
    },
)
_VARIED = replace(
    _GENERATED,
    id="images-variation",
    method="images.create_variation",
    arguments=given(model="dall-e-2", image=_FILE, n=2),
    span="generate_content dall-e-2",
    request={**_IMAGES, "gen_ai.request.choice.count": 2, "gen_ai.request.model": "dall-e-2"},
    plain=Json({"created": 1, "data": [{"b64_json": _PIXEL}, {"b64_json": _PIXEL}]}, headers=HEADERS),
    response={},
    streamed=None,
    content={},
    output={OUTPUT: [_made({**_BLOB, "mime_type": None}), _made({**_BLOB, "mime_type": None})]},
)

# Sound.

_SOUND = ("hello.wav", b"RIFF", "audio/wav")
_HEARD = {"gen_ai.operation.name": "generate_content", "gen_ai.output.type": "text"}
_TRANSCRIBER, _WHISPER, _SPEAKER = "gpt-4o-transcribe", "whisper-1", "tts-1"
_BILLED_BY_TOKENS = {
    "gen_ai.usage.input_tokens": 14,
    "gen_ai.usage.text.input_tokens": 4,
    "gen_ai.usage.audio.input_tokens": 10,
    "gen_ai.usage.output_tokens": 3,
}
_HINT = {INPUT: [{"role": "user", "parts": [{"type": "text", "content": "A greeting."}]}]}
_HELLO = {OUTPUT: [_made({"type": "text", "content": "Hello there"})]}

_TRANSCRIBED = Row(
    "transcriptions",
    "audio.transcriptions.create",
    given(model=_TRANSCRIBER, file=_SOUND, prompt="A greeting.", temperature=0.5),
    f"generate_content {_TRANSCRIBER}",
    {**_HEARD, "gen_ai.request.model": _TRANSCRIBER, "gen_ai.request.temperature": 0.5},
    plain=Json(transcription(), headers=HEADERS),
    response=_BILLED_BY_TOKENS,
    streamed=Sse(transcript_events("Hello", " there"), event_names=True, headers=HEADERS),
    stream_response=_BILLED_BY_TOKENS,
    chunks=3,
    content=_HINT,
    output=_HELLO,
)
_VERBOSE = replace(
    _TRANSCRIBED,
    id="transcriptions-verbose",
    arguments=given(model=_WHISPER, file=_SOUND, response_format="verbose_json", timestamp_granularities=["word"]),
    span=f"generate_content {_WHISPER}",
    request={**_HEARD, "gen_ai.request.model": _WHISPER},
    plain=Json(verbose_transcription(), headers=HEADERS),
    response={"openai.usage.audio_seconds": 2.0},
    streamed=None,
    content={},
)
_AS_TEXT = replace(
    _VERBOSE,
    id="transcriptions-text",
    style="bytes",
    arguments=given(model=_WHISPER, file=_SOUND, response_format="text"),
    plain=Text("Hello there", headers=HEADERS),
    response={},
)
_TRANSLATED = replace(
    _VERBOSE,
    id="translations",
    method="audio.translations.create",
    arguments=given(model=_WHISPER, file=_SOUND, prompt="A greeting.", temperature=0.5),
    request={**_HEARD, "gen_ai.request.model": _WHISPER, "gen_ai.request.temperature": 0.5},
    plain=Json({"text": "Hello there"}, headers=HEADERS),
    response={},
    content=_HINT,
)
_SPOKEN = Row(
    "speech",
    "audio.speech.create",
    given(model=_SPEAKER, input="Hello there", voice="alloy", extra_body={"instructions": "Whisper."}),
    f"generate_content {_SPEAKER}",
    {"gen_ai.operation.name": "generate_content", "gen_ai.output.type": "speech", "gen_ai.request.model": _SPEAKER},
    style="bytes",
    plain=Text("ID3 not really", "audio/mpeg", headers=HEADERS),
    content={
        SYSTEM: [{"type": "text", "content": "Whisper."}],
        INPUT: [{"role": "user", "parts": [{"type": "text", "content": "Hello there"}]}],
    },
)

MEDIA_ROWS = (
    _GENERATED,
    _BY_URL,
    _EDITED,
    _EDITED_BY_HAND,
    _VARIED,
    _TRANSCRIBED,
    _VERBOSE,
    _AS_TEXT,
    _TRANSLATED,
    _SPOKEN,
)

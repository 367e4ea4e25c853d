"""Generated text: `POST /api/generate`, by Ollama's API reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._adapter.endpoint import Content, Endpoint
from .._adapter.fields import count, field, member, table
from .._adapter.parts import Part, attached, first_text, reasoning, text
from .._conventions import names, operation_kinds
from ._chunks import TextChunks
from ._common import REQUEST, RESPONSE, TIMED, finish_reasons, images, server_timings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def _input(body: Mapping[str, Any]) -> Content:
    content: Content = {}
    parts = _prompt(body)
    if parts:
        content[names.INPUT_MESSAGES] = [{"role": "user", "parts": parts}]
    system = first_text(body, "system")
    if system:
        content[names.SYSTEM_INSTRUCTIONS] = [text(system)]
    return content


def _prompt(body: Mapping[str, Any]) -> list[Part]:
    """Read the prompt, and the suffix that follows the generated text as a part of the type `suffix`, as the API names it."""
    prompt, suffix = first_text(body, "prompt"), first_text(body, "suffix")
    parts = [text(prompt)] if prompt else []
    if suffix:
        parts.append({"type": "suffix", "content": suffix})
    return [*parts, *images(body)]


def _output(response: Any, reasons: Sequence[str]) -> Content:
    return {
        names.OUTPUT_MESSAGES: [
            {"role": "assistant", "parts": _generated(response), "finish_reason": reason} for reason in reasons
        ]
    }


def _generated(response: Any) -> list[Part]:
    thought, content = first_text(response, "thinking"), first_text(response, "response")
    parts = [reasoning(thought)] if thought else []
    if content:
        parts.append(text(content))
    image = member(response, "image")
    return [*parts, attached("image", data=image)] if isinstance(image, str) else parts


def _image_type(pixels: Any) -> str | None:
    """Return `image` where the request names the size of an image, or how it is generated."""
    return "image" if count(pixels) else None


GENERATE = Endpoint(
    kind=operation_kinds.TEXT_COMPLETION,
    methods=("_client:Client.generate", "_client:AsyncClient.generate"),
    request=table(
        *REQUEST,
        *(field(names.OUTPUT_TYPE, _image_type, name) for name in ("width", "height", "steps")),
        field(names.OLLAMA_IMAGE_WIDTH, count, "width"),
        field(names.OLLAMA_IMAGE_HEIGHT, count, "height"),
        field(names.OLLAMA_IMAGE_STEPS, count, "steps"),
    ),
    response=table(*RESPONSE),
    finish_reasons=finish_reasons,
    input_content=_input,
    output_content=_output,
    timings=server_timings,
    timed=TIMED,
    accumulator=TextChunks,
)

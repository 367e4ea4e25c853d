"""Images: `predict` with the Imagen models, by the API reference of Vertex AI: generated, edited, upscaled and segmented."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._adapter.endpoint import Content, Endpoint
from ..._adapter.fields import field, integer, items, member, table
from ..._adapter.parts import Part, attached, first_text, text
from ..._conventions import names, operation_kinds
from ._bodies import spelled
from ._generate_content import choice_count, failure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LEVELS = 3  # an image may be in a reference, and that in a list


def _input(body: Mapping[str, Any]) -> Content:
    found = [_instance(instance) for instance in items(body, "instances")]
    messages = [{"role": "user", "parts": parts} for parts in found if parts]
    return {names.INPUT_MESSAGES: messages} if messages else {}


def _instance(instance: Any) -> list[Part]:
    """Read the prompt, and the images, wherever they are in the instance."""
    prompt = first_text(instance, "prompt")
    return [*([] if prompt is None else [text(prompt)]), *_images(instance, _LEVELS)]


def _images(value: Any, levels: int) -> list[Part]:
    if isinstance(value, list):
        return [part for entry in value for part in _images(entry, levels)] if levels else []
    if not isinstance(value, dict):
        return []
    held = spelled(value)
    data, url = held.get("bytesBase64Encoded"), held.get("gcsUri")
    if data is not None or url is not None:
        return [attached("image", url=url, data=data, mime_type=held.get("mimeType"))]
    return [part for entry in held.values() for part in _images(entry, levels - 1)] if levels else []


def _output(response: Any, _reasons: Sequence[str]) -> Content:
    """Read one message per image. This API has no finish reasons, but a reason for an image that was filtered."""
    messages = [
        {
            "role": "assistant",
            "parts": _images(prediction, 1),
            "finish_reason": "stop" if member(prediction, "raiFilteredReason") is None else "content_filter",
        }
        for prediction in items(response, "predictions")
    ]
    return {names.OUTPUT_MESSAGES: messages} if messages else {}


GENERATE_IMAGES = Endpoint(
    kind=operation_kinds.GENERATE_CONTENT,
    methods=tuple(
        f"models:{kind}.{method}"
        for method in (
            "generate_images",
            "_generate_images",
            "edit_image",
            "upscale_image",
            "recontext_image",
            "segment_image",
        )
        for kind in ("Models", "AsyncModels")
    ),
    messages="instances",
    request=table(
        field(names.REQUEST_CHOICE_COUNT, choice_count, "parameters.sampleCount"),
        field(names.REQUEST_SEED, integer, "parameters.seed"),
    ),
    response=table(),
    constants={names.OUTPUT_TYPE: "image"},
    input_content=_input,
    output_content=_output,
    failure=failure,
    for_messages=frozenset({"predictions"}),
)

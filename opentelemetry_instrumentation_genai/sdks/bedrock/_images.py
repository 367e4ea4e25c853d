"""Images of Amazon Nova Canvas and Titan, and of Stability AI, by AWS's pages of their parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._adapter.endpoint import Content, Endpoint
from ..._adapter.failure import reported_error
from ..._adapter.fields import field, integer, items, member, string, table
from ..._adapter.openai_api.common import choice_count
from ..._adapter.parts import Part, attached, first_text, text
from ..._conventions import names, operation_kinds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..._adapter.failure import Failure

_TASKS = (
    "textToImageParams",
    "inPaintingParams",
    "outPaintingParams",
    "imageVariationParams",
    "colorGuidedGenerationParams",
)


def _failure(response: Any) -> Failure | None:
    """Return the failure that a response reports: some of its images were not made, for a reason in words."""
    return reported_error(member(response, "error"))


def _reasons(response: Any, _streamed: bool = False) -> list[str]:
    """Return one reason for each image; Stability AI's is null for one that was made."""
    given = items(response, "finish_reasons")
    if given:
        return [_reason(reason) for reason in given]
    return ["stop"] * len(items(response, "images"))


def _reason(reason: Any) -> str:
    word = string(reason)
    return "stop" if word is None else "content_filter" if word.startswith("Filter reason") else word


def _input(body: Mapping[str, Any]) -> Content:
    sources = [body, *(member(body, task) for task in _TASKS)]
    parts: list[Part] = [text(prompt) for source in sources if (prompt := first_text(source, "prompt", "text"))]
    for source in sources:
        images = [*items(source, "images"), member(source, "image")]
        parts += [attached("image", data=image) for image in images if isinstance(image, str)]
    return {names.INPUT_MESSAGES: [{"role": "user", "parts": parts}]} if parts else {}


def _output(response: Any, reasons: Sequence[str]) -> Content:
    images = [image for image in items(response, "images") if isinstance(image, str)]
    if not reasons:
        return {}
    made: list[Any] = [*images, *[None] * (len(reasons) - len(images))]
    return {
        names.OUTPUT_MESSAGES: [
            {"role": "assistant", "parts": [attached("image", data=image)] if image else [], "finish_reason": reason}
            for image, reason in zip(made, reasons, strict=False)
        ]
    }


IMAGES = Endpoint(
    kind=operation_kinds.GENERATE_CONTENT,
    messages="prompt",
    request=table(
        field(names.REQUEST_CHOICE_COUNT, choice_count, "imageGenerationConfig.numberOfImages"),
        field(names.REQUEST_SEED, integer, "seed"),
        field(names.REQUEST_SEED, integer, "imageGenerationConfig.seed"),
    ),
    response=table(),
    constants={names.OUTPUT_TYPE: "image"},
    finish_reasons=_reasons,
    input_content=_input,
    output_content=_output,
    failure=_failure,
)
CONTENT = Endpoint(kind=operation_kinds.GENERATE_CONTENT, request=table(), response=table())
"""For a model with bodies of an unknown form: what the service itself reports."""

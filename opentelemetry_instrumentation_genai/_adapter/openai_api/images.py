"""Images: `POST /images/generations`, `/images/edits` and `/images/variations`, by OpenAI's API reference.

Files that a request sends are not read, and partial images of a stream are not kept.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..._conventions import names, operation_kinds
from ..billing import NO_MORE, Billing
from ..endpoint import Content, Endpoint
from ..fields import Attribute, count, field, items, member, members, string, table
from ..parts import Part, attached, first_text, text
from .common import choice_count, failure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_REQUEST = table(field(names.REQUEST_CHOICE_COUNT, choice_count, "n"))
_RESPONSE = table(
    field(names.USAGE_INPUT_TOKENS, count, "usage.input_tokens"),
    field(names.USAGE_TEXT_INPUT_TOKENS, count, "usage.input_tokens_details.text_tokens"),
    field(names.USAGE_IMAGE_INPUT_TOKENS, count, "usage.input_tokens_details.image_tokens"),
    field(names.USAGE_OUTPUT_TOKENS, count, "usage.output_tokens"),
    field(names.USAGE_TEXT_OUTPUT_TOKENS, count, "usage.output_tokens_details.text_tokens"),
    field(names.USAGE_IMAGE_OUTPUT_TOKENS, count, "usage.output_tokens_details.image_tokens"),
)
_SVG_USAGE = table(
    field(names.USAGE_INPUT_TOKENS, count, "input_tokens"),
    field(names.USAGE_OUTPUT_TOKENS, count, "output_tokens"),
    field(names.USAGE_REASONING_OUTPUT_TOKENS, count, "reasoning_tokens"),
)
_KEPT = ("usage", "output_format")


def _input(body: Mapping[str, Any]) -> Content:
    """Read the prompt, and the images that are given by a URL or the id of a file."""
    prompt = first_text(body, "prompt")
    parts = [] if prompt is None else [text(prompt)]
    for image in items(body, "images"):
        url, file_id = member(image, "image_url"), member(image, "file_id")
        if isinstance(url, str) or isinstance(file_id, str):
            parts.append(attached("image", url=url, file_id=file_id))
    return {names.INPUT_MESSAGES: [{"role": "user", "parts": parts}]} if parts else {}


def _output(response: Any, _reasons: Sequence[str]) -> Content:
    """Read one message per image. This API has no finish reasons: of a stream, an image that did not come whole is an error."""
    kind = string(member(response, "output_format"))
    messages = [_message(_parts(image, kind), "stop") for image in items(response, "data")]
    if member(response, "unfinished") is True:
        messages.append(_message([], "error"))
    return {names.OUTPUT_MESSAGES: messages} if messages else {}


def _message(parts: list[Part], reason: str) -> dict[str, Any]:
    return {"role": "assistant", "parts": parts, "finish_reason": reason}


def _parts(image: Any, kind: str | None) -> list[Part]:
    """Return the image, after the prompt that the model has made of the request's if it has."""
    mime_type = f"image/{kind}" if kind else None
    made = attached("image", url=member(image, "url"), data=member(image, "b64_json"), mime_type=mime_type)
    revised = first_text(image, "revised_prompt")
    return [made] if revised is None else [{"type": "revised_prompt", "content": revised}, made]


def _billing(response: Any) -> Billing:
    """Return the usage of the model that drew vectors, which is billed beside that of the image."""
    svg = member(response, "svg_usage")
    used: Mapping[str, Attribute] = _SVG_USAGE.read(svg)
    return Billing(beside=[(string(member(svg, "model")), used)]) if used else NO_MORE


class ImageEvents:
    """Accumulates the events of a stream: the last one of an image has it whole, and the usage."""

    __slots__ = ("_begun", "_content", "_done", "_error", "_last")

    def __init__(self, content: bool) -> None:
        self._content = content
        self._begun = False
        self._done: list[dict[str, Any]] = []
        self._last: Mapping[str, Any] = {}
        self._error: Any = None

    def add(self, event: Any) -> None:
        """Add one event."""
        held = members(event)
        kind = string(held.get("type")) or ""
        if kind.endswith(".completed"):
            self._last = {name: held.get(name) for name in _KEPT}
            self._done.append({"b64_json": held.get("b64_json")} if self._content else {})
            self._begun = False
        elif kind.endswith(".partial_image"):
            self._begun = True
        elif held.get("error"):
            self._error = held["error"]

    def result(self) -> dict[str, Any]:
        """Return the response received so far."""
        return {**self._last, "data": [*self._done], "unfinished": self._begun, "error": self._error}


IMAGES = Endpoint(
    kind=operation_kinds.GENERATE_CONTENT,
    messages="prompt",
    request=_REQUEST,
    response=_RESPONSE,
    constants={names.OUTPUT_TYPE: "image"},
    input_content=_input,
    output_content=_output,
    failure=failure,
    billing=_billing,
    accumulator=ImageEvents,
    for_messages=frozenset({"data"}),
)
"""Both images that are generated and images that are edited."""
IMAGE_VARIATIONS = replace(IMAGES, accumulator=None)

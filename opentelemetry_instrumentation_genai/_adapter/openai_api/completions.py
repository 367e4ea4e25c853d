"""Legacy completions: `POST /completions`, by OpenAI's API reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._conventions import names, operation_kinds
from ..endpoint import Content, Endpoint
from ..fields import field, member, table
from ..parts import generic, text
from .chat import finish_reasons, in_order
from .chunks import ChoiceChunks
from .common import MEASURED_VALUES, RESPONSE, SAMPLING, USAGE, billing, choice_count, failure
from .stream_usage import STREAM_USAGE
from .timings import server_timings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def _input(body: Mapping[str, Any]) -> Content:
    """Read one user message per prompt; a prompt of token ids is recorded as their count."""
    prompt = member(body, "prompt")
    prompts = [prompt] if isinstance(prompt, str) else prompt
    if not isinstance(prompts, (list, tuple)):
        return {}
    if prompts and isinstance(prompts[0], int):
        prompts = [prompts]
    return {names.INPUT_MESSAGES: [{"role": "user", "parts": [_prompt(entry)]} for entry in prompts]}


def _prompt(prompt: Any) -> dict[str, Any]:
    if isinstance(prompt, str):
        return text(prompt)
    return {"type": "tokens", "count": len(prompt)} if isinstance(prompt, (list, tuple)) else generic(prompt)


def _output(response: Any, reasons: Sequence[str]) -> Content:
    if not reasons:
        return {}
    return {
        names.OUTPUT_MESSAGES: [
            {"role": "assistant", "parts": [text(member(choice, "text") or "")], "finish_reason": reason}
            for choice, reason in zip(in_order(response), reasons, strict=False)
        ]
    }


COMPLETIONS = Endpoint(
    kind=operation_kinds.TEXT_COMPLETION,
    request=table(*SAMPLING, field(names.REQUEST_CHOICE_COUNT, choice_count, "n")),
    response=table(*RESPONSE, *USAGE),
    finish_reasons=finish_reasons,
    input_content=_input,
    output_content=_output,
    failure=failure,
    timings=server_timings,
    billing=billing,
    accumulator=ChoiceChunks,
    measured_values=MEASURED_VALUES,
    stream_usage=STREAM_USAGE,
)

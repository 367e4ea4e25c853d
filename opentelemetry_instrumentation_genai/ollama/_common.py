"""Common to the endpoints of the API: options, usage, durations, finish reasons, images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._adapter.fields import count, field, integer, items, member, number, string, strings
from .._adapter.parts import attached
from .._adapter.server_timings import Timings, timings
from .._conventions import names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._adapter.parts import Part


def _output_type(value: object) -> str | None:
    """Return `json` for `json` or a JSON schema; an empty text is no format."""
    return "json" if value == "json" or isinstance(value, dict) else None


def _seconds(value: object) -> float | None:
    nanoseconds = count(value)
    return None if nanoseconds is None else nanoseconds / 1e9


REQUEST = (
    field(names.REQUEST_TEMPERATURE, number, "options.temperature"),
    field(names.REQUEST_TOP_P, number, "options.top_p"),
    field(names.REQUEST_TOP_K, integer, "options.top_k"),
    field(names.REQUEST_FREQUENCY_PENALTY, number, "options.frequency_penalty"),
    field(names.REQUEST_PRESENCE_PENALTY, number, "options.presence_penalty"),
    field(names.REQUEST_SEED, integer, "options.seed"),
    field(names.REQUEST_STOP_SEQUENCES, strings, "options.stop"),
    field(names.REQUEST_MAX_TOKENS, count, "options.num_predict"),  # a negative value means that there is no limit
    field(names.OUTPUT_TYPE, _output_type, "format"),
    field(names.REQUEST_REASONING_LEVEL, string, "think"),  # a boolean is not a level
)
RESPONSE = (
    field(names.RESPONSE_MODEL, string, "model"),
    field(names.USAGE_INPUT_TOKENS, count, "prompt_eval_count"),
    field(names.USAGE_OUTPUT_TOKENS, count, "eval_count"),
    field(names.OLLAMA_TOTAL_DURATION, _seconds, "total_duration"),
    field(names.OLLAMA_LOAD_DURATION, _seconds, "load_duration"),
    field(names.OLLAMA_PROMPT_EVAL_DURATION, _seconds, "prompt_eval_duration"),
    field(names.OLLAMA_EVAL_DURATION, _seconds, "eval_duration"),
)

TIMED = frozenset(
    {
        names.OLLAMA_EVAL_DURATION,
        names.OLLAMA_LOAD_DURATION,
        names.OLLAMA_PROMPT_EVAL_DURATION,
        names.OLLAMA_TOTAL_DURATION,
    }
)
"""The attributes that `server_timings` needs."""


def server_timings(_response: object, found: Mapping[str, Any]) -> Timings | None:
    """Read the timings that the server measured. The first token follows the loading of the model and the prompt evaluation."""
    load, prompt = found.get(names.OLLAMA_LOAD_DURATION), found.get(names.OLLAMA_PROMPT_EVAL_DURATION)
    before = None if load is None or prompt is None else load + prompt
    generating = found.get(names.OLLAMA_EVAL_DURATION)
    return timings(found.get(names.OLLAMA_TOTAL_DURATION), before, generating, found.get(names.USAGE_OUTPUT_TOKENS))


def finish_reasons(response: Any, _streamed: bool = False) -> list[str]:
    """Return the server's reason; `error` if it has sent none."""
    return [string(member(response, "done_reason")) or "error"]


def images(source: Any) -> list[Part]:
    """Read the images of a message or a prompt, which the SDK has encoded in base64."""
    return [attached("image", data=image) for image in items(source, "images")]

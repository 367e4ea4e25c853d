"""What the endpoints of the API share: options, usage, durations, finish reasons, images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._adapter.fields import count, field, integer, items, member, number, string, strings
from .._adapter.parts import attached
from .._adapter.server_timings import Timings, timings
from .._conventions import names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._adapter.parts import Part


def _output_type(value: Any) -> str | None:
    """`json`, or a JSON schema; an empty text is no format."""
    return "json" if value == "json" or isinstance(value, dict) else None


def _seconds(value: Any) -> float | None:
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
    field(names.REQUEST_MAX_TOKENS, count, "options.num_predict"),  # below zero it says that there is no limit
    field(names.OUTPUT_TYPE, _output_type, "format"),
    field(names.REQUEST_REASONING_LEVEL, string, "think"),  # true and false are no level
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


def server_timings(_response: Any, found: Mapping[str, Any]) -> Timings | None:
    """What the server measured. The first token is there when the model is loaded, which it waits for, and the prompt is read."""
    load, prompt = found.get(names.OLLAMA_LOAD_DURATION), found.get(names.OLLAMA_PROMPT_EVAL_DURATION)
    before = None if load is None or prompt is None else load + prompt
    generating = found.get(names.OLLAMA_EVAL_DURATION)
    return timings(found.get(names.OLLAMA_TOTAL_DURATION), before, generating, found.get(names.USAGE_OUTPUT_TOKENS))


def finish_reasons(response: Any, _streamed: bool = False) -> list[str]:
    """The server's word; one that never came counts as `error`."""
    return [string(member(response, "done_reason")) or "error"]


def images(source: Any) -> list[Part]:
    """The images of a message or a prompt, which the SDK has made base64 of."""
    return [attached("image", data=image) for image in items(source, "images")]

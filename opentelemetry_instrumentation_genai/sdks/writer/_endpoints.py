"""The endpoints of Writer's API, by its reference: OpenAI's, where completions and analyses of images have no usage and no reason."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..._adapter.fields import count, field, items, member, table
from ..._adapter.openai_api.chat import CHAT
from ..._adapter.openai_api.chunks import ChoiceChunks
from ..._adapter.openai_api.common import RESPONSE, USAGE
from ..._adapter.openai_api.completions import COMPLETIONS
from ..._adapter.translation import translated
from ..._conventions import names

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..._adapter.endpoint import Endpoint


def _text(name: str) -> Callable[[Any], Any]:
    """Return a function: a response or a chunk with one text, in the member `name` -> in OpenAI's form."""
    return lambda received: {"choices": [{"text": member(received, name)}]}


_CACHED = field(names.USAGE_CACHE_READ_INPUT_TOKENS, count, "usage.prompt_token_details.cached_tokens")
_COMPLETIONS = replace(
    COMPLETIONS,
    finish_reasons=lambda _response, _streamed: [],
    output_content=lambda response, _: COMPLETIONS.output_content(response, ["stop"] * len(items(response, "choices"))),
    accumulator=translated(_text("value"), ChoiceChunks),
    stream_usage=None,
)
ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("post", "/v1/chat"): replace(CHAT, response=table(*RESPONSE, *USAGE, _CACHED)).called_by(
        "chat", "ChatResource", "chat"
    ),
    ("post", "/v1/completions"): _COMPLETIONS.called_by("completions", "CompletionsResource"),
    ("post", "/v1/vision"): replace(_COMPLETIONS, kind=CHAT.kind, form=_text("data"), accumulator=None).called_by(
        "vision", "VisionResource", "analyze"
    ),
}

"""The endpoints of Portkey's gateway: OpenAI's, and chats by a prompt that is saved there."""

from __future__ import annotations

from dataclasses import replace

from ..._adapter.fields import both, field, string, table
from ..._adapter.openai_api import endpoints
from ..._adapter.openai_api.chat import CHAT
from ..._conventions import names

_NAME = table(field(names.PROMPT_NAME, string, "prompt"))
_PROMPT = replace(CHAT, request=both(CHAT.request, _NAME), constants={}, stream_usage=None)
ENDPOINTS = {**endpoints.ENDPOINTS, ("post", "/prompts/{prompt}/completions"): _PROMPT}

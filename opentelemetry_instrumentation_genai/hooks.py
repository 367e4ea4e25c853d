"""The public types of hooks: request and response hooks, and completion hooks."""

from __future__ import annotations

from ._application.hooks import GenAIRequest, RequestHook, ResponseHook
from ._content.completion_hook.completion import Completion, CompletionHook, ReferencingHook

__all__ = ["Completion", "CompletionHook", "GenAIRequest", "ReferencingHook", "RequestHook", "ResponseHook"]

"""The public types of what an application can hang onto calls: request and response hooks, and completion hooks."""

from __future__ import annotations

from ._completion import Completion, CompletionHook, ReferencingHook
from ._hooks import GenAIRequest, RequestHook, ResponseHook

__all__ = ["Completion", "CompletionHook", "GenAIRequest", "ReferencingHook", "RequestHook", "ResponseHook"]

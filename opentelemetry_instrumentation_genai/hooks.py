"""The public types of what an application can hang onto calls."""

from __future__ import annotations

from ._hooks import GenAIRequest, RequestHook, ResponseHook

__all__ = ["GenAIRequest", "RequestHook", "ResponseHook"]

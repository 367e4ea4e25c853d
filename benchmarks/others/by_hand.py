"""What an application that uses `llm-otel-kit` does around a call: that package instruments no SDK, its functions are called by hand."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
from calls import REQUEST
from llm_otel_kit import (
    GenAIMetrics,
    ProviderConfig,
    classify_request,
    create_provider,
    record_metrics,
    set_genai_response,
    set_genai_span,
)
from llm_otel_kit.spans import semconv_attrs
from opentelemetry import metrics, trace


def call(url: str) -> None:
    """Send the request with a span around it, as the README of that package shows."""
    asyncio.run(_call(url))


async def _call(url: str) -> None:
    provider = create_provider(ProviderConfig(name="openai", base_url=url, api_key="none"))
    instruments = GenAIMetrics(metrics.get_meter("app"))
    model, messages = REQUEST["model"], REQUEST["messages"]
    asked: dict[str, Any] = {name: REQUEST[name] for name in ("temperature", "top_p", "max_tokens")}
    host, port = httpx.URL(url).host, httpx.URL(url).port or 80
    with trace.get_tracer("app").start_as_current_span("chat") as span:
        purpose = classify_request(messages)
        set_genai_span(span, model, purpose, False, messages, host, port, **asked)
        start = time.monotonic()
        async with httpx.AsyncClient() as client:
            result = await provider.complete(client, provider.build_payload(model, messages, False, **asked))
        used = (result.prompt_tokens, result.completion_tokens)
        set_genai_response(span, result.content, result.model, *used, result.finish_reason, result.response_id)
        record_metrics(instruments, semconv_attrs(model, host, port), model, time.monotonic() - start, *used)

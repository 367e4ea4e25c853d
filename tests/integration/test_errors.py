"""Errors that real servers make: telemetry tells the status, and the server's own word for it where it has one."""

from __future__ import annotations

from typing import Any

import anthropic
import openai
import pytest

from exchanges import QUESTION
from loopback import Telemetry
from opentelemetry_instrumentation_genai import AnthropicInstrumentor, OpenAIInstrumentor
from served import Served

CHAT = {"model": "tiny", "messages": [{"role": "user", "content": QUESTION}], "max_tokens": 8}
LONG = [{"role": "user", "content": f"{QUESTION} " * 2000}]
UNKNOWN = {"model": "another"}
WRONG_KEY = {"api_key": "sk-wrong-and-secret"}

# server, settings of the client, arguments -> exception, status, error.type.
OPENAI_ERRORS = {
    "llama: a wrong key": (
        "locked_llama",
        WRONG_KEY,
        {},
        (openai.AuthenticationError, 401, "authentication_error"),
    ),
    "llama: a prompt that is too long": (
        "llama",
        {},
        {"messages": LONG},
        (openai.BadRequestError, 400, "exceed_context_size_error"),
    ),
    "litellm: too many requests": (
        "litellm",
        {},
        {"model": "limited"},
        (openai.RateLimitError, 429, "throttling_error"),
    ),
    "litellm: a wrong key": ("litellm", WRONG_KEY, {}, (openai.BadRequestError, 400, "no_db_connection")),
    "litellm: an unknown model": ("litellm", {}, UNKNOWN, (openai.BadRequestError, 400, "invalid_request_error")),
    "litellm: a prompt that is too long": (
        "litellm",
        {},
        {"messages": LONG},
        (openai.BadRequestError, 400, "invalid_request_error"),
    ),
    "vllm: an unknown model": ("vllm", {}, UNKNOWN, (openai.NotFoundError, 404, "NotFoundError")),
    "vllm: a prompt that is too long": (
        "vllm",
        {},
        {"messages": LONG},
        (openai.BadRequestError, 400, "BadRequestError"),
    ),
    # Its errors have no word for themselves.
    "transformers: an unknown model": (
        "transformers",
        {},
        UNKNOWN,
        (openai.BadRequestError, 400, "openai.BadRequestError"),
    ),
}
ANTHROPIC_ERRORS = {
    "llama: a wrong key": (
        "locked_llama",
        WRONG_KEY,
        {},
        (anthropic.AuthenticationError, 401, "authentication_error"),
    ),
    "llama: a prompt that is too long": (
        "llama",
        {},
        {"messages": LONG},
        (anthropic.BadRequestError, 400, "exceed_context_size_error"),
    ),
    "vllm: an unknown model": ("vllm", {}, UNKNOWN, (anthropic.NotFoundError, 404, "NotFoundError")),
}


def outcome(telemetry: Telemetry) -> tuple[Any, ...]:
    """Span status, `http.response.status_code`, `error.type`, and the same of the duration; no tokens."""
    span = telemetry.span
    (point,) = telemetry.metrics["gen_ai.client.operation.duration"]
    assert "gen_ai.client.token.usage" not in telemetry.metrics
    return (
        span.status.status_code.name,
        span.attributes["http.response.status_code"],
        span.attributes["error.type"],
        point.attributes["error.type"],
    )


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("case", OPENAI_ERRORS)
def test_errors_through_openai(case: str, stream: bool, request: Any, telemetry: Telemetry) -> None:
    """The SDK raises what it raises; nothing of the prompt and no key is recorded."""
    name, settings, arguments, (kind, status, word) = OPENAI_ERRORS[case]
    served: Served = request.getfixturevalue(name)
    OpenAIInstrumentor().instrument(**telemetry.providers, host_providers=served.declared)

    with openai.OpenAI(**served.settings(**settings)) as client:
        with pytest.raises(openai.APIStatusError) as raised:
            client.chat.completions.create(**{**CHAT, **arguments}, stream=stream)

    assert (kind, status) == (type(raised.value), raised.value.status_code)
    assert ("ERROR", status, word, word) == outcome(telemetry)
    assert served.name == telemetry.span.attributes["gen_ai.provider.name"]
    recorded = repr(telemetry.snapshot())
    assert [] == [secret for secret in ("France", "sk-wrong", served.key) if secret in recorded]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("case", ANTHROPIC_ERRORS)
def test_errors_through_anthropic(case: str, stream: bool, request: Any, telemetry: Telemetry) -> None:
    """The same through the other SDK."""
    name, settings, arguments, (kind, status, word) = ANTHROPIC_ERRORS[case]
    served: Served = request.getfixturevalue(name)
    AnthropicInstrumentor().instrument(**telemetry.providers, host_providers=served.declared)

    with anthropic.Anthropic(**served.settings(base_url=served.url, **settings)) as client:
        with pytest.raises(anthropic.APIStatusError) as raised:
            client.messages.create(**{**CHAT, **arguments}, stream=stream)

    assert (kind, status) == (type(raised.value), raised.value.status_code)
    assert ("ERROR", status, word, word) == outcome(telemetry)
    recorded = repr(telemetry.snapshot())
    assert [] == [secret for secret in ("France", "sk-wrong", served.key) if secret in recorded]

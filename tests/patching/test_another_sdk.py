"""An SDK of the Stainless family that nobody has seen is followed by one small folder: `tests/support/acme_instrumentation`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import acme_instrumentation
from acme import Acme, AsyncAcme
from acme._base_client import AcmeError
from acme_instrumentation import AcmeInstrumentor
from contract.drive import WAYS, Way, listed, settled
from loopback import Json, ModelServer, Sse, Telemetry
from opentelemetry_instrumentation_genai._settings import readers

ANSWER = {"id": "a1", "model": "acme-2", "answer": "Blue.", "end": "stop", "usage": {"read": 8, "written": 3}}
CHUNKS = [{"id": "a1", "model": "acme-2", "text": "Bl"}, {"text": "ue."}, {"end": "stop", "usage": ANSWER["usage"]}]
LINES = 60


@pytest.fixture(autouse=True)
def instrumented(telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Calls of the SDK are followed."""
    monkeypatch.setattr(readers, "INSTRUMENTED", (*readers.INSTRUMENTED, "acme"))
    settings = {"enabled": "acme", "capture_message_content": "span_only"}
    AcmeInstrumentor().instrument(**telemetry.providers, **settings)
    yield
    AcmeInstrumentor().uninstrument()


async def ask(way: Way, url: str, **more: Any) -> Any:
    """Make a call, and read all of it."""
    client: Any = (AsyncAcme if way.name == "async" else Acme)(url)
    try:
        answer = await settled(client.ask(model="acme-2", question="Which colour?", heat=0.5, **more))
        return await listed(answer) if more else answer
    finally:
        await settled(client._client.aclose() if way.name == "async" else client._client.close())


def test_the_folder_is_small():
    """A folder that follows one more SDK has fewer than sixty lines."""
    files = list(Path(acme_instrumentation.__file__).parent.glob("*.py"))

    assert LINES > sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
@pytest.mark.parametrize("stream", [False, True])
def test_a_call(server: ModelServer, telemetry: Telemetry, way: Way, stream: bool):
    """The application gets what it gets without us; span, metrics and content are those of any other call."""
    server.reply_always(Sse(CHUNKS) if stream else Json(ANSWER))
    more = {"stream": True} if stream else {}

    assert (CHUNKS if stream else ANSWER) == way.run(ask(way, server.url, **more))

    attributes = dict(telemetry.span.attributes)
    messages = [json.loads(attributes.pop(f"gen_ai.{kind}.messages")) for kind in ("input", "output")]
    first = attributes.pop("gen_ai.response.time_to_first_chunk", None)
    assert stream == (first is not None)
    assert attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "acme",
        "gen_ai.request.model": "acme-2",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.response.id": "a1",
        "gen_ai.response.model": "acme-2",
        "gen_ai.usage.input_tokens": 8,
        "gen_ai.usage.output_tokens": 3,
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": int(server.url.rpartition(":")[2]),
        **({"gen_ai.request.stream": True} if stream else {}),
    }
    assert messages == [
        [{"role": "user", "parts": [{"type": "text", "content": "Which colour?"}]}],
        [{"role": "assistant", "parts": [{"type": "text", "content": "Blue."}], "finish_reason": "stop"}],
    ]
    assert {"gen_ai.client.operation.duration", "gen_ai.client.token.usage"} <= telemetry.metrics.keys()


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_refusal(server: ModelServer, telemetry: Telemetry, way: Way):
    """The SDK's exception reaches the application, and the span has it."""
    server.reply_always(Json({"error": {"code": "too_many_questions"}}, status=429))

    with pytest.raises(AcmeError):
        way.run(ask(way, server.url))

    assert "ERROR" == telemetry.span.status.status_code.name
    assert 429 == telemetry.span.attributes["http.response.status_code"]

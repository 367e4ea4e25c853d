"""An application of its own, started by `opentelemetry-instrument`, that asks a real server and exports over OTLP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loopback import OtlpReceiver
from loopback.processes import run
from served import Served

APPLICATION = """
import openai

client = openai.OpenAI(max_retries=0)
question = [{"role": "user", "content": "What is the capital of France?"}]
print(client.chat.completions.create(model="tiny", messages=question, temperature=0).choices[0].message.content)
usage = {"include_usage": True}
chunks = client.chat.completions.create(model="tiny", messages=question, temperature=0, stream=True, stream_options=usage)
print("".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices))
"""


def calls(received: OtlpReceiver) -> list[dict[str, Any]]:
    """The spans of both calls; a server of another test may still export some of its own."""
    spans = [span for span in received.spans if span["name"] == "chat tiny"]
    return spans if len(spans) == 2 else []


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_an_application_that_knows_nothing_of_it(
    llama: Served, protocol: str, receiver: OtlpReceiver, tmp_path: Path
) -> None:
    """It says what it says; its calls are exported with the tokens that the server counted."""
    before = llama.before()

    printed, complaints = run(
        tmp_path,
        APPLICATION,
        instrumented=True,
        OPENAI_BASE_URL=f"{llama.url}/v1",
        OPENAI_API_KEY="sk-of-nobody",
        OTEL_INSTRUMENTATION_GENAI_HOST_PROVIDERS=llama.declared,
        **receiver.environment(protocol),
    )

    assert (["The capital of France is Paris."] * 2, []) == (printed, complaints)
    spans = receiver.wait_for(calls)
    tokens = llama.since(before, 16)
    assert tokens is not None
    assert [("chat tiny", "llama_cpp", "tiny", ["stop"])] * 2 == [
        (
            span["name"],
            span["attributes"]["gen_ai.provider.name"],
            span["attributes"]["gen_ai.response.model"],
            span["attributes"]["gen_ai.response.finish_reasons"],
        )
        for span in spans
    ]
    (usage,) = receiver.wait_for(
        lambda received: [metric for metric in received.metrics if metric["name"] == "gen_ai.client.token.usage"]
    )
    counted = {point["attributes"]["gen_ai.token.type"]: point["sum"] for point in usage["points"]}
    assert {"input": tokens.input, "output": tokens.output} == counted
    assert [] == [secret for secret in ("France", "sk-of-nobody") if secret in repr(spans)]

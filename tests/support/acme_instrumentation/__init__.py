"""Instrumentation of `acme`: what it takes to follow one more SDK of the Stainless family."""

from __future__ import annotations

from typing import Any

from opentelemetry_instrumentation_genai._adapter.endpoint import Endpoint
from opentelemetry_instrumentation_genai._adapter.fields import count, field, member, number, string, table
from opentelemetry_instrumentation_genai._adapter.parts import text
from opentelemetry_instrumentation_genai._conventions import names, operation_kinds
from opentelemetry_instrumentation_genai._patching.stainless_instrumentor import StainlessInstrumentor


class Chunks:
    """The chunks of an answer, put together into the plain response."""

    def __init__(self, _content: bool) -> None:
        self._response: dict[str, Any] = {}

    def add(self, chunk: Any) -> None:
        """Add a chunk."""
        answer = self._response.get("answer", "") + (chunk.get("text") or "")
        self._response |= {**chunk, "answer": answer}

    def result(self) -> dict[str, Any]:
        """Return the response as far as it was received."""
        return self._response


CHAT = Endpoint(
    kind=operation_kinds.CHAT,
    request=table(field(names.REQUEST_TEMPERATURE, number, "heat")),
    response=table(
        field(names.RESPONSE_ID, string, "id"),
        field(names.RESPONSE_MODEL, string, "model"),
        field(names.USAGE_INPUT_TOKENS, count, "usage.read"),
        field(names.USAGE_OUTPUT_TOKENS, count, "usage.written"),
    ),
    finish_reasons=lambda response, _streamed: [string(member(response, "end")) or "error"],
    input_content=lambda body: {names.INPUT_MESSAGES: [{"role": "user", "parts": [text(body["question"])]}]},
    output_content=lambda response, reasons: {
        names.OUTPUT_MESSAGES: [{"role": "assistant", "parts": [text(response["answer"])], "finish_reason": reasons[0]}]
    },
    accumulator=Chunks,
)


class AcmeInstrumentor(StainlessInstrumentor):
    """Instruments `acme`."""

    sdk, provider, supported = "acme", "acme", ("1.0", "2")

    def _endpoints(self) -> Any:
        return {("post", "/v1/answers"): CHAT}

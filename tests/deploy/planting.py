"""An application that says secrets and prompts wherever telemetry has a place for them; it runs under `opentelemetry-instrument`.

Arguments: the URL of a model server, and a file of JSON with `words`, place -> words of content, and `secrets`, place -> a text with secrets.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from pathlib import Path

import openai
from opentelemetry import _logs, metrics, trace
from opentelemetry._logs import LogRecord, SeverityNumber

from opentelemetry_instrumentation_genai import execute_tool, record_evaluation, retrieval

PLACES_OF_WORDS = (
    "message",
    "instructions",
    "tool definition",
    "tool arguments",
    "tool result",
    "query",
    "document",
    "explanation",
    "answer",
    "error",
    "own error",
    "status",
    "older event",
    "debug line",
    "openinference",
    "body of http",
)
PLACES_OF_SECRETS = (
    "span attribute",
    "list",
    "map",
    "span event",
    "log body",
    "log body map",
    "log attribute",
    "metric attribute",
    "scope",
    "user",
    "tag",
)
# Whose fractions have the digits of cards.
NUMBERS = {"app.seconds": 0.4532015112830366, "app.share": 0.5425233430109903, "app.cost": 12.371449635398431}
NAMES_OF_SECRETS = ("db.password", "http.request.header.authorization", "app.api_key", "session_token")


def main(url: str, plan: Path) -> None:
    """Plant everything."""
    planted = json.loads(plan.read_text(encoding="utf-8"))
    words, secrets = planted["words"], planted["secrets"]
    _call(url, words)
    tracer = trace.get_tracer("app", attributes={"app.note": secrets["scope"]})
    with tracer.start_as_current_span(f"mail {planted['email']}") as span:
        _spans(span, tracer, words, secrets, planted["named"])
        _logs_of(words, secrets)
        _tools(words)
    counter = metrics.get_meter("app", attributes={"app.note": secrets["scope"]}).create_counter("app.orders")
    counter.add(1, {"customer": secrets["metric attribute"], "customers": [secrets["metric attribute"]]})


def _call(url: str, words: dict[str, str]) -> None:
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="not-a-key", max_retries=0)
    tool = {"type": "function", "function": {"name": "find", "description": words["tool definition"], "parameters": {}}}
    messages = [
        {"role": "system", "content": words["instructions"]},
        {"role": "user", "content": words["message"]},
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "find", "arguments": json.dumps({"q": words["tool arguments"]})},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": words["tool result"]},
    ]
    client.chat.completions.create(model="gpt-4.1-mini", messages=messages, tools=[tool])
    # The provider refuses the second one, and quotes it.
    with contextlib.suppress(openai.BadRequestError):
        client.chat.completions.create(model="gpt-5-mini", messages=messages[:2])


def _spans(span: trace.Span, tracer: trace.Tracer, words, secrets, named) -> None:
    span.set_attribute("app.note", secrets["span attribute"])
    span.set_attribute("app.notes", ["one", secrets["list"]])
    span.set_attribute("enduser.id", secrets["user"])
    span.set_attribute("gen_ai.tag.customer", secrets["tag"])
    span.set_attributes(NUMBERS)
    for name, secret in named.items():
        span.set_attribute(name, secret)
    span.set_attribute("llm.input_messages.0.message.content", words["openinference"])
    span.set_attribute("input.value", words["openinference"])
    span.set_attribute("http.request.body", words["body of http"])
    span.add_event("noted", {"app.note": secrets["span event"]})
    try:
        with tracer.start_as_current_span("failing"):
            raise ValueError(words["own error"])
    except ValueError:
        pass
    with tracer.start_as_current_span("status") as failed:
        failed.set_status(trace.StatusCode.ERROR, words["status"])


def _logs_of(words, secrets) -> None:
    logger = _logs.get_logger("app")
    logger.emit(LogRecord(body=secrets["log body"], severity_number=SeverityNumber.INFO))
    logger.emit(LogRecord(body={"a": {"b": [secrets["log body map"]]}}, severity_number=SeverityNumber.INFO))
    logger.emit(
        LogRecord(body="noted", attributes={"app.note": secrets["log attribute"], "app.map": {"a": secrets["map"]}})
    )
    # As events about models were before they had names of their own.
    body = {"content": words["older event"], "role": "user"}
    logger.emit(LogRecord(body=body, attributes={"event.name": "gen_ai.user.message"}))
    logger.emit(LogRecord(body=body, event_name="gen_ai.choice"))
    # A logger of an SDK that writes its requests.
    sdk = _logs.get_logger("openai._base_client")
    sdk.emit(LogRecord(body=f"Request options: {words['debug line']}", severity_number=SeverityNumber.DEBUG))


def _tools(words) -> None:
    with execute_tool("find", arguments={"q": words["tool arguments"]}) as tool:
        tool.set_result(words["tool result"])
    with retrieval("library", query=words["query"]) as found:
        found.set_result([{"id": "a", "content": words["document"]}])
    record_evaluation("relevance", score=1.0, explanation=words["explanation"])


if __name__ == "__main__":
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)
    main(sys.argv[1], Path(sys.argv[2]))

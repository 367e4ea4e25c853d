"""Results of evaluations and feedback: the event, the metric, and the call that they belong to."""

from __future__ import annotations

from typing import Any

import pytest
from inline_snapshot import snapshot
from opentelemetry.trace import format_span_id, format_trace_id

from loopback import Json
from loopback.openai_bodies import CHAT, completion
from opentelemetry_instrumentation_genai import (
    CallReference,
    OpenAIInstrumentor,
    current_call,
    invoke_agent,
    record_evaluation,
)

OURS = "opentelemetry_instrumentation_genai"
SCORE = "gen_ai.evaluation.score"


@pytest.fixture(autouse=True)
def warn_again(monkeypatch) -> None:
    """Warnings that are logged once per process are logged again."""
    monkeypatch.setattr(f"{OURS}._runtime.guard._reported", set())


@pytest.fixture
def instrumented(telemetry) -> None:
    """With the defaults."""
    OpenAIInstrumentor().instrument(**telemetry.providers)


def test_feedback_later(instrumented, telemetry) -> None:
    """Feedback that comes when the operation has ended belongs to its span, by what was kept of it."""
    with invoke_agent("agent"):
        kept = current_call()
    assert isinstance(kept, CallReference)
    again = CallReference(kept.trace_id, kept.span_id)  # as another process has read it
    record_evaluation("user_feedback", score=1, label="thumbs_up", explanation="Helpful.", call=again)
    span, event = telemetry.span.context, telemetry.events[0]
    assert (event.trace_id, event.span_id) == (span.trace_id, span.span_id)
    assert (kept.trace_id, kept.span_id) == (format_trace_id(span.trace_id), format_span_id(span.span_id))
    assert telemetry.snapshot() == snapshot(
        {
            "spans": [
                {
                    "name": "invoke_agent agent",
                    "kind": "INTERNAL",
                    "status": {"code": "UNSET", "description": None},
                    "attributes": {"gen_ai.agent.name": "agent", "gen_ai.operation.name": "invoke_agent"},
                    "events": [],
                    "parent": None,
                    "scope": "opentelemetry_instrumentation_genai",
                }
            ],
            "metrics": {
                "gen_ai.evaluation.score": {
                    "unit": "1",
                    "description": "Scores of evaluations of GenAI output.",
                    "bounds": [
                        0.1,
                        0.2,
                        0.3,
                        0.4,
                        0.5,
                        0.6,
                        0.7,
                        0.8,
                        0.9,
                        1.0,
                        2.0,
                        3.0,
                        4.0,
                        5.0,
                        7.0,
                        10.0,
                        25.0,
                        50.0,
                        75.0,
                        90.0,
                        100.0,
                    ],
                    "points": [
                        {
                            "attributes": {
                                "gen_ai.evaluation.name": "user_feedback",
                                "gen_ai.evaluation.score.label": "thumbs_up",
                            },
                            "exemplars": ["invoke_agent agent"],
                            "count": 1,
                            "sum": 1.0,
                        }
                    ],
                },
                "gen_ai.invoke_agent.duration": {
                    "unit": "s",
                    "description": "GenAI operation duration.",
                    "bounds": [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6],
                    "points": [
                        {
                            "attributes": {"gen_ai.agent.name": "agent", "gen_ai.operation.name": "invoke_agent"},
                            "exemplars": ["invoke_agent agent"],
                            "count": 1,
                            "sum": "<seconds>",
                        }
                    ],
                },
                "gen_ai.invoke_agent.inference_calls": {
                    "unit": "{inference_call}",
                    "description": "Model calls that an agent makes in one run.",
                    "bounds": [1, 2, 4, 8, 16, 32, 64, 128],
                    "points": [
                        {
                            "attributes": {"gen_ai.agent.name": "agent"},
                            "exemplars": ["invoke_agent agent"],
                            "count": 1,
                            "sum": 0,
                        }
                    ],
                },
                "gen_ai.invoke_agent.tool_calls": {
                    "unit": "{tool_call}",
                    "description": "Tools that an agent executes in one run.",
                    "bounds": [1, 2, 4, 8, 16, 32, 64, 128],
                    "points": [
                        {
                            "attributes": {"gen_ai.agent.name": "agent"},
                            "exemplars": ["invoke_agent agent"],
                            "count": 1,
                            "sum": 0,
                        }
                    ],
                },
            },
            "events": [
                {
                    "event_name": "gen_ai.evaluation.result",
                    "severity_number": 9,
                    "body": None,
                    "attributes": {
                        "gen_ai.evaluation.explanation": "Helpful.",
                        "gen_ai.evaluation.name": "user_feedback",
                        "gen_ai.evaluation.score.label": "thumbs_up",
                        "gen_ai.evaluation.score.value": 1.0,
                    },
                    "span": "invoke_agent agent",
                    "timestamp": True,
                }
            ],
        }
    )


def test_a_scorer_within_the_operation(instrumented, telemetry) -> None:
    """Without a reference, it belongs to the operation in which it is recorded."""
    with invoke_agent("agent"):
        record_evaluation("tool_use", score=0.75, label="partly")
        record_evaluation("accuracy", error_type="timeout")
    assert {event.span_id for event in telemetry.events} == {telemetry.span.context.span_id}
    assert [dict(event.attributes) for event in telemetry.events] == snapshot(
        [
            {
                "gen_ai.evaluation.name": "tool_use",
                "gen_ai.evaluation.score.value": 0.75,
                "gen_ai.evaluation.score.label": "partly",
            },
            {"gen_ai.evaluation.name": "accuracy", "error.type": "timeout"},
        ]
    )
    assert [(dict(point.attributes), point.sum) for point in telemetry.metrics[SCORE]] == snapshot(
        [({"gen_ai.evaluation.name": "tool_use", "gen_ai.evaluation.score.label": "partly"}, 0.75)]
    )


def test_by_the_span_and_the_response(telemetry, server, openai_client) -> None:
    """A response hook has the span; the id of the response is on the event."""

    def judge(span: Any, _request: Any, response: Any) -> None:
        record_evaluation("length", score=len(response.choices), span=span, response_id=response.id)

    OpenAIInstrumentor().instrument(**telemetry.providers, response_hook=judge)
    server.reply(Json(completion()))
    openai_client().chat.completions.create(**CHAT)
    event = telemetry.events[0]
    assert event.span_id == telemetry.span.context.span_id
    assert event.attributes["gen_ai.response.id"] == "chatcmpl-1"


def test_outside_of_everything(instrumented, telemetry) -> None:
    """Where no operation runs, there is no reference, and a result is recorded without a span."""
    assert current_call() is None
    record_evaluation("relevance", label="pass", response_id="resp_1")
    assert telemetry.events[0].span_id in (None, 0)
    assert SCORE not in telemetry.metrics


def test_an_explanation_is_redacted(telemetry) -> None:
    """An explanation may quote the content, and goes through the same redaction."""
    OpenAIInstrumentor().instrument(**telemetry.providers, redact="all")
    record_evaluation("tone", score=0.5, explanation="It mentions joe@example.com")
    assert "example.com" not in str(dict(telemetry.events[0].attributes))


def test_labels_are_bounded(telemetry) -> None:
    """Metric points have as many labels as the setting allows, and `other` for the rest; the event has its own."""
    OpenAIInstrumentor().instrument(**telemetry.providers, metric_attribute_values=2)
    for number in range(5):
        record_evaluation("grade", score=number, label=f"label {number}")
    assert {point.attributes["gen_ai.evaluation.score.label"] for point in telemetry.metrics[SCORE]} == {
        "label 0",
        "label 1",
        "other",
    }
    assert telemetry.events[-1].attributes["gen_ai.evaluation.score.label"] == "label 4"


@pytest.mark.parametrize("score", ["high", object(), [1], float("nan")])
def test_a_score_that_is_no_number(score, instrumented, telemetry, caplog) -> None:
    """It is left out, with one warning; the rest is recorded."""
    for _ in range(2):
        record_evaluation("relevance", score=score, label="pass")
    assert len(telemetry.events) == 2
    assert "gen_ai.evaluation.score.value" not in telemetry.events[0].attributes
    assert [record.getMessage() for record in caplog.records] == [
        "record_evaluation(score=...): a finite number is accepted. It is left out."
    ]


@pytest.mark.parametrize("call", [CallReference("no", "ids"), CallReference("-5", "3"), CallReference(None, None), "x"])  # type: ignore[arg-type]
def test_a_reference_that_is_none(call, instrumented, telemetry, caplog) -> None:
    """The result of another reference has no span, also within an operation, and one warning says so."""
    with invoke_agent("agent"):
        record_evaluation("relevance", score=1, call=call)
    assert telemetry.events[0].span_id in (None, 0)
    assert [record.getMessage() for record in caplog.records] == [
        "record_evaluation(call=...): what current_call() returned is accepted. The result has no span."
    ]


def test_nothing_without_an_instrumentor(telemetry) -> None:
    """Where no instrumentor is active, nothing is recorded."""
    record_evaluation("relevance", score=1)
    assert not telemetry.events

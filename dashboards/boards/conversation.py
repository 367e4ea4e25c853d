"""One conversation: from a slow or dear call to its trace, and to its messages."""

from __future__ import annotations

from style import limits
from style.board import Board
from style.panels import Query, found_traces, heat, lines, one_trace, series, words
from style.queries import COST, DURATION, FIRST_CHUNK, errors, growth, quantile, total
from style.variables import source, text

SECONDS = limits.DURATION
FIRST = limits.FIRST_CHUNK
_READING = """\
1. **Find a call.** Each point in the first row is an exemplar: one call, with its trace. Click on one that is slow or dear, and follow
   *Query with Tempo*; put the id of its trace into the variable *Trace*. Or put the id of a conversation into *Conversation*.
2. **Follow the conversation.** The second row has its traces and events: `genai_context(conversation_id=...)` marks them.
3. **Read it.** The events have the messages only if content is captured (`OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=event_only`).
"""
_EVENT = (
    "{{.gen_ai_operation_name}} {{.gen_ai_request_model}} {{.gen_ai_agent_name}} "
    "{{ if .gen_ai_usage_input_tokens }}{{.gen_ai_usage_input_tokens}} tokens in, {{.gen_ai_usage_output_tokens}} out, "
    "{{.gen_ai_response_finish_reasons}}{{ end }}"
    "{{ if .gen_ai_evaluation_name }}{{.gen_ai_evaluation_name}}: {{.gen_ai_evaluation_score_label}}{{ end }}"
    "{{ if .exception_type }}{{.exception_type}}: {{.exception_message}}{{ end }}"
    "{{ if .error_type }}failed: {{.error_type}}{{ end }}"
)


def board() -> Board:
    """Return the board."""
    made = Board(
        "conversation",
        "One conversation",
        "What happened in this call, and around it?",
        [
            source("traces", "Tempo", "tempo"),
            source("logs", "Loki", "loki"),
            text("conversation", "Conversation", "The value of gen_ai.conversation.id."),
            text("trace", "Trace", "The id of a trace: 32 hexadecimal digits."),
        ],
    )
    made.row(
        "Find a call",
        words("How to read this", _READING, height=4),
        heat(
            "Durations",
            "How many calls took how long; the darker, the more. Points are exemplars, with their traces.",
            "s",
            f"sum by (le) {growth(DURATION, 'bucket')}",
        ),
        series(
            "Duration, p95",
            "Points are exemplars: one call each, with its trace.",
            "s",
            [Query(quantile(0.95, DURATION, "service_name"), "{{service_name}}", exemplars=True)],
            limits=SECONDS,
        ),
        series(
            "First chunk, p95",
            "Points are exemplars: one stream each, with its trace.",
            "s",
            [Query(quantile(0.95, FIRST_CHUNK, "service_name"), "{{service_name}}", exemplars=True)],
            limits=FIRST,
            width=8,
        ),
        series(
            "Cost of a call, p95",
            "Points are exemplars: one call each, with its trace.",
            "currencyUSD",
            [Query(quantile(0.95, COST, "service_name"), "{{service_name}}", exemplars=True)],
            width=8,
        ),
        series(
            "Errors by type",
            "Calls that failed, in a second.",
            "reqps",
            [Query(total(errors(), "error_type"), "{{error_type}}")],
            stacked=True,
            width=8,
        ),
    )
    made.row(
        "Follow the conversation",
        found_traces(
            "Traces of the conversation",
            "All traces in which a span has the conversation's id, by `gen_ai.conversation.id`, of the chosen services.",
            '{ resource.service.name =~ "$service" && span.gen_ai.conversation.id = "$conversation" }',
        ),
        lines(
            "Events of the conversation",
            "Details of its calls (`gen_ai.client.inference.operation.details`), their exceptions, and evaluations, by the structured metadata "
            "`gen_ai_conversation_id`. Details are severity DEBUG, and are emitted where content goes to events, or with EMIT_EVENT=true.",
            '{service_name=~"$service", service_name=~".+"} | gen_ai_conversation_id="$conversation" | line_format `'
            + _EVENT
            + "`",
        ),
    )
    made.row(
        "Read it",
        one_trace(
            "The trace",
            "The spans of the trace whose id is in the variable *Trace*: agents, tools, model calls, and the HTTP requests below them.",
            "$trace",
        ),
        lines(
            "Events of the trace",
            "All events with the trace's id, messages among them if content is captured.",
            '{service_name=~"$service", service_name=~".+"} | trace_id="$trace" | line_format `' + _EVENT + "`",
        ),
    )
    return made

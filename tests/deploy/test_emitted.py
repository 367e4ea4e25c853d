"""The list of the series that the plugin emits is complete, and its names are those of Prometheus."""

from __future__ import annotations

import pytest
import yaml

import emitted
from opentelemetry_instrumentation_genai._conventions import names
from semconv import registry

PROVES = "the names and labels that rules, boards and Collector files are checked against are the package's own"


def test_every_metric_is_in_the_list():
    """Each name of a metric that the package has is one that it creates with everything on."""
    known = {value for name, value in vars(names).items() if name.startswith("METRIC_")}

    assert known == {*emitted.series()}


@pytest.mark.parametrize(
    ("metric", "unit", "kind", "name"),
    [
        ("gen_ai.client.operation.duration", "s", "histogram", "gen_ai_client_operation_duration_seconds"),
        ("gen_ai.client.token.usage", "{token}", "histogram", "gen_ai_client_token_usage"),
        ("llm.request.count", "1", "counter", "llm_request_count_total"),
        ("llm.token.throughput", "{token}/s", "histogram", "llm_token_throughput_per_second"),
        ("some.seconds", "s", "gauge", "some_seconds"),
        ("some.share", "1", "gauge", "some_share_ratio"),
        ("some.total.sent", "By", "counter", "some_sent_bytes_total"),
    ],
)
def test_names(metric, unit, kind, name):
    """As the OTLP receiver of Prometheus 3 makes them with the default strategy; `test_numbers` asks the real one."""
    assert name == emitted.prometheus_name(metric, unit, counter=kind == "counter", gauge=kind == "gauge")


@pytest.mark.parametrize("generation", ["v1.41", "latest"])
def test_the_conventions_have_the_labels(generation):
    """What a metric of the conventions has as labels is what they give it, and the application's tags."""
    known = registry(generation)
    tags = {emitted.label(names.TAG + tag) for tag in emitted.TAGS}
    found = {
        metric: one.labels - tags - {emitted.label(name) for name in known.metric(metric, "openai").levels}
        for metric, one in emitted.series().items()
        if metric in known.metrics
    }

    # What the application does itself has its operation as well.
    workflow = "gen_ai.workflow.duration" if generation == "v1.41" else "gen_ai.invoke_workflow.duration"
    assert {name: rest for name, rest in found.items() if rest} == {
        "gen_ai.execute_tool.duration": {"gen_ai_operation_name"},
        "gen_ai.invoke_agent.duration": {"gen_ai_operation_name", "gen_ai_provider_name"},
        workflow: {"gen_ai_operation_name"},
    }


def test_a_renamed_metric_is_found():
    """The sentence has the wrong name, and the nearest one that there is."""
    assert [] == emitted.complaints("gen_ai_client_token_usage_sum", {"gen_ai_token_type", "job"})
    assert [
        "the plugin emits no gen_ai_client_tokens_usage_sum: is gen_ai_client_token_usage_sum meant?"
    ] == emitted.complaints("gen_ai_client_tokens_usage_sum")
    assert [
        "gen_ai_client_operation_cost_sum has no label gen_ai_team: is gen_ai_tag_team meant?"
    ] == emitted.complaints("gen_ai_client_operation_cost_sum", {"gen_ai_team"})


def test_what_the_collector_counts_has_the_labels_of_a_service():
    """The attributes of the resource that `derived.yaml` keeps are those that `prometheus.yaml` makes labels of."""
    spans = yaml.safe_load(emitted.DERIVED.read_text(encoding="utf-8"))["connectors"]["signal_to_metrics/derived"][
        "spans"
    ]
    promoted = yaml.safe_load(emitted.PROMETHEUS.read_text(encoding="utf-8"))["otlp"]["promote_resource_attributes"]

    assert [promoted, promoted] == [[one["key"] for one in span["include_resource_attributes"]] for span in spans]


def test_generations():
    """A name of one generation alone is none of the other."""
    assert emitted.complaints("gen_ai_client_inference_duration_seconds_count", generation=emitted.V1_41)
    assert [] == emitted.complaints("gen_ai_client_inference_duration_seconds_count", generation=emitted.LATEST)
    assert emitted.complaints("gen_ai_client_token_usage_sum", generation=emitted.LATEST)

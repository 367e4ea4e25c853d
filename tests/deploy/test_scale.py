"""What a fleet costs is measured, and the Collector holds a load, also with backends stopped in the middle."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path

import calculator
import measure
import pytest
from stack import COLLECTOR, Stack

from asking import ask, value, wait_until
from pump import Pump
from traffic import QUICK

PROVES = "bytes and series of docs/scale.md are measured; under load nothing is lost uncounted, with Prometheus and Jaeger stopped in the middle"
NOT_RUN = (
    "10,000 calls a second: two cores do not make them; docs/scale.md has what was measured here, and what follows for more",
)

SIZES = json.loads(calculator.SIZES.read_text(encoding="utf-8"))


def own_metrics(stack: Stack) -> Counter[str]:
    """Return the Collector's own metrics, each with all of its series added up, and by exporter as `NAME/EXPORTER`."""
    with urllib.request.urlopen(stack.collector_metrics, timeout=30) as response:
        lines = response.read().decode().splitlines()
    found: Counter[str] = Counter()
    for line in lines:
        if match := re.match(r"(otelcol_\w+?)(?:_total)?(\{[^}]*\})? ([\d.e+-]+)$", line):
            found[match[1]] += float(match[3])
            if exporter := re.search(r'exporter="([^"]+)"', match[2] or ""):
                found[f"{match[1]}/{exporter[1]}"] += float(match[3])
    return found


def cpu_seconds(pid: int) -> float:
    """Return the time of processors that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def mebibytes(pid: int) -> float:
    """Return the memory that a process has now."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


@pytest.fixture(scope="module")
def measured():
    """Sizes, measured now."""
    return measure.measure()


def test_the_sizes_are_those_that_are_measured(measured):
    """Series are the same, and bytes within a tenth: `python deploy/local/measure.py` if not."""
    assert measured["series"] == SIZES["series"]
    assert measured["more"] == SIZES["more"]
    for name in ("span", "event"):
        # The trace of a stack in the event of a failure has the paths of this machine.
        assert measured[name].pop("failed") == pytest.approx(SIZES[name]["failed"], rel=0.4), name
        assert measured[name] == pytest.approx(
            {key: size for key, size in SIZES[name].items() if key != "failed"}, rel=0.1
        )
    # Each bucket that a call falls into has an exemplar: how many do, the machine's load says.
    assert measured["export"] == pytest.approx(SIZES["export"], rel=0.4)


def test_the_page_has_what_was_measured():
    """The tables of docs/scale.md are made from `sizes.json`."""
    text = calculator.PAGE.read_text(encoding="utf-8")
    tables = {
        "bytes": measure.table(SIZES),
        "examples": calculator.table(SIZES),
        "series": calculator.series_table(SIZES),
    }
    assert calculator.with_tables(text, tables) == text
    assert all(table in text for table in tables.values())


def test_the_calculator_adds_up():
    """One service with one process and one model, without errors: its series are the measured ones, its bytes those of its calls."""
    fleet = calculator.Fleet(services=1, processes=1, calls=1, models=1, errors=0, content=0, interval=10, kept=1)
    found = calculator.cost(fleet, SIZES)
    assert found.series == SIZES["series"]["model"] == sum(SIZES["series"]["by metric"].values())
    assert found.samples == found.series / 10
    assert found.metrics == pytest.approx(SIZES["export"]["bytes"] / 10)
    assert found.events == SIZES["event"]["without"]
    assert found.stored == found.spans * 86_400
    with_content = calculator.cost(fleet._replace(content=2000), SIZES)
    assert with_content.events == SIZES["event"]["with"] + 2 * SIZES["event"]["thousand"]
    # Each tenant, model, process and service is a factor.
    for name in ("services", "processes", "models", "tenants"):
        assert calculator.cost(fleet._replace(**{name: 7}), SIZES).series == 7 * found.series
    assert calculator.cost(fleet._replace(errors=3), SIZES).series == found.series + 3 * SIZES["series"]["error"]


def test_the_calculator_as_typed():
    """The command shows the same figures."""
    words = [
        sys.executable,
        calculator.__file__,
        "--services",
        "1000",
        "--processes",
        "4",
        "--calls",
        "10000",
        "--models",
        "5",
        "--errors",
        "3",
    ]
    said = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout
    fleet = calculator.EXAMPLES[2]
    for name, figure in calculator.rows(fleet, calculator.cost(fleet, SIZES)):
        assert re.search(rf"^{re.escape(name)} +{re.escape(figure)}$", said, re.MULTILINE), name


def test_series_in_prometheus_are_those_that_are_counted(loaded):
    """The real Prometheus has as many series of a model's calls as the measure says."""
    chat = 'gen_ai_operation_name="chat",gen_ai_request_model="gpt-4.1-mini",error_type="",tenant="acme"'
    for metric, count in SIZES["series"]["by metric"].items():
        base = metric.replace(".", "_") + ("_seconds" if "duration" in metric or "time_" in metric else "")
        series = f'count({{__name__=~"{base}_(bucket|sum|count)",{chat},gen_ai_response_model!=""}})'
        # One for each name that the provider answers with.
        models = value(
            loaded.stack,
            f'count(count by (gen_ai_response_model) ({{__name__="{base}_count",{chat},gen_ai_response_model!=""}}))',
        )
        assert value(loaded.stack, series) == count * models, metric


def test_a_load_is_held(tmp_path):
    """Calls for ten seconds, as many as go: none is refused, each span is kept or counted as sampled away, memory stays in bounds."""
    with Stack(tmp_path, environment={**QUICK, "DECISION_WAIT": "2s"}, without=("alertmanager",)) as stack:
        pump, pid = Pump(stack.otlp_http), stack.process("collector").pid
        before, began = cpu_seconds(pid), time.monotonic()
        rate = pump.run(2_000, 10)
        most = mebibytes(pid)
        busy = (cpu_seconds(pid) - before) / (time.monotonic() - began)

        def is_settled() -> bool:
            found = own_metrics(stack)
            return (
                found["otelcol_receiver_accepted_spans"] == pump.sent["traces"]
                and found["otelcol_exporter_queue_size"] == 0
            )

        wait_until(is_settled, 30, "all spans received and all queues empty")
        kept = "sum(genai_collector_spans_kept_total)"
        time.sleep(4)
        wait_until(
            lambda: value(stack, kept) == own_metrics(stack)["otelcol_exporter_sent_spans/otlp_grpc/traces"],
            30,
            "kept is sent",
        )
        found = own_metrics(stack)
        assert value(stack, "sum(genai_collector_spans_received_total)") == pump.sent["traces"]
    print(f"\n{rate:,.0f} calls a second, {busy:.2f} cores, {most:.0f} MiB")
    assert pump.refused == {}
    assert (
        found["otelcol_receiver_accepted_log_records"]
        == pump.sent["logs"]
        == found["otelcol_exporter_sent_log_records"]
    )
    assert found["otelcol_receiver_accepted_metric_points"] == pump.sent["metrics"]
    assert {name: count for name, count in found.items() if re.search("refused|failed", name) and count} == {}
    assert most < 512


def _traces(stack):
    """How many traces Jaeger has."""
    services = ask(stack.jaeger, "/api/services")["data"]
    found = (ask(stack.jaeger, "/api/traces", service=name, limit="20000", lookback="1h")["data"] for name in services)
    return sum(map(len, found))


def test_backends_that_come_back_miss_nothing(tmp_path):
    """Prometheus and Jaeger are stopped and started again under load: the queues hold what they did not take, and it arrives."""
    with Stack(
        tmp_path, environment={**QUICK, "DECISION_WAIT": "1s", "SAMPLED_PERCENT": "100"}, without=("alertmanager",)
    ) as stack:
        pump = Pump(stack.otlp_http)
        pump.run(200, 3)
        route = "otlp_grpc/traces"
        wait_until(
            lambda: own_metrics(stack)[f"otelcol_exporter_sent_spans/{route}"] == pump.sent["traces"],
            20,
            "the first spans sent",
        )
        first = pump.sent["traces"]
        for name in ("jaeger", "prometheus"):
            stack.process(name).stop()
        pump.run(200, 4)
        waiting = wait_until(
            lambda: own_metrics(stack)[f"otelcol_exporter_queue_size/{route}"], 10, "spans in the queue"
        )
        for name in ("prometheus", "jaeger"):
            stack.process(name).start()
        pump.run(200, 3)
        wait_until(
            lambda: own_metrics(stack)[f"otelcol_exporter_sent_spans/{route}"] == pump.sent["traces"],
            90,
            "all spans sent",
        )
        found = own_metrics(stack)
        assert waiting > 0
        assert {name: count for name, count in found.items() if re.search("refused|failed", name) and count} == {}
        # Jaeger has forgotten what it had before; what came while it was away is there. It writes what it has taken a moment later.
        wait_until(lambda: _traces(stack) == pump.sent["traces"] - first, 30, "all traces in Jaeger")
        wait_until(
            lambda: value(stack, "sum(genai_collector_spans_received_total)") == pump.sent["traces"],
            60,
            "the counts in Prometheus",
        )


def test_what_a_queue_does_not_hold_is_counted(tmp_path):
    """With a queue that is too small and a backend that is away for good, what is lost is counted, span by span."""
    small = tmp_path / "small.yaml"
    small.write_text(
        "exporters:\n  otlp_grpc/traces:\n    sending_queue: {queue_size: 100, sizer: items, batch: {min_size: 10, max_size: 50}}\n",
        encoding="utf-8",
    )
    environment = {**QUICK, "DECISION_WAIT": "1s", "SAMPLED_PERCENT": "100"}
    files = [*COLLECTOR, small]
    with Stack(
        tmp_path / "stack", collector=files, environment=environment, without=("alertmanager", "jaeger")
    ) as stack:
        pump, route = Pump(stack.otlp_http), "otlp_grpc/traces"
        pump.run(200, 4)
        kept = "sum(genai_collector_spans_kept_total)"
        wait_until(lambda: value(stack, kept) == pump.sent["traces"], 30, "everything decided on")

        def accounted() -> float:
            found = own_metrics(stack)
            lost = (
                found[f"otelcol_exporter_enqueue_failed_spans/{route}"]
                + found[f"otelcol_exporter_send_failed_spans/{route}"]
            )
            # What is in the hands of the senders is neither in the queue nor lost yet.
            return lost + found[f"otelcol_exporter_queue_size/{route}"]

        found = own_metrics(stack)
        assert found[f"otelcol_exporter_enqueue_failed_spans/{route}"] > 0
        assert found[f"otelcol_exporter_sent_spans/{route}"] == 0
        in_hands = pump.sent["traces"] - accounted()
        assert 0 <= in_hands <= 10 * 50
        # The rest of Prometheus' own view: the alert on lost telemetry sees the same.
        counted = 'sum({__name__=~"otelcol_exporter_enqueue_failed_spans(_total)?"})'
        wait_until(
            lambda: value(stack, counted) == own_metrics(stack)[f"otelcol_exporter_enqueue_failed_spans/{route}"],
            20,
            "the loss in Prometheus",
        )

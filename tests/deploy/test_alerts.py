"""A run that is made to go wrong: each alert fires in a real Prometheus, and a real Alertmanager sends it to a webhook as `deploy` says.

The rules are those of the repository with every duration divided by 40, and with thresholds that traffic of some minutes passes. The
application is the load of the demo: some time as usual, some time with faults, some time as usual again; then there is none, and at last
the Collector is stopped.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import rules
import yaml
from stack import Stack
from typing_extensions import Self

import emitted
from asking import ask, query, wait_until
from opentelemetry_instrumentation_genai.cli.demo.environment import addresses
from opentelemetry_instrumentation_genai.cli.demo.server.loopback import serve
from opentelemetry_instrumentation_genai.cli.demo.server.model_server import model_server
from opentelemetry_instrumentation_genai.cli.demo.server.tally import Tally
from past import recorded, send_as_past, send_too_old
from promql import rules_of
from traffic import EVERYTHING, QUICK, QUICK_FILES, load
from webhooks import RECEIVERS, Notification, Webhooks, webhooks

PROVES = "each alert fires in a run that goes wrong, and Alertmanager delivers it, grouped, routed and inhibited, to a webhook"

SCALE = 40
WEEK = 7 * 86400 / SCALE
FIRST_CHUNK = (
    "gen_ai.client.operation.time_to_first_chunk",
    "gen_ai.client.inference.time_to_first_chunk",
)
# Seconds of each part of the run.
USUAL, WRONG, AGAIN = 100, 130, 90
ALERTS = {rule["alert"]: rule for rule in rules_of(emitted.DEPLOY / "prometheus" / "alerts.yaml")}
WITHOUT_TRAFFIC = {"GenAINoTraffic", "GenAICollectorDown"}
# What follows from other alerts.
SUPPRESSED = {
    "GenAIErrorShareHigh",
    "GenAILatencyHigh",
    "GenAIErrorBudgetBurnSlow",
    "GenAICostBudgetBurn",
    "GenAITokenBudgetBurn",
}
CONFIGURATION = yaml.safe_load((emitted.DEPLOY / "alertmanager" / "alertmanager.yaml").read_text(encoding="utf-8"))
_NEVER = 1e12  # a budget that nothing spends
THRESHOLDS: Mapping[str, Any] = {
    **rules.load(),
    "latency_p95_seconds": 3,
    "first_chunk_p95_seconds": 2,
    "traffic_steps": 5,
    "cache_read_share": 0.02,
    # In 15 seconds.
    "conversation_calls": 20,
    "slo": {**rules.load()["slo"], "seconds": 2.56, "fast_enough": 0.98},
}
_QUICK_ALERTMANAGER = {
    "group_wait: 30s": "group_wait: 1s",
    "group_wait: 10s": "group_wait: 1s",
    "group_interval: 5m": "group_interval: 2s",
}


def budgets(report: Mapping[str, Any] | None) -> dict[str, Any]:
    """Thresholds with budgets by what has been used so far: one team has spent its own, another one will have soon.

    Args:
        report: of one of the two services until now, which together make eight to twelve times as many calls until the end; None for
            budgets that are never spent.
    """
    if report is None:
        none = {"burn": 2, "default_team": _NEVER, "teams": {}, "default_model": _NEVER, "models": {}}
        return {**THRESHOLDS, "cost_budget": none, "token_budget": none}
    calls = sum(report["teams"].values())
    tokens = report["tokens"]["input"] + report["tokens"]["output"]

    def of(spent: float, burning: float) -> dict[str, Any]:
        teams = {"search": spent / 4, "marketing": burning * 14}
        return {"burn": 2, "default_team": _NEVER, "teams": teams, "default_model": _NEVER, "models": {}}

    return {
        **THRESHOLDS,
        "cost_budget": of(report["cost"]["search"], report["cost"]["marketing"]),
        "token_budget": of(
            tokens * report["teams"]["search"] / calls,
            tokens * report["teams"]["marketing"] / calls,
        ),
    }


class Run:
    """A run that goes wrong, and what came of it.

    Attributes:
        stack: what runs.
        taken: what arrived at the webhooks.
        firing: the alerts that fired in Prometheus: name -> labels of each.
        suppressed: the alerts that Alertmanager did not send because of others: their names.
        recorded: the names of recording rules that had samples.
    """

    def __init__(self, stack: Stack, taken: Webhooks, folder: Path) -> None:
        self.stack, self.taken, self._folder = stack, taken, folder
        self.firing: dict[str, list[dict[str, str]]] = {}
        self.suppressed: set[str] = set()
        self.recorded: set[str] = set()
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._watcher.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._watcher.join(30)

    def _watch(self) -> None:
        """Note what fires and what is suppressed, as long as it runs."""
        names = {rule["record"] for rule in rules_of(emitted.DEPLOY / "prometheus" / "recording.yaml")}
        while not self._over.wait(1):
            with suppress(OSError):
                for alert in ask(self.stack.prometheus, "/api/v1/alerts")["data"]["alerts"]:
                    known = self.firing.setdefault(alert["labels"]["alertname"], [])
                    if alert["state"] == "firing" and alert["labels"] not in known:
                        known.append(alert["labels"])
                for alert in ask(self.stack.alertmanager, "/api/v2/alerts", inhibited="true", active="false"):
                    if alert["status"]["state"] == "suppressed":
                        self.suppressed.add(alert["labels"]["alertname"])
                wanted = "|".join(names - self.recorded)
                if wanted:
                    found = query(self.stack, f'count by (__name__) ({{__name__=~"{wanted}"}})')
                    self.recorded |= {one["metric"]["__name__"] for one in found}

    def fires(self, name: str) -> bool:
        """Whether an alert has fired."""
        return bool(self.firing.get(name))

    def arrives(self, name: str) -> list[tuple[Notification, dict[str, Any]]]:
        """The alerts of a name that arrived, with their notifications."""
        return [
            (notification, alert)
            for notification, alert in self.taken.alerts()
            if alert["labels"]["alertname"] == name and alert["status"] == "firing"
        ]

    def complete(self) -> bool:
        """Whether everything has come that comes while there is traffic."""
        return self.suppressed >= SUPPRESSED and all(map(self.arrives, ALERTS.keys() - WITHOUT_TRAFFIC))

    def load(self, service: str, seconds: float, *faults: str, rate: float = 8, seed: int = 7) -> dict[str, Any]:
        """Make traffic of a service."""
        report = self._folder / f"{service}-{seed}-{'-'.join(faults)}.json"
        environment = {
            "OTEL_SERVICE_NAME": service,
            "OTEL_RESOURCE_ATTRIBUTES": f"deployment.environment.name=prod,service.instance.id={service}-{seed}",
        }
        return load(self.stack.otlp_http, report, rate=rate, seconds=seconds, seed=seed, faults=faults, **environment)

    def reload(self, thresholds: Mapping[str, Any]) -> None:
        """Write the rules of other thresholds, and let Prometheus read them."""
        for name, text in rules.files(thresholds, SCALE).items():
            (self.stack.folder / "prometheus" / name).write_text(text, encoding="utf-8")
        request = urllib.request.Request(f"{self.stack.prometheus}/-/reload", method="POST")
        with urllib.request.urlopen(request, timeout=60):
            pass


def _usual(run: Run) -> dict[str, Any]:
    """Traffic as usual, and before it the same a week ago."""
    with recorded() as (url, exports):
        service = {"OTEL_SERVICE_NAME": "planner"}
        resource = {"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=prod,service.instance.id=planner-past"}
        load(url, run.stack.folder / "past.json", rate=20, seconds=10, **service, **resource)
    begin = time.time() - WEEK - 60 * 60 / SCALE - 30
    # On a machine that is busy, all of it takes longer than it should.
    send_as_past(run.stack.prometheus, exports[-1], FIRST_CHUNK, begin, 5 * (USUAL + WRONG + AGAIN))
    with ThreadPoolExecutor(2) as pool:
        one, other = (pool.submit(run.load, service, USUAL, rate=6) for service in ("planner", "support"))
        other.result()
        return one.result()


def _run_program(run: Run, seconds: float, model: str) -> None:
    """Run the application with the agent that does not stop."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    here = Path(__file__).parent
    done = subprocess.run(
        [
            Path(sys.executable).with_name("opentelemetry-instrument"),
            sys.executable,
            here / "runaway_program.py",
            str(seconds),
        ],
        env={
            **inherited,
            **EVERYTHING,
            **addresses(model),
            "OTEL_SERVICE_NAME": "agents",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=prod,service.instance.id=agents-1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": run.stack.otlp_http,
            "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "genai_openai",
            "NO_PROXY": "127.0.0.1",
        },
        check=False,
        timeout=seconds + 300,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def _wrong(run: Run) -> None:
    """Everything that can go wrong while there is traffic."""
    over = threading.Event()

    def drop() -> None:
        while not over.wait(1):
            send_too_old(run.stack.otlp_http)

    def support() -> None:
        run.load("support", WRONG / 2, "errors", seed=8)
        run.load("support", WRONG / 2, "rate-limits", seed=9)

    with serve(model_server(Tally())) as model, ThreadPoolExecutor(4) as pool:
        faults = ("slow", "truncation", "no-cache", "endless")
        started = [
            pool.submit(run.load, "planner", WRONG, *faults, seed=8),
            pool.submit(support),
            pool.submit(_run_program, run, 60, model),
        ]
        dropping = pool.submit(drop)
        try:
            for each in started:
                each.result()
        finally:
            over.set()
        dropping.result()


def _wrong_and_again(run: Run) -> None:
    """Traffic that goes wrong, and traffic as usual again."""
    _wrong(run)
    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(run.load, service, AGAIN, seed=10) for service in ("planner", "support")]:
            each.result()


def _quiet(run: Run) -> set[str | None]:
    """The services whose lack of traffic has arrived at a webhook."""
    return {alert["labels"].get("service_name") for _, alert in run.arrives("GenAINoTraffic")}


def _down(run: Run) -> set[tuple[str, str]]:
    """Who got which Collector that is down. Before one is scraped for the first time, there is an alert without any."""
    found = {
        (notification.receiver, alert["labels"].get("instance", ""))
        for notification, alert in run.arrives("GenAICollectorDown")
    }
    return {(receiver, instance) for receiver, instance in found if instance}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The run, when it is over."""
    folder = tmp_path_factory.mktemp("wrong")
    addresses_of = folder / "webhooks"
    addresses_of.mkdir()
    files = {f"prometheus/{name}": text for name, text in rules.files(budgets(None), SCALE).items()}
    replace = {
        **QUICK_FILES,
        **_QUICK_ALERTMANAGER,
        "/etc/alertmanager/webhooks": str(addresses_of),
        # Samples of a week ago, which is not so long ago here, are taken; those of a month are not.
        "out_of_order_time_window: 30m": "out_of_order_time_window: 6h",
    }
    with webhooks() as taken:
        taken.files(addresses_of)
        with (
            Stack(folder, environment=QUICK, files=files, replace=replace) as stack,
            Run(stack, taken, folder) as going,
        ):
            report = _usual(going)
            going.reload(budgets(report))
            _wrong_and_again(going)
            if not going.complete():  # on a machine that is busy, an alert can come too late
                _wrong_and_again(going)
            # Now there is no traffic any more, and at last no Collector.
            with suppress(AssertionError):
                wait_until(lambda: _quiet(going) >= {"planner", "support"}, 60, "no alert on no traffic")
            stack.process("collector").stop()
            with suppress(AssertionError):
                wait_until(lambda: len(_down(going)) == 2, 60, "no alert on the Collector")
        yield going


@pytest.mark.parametrize("name", ALERTS)
def test_fires_and_arrives(run: Run, name: str):
    """The alert fires in Prometheus, and arrives with its labels, its sentence, and where its runbook and board are."""
    assert run.fires(name), f"{name} has not fired; those that have: {sorted(filter(run.fires, ALERTS))}"
    arrived = run.arrives(name)
    assert arrived, f"{name} fired and did not arrive: {run.firing[name]}"
    for _, alert in arrived:
        assert alert["labels"]["severity"] == ALERTS[name]["labels"]["severity"]
        assert alert["annotations"]["runbook_url"].endswith(f"#{name.lower()}")
        assert alert["annotations"]["dashboard_url"]
        assert "<no value>" not in alert["annotations"]["summary"]
        assert alert["annotations"]["summary"].endswith(".")


def _receivers(labels: Mapping[str, str]) -> set[str]:
    """Who is to get an alert, in words of `docs/alerts.md`."""
    found = {"oncall"} if labels["severity"] == "critical" else set()
    if labels["alertname"] in {"GenAICollectorDown", "GenAITelemetryDropped", "GenAICompletionsDropped"}:
        found.add("telemetry")
    elif labels.get("gen_ai_tag_team"):
        found.add("teams")
    elif labels.get("gen_ai_provider_name"):
        found.add("providers")
    return found or {"oncall"}


def test_routes(run: Run):
    """Each alert arrived at those who are to get it, and at nobody else; each receiver got something."""
    wanted, found = {}, {}
    for notification, alert in run.taken.alerts():
        labels = json.dumps(alert["labels"], sort_keys=True)
        wanted[labels] = _receivers(alert["labels"])
        found.setdefault(labels, set()).add(notification.receiver)

    assert wanted == found
    assert {*RECEIVERS} == {notification.receiver for notification in run.taken.notifications}


def test_groups(run: Run):
    """A notification has the alerts of one group: of one provider's model, of one team, of one service."""
    groups = {
        "teams": {"gen_ai_tag_team", "severity"},
        "providers": {"gen_ai_provider_name", "gen_ai_request_model", "deployment_environment_name"},
        "telemetry": {"alertname", "instance", "service_name"},
        "oncall": {"alertname", "deployment_environment_name", "service_name"},
    }
    together: dict[str, int] = {}
    for notification in run.taken.notifications:
        assert {*notification.group} <= groups[notification.receiver]
        for alert in notification.alerts:
            assert notification.group.items() <= alert["labels"].items()
        together[notification.receiver] = max(together.get(notification.receiver, 0), len(notification.alerts))

    # Several alerts on one model of a provider, or on one team, are one message.
    assert together["providers"] > 1
    assert together["teams"] > 1


@pytest.mark.parametrize("name", sorted(SUPPRESSED))
def test_what_follows_from_others_is_not_sent(run: Run, name: str):
    """While its cause fires, an alert is suppressed."""
    assert name in run.suppressed


def test_a_spent_budget_is_not_announced(run: Run):
    """The team that has spent its budget gets that alone; the one that has not gets the warning."""
    warned = {alert["labels"]["gen_ai_tag_team"] for _, alert in run.arrives("GenAICostBudgetBurn")}
    spent = {alert["labels"]["gen_ai_tag_team"] for _, alert in run.arrives("GenAICostBudgetSpent")}

    assert ({"marketing"}, {"search"}) == (warned, spent)


def test_what_was_wrong_is_named(run: Run):
    """Which conversation, which agent, which Collector and which service it was."""

    def of(name: str, label: str) -> set[str | None]:
        return {alert["labels"].get(label) for _, alert in run.arrives(name)}

    assert {"endless"} == of("GenAIConversationRunaway", "gen_ai_conversation_id")
    assert {"booker"} == of("GenAIAgentRunaway", "gen_ai_agent_name")
    assert {"agents"} == of("GenAICompletionsDropped", "service_name")
    assert {"planner", "support"} <= _quiet(run)
    assert {"metric_points"} == of("GenAITelemetryDropped", "signal")
    collector = f"127.0.0.1:{run.stack.ports['collector_metrics']}"
    assert {("oncall", collector), ("telemetry", collector)} == _down(run)


def test_every_recording_rule_had_data(run: Run):
    """Each recorded name had samples, those of a week ago among them; budgets as thresholds.yaml has them."""
    names = {rule["record"] for rule in rules_of(emitted.DEPLOY / "prometheus" / "recording.yaml")}

    assert set() == names - run.recorded


def test_who_gets_what(tools: Callable[[str], Path]):
    """Amtool finds no fault with the configuration, and routes alerts as the page says."""
    file = emitted.DEPLOY / "alertmanager" / "alertmanager.yaml"
    done = subprocess.run(
        [tools("amtool"), "check-config", file], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for labels in (
        {"alertname": "GenAIErrorBudgetBurnSlow", "severity": "warning", "service_name": "planner"},
        {"alertname": "GenAICostBudgetSpent", "severity": "critical", "gen_ai_tag_team": "search"},
        {"alertname": "GenAICostBudgetSpent", "severity": "critical", "gen_ai_request_model": "gpt-5-mini"},
        {"alertname": "GenAICollectorDown", "severity": "critical", "instance": "collector:8888"},
        {"alertname": "GenAILatencyHigh", "severity": "warning", "gen_ai_provider_name": "openai"},
    ):
        words = [f"{name}={text}" for name, text in labels.items()]
        done = subprocess.run(
            [tools("amtool"), "config", "routes", "test", f"--config.file={file}", *words],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert _receivers(labels) == {*done.stdout.strip().split(",")}


def test_inhibition_names_alerts_that_there_are():
    """Each alert that a rule of inhibition or a route names is one of `alerts.yaml`."""
    rows = [
        row
        for rule in CONFIGURATION["inhibit_rules"]
        for side in ("source", "target")
        for row in rule[f"{side}_matchers"]
    ]
    rows += [row for route in CONFIGURATION["route"]["routes"] for row in route["matchers"]]
    named = {
        name for row in rows if row.startswith("alertname") for name in row.partition("=")[2].strip('~"').split("|")
    }

    assert named
    assert set() == named - {*ALERTS}

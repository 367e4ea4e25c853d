"""The rules of Prometheus: what they are made from, what promtool says of them, and what each makes of the series of an application."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

import alerts as alerting
import pytest
import recordings
import rules
import yaml
from stack import Stack

import emitted
from promql import OTHERS, Known, located, rules_of
from rule_cases import CASES, Case

PROVES = "every rule reads what the plugin emits, in both generations of the names, and does what its unit test says"

FOLDER = emitted.DEPLOY / "prometheus"
RECORDING, ALERTS = FOLDER / "recording.yaml", FOLDER / "alerts.yaml"
THRESHOLDS = rules.load()
SEVERITY = {alert["alert"]: alert["labels"]["severity"] for alert in rules_of(ALERTS)}
ANNOTATIONS = {alert["alert"]: alert["annotations"] for alert in rules_of(ALERTS)}
ORDER = [group["name"] for group in (*recordings.groups(THRESHOLDS), *alerting.groups(THRESHOLDS))]
_TOKENS = "gen_ai_client_token_usage_sum"


@pytest.fixture(scope="module")
def known(tmp_path_factory) -> Iterator[Known]:
    """The names that there are, with a Prometheus that parses."""
    others = ("collector", "jaeger", "alertmanager")
    with Stack(tmp_path_factory.mktemp("parser"), without=others) as running:
        yield Known(running.prometheus, (RECORDING,))


def test_files_are_those_of_the_thresholds():
    """What is in the repository is what `rules.py` writes from thresholds.yaml."""
    assert rules.files(THRESHOLDS) == {file.name: file.read_text(encoding="utf-8") for file in (RECORDING, ALERTS)}


def test_promtool_checks_all_files(tools):
    """The rules, and the configuration of Prometheus that names them."""
    for words in (
        ["check", "rules", "--lint-fatal", RECORDING, ALERTS],
        ["check", "config", FOLDER / "prometheus.yaml"],
    ):
        done = subprocess.run([tools("promtool"), *words], check=False, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", [RECORDING, ALERTS], ids=lambda file: file.stem)
def test_names_are_emitted(known, file):
    """Each name and each label is one that the plugin emits, that the Collector makes, or that another rule records."""
    wrong = [
        f"{located(file, rule)}: {complaint}" for rule in rules_of(file) for complaint in known.complaints(rule["expr"])
    ]

    assert [] == wrong


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (
            "gen_ai_client_operation_cost_sum[5m]",
            "gen_ai_client_operation_costs_sum[5m]",
            "the plugin emits no gen_ai_client_operation_costs_sum: is gen_ai_client_operation_cost_sum meant?",
        ),
        (
            "gen_ai_token_type) (",
            "gen_ai_tokens_type) (",
            "nothing here has a label gen_ai_tokens_type",
        ),
        (
            'gen_ai_token_type="input"',
            'token_type="input"',
            "gen_ai_client_token_usage_sum has no label token_type",
        ),
        (
            "gen_ai_collector_answers_total",
            "gen_ai_collector_answer_total",
            "the plugin emits no gen_ai_collector_answer_total: is gen_ai_collector_answers_total meant?",
        ),
    ],
)
def test_a_name_that_is_not_emitted(known, tmp_path, old, new, complaint):
    """The complaint has the file, the line and the rule."""
    text = RECORDING.read_text(encoding="utf-8")
    file = tmp_path / "prometheus" / "recording.yaml"
    file.parent.mkdir()
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    line = text[: text.index(old)].count("\n")

    [(where, found)] = [
        (located(file, rule), found) for rule in rules_of(file) for found in known.complaints(rule["expr"])
    ]

    assert complaint == found
    name, number, _ = where.split(":", 2)
    assert "prometheus/recording.yaml" == name
    assert 0 <= line - int(number) < 10


def test_the_collector_has_the_names(tools):
    """Each name of a Collector's own metrics that the rules read is one that this Collector has, by what it is made of."""
    program = tools("otelcol").read_bytes()
    names = {name.removesuffix("_total") for name in OTHERS if name.startswith("otelcol_")}

    assert len(names) == 9
    assert [] == [name for name in sorted(names) if name.encode() not in program]


# The unit tests.


def _named(labels: Mapping[str, str], name: str = "") -> str:
    return name + "{" + ", ".join(f"{key}={json.dumps(value)}" for key, value in sorted(labels.items())) + "}"


def _latest(name: str, labels: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
    """A series of v1.41 as the latest generation has it."""
    if name.startswith("gen_ai_client_operation_duration_seconds") and labels.get("gen_ai_operation_name") == "chat":
        return name.replace("operation_duration", "inference_duration"), labels
    if name.startswith("gen_ai_client_operation_time_to_first_chunk"):
        return name.replace("operation_time", "inference_time"), labels
    if name == _TOKENS:
        dropped = {"gen_ai_token_type", "openai_response_service_tier"}
        rest = {key: value for key, value in labels.items() if key not in dropped}
        return f"gen_ai_client_inference_operation_{labels['gen_ai_token_type']}_tokens_sum", rest
    return name, labels


def _input(case: Case, generation: str) -> Iterator[dict[str, str]]:
    """The series of a case as a generation has them; in `/dup` those of both."""
    for name, labels, values in case.series:
        both = dict.fromkeys(
            _named(of, one)
            for one, of in (
                *([(name, labels)] if generation != emitted.LATEST else []),
                *([_latest(name, labels)] if generation != emitted.V1_41 else []),
            )
        )
        yield from ({"series": series, "values": values} for series in both)


def _unit_test(case: Case, generation: str) -> dict[str, Any]:
    """A case as promtool reads it."""
    return {
        "interval": "1m",
        "input_series": [*_input(case, generation)],
        "promql_expr_test": [
            {
                "expr": record,
                "eval_time": case.at,
                "exp_samples": [{"labels": _named(labels, record), "value": value} for labels, value in samples],
            }
            for record, samples in case.records.items()
        ],
        "alert_rule_test": [
            {
                "alertname": name,
                "eval_time": case.at,
                "exp_alerts": [
                    {
                        "exp_labels": {**one.labels, "severity": SEVERITY[name]},
                        "exp_annotations": {**ANNOTATIONS[name], "summary": one.summary},
                    }
                    for one in firing
                ],
            }
            for name, firing in case.alerts.items()
        ],
    }


@pytest.mark.parametrize("generation", [emitted.V1_41, emitted.LATEST, emitted.DUP])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_units(tools, tmp_path, case, generation):
    """`promtool test rules` agrees with each case, for either generation of the names, and for both at once, without counting twice."""
    for name, text in rules.files({**THRESHOLDS, **case.thresholds}).items():
        made = yaml.safe_load(text)["groups"]
        chosen = [group for group in made if not case.groups or group["name"] in case.groups]
        (tmp_path / name).write_text(yaml.safe_dump({"groups": chosen}), encoding="utf-8")
    file = tmp_path / "tests.yaml"
    whole = {
        "rule_files": ["recording.yaml", "alerts.yaml"],
        "evaluation_interval": case.every,
        # Else an alert may see what was recorded a minute before.
        "group_eval_order": [name for name in ORDER if not case.groups or name in case.groups],
        "fuzzy_compare": True,
        "tests": [_unit_test(case, generation)],
    }
    file.write_text(yaml.safe_dump(whole, sort_keys=False, width=1000), encoding="utf-8")

    done = subprocess.run(
        [tools("promtool"), "test", "rules", file],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_has_a_unit_test():
    """Each recorded name has a case that says its samples, and each alert one in which it fires and one in which it does not."""
    recorded = {rule["record"] for rule in rules_of(RECORDING)}
    firing = {name for case in CASES for name, found in case.alerts.items() if found}

    assert recorded <= {name for case in CASES for name, found in case.records.items() if found}
    assert {*SEVERITY} == firing


def test_every_alert_is_quiet_while_all_is_well(tools, tmp_path):
    """None fires for a service that is busy, fast, cheap and without errors, for a day."""
    quiet = next(case for case in CASES if case.name == "a service without errors")
    case = quiet._replace(
        series=[*quiet.series, ("up", {"job": "otelcol", "instance": "c"}, "1x60")],
        records={},
        alerts={name: [] for name in SEVERITY},
    )

    test_units(tools, tmp_path, case, emitted.DUP)


# What people are led to.


def test_alerts_have_all_that_people_need():
    """A severity, a sentence, a runbook and a board; critical is what somebody has to look at now."""
    assert {"critical", "warning"} == {*SEVERITY.values()}
    for name, found in ANNOTATIONS.items():
        assert {"summary", "runbook_url", "dashboard_url"} == found.keys()
        assert f"{THRESHOLDS['runbooks']}#{name.lower()}" == found["runbook_url"]
        assert found["dashboard_url"].startswith(f"{THRESHOLDS['boards']}/genai-")


def test_every_alert_has_a_runbook():
    """A section of docs/alerts.md for each alert, and none for what is no alert: meaning, what to look at, and a query."""
    page = (emitted.DEPLOY.parent / "docs" / "alerts.md").read_text(encoding="utf-8")
    sections = dict(part.split("\n", 1) for part in page.split("\n### ")[1:])

    assert [*SEVERITY] == [*sections]
    for name, text in sections.items():
        assert "```promql" in text, name
        assert ANNOTATIONS[name]["dashboard_url"].rpartition("/")[2] in text, name
        assert f"`{SEVERITY[name]}`" in text, name


def test_queries_of_the_runbooks(known):
    """Each query of a runbook is one that Prometheus parses, and whose names and labels there are."""
    page = (emitted.DEPLOY.parent / "docs" / "alerts.md").read_text(encoding="utf-8")
    queries = [part.split("```")[0] for part in page.split("```promql\n")[1:]]

    assert len(queries) >= len(SEVERITY)
    assert [] == [f"{query}: {complaint}" for query in queries for complaint in known.complaints(query)]


def test_durations_can_be_divided():
    """`--scale 60` divides what is in brackets, behind `offset`, `for` and `interval`, and leaves names as they are."""
    [group] = rules.scaled(
        [
            {
                "name": "a",
                "interval": "5m",
                "rules": [{"alert": "A", "expr": "x:rate5m[1h] offset 1w > 5", "for": "10m"}],
            }
        ],
        60,
    )

    assert group == {
        "name": "a",
        "interval": "5000ms",
        "rules": [{"alert": "A", "expr": "x:rate5m[60000ms] offset 10080000ms > 5", "for": "10000ms"}],
    }


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ("seconds: 20", "slo.seconds is 20: it has to be the end of a bucket, one of 0.01, 0.02"),
        ("agent_calls: 50", "agent_calls is 50: it has to be the end of a bucket, one of 1, 2, 4"),
        ("eror_share: 0.1", "error_share is missing."),
        ("latency: 3\nerror_share: 0.1", "latency is unknown; there are calls_per_second"),
    ],
)
def test_wrong_thresholds(tmp_path, capsys, changed, complaint):
    """The sentence names the file and the threshold, and nothing is written."""
    names = {"seconds": "seconds: 20.48", "agent_calls": "agent_calls: 64"}
    old = names.get(changed.partition(":")[0], "error_share: 0.05")
    file = tmp_path / "mine.yaml"
    file.write_text(rules.THRESHOLDS.read_text(encoding="utf-8").replace(f"{old}\n", f"{changed}\n"), encoding="utf-8")

    with pytest.raises(SystemExit) as ended:
        rules.main(["--thresholds", str(file), "--output", str(tmp_path)])

    assert 2 == ended.value.code
    assert f"{file}: {complaint}" in capsys.readouterr().err
    assert [file] == [*tmp_path.iterdir()]


def test_own_thresholds(tmp_path):
    """A file of one's own makes rules of one's own, elsewhere."""
    file = tmp_path / "mine.yaml"
    text = rules.THRESHOLDS.read_text(encoding="utf-8")
    file.write_text(text.replace("error_share: 0.05", "error_share: 0.5"), encoding="utf-8")

    rules.main(["--thresholds", str(file), "--output", str(tmp_path)])

    assert "gen_ai:errors:share5m > 0.5\n" in (tmp_path / "alerts.yaml").read_text(encoding="utf-8")
    assert RECORDING.read_text(encoding="utf-8") == (tmp_path / "recording.yaml").read_text(encoding="utf-8")


def test_groups_say_what_they_are():
    """Each group has a name of its own, since Prometheus takes one of the same name in a file for an error."""
    groups = [group["name"] for group in alerting.groups(THRESHOLDS)]
    assert len(groups) == len({*groups})

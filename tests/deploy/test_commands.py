"""The commands of deploy/README.md and of the pages about it: each is run as far as that can be without containers and a cluster, or checked."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from opentelemetry.sdk import environment_variables

import emitted
from manifests import KUBERNETES, ROOT, build, named, problems, template
from opentelemetry_instrumentation_genai._settings.config import variable
from opentelemetry_instrumentation_genai._settings.readers import READERS
from opentelemetry_instrumentation_genai.cli.demo.command import command as demo

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROVES = (
    "the commands of deploy/README.md and of the pages about it, as typed: files, values, names and options are there"
)

PAGES = tuple(ROOT / page for page in ("deploy/README.md", "docs/kubernetes.md", "docs/collector.md", "docs/scale.md"))
Tools = Callable[[str], Path]


def commands(page: Path) -> list[str]:
    """The lines of the page's blocks for a shell."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


EVERY = [(page, line) for page in PAGES for line in commands(page)]


def option(words: list[str], name: str) -> str:
    """The value of an option on a command line."""
    return words[words.index(name) + 1]


def check_pip(words: list[str], _tools: Tools) -> None:
    """The extras are the project's."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = [extra for word in words for group in re.findall(r"^\.\[([\w,-]+)\]$", word) for extra in group.split(",")]
    assert named
    assert set(named) <= extras.keys()


def check_python(words: list[str], _tools: Tools) -> None:
    """The folder is a program, or the file is there."""
    path = ROOT / words[1]
    assert (path / "__main__.py" if path.is_dir() else path).is_file(), words[1]


def check_curl(words: list[str], _tools: Tools) -> None:
    """The question to Prometheus is about a metric of the plugin."""
    names = re.findall(r"gen_ai_\w+", words[-1])
    assert names
    assert [] == [complaint for name in names for complaint in emitted.complaints(name)]


def check_docker(words: list[str], tools: Tools) -> None:
    """The files are there; Docker Compose's reader takes that of `compose`."""
    if words[1] == "push":
        assert re.fullmatch(r"registry\.example\.com/[\w-]+:\d+\.\d+\.\d+", words[2])
        return
    file = ROOT / option(words, "-f")
    assert file.is_file()
    if words[1] == "compose":
        environment = {"PATH": os.environ["PATH"]}
        files = [ROOT / after for word, after in itertools.pairwise(words) if word == "-f"]
        environment |= {f"{name}_WEBHOOK_URL": "http://hook" for name in ("ONCALL", "TEAMS", "PROVIDERS", "TELEMETRY")}
        subprocess.run([tools("compose-spec"), *files], env=environment, check=True, timeout=60, capture_output=True)
        assert words[2 + 2 * len(files) :] in (["up", "--wait"], ["down", "--volumes"])
    else:
        # What the image is called here is what the chart injects, but for the registry.
        image = yaml.safe_load((KUBERNETES / "chart/values.yaml").read_text())["instrumentation"]["image"]
        assert f"{image['repository']}:{image['tag']}" == option(words, "-t")


def check_helm(words: list[str], tools: Tools) -> None:
    """The chart takes the options, and makes valid resources of them; of another's chart, the file of values is there."""
    assert ["upgrade", "--install"] == words[1:3]
    chart, options = words[4], [word for word in words[5:] if word != "--create-namespace"]
    if chart.startswith("prometheus-community/"):
        assert (ROOT / option(words, "--values")).is_file()
        return
    assert KUBERNETES / "chart" == ROOT / chart
    resources = template(tools("helm"), *options)
    assert [] == [problem for one in resources for problem in problems(one)]


def check_kubectl(words: list[str], tools: Tools) -> None:
    """The folder of kustomize is built; the annotation leads to the Instrumentation; secrets are variables of a file of the Collector."""
    if words[1:3] == ["apply", "-k"]:
        assert build(tools("kustomize"), ROOT / words[3])
    elif "patch" in words:
        annotations = json.loads(words[-1])["spec"]["template"]["metadata"]["annotations"]
        (name,) = named(template(tools("helm")), "Instrumentation")
        assert {"instrumentation.opentelemetry.io/inject-python": f"observability/{name}"} == annotations
    else:
        assert ["create", "secret", "generic"] == words[3:6]
        given = [
            word.removeprefix("--from-literal=").partition("=")[0]
            for word in words
            if word.startswith("--from-literal=")
        ]
        file = (ROOT / f"deploy/collector/{words[6]}.yaml").read_text()
        assert given
        assert [] == [one for one in given if f"${{env:{one}" not in file]


def check_export(words: list[str], _tools: Tools) -> None:
    """The variables are those of the package, of OpenTelemetry's SDK, or of the containers."""
    known = {variable(name) for name in READERS} | {
        value for name, value in vars(environment_variables).items() if name.startswith("OTEL_")
    }
    known |= set(re.findall(r"environment: (\w+)", (ROOT / "deploy/compose/alerts.yaml").read_text()))
    given = dict(word.partition("=")[::2] for word in words[1:])
    assert [] == [name for name in given if name not in known]
    for value in given.values():
        assert not value.startswith("file:") or (ROOT / value.removeprefix("file:")).is_file()


def check_demo(words: list[str], _tools: Tools) -> None:
    """The command takes these options."""
    assert "demo" == words[1]
    demo.make_context("demo", words[2:])


def check_otelcol(words: list[str], tools: Tools) -> None:
    """The Collector takes the files together."""
    files = [ROOT / "deploy/collector" / name for name in words[2::2]]
    assert words[1::2] == ["--config"] * len(files)
    given = [word for file in files for word in ("--config", str(file))]
    subprocess.run([tools("otelcol"), "validate", *given], check=True, timeout=60)


CHECKS = {
    "otelcol": check_otelcol,
    "pip": check_pip,
    "python": check_python,
    "curl": check_curl,
    "docker": check_docker,
    "helm": check_helm,
    "kubectl": check_kubectl,
    "export": check_export,
    "opentelemetry-genai": check_demo,
}


@pytest.mark.parametrize(("page", "line"), EVERY, ids=[f"{page.stem}-{line[:40]}" for page, line in EVERY])
def test_commands(page: Path, line: str, tools: Tools) -> None:
    """Each command has a check of its program; one of another program fails, so that it gets one."""
    words = shlex.split(re.sub(r"\$\(.*\)", "made", line))
    CHECKS[words[0]](words, tools)


def test_both_pages_have_commands() -> None:
    """The expression finds them."""
    assert {page for page, _ in EVERY} == set(PAGES)


@pytest.mark.parametrize("page", PAGES[:2], ids=lambda page: page.stem)
def test_files_that_are_named_are_there(page: Path) -> None:
    """Each file of the repository that a page names in code, and each value of the chart."""
    words = set(
        re.findall(
            r"`((?:deploy|docs|dashboards|locks|compose|collector|examples)/[\w./-]*\w|[a-z-]+/)`", page.read_text()
        )
    )
    folders = (ROOT, page.parent, ROOT / "deploy")
    missing = [word for word in words if not any((folder / word).exists() for folder in folders)]
    kustomize = KUBERNETES / "kustomize"
    assert words
    assert [] == [word for word in missing if not (kustomize / word).exists()]


def test_values_that_are_named_are_there() -> None:
    """Each value that the page of Kubernetes names is one of the chart."""
    values = yaml.safe_load((KUBERNETES / "chart/values.yaml").read_text())
    page = PAGES[1].read_text()
    named = set(
        re.findall(
            r"`((?:agent|gateway|instrumentation|monitoring|dashboards|networkPolicy|vllm|llamaStack)\.(?!opentelemetry)\w+)",
            page,
        )
    )
    assert len(named) > 10
    assert [] == [name for name in named if name.partition(".")[2] not in values[name.partition(".")[0]]]


def test_prometheus_on_kubernetes_is_that_of_deploy() -> None:
    """The values for its Operator are the settings of deploy/prometheus/prometheus.yaml, by the names that the Operator has for them."""
    spec = yaml.safe_load((KUBERNETES / "prometheus-values.yaml").read_text())["prometheus"]["prometheusSpec"]
    original = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yaml").read_text())
    assert {
        "enableOTLPReceiver": True,
        "enableFeatures": ["exemplar-storage"],
        "otlp": {
            "translationStrategy": original["otlp"]["translation_strategy"],
            "promoteResourceAttributes": original["otlp"]["promote_resource_attributes"],
        },
        "tsdb": {"outOfOrderTimeWindow": original["storage"]["tsdb"]["out_of_order_time_window"]},
        "exemplars": {"maxSize": original["storage"]["exemplars"]["max_exemplars"]},
    } == spec

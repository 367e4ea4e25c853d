"""The Helm chart and the folders of kustomize: what they make is valid, fits together, and has nothing in it that it should not have."""

from __future__ import annotations

import copy
import importlib.util
import json
import os
import re
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from merged import PARTS
from opentelemetry.sdk import environment_variables

import emitted
from manifests import CHART, KUBERNETES, ROOT, Resource, build, named, pods, problems, selects, template
from opentelemetry_instrumentation_genai._masking.masking import masked
from opentelemetry_instrumentation_genai._patching.propagation import propagation_of
from opentelemetry_instrumentation_genai._settings.config import resolve, variable
from opentelemetry_instrumentation_genai._settings.readers import READERS

PROVES = "the Helm chart (three sets of values) and kustomize: valid, consistent, without secrets, with the rules and boards as they are"
NOT_RUN = ("a cluster: there is none here; resources are checked by the schemas of Kubernetes and of both Operators",)

SETS = ("minimal", "all", "backend")
FOLDERS = ("base", "overlays/example")
Tools = Callable[[str], Path]


def generator():
    """The module that makes the copies."""
    spec = importlib.util.spec_from_file_location("kubernetes_generate", KUBERNETES / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", params=[*SETS, *FOLDERS])
def resources(request: pytest.FixtureRequest, tools: Tools) -> list[Resource]:
    """What Helm makes with each set of values, and kustomize of each folder."""
    if request.param in SETS:
        return template(tools("helm"), f"--values={CHART}/values/{request.param}.yaml")
    return build(tools("kustomize"), KUBERNETES / "kustomize" / request.param)


@pytest.fixture(scope="module")
def everything(tools: Tools) -> list[Resource]:
    """What Helm makes with the values of all.yaml."""
    return template(tools("helm"), f"--values={CHART}/values/all.yaml")


@pytest.mark.parametrize("values", SETS)
def test_lint(values: str, tools: Tools) -> None:
    """`helm lint --strict` has no complaint."""
    words = [
        tools("helm"),
        "lint",
        "--strict",
        "--kube-version=1.34.0",
        CHART,
        f"--values={CHART}/values/{values}.yaml",
    ]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not re.search(r"\[(WARNING|ERROR)\]", done.stdout)


def test_resources_are_valid(resources: list[Resource]) -> None:
    """Kubernetes and both Operators take each of them, and each name is there once."""
    assert [] == [problem for one in resources for problem in problems(one)]
    names = [(one["kind"], one["metadata"]["name"]) for one in resources]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("kind", "path", "value", "says"),
    [
        ("Deployment", ["spec", "replicas"], "two", "'two' is not of type 'integer'"),
        ("DaemonSet", ["spec", "template", "spec", "containerz"], [], "containerz"),
        ("NetworkPolicy", ["spec", "policyTypes"], "Ingress", "'Ingress' is not of type 'array'"),
        ("Instrumentation", ["spec", "python", "resources"], {}, "'resources' was unexpected"),
        ("Instrumentation", ["spec", "sampler", "type"], "always", "'always' is not one of"),
        ("PodMonitor", ["spec", "podMetricsEndpoints"], [{"port": 8888}], "8888 is not of type 'string'"),
        ("ServiceMonitor", ["spec", "endpoints"], [], "should be non-empty"),
        (
            "PrometheusRule",
            ["spec", "groups"],
            [{"name": "calls", "rules": [{"alert": "Slow"}]}],
            "'expr' is a required",
        ),
    ],
)
def test_a_wrong_field_is_found(
    kind: str, path: list[str], value: object, says: str, everything: list[Resource]
) -> None:
    """A field of another type or name is no resource, and the sentence names it."""
    broken = copy.deepcopy(next(one for one in everything if one["kind"] == kind))
    *above, last = path
    inner = broken
    for key in above:
        inner = inner[key]
    inner[last] = value
    found = problems(broken)
    assert any(says in problem and problem.startswith(f"{kind} ") for problem in found), found


def read_by_operator(found: list[Resource], tools: Tools) -> subprocess.CompletedProcess[str]:
    """What the Prometheus Operator's own types say of its resources: how many there are, or what is wrong with one."""
    text = yaml.safe_dump_all([one for one in found if one["apiVersion"].startswith("monitoring.coreos.com/")])
    return subprocess.run(
        [tools("monitoring-kinds")], input=text, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_prometheus_operator_reads_its_resources(everything: list[Resource], tools: Tools) -> None:
    """Its own types have all fields of them, with these types; a field that they do not have is refused."""
    kinds = [one["kind"] for one in everything if one["apiVersion"].startswith("monitoring.coreos.com/")]
    done = read_by_operator(everything, tools)
    assert (f"{len(kinds)}\n", "") == (done.stdout, done.stderr)
    assert {"PodMonitor", "ServiceMonitor", "PrometheusRule"} == set(kinds)

    broken = copy.deepcopy(everything)
    next(iter(named(broken, "PodMonitor").values()))["spec"]["podMetricsEndpoints"][0]["intervall"] = "30s"
    assert 'unknown field "spec.podMetricsEndpoints[0].intervall"' in read_by_operator(broken, tools).stderr


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("vllm.image.tag=latest", "vllm/image/tag"),
        ("gateway.replica=3", "additional properties 'replica' not allowed"),
        ("gateway.replicas=0", "minimum: got 0, want 1"),
        ("vllm.huggingFaceToken=text", "got string, want object"),
        ("instrumentation.settings.PASSWORD=text", "PASSWORD"),
        ("instrumentation.sampler.type=always", "instrumentation/sampler/type"),
        ("agent.files={../../etc/passwd}", "agent/files/0"),
    ],
)
def test_a_wrong_value_is_refused(setting: str, says: str, tools: Tools) -> None:
    """By the schema of the values, before anything is made."""
    with pytest.raises(AssertionError, match=re.escape(says)):
        template(tools("helm"), f"--set={setting}")


@pytest.mark.parametrize(
    "settings",
    [
        ["agent.enabled=false", "gateway.files={receive,redact,sample,traces,prometheus,logs}"],
        ["networkPolicy.enabled=false", "dashboards.enabled=false", "monitoring.rules=false"],
        ["imagePullSecrets={registry,other}", "nameOverride=team", "gateway.replicas=1", "vllm.enabled=true"],
        ["llamaStack.enabled=true", "llamaStack.vllmUrl=https://vllm.example.com/v1", "instrumentation.enabled=false"],
        ["gateway.files={receive,pass,sample,traces,prometheus,logs,persist}", "gateway.queueDisk=1Gi"],
        [f"collector.image.digest=sha256:{'0' * 64}", "gateway.priorityClassName=high", "agent.nodeSelector.disk=ssd"],
    ],
)
def test_other_values(settings: list[str], tools: Tools) -> None:
    """What they make is valid, too."""
    made = template(tools("helm"), *[f"--set={setting}" for setting in settings])
    assert [] == [problem for one in made for problem in problems(one)]


def test_queues_on_disk_have_a_disk(tools: Tools) -> None:
    """With the file that keeps queues, the gateway has a volume that can be written where the file has its folder."""
    made = template(tools("helm"), "--set=gateway.files={receive,pass,sample,traces,prometheus,logs,persist}")
    spec = pods(made)["Deployment/genai-gateway"]["spec"]
    (mount,) = [mount for mount in spec["containers"][0]["volumeMounts"] if not mount.get("readOnly")]
    assert {"name": mount["name"], "emptyDir": {"sizeLimit": "4Gi"}} in spec["volumes"]
    (folder,) = set(re.findall(r"QUEUE_FOLDER:-([^}]+)}", (ROOT / "deploy/collector/persist.yaml").read_text()))
    assert Path(folder).is_relative_to(mount["mountPath"])


def test_a_package_is_the_folder(tools: Tools, tmp_path: Path) -> None:
    """What Helm packs makes the same resources, without the tests' values in it."""
    subprocess.run([tools("helm"), "package", CHART, "-d", tmp_path], check=True, capture_output=True, timeout=120)
    (package,) = tmp_path.glob("*.tgz")
    with tarfile.open(package) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
    assert {"Chart.yaml", "values.yaml", "values.schema.json", "files/collector/receive.yaml"} <= names
    assert [] == [name for name in names if name.startswith("values/") or name.endswith("kustomization.yaml")]
    assert template(tools("helm")) == template(tools("helm"), chart=package)


def test_copies_are_those_of_today(tools: Tools) -> None:
    """The chart's files and kustomize's resources are what `generate.py` makes; one that is changed, added or missing is found."""
    made = generator()
    files = {**made.copies(), **made.rendered(tools("helm"))}
    different = [str(path.relative_to(ROOT)) for path in made.differences(files)]
    assert not different, f"python deploy/kubernetes/generate.py writes again: {', '.join(different)}"

    one, *others = files
    assert [one] == made.differences({**files, one: "changed"})
    assert [one] == made.differences({path: files[path] for path in others})


def test_rules_are_those_of_prometheus(everything: list[Resource]) -> None:
    """The Operator's resources have the groups of deploy/prometheus, all of them and as they are."""
    folder = ROOT / "deploy/prometheus"
    names = yaml.safe_load((folder / "prometheus.yaml").read_text())["rule_files"]
    originals = [group for name in names for group in yaml.safe_load((folder / name).read_text())["groups"]]
    made = [group for one in named(everything, "PrometheusRule").values() for group in one["spec"]["groups"]]
    assert originals
    assert sorted(originals, key=lambda group: group["name"]) == sorted(made, key=lambda group: group["name"])


def test_alerts_link_to_the_grafana_that_is_named(tools: Tools) -> None:
    """No alert links to this machine if the values name another address."""
    made = template(tools("helm"), "--set=monitoring.grafanaUrl=https://grafana.example.com/team")
    text = json.dumps(list(named(made, "PrometheusRule").values()))
    assert "http://localhost:3000" not in text
    assert "https://grafana.example.com/team/d/" in text


@pytest.mark.parametrize("made", ["helm", "kustomize"])
def test_boards_are_those_of_dashboards(made: str, everything: list[Resource], tools: Tools) -> None:
    """Each board is a ConfigMap with the label that Grafana's sidecar looks for, and with the bytes of its file."""
    found = everything if made == "helm" else build(tools("kustomize"), KUBERNETES / "kustomize/base")
    maps = [
        one
        for one in named(found, "ConfigMap").values()
        if one["metadata"].get("labels", {}).get("grafana_dashboard") == "1"
    ]
    boards = {path.name: json.loads(path.read_text()) for path in (ROOT / "dashboards").glob("*.json")}
    assert boards
    assert boards == {name: json.loads(text) for one in maps for name, text in one["data"].items()}
    assert {"GenAI"} == {one["metadata"]["annotations"]["grafana_folder"] for one in maps}
    # The limit of a ConfigMap is 1 MiB, and what kubectl keeps of it as an annotation 256 KiB.
    assert all(len(json.dumps(one)) < 256 * 1024 for one in maps)


# What is made fits together.


def test_files_of_collectors_are_valid(resources: list[Resource], tools: Tools, tmp_path: Path) -> None:
    """The real Collector takes the files that each container starts with, as its ConfigMap has them, with its variables."""
    validated = 0
    for pod in pods(resources).values():
        container = pod["spec"]["containers"][0]
        if container["name"] != "collector":
            continue
        (volume,) = pod["spec"]["volumes"]
        for name, text in named(resources, "ConfigMap")[volume["configMap"]["name"]]["data"].items():
            (tmp_path / name).write_text(text)
        given = {one["name"]: one["value"] for one in container["env"]}
        secret = {"OPENOBSERVE_TOKEN": "from-a-secret"} if "envFrom" in container else {}
        words = [argument.replace("/etc/genai", str(tmp_path)) for argument in container["args"]]
        done = subprocess.run(
            [tools("otelcol"), "validate", *words],
            env={"PATH": os.environ["PATH"], **given, **secret}, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        validated += 1
    assert validated


def test_gateways_have_what_rules_and_boards_need(everything: list[Resource]) -> None:
    """With the agents they have all files of all.yaml: where a new part is added to it, they get it, too."""
    agent, gateway = (
        [
            word.rpartition("/")[2].removesuffix(".yaml")
            for word in pods(everything)[name]["spec"]["containers"][0]["args"]
        ]
        for name in ("DaemonSet/genai-agent", "Deployment/genai-gateway")
    )
    assert "pass" in gateway
    assert set(PARTS) <= {*agent, *gateway}
    assert set(PARTS) - {"redact"} <= set(gateway)


def test_variables_of_collectors_are_read(resources: list[Resource]) -> None:
    """Each variable that a Collector is given stands in one of its files, but for those that Go reads."""
    for name, pod in pods(resources).items():
        container = pod["spec"]["containers"][0]
        if container["name"] == "collector":
            (volume,) = pod["spec"]["volumes"]
            files = named(resources, "ConfigMap")[volume["configMap"]["name"]]["data"]
            text = "".join(files[argument.rpartition("/")[2]] for argument in container["args"])
            given = {one["name"] for one in container["env"]} - {"GOMEMLIMIT"}
            default = {"PROMETHEUS_URL", "TRACES_ENDPOINT", "LOKI_URL"}
            assert set() == {one for one in given - default if f"${{env:{one}" not in text}, name


def test_services_lead_to_pods(resources: list[Resource]) -> None:
    """What selects pods selects some, and names ports that they have: Services, monitors, budgets and network policies."""
    templates = list(pods(resources).values())
    services = list(named(resources, "Service").values())

    def chosen(selector: Resource) -> list[Resource]:
        found = [pod for pod in templates if selects(selector, pod["metadata"]["labels"])]
        assert found, selector
        return found

    def ports(found: list[Resource]) -> set[str]:
        return {port["name"] for pod in found for port in pod["spec"]["containers"][0]["ports"]}

    for one in services:
        found = chosen({"matchLabels": one["spec"]["selector"]})
        assert {port["targetPort"] for port in one["spec"]["ports"]} <= ports(found)
    for one in named(resources, "PodMonitor").values():
        assert {point["port"] for point in one["spec"]["podMetricsEndpoints"]} <= ports(chosen(one["spec"]["selector"]))
    for one in named(resources, "ServiceMonitor").values():
        (service,) = [
            service for service in services if selects(one["spec"]["selector"], service["metadata"]["labels"])
        ]
        assert {point["port"] for point in one["spec"]["endpoints"]} <= {
            port["name"] for port in service["spec"]["ports"]
        }
    for one in named(resources, "PodDisruptionBudget").values():
        chosen(one["spec"]["selector"])
    for one in named(resources, "NetworkPolicy").values():
        inside = ports(chosen(one["spec"]["podSelector"]))
        for rule in one["spec"]["ingress"]:
            assert {port["port"] for port in rule["ports"]} <= inside
        for rule in one["spec"]["egress"]:
            reached = [chosen(to["podSelector"]) for to in rule.get("to", ()) if "podSelector" in to]
            for found in reached:
                assert {port["port"] for port in rule["ports"]} <= ports(found)


def addresses(text: str) -> set[tuple[str, str, int]]:
    """The addresses of this release in a text: whole name, Service, port."""
    return {
        (name, name.partition(".")[0], int(port)) for name, port in re.findall(r"http://(genai-[\w.-]+):(\d+)", text)
    }


def test_addresses_are_those_of_services(resources: list[Resource]) -> None:
    """Each address of a Service of the release has the name and a port of one; in another namespace, the name has the namespace."""
    services = {
        name: {port["port"] for port in one["spec"]["ports"]} for name, one in named(resources, "Service").items()
    }
    namespaces = {one["metadata"].get("namespace", "observability") for one in resources}
    for one in resources:
        if one["kind"] in ("Deployment", "DaemonSet", "Instrumentation"):
            for name, service, port in addresses(json.dumps(one)):
                assert port in services.get(service, ()), f"{one['kind']} {one['metadata']['name']}: {name}:{port}"
                assert one["kind"] != "Instrumentation" or name.split(".")[1:] == [*namespaces, "svc"]


def test_pods_have_no_rights_that_they_do_not_need(resources: list[Resource]) -> None:
    """No root, no privileges, no image that can be written, no token of Kubernetes; a limit of memory; a version of the image."""
    for name, pod in pods(resources).items():
        spec = pod["spec"]
        assert (True, False) == (spec["securityContext"]["runAsNonRoot"], spec["automountServiceAccountToken"]), name
        assert {"type": "RuntimeDefault"} == spec["securityContext"]["seccompProfile"]
        for container in spec["containers"]:
            security = {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert security == container["securityContext"], name
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys(), name
            assert "memory" in container["resources"]["limits"], name
            assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?", container["image"]), name
            assert {"readinessProbe", "livenessProbe", "startupProbe"} <= container.keys(), name


def test_memory_of_collectors(resources: list[Resource]) -> None:
    """The limiter refuses before Kubernetes ends the process, and Go collects memory before that."""
    for pod in pods(resources).values():
        container = pod["spec"]["containers"][0]
        if container["name"] == "collector":
            given = {one["name"]: one["value"] for one in container["env"]}
            limit = int(container["resources"]["limits"]["memory"].removesuffix("Mi"))
            assert int(given["MEMORY_SPIKE_MIB"]) < int(given["MEMORY_MIB"]) < limit
            assert int(given["MEMORY_MIB"]) < int(given["GOMEMLIMIT"].removesuffix("MiB")) < limit


SECRET = re.compile(r"KEY$|TOKEN$|PASSWORD|SECRET|CREDENTIAL|HEADERS$")


def test_no_secret_is_in_a_file(resources: list[Resource]) -> None:
    """No resource is a Secret, and a variable that is one has its value from elsewhere."""
    assert {} == named(resources, "Secret")
    variables = [
        variable
        for one in resources
        for variable in (
            one["spec"]["python"]["env"]
            if one["kind"] == "Instrumentation"
            else [given for c in one["spec"]["template"]["spec"]["containers"] for given in c["env"]]
            if one["kind"] in ("Deployment", "DaemonSet")
            else []
        )
    ]
    assert variables
    assert [] == [one["name"] for one in variables if SECRET.search(one["name"]) and "value" in one]


# Files that people fill in; boards are JSON without anything to fill in, and the Collector's have the forms of secrets in them.
SETTINGS = (".yaml", ".tpl", ".env", ".txt", ".py", "")


@pytest.mark.parametrize("folder", ["compose", "kubernetes", "operator", "alertmanager"])
def test_no_file_has_what_looks_like_a_secret(folder: str) -> None:
    """By the rules with which the package keeps secrets out of messages."""
    files = [path for path in (ROOT / "deploy" / folder).rglob("*") if path.is_file() and path.suffix in SETTINGS]
    files = [path for path in files if path.parent.name != "collector"]
    assert files
    assert [] == [(path.name, line) for path in files for line in path.read_text().splitlines() if masked(line) != line]
    assert "sk-proj-abcdefghijklmnopqrstuvwxyz012345" not in masked("key: sk-proj-abcdefghijklmnopqrstuvwxyz012345")


def test_secrets_are_named(tools: Tools) -> None:
    """With the values of a backend, four secrets are taken from where they are, by name and key."""
    made = template(tools("helm"), f"--values={CHART}/values/backend.yaml")
    text = json.dumps(made)
    references = re.findall(r'"name": "(\w+)", "valueFrom": {"secretKeyRef": ({[^}]*})', text)
    assert {
        ("OTEL_INSTRUMENTATION_GENAI_USER_ID_KEY", "genai", "user-id-key"),
        ("HF_TOKEN", "hugging-face", "token"),
        ("VLLM_API_KEY", "vllm", "api-key"),
        ("VLLM_API_TOKEN", "vllm", "api-key"),
    } == {(name, json.loads(where)["name"], json.loads(where)["key"]) for name, where in references}
    assert [{"secretRef": {"name": "openobserve"}}] == pods(made)["Deployment/genai-gateway"]["spec"]["containers"][0][
        "envFrom"
    ]


# What it asks of the package is what the package has.


def settings(resources: list[Resource]) -> dict[str, str]:
    """The variables that the Operator sets in pods."""
    (one,) = named(resources, "Instrumentation").values()
    return {given["name"]: given["value"] for given in one["spec"]["python"]["env"] if "value" in given}


def test_settings_are_the_package_s(everything: list[Resource]) -> None:
    """Each variable is one of the package or of OpenTelemetry's SDK."""
    known = {variable(name) for name in READERS} | {
        value for name, value in vars(environment_variables).items() if name.startswith("OTEL_")
    }
    assert settings(everything)
    assert [] == [name for name in settings(everything) if name not in known]


def test_settings_are_accepted(
    everything: list[Resource], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The package takes all values without a warning; metrics have the tags that rules and boards group by; content stays off."""
    for name, value in settings(everything).items():
        monkeypatch.setenv(name, value)
    config = resolve({})
    assert [] == caplog.messages
    assert set(emitted.TAGS) == set(config.metric_attributes)
    assert ("no_content", "extended", False) == (
        settings(everything)["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"], config.metrics, config.refused,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("host", "reached"),
    [
        ("genai-vllm", True),
        ("genai-vllm.observability.svc", True),
        ("genai-vllm.observability.svc.cluster.local", True),
        ("api.openai.com", False),
        ("bedrock-runtime.eu-west-1.amazonaws.com", False),
    ],
)
def test_servers_in_the_cluster_continue_the_trace(
    host: str, reached: bool, everything: list[Resource], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call of a model server in the cluster carries the context, by each of its names; one of a public provider does not."""
    monkeypatch.setenv(
        "OTEL_INSTRUMENTATION_GENAI_PROPAGATE", settings(everything)["OTEL_INSTRUMENTATION_GENAI_PROPAGATE"]
    )
    assert reached == propagation_of(resolve({})).reaches(host, 8000)


def test_lost_telemetry_is_that_of_the_job_of_the_rules(everything: list[Resource]) -> None:
    """The series of the Collectors have the name of the job that the alerts look at."""
    (one,) = named(everything, "PodMonitor").values()
    (endpoint,) = one["spec"]["podMetricsEndpoints"]
    ((job),) = [rule["replacement"] for rule in endpoint["relabelings"] if rule["targetLabel"] == "job"]
    rules = json.dumps(list(named(everything, "PrometheusRule").values()))
    assert f'up{{job=\\"{job}\\"}}' in rules

"""The containers of deploy/compose: what Docker Compose reads of them, and that their files are there, valid, and find each other."""

from __future__ import annotations

import copy
import importlib.util
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import jsonschema
import pytest
import yaml
from merged import PARTS
from process import HOST, Process, free_ports

import emitted

PROVES = "the containers of deploy/compose: read by Docker Compose's own reader, every mounted file there and valid, every address one of them"
NOT_RUN = ("Grafana, Tempo and Loki: not to be had here; their files are checked by schemas of what they document",)

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "deploy/compose"
KINDS = yaml.safe_load(Path(__file__).with_name("compose_kinds.yaml").read_text())
Tools = Callable[[str], Path]


def read(tools: Tools, folder: Path = COMPOSE, more: Sequence[str] = (), **variables: str) -> Any:
    """What Docker Compose's own reader makes of compose.yaml and further files, by the specification's schema.

    Raises:
        AssertionError: it refuses; with what it says.
    """
    words = [tools("compose-spec"), "compose.yaml", *more]
    environment = {"PATH": os.environ["PATH"], **variables}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def services(tools: Tools) -> dict[str, Any]:
    """The services, by name."""
    return read(tools)["services"]


@pytest.fixture(scope="module")
def roots(services: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What each container sees of the files that are mounted, as a folder."""
    made = {}
    for name, service in services.items():
        root = made[name] = tmp_path_factory.mktemp(name)
        for mount in binds(service):
            source, target = Path(mount["source"]), root / mount["target"].lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(source, target) if source.is_dir() else shutil.copyfile(source, target)
    return made


def binds(service: dict[str, Any]) -> list[dict[str, Any]]:
    """The files and folders of this repository that a container has."""
    return [mount for mount in service.get("volumes", ()) if mount["type"] == "bind"]


def test_a_wrong_file_is_refused(tools: Tools, tmp_path: Path) -> None:
    """A service with an unknown setting, and one that depends on another that is not there."""
    for setting, says in (("imag: x", "imag"), ("depends_on: [nobody]", "nobody")):
        text = (COMPOSE / "compose.yaml").read_text().replace("    mem_limit: 1g", f"    {setting}\n    mem_limit: 1g")
        if setting.startswith("depends_on"):
            text = text.replace("    depends_on: [prometheus, tempo, loki]\n", "", 1)
        (tmp_path / "compose.yaml").write_text(text)
        with pytest.raises(AssertionError, match=says):
            read(tools, tmp_path)


def test_mounted_files_are_there(services: dict[str, Any]) -> None:
    """Each is a file or folder of this repository, mounted so that it cannot be written; none is made by Docker as an empty folder."""
    mounts = [mount for service in services.values() for mount in binds(service)]
    assert mounts
    for mount in mounts:
        source = Path(mount["source"]).resolve()
        assert source.exists(), source
        assert source.is_relative_to(ROOT), source
        assert mount["read_only"], source


def test_what_commands_name_is_mounted(services: dict[str, Any], roots: dict[str, Path]) -> None:
    """Each file that a command names is among what its container has."""
    for name, service in services.items():
        for word in service["command"] or ():
            if match := re.search(r"config(?:\.file)?=(/\S+)", word):
                assert (roots[name] / match[1].lstrip("/")).is_file(), f"{name}: {word}"


def test_images_have_versions(services: dict[str, Any]) -> None:
    """Each image has the whole version that it was tried with."""
    images = [service["image"] for service in services.values()]
    assert [] == [
        image for image in images if not re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+(@sha256:[0-9a-f]{64})?", image)
    ]


def test_the_collector_is_that_of_kubernetes(services: dict[str, Any]) -> None:
    """Both have one version, which is that of the parts that are built here."""
    image = yaml.safe_load((ROOT / "deploy/kubernetes/chart/values.yaml").read_text())["collector"]["image"]
    assert f"{image['repository']}:{image['tag']}" == services["collector"]["image"]
    assert (
        f"go.opentelemetry.io/collector/receiver/otlpreceiver v{image['tag']}"
        in (ROOT / "deploy/local/go/otelcol/go.mod").read_text()
    )


def test_containers_have_no_rights_that_they_do_not_need(services: dict[str, Any]) -> None:
    """Their images cannot be written, and they listen on this machine alone; none has a password."""
    for name, service in services.items():
        assert (True, ["ALL"], ["no-new-privileges:true"]) == (
            service["read_only"], service["cap_drop"], service["security_opt"],
        ), name  # fmt: skip
        assert {"127.0.0.1"} == {port["host_ip"] for port in service["ports"]}, name
        assert [] == [key for key in service.get("environment", {}) if re.search(r"PASSWORD|TOKEN|SECRET|KEY$", key)]


def test_ports_can_be_changed(tools: Tools) -> None:
    """Each port has a variable, whose default stands in .env; no two are the same."""
    names = re.findall(r"\$\{(\w+):-(\d+)\}", (COMPOSE / "compose.yaml").read_text())
    defaults = dict(re.findall(r"^(\w+)=(\d+)$", (COMPOSE / ".env").read_text(), re.MULTILINE))
    assert defaults == dict(names)
    assert len(set(defaults.values())) == len(defaults)

    changed = read(tools, **{name: str(20000 + number) for number, name in enumerate(defaults)})["services"]
    published = {int(port["published"]) for service in changed.values() for port in service["ports"]}
    assert {*range(20000, 20000 + len(defaults))} == published


# The files.


def test_the_collector_takes_its_files(services: dict[str, Any], roots: dict[str, Path], tools: Tools) -> None:
    """`otelcol validate`, with the container's command and variables."""
    service = services["collector"]
    words = [word.replace("=/etc/", f"={roots['collector']}/etc/") for word in service["command"]]
    environment = {"PATH": os.environ["PATH"], **service["environment"]}
    done = subprocess.run(
        [tools("otelcol"), "validate", *words], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_collector_has_what_rules_and_boards_need(services: dict[str, Any]) -> None:
    """All files of all.yaml, but that all traces are kept."""
    files = [PurePosixPath(word.partition("=")[2]).stem for word in services["collector"]["command"]]
    assert files == ["keep" if part == "sample" else part for part in PARTS]


def test_prometheus_takes_its_files(services: dict[str, Any], roots: dict[str, Path], tools: Tools) -> None:
    """`promtool check config`, which reads the rules as well."""
    (flag,) = [word for word in services["prometheus"]["command"] if word.startswith("--config.file=")]
    config = roots["prometheus"] / flag.partition("=")[2].lstrip("/")
    words = [tools("promtool"), "check", "config", config]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rules = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yaml").read_text())["rule_files"]
    assert len(rules) == len(re.findall(r"SUCCESS: \d+ rules found", done.stdout + done.stderr))


def test_prometheus_has_the_flags_of_its_file(services: dict[str, Any]) -> None:
    """It takes OTLP, and keeps exemplars: the file says both have to be asked for."""
    assert {"--web.enable-otlp-receiver", "--enable-feature=exemplar-storage"} <= set(services["prometheus"]["command"])


def test_alertmanager_takes_its_file(services: dict[str, Any], roots: dict[str, Path], tools: Tools) -> None:
    """`amtool check-config`."""
    (flag,) = [word for word in services["alertmanager"]["command"] if word.startswith("--config.file=")]
    config = roots["alertmanager"] / flag.partition("=")[2].lstrip("/")
    words = [tools("amtool"), "check-config", config]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "ready"), [("prometheus", "/-/ready"), ("alertmanager", "/-/ready"), ("collector", "/")]
)
def test_commands_start(name: str, ready: str, services: dict[str, Any], roots: dict[str, Path], tools: Tools) -> None:
    """The real program starts with the container's command and variables; only folders and ports are those of the test."""
    folder = roots[name] / "data"
    folder.mkdir()
    here = {f"=/{name}": f"={folder}", "=/etc/": f"={roots[name]}/etc/"}
    words = services[name]["command"]
    for there, instead in here.items():
        words = [word.replace(there, instead) for word in words]
    listened, *ports = free_ports(4)
    variables = {**(services[name].get("environment") or {}), "LISTEN": HOST, "HEALTH_PORT": str(listened)}
    others = dict(zip(("OTLP_HTTP_PORT", "OTLP_GRPC_PORT", "METRICS_PORT"), map(str, ports), strict=True))
    if name != "collector":
        words = [*words, f"--web.listen-address={HOST}:{listened}"]
    program = Process(
        name,
        [tools("otelcol" if name == "collector" else name), *words],
        folder / "log",
        f"http://{HOST}:{listened}{ready}",
        environment={**variables, **others},
    )
    try:
        program.start()
    finally:
        program.stop()


def test_alerts_have_somewhere_to_go(tools: Tools) -> None:
    """With the second file, Alertmanager has each file of an address that its own names, from a variable; without, none is asked for."""
    wanted = set(re.findall(r"url_file: (\S+)", (ROOT / "deploy/alertmanager/alertmanager.yaml").read_text()))
    variables = {f"{PurePosixPath(path).name.upper()}_WEBHOOK_URL": f"http://hook.example.com{path}" for path in wanted}
    project = read(tools, more=["alerts.yaml"], **variables)
    secrets = project["services"]["alertmanager"]["secrets"]
    assert wanted == {secret["target"] for secret in secrets} != set()
    assert {secret["target"]: project["secrets"][secret["source"]]["environment"] for secret in secrets} == {
        path: f"{PurePosixPath(path).name.upper()}_WEBHOOK_URL" for path in wanted
    }
    assert "secrets" not in read(tools)["services"]["alertmanager"]


def complaints(name: str, content: Any) -> list[str]:
    """What is wrong with a file of Tempo, Loki or Grafana."""
    validator = jsonschema.Draft7Validator({**KINDS[name], "definitions": KINDS["definitions"]})
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in validator.iter_errors(content)]


@pytest.mark.parametrize("name", [name for name in KINDS if name != "definitions"])
def test_files_of_what_cannot_run_here(name: str) -> None:
    """By what is documented of them; a setting of another name is found."""
    content = yaml.safe_load((COMPOSE / name).read_text())
    assert [] == complaints(name, content)
    assert complaints(name, {**copy.deepcopy(content), "unknown": True})


def test_every_file_is_checked() -> None:
    """Each YAML file here is read by Docker Compose, made of another, or has a schema."""
    found = {str(path.relative_to(COMPOSE)) for path in COMPOSE.rglob("*.yaml")}
    assert {"compose.yaml", "alerts.yaml", "prometheus.yaml", *KINDS} - {"definitions"} == found


def test_prometheus_yaml_is_that_of_deploy(capsys: pytest.CaptureFixture[str]) -> None:
    """It is the file of deploy/prometheus but for the addresses of other containers."""
    spec = importlib.util.spec_from_file_location("compose_generate", COMPOSE / "generate.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    assert 0 == made.main("--check"), capsys.readouterr().err


# They find each other.


def listened(services: dict[str, Any]) -> set[str]:
    """The addresses that containers have for each other: those that they publish, and where Tempo takes OTLP."""
    published = {f"{name}:{port['target']}" for name, service in services.items() for port in service["ports"]}
    tempo = yaml.safe_load((COMPOSE / "tempo.yaml").read_text())["distributor"]["receivers"]["otlp"]["protocols"]
    return published | {f"tempo:{one['endpoint'].rpartition(':')[2]}" for one in tempo.values()}


def test_addresses_are_those_of_containers(services: dict[str, Any], roots: dict[str, Path]) -> None:
    """What one has as the address of another is where that listens."""
    known = listened(services)
    names = "|".join(services)
    found = set(
        re.findall(
            rf"\b((?:{names}):\d+)\b", json.dumps({name: one.get("environment") for name, one in services.items()})
        )
    )
    for file in (COMPOSE / "prometheus.yaml", COMPOSE / "grafana/datasources/datasources.yaml"):
        found |= set(re.findall(rf"\b((?:{names}):\d+)\b", file.read_text()))
    assert found == found & known
    assert {"prometheus:9090", "tempo:4317", "tempo:3200", "loki:3100", "alertmanager:9093", "collector:8888"} <= found
    scraped = yaml.safe_load((COMPOSE / "prometheus.yaml").read_text())["scrape_configs"]
    targets = {target for job in scraped for group in job["static_configs"] for target in group["targets"]}
    assert targets - {"127.0.0.1:9090"} <= known


def test_the_collector_listens_for_others(services: dict[str, Any]) -> None:
    """On all addresses of its container; on its own alone, nobody would reach it."""
    assert "0.0.0.0" == services["collector"]["environment"]["LISTEN"]


def test_grafana_has_boards_and_data_sources(services: dict[str, Any], roots: dict[str, Path]) -> None:
    """The provider's folder has the boards, the first page is one of them, and links between data sources lead to some."""
    root = roots["grafana"]
    provisioning = root / "etc/grafana/provisioning"
    (provider,) = yaml.safe_load((provisioning / "dashboards/dashboards.yaml").read_text())["providers"]
    boards = {path.name for path in (root / provider["options"]["path"].lstrip("/")).glob("*.json")}
    assert {path.name for path in (ROOT / "dashboards").glob("*.json")} == boards != set()
    home = PurePosixPath(services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (provider["options"]["path"], True) == (str(home.parent), home.name in boards)

    sources = yaml.safe_load((provisioning / "datasources/datasources.yaml").read_text())["datasources"]
    linked = set(re.findall(r'"datasourceUid": "(\w+)"', json.dumps(sources)))
    assert linked <= {source["uid"] for source in sources}
    assert ["prometheus"] == [source["type"] for source in sources if source.get("isDefault")]


def test_boards_find_their_data_sources(services: dict[str, Any]) -> None:
    """Each kind of data source that a board asks for is provisioned."""
    sources = yaml.safe_load((COMPOSE / "grafana/datasources/datasources.yaml").read_text())["datasources"]
    asked = {
        variable["query"]
        for path in (ROOT / "dashboards").glob("*.json")
        for variable in json.loads(path.read_text())["templating"]["list"]
        if variable["type"] == "datasource"
    }
    assert "prometheus" in asked
    assert asked <= {source["type"] for source in sources}


def test_queries_use_what_the_plugin_emits() -> None:
    """From a trace to its metrics: the name of the metric and the labels are those of the plugin."""
    sources = yaml.safe_load((COMPOSE / "grafana/datasources/datasources.yaml").read_text())["datasources"]
    (links,) = [source["jsonData"]["tracesToMetrics"] for source in sources if source["type"] == "tempo"]
    labels = {tag["value"] for tag in links["tags"]}
    names = {name for query in links["queries"] for name in re.findall(r"gen_ai_\w+", query["query"])}
    assert names
    assert [] == [complaint for name in names for complaint in emitted.complaints(name, labels)]

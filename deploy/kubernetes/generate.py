"""Write what the chart and kustomize have from elsewhere: ``python deploy/kubernetes/generate.py``; ``--check`` only compares.

The chart has copies of the Collector's files, of the rules and of the dashboards, since Helm reads nothing outside of a chart. The
resources of kustomize are what Helm makes of the chart, so that there is one source of both.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
DEPLOY, ROOT = HERE.parent, HERE.parents[1]
CHART, KUSTOMIZE = HERE / "chart", HERE / "kustomize"
NAME, NAMESPACE, KUBERNETES = "genai", "observability", "1.34.0"
# What is a component of its own, by the label of its resources.
COMPONENTS = ("vllm", "llama-stack")
MADE = "# Made by generate.py in the folder above, from the chart.\n"
SOURCE = re.compile(r"^# Source: [\w-]+/templates/(\S+)\.yaml\n", re.MULTILINE)

# What says that Helm made it, and what kustomize does itself, by the names of ConfigMaps.
HELM = re.compile(
    r"^ +app.kubernetes.io/managed-by: Helm\n|^ +annotations:\n( +#.*\n)* +checksum/files: .*\n", re.MULTILINE
)


def copies() -> dict[Path, str]:
    """Return the files of the chart that have their originals elsewhere."""
    prometheus = DEPLOY / "prometheus"
    rules = yaml.safe_load((prometheus / "prometheus.yaml").read_text(encoding="utf-8"))["rule_files"]
    originals = {
        "collector": sorted((DEPLOY / "collector").glob("*.yaml")),
        "rules": [prometheus / name for name in rules],
        "dashboards": sorted((ROOT / "dashboards").glob("*.json")),
    }
    files = {
        CHART / "files" / folder / path.name: path.read_text(encoding="utf-8")
        for folder, paths in originals.items()
        for path in paths
    }
    files[CHART / "files/collector/kustomization.yaml"] = collector_generator(originals["collector"])
    files[CHART / "files/dashboards/kustomization.yaml"] = dashboard_generator(originals["dashboards"])
    return files


def collector_generator(paths: list[Path]) -> str:
    """Return a kustomization that makes the Collector's ConfigMap."""
    return _kustomization(
        {"configMapGenerator": [{"name": f"{NAME}-collector", "files": [path.name for path in paths]}]}
    )


def dashboard_generator(paths: list[Path]) -> str:
    """Return a kustomization that makes a ConfigMap of each dashboard, with the label that Grafana's sidecar looks for."""
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))["dashboards"]
    options = {
        "disableNameSuffixHash": True,
        "labels": {values["label"]: values["labelValue"]},
        "annotations": values["annotations"],
    }
    maps = [{"name": f"{NAME}-board-{path.stem.replace('_', '-')}", "files": [path.name]} for path in paths]
    return _kustomization({"generatorOptions": options, "configMapGenerator": maps})


def rendered(helm: Path) -> dict[Path, str]:
    """Return the files of kustomize, as Helm makes them of the chart.

    Args:
        helm: the program.
    """
    files: dict[Path, dict[str, list[str]]] = {}
    for source, document in _documents(_template(helm)):
        component = yaml.safe_load(document)["metadata"]["labels"]["app.kubernetes.io/component"]
        folder = KUSTOMIZE / "components" / component if component in COMPONENTS else KUSTOMIZE / "base"
        files.setdefault(folder, {}).setdefault(source, []).append(document)
    made = {}
    for folder, documents in files.items():
        for source, texts in documents.items():
            made[folder / f"{source}.yaml"] = MADE + "---\n".join(texts)
        made[folder / "kustomization.yaml"] = _folder(folder, [f"{source}.yaml" for source in sorted(documents)])
    return made


def _template(helm: Path) -> str:
    settings = ["vllm.enabled=true", "llamaStack.enabled=true", "dashboards.enabled=false"]
    options = [f"--set={setting}" for setting in settings]
    words = [helm, "template", NAME, CHART, f"--namespace={NAMESPACE}", f"--kube-version={KUBERNETES}", *options]
    return subprocess.run(words, check=True, capture_output=True, text=True, timeout=120).stdout


def _documents(text: str) -> list[tuple[str, str]]:
    """Return each resource with the name of its template, without what kustomize does itself."""
    found = []
    for document in re.split(r"^---\n", text, flags=re.MULTILINE):
        source = SOURCE.match(document)
        if source is None or source[1] == "collector-files":
            continue
        text = HELM.sub("", SOURCE.sub("", document))
        found.append((source[1], text.strip("\n") + "\n"))
    return found


def _folder(folder: Path, files: list[str]) -> str:
    """Return the kustomization of a folder."""
    if folder.parent.name == "components":
        return _kustomization({"resources": files}, "Component", "v1alpha1")
    shared = ["../../chart/files/collector", "../../chart/files/dashboards"]
    return _kustomization({"namespace": NAMESPACE, "resources": [*files, *shared]})


def _kustomization(content: dict[str, Any], kind: str = "Kustomization", version: str = "v1beta1") -> str:
    head = {"apiVersion": f"kustomize.config.k8s.io/{version}", "kind": kind}
    return "# Made by deploy/kubernetes/generate.py.\n" + yaml.safe_dump(
        {**head, **content}, sort_keys=False, width=150
    )


def differences(files: dict[Path, str]) -> list[Path]:
    """Return the files that are not as they would be made, and those that would not be."""
    made = {path for path in files if not path.is_file() or path.read_text(encoding="utf-8") != files[path]}
    folders = {path.parent for path in files}
    return sorted(made | {path for folder in folders for path in folder.glob("*.*") if path not in files})


def write(files: dict[Path, str]) -> None:
    """Write files, and remove others from their folders."""
    for path in differences(files):
        if path in files:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path], encoding="utf-8")
        else:
            path.unlink()


def main(*options: str) -> int:
    """Write or compare all; return the exit status."""
    sys.path.insert(0, str(DEPLOY / "local"))
    from tools import MissingToolError, tool

    try:
        helm = tool("helm")
    except MissingToolError as error:
        print(error, file=sys.stderr)
        return 1
    if "--check" not in options:
        write(copies())
        write(rendered(helm))
        return 0
    different = [*differences(copies()), *differences(rendered(helm))]
    for path in different:
        print(f"{path.relative_to(ROOT)} differs: python deploy/kubernetes/generate.py writes it", file=sys.stderr)
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""The resources that deploy/kubernetes makes, and what is wrong with them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import yaml

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "deploy/kubernetes"
CHART = KUBERNETES / "chart"
VERSION = "1.34"
"""The version of Kubernetes that they are rendered for and checked against."""
CUSTOM = yaml.safe_load(Path(__file__).with_name("custom_kinds.yaml").read_text())
WORKLOADS = ("Deployment", "DaemonSet", "StatefulSet")

Resource = dict[str, Any]


def template(helm: Path, *options: str, chart: Path = CHART) -> list[Resource]:
    """The resources that Helm makes of the chart.

    Args:
        helm: the program.
        options: further words, such as `--values=FILE`.
        chart: its folder or package.

    Raises:
        AssertionError: Helm refuses; with what it says.
    """
    words = [helm, "template", "genai", chart, "--namespace=observability", f"--kube-version={VERSION}.0", *options]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return documents(done.stdout)


def build(kustomize: Path, folder: Path) -> list[Resource]:
    """The resources that kustomize makes of a folder."""
    done = subprocess.run([kustomize, "build", folder], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return documents(done.stdout)


def documents(text: str) -> list[Resource]:
    """The documents of a YAML text, without empty ones."""
    return [document for document in yaml.load_all(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)) if document]


def named(resources: list[Resource], kind: str) -> dict[str, Resource]:
    """The resources of a kind, by name."""
    return {one["metadata"]["name"]: one for one in resources if one["kind"] == kind}


def problems(resource: Resource) -> list[str]:
    """What the API of Kubernetes or of an Operator would not take of a resource."""
    kind = f"{resource['apiVersion']} {resource['kind']}"
    where = f"{resource['kind']} {resource['metadata']['name']}"
    if kind in CUSTOM:
        return [f"{where}: {error}" for error in _custom(kind, resource)]
    try:
        kubernetes_validate.validate(resource, VERSION, strict=True)
    except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
        return [f"{where}: {error}"]
    return []


def _custom(kind: str, resource: Resource) -> list[str]:
    schema = {
        "type": "object",
        "required": ["metadata", "spec"],
        "additionalProperties": False,
        "properties": {
            "apiVersion": {},
            "kind": {},
            "metadata": {"$ref": "#/definitions/metadata"},
            "spec": CUSTOM[kind],
        },
        "definitions": CUSTOM["definitions"],
    }
    found = jsonschema.Draft7Validator(schema).iter_errors(resource)
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in found]


def pods(resources: list[Resource]) -> dict[str, Resource]:
    """The templates of pods, by the kind and name of what has them."""
    return {
        f"{one['kind']}/{one['metadata']['name']}": one["spec"]["template"]
        for one in resources
        if one["kind"] in WORKLOADS
    }


def selects(selector: Resource, labels: dict[str, str]) -> bool:
    """Whether a selector of labels fits."""
    for expression in selector.get("matchExpressions", ()):
        assert expression["operator"] == "In", expression
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return selector.get("matchLabels", {}).items() <= labels.items()

"""The registry of a generation of the conventions, from `tests/data/semconv`, and what of a recording is not as it says."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

DATA = Path(__file__).parents[1] / "data" / "semconv"
Levels = Mapping[str, str]
"""Attribute -> requirement level, without its condition."""
UNNAMED = {
    "moderation": "chat",
    "decision": "chat",
    "count_tokens": "chat",
    "compact_response": "chat",
    "cancel_response": "fetch_response",
    "create_batch": "chat",
    "fetch_batch": "chat",
    "batch_results": "chat",
    "web_search": "chat",
    "web_fetch": "chat",
}
"""Operation for which no generation has a word -> the one with the span that its span is held against."""
_MODEL = "gen_ai.request.model"

# What a value of the type is, on a span and in the SDK's events.
_TYPES = {
    "string": lambda value: type(value) is str,
    "int": lambda value: type(value) is int,
    "double": lambda value: type(value) is float,
    "boolean": lambda value: type(value) is bool,
    "string[]": lambda value: isinstance(value, (list, tuple)) and all(type(entry) is str for entry in value),
    "any": lambda value: isinstance(value, (str, list, tuple)),
}


@dataclass(frozen=True)
class Metric:
    """What the registry says of a metric."""

    instrument: str
    unit: str
    levels: Levels
    bounds: Sequence[float]


@dataclass(frozen=True)
class Registry:
    """What one generation has.

    Attributes:
        attributes: name -> its definition.
        spans: span type -> its attributes.
        refinements: (span type, id of a refinement, which begins with the provider) -> its attributes.
        metrics: name -> metric.
        events: name -> its attributes.
        refined_metrics: (metric, id of a refinement, which begins with the provider) -> the attributes that it adds.
    """

    attributes: Mapping[str, Mapping[str, Any]]
    spans: Mapping[str, Levels]
    refinements: Mapping[tuple[str, str], Levels]
    metrics: Mapping[str, Metric]
    events: Mapping[str, Levels]
    refined_metrics: Mapping[tuple[str, str], Levels]

    def span(self, operation: str, provider: str) -> Levels:
        """What a span of an operation has, by a provider's own page if it has one."""
        kind = next(kind for kind in self.spans if kind in _span_types(operation))
        levels = dict(self.spans[kind])
        for (refined, name), own in self.refinements.items():
            if refined == kind and name.startswith(f"{provider}."):
                levels |= own
        if operation in UNNAMED and _MODEL in levels:
            levels[_MODEL] = "conditionally_required"  # the endpoint has a default
        return levels

    def metric(self, name: str, provider: str) -> Metric | None:
        """What a metric has, by a provider's own page if it has one; None where there is no such metric."""
        metric = self.metrics.get(name)
        if metric is None:
            return None
        refined = [
            own for (kind, by), own in self.refined_metrics.items() if kind == name and by.startswith(f"{provider}.")
        ]
        return replace(metric, levels=dict(chain(metric.levels.items(), *(own.items() for own in refined))))

    def complaints(self, name: str, value: Any, others: Mapping[str, re.Pattern[str]]) -> list[str]:
        """What is wrong with an attribute; `others` are how values are spelled that an enum does not name."""
        definition = self.attributes.get(name)
        if definition is None:
            return [f"{name} is not in the registry"]
        if "deprecated" in definition:
            return [f"{name} is deprecated"]
        kind = definition["type"]
        if isinstance(kind, str):
            return [] if typed(kind, value) else [f"{name} is no {kind}: {value!r}"]
        known = [member["value"] for member in kind["members"] if "deprecated" not in member]
        if value in known or (name in others and others[name].fullmatch(value)):
            return []
        return [f"{name} has no such value: {value!r}"]


def typed(kind: str, value: Any) -> bool:
    """Whether a value is of a type of the registry."""
    return _TYPES[kind](value)


def _span_types(operation: str) -> tuple[str, ...]:
    """The span type of an operation, as either generation calls it."""
    operation = UNNAMED.get(operation, operation)
    if operation in ("chat", "text_completion", "generate_content"):
        return ("gen_ai.inference.client", "gen_ai.client.inference")
    return (f"gen_ai.{operation}.client", f"gen_ai.{operation}.internal")


@functools.cache
def registry(generation: str) -> Registry:
    """The registry of `v1.41` or `latest`."""
    folder = DATA / generation
    files = [_read(path) for path in sorted(folder.glob("gen-ai/*.yaml"))]
    groups = {group["id"]: group["attributes"] for file in files for group in file.get("attribute_groups", ())}
    spans = [span for file in files for span in file.get("spans", ())]
    groups |= {f"span.{span['type']}": span["attributes"] for span in spans}
    refinements = [span for file in files for span in file.get("span_refinements", ())]
    bounds = json.loads((folder / "buckets.json").read_text(encoding="utf-8"))
    return Registry(
        attributes={key: found for path in _registries(folder) for key, found in _attributes(_read(path))},
        spans={span["type"]: _levels(groups, span["attributes"]) for span in spans},
        refinements={(span["ref"], span["id"]): _levels(groups, _stricter(span["attributes"])) for span in refinements},
        metrics={
            metric["name"]: Metric(
                metric["instrument"],
                metric["unit"],
                _levels(groups, metric["attributes"]),
                bounds.get(metric["name"], ()),
            )
            for file in files
            for metric in file.get("metrics", ())
        },
        events={
            event["name"]: _levels(groups, event["attributes"]) for file in files for event in file.get("events", ())
        },
        refined_metrics={
            (metric["ref"], metric["id"]): _levels(groups, metric["attributes"])
            for file in files
            for metric in file.get("metric_refinements", ())
        },
    )


def _read(path: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def _registries(folder: Path) -> list[Path]:
    return [*sorted((DATA / "core").glob("*/registry.yaml")), *sorted(folder.glob("*/registry.yaml"))]


def _attributes(file: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The attributes of a file of either format."""
    for attribute in file.get("attributes", ()):
        yield attribute["key"], attribute
    for group in file.get("groups", ()):
        yield from ((attribute["id"], attribute) for attribute in group["attributes"])


def _levels(groups: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Levels:
    """The attributes of some rows, groups among them; a later row that says no level leaves it as it is."""
    levels: dict[str, str] = {}
    for row in rows:
        if "ref_group" in row:
            levels |= _levels(groups, groups[row["ref_group"]])
        elif "requirement_level" in row:
            level = row["requirement_level"]
            levels[row["ref"]] = level if isinstance(level, str) else next(iter(level))
        else:
            levels.setdefault(row["ref"], "recommended")
    return levels


def _stricter(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows of a refinement that say a level; the others leave it as it is."""
    return [row for row in rows if "requirement_level" in row]

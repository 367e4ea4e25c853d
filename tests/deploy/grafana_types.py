"""Boards against Grafana's own types: npm's `@grafana/schema`, read by TypeScript."""

from __future__ import annotations

import json
import subprocess
from typing import Any, NamedTuple

from npm import installed

TYPESCRIPT = "7.0.2"
# A string enum of TypeScript does not take the text that JSON has: its values do.
_PLAIN = (
    "type Plain<T> = T extends string ? `${T}` : T extends (infer E)[] ? Plain<E>[] : "
    "T extends object ? { [K in keyof T]: Plain<T[K]> } : T;\n"
)
_PANELS = {
    "timeseries": "TimeSeries",
    "stat": "Stat",
    "bargauge": "BarGauge",
    "heatmap": "Heatmap",
    "table": "Table",
    "text": "Text",
    "logs": "Logs",
}
_WITH_FIELDS = ("timeseries", "heatmap")
_QUERIES = {"tempo": "Tempo", "loki": "Loki"}


class Schema(NamedTuple):
    """A release of the types.

    Attributes:
        version: of `@grafana/schema`.
        folder: where the types are in it.
        named: whether the files are named after what they have.
        queries: whether it has the types of the queries of Tempo and Loki.
    """

    version: str
    folder: str
    named: bool
    queries: bool

    def module(self, path: str, name: str) -> str:
        """Return where a type is imported from."""
        file = f"{name}_types.gen" if self.named else "types.gen"
        return f"./node_modules/@grafana/schema/dist/{self.folder}/raw/{path}/x/{file}"


SCHEMAS = (Schema("11.6.16", "esm", named=True, queries=True), Schema("13.2.3", "types", named=False, queries=False))
"""The release that the boards are made for, and the newest."""


def complaints(schema: Schema, models: dict[str, dict[str, Any]]) -> str:
    """What TypeScript says of boards; empty if it is nothing.

    Args:
        schema: the release of the types.
        models: file -> board.
    """
    folder = installed((f"@grafana/schema@{schema.version}", f"typescript@{TYPESCRIPT}"))
    files = [folder / f"{name}.ts" for name in models]
    for file, model in zip(files, models.values(), strict=True):
        file.write_text(_source(schema, model), encoding="utf-8")
    options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler"]
    try:
        words = [folder / "node_modules" / ".bin" / "tsc", *options, *files]
        done = subprocess.run(words, cwd=folder, check=False, capture_output=True, text=True, timeout=300)
        return done.stdout + done.stderr
    finally:
        for file in files:
            file.unlink()


def _source(schema: Schema, model: dict[str, Any]) -> str:
    """A program that has the board, the options of each panel, and the queries, as values of their types."""
    lines = [_PLAIN, _value("board", schema.module("dashboard", "dashboard"), "Dashboard", model)]
    for panel in model["panels"]:
        kind = panel["type"]
        if kind in _PANELS:
            module = schema.module(f"composable/{kind}/panelcfg", f"{_PANELS[kind]}PanelCfg")
            lines.append(_value(f"options{panel['id']}", module, "Partial<Options>", panel.get("options", {})))
        if kind in _WITH_FIELDS:
            custom = panel["fieldConfig"]["defaults"].get("custom", {})
            lines.append(_value(f"custom{panel['id']}", module, "FieldConfig", custom))
        source = (panel.get("datasource") or {}).get("type")
        if schema.queries and source in _QUERIES:
            module = schema.module(f"composable/{source}/dataquery", f"{_QUERIES[source]}DataQuery")
            kind_of_query = {"tempo": "TempoQuery", "loki": "LokiDataQuery"}[source]
            lines += [
                _value(f"query{panel['id']}_{number}", module, kind_of_query, target)
                for number, target in enumerate(panel["targets"])
            ]
    return "".join(lines)


def _value(name: str, module: str, kind: str, value: Any) -> str:
    inner = kind.removeprefix("Partial<").removesuffix(">")
    written = kind.replace(inner, f"import('{module}').{inner}")
    return f"export const {name}: Plain<{written}> = {json.dumps(value)};\n"

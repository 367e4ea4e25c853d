"""Queries against the grammars by which Grafana's own editors parse LogQL and TraceQL."""

from __future__ import annotations

import json
import subprocess

from npm import installed

_PACKAGES = (
    "@grafana/lezer-logql@0.3.0",
    "@grafana/lezer-traceql@1.0.0",
    "@lezer/common@1.5.5",
    "@lezer/lr@1.4.12",
)
_PROGRAM = """
import { readFileSync } from "node:fs";
import { parser as logql } from "@grafana/lezer-logql";
import { parser as traceql } from "@grafana/lezer-traceql";
const parsers = { logql, traceql };
const wrong = ([language, query]) => {
  const found = [];
  parsers[language].parse(query).iterate({ enter: (node) => void (node.type.isError && found.push(node.from)) });
  return found;
};
console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf-8")).map(wrong)));
"""


def errors(queries: list[tuple[str, str]]) -> list[list[int]]:
    """Where each query is none, as places in it; empty where it is one.

    Args:
        queries: the language, `logql` or `traceql`, and the query.
    """
    folder = installed(_PACKAGES)
    program = folder / "parse.mjs"
    program.write_text(_PROGRAM, encoding="utf-8")
    words = ["node", str(program)]
    done = subprocess.run(words, input=json.dumps(queries), capture_output=True, text=True, check=True, timeout=60)
    found: list[list[int]] = json.loads(done.stdout)
    return found

"""The panels of events, answered from the log records that the Collector wrote into a file, in place of Loki."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Json = dict[str, Any]
_FILTER = re.compile(r'\| (\w+)="([^"]*)"')
_TEMPLATE = re.compile(r"line_format `([^`]*)`")
_IF = re.compile(r"\{\{ if \.(\w+) \}\}(.*?)\{\{ end \}\}")
_FIELD = re.compile(r"\{\{\.(\w+)\}\}")


def events(file: Path, logql: str) -> list[Json]:
    """Return the lines of a query with filters by structured metadata and a `line_format`, the newest first.

    Args:
        file: what the Collector's file exporter wrote.
        logql: the query.
    """
    wanted = dict(_FILTER.findall(logql))
    template = _TEMPLATE.findall(logql)[0]
    found = [
        {"at": at, "severity": severity, "text": _line(template, fields)}
        for at, severity, fields in _records(file)
        if all(fields.get(name) == value for name, value in wanted.items())
    ]
    return sorted(found, key=lambda line: float(line["at"]), reverse=True)


def _line(template: str, fields: dict[str, str]) -> str:
    present = _IF.sub(lambda part: part[2] if fields.get(part[1]) else "", template)
    return " ".join(_FIELD.sub(lambda field: fields.get(field[1], ""), present).split())


def _records(file: Path) -> Iterator[tuple[float, str, dict[str, str]]]:
    """Yield when each was, its severity, and its fields as Loki names them."""
    for line in file.read_text(encoding="utf-8").splitlines():
        for resource in json.loads(line).get("resourceLogs", ()):
            for record in (record for scope in resource["scopeLogs"] for record in scope.get("logRecords", ())):
                fields = {one["key"].replace(".", "_"): _text(one["value"]) for one in record.get("attributes", ())}
                fields["trace_id"] = record.get("traceId", "")
                at = int(record.get("timeUnixNano") or record["observedTimeUnixNano"]) / 1e9
                yield at, record.get("severityText", ""), fields


def _text(value: Json) -> str:
    if "arrayValue" in value:
        return json.dumps([_text(one) for one in value["arrayValue"].get("values", ())])
    return str(next(iter(value.values()), ""))

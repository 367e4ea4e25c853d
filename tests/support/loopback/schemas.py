"""What telemetry says about content, held against the JSON schemas of the conventions."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SCHEMAS = Path(__file__).parents[2] / "data" / "semconv"
CONTENT = {
    "gen_ai.input.messages": "gen-ai-input-messages.json",
    "gen_ai.output.messages": "gen-ai-output-messages.json",
    "gen_ai.system_instructions": "gen-ai-system-instructions.json",
    "gen_ai.tool.definitions": "gen-ai-tool-definitions.json",
    "gen_ai.retrieval.documents": "gen-ai-retrieval-documents.json",
}


def complaints(attribute: str, value: Any, *, closely: bool = True, generation: str = "v1.41") -> list[str]:
    """What is wrong with the content in an attribute, each with the place where; nothing if all is well.

    Every schema ends with a generic part or tool that any object with a ``type`` satisfies. So, looking ``closely``,
    what has the type of a schema of its own is held against that one as well.
    """
    name = f"{generation}/gen-ai/{CONTENT[attribute]}"
    schema = _schema(name)
    found = [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(value)]
    if found or not closely:
        return found
    for entry in _entries(attribute, value):
        own = _own_schemas(name).get(entry["type"])
        if own is not None:
            errors = Draft202012Validator(own).iter_errors(entry)
            found += [f"{entry['type']} {error.json_path}: {error.message}" for error in errors]
    return found


def deprecated(attribute: str, value: Any, *, generation: str) -> list[str]:
    """The members of messages, parts or tools in an attribute that their schema has and calls deprecated."""
    definitions = _schema(f"{generation}/gen-ai/{CONTENT[attribute]}")["$defs"].values()
    old = {
        name
        for definition in definitions
        for name, member in definition.get("properties", {}).items()
        if member.get("deprecated")
    }
    return sorted(old.intersection(name for entry in (*value, *_entries(attribute, value)) for name in entry))


def _entries(attribute: str, value: Any) -> Iterator[Mapping[str, Any]]:
    """The parts of messages; system instructions and tool definitions themselves."""
    for entry in value:
        if attribute.endswith(".messages"):
            yield from entry["parts"]
        else:
            yield entry


@functools.cache
def _schema(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
    return schema


@functools.cache
def _own_schemas(name: str) -> dict[str, dict[str, Any]]:
    """By the ``type`` that each is for."""
    schema = _schema(name)
    own = {}
    for definition in schema["$defs"].values():
        kind = definition.get("properties", {}).get("type", {}).get("const")
        if kind is not None:
            own[kind] = {**definition, "$defs": schema["$defs"]}
    return own

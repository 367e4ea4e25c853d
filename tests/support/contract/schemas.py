"""Content held against the JSON schemas of the conventions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contract.expected import CONTENT
from loopback.schemas import complaints


def violations(attributes: Mapping[str, Any]) -> list[str]:
    """Where content among these attributes breaks its schema, in words; nothing where all is well."""
    return [
        f"{name}: {complaint}"
        for name in CONTENT
        if name in attributes
        for complaint in complaints(name, attributes[name])
    ]

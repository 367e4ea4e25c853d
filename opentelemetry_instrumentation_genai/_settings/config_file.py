"""Our settings in OpenTelemetry's declarative configuration file.

The SDK configures itself from the same file. It is read by the rules of the SDK's package `opentelemetry-configuration`: YAML or
JSON, by the ending; `${VAR}` and `${VAR:-default}` are substituted after parsing, and a reference that is a whole unquoted value
gets its type then. The package itself is not used: it reads whole files only, logs by itself, and imports the SDK. It validates
the other sections of the file where it is installed.

Source: the data model of OpenTelemetry's configuration, file format 1.1.
"""

from __future__ import annotations

import json
import os
import re
from functools import lru_cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from .._conventions.sdks import INSTRUMENTED
from .._masking.masking import masked
from .._runtime.guard import warn_once
from .readers import FILE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

SHARED = "genai"
"""The section of all providers; the section of one has the name of its entry point."""
_INSTRUMENTATION = "instrumentation/development"
_SEMCONV = "semconv_stability_opt_in"
# The places of the conventions' generation for all instrumentations; the last one has precedence.
_SEMCONV_KEYS = ("general.stability_opt_in_list", "general.gen_ai.semconv")
_REFERENCE = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_TEXT = "tag:yaml.org,2002:str"
_ENDINGS = (".yaml", ".yml", ".json")


class BrokenFileError(ValueError):
    """The file cannot be used; the message is the reason, and quotes nothing of the file."""


def declared(
    sdk: str, sections: Mapping[str, Mapping[str, object] | None], settings: Collection[str]
) -> dict[str, tuple[str, object]] | None:
    """Read the settings of one SDK from the declarative file.

    Args:
        sdk: the name of the instrumented SDK.
        sections: by section, what OpenTelemetry's SDK has read from a file; used where the variable names no file.
        settings: the names of all settings.

    Returns:
        By setting, its place in the file and its value; None where the file cannot be read, for which a warning is logged once.
    """
    path = os.environ.get(FILE, "").strip()
    try:
        tree = _instrumentation(path) if path else {"python": sections}
        file = (path or "the configuration file") + ": " + _INSTRUMENTATION
        return _semconv(tree, file) | _sections(tree, file, sdk, settings)
    except BrokenFileError as error:
        why = str(error)
    except OSError as error:
        why = error.strerror or type(error).__name__
    warn_once("%s=%s cannot be read: %s. No content is captured.", FILE, path, why)
    return None


def _semconv(tree: Any, file: str) -> dict[str, tuple[str, object]]:
    found: dict[str, tuple[str, object]] = {}
    for key in _SEMCONV_KEYS:
        *way, name = key.split(".")
        value = _mapping(tree, *way).get(name)
        if _given(value):
            found[_SEMCONV] = (f"{file}.{key}", value)
    return found


def _sections(tree: Any, file: str, sdk: str, settings: Collection[str]) -> dict[str, tuple[str, object]]:
    found: dict[str, tuple[str, object]] = {}
    for section in (SHARED, f"{SHARED}_{sdk}"):
        members = _mapping(tree, "python", section)
        place = f"{file}.python.{section}"
        unknown = ", ".join(sorted(str(name) for name in members if name not in settings))
        if unknown:
            warn_once("Unknown settings in %s: %s. Accepted are: %s.", place, masked(unknown), ", ".join(settings))
        found.update({name: (f"{place}.{name}", value) for name, value in members.items() if _given(value)})
    _misspelled(_mapping(tree, "python"), file)
    return found


def _misspelled(sections: Mapping[Any, object], file: str) -> None:
    """Log a warning for each section with a name like ours that is neither ours nor another instrumentor's."""
    ours = [name for name in sections if isinstance(name, str) and name.startswith(SHARED)]
    known = {SHARED, *(f"{SHARED}_{sdk}" for sdk in INSTRUMENTED)}
    for name in sorted(set(ours) - known):
        if not entry_points(group="opentelemetry_instrumentor", name=name):
            accepted = ", ".join(sorted(known))
            warn_once("Unknown section in %s.python: %s. Accepted are: %s.", file, masked(name), accepted)


def _given(value: object) -> bool:
    """Return whether a member has a value; without one, as from a variable that is not set, the default applies."""
    return value is not None and not (isinstance(value, str) and not value.strip())


def _mapping(tree: Any, *way: str) -> Mapping[Any, Any]:
    """Return the mapping at a path of names; an empty one where there is none."""
    for depth, name in enumerate(way):
        tree = {} if tree is None else tree
        if not hasattr(tree, "get"):
            raise BrokenFileError(f"{'.'.join((_INSTRUMENTATION, *way[:depth]))} is not a mapping")
        tree = tree.get(name)
    tree = {} if tree is None else tree
    if not hasattr(tree, "get"):
        raise BrokenFileError(f"{'.'.join((_INSTRUMENTATION, *way))} is not a mapping")
    found: Mapping[Any, Any] = tree
    return found


def _instrumentation(path: str) -> Any:
    return read_file(path).get(_INSTRUMENTATION)


def read_file(path: str) -> Any:
    """Return a declarative file as a mapping, parsed once for all instrumentors, until the file or a variable changes.

    Args:
        path: of the file.

    Raises:
        BrokenFileError: it cannot be used.
        OSError: it cannot be read.
    """
    state = os.stat(path)  # noqa: PTH116 - takes half the time of a Path
    return _parsed(path, state.st_mtime_ns, state.st_size, hash(frozenset(os.environ.items())))


@lru_cache(maxsize=1)
def _parsed(path: str, *_state: int) -> Any:
    ending = os.path.splitext(path)[1].lower()  # noqa: PTH122
    if ending not in _ENDINGS:
        raise BrokenFileError(f"its name ends in none of {', '.join(_ENDINGS)}")
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123
            text = file.read()
        tree = _filled(json.loads(text)) if ending == ".json" else _yaml(text)
    except json.JSONDecodeError as error:
        raise BrokenFileError(f"it is not JSON (line {error.lineno}, column {error.colno})") from None
    except (ValueError, RecursionError) as error:
        raise error if isinstance(error, BrokenFileError) else BrokenFileError(type(error).__name__) from None
    if not hasattr(tree, "get"):
        raise BrokenFileError("it is not a mapping")
    return tree


def _yaml(text: str) -> Any:
    try:
        yaml: Any = import_module("yaml")
    except ImportError:
        raise BrokenFileError(
            "PyYAML is not installed. Install opentelemetry-configuration, which brings it; "
            "the OpenTelemetry SDK refuses the file without that package, too"
        ) from None
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _fill(node, loader, set())
        return loader.construct_document(node)
    except yaml.YAMLError as error:  # its message quotes the file
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise BrokenFileError(f"it is not YAML{where}") from None
    finally:
        loader.dispose()


def _fill(node: Any, loader: Any, seen: set[int]) -> None:
    """Substitute variables in the values below a YAML node. An alias is the same node as its anchor: each node is filled once."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node.value, str):
        if node.tag == _TEXT:
            alone = node.style is None and _REFERENCE.fullmatch(node.value) and not node.value.startswith("$$")
            node.value = _REFERENCE.sub(_put, node.value)
            if alone:
                node.tag = loader.resolve(type(node), node.value, (True, False))
        return
    for child in node.value:
        _fill(child[1] if isinstance(child, tuple) else child, loader, seen)


def _filled(value: Any) -> Any:
    """Return a JSON value with its variables substituted."""
    if isinstance(value, str):
        return _REFERENCE.sub(_put, value)
    if isinstance(value, list):
        return [_filled(item) for item in value]
    return {name: _filled(item) for name, item in value.items()} if isinstance(value, dict) else value


def _put(reference: re.Match[str]) -> str:
    name, default = reference.groups()
    return os.environ.get(name, default or "") if name else "$"

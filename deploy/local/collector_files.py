"""Check files of the Collector with the real one: what is wrong is a sentence that names file and line.

`python deploy/local/collector_files.py` checks those of `deploy/collector`, each in the combination that its first lines show;
`python deploy/local/collector_files.py FILE...` those files together.
"""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from tools import MissingToolError, tool

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FOLDER = Path(__file__).parents[1] / "collector"
SECTIONS = ("receivers", "processors", "exporters", "connectors", "extensions")
# A command in the first lines of a file, on one line or several.
_COMMAND = re.compile(r"^#   otelcol ((?:.*)(?:\n#     .*)*)", re.MULTILINE)
_FILE = re.compile(r"--config (\S+)")
# What the Collector's own words name: parts and pipelines by their ids, settings that there are not, and values.
_NAMED = re.compile(r"\"([^\"]+)\"|::([\w./-]+)")
_KEYS = re.compile(r"has invalid keys: ([\w.]+)")
_STAMP = re.compile(r"\d{4}/\d\d/\d\d ")
_GENERAL = re.compile(
    r"(failed to get config: )?(cannot unmarshal the configuration: )?decoding failed due to the following error\(s\): *"
)
# What joins the files of deploy/collector, and which of them give it.
_JOINTS = {
    "forward/received": "receive.yaml",
    "forward/clean": "redact.yaml or pass.yaml",
    "forward/kept": "sample.yaml or keep.yaml",
}


def combinations(file: Path) -> list[list[Path]]:
    """Return the files that the first lines of one say to start the Collector with, for each command there."""
    return [
        [file.with_name(name) for name in _FILE.findall(command.replace("\n#", ""))]
        for command in _COMMAND.findall(file.read_text(encoding="utf-8"))
    ]


@functools.cache
def parts() -> dict[str, set[str]]:
    """Return the kinds of parts that the Collector has, by section."""
    printed = subprocess.run([tool("otelcol"), "components"], capture_output=True, text=True, check=True, timeout=60)
    listed = yaml.safe_load(printed.stdout)
    return {section: {part["name"] for part in listed[section]} for section in SECTIONS}


def unknown_parts(file: Path, known: dict[str, set[str]]) -> Iterator[str]:
    """Yield a sentence for each part in a file that the Collector has not got."""
    for section, node in _pairs(yaml.compose(file.read_text(encoding="utf-8"))):
        for key, _ in _pairs(node) if section.value in SECTIONS else ():
            kind = key.value.partition("/")[0]
            if kind in known[section.value]:
                continue
            have = ", ".join(sorted(known[section.value]))
            yield f"{_place(file, key)}: there is no {section.value[:-1]} {kind!r} in this Collector; there are {have}."


def problems(files: Sequence[Path]) -> list[str]:
    """Return what is wrong with files together, a sentence each: of those that are no YAML, of unknown parts, else what the Collector says.

    Args:
        files: of which later ones win.
    """
    found: list[str] = []
    known = parts()
    for file in files:
        try:
            found += unknown_parts(file, known)
        except OSError as error:
            found.append(f"{_shown(file)}: {error.strerror}.")
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            found.append(f"{_shown(file)}:{line}: this is no YAML: {error.problem}.")
    if found:
        return found
    refused = _refusal(files)
    return [f"{_cause(refused, files)}: {refused}."] if refused else []


def _refusal(files: Sequence[Path]) -> str:
    """Return what the Collector writes about files that it does not start with, in one line; nothing if it starts."""
    words = [str(tool("otelcol")), "validate"]
    for file in files:
        words += ["--config", str(file)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    if not done.returncode:
        return ""
    # It says everything twice, the second time with the time before it.
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip() and not _STAMP.match(line)]
    printed = _GENERAL.sub("", " ".join(dict.fromkeys(lines)).removeprefix("Error: ")).rstrip(".: ")
    given = next((files for joint, files in _JOINTS.items() if f'"{joint}" which is not configured' in printed), None)
    return f"{printed}; {given} has it" if given else printed


def _cause(refused: str, files: Sequence[Path]) -> str:
    """Return the place that a refusal is about: the last of the files that sets what it names, and there the line nearest to it."""
    names = [name for found in _NAMED.findall(refused) for name in found if name]
    keys = _KEYS.findall(refused)
    for file in reversed(files):
        for key, value in _entries(file):
            if key.value in names:
                within = _find(value, {*keys, *names} - {key.value})
                if within or not keys:
                    return _place(file, within or key)
    return _shown(files[-1])


def _entries(file: Path) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    """Yield id and value of each part and pipeline that a file sets."""
    for name, section in _pairs(yaml.compose(file.read_text(encoding="utf-8"))):
        if name.value in SECTIONS:
            yield from _pairs(section)
        for inner, pipelines in _pairs(section):
            if name.value == "service" and inner.value == "pipelines":
                yield from _pairs(pipelines)


def _pairs(node: yaml.Node | None) -> list[tuple[Any, Any]]:
    return node.value if isinstance(node, yaml.MappingNode) else []


def _find(node: yaml.Node, names: set[str]) -> yaml.ScalarNode | None:
    """Return the first key or value of one of these names, at any depth."""
    if isinstance(node, yaml.ScalarNode):
        return node if node.value in names else None
    inner = [each for pair in _pairs(node) for each in pair] or (node.value if isinstance(node.value, list) else [])
    return next((found for each in inner if (found := _find(each, names))), None)


def _place(file: Path, key: yaml.ScalarNode) -> str:
    return f"{_shown(file)}:{key.start_mark.line + 1}"


def _shown(file: Path) -> str:
    """Return the name of a file as one would type it."""
    return os.path.relpath(file)


def main(names: Sequence[str]) -> int:
    """Check files; print what is wrong, and return the exit status."""
    if names:
        together = [[Path(name) for name in names]]
    else:
        together = [files for file in sorted(FOLDER.glob("*.yaml")) for files in combinations(file)]
    try:
        found = [problem for files in together for problem in problems(files)]
    except MissingToolError as error:
        found = [str(error)]
    for problem in dict.fromkeys(found):
        print(problem, file=sys.stderr)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

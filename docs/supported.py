"""Write the tables of `supported.md`: `tox -e docs`.

Of all endpoints, from the tables by which calls are followed; of the versions that are tested, from what `tested.py` reads.
"""

from __future__ import annotations

import re
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import opentelemetry_instrumentation_genai as genai
from opentelemetry_instrumentation_genai._adapter.openai_api.endpoints import ENDPOINTS as OPENAI
from opentelemetry_instrumentation_genai._patching.stainless_instrumentor import StainlessInstrumentor
from opentelemetry_instrumentation_genai.anthropic._endpoints import ENDPOINTS as ANTHROPIC
from opentelemetry_instrumentation_genai.ollama._endpoints import ENDPOINTS as OLLAMA
from opentelemetry_instrumentation_genai.sdks.bedrock._endpoints import ENDPOINTS as BEDROCK
from opentelemetry_instrumentation_genai.sdks.google_genai._endpoints import ENDPOINTS as GOOGLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from opentelemetry_instrumentation_genai._adapter.endpoint import Endpoint

tested = SimpleNamespace(**run_path(str(Path(__file__).with_name("tested.py"))))
PAGE = Path(__file__).with_name("supported.md")
BEGIN = "<!-- Made by supported.py beside this page, from the code. -->\n"
VERSIONS = "<!-- Versions by supported.py beside this page, from the locks. -->\n"
RESULTS = "<!-- Results by supported.py beside this page, from what `make test` has left. -->\n"
END = "<!-- As far as that. -->\n"
VERSIONS_HEAD = "| SDK | supported | tested | on Python | in |\n|---|---|---|---|---|\n"
RESULTS_HEAD = "| environment | Python | versions of | last run with these versions |\n|---|---|---|---|\n"
HEAD = "| SDK | request | operation | streamed |\n|---|---|---|---|\n"


def tables() -> Iterator[tuple[str, Mapping[tuple[str, str], Endpoint]]]:
    """The endpoints of each SDK."""
    yield from (("openai", OPENAI), ("anthropic", ANTHROPIC), ("ollama", OLLAMA))
    yield from (("google_genai", GOOGLE), ("bedrock", BEDROCK))
    for name in genai.__all__:
        instrumentor = getattr(genai, name)
        if isinstance(instrumentor, type) and issubclass(instrumentor, StainlessInstrumentor):
            yield instrumentor.sdk, instrumentor()._endpoints()


def rows() -> Iterator[str]:
    """A row for each request."""
    for sdk, endpoints in tables():
        for (method, path), endpoint in endpoints.items():
            first = method.upper() if path.startswith("/") else method.removeprefix("post")
            request = f"{first} {path}".strip()
            streamed = "yes" if endpoint.accumulator is not None else ""
            yield f"| `{sdk}` | `{request}` | `{endpoint.kind.name}` | {streamed} |\n"


def versions() -> Iterator[str]:
    """A row for each version of an SDK that is tested."""
    found: dict[str, dict[str, dict[str, list[str]]]] = {name: {} for name in tested.supported()}
    for one in tested.environments():
        for name, version in one.versions().items():
            pythons = found[name].setdefault(version, {})
            pythons.setdefault(one.python or "that of `make`", []).append(f"`{one.name}`")
    for name, by_version in found.items():
        for version in sorted(by_version, key=_numbers):
            pythons = by_version[version]
            names = ", ".join(name for some in pythons.values() for name in some)
            on = ", ".join(sorted(pythons, key=_numbers))
            yield f"| `{name}` | {tested.supported()[name]} | {version} | {on} | {names} |\n"


def results() -> Iterator[str]:
    """A row for each environment, with what is known of its last run with these versions."""
    known = tested.results()
    for one in tested.environments():
        found = known.get(one.name)
        counts = f"{found['passed']} passed, {found['skipped']} skipped" if found else "not recorded"
        yield f"| `{one.name}` | {found['python'] if found else one.python or ''} | `locks/{one.lock}.txt` | {counts} |\n"


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def page(text: str) -> str:
    """A page with the tables as the code, the locks and the results have them.

    Args:
        text: the page as it is.
    """
    text = _put(text, BEGIN, HEAD + "".join(rows()))
    text = _put(text, VERSIONS, VERSIONS_HEAD + "".join(versions()))
    return _put(text, RESULTS, RESULTS_HEAD + "".join(results()))


def _put(text: str, begin: str, table: str) -> str:
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(END)
    return before + begin + "\n" + table + "\n" + END + after


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

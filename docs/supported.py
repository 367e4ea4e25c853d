"""Write the table of all endpoints into `supported.md`, from the tables by which calls are followed: `tox -e docs`."""

from __future__ import annotations

from pathlib import Path
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

PAGE = Path(__file__).with_name("supported.md")
BEGIN = "<!-- Made by supported.py beside this page, from the code. -->\n"
END = "<!-- As far as that. -->\n"
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


def page(text: str) -> str:
    """A page with the table as the code has it.

    Args:
        text: the page as it is.
    """
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + "\n" + HEAD + "".join(rows()) + "\n" + END + after


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

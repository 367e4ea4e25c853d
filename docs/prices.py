"""Write the table of providers into `cost.md`, with what each has prices by, from the code: `tox -e docs`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import opentelemetry_instrumentation_genai as genai
from opentelemetry_instrumentation_genai._adapter.host_providers import PROVIDERS
from opentelemetry_instrumentation_genai._cost.billed import BILLING
from opentelemetry_instrumentation_genai._cost.price_list import LISTED
from opentelemetry_instrumentation_genai._patching.stainless_instrumentor import StainlessInstrumentor

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).with_name("cost.md")
BEGIN = "<!-- Made by prices.py beside this page, from the code. -->\n"
END = "<!-- As far as that. -->\n"
HEAD = "| provider | SDK of its own | on the public list | bills in its responses |\n|---|---|---|---|\n"
BY_URL = frozenset({"huggingface"})
"""Those that the list has under the URLs of the providers that they route to."""
# Those of SDKs that are not of the family.
_SDKS = {
    "anthropic": "anthropic",
    "aws.bedrock": "bedrock",
    "gcp.gemini": "google_genai",
    "gcp.vertex_ai": "google_genai",
    "ollama": "ollama",
    "openai": "openai",
}


def sdks() -> dict[str, str]:
    """Provider -> the SDK that is its own."""
    instrumentors = (getattr(genai, name) for name in genai.__all__ if name.endswith("Instrumentor"))
    family = (one for one in instrumentors if issubclass(one, StainlessInstrumentor))
    return {**_SDKS, **{one.provider: one.sdk for one in family}}


def rows() -> Iterator[str]:
    """A row for each provider."""
    own = sdks()
    for provider in sorted({*PROVIDERS, *own, *BILLING}):
        sdk = f"`{own[provider]}`" if provider in own else ""
        listed = "yes" if provider in LISTED else "by the URL" if provider in BY_URL else ""
        billed = "yes" if provider in BILLING else ""
        yield f"| `{provider}` | {sdk} | {listed} | {billed} |\n"


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

"""One call for all SDKs that are installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import groq
import openai
import together

from loopback import Json, ModelServer, Telemetry
from loopback.openai_bodies import completion
from opentelemetry_instrumentation_genai import instrument, sdks, uninstrument
from opentelemetry_instrumentation_genai._patching import start_up
from opentelemetry_instrumentation_genai._patching.stainless_instrumentor import StainlessInstrumentor

HI = [{"role": "user", "content": "Hi"}]
MOST_LINES = 60
# Those that need more, with the reason.
LONGER = {
    "letta": "an API like no other: what an agent has thought, done and answered, in messages of seven types",
    "portkey": "its second client is of another family, and has a seam of its own",
}


def test_one_call_instruments_all(server: ModelServer, telemetry: Telemetry) -> None:
    """And one takes all of it back; the keywords are for each."""
    server.reply_always(Json(completion()))

    def call_all() -> list[str]:
        telemetry.clear()
        openai.OpenAI(base_url=server.url, api_key="k").chat.completions.create(model="m", messages=HI)
        groq.Groq(base_url=server.url, api_key="k").chat.completions.create(model="m", messages=HI)
        together.Together(base_url=server.url, api_key="k").chat.completions.create(model="m", messages=HI)
        return [span.attributes["gen_ai.provider.name"] for span in telemetry.spans if span.attributes]

    instrument(**telemetry.providers, capture_message_content="span_only")
    assert call_all() == ["openai", "groq", "together_ai"]
    assert all("gen_ai.input.messages" in (span.attributes or {}) for span in telemetry.spans)
    uninstrument()
    assert call_all() == []


def test_an_sdk_of_the_family_is_a_few_lines() -> None:
    """Its whole code, but for the endpoints that several APIs have in common."""
    instrument()  # imports them
    uninstrument()
    lines = dict.fromkeys((one.sdk for one in StainlessInstrumentor.__subclasses__() if "acme" not in one.sdk), 0)
    for sdk in lines:
        place = Path(sdks.__file__).parent / sdk
        files = [*place.glob("*.py")] or [place.with_suffix(".py")]
        lines[sdk] = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)
    assert len(lines) == 11
    assert {sdk for sdk, count in lines.items() if count > MOST_LINES} == LONGER.keys()


def test_no_sdk_is_imported() -> None:
    """A process that uses none of them does not load them."""
    program = (
        "import sys, opentelemetry_instrumentation_genai as genai; genai.instrument(); "
        "print(sorted({'openai', 'anthropic', 'ollama', 'groq', 'together', 'cerebras.cloud.sdk', 'letta_client'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.strip() == "[]"


def test_the_start_checks_a_distribution_once() -> None:
    """Under `opentelemetry-instrument` all SDKs are instrumented, and afterwards the loader has its own function again."""
    program = (
        "import sys; from opentelemetry.instrumentation.auto_instrumentation import _load; "
        "from opentelemetry_instrumentation_genai import GroqInstrumentor; "
        "print(_load.get_dist_dependency_conflicts.__module__, 'groq' in sys.modules, "
        "GroqInstrumentor().is_instrumented_by_opentelemetry)"
    )
    command = [Path(sys.executable).with_name("opentelemetry-instrument"), sys.executable, "-c", program]
    none = {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")}
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env={**os.environ, **none})
    assert run.stdout.split() == ["opentelemetry.instrumentation.dependencies", "False", "True"]


def test_the_loader_calls_ours_before_and_after() -> None:
    """By the two groups of entry points that it has for that."""
    for when, function in (("pre", "remember_checks"), ("post", "forget_checks")):
        (ours,) = (one for one in entry_points(group=f"opentelemetry_{when}_instrument") if one.name == "genai")
        assert ours.load() is getattr(start_up, function)


def test_programs_that_bundle_an_application_find_the_endpoints() -> None:
    """Modules that are imported by their names stand in an import as well, which such programs follow."""
    folder = Path(sdks.__file__).parent
    found = re.findall(r"from \.(\w+) import _endpoints", (folder / "__init__.py").read_text(encoding="utf-8"))
    instrumentors = [path.with_name("__init__.py") for path in folder.glob("*/_endpoints.py")]
    by_name = [
        path.parent.name for path in instrumentors if "(StainlessInstrumentor)" in path.read_text(encoding="utf-8")
    ]
    assert by_name
    assert sorted(found) == sorted(by_name)

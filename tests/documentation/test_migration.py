"""The page for those who come from another package: its tables are what was observed, and what was observed of ours is true today."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from runpy import run_path

import pytest

from opentelemetry_instrumentation_genai._settings.config import variable
from opentelemetry_instrumentation_genai._settings.readers import READERS

pytestmark = pytest.mark.exhaustive
ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
OBSERVED = json.loads((DOCS / "observed.json").read_text(encoding="utf-8"))
# Settings that are OpenTelemetry's own, or of the SDKs.
STANDARD = {
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_LOGS_EXPORTER",
    "OTEL_METRICS_EXPORTER",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_SERVICE_NAME",
    "OTEL_TRACES_EXPORTER",
    "OPENAI_BASE_URL",
    "OPENAI_API_KEY",
}
VARIABLE = re.compile(r"`([A-Z][A-Z_]+[A-Z])[^`]*`")


def settings():
    """The rows of the table of settings: package, the variables there, those here."""
    text = (DOCS / "migration.md").read_text(encoding="utf-8").partition("## Settings")[2]
    title = ""
    for there, here in re.findall(r"^\| (.*) \| ?(.*) \|$", text, re.MULTILINE):
        if there.startswith("**"):
            title = there.strip("*")
        elif title:
            yield title, VARIABLE.findall(there), VARIABLE.findall(here)


def test_the_tables_are_what_was_observed():
    """They are what `tox -e docs` would write."""
    text = (DOCS / "migration.md").read_text(encoding="utf-8")

    assert text == run_path(str(DOCS / "migration.py"))["page"](text, OBSERVED)


@pytest.mark.process
def test_ours_are_what_was_observed():
    """The same calls give the same names today, with the SDKs that are installed here."""
    program = ROOT / "benchmarks" / "others" / "observe.py"
    packages = run_path(str(program.with_name("packages.py")))
    ours = packages["environment"](packages["PACKAGES"]["ours"], content=True)
    paths = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}

    done = subprocess.run(
        [sys.executable, str(program), "ours"],
        env={**ours, **paths},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert 0 == done.returncode, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    known = OBSERVED["packages"]["ours"]
    assert {name: known[name] for name in found} == found


def test_all_packages_record_a_refused_call_as_an_error():
    """Those that instrument the SDK do."""
    refused = {
        name: [span["status"] for span in one["calls"]["`openai` chat, refused"]]
        for name, one in OBSERVED["packages"].items()
        if name != "llm-otel-kit"
    }

    assert len(refused) > 1
    assert [] == [(name, statuses) for name, statuses in refused.items() if statuses != ["ERROR"]]


def test_each_setting_exists():
    """Those of another package stand in its source, and those here are read by OpenTelemetry or by this package."""
    known = {one["title"]: {*one["variables"], *STANDARD} for one in OBSERVED["packages"].values()}
    ours = {variable(name) for name in READERS} | STANDARD
    rows = list(settings())

    assert {title for title, _, _ in rows} == known.keys() - {"opentelemetry-instrumentation-genai"}
    assert [] == [(title, name) for title, there, _ in rows for name in there if name not in known[title]]
    assert [] == [name for _, _, here in rows for name in here if name not in ours]

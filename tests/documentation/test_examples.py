"""Every example of README and of the pages is complete: it is run as it stands, and all three signals arrive over OTLP."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import pages
from loopback import Hang, Json
from loopback.openai_bodies import completion
from loopback.processes import run

pytestmark = [pytest.mark.exhaustive, pytest.mark.process]
ROOT = Path(__file__).parents[2]
SCOPE = "opentelemetry_instrumentation_genai"
# An application without a line about telemetry.
CALL = """
from openai import OpenAI

OpenAI().chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "translate this into german"}])
"""
ENDPOINT = "http://localhost:4318"
needs_the_package = pytest.mark.skipif(
    importlib.util.find_spec("opentelemetry.configuration") is None,
    reason="opentelemetry-configuration is not installed: it needs a newer OpenTelemetry SDK than this one",
)


def blocks(language):
    """The examples in a language of README and of the pages but those about operations, each with the name of its page as its id."""
    for one in pages.blocks():
        if pages.OPERATIONS.fullmatch(one.page):
            continue
        if one.language == language and (one.page == "README.md" or one.page.startswith("docs/")):
            yield pytest.param(one.text, id=f"{Path(one.page).name}-{one.number}")


def installs():
    """The lines that install something, of all pages."""
    for parameter in blocks("sh"):
        for line in parameter.values[0].splitlines():
            if line.startswith("pip install "):
                yield pytest.param(line, id=f"{parameter.id}-{line.split()[2]}")


@pytest.fixture
def environment(server, receiver):
    """The variables by which an application finds the model server and, with all its signals, the receiver."""
    server.reply_always(Json(completion()))
    ours = "OTEL_INSTRUMENTATION_GENAI_"
    return {
        **receiver.environment(),
        "OPENAI_BASE_URL": f"{server.url}/v1",
        "OPENAI_API_KEY": "none",
        ours + "EMIT_EVENT": "true",
        ours + "USER_ID_KEY": "a secret of this test",
    }


def arrived(receiver):
    """The names of what came of ours, signal by signal."""
    ours = {
        signal: {record[name] for record in getattr(receiver, signal) if record["scope"]["name"] == SCOPE}
        for signal, name in (("spans", "name"), ("metrics", "name"), ("logs", "event_name"))
    }
    ours["metrics"] &= {"gen_ai.client.operation.duration", "gen_ai.client.token.usage"}
    return ours


ALL_SIGNALS = {
    "spans": {"chat gpt-4o-mini"},
    "metrics": {"gen_ai.client.operation.duration", "gen_ai.client.token.usage"},
    "logs": {"gen_ai.client.inference.operation.details"},
}


@pytest.mark.parametrize("text", [*blocks("python")])
def test_python(tmp_path, receiver, environment, text):
    """Each runs without an error, and the calls in the example and after it give spans, metrics and events."""
    if "opentelemetry.configuration" in text:
        pytest.skip("goes with the YAML of its page, and is run with it")
    ways_in = ("initialize()", "MeterProvider(")  # they set OpenTelemetry up themselves

    _, logged = run(tmp_path, text + CALL, instrumented=not any(way in text for way in ways_in), **environment)

    if "MeterProvider(" not in text:  # makes a View, and exports nothing
        found = arrived(receiver)
        # Operations that an example names come in addition.
        named = {"invoke_workflow", "invoke_agent", "execute_tool", "retrieval", "step"}
        added = {name for name in found["spans"] if name.split()[0] in named}
        assert {word for word in named if re.search(rf"[ @]{word}\(", text)} == {name.split()[0] for name in added}
        found["spans"] -= added
        found["logs"] -= {"gen_ai.evaluation.result"} if "record_evaluation(" in text else set()
        assert ALL_SIGNALS == found
    assert [] == [line for line in logged if "genai" in line and "already instrumented" not in line]


@needs_the_package
@pytest.mark.parametrize("text", [*blocks("yaml")])
def test_yaml(tmp_path, receiver, environment, text):
    """Each is a whole file: it is the only configuration of an application, and all of its signals arrive."""
    (tmp_path / "otel.yaml").write_text(text, encoding="utf-8")
    kept = {name: value for name, value in environment.items() if name.startswith("OPENAI")}

    _, logged = run(
        tmp_path, CALL, instrumented=True, OTEL_CONFIG_FILE="otel.yaml", OTLP_ENDPOINT=receiver.http_url, **kept
    )

    assert ALL_SIGNALS == arrived(receiver)
    assert [] == [line for line in logged if "ignoring configurator kwargs" not in line]  # of OpenTelemetry's SDK


@needs_the_package
def test_yaml_applied_in_code(tmp_path, receiver, environment):
    """The example of code beside the whole file is run with that file."""
    (file,) = (one.values[0] for one in blocks("yaml") if one.id.startswith("configuration"))
    (code,) = (one.values[0] for one in blocks("python") if "opentelemetry.configuration" in one.values[0])
    (tmp_path / "otel.yaml").write_text(file, encoding="utf-8")
    kept = {name: value for name, value in environment.items() if name.startswith("OPENAI")}

    run(tmp_path, code + CALL, OTLP_ENDPOINT=receiver.http_url, **kept)

    assert ALL_SIGNALS == arrived(receiver)


@pytest.mark.parametrize("text", [*blocks("json")])
def test_json(tmp_path, receiver, environment, text):
    """The files of rules and of prices are accepted as they stand, and say the purpose of a call and its cost."""
    path = tmp_path / "file.json"
    path.write_text(text, encoding="utf-8")
    if '"prices"' in text:
        settings = {"PRICES": f"file:{path}", "HOST_PROVIDERS": "127.0.0.1=azure.ai.openai"}
    else:
        settings = {"PURPOSE": f"file:{path}", "ENRICHERS": "all"}
    variables = {f"OTEL_INSTRUMENTATION_GENAI_{name}": value for name, value in settings.items()}

    _, logged = run(tmp_path, CALL, instrumented=True, **environment, **variables)

    assert (ALL_SIGNALS, []) == (arrived(receiver), logged)
    (span,) = receiver.spans
    assert {"llm.request.purpose", "gen_ai.usage.cost"} & span["attributes"].keys()
    assert span["attributes"].get("llm.request.purpose", "Translation") == "Translation"


@pytest.mark.skipif(os.name == "nt", reason="the examples are for a POSIX shell")
@pytest.mark.parametrize("text", [one for one in blocks("sh") if "make " not in one.values[0]])
def test_shell(tmp_path, server, receiver, environment, text):
    """Each, but for what it installs, is run by a shell as it stands; where it starts no application, one is started after it."""
    if "=genai-prices" in text:
        server.reply_always(Hang(10, Json(completion())))  # as a slow model does: the prices are loaded meanwhile
    if "OTEL_CONFIG_FILE" in text:
        pytest.skip("goes with the YAML of its page, and is run with it")
    if "HOOK=upload" in text and importlib.util.find_spec("fsspec") is None:
        pytest.skip("uploading needs the extra `upload`")
    start = "opentelemetry-instrument python app.py"
    lines = [line for line in text.splitlines() if not line.startswith("pip install ")]
    script = "\n".join(lines if start in lines else [*lines, start])
    script = script.replace(ENDPOINT, receiver.http_url).replace("gs://bucket/prompts", str(tmp_path / "prompts"))
    (tmp_path / "app.py").write_text(CALL, encoding="utf-8")
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))

    done = subprocess.run(
        ["sh", "-euc", script],
        cwd=tmp_path,
        env={**os.environ, **environment, "PATH": path},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    assert (0, ALL_SIGNALS) == (done.returncode, arrived(receiver)), done.stderr
    assert "opentelemetry-genai" in script or "genai" not in done.stderr  # which the command itself names


@pytest.mark.parametrize("line", [*installs()])
def test_install_lines_name_what_there_is(line):
    """Our distribution is spelled as it is, or is the checkout, and has the extras that are asked for."""
    extras = set(metadata("opentelemetry-instrumentation-genai").get_all("Provides-Extra"))
    quoted = [word.strip("'") for word in line.split()[2:]]
    of_ours = [
        Requirement(word.replace(".[", "opentelemetry-instrumentation-genai[", 1)) for word in quoted if "[" in word
    ]

    assert all("opentelemetry-instrumentation-genai" == one.name and one.extras <= extras for one in of_ours)


def test_the_table_of_attributes_of_metrics(tmp_path, receiver, environment):
    """The page of the signals lists, for each metric that a call has, all of its attributes."""
    rows = re.findall(
        r"^\| (?:all )?(`gen_ai\.[^|]*) \| (?:and )?(`[^|]*) \|$",
        (ROOT / "docs" / "signals.md").read_text(),
        re.MULTILINE,
    )
    listed = {name: set() for name in ALL_SIGNALS["metrics"]}
    for metrics, attributes in rows:
        for name in listed:
            patterns = re.findall(r"`([\w.*]+)`", metrics)
            if any(re.fullmatch(pattern.replace(".", r"\.").replace("*", ".*"), name) for pattern in patterns):
                listed[name] |= set(re.findall(r"`([\w.]+)`", attributes))

    run(tmp_path, CALL, instrumented=True, **environment)

    found = {
        metric["name"]: set().union(*(point["attributes"] for point in metric["points"]))
        for metric in receiver.metrics
        if metric["name"] in listed
    }
    assert listed.keys() == found.keys()
    for name, attributes in found.items():
        assert set() == attributes - listed[name]
        assert {"gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.response.model"} <= attributes

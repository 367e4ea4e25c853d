"""The files of the Collector: the real one takes each, in the combinations that they show, and says where one that is wrong is wrong."""

from __future__ import annotations

import re
import subprocess
import sys

import collector_files
import merged
import pytest
import yaml
from stack import COLLECTOR, DEPLOY

from opentelemetry_instrumentation_genai._conventions import names
from semconv import registry

PROVES = "the real Collector takes every file of deploy/collector; a file that is wrong fails with a sentence that names file and line"

FOLDER = DEPLOY / "collector"
FILES = sorted(FOLDER.glob("*.yaml"))
# Names of credentials, each of which has to come from the environment.
_CREDENTIAL = re.compile(r"(?i)(token|password|authorization|api[_-]key|secret)\w*:")
SENDING = """\
receivers:
  otlp:
    protocols: {grpc: {}}
exporters:
  debug: {}
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [debug]}
"""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_collector_takes_it(file):
    """Each file shows at least one command that has it, and the Collector takes the files of each."""
    shown = collector_files.combinations(file)
    assert any(file in files for files in shown)
    assert [problem for files in shown for problem in collector_files.problems(files)] == []


def test_the_collector_takes_what_the_stack_starts():
    """So does it those of `python deploy/local`, of which one file is not in the folder."""
    assert collector_files.problems(COLLECTOR) == []


def test_all_is_made_of_the_others():
    """`all.yaml` is what the files in it say today."""
    assert (FOLDER / "all.yaml").read_text(encoding="utf-8") == merged.merged(), "python deploy/local/merged.py"


def test_merging_is_that_of_the_collector(tools, tmp_path):
    """What `all.yaml` says is what the Collector makes of the files in it."""

    def effective(files) -> object:
        words = [tools("otelcol"), "print-config"]
        words += [word for file in files for word in ("--config", file)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return yaml.safe_load(done.stdout)

    parts = [FOLDER / f"{part}.yaml" for part in merged.PARTS]
    assert effective([FOLDER / "all.yaml"]) == effective(parts)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_credential_is_in_a_file(file):
    """Tokens and passwords come from the environment, and have no default."""
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        setting = line.partition("#")[0] if line.lstrip().startswith("#") else line
        if _CREDENTIAL.search(setting) and "blocked" not in setting and not setting.lstrip().startswith("-"):
            assert re.search(r"\$\{env:[A-Z_]+\}", setting), (
                f"{file.name}:{number}: a credential that is not of the environment"
            )


@pytest.mark.parametrize("name", ["sample", "span-metrics", "langfuse"])
def test_the_names_are_those_that_are_emitted(name):
    """A policy or a dimension with a name that nobody emits would never match."""
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    known = {attribute for generation in ("v1.41", "latest") for attribute in registry(generation).attributes}
    known |= {value for value in vars(names).values() if isinstance(value, str)}
    # Those of conventions before, which other instrumentations still use.
    known |= {"gen_ai.system", "llm.request.type"}
    used = {*re.findall(r'attributes\["([^"]+)"\]', text), *re.findall(r"(?:- name|key): ([a-z_]+\.[a-z_.]+)", text)}
    assert used
    assert used - known == set()


BROKEN = {
    "an unknown part": (
        SENDING.replace("debug: {}", "debug: {}\nprocessors:\n  redactoin: {}"),
        ":7: there is no processor 'redactoin'",
    ),
    "an unknown setting": (
        SENDING.replace("debug: {}", "debug: {verbosty: basic}"),
        ":5: .*has invalid keys: verbosty",
    ),
    "an unknown value": (
        SENDING.replace("debug: {}", "debug:\n    verbosity: loud"),
        ':6: .*unknown metrics level "loud"',
    ),
    "a part that is not set up": (
        SENDING.replace("exporters: [debug]", "exporters: [debug, file]"),
        ':8: .*references exporter "file"',
    ),
    "no YAML": (SENDING.replace("{}", "{", 1), ":4: this is no YAML"),
    "a wrong statement": (
        SENDING.replace("exporters: [debug]", "processors: [transform], exporters: [debug]")
        + "processors:\n  transform:\n    trace_statements: ['sett(span.name, \"a\")']\n",
        ':10: .*does not support the function "sett"',
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_wrong_names_file_and_line(case, tmp_path):
    """A file that the Collector does not take: one sentence, file and line first, and a failure."""
    text, sentence = BROKEN[case]
    file = tmp_path / "broken.yaml"
    file.write_text(text, encoding="utf-8")
    command = [sys.executable, collector_files.__file__, "broken.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert re.match("broken.yaml" + sentence, line), line


def test_what_is_missing_says_which_file_has_it():
    """A combination without redaction does not start, and says what is missing: nothing leaves by mistake."""
    files = [FOLDER / f"{name}.yaml" for name in ("receive", "keep", "traces", "prometheus", "logs")]
    (problem,) = collector_files.problems(files)
    assert re.search(
        r'\.yaml:\d+: .*"forward/clean" which is not configured; redact.yaml or pass.yaml has it\.$', problem
    )

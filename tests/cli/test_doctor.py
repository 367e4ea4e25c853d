"""What the doctor says of OpenTelemetry, settings, content and SDKs; its output and its exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from opentelemetry_instrumentation_genai._conventions.sdks import INSTRUMENTED
from opentelemetry_instrumentation_genai._runtime.guard import printable
from opentelemetry_instrumentation_genai.cli.commands import program
from opentelemetry_instrumentation_genai.cli.doctor import content, sdks
from opentelemetry_instrumentation_genai.cli.doctor.catalogue import CATALOGUE
from opentelemetry_instrumentation_genai.cli.doctor.finding import Finding, found
from opentelemetry_instrumentation_genai.cli.doctor.installed import requirement_of
from opentelemetry_instrumentation_genai.cli.doctor.report import summary
from opentelemetry_instrumentation_genai.cli.doctor.telemetry import Telemetry

PREFIX = "OTEL_INSTRUMENTATION_GENAI_"
CAPTURE = PREFIX + "CAPTURE_MESSAGE_CONTENT"
has_the_package = pytest.mark.skipif(
    find_spec("opentelemetry.configuration") is None, reason="opentelemetry-configuration is not installed"
)


@pytest.fixture
def set_variables(monkeypatch) -> Callable[..., None]:
    """Sets variables of the environment."""

    def set_variables(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_variables


@pytest.fixture
def telemetry_with(set_variables) -> Callable[..., dict[str, Finding]]:
    """What is found of OpenTelemetry with some variables, by code."""

    def telemetry_with(**variables: str) -> dict[str, Finding]:
        set_variables(**variables)
        return {finding.code: finding for finding in Telemetry().findings}

    return telemetry_with


@pytest.fixture
def content_with(set_variables) -> Callable[..., list[tuple[str, str]]]:
    """What is found of settings and content with some variables: code and sentence."""

    def content_with(*, logs: bool = True, **variables: str) -> list[tuple[str, str]]:
        set_variables(**variables)
        return [(finding.code, finding.what) for finding in content.check(logs=logs)]

    return content_with


class TestOpenTelemetry:
    """The SDK, its exporters and its sampler."""

    def test_without_any_variable(self, telemetry_with):
        """The defaults of the distribution are said, and that the service has no name."""
        findings = telemetry_with()

        assert ["opentelemetry.versions", "exporter.otlp", "service.unnamed"] == list(findings)
        assert f"opentelemetry-sdk {version('opentelemetry-sdk')}," in findings["opentelemetry.versions"].what
        assert "Logs: OTLP by grpc to http://localhost:4317." == findings["exporter.otlp"].what
        assert "export OTEL_SERVICE_NAME=my-app" == findings["service.unnamed"].todo

    @pytest.mark.parametrize(
        "variables", [{"OTEL_SERVICE_NAME": "chat"}, {"OTEL_RESOURCE_ATTRIBUTES": "a=b, service.name=chat"}]
    )
    def test_the_service_has_a_name(self, telemetry_with, variables):
        """By either variable."""
        assert "The service is called chat." == telemetry_with(**variables)["service.name"].what

    @pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"])
    @pytest.mark.parametrize("value", ["http", "http/json", "protobuf"])
    def test_a_protocol_that_is_none(self, telemetry_with, name, value):
        """With it the SDK ends in a traceback when it starts."""
        finding = telemetry_with(**{name: value})["protocol.unknown"]

        assert (
            f"{name}={value} is no protocol of the exporter. The SDK does not start, and nothing is recorded.",
            f"export {name}=http/protobuf (usually port 4318), or grpc (usually port 4317).",
        ) == (finding.what, finding.todo)

    def test_it_is_said_once_for_three_signals(self, set_variables):
        """One variable counts for all of them."""
        set_variables(OTEL_EXPORTER_OTLP_PROTOCOL="http")

        assert ["protocol.unknown"] == [each.code for each in Telemetry().findings if each.level == "problem"]

    def test_an_exporter_that_is_not_installed(self, telemetry_with):
        """The SDK ends in a traceback as well."""
        finding = telemetry_with(OTEL_TRACES_EXPORTER="jaeger")["exporter.unknown"]

        assert finding.what.startswith("OTEL_TRACES_EXPORTER=jaeger: there is no exporter of this name.")
        assert "console" in finding.todo

    def test_no_exporter_at_all(self, telemetry_with):
        """Nothing is exported."""
        none = dict.fromkeys(("OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER"), "none")

        assert "exporter.nothing" in telemetry_with(**none)

    def test_no_exporter_of_one_signal(self, telemetry_with):
        """It is named with its variable."""
        finding = telemetry_with(OTEL_METRICS_EXPORTER="none")["exporter.none"]

        assert "Metrics are not exported: OTEL_METRICS_EXPORTER is none." == finding.what

    def test_switched_off(self, telemetry_with):
        """The SDK is disabled."""
        assert "opentelemetry.disabled" in telemetry_with(OTEL_SDK_DISABLED="true")

    @pytest.mark.parametrize(
        ("sampler", "argument", "code"),
        [
            ("always_off", "", "sampler.off"),
            ("parentbased_always_off", "", "sampler.off"),
            ("traceidratio", "0", "sampler.off"),
            ("parentbased_traceidratio", "0.0", "sampler.off"),
            ("parentbased_traceidratio", "0.25", "sampler.share"),
            ("never", "", "sampler.unknown"),
            ("always_on", "", None),
            ("traceidratio", "1", None),
        ],
    )
    def test_samplers(self, telemetry_with, sampler, argument, code):
        """One that drops everything is a problem."""
        findings = telemetry_with(OTEL_TRACES_SAMPLER=sampler, OTEL_TRACES_SAMPLER_ARG=argument)

        expected = [] if code is None else [code]
        assert expected == [name for name in findings if name.startswith("sampler.")]

    @pytest.mark.parametrize("name", ["OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT"])
    def test_a_limit_that_cuts_content(self, telemetry_with, name):
        """It is named, with its number."""
        finding = telemetry_with(**{name: "256"})["limit.length"]

        assert f"{name}=256 cuts every attribute to 256 characters: messages are shortened to that." == finding.what

    def test_a_limit_of_attributes(self, telemetry_with):
        """Below what a span of ours may have."""
        assert "limit.count" in telemetry_with(OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT="16")

    def test_a_misspelled_variable_of_opentelemetry(self, telemetry_with):
        """The nearest one is said."""
        finding = telemetry_with(OTEL_EXPORTER_OLTP_ENDPOINT="http://x:4318")["variable.misspelled"]

        assert (
            "The environment variable OTEL_EXPORTER_OLTP_ENDPOINT is not known, and has no effect.",
            "Is it OTEL_EXPORTER_OTLP_ENDPOINT?",
        ) == (finding.what, finding.todo)

    @has_the_package
    def test_the_declarative_file(self, telemetry_with, tmp_path):
        """Its exporters count, those of the variables do not."""
        path = tmp_path / "otel.yaml"
        path.write_text("""
file_format: "1.0"
tracer_provider:
  processors:
    - batch: {exporter: {otlp_http: {endpoint: "http://collector:4318/v1/traces", headers: [{name: k, value: v}]}}}
    - simple: {exporter: {console: {}}}
meter_provider:
  readers:
    - periodic: {exporter: {otlp_grpc: {endpoint: "https://collector:4317"}}}
""")
        findings = telemetry_with(OTEL_CONFIG_FILE=str(path), OTEL_TRACES_EXPORTER="nonsense")

        assert ["opentelemetry.versions", "opentelemetry.file", "exporter.otlp", "exporter.other"] == list(findings)
        telemetry = Telemetry()
        assert [
            ("traces", "http/protobuf", "http://collector:4318/v1/traces", False, {"k": "v"}),
            ("metrics", "grpc", "https://collector:4317", True, {}),
        ] == [(each.signal, each.protocol, each.url, each.secure, each.headers) for each in telemetry.targets]
        assert not telemetry.logs

    @has_the_package
    def test_a_declarative_file_that_cannot_be_read(self, telemetry_with, tmp_path):
        """It is said why."""
        finding = telemetry_with(OTEL_CONFIG_FILE=str(tmp_path / "none.yaml"))["opentelemetry.file_broken"]

        assert "cannot be read: No such file or directory." in finding.what


class TestContent:
    """Settings and content, in plain words."""

    def test_by_default_nothing_is_recorded(self, content_with):
        """It is said loudly."""
        assert [
            ("setting.defaults", "All settings of this package have their defaults."),
            ("content.off", "Prompts are NOT recorded, nor are responses."),
        ] == content_with()

    @pytest.mark.parametrize(
        ("mode", "where"),
        [
            ("span_only", "on spans"),
            ("event_only", "in events"),
            ("true", "on spans and in events"),
            ("0.1", "on spans and in events of a share of 0.1 of the traces"),
            ("on_error", "on spans and in events of calls that failed"),
        ],
    )
    def test_where_content_goes(self, content_with, mode, where):
        """And of which calls."""
        assert ("content.on", f"Prompts and responses ARE recorded {where}, without redaction.") in content_with(
            **{CAPTURE: mode}
        )

    def test_what_is_redacted(self, content_with):
        """The rules are named."""
        (sentence,) = [
            what
            for code, what in content_with(**{CAPTURE: "span_only", PREFIX + "REDACT": "email,ip"})
            if code == "content.on"
        ]

        assert "Prompts and responses ARE recorded on spans, after redaction by the rules email, ip." == sentence

    def test_redaction_that_is_not_understood(self, content_with):
        """No content is captured then, although that is set."""
        found_codes = [code for code, _ in content_with(**{CAPTURE: "true", PREFIX + "REDACT": "emails"})]

        assert ["setting.set", "setting.refused", "content.refused"] == found_codes

    def test_events_that_go_nowhere(self, content_with):
        """Content goes to events, and logs are not exported."""
        assert "content.no_logs" in dict(content_with(logs=False, **{CAPTURE: "event_only"}))
        assert "content.events" in dict(content_with(logs=True, **{CAPTURE: "event_only"}))

    def test_a_setting_with_its_source(self, content_with):
        """Value, variable and meaning."""
        assert (
            "setting.set",
            f"stream_usage is inject (environment variable {PREFIX}STREAM_USAGE): whether the usage of streams is requested where the caller does not request it.",
        ) in content_with(**{PREFIX + "STREAM_USAGE": "inject"})

    def test_misspelled_settings(self, content_with):
        """The nearest one; and one that is near none is said to be another's."""
        findings = content_with(**{PREFIX + "CAPTURE_MESAGE_CONTENT": "true", PREFIX + "WHATEVER": "1"})

        assert (
            "variable.misspelled",
            f"The environment variable {PREFIX}CAPTURE_MESAGE_CONTENT is not known, and has no effect.",
        ) in findings
        assert (
            "variable.unknown",
            f"The environment variable {PREFIX}WHATEVER is not one of this package.",
        ) in findings

    def test_settings_of_the_file_that_do_not_exist(self, content_with, tmp_path):
        """The warning that the application would log."""
        path = tmp_path / "otel.json"
        path.write_text('{"instrumentation/development": {"python": {"genai": {"redct": "all"}}}}')

        ((_, what),) = [each for each in content_with(OTEL_CONFIG_FILE=str(path)) if each[0] == "setting.logged"]

        assert what.startswith(
            f"Unknown settings in {path}: instrumentation/development.python.genai: redct. Accepted are:"
        )


OTHERS = "genai_anthropic,genai_openai,genai_bedrock"


@pytest.fixture
def few(monkeypatch) -> None:
    """Only a small SDK is imported, which takes a fraction of the time."""
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", OTHERS)


@pytest.mark.process
class TestSdks:
    """The SDKs that are installed, imported in a process of their own."""

    def test_those_that_are_there_are_instrumented(self):
        """With their versions; the rest is not installed."""
        findings = [finding for finding in sdks.check() if finding.code in ("sdk.instrumented", "sdk.absent")]
        instrumented = [finding.what for finding in findings if finding.code == "sdk.instrumented"]

        for name in ("openai", "anthropic", "ollama"):
            assert f"{name} {version(name)} is instrumented." in instrumented
        absent = findings[-1].what.removeprefix("Not installed: ").removesuffix(".").split(", ")
        assert set(INSTRUMENTED) == {what.split()[0] for what in instrumented} | set(absent)

    def test_an_unsupported_version(self, tmp_path, monkeypatch, few):
        """Both versions are said, and what to install."""
        package(tmp_path / "site-packages", "groq", "3.0.0")
        monkeypatch.syspath_prepend(str(tmp_path / "site-packages"))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site-packages"), prepend=":")

        (finding,) = [each for each in sdks.check() if each.values.get("sdk") == "groq"]

        assert (
            "groq 3.0.0 is installed, supported is >=0.9.0,<2: its calls are not recorded.",
            "pip install 'groq<2,>=0.9.0', or install a version of opentelemetry-instrumentation-genai that supports yours.",
        ) == (finding.what, finding.todo)

    def test_a_version_that_is_too_old_for_our_module(self, tmp_path, monkeypatch, few):
        """What is patched is not there: it is the version that is said, not that."""
        package(tmp_path / "site-packages", "groq", "0.1.0")
        (tmp_path / "site-packages" / "groq" / "_base_client.py").unlink()
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site-packages"), prepend=":")

        (finding,) = [each for each in sdks.check() if each.values.get("sdk") == "groq"]

        assert "groq 0.1.0 is installed, supported is >=0.9.0,<2: its calls are not recorded." == finding.what

    def test_a_file_with_the_name_of_the_sdk(self, tmp_path, monkeypatch):
        """`openai.py` beside the application is imported in its place."""
        (tmp_path / "openai.py").write_text("")
        monkeypatch.chdir(tmp_path)

        (finding,) = [each for each in sdks.check() if each.code == "sdk.shadowed"]

        assert f"`import openai` finds {tmp_path}/openai.py, which is not the SDK." == finding.what

    def test_an_sdk_that_cannot_be_imported(self, tmp_path, monkeypatch, few):
        """What it raised, and that others go on."""
        package(tmp_path / "site-packages", "groq", "1.0.0", "raise SystemExit('broken\\x1b[2J')")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site-packages"), prepend=":")

        findings = {each.values.get("sdk"): each for each in sdks.check()}

        assert (
            r"groq is installed, but groq._base_client cannot be imported: SystemExit: broken\x1b[2J."
            == findings["groq"].what
        )
        assert "sdk.instrumented" == findings["ollama"].code

    @pytest.mark.parametrize(
        ("variable", "value", "why"),
        [
            (PREFIX + "ENABLED", "ollama", "it is not among the enabled ones"),
            (
                "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",
                "x, genai_openai, genai_anthropic, genai_bedrock",
                "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS has genai_openai",
            ),
            ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "*", "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS has *"),
        ],
    )
    def test_disabled(self, monkeypatch, variable, value, why):
        """By either variable."""
        monkeypatch.setenv(variable, value)

        (finding,) = [each for each in sdks.check() if each.values.get("sdk") == "openai"]

        assert f"openai {version('openai')} is installed, and is not instrumented: {why}." == finding.what

    def test_another_instrumentation(self, tmp_path, monkeypatch):
        """It is named with the entry point that switches it off."""
        folder = tmp_path / "their_openai-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: their-openai\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(
            "[opentelemetry_instrumentor]\nopenai = theirs.openai:OpenAIInstrumentor\n"
        )
        monkeypatch.syspath_prepend(str(tmp_path))

        (finding,) = [each for each in sdks.check() if each.code == "sdk.others"]

        assert (
            "openai is also instrumented by their-openai: calls that it reports are left to it, and are not recorded twice."
            == finding.what
        )
        assert "export OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=openai." in finding.todo


def package(folder: Path, name: str, release: str, source: str = "") -> None:
    """A package of the Stainless family, as far as its version goes."""
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text(f"__version__ = {release!r}\n")
    (folder / name / "_version.py").write_text(f"__version__ = {release!r}\n")
    (folder / name / "_base_client.py").write_text(source)
    metadata = folder / f"{name}-{release}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {release}\n")


def test_every_sdk_has_a_requirement():
    """What to install is in the metadata of this package, for each."""
    assert [] == [sdk for sdk in INSTRUMENTED if not requirement_of(sdk)]


class TestOutput:
    """Text, JSON and exit status."""

    @pytest.mark.process
    def test_no_endpoint_and_nothing_listens(self, monkeypatch, few):
        """As a newcomer has it who sets nothing: a problem, and the exit status says so."""
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
        result = CliRunner().invoke(program, ["doctor"])

        assert 1 == result.exit_code
        lines = result.stdout.splitlines()
        assert (
            "  problem  No endpoint is set, so traces, metrics, logs go to localhost:4317 by grpc, where nothing listens. Each export is tried again for 10 s, also when the program ends."
            in lines
        )
        assert "  info     Prompts are NOT recorded, nor are responses." in lines
        assert "1 problem, " == lines[-1][:11]
        assert "\x1b" not in result.stdout

    @pytest.mark.process
    def test_all_is_well(self, set_variables, receiver, few):
        """Exit status 0; as JSON the same findings."""
        set_variables(**receiver.environment(), OTEL_SERVICE_NAME="chat")
        result = CliRunner().invoke(program, ["doctor", "--json"])

        assert 0 == result.exit_code, result.stdout
        printed = json.loads(result.stdout)
        assert printed["summary"].startswith("0 problems, ")
        assert {"section", "code", "level", "what", "todo"} == set(printed["findings"][0])
        assert {
            "section": "Endpoint",
            "code": "endpoint.accepts",
            "level": "ok",
            "what": f"{receiver.http_url} accepts traces, metrics, logs over http/protobuf.",
            "todo": "",
        } in printed["findings"]

    def test_values_are_safe_to_show(self):
        """Neither credentials nor control characters come through, wherever they stand."""
        finding = found("endpoint.status", url="http://user:hunter2@h/\x1b[2J", status="Bearer sk-proj-" + "a1B2" * 12)

        assert "hunter2" not in finding.what
        assert "a1B2a1B2" not in finding.what
        assert printable(finding.what) == finding.what

    @pytest.mark.parametrize("code", CATALOGUE)
    def test_every_finding_says_what_to_do(self, code):
        """A problem or a warning has something to do, or its sentence is a message that says so."""
        row = CATALOGUE[code]

        assert row.level in ("ok", "info", "warning", "problem")
        assert row.todo or row.level in ("ok", "info") or row.what.endswith("}")

    def test_the_summary(self):
        """Counted, in words."""
        several = [found("sdk.none", executable="p"), found("service.unnamed"), found("service.unnamed")]

        assert "1 problem, 2 warnings." == summary(several)
        assert "No problem was found." == summary([])

    @pytest.mark.process
    def test_the_command_imports_no_sdk(self):
        """The process that a user starts stays small, whatever is installed."""
        program_text = (
            "import sys\n"
            "from opentelemetry_instrumentation_genai.cli.doctor import command\n"
            "print(sorted({'openai', 'anthropic', 'ollama', 'botocore', 'httpx'} & sys.modules.keys()))"
        )
        done: Any = subprocess.run([sys.executable, "-c", program_text], capture_output=True, text=True, check=True)

        assert "[]\n" == done.stdout

"""OpenTelemetry's declarative file: what it says counts, as far as nobody says otherwise, and never harms the application."""

from __future__ import annotations

import importlib.util
import json
import logging
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from loopback import Json
from loopback.openai_bodies import CHAT, MODEL, completion
from loopback.processes import run
from opentelemetry_instrumentation_genai import AnthropicInstrumentor, OllamaInstrumentor, OpenAIInstrumentor
from opentelemetry_instrumentation_genai._conventions.sdks import INSTRUMENTED
from opentelemetry_instrumentation_genai._patching.instrumentor import GenAISettings
from opentelemetry_instrumentation_genai._settings.config import Config, shared
from opentelemetry_instrumentation_genai._settings.config_file import _parsed
from opentelemetry_instrumentation_genai._settings.readers import READERS

pytestmark = pytest.mark.exhaustive

OURS = "opentelemetry_instrumentation_genai"
STARTED = " is instrumented; "  # the line that is logged when an SDK is patched
PREFIX = "OTEL_INSTRUMENTATION_GENAI_"
KEY = "instrumentation/development"
INSTRUMENTORS = {"openai": OpenAIInstrumentor, "anthropic": AnthropicInstrumentor, "ollama": OllamaInstrumentor}
has_the_package = pytest.mark.skipif(
    importlib.util.find_spec("opentelemetry.configuration") is None,
    reason="opentelemetry-configuration is not installed: it needs a newer OpenTelemetry SDK than this one",
)


@pytest.fixture(autouse=True)
def start_anew(monkeypatch) -> None:
    """Warnings are logged as if for the first time, nothing is parsed yet, and nothing was handed over."""
    shared.clear()
    monkeypatch.setattr(f"{OURS}._runtime.guard._reported", set())
    _parsed.cache_clear()


@pytest.fixture
def write(tmp_path, monkeypatch) -> Callable[..., str]:
    """Writes a file that `OTEL_CONFIG_FILE` names, and returns its path."""

    def file(text: str | bytes, name: str = "otel.yaml") -> str:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        monkeypatch.setenv("OTEL_CONFIG_FILE", str(path))
        return str(path)

    return file


@pytest.fixture
def declare(write) -> Callable[..., str]:
    """Writes a file with these sections below `python`, and this one about conventions."""

    def file(general: Any = None, **sections: Any) -> str:
        return write(json.dumps({KEY: {"general": general, "python": sections}}))

    return file


@pytest.fixture
def resolved(caplog) -> Callable[..., tuple[Config, list[str]]]:
    """Instruments an SDK, and returns the settings that it has got and what was logged."""

    def instrument(sdk: str = "openai", **keywords: Any) -> tuple[Config, list[str]]:
        caplog.clear()
        with caplog.at_level(logging.INFO, logger=OURS):
            INSTRUMENTORS[sdk]().instrument(**keywords)
            config = INSTRUMENTORS[sdk]()._config
            INSTRUMENTORS[sdk]().uninstrument()
        return config, [
            record.getMessage()
            for record in caplog.records
            if record.name == OURS and STARTED not in record.getMessage()
        ]

    return instrument


def test_in_effect(server, telemetry, openai_client, declare):
    """The SDK of OpenTelemetry set up in code, a file with our section alone says what is captured."""
    declare(genai={"capture_message_content": "span_only"})
    server.reply(Json(completion()))
    OpenAIInstrumentor().instrument(**telemetry.providers)

    openai_client().chat.completions.create(**CHAT)

    assert (
        '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]'
        == (telemetry.span.attributes["gen_ai.input.messages"])
    )


@pytest.mark.parametrize(
    ("keyword", "environment", "own", "shared", "expected"),
    [
        (None, None, None, None, None),
        (None, None, None, "4", 4),
        (None, None, "3", "4", 3),
        (None, "2", "3", "4", 2),
        ("1", "2", "3", "4", 1),
        (None, None, "", "4", 4),
        (None, "", None, "4", 4),
    ],
)
def test_who_wins(monkeypatch, declare, resolved, *, keyword, environment, own, shared, expected):
    """The keyword over the environment, over the provider's section, over that of all; empty is not given."""
    declare(genai={"content_part_budget": shared}, genai_openai={"content_part_budget": own})
    if environment is not None:
        monkeypatch.setenv(PREFIX + "CONTENT_PART_BUDGET", environment)

    config, logged = resolved(content_part_budget=keyword)

    assert (expected, []) == (config.content_part_budget, logged)


def test_a_section_of_one_provider(declare, resolved):
    """Holds for that one alone."""
    declare(genai_anthropic={"stream_usage": "inject"})

    assert {"openai": "off", "anthropic": "inject", "ollama": "off"} == {
        sdk: resolved(sdk)[0].stream_usage for sdk in INSTRUMENTORS
    }


def test_a_wrong_value_does_not_give_way(declare, resolved):
    """A wrong one in the provider's section leaves the default, not what all have."""
    path = declare(genai={"stream_usage": "inject"}, genai_openai={"stream_usage": "perhaps"})

    config, (warning,) = resolved()

    assert "off" == config.stream_usage
    assert warning.startswith(f"{path}: {KEY}.python.genai_openai.stream_usage='perhaps' is not accepted")


# How YAML writes it, the setting, and what it is then.
TYPES = [
    ("emit_event: true", True),
    ("emit_event: no", False),
    ("enabled: [openai, ollama]", frozenset({"openai", "ollama"})),
    ("enabled: {openai: , ollama: }", frozenset({"openai", "ollama"})),
    ("content_budget: 1024", 1024),
    ("content_budget: 1KiB", 1024),
    ("redact_timeout: 2", 2.0),
    ("redact_timeout: 0.5", 0.5),
    ("redact: off", None),
    ("stream_usage: off", "off"),
    ("stream_usage: INJECT", "inject"),
    ("anthropic_native_tracing: off", "off"),
    ("propagate: off", ()),
    ("propagate: [self-hosted, '*.internal']", ("self-hosted", "*.internal")),
    ("host_providers: {'localhost:8000': vllm}", (("localhost:8000", "vllm"),)),
    ("host_providers: ['localhost:8000=vllm']", (("localhost:8000", "vllm"),)),
    ("semconv_stability_opt_in: http,gen_ai_latest_experimental", "gen_ai_latest_experimental"),
]


@pytest.mark.parametrize(("line", "expected"), TYPES, ids=lambda value: value if isinstance(value, str) else "")
def test_types(write, resolved, line, expected):
    """Numbers, booleans, lists and mappings are taken as such, and YAML's own words for `off` as that."""
    write(f"{KEY}:\n  python:\n    genai:\n      {line}")

    config, logged = resolved()

    assert [] == logged
    assert expected == getattr(config, line.partition(":")[0])


@pytest.mark.parametrize("value", [5, [1], {"a": 1}, True])
def test_wrong_types(declare, resolved, value):
    """One warning, and the default."""
    path = declare(genai={"anthropic_native_tracing": value})

    config, (warning,) = resolved()

    assert "replace" == config.anthropic_native_tracing
    assert warning.startswith(f"{path}: {KEY}.python.genai.anthropic_native_tracing={value!r} is not accepted.")


OPT_IN = "gen_ai_latest_experimental"


@pytest.mark.parametrize(
    ("general", "own", "expected"),
    [
        ({"gen_ai": {"semconv": {"experimental": True}}}, None, OPT_IN),
        ({"gen_ai": {"semconv": {"experimental": True, "dual_emit": True}}}, None, f"{OPT_IN}/dup"),
        ({"gen_ai": {"semconv": {"experimental": None, "version": 1}}}, None, "default"),
        ({"gen_ai": {"semconv": {"experimental": False}}, "stability_opt_in_list": OPT_IN}, None, "default"),
        ({"stability_opt_in_list": f"http/dup,{OPT_IN}"}, None, OPT_IN),
        ({"stability_opt_in_list": "http"}, None, "default"),
        ({"stability_opt_in_list": None, "gen_ai": None}, None, "default"),
        ({"gen_ai": {"semconv": {"experimental": True}}}, f"{OPT_IN}/dup", f"{OPT_IN}/dup"),
        ({"gen_ai": {"semconv": {"experimental": True}}}, "http", "default"),
    ],
)
def test_conventions(declare, resolved, general, own, expected):
    """Their generation is also asked for where all instrumentations share it; our own key wins."""
    declare(general, genai={"semconv_stability_opt_in": own})

    config, logged = resolved()

    assert (expected, []) == (config.semconv_stability_opt_in, logged)


@pytest.mark.parametrize("wrong", [{"experimental": "yes"}, {"experimantal": True}, {"version": "1"}])
def test_wrong_conventions(declare, resolved, wrong):
    """One warning, as everywhere."""
    path = declare({"gen_ai": {"semconv": wrong}})

    config, (warning,) = resolved()

    assert "default" == config.semconv_stability_opt_in
    assert warning.startswith(f"{path}: {KEY}.general.gen_ai.semconv={wrong!r} is not accepted.")


@pytest.mark.parametrize(("value", "followed"), [(False, False), (True, True), ("${UNSET}", True)])
def test_enabled(server, telemetry, openai_client, declare, *, value, followed):
    """`enabled: false` leaves that SDK alone."""
    declare(genai_openai={"enabled": value})
    server.reply(Json(completion()))
    OpenAIInstrumentor().instrument(**telemetry.providers)

    openai_client().chat.completions.create(**CHAT)

    assert followed == bool(telemetry.spans)


def test_unknown_settings(declare, resolved):
    """One warning for each section names them and what there is; the rest applies."""
    path = declare(genai={"emit_events": True, "redcat": "all", "emit_event": True}, genai_openai={"emit": True})

    config, logged = resolved()
    again = [line for sdk in ("anthropic", "ollama") for line in resolved(sdk)[1]]

    assert (True, []) == (config.emit_event, again)
    accepted = f"Accepted are: {', '.join(READERS)}."
    assert [
        f"Unknown settings in {path}: {KEY}.python.genai: emit_events, redcat. {accepted}",
        f"Unknown settings in {path}: {KEY}.python.genai_openai: emit. {accepted}",
    ] == logged


def test_an_unknown_section(declare, resolved):
    """One warning names it and what there is; a section of another instrumentation is none of our business."""
    path = declare(genai_opnai={}, requests={"anything": 1}, google_genai={})

    (warning,) = (line for sdk in INSTRUMENTORS for line in resolved(sdk)[1])
    assert warning == (
        f"Unknown section in {path}: {KEY}.python: genai_opnai. "
        f"Accepted are: {', '.join(sorted(['genai', *(f'genai_{name}' for name in INSTRUMENTED)]))}."
    )


# What the file has, how it is called, and the warning.
BROKEN = [
    (f"{KEY}: [\nsk-secret", "otel.yaml", "it is not YAML (line 2, column 10)"),
    (f"{KEY}: *sk-secret", "otel.yaml", "it is not YAML (line 1, column 30)"),
    (f"{KEY}: !sk-secret 1", "otel.yaml", "it is not YAML (line 1, column 30)"),
    ("sk-secret: 2026-99-99", "otel.yaml", "ValueError"),
    ("[" * 5000, "otel.yaml", "RecursionError"),
    (b"\xff\xfesk-secret\xff", "otel.yaml", "UnicodeDecodeError"),
    ('{"sk-secret": ', "otel.json", "it is not JSON (line 1, column 15)"),
    ("sk-secret", "otel.yml", "it is not a mapping"),
    ("", "otel.yaml", "it is not a mapping"),
    (f"{KEY}: sk-secret", "otel.yaml", f"{KEY} is not a mapping"),
    (f"{KEY}: {{python: [sk-secret]}}", "otel.yaml", f"{KEY}.python is not a mapping"),
    (f"{KEY}: {{python: {{genai: sk-secret}}}}", "otel.yaml", f"{KEY}.python.genai is not a mapping"),
    (f"{KEY}: {{general: {{gen_ai: 1}}}}", "otel.yaml", f"{KEY}.general.gen_ai is not a mapping"),
    ("a: sk-secret", "otel.toml", "its name ends in none of .yaml, .yml, .json"),
]


@pytest.mark.parametrize(("text", "name", "why"), BROKEN, ids=range(len(BROKEN)))
def test_a_broken_file(monkeypatch, server, telemetry, openai_client, caplog, *, write, text, name, why):
    """One warning names the variable, the path and what is wrong, and quotes nothing; no call has content."""
    path = write(text, name)
    monkeypatch.setenv(PREFIX + "CAPTURE_MESSAGE_CONTENT", "span_and_event")
    server.reply(Json(completion()))
    for instrumentor in INSTRUMENTORS.values():
        instrumentor().instrument(**telemetry.providers)

    answer = openai_client().chat.completions.create(**CHAT)

    assert "Hello" == answer.choices[0].message.content
    assert f"chat {MODEL}" == telemetry.span.name
    assert [] == [name for name in telemetry.span.attributes if name.endswith(".messages")]
    assert [f"OTEL_CONFIG_FILE={path} cannot be read: {why}. No content is captured."] == [
        record.getMessage() for record in caplog.records if record.name == OURS
    ]


@pytest.mark.parametrize(
    ("path", "why"), [("nowhere.yaml", "No such file or directory"), ("folder.yaml", "Is a directory")]
)
def test_no_file(tmp_path, monkeypatch, resolved, path, why):
    """The same where there is none."""
    (tmp_path / "folder.yaml").mkdir()
    monkeypatch.setenv("OTEL_CONFIG_FILE", str(tmp_path / path))

    config, logged = resolved()

    assert config.refused
    assert [f"OTEL_CONFIG_FILE={tmp_path / path} cannot be read: {why}. No content is captured."] == logged


def test_without_pyyaml(monkeypatch, write, resolved):
    """The message says what to install; a file in JSON needs nothing."""
    monkeypatch.setitem(__import__("sys").modules, "yaml", None)

    path = write(f"{KEY}: {{python: {{genai: {{emit_event: true}}}}}}")
    config, (warning,) = resolved()
    assert (None, True) == (config.emit_event, config.refused)
    assert warning.startswith(f"OTEL_CONFIG_FILE={path} cannot be read: PyYAML is not installed.")
    assert "Install opentelemetry-configuration" in warning

    write(json.dumps({KEY: {"python": {"genai": {"emit_event": True}}}}), "otel.json")
    config, logged = resolved()
    assert (True, False, []) == (config.emit_event, config.refused, logged)


@pytest.mark.parametrize("text", [f"{KEY}:", f"{KEY}: {{python:}}", f"{KEY}: {{python: {{genai:}}}}", "a: b"])
def test_nothing_of_ours(write, resolved, text):
    """A file that says nothing of us changes nothing."""
    write(text)

    assert (Config(), []) == resolved()


def test_parsed_once(declare, resolved):
    """For all three instrumentors; again when the file or the environment has changed."""
    for sdk in INSTRUMENTORS:
        declare(genai={"content_budget": "${BUDGET:-1}"}) if sdk == "openai" else None
        resolved(sdk)
    assert 1 == _parsed.cache_info().misses

    declare(genai={"content_budget": "${BUDGET:-12}"})
    assert 12 == resolved()[0].content_budget


def test_read_each_time(monkeypatch, declare, resolved):
    """At each `instrument()` with the environment of then."""
    declare(genai={"content_budget": "${BUDGET:-1}"})
    assert 1 == resolved()[0].content_budget

    monkeypatch.setenv("BUDGET", "2")
    assert 2 == resolved()[0].content_budget


# What stands in the file, as YAML and in JSON, and what it is, with SET=7, EMPTY= and REFERENCE=${SET}.
REFERENCES = [
    ("${SET}", 7, "7"),
    ('"${SET}"', "7", None),
    ("x${SET}", "x7", "x7"),
    ("${SET}${SET}", "77", "77"),
    ("${UNSET}", None, ""),
    ("${UNSET:-5}", 5, "5"),
    ("${UNSET:-}", None, ""),
    ("${UNSET:-a:-b}", "a:-b", "a:-b"),
    ("${EMPTY:-5}", None, ""),
    ("$${SET}", "${SET}", "${SET}"),
    ("$$${SET}", "$7", "$7"),
    ("${REFERENCE}", "${SET}", "${SET}"),
    ("${SET-5}", "${SET-5}", "${SET-5}"),
    ("${SE T}", "${SE T}", "${SE T}"),
    ("$SET", "$SET", "$SET"),
    ("[a, '${SET}', {b: '${SET}'}]", ["a", "7", {"b": "7"}], None),
    ("{a: &a '$${SET}', b: *a}", {"a": "${SET}", "b": "${SET}"}, None),
    ("{'${SET}': 1}", {"${SET}": 1}, None),
]


@pytest.fixture
def references(monkeypatch) -> None:
    """The variables of the table."""
    for name, value in {"SET": "7", "EMPTY": "", "REFERENCE": "${SET}"}.items():
        monkeypatch.setenv(name, value)


def value_in(path: str) -> Any:
    """What a file says, as we read it."""
    return _parsed(path, 0)[KEY]["python"]["other"]["value"]


@pytest.mark.parametrize(("reference", "in_yaml", "in_json"), REFERENCES)
def test_references(references, write, reference, in_yaml, in_json):
    """Variables are put in after parsing, and what stands alone and unquoted in YAML gets its type then."""
    assert in_yaml == value_in(write(block(reference)))
    if in_json is not None:
        text = json.dumps({KEY: {"python": {"other": {"value": reference}}}})
        assert in_json == value_in(write(text, "otel.json"))


@has_the_package
@pytest.mark.parametrize("reference", [row[0] for row in REFERENCES])
@pytest.mark.parametrize("name", ["otel.yaml", "otel.json"])
def test_references_as_the_sdk_has_them(references, write, reference, name):
    """The package that the SDK reads the file with understands it the same way."""
    from opentelemetry.configuration import load_config_file

    text = block(reference)
    if name.endswith("json"):
        text = json.dumps({"file_format": "1.0", KEY: {"python": {"other": {"value": reference}}}})
    path = write(text, name)

    assert load_config_file(path).instrumentation_development.python["other"]["value"] == value_in(path)


def block(reference: str) -> str:
    """A file that has it as a value."""
    return f"file_format: '1.0'\n{KEY}:\n  python:\n    other:\n      value: {reference}\n"


def test_aliases(write, resolved):
    """Anchors, aliases and merged keys are YAML's; a mapping that holds itself is no harm."""
    write(
        f"""
self: &self {{self: *self}}
{KEY}:
  python:
    genai_openai: &ours {{emit_event: true, content_budget: 5}}
    genai_anthropic: *ours
    genai_ollama:
      <<: *ours
      content_budget: 6
"""
    )

    assert [(True, 5), (True, 5), (True, 6)] == [
        (config.emit_event, config.content_budget) for config in (resolved(sdk)[0] for sdk in INSTRUMENTORS)
    ]


@pytest.mark.process
def test_without_a_file_nothing_is_imported(tmp_path):
    """Neither the reader of files nor what it needs."""
    program = """
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

OpenAIInstrumentor().instrument()
import sys

print(*sorted({"opentelemetry_instrumentation_genai._settings.config_file", "yaml", "opentelemetry.configuration"} & sys.modules.keys()))
"""
    assert ([""], []) == run(tmp_path, program)


APP = f"""
from openai import OpenAI

client = OpenAI(max_retries=0)
print(client.chat.completions.create(model="{MODEL}", messages=[dict(role="user", content="Hi")]).choices[0].message.content)
"""
FILE = """
file_format: "1.0"
tracer_provider:
  processors:
    - simple:
        exporter:
          otlp_http:
            endpoint: ${RECEIVER}/v1/traces
instrumentation/development:
  python:
    genai:
      capture_message_content: ${CAPTURE}
      host_providers: {127.0.0.1: vllm}
    genai_openai:
      host_providers: {127.0.0.1: litellm}
"""


@pytest.fixture
def replies(server) -> dict[str, str]:
    """The model server answers a call; an application finds it by these variables."""
    server.reply(Json(completion()))
    return {"OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": "none"}


def exported_calls(receiver) -> list[tuple[Any, ...]]:
    """What arrived of ours: provider and output."""
    spans = [span["attributes"] for span in receiver.spans if span["scope"]["name"] == OURS]
    return [(span["gen_ai.provider.name"], span.get("gen_ai.output.messages")) for span in spans]


HELLO = '[{"role":"assistant","parts":[{"type":"text","content":"Hello"}],"finish_reason":"stop"}]'


@pytest.mark.process
@has_the_package
@pytest.mark.parametrize(
    ("environment", "expected"),
    [({}, ("litellm", HELLO)), ({PREFIX + "HOST_PROVIDERS": "127.0.0.1=ollama"}, ("ollama", HELLO))],
    ids=["the file", "the environment over it"],
)
def test_zero_code(tmp_path, write, replies, receiver, *, environment, expected):
    """Under `opentelemetry-instrument` one file sets up the SDK and ours, and nothing is logged twice or in vain."""
    path = write(FILE)
    environment |= {"OTEL_CONFIG_FILE": path, "RECEIVER": receiver.http_url, "CAPTURE": "span_only"}

    printed, logged = run(tmp_path, APP, instrumented=True, **environment, **replies)

    assert ["Hello"] == printed
    # Which the SDK says of `opentelemetry-instrument` itself.
    assert [] == [
        line for line in logged if "ignoring configurator kwargs: ['auto_instrumentation_version']" not in line
    ]
    assert [expected] == exported_calls(receiver)


@pytest.mark.process
@has_the_package
def test_switched_off_by_the_file(tmp_path, write, replies, receiver):
    """`enabled: false`, which keeps the SDK from starting it, keeps `opentelemetry-instrument` from it as well."""
    path = write(FILE + "      enabled: false\n")

    run(tmp_path, APP, instrumented=True, RECEIVER=receiver.http_url, OTEL_CONFIG_FILE=path, CAPTURE="true", **replies)

    assert [] == exported_calls(receiver)


@pytest.mark.process
@has_the_package
@pytest.mark.parametrize(
    ("environment", "expected"),
    [({}, HELLO), ({PREFIX + "CAPTURE_MESSAGE_CONTENT": "no_content"}, None)],
    ids=["the file", "the environment over it"],
)
def test_loaded_in_code(tmp_path, write, monkeypatch, replies, receiver, *, environment, expected):
    """What the application loads and applies by itself needs no variable; the environment wins over it as well."""
    path = write(FILE)
    monkeypatch.delenv("OTEL_CONFIG_FILE")
    first = f"from opentelemetry import configuration as c; c.configure_sdk(c.load_config_file({path!r}))"
    environment |= {"RECEIVER": receiver.http_url, "CAPTURE": "span_only"}

    assert (["Hello"], []) == run(tmp_path, first + APP, **environment, **replies)

    assert [("litellm", expected)] == exported_calls(receiver)


def test_handed_over(caplog, resolved):
    """What the SDK hands over counts where the variable names no file, and a wrong value is logged as elsewhere."""
    GenAISettings().instrument(declared={"emit_event": True, "stream_usage": "inject"})

    config, (warning,) = resolved(declared={"stream_usage": "maybe"})
    other, _ = resolved("anthropic")
    GenAISettings().uninstrument()
    forgotten, _ = resolved("anthropic")

    assert (True, "off") == (config.emit_event, config.stream_usage)
    assert (True, "inject") == (other.emit_event, other.stream_usage)
    assert Config() == forgotten
    assert warning == (
        f"the configuration file: {KEY}.python.genai_openai.stream_usage='maybe' is not accepted. "
        "Accepted is: off, inject. For openai the default applies: off."
    )


def test_the_entry_point_of_all_providers():
    """`genai` is what the SDK finds by the section's name, and it instruments nothing."""
    (found,) = entry_points(group="opentelemetry_instrumentor", name="genai")

    assert GenAISettings is found.load()
    found.load()().instrument(skip_dep_check=True)
    assert [None] * 3 == [instrumentor()._config for instrumentor in INSTRUMENTORS.values()]


EMAIL = "joe@example.com"


def test_the_section_of_all_after_that_of_one(server, telemetry, openai_client):
    """Whatever its place in the file, `genai` counts: what it wants redacted is, and what the other section says stays."""
    client = openai_client()  # so the SDK is imported, and patched at once
    OpenAIInstrumentor().instrument(**telemetry.providers, declared={"capture_message_content": "span_only"})
    GenAISettings().instrument(declared={"redact": ["email"], "capture_message_content": "no_content"})
    server.reply(Json(completion(EMAIL)))

    client.chat.completions.create(**{**CHAT, "messages": [{"role": "user", "content": EMAIL}]})

    attributes = telemetry.span.attributes
    assert "[email]" in attributes["gen_ai.input.messages"]
    assert "[email]" in attributes["gen_ai.output.messages"]
    assert EMAIL not in str(dict(attributes))


def test_who_wins_over_a_section_that_comes_later(monkeypatch):
    """Keywords and the environment of what runs already; what does not run is not started, and an end is one."""
    monkeypatch.setenv(PREFIX + "STREAM_USAGE", "inject")
    OpenAIInstrumentor().instrument(content_budget=5)
    given = {"content_budget": 6, "content_part_budget": 7, "stream_usage": "off"}
    GenAISettings().instrument(declared=given)

    config = OpenAIInstrumentor()._config
    assert (5, 7, "inject") == (config.content_budget, config.content_part_budget, config.stream_usage)
    assert AnthropicInstrumentor()._config is None
    OpenAIInstrumentor().uninstrument()
    GenAISettings().instrument(declared=given)
    assert OpenAIInstrumentor()._config is None


def test_a_variable_counts_whatever_is_handed_over(declare):
    """Nothing starts again for a section that does not count."""
    declare(genai={"content_budget": 5})
    OpenAIInstrumentor().instrument()
    before = OpenAIInstrumentor()._config

    GenAISettings().instrument(declared={"content_budget": 6})

    assert before is OpenAIInstrumentor()._config


@pytest.mark.parametrize(("first", "expected"), [(False, 1), (True, 0)], ids=["nothing runs", "one runs"])
def test_a_section_that_starts_nothing(caplog, first, expected):
    """One line of information says what does, where nothing runs."""
    if first:
        OpenAIInstrumentor().instrument()
    with caplog.at_level(logging.INFO, logger=OURS):
        GenAISettings().instrument(declared={"emit_event": True})

    logged = [record for record in caplog.records if record.name == OURS and STARTED not in record.getMessage()]
    assert [(logging.INFO, True)] * expected == [
        (line.levelno, "genai_openai: {}" in line.getMessage()) for line in logged
    ]


@pytest.mark.process
@has_the_package
def test_in_any_order_in_code(tmp_path, write, monkeypatch, replies, receiver):
    """A file that is applied in code has `genai` last, with what is redacted."""
    path = write(
        FILE.partition("    genai:")[0] + "    genai_openai: {capture_message_content: span_only}\n"
        "    genai: {redact: [email]}\n"
    )
    monkeypatch.delenv("OTEL_CONFIG_FILE")
    first = f"from opentelemetry import configuration as c; c.configure_sdk(c.load_config_file({path!r}))"

    run(tmp_path, first + APP.replace('"Hi"', f'"{EMAIL}"'), RECEIVER=receiver.http_url, **replies)

    (span,) = [span["attributes"] for span in receiver.spans if span["scope"]["name"] == OURS]
    assert '[{"role":"user","parts":[{"type":"text","content":"[email]"}]}]' == span["gen_ai.input.messages"]


@pytest.mark.process
@has_the_package
@pytest.mark.parametrize("braces", [True, False])
def test_the_file_of_the_page(tmp_path, monkeypatch, replies, receiver, braces):
    """The page's own file instruments OpenAI where it is applied in code; without the braces the SDK refuses it."""
    page = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
    text = page.partition("```yaml\n")[2].partition("```")[0]
    assert "genai_openai: {}" in text
    path = tmp_path / "page.yaml"
    path.write_text(text if braces else text.replace("genai_openai: {}", "genai_openai:"))
    first = f"""
from opentelemetry import configuration as c
try:
    c.configure_sdk(c.load_config_file({str(path)!r}))
except Exception as error:
    print(type(error).__name__)
"""

    printed, _ = run(tmp_path, first + APP, OTLP_ENDPOINT=receiver.http_url, **replies)

    assert ([] if braces else ["ConfigurationError"]) + ["Hello"] == printed
    assert ([("openai", HELLO)] if braces else []) == exported_calls(receiver)


def test_names_that_are_keys(declare, resolved):
    """A key that stands where a name should is not logged."""
    key = "sk-proj-" + "a1B2" * 10
    declare(genai={key: 1}, **{f"genai_{key}": {}})

    logged = resolved(**{key: 1})[1]

    assert 3 == len(logged)
    assert [] == [line for line in logged if key in line or "[secrets]" not in line]

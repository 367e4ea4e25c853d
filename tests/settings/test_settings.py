"""Every setting, spelled as a variable, as a keyword and in the declarative file: what it does, and what becomes of a value that is wrong."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from loopback import Json, Sse
from loopback.openai_bodies import CHAT, MODEL, chunks, completion
from opentelemetry_instrumentation_genai import AnthropicInstrumentor, OpenAIInstrumentor
from opentelemetry_instrumentation_genai._conventions.sdks import INSTRUMENTED
from opentelemetry_instrumentation_genai._settings.config import Config, variable
from opentelemetry_instrumentation_genai._settings.readers import READERS

OURS = "opentelemetry_instrumentation_genai"
PREFIX = "OTEL_INSTRUMENTATION_GENAI_"
STARTED = " is instrumented; "  # the line that is logged when an SDK is patched
INPUT, OUTPUT = "gen_ai.input.messages", "gen_ai.output.messages"
DETAILS = "gen_ai.client.inference.operation.details"
MESSAGES = {
    INPUT: [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}],
    OUTPUT: [{"role": "assistant", "parts": [{"type": "text", "content": "Hello"}], "finish_reason": "stop"}],
}


@pytest.fixture(autouse=True)
def warn_again(monkeypatch) -> None:
    """Warnings that are logged once per process are logged again."""
    monkeypatch.setattr(f"{OURS}._runtime.guard._reported", set())


@pytest.fixture
def called(server, telemetry, openai_client, caplog) -> Callable[..., list[str]]:
    """Instruments with these keywords, makes a call and returns what was logged; the telemetry is that of this call."""

    def call(**keywords: Any) -> list[str]:
        telemetry.clear()
        caplog.clear()
        server.reply(Json(completion()))
        with caplog.at_level(logging.INFO, logger=OURS):
            OpenAIInstrumentor().instrument(**telemetry.providers, **keywords)
            answer = openai_client().chat.completions.create(**CHAT)
            OpenAIInstrumentor().uninstrument()
        assert "Hello" == answer.choices[0].message.content
        return [
            record.getMessage()
            for record in caplog.records
            if record.name == OURS and STARTED not in record.getMessage()
        ]

    return call


@pytest.fixture(params=["variable", "keyword", "file"])
def way(request) -> str:
    """How a setting is spelled."""
    return request.param


@pytest.fixture
def config_file(tmp_path) -> str:
    """The path of the declarative file."""
    return str(tmp_path / "otel.yaml")


@pytest.fixture
def spelled(way, monkeypatch, config_file, called) -> Callable[[str, str], list[str]]:
    """Makes a call with a setting spelled each way."""

    def call(name: str, value: str) -> list[str]:
        if way == "keyword":
            return called(**{name: value})
        if way == "variable":
            monkeypatch.setenv(variable(name), value)
            return called()
        text = json.dumps({"instrumentation/development": {"python": {"genai": {name: value}}}})
        Path(config_file).write_text(text, encoding="utf-8")
        monkeypatch.setenv("OTEL_CONFIG_FILE", config_file)
        return called()

    return call


@pytest.fixture
def where(way, config_file) -> Callable[[str], str]:
    """How a warning calls the place where a setting was spelled."""

    def place(name: str) -> str:
        section = f"{config_file}: instrumentation/development.python.genai"
        return {"keyword": name, "variable": variable(name), "file": f"{section}.{name}"}[way]

    return place


def content(telemetry) -> tuple[Any, Any]:
    """The messages on the span, and those in the event; None where there is no event."""
    on_span = {name: json.loads(value) for name, value in telemetry.span.attributes.items() if name in MESSAGES}
    events = [event for event in telemetry.events if event.event_name == DETAILS]
    assert len(events) <= 1
    if not events:
        return on_span, None
    return on_span, {name: value for name, value in plain(events[0].attributes).items() if name in MESSAGES}


def plain(value: Any) -> Any:
    """Lists and dicts, whatever the SDK made of them."""
    if hasattr(value, "items"):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


# What the mode puts on the span, and into the event.
MODES = {
    "no_content": ({}, None),
    "span_only": (MESSAGES, None),
    "event_only": ({}, MESSAGES),
    "span_and_event": (MESSAGES, MESSAGES),
    "true": (MESSAGES, MESSAGES),
    "false": ({}, None),
}


@pytest.mark.parametrize(
    "mode", [*MODES, "NO_CONTENT", "Span_Only", "EVENT_ONLY", "Span_And_Event", "True", " span_only "]
)
def test_capture_modes(spelled, telemetry, mode):
    """Each mode, in any case, puts content where it says and nowhere else."""
    assert [] == spelled("capture_message_content", mode)

    assert MODES[mode.strip().lower()] == content(telemetry)


@pytest.mark.parametrize("mode", [True, False])
def test_capture_by_a_bool(called, telemetry, mode):
    """A keyword may be a bool."""
    assert [] == called(capture_message_content=mode)

    assert MODES[str(mode).lower()] == content(telemetry)


def test_nothing_is_captured_by_default(called, telemetry):
    """Without any setting there is neither content nor an event."""
    assert [] == called()

    assert ({}, None) == content(telemetry)
    assert [] == telemetry.logs


@pytest.mark.parametrize("mode", MODES)
def test_no_event_if_it_is_switched_off(called, telemetry, mode):
    """`emit_event=False` wins over a mode with events; what the mode puts on the span stays."""
    called(capture_message_content=mode, emit_event=False)

    assert (MODES[mode][0], None) == content(telemetry)


@pytest.mark.parametrize("mode", ["no_content", "span_only"])
def test_an_event_without_content(called, telemetry, mode):
    """`emit_event=True` with a mode without events emits an event that has the span's attributes and no content."""
    called(capture_message_content=mode, emit_event=True)

    assert (MODES[mode][0], {}) == content(telemetry)
    (event,) = telemetry.events
    without = {name: value for name, value in telemetry.span.attributes.items() if name not in MESSAGES}
    assert plain(without) == plain(event.attributes)


@pytest.mark.parametrize(("value", "events"), [("true", 1), ("TRUE", 1), ("false", 0), ("False", 0)])
def test_emit_event(spelled, telemetry, value, events):
    """In any case of letters."""
    assert [] == spelled("emit_event", value)

    assert events == len(telemetry.events)


def test_the_keyword_wins(monkeypatch, called, telemetry):
    """Over the variable, also where it only says what the default is."""
    monkeypatch.setenv(PREFIX + "CAPTURE_MESSAGE_CONTENT", "span_and_event")
    monkeypatch.setenv(PREFIX + "EMIT_EVENT", "true")

    called(capture_message_content="no_content", emit_event=False)

    assert ({}, None) == content(telemetry)


def test_a_keyword_of_none_is_not_given(monkeypatch, called, telemetry):
    """The variable applies then."""
    monkeypatch.setenv(PREFIX + "CAPTURE_MESSAGE_CONTENT", "span_only")

    assert [] == called(capture_message_content=None, emit_event=None, enabled=None)

    assert (MESSAGES, None) == content(telemetry)


def test_the_environment_is_read_each_time(monkeypatch, called, telemetry):
    """At each `instrument()`, and what an earlier one was given is forgotten."""
    called(capture_message_content="span_and_event", emit_event=True)
    monkeypatch.setenv(PREFIX + "CAPTURE_MESSAGE_CONTENT", "span_only")
    called()
    assert (MESSAGES, None) == content(telemetry)

    monkeypatch.delenv(PREFIX + "CAPTURE_MESSAGE_CONTENT")
    called()
    assert ({}, None) == content(telemetry)


@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_variable_is_not_set(monkeypatch, called, telemetry, value):
    """As everywhere in OpenTelemetry."""
    for name in ("CAPTURE_MESSAGE_CONTENT", "EMIT_EVENT", "ENABLED", "HOST_PROVIDERS", "PER_CHUNK_METRIC"):
        monkeypatch.setenv(PREFIX + name, value)

    assert [] == called()

    assert ({}, None) == content(telemetry)


# setting, value, what the warning says is accepted
WRONG = [
    ("capture_message_content", "1.5", ["share", "0 to 1"]),
    ("capture_binary", "some", ["true", "false"]),
    ("content_budget", "-1", ["bytes", "64KiB"]),
    ("content_part_budget", "1 GB", ["bytes", "64KiB"]),
    ("metric_attributes", "a b", ["off", "tags", "baggage"]),
    ("metric_attribute_values", "0", ["whole number"]),
    ("redact", "everything", ["off", "all", "email", "no content"]),
    ("redactor", "nobody.has.it", ["callable", "entry point", "no content"]),
    ("redact_timeout", "3601", ["seconds", "3600"]),
    ("stream_usage", "ask", ["off", "inject"]),
    ("anthropic_native_tracing", "both", ["replace", "enrich", "off"]),
    ("propagate", "yes", ["off", "self-hosted", "HOST"]),
    ("propagate_baggage", "all", ["true", "false"]),
    ("semconv_stability_opt_in", "gen_ai_newest", ["gen_ai_latest_experimental"]),
    ("capture_message_content", "everything", ["no_content", "span_only", "event_only", "span_and_event"]),
    ("emit_event", "maybe", ["true", "false"]),
    ("enabled", "opnai", ["openai", "anthropic", "ollama"]),
    ("host_providers", "nonsense", ["HOST", "PROVIDER"]),
    ("host_providers", "a=", ["HOST", "PROVIDER"]),
    ("host_providers", "=vllm", ["HOST", "PROVIDER"]),
    ("host_providers", "localhost=vllm,nonsense", ["HOST", "PROVIDER"]),
    ("host_providers", "http://localhost:8000=vllm", ["HOST", "PROVIDER"]),
    ("host_providers", "localhost:8000/v1=vllm", ["HOST", "PROVIDER"]),
    ("host_providers", "localhost:x=vllm", ["HOST", "PROVIDER"]),
    ("propagate", "http://localhost", ["off", "self-hosted", "HOST"]),
    ("per_chunk_metric", "2", ["true", "false"]),
    ("allow_others", "?", ["true", "false"]),
    ("metrics", "all", ["standard", "extended"]),
    ("prices", "genai", ["off", "billed", "genai-prices", "file:PATH"]),
    ("prices", "off,billed", ["off", "billed", "genai-prices", "file:PATH"]),
    ("user_id", "hashed", ["pseudo", "raw"]),
    ("baggage", "*", ["off", "KEY", "KEY=ATTRIBUTE"]),
    (
        "enrichers",
        "sentiment",
        ["off", "all", "conversation.fingerprint", "gen_ai.conversation.first", "llm.request.purpose"],
    ),
    ("purpose", "file:", ["file:PATH", "callable", "MODULE:FUNCTION"]),
    ("request_hook", "no function", ["callable", "MODULE:FUNCTION"]),
    ("response_hook", "no function", ["callable", "MODULE:FUNCTION"]),
    ("completion_hook", "nobody.has.it", ["off", "callable", "entry point"]),
    ("completion_hook_queue_size", "0", ["whole number"]),
    ("completion_hook_flush_timeout", "-1", ["seconds"]),
    ("upload_format", "xml", ["json", "jsonl"]),
    ("prices", "file:", ["off", "billed", "genai-prices", "file:PATH"]),
]


# Settings of which no value is logged, each with a wrong one.
SECRET = {"user_id_key": "hunter2", "upload_base_path": "memory://user:hunter2@host/x"}
KEY = "sk-proj-" + "a1B2" * 10


ODD = [
    ("completion_hook_queue_size", float("inf")),
    ("redact_timeout", 10**400),
    ("content_budget", object()),
    ("purpose", json.loads("[" * 500 + "]" * 500)),
    ("capture_message_content", 10**400),
]


@pytest.mark.parametrize(("name", "value"), ODD, ids=[name for name, _ in ODD])
def test_an_odd_value(called, telemetry, name, value):
    """Whatever a keyword is given, the application starts, and its calls are recorded."""
    (warning,) = called(**{name: value})

    assert warning.startswith(f"{name}=")
    assert "is not accepted" in warning
    assert "gpt-4o" in telemetry.span.name


@pytest.fixture
def concerned(way: str) -> str:
    """The SDK that the warning names, the way the setting is spelled."""
    return "openai" if way == "keyword" else "all SDKs"


def otherwise(name: str) -> str:
    """What is done in place of a wrong value: as the page of the settings has the default."""
    if READERS[name].refuses:
        return "no content is captured"
    page = Path(__file__).parents[2].joinpath("docs", "configuration.md").read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if line.startswith(f"| `{name}`<br>"))
    return f"the default applies: {row.rsplit('|', 2)[1].strip(' `')}"


def test_every_setting_has_a_wrong_value():
    """None is left out of these tests: what is a field of `Config` can be spelled, except what follows from others."""
    assert set(READERS) == {name for name, _, _ in WRONG} | set(SECRET)
    assert {"refused"} == {setting.name for setting in fields(Config)} - set(READERS)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong[0]}={wrong[1]}")
def test_a_wrong_value(spelled, where, telemetry, concerned, wrong):
    """Exactly one warning says where it was set, to what, what is accepted, and which default applies to which SDK."""
    name, value, accepted = wrong
    (warning,) = spelled(name, value)

    assert warning.startswith(f"{where(name)}={value!r} is not accepted")
    assert [] == [word for word in accepted if word not in warning]
    assert warning.endswith(f"Accepted is: {READERS[name].accepted}. For {concerned} {otherwise(name)}.")
    assert ({}, None) == content(telemetry)
    assert "openai" == telemetry.span.attributes["gen_ai.provider.name"]


@pytest.mark.parametrize("name", SECRET)
def test_a_secret_is_not_logged(spelled, where, concerned, name):
    """A warning about a secret says where it stands and what is accepted, and not what it is."""
    (warning,) = spelled(name, SECRET[name])

    assert warning == (
        f"{where(name)} is not accepted as it is. Accepted is: {READERS[name].accepted}. "
        f"For {concerned} {otherwise(name)}."
    )
    assert "hunter2" not in warning


@pytest.mark.parametrize("name", READERS)
def test_a_key_in_a_wrong_place_is_not_logged(spelled, name):
    """Whichever setting a key was meant for or not, no warning quotes it."""
    assert [] == [line for line in spelled(name, KEY) if KEY in line]


@pytest.mark.parametrize("name", ["capture_message_content", "redact", "redactor", "enabled", "completion_hook"])
def test_a_key_is_masked(spelled, name):
    """What is left says where it stands, that there was one, and what is accepted."""
    (warning,) = spelled(name, f"{KEY},openai" if name == "enabled" else KEY)

    assert "'[secrets]'" in warning
    assert READERS[name].accepted in warning


@pytest.mark.parametrize(
    "place",
    [
        "ftp://user:hun/ter2@host/x",
        "ftp://:hunter2@host/x",
        "ftp://user:2121@host/x",
        "simplecache::ftp://user:hunter2@host/x",
        f"https://{KEY}@host/x",
        f"https://host/x?token={KEY}",
        KEY,
    ],
)
def test_a_place_with_a_secret_in_it(called, place):
    """Is not accepted: spans would refer to it."""
    (warning,) = called(upload_base_path=place)

    assert warning.startswith("upload_base_path is not accepted as it is. Accepted is: ")
    assert [] == [secret for secret in ("hunter2", "hun/ter2", "2121", KEY) if secret in warning]


@pytest.mark.parametrize(
    "place",
    [
        "abfs://prompts@account.dfs.core.windows.net/x",
        "gs://hf-prompts-2024/pk-2024-10-uploads",
        "ftp://host:2121/joe@example.com",
        "file:///c:/x@y",
        "memory://x",
        "/x/0123456789abcdef0123456789abcdef",
        "prompts",
    ],
)
def test_a_place_without_a_secret_in_it(called, place):
    """Containers, ports, and names that look like keys, are none."""
    assert [] == called(upload_base_path=place)


def test_a_key_among_providers_is_not_logged(called):
    """Nor beside what is accepted, in any case of letters."""
    (warning,) = called(enabled=f"openai,{KEY},AIzaSyPlanted-0123_456789-abcdefgh")[:1]

    assert warning == (
        "enabled: '[secrets], [secrets]' is not accepted, and is left out for openai. "
        f"Accepted is: true, false, or a comma-separated list of {', '.join(INSTRUMENTED)}."
    )


@pytest.mark.parametrize(
    ("value", "quoted"),
    [("postgres://me:planted@host/x", "'postgres://me:[secrets]@host/x'"), ({"key": KEY}, "{'key': '[secrets]'}")],
)
def test_a_password_in_a_wrong_value_is_not_logged(called, value, quoted):
    """Of a URL, say, or within a mapping."""
    (warning,) = called(stream_usage=value)

    assert warning.startswith(f"stream_usage={quoted} is not accepted.")


def test_a_value_that_cannot_say_what_it_is(called):
    """It is logged by its type, and `instrument()` does not fail."""

    class Mute:
        def __repr__(self) -> str:
            raise RuntimeError("not me")

        __str__ = __repr__

    (warning,) = called(content_budget=Mute())

    assert warning.startswith("content_budget=Mute is not accepted.")


MISSPELLED = {
    "CAPTURE_MESSAGE_CONTNET": "CAPTURE_MESSAGE_CONTENT",
    "CAPTURE_CONTENT": "CAPTURE_MESSAGE_CONTENT",
    "REDCAT": "REDACT",
    "REDACT_TIMOUT": "REDACT_TIMEOUT",
    "PRICE": "PRICES",
    "HOST_PROVIDER": "HOST_PROVIDERS",
    "STREAM-USAGE": "STREAM_USAGE",
    "emit_event": "EMIT_EVENT",
    "USER_KEY": "USER_ID_KEY",
}


@pytest.mark.parametrize(("name", "meant"), MISSPELLED.items())
def test_a_misspelled_variable(called, monkeypatch, name, meant):
    """One warning names it and what is nearest, and not its value; of several SDKs together it is still one."""
    monkeypatch.setenv(PREFIX + name, KEY)

    logged = called()
    AnthropicInstrumentor().instrument()

    assert [
        f"The environment variable {PREFIX}{name} is not known, and has no effect. Is it {PREFIX}{meant}?"
    ] == logged
    assert [] == called()


@pytest.mark.parametrize(
    "name",
    [
        *map(variable, READERS),
        *(
            PREFIX + word
            for word in (
                "UPLOAD_MAX_QUEUE_SIZE",
                "EMITTERS",
                "EMITTERS_SPAN",
                "EVALS_CONCURRENT",
                "EVALS_QUEUE_SIZE",
                "EVALUATION_ENABLE",
                "SESSION_PROPAGATION",
                "OPENAI_CAPTURE_MESSAGE_CONTENT",
                "CAPTURE_MESSAGE_CONTENT_MODE",
                "SOMETHING_ELSE",
            )
        ),
        "OTEL_INSTRUMENTATION_OPENAI_CAPTURE_MESSAGE_CONTENT",
        "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS",
    ],
)
def test_a_variable_that_somebody_reads(called, monkeypatch, name):
    """Ours, those of the ecosystem and of others, and those that are near to none: the name is not logged."""
    monkeypatch.setenv(name, "")

    assert [] == called()


def test_off_stands_alone(called):
    """Whoever asks for a rule beside it is not understood, and a warning says why."""
    (warning,) = called(redact="off,email")

    assert warning.startswith("redact='off,email' is not accepted (off cannot be combined with others). ")


def test_secrets_are_not_shown():
    """Nor does the settings' own representation tell them."""
    assert [] == [setting.name for setting in fields(Config) if setting.repr and _is_secret(setting.name)]


def _is_secret(name: str) -> bool:
    return name in READERS and READERS[name].secret


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("capture_message_content", 5),
        ("capture_message_content", ["span_only"]),
        ("emit_event", object()),
        ("enabled", 5),
        ("enabled", [None]),
        ("host_providers", 5),
        ("host_providers", [("a", "b", "c")]),
        ("host_providers", {"a": None}),
        ("per_chunk_metric", b"true"),
    ],
)
def test_a_keyword_of_a_wrong_type(called, telemetry, name, value):
    """The same: one warning that names it."""
    (warning,) = called(**{name: value})

    assert warning.startswith(name)
    assert f"chat {MODEL}" == telemetry.span.name


def test_a_wrong_value_is_logged_once(monkeypatch, called):
    """Not again at the next `instrument()`."""
    monkeypatch.setenv(PREFIX + "EMIT_EVENT", "maybe")

    assert [1, 0] == [len(called()), len(called())]


def test_a_wrong_keyword_does_not_give_way_to_the_variable(monkeypatch, called, telemetry):
    """Who spelled it wrong in code gets the default, which is the safe one, not what else was found."""
    monkeypatch.setenv(PREFIX + "CAPTURE_MESSAGE_CONTENT", "span_and_event")

    assert 1 == len(called(capture_message_content="of course not"))

    assert ({}, None) == content(telemetry)


def test_an_unknown_keyword(called, telemetry):
    """One warning names it and what there is; the rest applies."""
    (warning,) = called(capture_content=True, capture_message_content="span_only")

    assert "capture_content" in warning
    assert [] == [name for name in ("capture_message_content", "emit_event", "enabled") if name not in warning]
    assert (MESSAGES, None) == content(telemetry)


@pytest.mark.parametrize(
    ("value", "followed"),
    [
        ("openai", True),
        ("OPENAI", True),
        ("openai , anthropic", True),
        ("anthropic,ollama", False),
        ("Anthropic", False),
        ("openai,", True),
        ("true", True),
        ("False", False),
    ],
)
def test_enabled(spelled, telemetry, value, followed):
    """The SDK is followed if it is named, in any case, with blanks or without; otherwise one line says that it is not."""
    logged = spelled("enabled", value)

    not_followed = ["openai is not instrumented: it is not among the enabled providers."]
    assert ([] if followed else not_followed) == logged
    assert followed == bool(telemetry.spans)


@pytest.mark.parametrize(
    ("value", "followed"),
    [
        (["openai"], True),
        ({"anthropic"}, False),
        (("OpenAI", "ollama"), True),
        ([], False),
        (True, True),
        (False, False),
    ],
)
def test_enabled_as_a_collection(called, telemetry, value, followed):
    """A keyword may be a list, a tuple or a set, of which an empty one enables nothing, or a bool."""
    called(enabled=value)

    assert followed == bool(telemetry.spans)


def test_one_unknown_provider_among_known_ones(spelled, telemetry):
    """It is left out with one warning that names it; the others apply."""
    (warning,) = spelled("enabled", "openai,opnai")

    assert "'opnai'" in warning
    assert "openai, anthropic, ollama" in warning
    assert f"chat {MODEL}" == telemetry.span.name


def test_enabled_by_keyword_where_the_environment_disables(monkeypatch, called, telemetry):
    """The keyword wins here as well."""
    monkeypatch.setenv(PREFIX + "ENABLED", "anthropic")

    assert [] == called(enabled="openai")

    assert f"chat {MODEL}" == telemetry.span.name


def test_instrumented_after_it_was_disabled(called, telemetry):
    """Keywords of one `instrument()` do not hold for the next."""
    called(enabled="anthropic")
    assert [] == telemetry.spans

    called()
    assert f"chat {MODEL}" == telemetry.span.name


@pytest.mark.parametrize(("setting", "recorded"), [(True, 2), ("true", 2), (False, None), ("FALSE", None)])
def test_per_chunk_metric(server, telemetry, openai_client, setting, recorded):
    """Switched off, there is no time per output chunk; the time to the first one stays."""
    server.reply(Sse(chunks("Hel", "lo")))
    OpenAIInstrumentor().instrument(**telemetry.providers, per_chunk_metric=setting)

    list(openai_client().chat.completions.create(**CHAT, stream=True))

    per_chunk = telemetry.metrics.get("gen_ai.client.operation.time_per_output_chunk")
    assert recorded == (per_chunk and sum(point.count for point in per_chunk))
    assert 1 == telemetry.metrics["gen_ai.client.operation.time_to_first_chunk"][0].count


@pytest.mark.parametrize(
    ("declared", "provider"),
    [
        ("127.0.0.1=vllm", "vllm"),
        ("127.0.0.1:{port}=vllm", "vllm"),
        ("127.0.0.1:1=vllm", "openai"),
        ("127.*=vllm", "vllm"),
        ("127.*:{port}=vllm", "vllm"),
        ("*:{port}=vllm", "vllm"),
        ("*=litellm", "litellm"),
        ("localhost=vllm, 127.0.0.1=litellm", "litellm"),
        ("127.*=first,127.0.0.1=second", "first"),
        (" 127.0.0.1 = vllm ", "vllm"),
        ("127.0.0.1=vllm,", "vllm"),
        ("localhost=vllm", "openai"),
    ],
)
def test_host_providers(spelled, server, telemetry, declared, provider):
    """A host, with a port or without, with a wildcard or without, is what it was declared; the first match wins."""
    assert [] == spelled("host_providers", declared.format(port=server.port))

    assert provider == telemetry.span.attributes["gen_ai.provider.name"]
    (point,) = telemetry.metrics["gen_ai.client.operation.duration"]
    assert provider == point.attributes["gen_ai.provider.name"]


def test_host_providers_as_a_mapping(called, telemetry):
    """A keyword may be a dict."""
    assert [] == called(host_providers={"127.0.0.1": "vllm"})

    assert "vllm" == telemetry.span.attributes["gen_ai.provider.name"]

"""The generations of the conventions: how one is chosen, and the whole telemetry of a call in each."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import external_file
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from conventions_page import with_tables
from loopback import Json, Sse, Telemetry
from loopback.openai_bodies import CHAT, chunk, chunks, completion
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

OURS = "opentelemetry_instrumentation_genai"
STARTED = " is instrumented; "  # the line that is logged when an SDK is patched
SNAPSHOTS = Path(__file__).parent / "snapshots"
VARIABLE, KEYWORD = "OTEL_SEMCONV_STABILITY_OPT_IN", "semconv_stability_opt_in"
LATEST, DUP = "gen_ai_latest_experimental", "gen_ai_latest_experimental/dup"
OLD, NEW = "gen_ai.client.operation.duration", "gen_ai.client.inference.duration"
# Choice -> the durations that a chat has then.
DURATIONS = {"default": {OLD}, LATEST: {NEW}, DUP: {OLD, NEW}}
FILES = {"default": "default", LATEST: "latest", DUP: "dup"}
USAGE = {"prompt_tokens": 30, "completion_tokens": 12, "total_tokens": 42}


@pytest.fixture(autouse=True)
def warn_again(monkeypatch) -> None:
    """Warnings that are logged once per process are logged again."""
    monkeypatch.setattr(f"{OURS}._runtime.guard._reported", set())


@pytest.fixture
def chosen(server, telemetry, openai_client, caplog) -> Callable[..., tuple[str, list[str]]]:
    """Makes a call; returns the generation that its telemetry is of, and what was logged."""

    def call(**keywords: Any) -> tuple[str, list[str]]:
        telemetry.clear()
        caplog.clear()
        server.reply(Json(completion()))
        with caplog.at_level(logging.INFO, logger=OURS):
            OpenAIInstrumentor().instrument(**telemetry.providers, **keywords)
            openai_client().chat.completions.create(**CHAT)
            OpenAIInstrumentor().uninstrument()
        durations = {name for name in telemetry.metrics if name.endswith(".duration")}
        (generation,) = [name for name, measured in DURATIONS.items() if measured == durations]
        return generation, [
            record.getMessage()
            for record in caplog.records
            if record.name == OURS and STARTED not in record.getMessage()
        ]

    return call


@pytest.fixture(params=["variable", "keyword"])
def spelled(request, monkeypatch, chosen) -> Callable[[str], tuple[str, list[str]]]:
    """Makes a call with the generation spelled either way."""

    def call(value: str) -> tuple[str, list[str]]:
        if request.param == "keyword":
            return chosen(**{KEYWORD: value})
        monkeypatch.setenv(VARIABLE, value)
        return chosen()

    return call


LISTS = {
    "": "default",
    " , ": "default",
    "http": "default",
    "http/dup,database": "default",
    LATEST: LATEST,
    DUP: DUP,
    f"http,{LATEST}": LATEST,
    f"{LATEST},http/dup": LATEST,
    f" http , {LATEST} ,": LATEST,
    LATEST.upper(): LATEST,
    f"database/dup,{DUP}": DUP,
    f"{LATEST},{DUP}": DUP,
    f"{DUP},{LATEST}": DUP,
}


@pytest.mark.parametrize("value", LISTS)
def test_a_list_in_which_each_domain_has_its_own_words(spelled, value):
    """Those of other domains are not ours to judge; `dup` wins over the one without, whatever the order."""
    assert (LISTS[value], []) == spelled(value)


@pytest.mark.parametrize(
    "value", ["gen_ai", "gen_ai/dup", "gen_ai_latest", "gen-ai-latest-experimental", f"http,{LATEST}/both", "GenAI"]
)
def test_a_word_for_this_domain_that_there_is_not(spelled, request, value):
    """One warning names the setting, the value and what is accepted; the default applies."""
    generation, (warning,) = spelled(value)

    assert "default" == generation
    where = KEYWORD if "keyword" in request.node.name else VARIABLE
    assert (
        f"{where}={value!r} is not accepted. Accepted is: {LATEST}, {DUP}, and values of other domains."
        f" For {'openai' if where == KEYWORD else 'all SDKs'} the default applies: default." == warning
    )


def test_a_wrong_word_beside_a_right_one(spelled):
    """Who means two things at once gets the default, as with any other wrong value."""
    generation, warnings = spelled(f"{LATEST},gen_ai/dup")

    assert ("default", 1) == (generation, len(warnings))


@pytest.mark.parametrize("value", [5, b"gen_ai", [None], True])
def test_a_keyword_of_a_wrong_type(chosen, value):
    """The same."""
    generation, (warning,) = chosen(**{KEYWORD: value})

    assert "default" == generation
    assert warning.startswith(f"{KEYWORD}={value!r} is not accepted.")


@pytest.mark.parametrize("value", [["http", LATEST], (LATEST,), {LATEST}])
def test_a_keyword_may_be_a_collection(chosen, value):
    """Of the same words."""
    assert (LATEST, []) == chosen(**{KEYWORD: value})


def test_the_keyword_wins(monkeypatch, chosen):
    """Over the variable, also where it asks for the default; the variable is read at each `instrument()`."""
    monkeypatch.setenv(VARIABLE, LATEST)

    assert [DUP, "default", LATEST] == [chosen(**{KEYWORD: value})[0] for value in (DUP, "default", None)]


def _chat(client: Any, server: Any) -> None:
    server.reply(Json(completion()))
    client.chat.completions.create(**CHAT)


def _chat_streamed(client: Any, server: Any) -> None:
    server.reply(Sse([*chunks("Hel", "lo"), chunk(choices=[], usage=USAGE)]))
    list(client.chat.completions.create(**CHAT, stream=True, stream_options={"include_usage": True}))


def _embeddings(client: Any, server: Any) -> None:
    entry = {"object": "embedding", "index": 0, "embedding": [0.5]}
    usage = {"prompt_tokens": 2, "total_tokens": 2}
    server.reply(Json({"object": "list", "model": "e-1", "data": [entry], "usage": usage}))
    client.embeddings.create(model="e", input="Hi", encoding_format="float")


CALLS = {"chat": _chat, "chat streamed": _chat_streamed, "embeddings": _embeddings}


@pytest.mark.parametrize("generation", DURATIONS)
@pytest.mark.parametrize("call", CALLS)
def test_the_whole_telemetry_of_a_call(server, telemetry, openai_client, call, generation):
    """Span, metrics and event, with names and types of values. `pytest --inline-snapshot=create,fix` writes the files anew."""
    OpenAIInstrumentor().instrument(
        **telemetry.providers, **{KEYWORD: generation}, capture_message_content="span_and_event"
    )

    CALLS[call](openai_client(), server)

    name = f"{call.replace(' ', '_')}.{FILES[generation]}.json"
    assert external_file(SNAPSHOTS / "generations" / name) == telemetry.snapshot()


# Details of the usage -> the series of input tokens, and those of output tokens.
MODALITIES = {
    "none": ({}, {"unknown": 30}, {"unknown": 12}),
    "all of it": (
        {
            "prompt_tokens_details": {"text_tokens": 10, "image_tokens": 15, "audio_tokens": 5},
            "completion_tokens_details": {"text_tokens": 4, "audio_tokens": 8},
        },
        {"text": 10, "image": 15, "audio": 5},
        {"text": 4, "audio": 8},
    ),
    "a part of it": (
        {"prompt_tokens_details": {"audio_tokens": 5}, "completion_tokens_details": {"audio_tokens": 0}},
        {"audio": 5, "unknown": 25},
        {"unknown": 12},
    ),
    "more than there is": (
        {"prompt_tokens_details": {"text_tokens": 30, "audio_tokens": 5}},
        {"unknown": 30},
        {"unknown": 12},
    ),
}


@pytest.mark.parametrize("details", MODALITIES)
def test_tokens_by_their_modality(server, telemetry, openai_client, details):
    """The series of a counter come to the total; what nobody says the modality of is `unknown`."""
    counted, read, written = MODALITIES[details]
    server.reply(Json({**completion(), "usage": {**USAGE, **counted}}))
    OpenAIInstrumentor().instrument(**telemetry.providers, **{KEYWORD: LATEST})

    openai_client().chat.completions.create(**CHAT)

    assert [read, written] == [_modalities(telemetry, kind) for kind in ("input_tokens", "output_tokens")]


def _modalities(telemetry: Any, kind: str) -> dict[str, int]:
    points = telemetry.metrics[f"gen_ai.client.inference.usage.{kind}"]
    return {point.attributes["gen_ai.token.modality"]: point.value for point in points}


def test_tokens_that_are_not_there_are_not_counted(server, telemetry, openai_client):
    """No usage, no series; nor one of a cache that nothing was read from."""
    OpenAIInstrumentor().instrument(**telemetry.providers, **{KEYWORD: LATEST})
    client = openai_client()
    server.reply(
        Json({**completion(), "usage": None}),
        Json({**completion(), "usage": {**USAGE, "prompt_tokens_details": {"cached_tokens": 0}}}),
    )

    client.chat.completions.create(**CHAT)
    assert {NEW} == set(telemetry.metrics)

    client.chat.completions.create(**CHAT)
    counters = {name for name in telemetry.metrics if ".usage." in name}
    assert {f"gen_ai.client.inference.usage.{kind}_tokens" for kind in ("input", "output")} == counters


def test_metrics_need_no_span(server, telemetry, openai_client):
    """Where no span is sampled, what only the metrics of a generation need is read all the same."""
    dropped = Telemetry(ALWAYS_OFF)
    usage = {**USAGE, "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 5}}
    recorded = []
    for there in (telemetry, dropped):
        server.reply(Json({**completion(), "usage": usage}))
        OpenAIInstrumentor().instrument(**there.providers, **{KEYWORD: LATEST})
        openai_client().chat.completions.create(**CHAT)
        OpenAIInstrumentor().uninstrument()
        recorded.append({name: [point.attributes for point in points] for name, points in there.metrics.items()})
    dropped.shutdown()

    assert [] == dropped.spans
    assert recorded[0] == recorded[1]
    assert "gen_ai.client.inference.usage.cache_read.input_tokens" in recorded[1]


def test_the_page_of_the_conventions_is_true():
    """Its tables are what the code says. `pytest --inline-snapshot=fix` writes them anew."""
    page = Path(__file__).parents[2] / "docs" / "conventions.md"

    assert external_file(page, format=".txt") == with_tables(page.read_text(encoding="utf-8"))

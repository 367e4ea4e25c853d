"""Latency and streaming: how long people wait, and for what."""

from __future__ import annotations

from style import limits
from style.board import Board
from style.limits import Limits
from style.panels import COUNT, Column, Query, heat, numbers, rows, series
from style.queries import CALLS, DURATION, FIRST_CHUNK, PER_CHUNK, RANGE, growth, quantile, ratio, tokens, total

SECONDS = limits.DURATION
FIRST = limits.FIRST_CHUNK
CHUNK = Limits(0.1, 0.25)
SERVER_FIRST = ("gen_ai_server_time_to_first_token_seconds",)
SERVER_TOKEN = ("gen_ai_server_time_per_output_token_seconds",)
SERVER = ("gen_ai_server_request_duration_seconds",)
THROUGHPUT = ("llm_token_throughput_per_second",)
MODEL = "gen_ai_request_model"
_BY_MODEL = "{{gen_ai_request_model}}"


def board() -> Board:
    """Return the board."""
    made = Board("latency", "Latency and streaming", "How long do people wait, and for what?")
    made.row(
        "Now",
        numbers("p50", "Half of the calls took no longer.", "s", quantile(0.5, DURATION), limits=SECONDS),
        numbers("p95", "One call in twenty took longer.", "s", quantile(0.95, DURATION), limits=SECONDS),
        numbers(
            "First chunk, p50",
            "How long half of the streams took, at most, to their first chunk.",
            "s",
            quantile(0.5, FIRST_CHUNK),
            limits=FIRST,
        ),
        numbers(
            "First chunk, p95",
            "How long one stream in twenty took, at least, to its first chunk.",
            "s",
            quantile(0.95, FIRST_CHUNK),
            limits=FIRST,
        ),
        numbers(
            "Chunk, p95",
            "The time between two chunks, which one in twenty exceeds.",
            "s",
            quantile(0.95, PER_CHUNK),
            limits=CHUNK,
        ),
        numbers(
            "Speed of a call",
            "The mean of each call's tokens of output by its seconds. Needs METRICS=extended.",
            "si:tok/s",
            ratio(total(growth(THROUGHPUT, "sum")), total(growth(THROUGHPUT, "count"))),
            limits=Limits(20, 10, falling=True),
        ),
    )
    made.row(
        "Whole calls",
        heat(
            "Durations",
            "How many calls took how long; the darker, the more. Points are exemplars, with their traces.",
            "s",
            f"sum by (le) {growth(DURATION, 'bucket')}",
        ),
        series(
            "Duration by model, p95",
            "One call in twenty took longer, the reading of its stream included.",
            "s",
            [Query(quantile(0.95, DURATION, MODEL), _BY_MODEL, exemplars=True)],
            limits=SECONDS,
        ),
    )
    made.row(
        "Streams",
        series(
            "Time to the first chunk, p95",
            "From the request to the first chunk that the SDK gives to the application.",
            "s",
            [Query(quantile(0.95, FIRST_CHUNK, MODEL), _BY_MODEL, exemplars=True)],
            limits=FIRST,
            width=8,
        ),
        series(
            "Time per chunk, p95",
            "The time from one chunk to the next; a chunk may have more than one token.",
            "s",
            [Query(quantile(0.95, PER_CHUNK, MODEL), _BY_MODEL)],
            limits=CHUNK,
            width=8,
        ),
        series(
            "Chunks",
            "Chunks that arrive in a second, all streams together.",
            "si:chunks/s",
            [Query(total(growth(PER_CHUNK, "count"), MODEL), _BY_MODEL)],
            stacked=True,
            width=8,
        ),
    )
    made.row(
        "Throughput",
        series(
            "Tokens of output",
            "Tokens that arrive in a second, all calls together.",
            "si:tok/s",
            [Query(total(tokens("output"), MODEL), _BY_MODEL)],
            stacked=True,
            width=8,
        ),
        series(
            "Speed of a call, p50",
            "Tokens of output by the seconds of the whole call, of successful calls. Needs METRICS=extended.",
            "si:tok/s",
            [Query(quantile(0.5, THROUGHPUT, MODEL), _BY_MODEL)],
            width=8,
        ),
        series(
            "Calls under way",
            "Calls that have started and not ended, the reading of their streams included. Needs METRICS=extended.",
            "short",
            [Query(f"sum by ({MODEL}) (llm_request_active{{{CALLS}}})", _BY_MODEL)],
            stacked=True,
            width=8,
        ),
    )
    made.row(
        "What the servers say themselves",
        series(
            "Time to the first token on the server, p95",
            "By the server's own clock: Ollama, llama.cpp, Bedrock, Groq, Cerebras and SambaNova report it. What is between this and the "
            "first chunk is network, queue and SDK.",
            "s",
            [Query(quantile(0.95, SERVER_FIRST, MODEL), _BY_MODEL)],
            limits=FIRST,
            width=8,
        ),
        series(
            "Time per token on the server, p95",
            "By the server's own clock.",
            "s",
            [Query(quantile(0.95, SERVER_TOKEN, MODEL), _BY_MODEL)],
            limits=CHUNK,
            width=8,
        ),
        series(
            "Requests on the server, p95",
            "By the server's own clock.",
            "s",
            [Query(quantile(0.95, SERVER, MODEL), _BY_MODEL)],
            limits=SECONDS,
            width=8,
        ),
    )
    calls = total(
        growth(DURATION, "count", over=RANGE), "gen_ai_provider_name, gen_ai_request_model, gen_ai_operation_name"
    )
    by = "gen_ai_provider_name, gen_ai_request_model, gen_ai_operation_name"
    made.row(
        "By model",
        rows(
            "Latency by provider, model and operation",
            "The chosen range.",
            {"gen_ai_provider_name": "Provider", "gen_ai_request_model": "Model", "gen_ai_operation_name": "Operation"},
            [
                Column("Requests", calls, COUNT),
                Column("p50", quantile(0.5, DURATION, by, over=RANGE), "s", SECONDS),
                Column("p95", quantile(0.95, DURATION, by, over=RANGE), "s", SECONDS),
                Column("p99", quantile(0.99, DURATION, by, over=RANGE), "s", SECONDS),
                Column("First chunk, p95", quantile(0.95, FIRST_CHUNK, by, over=RANGE), "s", FIRST),
                Column("Per chunk, p95", quantile(0.95, PER_CHUNK, by, over=RANGE), "s", CHUNK),
            ],
        ),
    )
    return made

"""Model server: what vLLM does, and what that takes of the GPUs."""

from __future__ import annotations

from style import limits
from style.board import Board
from style.limits import Limits
from style.panels import COUNT, Column, Query, bars, numbers, rows, series, sums
from style.queries import FIRST_CHUNK, RANGE, SERVICES, growth, quantile, ratio, share, total
from style.variables import common, source, values

SERVER = 'model_name=~"$served", instance=~"$server"'
GPU = 'Hostname=~"$host", gpu=~"$gpu"'
WAITING = Limits(5, 20)
CACHE = Limits(0.8, 0.95)
FIRST = limits.FIRST_CHUNK
TOKEN = Limits(0.1, 0.25)
QUEUE = Limits(0.5, 2)
HOT = Limits(80, 88)
BUSY = Limits(90, 98)
# As vLLM and dcgm-exporter call them.
_PROMPT, _GENERATED = ("vllm:prompt_tokens",), ("vllm:generation_tokens",)
_FINISHED = ("vllm:request_success",)
_ENERGY = ("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION",)  # mJ


def _grown(name: tuple[str, ...], part: str = "total", *, over: str = "$__rate_interval", by: str = "") -> str:
    return total(growth(name, part, over=over, where=SERVER), by)


def _slow(name: str, share_of_them: float = 0.95, by: str = "") -> str:
    return quantile(share_of_them, (f"vllm:{name}_seconds",), by, where=SERVER)


def _joules(over: str = "$__rate_interval") -> str:
    function = "increase" if over == RANGE else "rate"
    return f"(sum({function}({_ENERGY[0]}{{{GPU}}}[{over}])) / 1000)"


def _all_tokens(over: str = "$__rate_interval") -> str:
    return f"({_grown(_PROMPT, over=over)} + {_grown(_GENERATED, over=over)})"


def board() -> Board:
    """Return the board."""
    made = Board(
        "model-server",
        "Model server",
        "What does vLLM do, and what does that take of the GPUs?",
        [
            source("datasource", "Prometheus", "prometheus"),
            *common()[1:3],
            values(
                "served",
                "Served model",
                "vllm:num_requests_running",
                "model_name",
                "The name under which vLLM serves the model.",
            ),
            values("server", "Server", 'vllm:num_requests_running{model_name=~"$served"}', "instance"),
            values(
                "host",
                "GPU host",
                "DCGM_FI_DEV_GPU_UTIL",
                "Hostname",
                "The host of dcgm-exporter. Energy is that of all chosen GPUs: choose those that serve the chosen models alone.",
            ),
            values("gpu", "GPU", 'DCGM_FI_DEV_GPU_UTIL{Hostname=~"$host"}', "gpu"),
        ],
        common_variables=False,
    )
    made.row(
        "Now",
        numbers(
            "Running",
            "Requests that vLLM works on.",
            "short",
            f"sum(vllm:num_requests_running{{{SERVER}}})",
            width=3,
            decimals=0,
        ),
        numbers(
            "Waiting",
            "Requests in vLLM's queue.",
            "short",
            f"sum(vllm:num_requests_waiting{{{SERVER}}})",
            limits=WAITING,
            width=3,
            decimals=0,
        ),
        numbers(
            "KV cache",
            "How full the fullest KV cache is. A full one makes requests wait, or throws their work away.",
            "percentunit",
            f"max(vllm:kv_cache_usage_perc{{{SERVER}}})",
            limits=CACHE,
            width=3,
            decimals=0,
        ),
        numbers("Generated", "Tokens of output in a second.", "si:tok/s", _grown(_GENERATED), width=3),
        numbers(
            "GPU",
            "The mean of the share of time in which the GPUs do something.",
            "percent",
            f"avg(DCGM_FI_DEV_GPU_UTIL{{{GPU}}})",
            limits=BUSY,
            width=3,
            decimals=0,
        ),
        numbers(
            "Power", "What all chosen GPUs draw.", "watt", f"sum(DCGM_FI_DEV_POWER_USAGE{{{GPU}}})", width=3, decimals=0
        ),
        numbers(
            "Per request",
            "Energy of the chosen GPUs, idle times included, by requests that vLLM finished.",
            "joule",
            ratio(_joules(), _grown(_FINISHED)),
            width=3,
        ),
        numbers(
            "Per 1,000 tokens",
            "Energy of the chosen GPUs, idle times included, by tokens of prompts and of output.",
            "joule",
            f"1000 * {ratio(_joules(), _all_tokens())}",
            width=3,
        ),
    )
    made.row(
        "Queue",
        series(
            "Requests",
            "Requests that run, and those that wait.",
            "short",
            [
                Query(f"sum(vllm:num_requests_running{{{SERVER}}})", "running"),
                Query(f"sum(vllm:num_requests_waiting{{{SERVER}}})", "waiting"),
            ],
            stacked=True,
            width=8,
        ),
        series(
            "Time in the queue",
            "From the arrival of a request until vLLM begins with it.",
            "s",
            [Query(_slow("request_queue_time"), "p95"), Query(_slow("request_queue_time", 0.5), "p50")],
            limits=QUEUE,
            width=8,
        ),
        series(
            "Finished requests",
            "Requests that ended, in a second, by why: `length` are those that were cut.",
            "reqps",
            [Query(_grown(_FINISHED, by="finished_reason"), "{{finished_reason}}")],
            stacked=True,
            width=8,
        ),
    )
    made.row(
        "Prefill and decode",
        series(
            "Where the time goes, p95",
            "Prefill reads the prompt, decode writes the answer; whole requests, queue included, are above both.",
            "s",
            [
                Query(_slow("e2e_request_latency"), "whole request"),
                Query(_slow("request_decode_time"), "decode"),
                Query(_slow("request_prefill_time"), "prefill"),
            ],
            width=8,
        ),
        series(
            "First token, p95",
            "vLLM's time to the first token, beside the time to the first chunk of the applications that call the model: what is between "
            "them is network and gateway.",
            "s",
            [
                Query(_slow("time_to_first_token"), "vLLM"),
                Query(
                    quantile(0.95, FIRST_CHUNK, where=f'{SERVICES}, gen_ai_request_model=~"$served"'),
                    "applications",
                    exemplars=True,
                ),
            ],
            limits=FIRST,
            width=8,
        ),
        series(
            "Time between tokens",
            "How fast one answer is written.",
            "s",
            [Query(_slow("inter_token_latency"), "p95"), Query(_slow("inter_token_latency", 0.5), "p50")],
            limits=TOKEN,
            width=8,
        ),
        series(
            "Tokens",
            "Tokens in a second: prompts that were read, and answers that were written.",
            "si:tok/s",
            [Query(_grown(_PROMPT), "prompt"), Query(_grown(_GENERATED), "generated")],
            stacked=True,
            width=6,
        ),
        series(
            "KV cache",
            "How full it is.",
            "percentunit",
            [Query(f"vllm:kv_cache_usage_perc{{{SERVER}}}", "{{instance}} {{model_name}}")],
            limits=CACHE,
            most=1,
            width=6,
        ),
        series(
            "Prefix cache hits",
            "The share of tokens of prompts that were in the prefix cache.",
            "percentunit",
            [Query(share(_grown(("vllm:prefix_cache_hits",)), _grown(("vllm:prefix_cache_queries",))), "hits")],
            most=1,
            width=6,
        ),
        series(
            "Preemptions",
            "Requests whose work was thrown away for want of KV cache, in a second: they begin again.",
            "reqps",
            [Query(_grown(("vllm:num_preemptions",)), "preemptions")],
            width=6,
        ),
    )
    made.row(
        "GPUs",
        series(
            "GPU utilisation",
            "The share of time in which at least one kernel runs: 100 % is not yet full.",
            "percent",
            [Query(f"DCGM_FI_DEV_GPU_UTIL{{{GPU}}}", "{{Hostname}} GPU {{gpu}}")],
            most=100,
            width=8,
        ),
        series(
            "Power",
            "What each GPU draws.",
            "watt",
            [Query(f"DCGM_FI_DEV_POWER_USAGE{{{GPU}}}", "{{Hostname}} GPU {{gpu}}")],
            stacked=True,
            width=8,
        ),
        series(
            "Memory",
            "The share of the memory that is in use: vLLM takes most of it when it starts.",
            "percentunit",
            [
                Query(
                    f"DCGM_FI_DEV_FB_USED{{{GPU}}} / ((DCGM_FI_DEV_FB_USED{{{GPU}}} + DCGM_FI_DEV_FB_FREE{{{GPU}}}) > 0)",
                    "{{Hostname}} GPU {{gpu}}",
                )
            ],
            most=1,
            width=8,
        ),
        series(
            "Temperature",
            "Of each GPU.",
            "celsius",
            [Query(f"DCGM_FI_DEV_GPU_TEMP{{{GPU}}}", "{{Hostname}} GPU {{gpu}}")],
            limits=HOT,
            width=8,
        ),
        series(
            "Energy per request",
            "Of the chosen GPUs, idle times included: it falls as more requests share a GPU.",
            "joule",
            [Query(ratio(_joules(), _grown(_FINISHED)), "per request")],
            width=8,
        ),
        series(
            "Energy per 1,000 tokens",
            "Of the chosen GPUs, by tokens of prompts and of output, and by those of output alone.",
            "joule",
            [
                Query(f"1000 * {ratio(_joules(), _all_tokens())}", "all tokens"),
                Query(f"1000 * {ratio(_joules(), _grown(_GENERATED))}", "output"),
            ],
            width=8,
        ),
    )
    by = "instance, model_name"
    made.row(
        "The chosen range",
        rows(
            "Servers",
            "What each served.",
            {"model_name": "Model", "instance": "Server"},
            [
                Column("Requests", _grown(_FINISHED, over=RANGE, by=by), COUNT),
                Column("Prompt tokens", _grown(_PROMPT, over=RANGE, by=by), "short"),
                Column("Generated tokens", _grown(_GENERATED, over=RANGE, by=by), "short"),
                Column(
                    "First token, p95",
                    quantile(0.95, ("vllm:time_to_first_token_seconds",), by, over=RANGE, where=SERVER),
                    "s",
                    FIRST,
                ),
                Column(
                    "Queue, p95",
                    quantile(0.95, ("vllm:request_queue_time_seconds",), by, over=RANGE, where=SERVER),
                    "s",
                    QUEUE,
                ),
            ],
            width=12,
        ).tall(6),
        sums(
            "Energy", "What the chosen GPUs used in the chosen range.", "watth", f"{_joules(RANGE)} / 3600", decimals=2
        ).tall(6),
        bars(
            "Energy by GPU",
            "What each used in the chosen range.",
            "watth",
            Query(
                f"sum by (Hostname, gpu) (increase({_ENERGY[0]}{{{GPU}}}[{RANGE}])) / 3600000",
                "{{Hostname}} GPU {{gpu}}",
            ),
            width=8,
        ),
    )
    return made

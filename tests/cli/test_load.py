"""`opentelemetry-genai demo --load`: seeded traffic by real SDKs, and a report that agrees with the telemetry that arrived."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from opentelemetry_instrumentation_genai.cli.commands import program
from opentelemetry_instrumentation_genai.cli.demo.load.plan import ENDLESS, planned
from opentelemetry_instrumentation_genai.cli.demo.parts import NEEDED, find_parts
from opentelemetry_instrumentation_genai.cli.demo.server.limits import REQUESTS, TOKENS, Left, Limits
from opentelemetry_instrumentation_genai.cli.demo.server.model import MarkedCache, PromptCache, limited
from opentelemetry_instrumentation_genai.cli.demo.server.plan import Plan, plan_of

COMMAND = [sys.executable, "-m", "opentelemetry_instrumentation_genai.cli", "demo", "--load"]
SDKS = [sdk.extra for sdk in find_parts().shown if sdk.extra in NEEDED]
OURS = "opentelemetry_instrumentation_genai"
enough = pytest.mark.skipif(not SDKS, reason="no SDK is there in a version that is shown")


def invoked(*arguments: str) -> Result:
    """What the command does with arguments, in this process."""
    return CliRunner().invoke(program, ["demo", *arguments], prog_name="opentelemetry-genai")


@pytest.mark.parametrize("sdks", [["openai", "anthropic", "ollama"], ["ollama"]])
def test_a_seed_gives_the_same_requests(sdks):
    """Each time, and another seed others; only of SDKs that are there."""
    one, same, other = ([*islice(planned(seed, sdks), 500)] for seed in (7, 7, 8))

    assert one == same
    assert one != other
    assert {*sdks} == {request.sdk for request in one}


def test_all_kinds_of_requests():
    """In some thousand requests there is everything that a dashboard wants to show."""
    found = [*islice(planned(7, NEEDED), 4_000)]

    assert {"gpt-4.1-mini", "gpt-5-mini", "text-embedding-3-small", "claude-sonnet-5-5", "llama3.2"} == {
        request.model for request in found
    }
    assert {"acme", "globex", "initech"} == {request.tenant for request in found}
    assert {"", "busy", "limited", "broken", "filtered", "late"} == {request.plan.failing for request in found}
    for share, chosen in (
        (0.05, [request.truncated for request in found]),
        (0.4, [request.streamed for request in found]),
        (0.01, [request.missing for request in found]),
    ):
        assert share / 2 < sum(chosen) / len(chosen) <= share * 1.5
    latencies = sorted(request.plan.latency for request in found if request.sdk != "ollama")
    assert 0.2 < latencies[len(latencies) // 2] < 0.4
    assert 1 < latencies[-1] <= 8
    assert 0.9 < sum(request.after for request in found) / len(found) < 1.1


@pytest.mark.parametrize("plan", [Plan(), Plan(0.25, 16, "busy"), Plan(1.5, None, "broken")])
def test_the_header(plan):
    """The server reads what the generator wrote."""
    assert plan == plan_of(plan.header())
    assert Plan() == plan_of({})


def test_which_tries_fail():
    """A rate limit at the first try or at all of them, an error of the server, a refusal; a late answer is none of the server's."""
    statuses = {
        kind: [Plan(failing=kind).status(first=first) for first in (True, False)]  # type: ignore[arg-type]
        for kind in ("", "busy", "limited", "broken", "filtered", "late")
    }

    assert {
        "": [None, None],
        "busy": [429, None],
        "limited": [429, 429],
        "broken": [500, 500],
        "filtered": [400, 400],
        "late": [None, None],
    } == statuses


@pytest.mark.parametrize(
    ("limit", "text", "is_cut"),
    [
        (None, "One two, three.", False),
        (5, "One two, three.", False),
        (3, "One two,", True),
        (1, "One", True),
        (0, "One two, three.", False),
    ],
)
def test_answers_that_are_cut(limit, text, is_cut):
    """At the end of a piece; of no limit nothing is cut."""
    assert (text, is_cut) == limited("One two, three.", limit)


def test_what_the_caches_remember_is_bounded():
    """A server that runs for days does not grow."""
    prompts, marked = PromptCache(), MarkedCache()
    for number in range(5_000):
        prompts.cached([str(number)])
        marked.account([([str(number)], True)])

    assert 500 == len(prompts.seen)
    assert 501 >= len(marked.seen)


def started(folder: Path, receiver: Any, *arguments: str) -> subprocess.Popen[str]:
    """Start the command, with the receiver as the user's endpoint."""
    known = {**os.environ, **receiver.environment(), "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.http_url}
    return subprocess.Popen(
        [*COMMAND, *arguments, "--report", "report.json"],
        cwd=folder,
        env=known,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@enough
@pytest.mark.process
def test_the_report_agrees_with_the_telemetry(receiver, tmp_path):
    """Requests by model and tenant, errors, truncations, and each token, in the report, on the spans, and in the metrics."""
    running = started(tmp_path, receiver, "20", "--for", "6s", "--seed", "3")
    printed, logged = running.communicate(timeout=60)

    assert (0, "") == (running.returncode, logged)
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    planned_requests, at = [], 0.0
    for request in planned(3, SDKS):
        at += request.after / 20
        if at > 6:
            break
        planned_requests.append(request)
    assert len(planned_requests) == report["requests"]
    assert f"{report['requests']} requests; errors: " in printed
    everything = [span["attributes"] for span in receiver.spans if span["scope"]["name"] == OURS]
    spans = [span for span in everything if span["gen_ai.operation.name"] in {"chat", "embeddings"}]
    assert len(spans) == report["requests"]
    assert Counter(span["gen_ai.request.model"] for span in spans) == report["models"]
    assert Counter(span["gen_ai.tag.tenant"] for span in spans) == report["tenants"]
    assert Counter(span["gen_ai.tag.team"] for span in spans) == report["teams"]
    conversations = Counter(span["gen_ai.conversation.id"] for span in spans)
    assert (len(conversations), max(conversations.values())) == (
        report["conversations"],
        report["longest_conversation"],
    )
    assert {request.user for request in planned_requests} == {span["enduser.id"] for span in spans}
    failed = [span for span in spans if "error.type" in span]
    assert Counter(str(span.get("http.response.status_code", "APITimeoutError")) for span in failed) == report["errors"]
    assert Counter(span["error.type"] for span in failed) == report["error_types"]
    assert {*map(_kind, failed)} <= {"late", "limited", "broken", "filtered", "missing"}
    for name, attribute in (
        ("input", "gen_ai.usage.input_tokens"),
        ("output", "gen_ai.usage.output_tokens"),
        ("cached", "gen_ai.usage.cache_read.input_tokens"),
    ):
        assert report["tokens"][name] == sum(span.get(attribute, 0) for span in spans)
    for team, dollars in report["cost"].items():
        found = sum(span.get("gen_ai.usage.cost", 0) for span in spans if span["gen_ai.tag.team"] == team)
        assert found == pytest.approx(dollars, abs=1e-9)
    assert sum(seconds["count"] for seconds in report["seconds"].values()) == report["requests"]
    assert all(0 < seconds["p50"] <= seconds["p95"] <= seconds["p99"] for seconds in report["seconds"].values())
    cut = [span for span in spans if "length" in span.get("gen_ai.response.finish_reasons", ())]
    assert len(cut) == report["truncated"]
    assert report["streamed"] == sum(request.streamed for request in planned_requests)
    assert report["requests"] == _durations(receiver)
    _compare_agents(report, everything, [request.run for request in planned_requests if request.run])


def _kind(span: Any) -> str:
    """Why a call failed, by its attributes."""
    if span["error.type"].endswith("APITimeoutError"):
        return "late"
    return {429: "limited", 500: "broken", 400: "filtered", 404: "missing"}[span["http.response.status_code"]]


def _compare_agents(report: Any, spans: list[Any], runs: list[Any]) -> None:
    """Agents, tools and evaluations, as planned, in the report, and on the spans."""
    agents = [span for span in spans if span["gen_ai.operation.name"] == "invoke_agent"]
    tools = [span for span in spans if span["gen_ai.operation.name"] == "execute_tool"]
    assert Counter(run.agent for run in runs) == report["agents"]
    assert Counter(span["gen_ai.agent.name"] for span in agents) == report["agents"]
    assert len(agents) == sum(span["gen_ai.operation.name"] == "invoke_workflow" for span in spans)
    assert Counter(tool.name for run in runs for tool in run.tools) == report["tools"]
    assert Counter(span["gen_ai.tool.name"] for span in tools) == report["tools"]
    failed = [span["gen_ai.tool.name"] for span in tools if span.get("error.type") == "ConnectionError"]
    assert Counter(failed) == report["tool_errors"]
    answered = sum("error.type" not in span for span in agents)
    judged = Counter({name: count for name, count in report["evaluations"].items() if name.startswith("relevance")})
    assert 0 < judged.total() <= answered


def test_all_kinds_of_runs():
    """A quarter of the requests with messages are those of agents: with and without tools, some of which fail, judged or not."""
    found = [request.run for request in islice(planned(7, NEEDED), 4_000) if "embedding" not in request.model]
    runs = [run for run in found if run]

    assert 0.2 < len(runs) / len(found) < 0.3
    assert {"planner", "booker", "concierge"} == {run.agent for run in runs}
    assert {0, 1, 2, 3} == {len(run.tools) for run in runs}
    tools = [tool for run in runs for tool in run.tools]
    assert {"get_timetable", "get_weather", "book_table"} == {tool.name for tool in tools}
    assert 1 / 24 < sum(tool.failing for tool in tools) / len(tools) < 1 / 6
    assert {"pass", "fail"} == {run.verdict for run in runs if run.relevance is not None}
    assert {"", "thumbs_up", "thumbs_down"} == {run.thumbs for run in runs}


@pytest.mark.parametrize(
    ("fault", "share", "usual"),
    [
        ("errors", lambda request: request.plan.failing == "broken", 0.03),
        ("rate-limits", lambda request: request.plan.failing == "limited", 0.03),
        ("slow", lambda request: request.plan.latency > 1.5, 0.01),
        ("truncation", lambda request: request.truncated, 0.05),
        ("endless", lambda request: request.conversation == ENDLESS, 0),
    ],
)
def test_faults(fault, share, usual):
    """A fault makes something of the same requests happen far more often; who asks what of which model stays."""
    usually, wrong = ([*islice(planned(7, NEEDED, faults), 2_000)] for faults in ((), (fault,)))

    assert [request[1:7] for request in usually] == [request[1:7] for request in wrong]
    assert sum(map(share, usually)) / 2_000 <= usual + 0.02
    assert sum(map(share, wrong)) / 2_000 > 0.3


def test_without_a_cache():
    """With the fault `no-cache` no prompt is found in it, which usually some are; others can be added to it."""
    assert {0, 16, 32} == {request.plan.cached for request in islice(planned(7, ["openai"]), 500)}
    both = [*islice(planned(7, ["openai"], ["no-cache", "errors"]), 500)]
    assert {0} == {request.plan.cached for request in both}
    assert {"", "broken"} == {request.plan.failing for request in both}


def test_conversations_end():
    """They have some requests each, and new ones begin; none goes on for ever."""
    found = Counter(request.conversation for request in islice(planned(7, NEEDED), 10_000))

    assert 3 < 10_000 / len(found) < 7
    assert max(found.values()) < 60


def test_an_unknown_fault():
    """The sentence has those that there are."""
    done = invoked("--load", "5", "--fault", "fire")

    assert 2 == done.exit_code
    assert "'errors', 'rate-limits'" in done.output


def test_limits_come_back():
    """Each request takes of the limits of its model, which are there again after a minute, and no less than nothing is left."""
    now = [0.0]
    limits = Limits(clock=lambda: now[0])

    assert Left(REQUESTS - 1, TOKENS - 100) == limits.take("a", 100)
    assert Left(REQUESTS - 1, TOKENS - 7) == limits.take("b", 7)
    for _ in range(REQUESTS):
        left = limits.take("a", TOKENS)
    assert Left(0, 0) == left
    now[0] += 30
    assert Left(REQUESTS // 2 - 1, TOKENS // 2 - 1) == limits.take("a", 1)
    now[0] += 60
    assert Left(REQUESTS - 1, TOKENS - 1) == limits.take("a", 1)


def _durations(receiver: Any) -> int:
    """The calls in the last export of the durations."""
    exports = [metric for metric in receiver.metrics if metric["name"] == "gen_ai.client.operation.duration"]
    return sum(point["count"] for point in exports[-1]["points"])


@enough
@pytest.mark.process
@pytest.mark.skipif(os.name == "nt", reason="signals are those of POSIX")
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_an_interrupted_load(receiver, tmp_path, number):
    """There is a report of what was sent until then."""
    running = started(tmp_path, receiver, "20", "--for", "10m")
    try:
        until = time.monotonic() + 40
        while not receiver.spans and time.monotonic() < until:
            time.sleep(0.1)
        running.send_signal(getattr(signal, number))
        printed, logged = running.communicate(timeout=30)
    finally:
        with suppress(ProcessLookupError):  # it has ended, as it should
            os.killpg(running.pid, signal.SIGKILL)

    assert 130 == running.returncode
    assert "Traceback" not in logged
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert 1 <= report["requests"]
    assert f"{report['requests']} requests; errors: " in printed


def test_no_endpoint():
    """The sentence names the variable and an example."""
    done = invoked("--load", "5")

    assert 1 == done.exit_code
    assert (
        "OTEL_EXPORTER_OTLP_ENDPOINT is not set: it names where the telemetry goes, such as http://localhost:4318"
        in done.output
    )


@pytest.mark.parametrize("duration", ["x", "0", "-1s", "1d", "1e3"])
def test_what_is_no_duration(duration):
    """The sentence says how one is written."""
    done = invoked("--load", "5", "--for", duration)

    assert 2 == done.exit_code
    assert "it is written as 90s, 10m or 1h." in done.output


@pytest.mark.parametrize("rate", ["0", "-1", "x"])
def test_what_is_no_rate(rate):
    """More than nothing."""
    assert 2 == invoked("--load", rate).exit_code

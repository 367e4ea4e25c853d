"""What each package adds to a call, in instructions of the processor, as callgrind counts them: a figure that a busy machine does not change.

    tox -e others -- count.py           all of them, into docs/counted.json; half an hour, and `valgrind` has to be there
    tox -e others -- count.py ours      one of them, beside those that are there

The SDK makes its request and reads the response; what would be the network answers within the process. Providers are those of the
OpenTelemetry SDK, which drop what they have made. Counted are the calls alone, not the start.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent)]

import calls  # noqa: E402
from packages import PACKAGES, Package, environment  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RESULTS = ROOT / "docs" / "counted.json"
SDKS = ("openai", "anthropic", "opentelemetry-sdk")
CHUNKS = 500
# How often each is called, how many units that are counted one call has, and whether content is recorded.
WORKLOADS = {
    "a chat of `openai`": (50, 1, False),
    "a chat of `openai`, content recorded": (50, 1, True),
    "a chat of `anthropic`": (50, 1, False),
    "a chunk of a streamed chat of `openai`": (2, CHUNKS, False),
}
BARE = "bare"
# Ours in another setting as well; of that, a stream alone is counted.
VARIANT = "ours OTEL_INSTRUMENTATION_GENAI_PER_CHUNK_METRIC=false"
ALL = [*(name for name, package in PACKAGES.items() if package.instrumentors), VARIANT]


def count(package: str, workload: str) -> int:
    """Instructions of one call, or of one chunk of it.

    Args:
        package: one of `PACKAGES`, or `bare` for none.
        workload: one of `WORKLOADS`.
    """
    times, units, content = WORKLOADS[workload]
    known = environment(_package(package), content=content)
    known.update([package.partition(" ")[2].split("=")] if package == VARIANT else ())
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as written:
        command = [sys.executable, __file__, package, workload]
        with subprocess.Popen(
            ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder}/out", *command],
            env={**known, "PYTHONHASHSEED": "0"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=written,
            text=True,
        ) as running:
            _switch(running, "ready", "on")
            _switch(running, "done", "off")
        written.seek(0)
        collected = re.search(r"Collected : (\d+)", written.read())
    if collected is None:
        raise SystemExit(f"{package}, {workload}: callgrind counted nothing")
    return int(collected[1]) // (times * units)


def _package(name: str) -> Package:
    """The package of a name; for `bare`, one for whose variables there is no use."""
    return PACKAGES["ours" if name == BARE else name.partition(" ")[0]]


def _switch(running: subprocess.Popen[str], word: str, state: str) -> None:
    """Switch counting on or off when the program has come to a point, and let it go on."""
    assert running.stdout is not None
    assert running.stdin is not None
    while (line := running.stdout.readline()).strip() != word:
        if not line:
            raise SystemExit(f"the program ended before it was {word}")
    subprocess.run(["callgrind_control", "-i", state, str(running.pid)], check=True, capture_output=True)
    running.stdin.write("\n")
    running.stdin.flush()


def run(package: str, workload: str) -> None:
    """Make the calls of a workload in this process, with a word before and after those that are counted."""
    from opentelemetry import _logs, metrics, trace
    from providers import providers

    made = providers()
    trace.set_tracer_provider(made["tracer_provider"])
    metrics.set_meter_provider(made["meter_provider"])
    _logs.set_logger_provider(made["logger_provider"])
    if package != BARE:
        _package(package).start()
    call = _call(workload)
    for _ in range(3):
        call()
    _pause("ready")
    for _ in range(WORKLOADS[workload][0]):
        call()
    _pause("done")
    os._exit(0)


def _pause(word: str) -> None:
    print(word, flush=True)
    sys.stdin.readline()


def _call(workload: str) -> Callable[[], object]:
    """What is called, with a transport that answers within the process."""
    import anthropic
    import httpx
    import openai

    first, *rest = calls.CHUNKS
    streamed = [first, *({**first, "choices": _words(first, number)} for number in range(CHUNKS - 3)), *rest]
    stream = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in streamed) + "data: [DONE]\n\n"
    answers = {"chunk": (stream, "text/event-stream"), "anthropic": (json.dumps(calls.MESSAGE), "application/json")}
    plain = (json.dumps(calls.COMPLETION), "application/json")
    text, kind = next((answer for word, answer in answers.items() if word in workload), plain)
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text=text, headers={"content-type": kind}))
    client = openai.OpenAI(api_key="none", http_client=httpx.Client(transport=transport))
    claude = anthropic.Anthropic(api_key="none", http_client=httpx.Client(transport=transport))
    asked: Any = {"role": "user", "content": calls.QUESTION}
    usage: Any = {"include_usage": True}
    if "anthropic" in workload:
        return lambda: claude.messages.create(model="claude-sonnet-4-5", max_tokens=321, messages=[asked])
    if "chunk" in workload:
        return lambda: list(client.chat.completions.create(**calls.REQUEST, stream=True, stream_options=usage))
    return lambda: client.chat.completions.create(**calls.REQUEST)


def _words(chunk: dict[str, Any], number: int) -> list[Any]:
    return [{**chunk["choices"][0], "delta": {"content": f"word {number} "}}]


def counted(package: str) -> dict[str, int]:
    """All workloads under one package."""
    found = {}
    for workload in WORKLOADS:
        if package == VARIANT and "chunk" not in workload:
            continue
        found[workload] = count(package, workload)
        print(f"{package}: {workload}: {found[workload]}", flush=True)
    return found


def main(names: Sequence[str]) -> None:
    """Count packages, and write what was counted beside what is known, if that was counted with the same versions.

    Args:
        names: of the packages; without any, all, and the SDK alone as well.
    """
    circumstances = _circumstances()
    found = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    if not names or any(found.get(name) != value for name, value in circumstances.items()):
        found = {**circumstances, BARE: counted(BARE), "packages": {}}
    for name in names or ALL:
        package = _package(name)
        found["packages"][name] = {
            "title": package.title + (f", `{name.partition(' ')[2]}`" if " " in name else ""),
            "versions": {one: version(one) for one in package.distributions},
            "counted": counted(name),
        }
    RESULTS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _circumstances() -> dict[str, Any]:
    """What figures depend on."""
    program = subprocess.run(["valgrind", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return {
        "python": platform.python_version(),
        "valgrind": program.removeprefix("valgrind-"),
        "sdks": {one: version(one) for one in SDKS},
    }


if __name__ == "__main__":
    if len(sys.argv) > 2:
        run(sys.argv[1], sys.argv[2])
    else:
        main(sys.argv[1:])

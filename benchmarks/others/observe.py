"""Which names each package gives the same calls: spans, attributes, metrics, events, and the variables that it reads.

    tox -e others      all of them, into docs/observed.json

Real SDKs call a server on loopback; each package runs in a process of its own, and what its telemetry was is kept as it came.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "tests" / "support")]

import calls  # noqa: E402
from packages import PACKAGES, Package, environment  # noqa: E402

RESULT = ROOT / "docs" / "observed.json"
SDKS = ("openai", "anthropic", "opentelemetry-sdk")
# The names of variables, in quotes.
_VARIABLE = re.compile(r"""["']((?:OTEL|TRACELOOP|OPENLIT|OPENINFERENCE|LLM|DT|APP)_[A-Z_]*[A-Z])["']""")


def observed(name: str) -> dict[str, Any]:
    """What one package records, in a process of its own; its versions are those of its distributions."""
    package = PACKAGES[name]
    done = subprocess.run(
        [sys.executable, __file__, name],
        env=environment(package, content=True),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {
        "title": package.title,
        "versions": {one: version(one) for one in package.distributions},
        "variables": [] if name == "ours" else variables(package),
        **found,
    }


def variables(package: Package) -> list[str]:
    """The names of variables that stand in its source."""
    found: set[str] = set()
    for source in package.sources:
        spec = find_spec(source)
        for folder in (spec and spec.submodule_search_locations) or ():
            for path in Path(folder).rglob("*.py"):
                found.update(_VARIABLE.findall(path.read_text(encoding="utf-8", errors="replace")))
    return sorted(found)


def record(name: str) -> dict[str, Any]:
    """Make the calls in this process, and return the telemetry of each."""
    from opentelemetry import _logs, metrics, trace

    from loopback import ModelServer, Telemetry

    telemetry = Telemetry()
    trace.set_tracer_provider(telemetry.tracer_provider)
    metrics.set_meter_provider(telemetry.meter_provider)
    _logs.set_logger_provider(telemetry.logger_provider)
    server = ModelServer()
    try:
        return _recorded(name, server, telemetry)
    finally:
        server.close()
        telemetry.shutdown()


def _recorded(name: str, server: Any, telemetry: Any) -> dict[str, Any]:
    from loopback import Json, Sse

    PACKAGES[name].start()
    made: dict[str, Any] = {}
    all_calls = calls.calls(server.url)
    if name == "llm-otel-kit":
        import by_hand

        all_calls = {calls.OPENAI: (calls.COMPLETION, lambda: by_hand.call(server.url))}
    for title, (answer, call) in all_calls.items():
        server.reply(
            Sse(answer) if isinstance(answer, list) else Json(answer, status=429 if "error" in answer else 200)
        )
        facts = {**calls.FACTS[title], "port": (server.port,)}
        call()
        made[title] = [
            {
                "name": span.name,
                "status": span.status.status_code.name,
                "attributes": {key: meaning(value, facts) for key, value in (span.attributes or {}).items()},
                "events": sorted({event.name for event in span.events}),
            }
            for span in telemetry.spans
        ]
        telemetry._span_exporter.clear()
    return {
        "calls": made,
        "metrics": {
            metric: {
                "unit": series.unit,
                "attributes": sorted({key for point in series.points.values() for key in point.attributes}),
            }
            for metric, series in sorted(telemetry.series.items())
        },
        "events": sorted({event.event_name for event in telemetry.events}),
    }


def meaning(value: Any, facts: dict[str, tuple[Any, ...]]) -> dict[str, list[str]]:
    """What a value of an attribute is: `is` the facts that it equals, `has` those that stand within."""
    leaves = list(_leaves(value))
    texts = "\n".join(leaf for leaf in leaves if isinstance(leaf, str))
    found = [name for name, values in facts.items() if any(_same(leaf, one) for leaf in leaves for one in values)]
    within = [name for name, text in calls.TEXTS.items() if text in texts]
    return {"is": found, "has": within} if len(leaves) == 1 else {"is": [], "has": [*found, *within]}


def _leaves(value: Any) -> Iterator[Any]:
    """The values in a value, in that of a JSON text too."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        with contextlib.suppress(ValueError):
            value = json.loads(value)
    if isinstance(value, dict):
        value = value.values()
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        yield value
    else:
        for one in value:
            yield from _leaves(one)


def _same(one: Any, other: Any) -> bool:
    """Whether they are equal, and both or none of them is true or false."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def main() -> None:
    """Observe all packages, and write what was found."""
    sdks = {one: version(one) for one in SDKS}
    found = {"sdks": sdks, "packages": {name: observed(name) for name in PACKAGES}}
    RESULT.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(record(sys.argv[1]), sort_keys=True))
    else:
        main()

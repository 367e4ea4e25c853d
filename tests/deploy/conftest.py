"""The real programs of operations, one stack of them for the session, what a load left in it, and the table at the end."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import tools as built
from stack import COLLECTOR, Stack

from asking import value
from traffic import QUICK, QUICK_FILES, load


class Loaded(NamedTuple):
    """A stack, and what was sent through it.

    Attributes:
        stack: which runs.
        report: what the load says that it sent: requests, errors, tokens.
        began: when, in seconds since 1970.
        ended: when all of it had arrived.
    """

    stack: Stack
    report: dict[str, Any]
    began: float
    ended: float


@pytest.fixture(scope="session")
def tools() -> Callable[[str], Path]:
    """The function that returns the path of a program: otelcol, prometheus, promtool, jaeger, alertmanager, amtool, helm."""
    return built.tool


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """All four programs with the files of `deploy`; every span before the sampling is in `spans.jsonl` of its folder."""
    files = [*COLLECTOR, Path(__file__).with_name("spans.yaml")]
    with Stack(tmp_path_factory.mktemp("stack"), collector=files, environment=QUICK, replace=QUICK_FILES) as running:
        yield running


@pytest.fixture(scope="session")
def loaded(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """The stack after 600 requests of seed 7, when Prometheus has them."""
    began = time.time()
    report = load(stack.otlp_http, tmp_path_factory.mktemp("load") / "report.json", rate=20, seconds=30)
    counted = "sum(gen_ai_client_operation_duration_seconds_count)"
    last = -1.0
    for _ in range(60):
        now = value(stack, counted)
        if now and now == last:
            break
        last = now
        time.sleep(2)
    return Loaded(stack, report, began, time.time())


# The table.


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Each module says what its tests prove."""
    here = Path(__file__).parent
    modules = {item.path.name: item.module for item in items if here in item.path.parents}
    for name, module in modules.items():
        if not getattr(module, "PROVES", ""):
            raise pytest.UsageError(f"tests/deploy/{name}: has no PROVES, the sentence of what its tests prove.")
    config.stash[_MODULES] = modules


_MODULES = pytest.StashKey[dict[str, Any]]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show what was proven, and what could not run and why."""
    modules = config.stash.get(_MODULES, {})
    outcomes: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    reasons: list[str] = []
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.getreports(outcome):
            name = Path(report.nodeid.partition("::")[0]).name
            outcomes[name][outcome].add(report.nodeid)
            if outcome == "skipped":
                reasons.append(f"{name}: {report.longrepr[2].removeprefix('Skipped: ')}")
    terminalreporter.section("what was proven")
    for name, module in sorted(modules.items()):
        of = outcomes[name]
        failed = of["failed"] | of["error"]
        passed = of["passed"] - failed
        word = "NOT PROVEN" if failed else "proven" if passed else "did not run"
        terminalreporter.line(
            f"{word:<12} {len(passed):>3} of {len(passed | failed | of['skipped']):<4} {module.PROVES} ({name})"
        )
    never = [f"{name}: {text}" for name, module in sorted(modules.items()) for text in getattr(module, "NOT_RUN", ())]
    if reasons or never:
        terminalreporter.section("what could not run")
    for text in [*dict.fromkeys(reasons), *never]:
        terminalreporter.line(text)

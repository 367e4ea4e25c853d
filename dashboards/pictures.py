"""Make the pictures of the boards, and of the list of alerts, in `docs/images`, of a real load and with a real browser: `tox -e board-pictures`.

A Collector, a Prometheus and a Jaeger run on loopback, as in `deploy/local`; three services send the seeded load of the demonstration for
some minutes, by the names of both generations, and one of them goes wrong; vLLM and a GPU are files that `tests/deploy/exporters.py` serves. What the queries of
the boards answer is drawn by a page of our own, which stands in for Grafana. Needs Chromium (Debian: `chromium`) and Go; `pngquant` makes
the files small. With the URL of a Prometheus as an argument, its boards are drawn instead, into a folder that is named after it:
`python dashboards/pictures.py http://localhost:9090 FOLDER`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[1]
for folder in ("tests/support", "tests/deploy", "deploy/local", "dashboards"):
    sys.path.insert(0, str(ROOT / folder))

from generate import models
from shown.alerts import alerts, as_board
from shown.answers import Prometheus
from shown.chosen import Chosen, everything
from shown.events import events
from shown.traces import Jaeger, tag

from filled import Filled, Service, filled
from viewed import Browser, Page, no_browser

IMAGES = ROOT / "docs" / "images"
PAGE = Path(__file__).with_name("shown")
WIDTH = 1440
MINUTES = 12
SERVICES = [
    Service("planner", "production", "", 2.5, 7),
    Service("assistant", "staging", "gen_ai_latest_experimental", 1.5, 8),
    Service("translator", "production", "gen_ai_latest_experimental", 0.6, 9, ("rate-limits",)),
]
CHOSEN = {"team": "gen_ai_tag_tenant"}
Json = dict[str, Any]


class Sources(NamedTuple):
    """What answers the panels.

    Attributes:
        prometheus: those with metrics.
        chosen: what is chosen on the boards.
        jaeger: those with traces; None for none.
        records: the file with log records; None for none.
        services: those with traces.
    """

    prometheus: Prometheus
    chosen: Chosen
    jaeger: Jaeger | None = None
    records: Path | None = None
    services: Sequence[str] = ()

    def answers(self, panel: Json, model: Json) -> list[Json]:
        """Return what a panel is drawn from."""
        chosen = self.chosen._replace(values=everything(model, self.chosen.values))
        kind = (panel.get("datasource") or {}).get("type")
        if panel["type"] == "alerts":
            return alerts(self.prometheus)
        if kind == "loki":
            query = chosen.put_into(panel["targets"][0]["expr"])
            return events(self.records, query) if self.records else []
        if kind == "tempo":
            return self._traces(panel)
        return self.prometheus.panel(panel, chosen)

    def _traces(self, panel: Json) -> list[Json]:
        values = self.chosen.values
        if self.jaeger is None:
            return []
        if panel["type"] == "traces":
            return self.jaeger.spans(values["trace"])
        return self.jaeger.of_conversation(values["conversation"], self.services)


def draw(model: Json, sources: Sources, browser: Browser, file: Path) -> Page:
    """Write the picture of a board, and return the page that shows it."""
    answers = {panel["id"]: sources.answers(panel, model) for panel in model["panels"]}
    chosen = sources.chosen
    shown = {
        "model": model,
        "answers": answers,
        "values": everything(model, chosen.values),
        "start": chosen.start,
        "end": chosen.end,
        "step": chosen.step,
    }
    with tempfile.TemporaryDirectory() as folder:
        for part in PAGE.glob("*.[hcj][ts]*"):
            shutil.copy(part, folder)
        Path(folder, "board.js").write_text(f"window.BOARD = {json.dumps(shown)};\n", encoding="utf-8")
        page = browser.page(WIDTH, 200)
        page.open(Path(folder, "page.html").as_uri())
        page.wait_for("document.body.dataset.drawn")
        page.resize(WIDTH, page.value("Math.ceil(document.documentElement.scrollHeight)"))
        page.screenshot(file)
    if program := shutil.which("pngquant"):
        subprocess.run([program, "--force", "--strip", "--speed", "1", "--output", file, "48", file], check=True)
    return page


def draw_all(sources: Sources, folder: Path) -> None:
    """Write the pictures of all boards, and of the list of alerts."""
    browser = Browser()
    try:
        for name, model in models().items():
            page = draw(model, sources, browser, folder / f"board-{name.replace('_', '-')}.png")
            if page.problems:
                sys.exit(f"{name}: {page.problems}")
            page.close()
        draw(as_board(len(alerts(sources.prometheus))), sources, browser, folder / "alerts.png").close()
    finally:
        browser.close()


def conversation_of(found: Filled, service: str) -> dict[str, str]:
    """Return a conversation of a service with many traces of chats, which have events, and the longest of these traces."""
    traces = Jaeger(found.stack.jaeger).recent(service)
    chats = [
        (trace, span) for trace in traces for span in trace["spans"] if tag(span, "gen_ai.operation.name") == "chat"
    ]
    spans = [(trace, tag(span, "gen_ai.conversation.id")) for trace, span in chats]
    ((conversation, _),) = Counter(one for _, one in spans if one).most_common(1)
    longest = max((trace for trace, one in spans if one == conversation), key=_interest)
    return {"conversation": conversation, "trace": longest["traceID"]}


def _interest(trace: Json) -> tuple[bool, int]:
    """Return how much a trace shows: one that went well, with many spans."""
    return not any(tag(span, "otel.status_code") == "ERROR" for span in trace["spans"]), len(trace["spans"])


def main() -> None:
    """Make the load, and draw it; or draw what a Prometheus has."""
    if missing := no_browser():
        sys.exit(missing)
    if sys.argv[1:]:
        url, folder = sys.argv[1], Path(sys.argv[2])
        folder.mkdir(parents=True, exist_ok=True)
        now = time.time()
        draw_all(Sources(Prometheus(url), Chosen(now - 60 * MINUTES, now, 60, CHOSEN)), folder)
        return
    with (
        tempfile.TemporaryDirectory(prefix="boards-") as work,
        filled(
            Path(work),
            SERVICES,
            MINUTES * 60,
            interval=5,
            environment={"DECISION_WAIT": "5s", "METRICS_INTERVAL": "5s", "METRICS_INTERVAL_MS": "5000"},
            without=("alertmanager",),
        ) as found,
    ):
        chosen = Chosen(found.start + 90, found.end, 60, {**CHOSEN, **conversation_of(found, SERVICES[0].name)})
        jaeger, records = Jaeger(found.stack.jaeger), found.stack.folder / "logs.jsonl"
        names = [service.name for service in SERVICES]
        draw_all(Sources(Prometheus(found.stack.prometheus), chosen, jaeger, records, names), IMAGES)


if __name__ == "__main__":
    main()

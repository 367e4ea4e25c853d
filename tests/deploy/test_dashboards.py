from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from generate import WrongBoardError, models
from pictures import Sources, conversation_of, draw
from shown.answers import Prometheus
from shown.chosen import Chosen, everything
from shown.events import events
from shown.traces import Jaeger
from style.board import written

import grafana_grammars
import grafana_types
import npm
from asking import ask
from divisions import divisors, is_guarded
from exporters import FOLDER as EXPOSITIONS, exposition
from filled import INSTANCES, Filled, Service, filled
from promql import Known
from traffic import QUICK
from viewed import Browser, no_browser

PROVES = "Every query of every board has data, by the names of both generations, and the boards are what Grafana's types allow."
NOT_RUN = (
    "Grafana, Tempo and Loki: boards are checked by Grafana's types and grammars; Jaeger and a file answer the queries of traces and events",
)

ROOT = Path(__file__).parents[2]
BOARDS = ROOT / "dashboards"
try:
    MODELS = models()
except WrongBoardError as wrong_board:
    pytest.fail(str(wrong_board), pytrace=False)
V1_41, LATEST, BOTH = "v141", "latest", "both"
SERVICES = [
    Service(V1_41, "production", "", 6, 7),
    Service(LATEST, "staging", "gen_ai_latest_experimental", 6, 7),
    Service(BOTH, "staging", "gen_ai_latest_experimental/dup", 4, 9),
]
SECONDS = 40
PANELS = [(name, panel) for name, model in MODELS.items() for panel in model["panels"] if panel["type"] != "row"]
WITH_METRICS = [(name, panel) for name, panel in PANELS if (panel.get("datasource") or {}).get("type") == "prometheus"]
OF_SERVICES = [(name, panel) for name, panel in WITH_METRICS if name != "model_server"]


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """A stack with the load of three services, one for each generation, and one that emits both; vLLM and a GPU are scraped."""
    folder = tmp_path_factory.mktemp("boards")
    with filled(folder, SERVICES, SECONDS, interval=1, environment=QUICK, without=("alertmanager",)) as found:
        yield found


@pytest.fixture(scope="module")
def prometheus(sent: Filled) -> Prometheus:
    """The Prometheus of that stack."""
    return Prometheus(sent.stack.prometheus)


@pytest.fixture(scope="module")
def known(sent: Filled) -> Known:
    """The names that there are: of the plugin, of the Collector, and of the exporters."""
    found = Known(sent.stack.prometheus)
    samples = [line for name in INSTANCES for line in exposition(name, 0).splitlines() if not line.startswith("#")]
    for line in samples:
        labels = {"job", "instance", *re.findall(r'(\w+)="', line)}
        found.names[line.partition("{")[0]] = found.names.get(line.partition("{")[0], frozenset()) | labels
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser."""
    if missing := no_browser():
        pytest.skip(missing)
    made = Browser()
    yield made
    made.close()


def chosen(found: Filled, name: str, **values: str) -> Chosen:
    """What is chosen on a board: everything, but for these values."""
    own = {"team": "gen_ai_tag_tenant", **values}
    return Chosen(found.start - 5, found.end, 20, everything(MODELS[name], own))


def finite(answer: dict[str, Any]) -> list[float]:
    """The numbers of an answer."""
    values = [float(value) for series in answer["series"] for _, value in series["values"]]
    return [value for value in values if math.isfinite(value)]


def titled(name: str, title: str, ref: str = "A") -> str:
    """The query of a panel."""
    (panel,) = [panel for panel in MODELS[name]["panels"] if panel["title"] == title and panel.get("targets")]
    return next(target["expr"] for target in panel["targets"] if target["refId"] == ref)


# The files


def test_the_files_are_those_of_the_code():
    """Whoever changes a board changes its file as well, by `python dashboards/generate.py`."""
    expected = {f"{name.replace('_', '-')}.json": written(model) for name, model in MODELS.items()}

    assert expected.keys() == {file.name for file in BOARDS.glob("*.json")}
    assert [] == [name for name, text in expected.items() if text != (BOARDS / name).read_text(encoding="utf-8")]


@pytest.fixture
def changed(tmp_path):
    """The folder of the boards, to be changed."""
    shutil.copytree(BOARDS, tmp_path / "dashboards", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "deploy" / "prometheus", tmp_path / "deploy" / "prometheus")
    return tmp_path / "dashboards"


def generated(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What the command does there."""
    words = [sys.executable, str(folder / "generate.py"), *arguments]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)


def test_what_is_out_of_date(changed):
    """`--check` names the files that the code no longer makes, and writes nothing."""
    assert (0, "") == (generated(changed, "--check").returncode, generated(changed, "--check").stderr)
    (changed / "cost.json").write_text("{}", encoding="utf-8")

    done = generated(changed, "--check")

    assert (1, "Out of date: cost.json. `python dashboards/generate.py` writes them.\n") == (
        done.returncode,
        done.stderr,
    )
    assert 0 == generated(changed).returncode
    assert (BOARDS / "cost.json").read_bytes() == (changed / "cost.json").read_bytes()


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"reqps"', '""', "has no unit"),
        ("width=3", "width=30", "is wider than the grid"),
    ],
)
def test_a_board_with_a_mistake(changed, old, new, problem):
    """No file is written, and a sentence says in which line of which file the panel is, and what is wrong with it."""
    module = changed / "boards" / "overview.py"
    text = module.read_text(encoding="utf-8")
    assert old in text
    module.write_text(text.replace(old, new, 1), encoding="utf-8")
    (changed / "overview.json").unlink()

    done = generated(changed)

    (line,) = [number for number, line in enumerate(text.splitlines(), 1) if 'numbers("Requests",' in line]
    assert 1 == done.returncode
    assert f"{module}:{line}: the panel 'Requests' {problem}." in done.stderr.splitlines()
    assert not (changed / "overview.json").exists()


def test_a_table_with_a_column_without_a_unit(changed):
    """The sentence names the column."""
    module = changed / "boards" / "cost.py"
    text = module.read_text(encoding="utf-8")
    module.write_text(
        text.replace('Column("Cost", spent, "currencyUSD")', 'Column("Cost", spent, "")'), encoding="utf-8"
    )

    done = generated(changed)

    assert 1 == done.returncode
    assert "the panel 'Cost by model' has no unit of the column 'Cost'." in done.stderr


@pytest.mark.parametrize("schema", grafana_types.SCHEMAS, ids=lambda schema: schema.version)
def test_grafanas_types(schema):
    """The boards, the options of their panels, and the queries of traces and events are of Grafana's types: a wrong one is found."""
    if missing := npm.missing():
        pytest.skip(missing)
    wrong = json.loads(json.dumps(MODELS["overview"]))
    wrong["panels"][1]["options"]["graphMode"] = "landscape"

    assert "" == grafana_types.complaints(schema, MODELS)
    assert "landscape" in grafana_types.complaints(schema, {"wrong": wrong})


def test_grafanas_grammars():
    """The queries of traces are TraceQL, and those of events LogQL, as Grafana's editors parse them; what is neither is found."""
    if missing := npm.missing():
        pytest.skip(missing)
    nothing = Chosen(0, 1, 1, {**everything(MODELS["conversation"], {"conversation": "acme-1"}), "trace": "0" * 32})
    languages = {"tempo": ("traceql", "query"), "loki": ("logql", "expr")}
    queries = [
        (languages[source][0], nothing.put_into(target[languages[source][1]]))
        for _, panel in PANELS
        if (source := (panel.get("datasource") or {}).get("type")) in languages and panel["type"] != "traces"
        for target in panel["targets"]
    ]
    wrong = [("traceql", '{ span.gen_ai.conversation.id =~~ "x" && }'), ("logql", '{service_name="x" | ')]

    assert {"traceql", "logql"} == {language for language, _ in queries}
    assert [[]] * len(queries) == grafana_grammars.errors(queries)
    assert [] not in grafana_grammars.errors(wrong)


@pytest.mark.parametrize("name", MODELS)
def test_what_all_boards_have(name):
    """One set of variables, a link to the others, and panels that say what they show, from which metrics, and where the limits are."""
    model = MODELS[name]
    variables = [variable["name"] for variable in model["templating"]["list"]]
    common = ["datasource", "environment", "service", "provider", "model"]

    assert common[:3] == variables[:3]
    assert name == "model_server" or common == variables[:5]
    assert ["opentelemetry-genai"] == model["tags"] == model["links"][0]["tags"]
    assert len({panel["id"] for panel in model["panels"]}) == len(model["panels"])
    for panel in (panel for one, panel in WITH_METRICS if one == name):
        limits = [step for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"] if step["value"] is not None]
        assert not limits or "Orange" in panel["description"]
        used = {
            re.sub(r"_(bucket|count|sum)$", "", one) for target in panel["targets"] for one in _metrics(target["expr"])
        }
        assert used == {one for one in used if f"`{one}`" in panel["description"]}
        assert panel["description"].endswith(".")


def _metrics(query: str) -> set[str]:
    return set(re.findall(r"([a-zA-Z_:][\w:]*)\{", query))


# The queries


@pytest.mark.parametrize(
    ("name", "panel"), WITH_METRICS, ids=[f"{name}: {panel['title']}" for name, panel in WITH_METRICS]
)
def test_names_and_labels(known, sent, name, panel):
    """Each metric and each label of each query is one that the plugin emits, or that the exporters do; nothing is divided by zero."""
    for target in panel["targets"]:
        expression = chosen(sent, name).put_into(target["expr"])
        assert [] == known.complaints(expression)
        assert [] == [divisor for divisor in divisors(known.parse(expression)) if not is_guarded(divisor)]


def test_a_name_that_is_not_emitted(known):
    """A metric that was renamed, a label that a metric does not have, and a division without a guard are found."""
    duration = "gen_ai_client_operation_duration_seconds_count"

    assert ["nothing here has a label gen_ai_modell"] == known.complaints(
        f"sum by (gen_ai_modell) (rate({duration}{{}}[1m]))"
    )
    assert f"{duration} has no label gen_ai_modell" in known.complaints(f'rate({duration}{{gen_ai_modell="a"}}[1m])')[0]
    assert "the plugin emits no" in known.complaints(f"rate({duration}s{{}}[1m])")[0]
    assert [False, True] == [is_guarded(*divisors(known.parse(f"sum(a) / {by}"))) for by in ("sum(b)", "(sum(b) > 0)")]


@pytest.mark.parametrize("service", [V1_41, LATEST, BOTH])
@pytest.mark.parametrize(
    ("name", "panel"), WITH_METRICS, ids=[f"{name}: {panel['title']}" for name, panel in WITH_METRICS]
)
def test_every_query_has_data(prometheus, sent, name, panel, service):
    """Numbers come of each query of each panel, for a service with v1.41's names, one with the latest, and one with both."""
    answers = prometheus.panel(panel, chosen(sent, name, service=service))

    assert len(panel["targets"]) == len(answers)
    assert [] == [answer["query"] for answer in answers if not finite(answer)]
    # A legend that is made of a label that the series do not have would be empty.
    labels = [re.findall(r"\{\{(\w+)\}\}", answer["legend"]) for answer in answers]
    for names, answer in zip(labels, answers, strict=True):
        assert all(one in series["labels"] for one in names for series in answer["series"])


@pytest.mark.parametrize(
    ("name", "panel"), OF_SERVICES, ids=[f"{name}: {panel['title']}" for name, panel in OF_SERVICES]
)
def test_no_traffic(prometheus, sent, name, panel):
    """Of a service that there is not, there is nothing: neither a zero nor a division by it; panels say 'No traffic'."""
    answers = prometheus.panel(panel, chosen(sent, name, service="nobody"))

    assert [] == [number for answer in answers for number in finite(answer)]
    assert "No traffic" == panel["fieldConfig"]["defaults"]["noValue"]


@pytest.mark.parametrize("name", MODELS)
def test_variables_have_values(prometheus, sent, name):
    """Each variable finds values in Prometheus, of services with either names."""
    for variable in MODELS[name]["templating"]["list"]:
        if variable["type"] != "query":
            continue
        query = chosen(sent, name).put_into(variable["query"]["query"])
        if query == "label_names()":
            found = [one for one in prometheus.ask("labels") if re.match(variable["regex"].strip("/"), one)]
            assert ["gen_ai_tag_team", "gen_ai_tag_tenant"] == found
            continue
        series, label = re.fullmatch(r"label_values\((.*), (\w+)\)", query).groups()
        found = prometheus.ask(f"label/{label}/values", **{"match[]": series})
        assert found, variable["name"]
        if variable["name"] == "service":
            assert {V1_41, LATEST, BOTH} == {*found}


# The numbers


def counted(
    prometheus: Prometheus, found: Filled, query: str, service: str, name: str
) -> list[tuple[dict[str, str], float]]:
    """What a query of increases says of all that there ever was: it has no `increase`, which looks at a range."""
    expression = chosen(found, name, service=service).put_into(query)
    plain = re.sub(r"increase\((\w+\{[^}]*\})\[\w+\]\)", r"\1", expression)
    assert plain != expression
    return [
        (one["metric"], float(one["value"][1]))
        for one in prometheus.ask("query", query=plain, time=time.time())["result"]
    ]


@pytest.mark.parametrize("service", [V1_41, LATEST, BOTH])
def test_calls_count_once(prometheus, sent, service):
    """The boards' queries find each request, token, dollar and error that was sent, once, whatever names it has."""
    report = sent.reports[service]

    def total(name: str, title: str, ref: str = "A") -> float:
        return sum(value for _, value in counted(prometheus, sent, titled(name, title, ref), service, name))

    assert report["requests"] == total("overview", "By service")
    assert report["requests"] == total("overview", "Requests by operation")
    # The latest generation has no metric for the tokens of embeddings, which have no output.
    embedded = report["tokens"]["input"] - total("overview", "Top models", "D")
    assert 0 < embedded < report["tokens"]["input"] / 10 if service == LATEST else embedded == 0
    assert report["tokens"]["output"] == total("overview", "Top models", "E")
    assert sum(report["errors"].values()) == total("errors", "Failed calls")
    assert report["agents"] == _by(
        "gen_ai_agent_name", counted(prometheus, sent, titled("agents", "By agent"), service, "agents")
    )
    assert report["tools"] == _by(
        "gen_ai_tool_name", counted(prometheus, sent, titled("agents", "By tool"), service, "agents")
    )
    assert sum(report["evaluations"].values()) == total("quality", "Evaluations")
    assert sum(report["cost"].values()) == pytest.approx(total("cost", "Cost"), abs=0.01)
    assert report["models"] == _by(
        "gen_ai_request_model", counted(prometheus, sent, titled("overview", "Top models"), service, "overview")
    )


def _by(label: str, rows: list[tuple[dict[str, str], float]]) -> dict[str, float]:
    """The sums of rows by a label."""
    found: Counter[str] = Counter()
    for labels, value in rows:
        found[labels[label]] += value
    return dict(found)


@pytest.mark.parametrize(
    ("kind", "statuses"), [("RATE_LIMITED", {"429"}), ("TIMED_OUT", {"APITimeoutError"}), ("BROKEN", {"500"})]
)
def test_kinds_of_errors(prometheus, sent, kind, statuses):
    """The patterns of `error.type` find the failures that they are named after, and no other."""
    from boards import errors

    reported = sum(
        count for one in SERVICES for status, count in sent.reports[one.name]["errors"].items() if status in statuses
    )
    calls = "gen_ai_client_operation_duration_seconds_count{%s} or gen_ai_client_inference_duration_seconds_count{%s}"
    matcher = getattr(errors, kind)
    found = prometheus.ask("query", query=f"sum({calls % (matcher, matcher)})", time=time.time())["result"]

    assert reported == sum(float(one["value"][1]) for one in found)
    assert reported


# One conversation


def test_from_an_exemplar_to_the_conversation(prometheus, sent):
    """The exemplars of a panel lead to traces in Jaeger; a conversation's id finds its traces, and its events, by the board's queries."""
    (panel,) = [panel for panel in MODELS["conversation"]["panels"] if panel["title"] == "Duration, p95"]
    (answer,) = prometheus.panel(panel, chosen(sent, "conversation"))
    traces = {exemplar["labels"]["trace_id"] for exemplar in answer["exemplars"]}
    kept = {trace["traceID"] for service in SERVICES for trace in Jaeger(sent.stack.jaeger).recent(service.name)}
    one = conversation_of(sent, V1_41)
    rows = Jaeger(sent.stack.jaeger).of_conversation(one["conversation"], [V1_41])
    by_title = {panel["title"]: panel for panel in MODELS["conversation"]["panels"]}
    board = chosen(sent, "conversation", **one)
    of_conversation, of_trace = (
        events(
            sent.stack.folder / "logs.jsonl", board.put_into(by_title[f"Events of the {what}"]["targets"][0]["expr"])
        )
        for what in ("conversation", "trace")
    )

    assert traces & kept
    assert one["trace"] in {row["trace"] for row in rows}
    assert [] != [line for line in of_conversation if line["text"].startswith("chat ")]
    assert [] != of_trace
    assert "chat" in {span["name"].split()[0] for span in Jaeger(sent.stack.jaeger).spans(one["trace"])}


# The pictures


@pytest.mark.parametrize("name", MODELS)
def test_a_board_can_be_drawn(sent, prometheus, browser, tmp_path, name):
    """The page draws each panel from the data, in a real browser, without a problem, and none of them is empty."""
    own = {"team": "gen_ai_tag_tenant", **conversation_of(sent, V1_41)}
    jaeger = Jaeger(sent.stack.jaeger)
    sources = Sources(
        prometheus, Chosen(sent.start, sent.end, 20, own), jaeger, sent.stack.folder / "logs.jsonl", (V1_41,)
    )

    page = draw(MODELS[name], sources, browser, tmp_path / "board.png")

    assert [] == page.problems
    assert sum(panel["type"] != "row" for panel in MODELS[name]["panels"]) == page.value(
        "document.querySelectorAll('section > h2').length"
    )
    assert [] == page.value(
        "[...document.querySelectorAll('.none')].map((one) => one.closest('section').querySelector('h2').textContent)"
    )
    assert (tmp_path / "board.png").stat().st_size > 20_000
    page.close()


@pytest.mark.parametrize("name", [name.replace("_", "-") for name in MODELS])
def test_the_page_shows_each_board(name):
    """`docs/dashboards.md` has a section about each board, with its picture, which is small."""
    text = (ROOT / "docs" / "dashboards.md").read_text(encoding="utf-8")

    assert f"(images/board-{name}.png)" in text
    assert f"dashboards/{name}.json" in text
    for picture in (f"board-{name}", "alerts"):
        assert (ROOT / "docs" / "images" / f"{picture}.png").stat().st_size < 150_000


def test_the_expositions_say_what_they_are():
    """They are no recordings, and say so in their first line."""
    for file in EXPOSITIONS.iterdir():
        first = file.read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith("# Written by hand from ")
        assert "no recording" in first


def test_grafana_reads_what_prometheus_is_asked(sent):
    """Prometheus has scraped both exporters; nothing else is missing."""
    up = ask(sent.stack.prometheus, "/api/v1/query", query='up{job=~"vllm|dcgm"}')["data"]["result"]

    assert {"vllm": "1", "dcgm": "1"} == {one["metric"]["job"]: one["value"][1] for one in up}

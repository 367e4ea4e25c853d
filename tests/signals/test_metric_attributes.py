"""Tags and baggage on metrics, for token budgets and cost by team: only those that the setting lists, with a limit of values."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry import baggage, context

from loopback import Json
from loopback.openai_bodies import CHAT, completion
from opentelemetry_instrumentation_genai import OpenAIInstrumentor, execute_tool, genai_context

OURS = "opentelemetry_instrumentation_genai"
TOKENS, DURATION = "gen_ai.client.token.usage", "gen_ai.client.operation.duration"


@pytest.fixture(autouse=True)
def warn_again(monkeypatch) -> None:
    """Warnings that are logged once per process are logged again."""
    monkeypatch.setattr(f"{OURS}._runtime.guard._reported", set())


@pytest.fixture
def call(server, openai_client) -> Any:
    """Makes a call with tags and baggage."""
    client = openai_client()

    def make(tags: dict[str, Any] | None = None, **entries: str) -> None:
        current = context.get_current()
        for key, value in entries.items():
            current = baggage.set_baggage(key, value, current)
        token = context.attach(current)
        try:
            with genai_context(tags=tags):
                server.reply(Json(completion()))
                client.chat.completions.create(**CHAT)
        finally:
            context.detach(token)

    return make


def _values(telemetry: Any, metric: str, name: str) -> list[Any]:
    return [point.attributes.get(name) for point in telemetry.metrics[metric]]


def test_none_by_default(telemetry, call) -> None:
    """Without the setting, metrics have no tag and no baggage."""
    OpenAIInstrumentor().instrument(**telemetry.providers)
    call({"team": "search"}, tenant="acme")
    names = {name for points in telemetry.metrics.values() for point in points for name in point.attributes}
    assert not [name for name in names if "team" in name or "tenant" in name]


def test_tags_and_baggage(telemetry, call) -> None:
    """A listed tag has the name that it has on spans; an entry of baggage has its key, or the attribute of the setting `baggage`."""
    OpenAIInstrumentor().instrument(
        **telemetry.providers, metric_attributes="team, tenant,plan", baggage="plan=app.plan", metrics="extended"
    )
    call({"team": "search", "other_tag": "x"}, tenant="acme", plan="pro", more="y")
    for metric in (TOKENS, DURATION, "llm.request.count"):
        for point in telemetry.metrics[metric]:
            added = {name: point.attributes[name] for name in ("gen_ai.tag.team", "tenant", "app.plan")}
            assert added == {"gen_ai.tag.team": "search", "tenant": "acme", "app.plan": "pro"}
            assert not [name for name in point.attributes if "other_tag" in name or "more" in name]


def test_a_tag_before_baggage(telemetry, call) -> None:
    """Where both have the name, the tag counts; a list of texts counts as none."""
    OpenAIInstrumentor().instrument(**telemetry.providers, metric_attributes=["team"])
    call({"team": 7}, team="baggage")
    call({"team": ["a", "b"]}, team="baggage")
    assert _values(telemetry, DURATION, "gen_ai.tag.team") == ["7", None]
    assert _values(telemetry, DURATION, "team") == [None, "baggage"]


def test_further_values_are_other(telemetry, call, caplog) -> None:
    """The first values are recorded, all further ones as `other`, which one warning says; those that are known go on."""
    OpenAIInstrumentor().instrument(**telemetry.providers, metric_attributes="team", metric_attribute_values=2)
    for team in ("a", "b", "c", "d", "a"):
        call({"team": team})
    points = {point.attributes["gen_ai.tag.team"]: point.count for point in telemetry.metrics[DURATION]}
    assert points == {"a": 2, "b": 1, "other": 2}
    (warning,) = [record.getMessage() for record in caplog.records if record.name == OURS]
    assert warning == (
        "team has had 2 different values: further ones are recorded on metrics as 'other'. "
        "The limit is OTEL_INSTRUMENTATION_GENAI_METRIC_ATTRIBUTE_VALUES."
    )
    assert [span.attributes["gen_ai.tag.team"] for span in telemetry.spans] == ["a", "b", "c", "d", "a"]


def test_operations_of_the_application(telemetry) -> None:
    """Tools and agents have them as well."""
    OpenAIInstrumentor().instrument(**telemetry.providers, metric_attributes="team")
    with genai_context(tags={"team": "search"}), execute_tool("tool"):
        pass
    assert _values(telemetry, "gen_ai.execute_tool.duration", "gen_ai.tag.team") == ["search"]


def test_users_are_never_on_metrics(telemetry, call, caplog) -> None:
    """Names of users are left out, with a warning, also those of the setting `baggage`."""
    OpenAIInstrumentor().instrument(
        **telemetry.providers,
        metric_attributes="user.id,who,tenant",
        baggage="who=user_id",
        user_id_key="a key of sixteen characters",
    )
    call(None, **{"user.id": "alice@example.com", "who": "bob@example.com", "tenant": "acme"})
    assert "example.com" not in str([point.attributes for points in telemetry.metrics.values() for point in points])
    assert _values(telemetry, DURATION, "tenant") == ["acme"]
    warned = sorted(record.getMessage() for record in caplog.records if record.name == OURS)
    assert warned == [f"{name} names a user: metrics never have it, and it is left out." for name in ("user.id", "who")]

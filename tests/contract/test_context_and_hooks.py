"""The application's context and its hooks, in every way of calling: the first row of each kind of each provider."""

from __future__ import annotations

import hmac
from typing import Any

import pytest

from contract import VARIANTS, WAYS, Provider, Row, Variant, Way, differences, expected
from contract.providers import PROVIDERS
from opentelemetry_instrumentation_genai import genai_context
from opentelemetry_instrumentation_genai.hooks import GenAIRequest

KEY = "a key of the test's own"
ATTRIBUTES = {
    "gen_ai.conversation.id": "conversation 1",
    "gen_ai.prompt.name": "greeting",
    "gen_ai.prompt.version": "2",
    "gen_ai.tag.team": "search",
    "enduser.pseudo.id": hmac.new(KEY.encode(), b"joe", "sha256").hexdigest(),
    "hooked.request": True,
    "hooked.response": True,
}
ENRICHED = {"conversation.fingerprint", "gen_ai.conversation.first", "llm.request.purpose"}


def _kinds(provider: Provider) -> list[Row]:
    """The first row of each style and operation."""
    first: dict[Any, Row] = {}
    for row in provider.rows:
        first.setdefault((row.style, row.span.partition(" ")[0]), row)
    return [*first.values()]


CALLS = [
    pytest.param(provider, row, variant, id=f"{provider.name}-{row.id}-{variant.id}")
    for provider in PROVIDERS
    for row in _kinds(provider)
    for variant in VARIANTS
    if variant.fits(row)
]


class Seen:
    """The hooks of an application, and what they were given."""

    def __init__(self) -> None:
        self.requests: list[GenAIRequest] = []
        self.responses: list[tuple[GenAIRequest, Any]] = []

    def request(self, span: Any, request: GenAIRequest) -> None:
        """A call has started."""
        span.set_attribute("hooked.request", True)
        self.requests.append(request)

    def response(self, span: Any, request: GenAIRequest, response: Any) -> None:
        """A call is about to end."""
        span.set_attribute("hooked.response", True)
        self.responses.append((request, response))


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
@pytest.mark.parametrize(("provider", "row", "variant"), CALLS)
def test_the_context_is_on_span_and_event_and_hooks_see_the_call(
    caller: Any, *, provider: Provider, row: Row, variant: Variant, way: Way
) -> None:
    """The call stays as it is; span and event have the context, metrics have not; each hook is called once."""
    client, seen = caller.clients(provider.clients[0], way), Seen()

    with genai_context(
        conversation_id="conversation 1",
        user_id="joe",
        tags={"team": "search"},
        prompt_name="greeting",
        prompt_version="2",
    ):
        bare, made = caller.make_twice(
            provider,
            row,
            variant,
            client,
            way,
            capture_message_content="span_and_event",
            enrichers="all",
            user_id_key=KEY,
            request_hook=seen.request,
            response_hook=seen.response,
        )

    assert (bare.result, bare.requests) == (made.result, made.requests)
    _assert_recorded(made.snapshot)
    constants = {"gen_ai.provider.name": provider.clients[0].provider, **provider.constants}
    assert [] == differences(expected(row, variant, constants, content=True), made.snapshot)
    _assert_seen(seen, made, row, variant)


def _assert_recorded(snapshot: Any) -> None:
    """Span and event have it; both are without it from here on."""
    for recorded in (*snapshot["spans"], *snapshot["events"]):
        attributes = recorded["attributes"]
        on_span = recorded in snapshot["spans"]
        found = {name: attributes.pop(name) for name in ATTRIBUTES if name in attributes}
        assert ATTRIBUTES == (found if on_span else {**found, "hooked.request": True, "hooked.response": True})
        for name in ENRICHED:
            attributes.pop(name, None)


def _assert_seen(seen: Seen, made: Any, row: Row, variant: Variant) -> None:
    """The hooks were given what was sent, and what came if it was read."""
    (request,), ((again, response),) = seen.requests, seen.responses
    assert request is again
    named = [request.operation, request.model]
    assert [row.request.get(f"gen_ai.{name}") for name in ("operation.name", "request.model")] == named
    assert variant.stream is request.stream
    if made.members:
        assert {*made.members} == {*request.body} - {"id"}  # which is in the path
    if row.response or row.output:  # sound is not kept
        assert (variant.sees == "response") is (response is not None)
    assert not isinstance(response, BaseException)

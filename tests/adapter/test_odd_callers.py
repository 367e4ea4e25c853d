"""What callers do wrong costs the part that it spoils: the span is there with what could be read, and nobody is asked to report it.

`tests/fuzz` looks for more of the kind.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import anthropic
import openai
import pytest

from loopback import Json, anthropic_bodies, openai_bodies
from opentelemetry_instrumentation_genai import AnthropicInstrumentor, OpenAIInstrumentor

INPUT = "gen_ai.input.messages"


class Raising:
    """Raises wherever it is touched; but for `__class__`, which the SDKs look at before they come to us."""

    def __getattr__(self, name: str) -> Any:
        raise ZeroDivisionError(name)

    def __eq__(self, other: object) -> bool:
        raise ZeroDivisionError

    __hash__ = None  # type: ignore[assignment]

    def __iter__(self) -> Any:
        raise ZeroDivisionError

    def __bool__(self) -> bool:
        raise ZeroDivisionError

    def __repr__(self) -> str:
        raise ZeroDivisionError


class RaisingDict(dict[str, Any]):
    """A dict with methods that raise."""

    def _raise(self, *_: Any) -> Any:
        raise ZeroDivisionError

    get = items = keys = values = _raise  # type: ignore[assignment]

    def __contains__(self, _: object) -> bool:
        raise ZeroDivisionError


class RaisingList(list[Any]):
    """A list that cannot be read."""

    def __iter__(self) -> Any:
        raise ZeroDivisionError


def fails(call: Callable[[], object]) -> bool:
    """Whether a call raises, which is the SDK's to decide."""
    try:
        call()
    except Exception:
        return True
    return False


@pytest.fixture
def opened() -> Iterator[Callable[[Any], Any]]:
    """Closes clients after the test."""
    with ExitStack() as stack:
        yield stack.enter_context


@pytest.fixture
def post(server: Any, telemetry: Any, opened: Any, caplog: pytest.LogCaptureFixture) -> Callable[..., Any]:
    """Sends a body by hand through an SDK, whatever becomes of it; gives the one span. Nothing is logged by us."""

    def send(sdk: str, body: Any, **settings: Any) -> Any:
        is_openai = sdk == "openai"
        instrumentor = OpenAIInstrumentor() if is_openai else AnthropicInstrumentor()
        instrumentor.instrument(
            **telemetry.providers,
            capture_message_content=True,
            enrichers="llm.request.purpose",
            request_hook=lambda *_: None,
            stream_usage="inject",
            metrics="extended",
            **settings,
        )
        server.reply_always(Json(openai_bodies.completion() if is_openai else anthropic_bodies.message()))
        if is_openai:
            client: Any = opened(openai.OpenAI(base_url=f"{server.url}/v1", api_key="k", max_retries=0))
        else:
            client = opened(anthropic.Anthropic(base_url=server.url, api_key="k", max_retries=0))
        path = "/chat/completions" if is_openai else "/v1/messages"
        failed = fails(lambda: client.post(path, cast_to=object, body=body))
        assert failed == ("error.type" in telemetry.span.attributes)
        assert [] == [record for record in caplog.records if record.name.startswith("opentelemetry")]
        return telemetry.span

    return send


MESSAGE = {"role": "user", "content": "Hi"}
# Made anew for each test: pytest cannot look at some of them.
ODD: dict[str, Callable[[], Any]] = {
    "raises": Raising,
    "a dict that raises": lambda: RaisingDict(role="user"),
    "a list that raises": lambda: RaisingList([1]),
    "an object": object,
    "an iterator": lambda: iter([1]),
}
BY_ODD = pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())


@pytest.mark.parametrize("sdk", ["openai", "anthropic"])
@pytest.mark.parametrize(
    "name",
    [
        *("messages", "temperature", "stop", "service_tier", "tools", "system", "response_format", "stream"),
    ],
)
@BY_ODD
def test_a_member_that_raises_costs_itself_only(post, name, sdk, odd):
    """The model and the other members are recorded, the messages too."""
    span = post(sdk, {"model": "m", "top_p": 0.5, "messages": [MESSAGE], name: odd()})

    assert ("chat m", 0.5) == (span.name, span.attributes["gen_ai.request.top_p"])
    if name != "messages":
        assert [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}] == json.loads(span.attributes[INPUT])


@pytest.mark.parametrize("sdk", ["openai", "anthropic"])
@BY_ODD
@pytest.mark.parametrize("place", ["message", "role", "content", "block", "type", "text", "name", "tool_calls"])
def test_what_raises_in_a_message_costs_its_place_only(post, sdk, odd, place):
    """The other messages are recorded, and what was in the place by its type."""
    blocks: Any = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    message: Any = {"role": "user", "content": blocks}
    if place == "message":
        message = odd()
    elif place == "block":
        blocks[0] = odd()
    elif place in ("type", "text"):
        blocks[0][place] = odd()
    else:
        message[place] = odd()
    span = post(sdk, {"model": "m", "messages": [MESSAGE, message, MESSAGE]})

    messages = json.loads(span.attributes[INPUT])
    assert 3 == len(messages)
    assert messages[0] == messages[2] == {"role": "user", "parts": [{"type": "text", "content": "Hi"}]}
    if place in ("block", "type", "text"):
        assert {"type": "text", "content": "two"} == messages[1]["parts"][1]


@pytest.mark.parametrize("odd", [lambda: 5, lambda: "x", lambda: [1], *[*ODD.values()][2:]])
def test_what_is_no_extra_body_costs_itself_only(server, telemetry, openai_client, caplog, odd):
    """The SDK tells the caller; the span has what the body says, and the error."""
    OpenAIInstrumentor().instrument(**telemetry.providers, capture_message_content=True)
    server.reply_always(Json(openai_bodies.completion()))
    create = openai_client().chat.completions.create
    failed = fails(lambda: create(model="m", messages=[MESSAGE], extra_body=odd()))

    assert "chat m" == telemetry.span.name
    assert failed == ("error.type" in telemetry.span.attributes)
    assert "Hi" in telemetry.span.attributes[INPUT]
    assert [] == [record for record in caplog.records if record.name.startswith("opentelemetry")]


@pytest.mark.parametrize("sdk", ["openai", "anthropic"])
@pytest.mark.parametrize(
    "headers", [{"x": 5}, {"x": None}, {"": ""}, {b"x": b"y"}, {"x": object()}, {"anthropic-beta": 5}]
)
def test_odd_headers_cost_nothing(server, telemetry, opened, caplog, *, sdk, headers):
    """Whatever the SDK makes of them; the trace is propagated, or not."""
    is_openai = sdk == "openai"
    instrumentor = OpenAIInstrumentor() if is_openai else AnthropicInstrumentor()
    instrumentor.instrument(**telemetry.providers, propagate="self-hosted", capture_message_content=True)
    server.reply_always(Json(openai_bodies.completion() if is_openai else anthropic_bodies.message()))
    if is_openai:
        client: Any = opened(openai.OpenAI(base_url=f"{server.url}/v1", api_key="k", max_retries=0))
        call = partial(client.chat.completions.create, model="m", messages=[MESSAGE])
    else:
        client = opened(anthropic.Anthropic(base_url=server.url, api_key="k", max_retries=0))
        call = partial(client.messages.create, model="m", max_tokens=9, messages=[MESSAGE])

    assert fails(lambda: call(extra_headers=headers)) == ("error.type" in telemetry.span.attributes)
    assert "chat m" == telemetry.span.name
    assert "Hi" in telemetry.span.attributes[INPUT]
    assert [] == [record for record in caplog.records if record.name.startswith("opentelemetry")]


@pytest.mark.parametrize("odd", [lambda: iter([1]), lambda: (each for each in [1]), lambda: [1], lambda: 5])
@pytest.mark.parametrize("sdk", ["openai", "anthropic"])
def test_a_wrong_extra_body_raises_the_same_error_for_the_caller(server, opened, telemetry, sdk, odd):
    """What it was is not changed on the way, neither for content nor to ask for usage."""
    if sdk == "openai":
        client: Any = opened(openai.OpenAI(base_url=f"{server.url}/v1", api_key="k", max_retries=0))
        call = partial(client.chat.completions.create, model="m", messages=[MESSAGE], stream=True)
    else:
        client = opened(anthropic.Anthropic(base_url=server.url, api_key="k", max_retries=0))
        call = partial(client.messages.create, model="m", max_tokens=9, messages=[MESSAGE], stream=True)
    with pytest.raises(TypeError) as bare:
        call(extra_body=odd())
    instrumentor = OpenAIInstrumentor() if sdk == "openai" else AnthropicInstrumentor()
    instrumentor.instrument(**telemetry.providers, capture_message_content=True, stream_usage="inject")
    with pytest.raises(TypeError) as followed:
        call(extra_body=odd())

    assert str(bare.value) == str(followed.value)
    assert [] == server.requests

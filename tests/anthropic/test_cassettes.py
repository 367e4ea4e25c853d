"""Exchanges with Anthropic's API, written by hand, and what telemetry tells of each.

A cassette holds one exchange, and everything about the test of it: the request says which method and which arguments,
its first line where it comes from. What telemetry tells is in a file of the same name below `snapshots`. A streamed
exchange (`NAME.stream`) that has a plain twin (`NAME`) has no file of its own: it must tell what its twin tells, and
that it was streamed. `pytest --inline-snapshot=create,fix` writes the files anew.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anthropic
import pytest
import yaml
from inline_snapshot import external_file

from cassettes import as_streamed, recorded_once
from loopback import ModelServer, Telemetry, Text
from opentelemetry_instrumentation_genai import AnthropicInstrumentor

if sys.version_info < (3, 11):
    pytest.skip("vcrpy that replays for httpx2 needs Python 3.11", allow_module_level=True)

import vcr

CASSETTES = Path(__file__).parents[2] / "cassettes" / "anthropic"
SNAPSHOTS = Path(__file__).parent / "snapshots"
NAMES = sorted(path.relative_to(CASSETTES).with_suffix("").as_posix() for path in CASSETTES.rglob("*.yaml"))
PLAIN = [name for name in NAMES if f"{name.removesuffix('.stream')}" not in NAMES or not name.endswith(".stream")]
TWINS = sorted(set(NAMES) - set(PLAIN))
# The exception by the name that a snapshot has for it.
_NAMED = {
    "messages/overloaded": pytest.mark.skipif(
        not hasattr(anthropic, "OverloadedError"), reason="this SDK raises another exception"
    )
}
EXCHANGES = [pytest.param(name, marks=_NAMED.get(name, ())) for name in PLAIN]
# Twins with streams that are cut as well.
CUT = [name for name in TWINS if name.startswith("messages/") and "refusal" not in name]

ORIGIN = re.compile(r"# (Recorded from .+ on loopback|Written by hand from .+ public API reference \(.+\))\.")
SECRET = re.compile(r"authorization: |cookie|sk-|Bearer|api-key: ", re.IGNORECASE)
# Attributes that the end of a stream brings.
OF_THE_END = ("anthropic.message.stop_reason", "gen_ai.usage.output_tokens", "gen_ai.usage.reasoning.output_tokens")
# Without the SDK's own tracing; the modes of `test_native_tracing` are about its spans.
QUIET = {"open_telemetry": False} if hasattr(anthropic._base_client.BaseClient, "_tracer") else {}


@dataclass(frozen=True)
class Exchange:
    """A cassette, as far as the call needs it."""

    beta: bool
    uri: str
    betas: list[str]
    body: Mapping[str, Any]
    answer: str

    @classmethod
    def of(cls, name: str) -> Exchange:
        """The one exchange of the cassette `name`."""
        (interaction,) = yaml.safe_load((CASSETTES / f"{name}.yaml").read_text(encoding="utf-8"))["interactions"]
        request, response = interaction["request"], interaction["response"]
        betas = [beta for line in request["headers"].get("anthropic-beta", ()) for beta in line.split(",")]
        body = json.loads(request["body"])
        return cls(name.startswith("beta/"), request["uri"], betas, body, response["body"]["string"])

    @property
    def chunks(self) -> list[Any]:
        """The events of its stream that an application sees: all but those that only keep the connection."""
        lines = self.answer.splitlines()
        sent = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: {")]
        return [event for event in sent if event["type"] != "ping"]

    def client(self, *, asynchronous: bool, **settings: Any) -> Any:
        """A client of the server that the request went to."""
        url = urlsplit(self.uri)
        kind = anthropic.AsyncAnthropic if asynchronous else anthropic.Anthropic
        http = anthropic.DefaultAsyncHttpxClient if asynchronous else anthropic.DefaultHttpxClient
        known = {"base_url": f"{url.scheme}://{url.netloc}", "api_key": "not-a-key", "max_retries": 0}
        # To load certificates takes longer than a test.
        return kind(**{**known, "http_client": http(verify=False), **QUIET, **settings})

    def call(self, client: Any) -> Any:
        """The call that makes the request."""
        create = client.beta.messages.create if self.beta else client.messages.create
        keywords = _keywords(create, self.body)
        return create(**keywords, betas=self.betas) if self.betas else create(**keywords)


def _keywords(create: Any, body: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a body as arguments; those that this version of the SDK does not know as `extra_body`."""
    known = inspect.signature(create).parameters
    extra = {name: value for name, value in body.items() if name not in known}
    keywords = {name: value for name, value in body.items() if name in known}
    return {**keywords, "extra_body": extra} if extra else keywords


def replay(name: str, telemetry: Telemetry) -> dict[str, Any]:
    """Makes the call of a cassette, reads what it gives, and tells what telemetry does."""
    exchange = Exchange.of(name)
    _instrument(telemetry)
    raised = None
    with _cassette(name) as cassette, exchange.client(asynchronous=False) as client:
        try:
            result = exchange.call(client)
            if isinstance(result, anthropic.Stream):
                list(result)
        except anthropic.APIError as error:
            raised = error
        assert cassette.all_played
    return recorded_once(telemetry, raised)


async def replay_async(name: str, telemetry: Telemetry) -> dict[str, Any]:
    """The same with an asynchronous client."""
    exchange = Exchange.of(name)
    _instrument(telemetry)
    raised = None
    with _cassette(name) as cassette:
        async with exchange.client(asynchronous=True) as client:
            try:
                result = await exchange.call(client)
                if isinstance(result, anthropic.AsyncStream):
                    [event async for event in result]
            except anthropic.APIError as error:
                raised = error
        assert cassette.all_played
    return recorded_once(telemetry, raised)


def _instrument(telemetry: Telemetry) -> None:
    AnthropicInstrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")


def _cassette(name: str) -> Any:
    # Not by the query: SDKs differ in whether they say there that a feature is beta.
    matched = ["method", "scheme", "host", "path", "body"]
    return vcr.use_cassette(str(CASSETTES / f"{name}.yaml"), record_mode="none", match_on=matched)


@pytest.mark.parametrize("name", EXCHANGES)
def test_telemetry_tells_what_was_exchanged(name: str, telemetry: Telemetry) -> None:
    """Attributes, messages, metrics and events of a call are those of its snapshot, with their types."""
    assert external_file(SNAPSHOTS / f"{name}.json") == replay(name, telemetry)


@pytest.mark.parametrize("name", EXCHANGES)
async def test_asynchronous_calls_tell_the_same(name: str, telemetry: Telemetry) -> None:
    """An asynchronous client makes no difference."""
    assert external_file(SNAPSHOTS / f"{name}.json") == await replay_async(name, telemetry)


@pytest.mark.parametrize("name", TWINS)
def test_a_stream_tells_what_its_plain_twin_tells(name: str, telemetry: Telemetry) -> None:
    """Put together, a stream is the plain response; only its being one, and the times of its chunks, come to it."""
    assert _as_streamed(name) == replay(name, telemetry)


@pytest.mark.parametrize("name", TWINS)
async def test_an_asynchronous_stream_tells_what_its_plain_twin_tells(name: str, telemetry: Telemetry) -> None:
    """The same for an asynchronous client."""
    assert _as_streamed(name) == await replay_async(name, telemetry)


def _as_streamed(name: str) -> dict[str, Any]:
    """What the twin's snapshot would be, had its response been streamed."""
    return as_streamed(_snapshot(name), len(Exchange.of(name).chunks))


def _snapshot(name: str) -> dict[str, Any]:
    """What the twin tells."""
    snapshot: dict[str, Any] = json.loads(
        (SNAPSHOTS / f"{name.removesuffix('.stream')}.json").read_text(encoding="utf-8")
    )
    return snapshot


@pytest.mark.parametrize("name", CUT)
def test_a_stream_without_its_end_has_what_was_received(name: str, server: ModelServer, telemetry: Telemetry) -> None:
    """All blocks were sent before `message_delta`: the reason is missing, and the tokens that were put out."""
    exchange = Exchange.of(name)
    cut = exchange.answer[: exchange.answer.rfind("event: message_delta\n")]
    server.reply(Text(cut, content_type="text/event-stream"))
    _instrument(telemetry)

    with exchange.client(asynchronous=False, base_url=server.url) as client:
        list(exchange.call(client))

    whole, attributes = _snapshot(name)["attributes"], telemetry.span.attributes
    assert ("error",) == attributes["gen_ai.response.finish_reasons"]
    assert [] == [missing for missing in OF_THE_END if missing in attributes]
    (message,) = json.loads(attributes["gen_ai.output.messages"])
    assert whole["gen_ai.output.messages"][0]["parts"] == message["parts"]
    assert whole["gen_ai.usage.input_tokens"] == attributes["gen_ai.usage.input_tokens"]


@pytest.mark.parametrize("name", NAMES)
def test_a_cassette_says_where_it_comes_from_and_holds_no_secret(name: str) -> None:
    """Its first line names its origin, its second what it shows; no credentials are in it."""
    text = (CASSETTES / f"{name}.yaml").read_text(encoding="ascii")
    first, second, *_ = text.splitlines()
    assert ORIGIN.fullmatch(first)
    assert second.startswith("# ")
    assert [] == SECRET.findall(text)


@pytest.mark.parametrize("name", PLAIN)
def test_a_snapshot_has_nothing_that_may_not_be_recorded(name: str) -> None:
    """No bytes, nothing that only the provider can read, no token of a server's."""
    text = (SNAPSHOTS / f"{name}.json").read_text(encoding="utf-8")
    assert [] == [secret for secret in ("iVBORw0KGgo", "JVBERi0x", "EqQBCgIYAhIM", "not-a-token") if secret in text]


def test_every_snapshot_belongs_to_a_cassette() -> None:
    """None is left over from a cassette that was renamed."""
    snapshots = {path.relative_to(SNAPSHOTS).with_suffix("").as_posix() for path in SNAPSHOTS.rglob("*.json")}
    assert set(PLAIN) == snapshots

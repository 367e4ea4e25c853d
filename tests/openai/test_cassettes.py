"""Exchanges with many servers, recorded or written by hand, and what telemetry tells of each.

A cassette holds one exchange, and everything about the test of it: the request says which client, which method and
which arguments, its first line where it comes from. What telemetry tells is in a file of the same name below
`snapshots`. A streamed exchange (`NAME.stream`) that has a plain twin (`NAME`) has no file of its own: it must tell
what its twin tells, and that it was streamed. `pytest --inline-snapshot=create,fix` writes the files anew.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import openai
import pytest
import yaml
from inline_snapshot import external_file

from loopback import ModelServer, Telemetry, Text, same
from loopback.schemas import CONTENT, complaints
from loopback.snapshot import Strict
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

if sys.version_info < (3, 11):
    pytest.skip("vcrpy that replays for httpx2 needs Python 3.11", allow_module_level=True)

import vcr

CASSETTES = Path(__file__).parents[2] / "cassettes" / "openai"
SNAPSHOTS = Path(__file__).parent / "snapshots"
NAMES = sorted(path.relative_to(CASSETTES).with_suffix("").as_posix() for path in CASSETTES.rglob("*.yaml"))
PLAIN = [name for name in NAMES if f"{name.removesuffix('.stream')}" not in NAMES or not name.endswith(".stream")]
TWINS = sorted(set(NAMES) - set(PLAIN))

ORIGIN = re.compile(r"# (Recorded from .+ on loopback|Written by hand from .+ public API reference \(.+\))\.")
SECRET = re.compile(r"authorization: |cookie|sk-|Bearer|api-key: ", re.IGNORECASE)
# What metric points share with the span; anything else that one has is in the snapshot.
TIER = "openai.response.service_tier"
# The metrics that have the tier as well, by the page of OpenAI.
REFINED = ("gen_ai.client.operation.duration", "gen_ai.client.token.usage")
IDENTITY = (
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "server.address",
    "server.port",
)
DETAILS = "gen_ai.client.inference.operation.details"


@dataclass(frozen=True)
class Exchange:
    """A cassette, as far as the call needs it."""

    method: str
    uri: str
    body: Mapping[str, Any]
    status: int
    answer: str

    @classmethod
    def of(cls, name: str) -> Exchange:
        """The one exchange of the cassette `name`."""
        (interaction,) = yaml.safe_load((CASSETTES / f"{name}.yaml").read_text(encoding="utf-8"))["interactions"]
        request, response = interaction["request"], interaction["response"]
        body = json.loads(request["body"] or "{}")
        return cls(request["method"], request["uri"], body, response["status"]["code"], response["body"]["string"])

    @property
    def chunks(self) -> list[Any]:
        """The events of its stream that an application sees."""
        lines = self.answer.splitlines()
        return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: {")]

    def client(self, *, asynchronous: bool) -> Any:
        """A client of the server that the request went to."""
        url = urlsplit(self.uri)
        settings: dict[str, Any] = {"api_key": "not-a-key", "max_retries": 0}
        if "/deployments/" in url.path:
            kind = openai.AsyncAzureOpenAI if asynchronous else openai.AzureOpenAI
            version = dict(parse_qsl(url.query))["api-version"]
            return kind(azure_endpoint=f"{url.scheme}://{url.netloc}", api_version=version, **settings)
        base = re.sub(r"/(chat/completions|completions|embeddings|responses(/\w+)?)$", "", url.path)
        kind = openai.AsyncOpenAI if asynchronous else openai.OpenAI
        return kind(base_url=f"{url.scheme}://{url.netloc}{base}", **settings)

    def call(self, client: Any) -> Any:
        """The call that makes the request; skips where the SDK has no such method."""
        path = urlsplit(self.uri).path
        if "/responses" in path and not hasattr(client, "responses"):
            pytest.skip("this SDK has no Responses API")
        if self.method == "GET":
            query = {name: int(value) if value.isdigit() else value for name, value in self._query}
            query |= {"stream": True} if "stream" in query else {}
            return client.responses.retrieve(path.rpartition("/")[2], **query)
        if path.endswith("/chat/completions"):
            create = client.chat.completions.create
        else:
            create = getattr(client, path.rpartition("/")[2]).create
        return create(**_keywords(create, self.body))

    @property
    def _query(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.uri).query)


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
            if isinstance(result, openai.Stream):
                list(result)
        except openai.APIError as error:
            raised = error
        assert cassette.all_played
    return recorded(telemetry, raised)


async def replay_async(name: str, telemetry: Telemetry) -> dict[str, Any]:
    """The same with an asynchronous client."""
    exchange = Exchange.of(name)
    _instrument(telemetry)
    raised = None
    with _cassette(name) as cassette:
        async with exchange.client(asynchronous=True) as client:
            try:
                result = await exchange.call(client)
                if isinstance(result, openai.AsyncStream):
                    [chunk async for chunk in result]
            except openai.APIError as error:
                raised = error
        assert cassette.all_played
    return recorded(telemetry, raised)


def _instrument(telemetry: Telemetry) -> None:
    OpenAIInstrumentor().instrument(
        **telemetry.providers, capture_message_content="span_and_event", host_providers="localhost:8000=vllm"
    )


def _cassette(name: str) -> Any:
    return vcr.use_cassette(str(CASSETTES / f"{name}.yaml"), record_mode="none", match_on=["method", "uri", "body"])


def recorded(telemetry: Telemetry, raised: openai.APIError | None) -> dict[str, Any]:
    """All that was recorded, each thing once, so that a person can read it.

    The content on the span is taken out of its JSON, and must be the content of the event. Of the points of metrics
    only that is left which the span does not tell. What the SDK's exception says differs from version to version.
    """
    snapshot = telemetry.snapshot()
    (span,) = snapshot["spans"]
    attributes = {name: _content(name, value) for name, value in span["attributes"].items()}
    assert {"kind": "CLIENT", "parent": None, "events": []}.items() <= span.items()
    words = {str(raised): "<message>"} if raised else {}
    return Strict(
        span=span["name"],
        status=_in_words(span["status"], words),
        attributes=attributes,
        metrics={name: _points(name, metric, attributes) for name, metric in snapshot["metrics"].items()},
        events={event["event_name"]: _event(event, attributes, span, words) for event in snapshot["events"]},
    )


def _content(name: str, value: Any) -> Any:
    """An attribute's value, out of its JSON if it is content."""
    if name not in CONTENT:
        return value
    assert type(value) is str
    content = json.loads(value)
    assert [] == complaints(name, content)
    return content


def _points(metric_name: str, metric: Mapping[str, Any], attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What each point has beyond the identity of the call -> how often, or how much in all."""
    names = (*IDENTITY, TIER) if metric_name in REFINED else IDENTITY
    shared = {name: attributes[name] for name in names if name in attributes}
    points = {}
    for point in metric["points"]:
        own = [f"{name}={value}" for name, value in point["attributes"].items() if shared.get(name) != value]
        own += [f"without {name}" for name in shared if name not in point["attributes"]]
        seconds = point["sum"] == "<seconds>"
        points[" ".join(own)] = f"{point['count']} x" if seconds else point["sum"]
    return points


def _in_words(attributes: Mapping[str, Any], words: Mapping[str, str]) -> dict[str, Any]:
    """The attributes, values that are in `words` replaced."""
    return {name: words.get(value, value) for name, value in attributes.items()}


def _event(
    event: Mapping[str, Any], attributes: Mapping[str, Any], span: Mapping[str, Any], words: Mapping[str, str]
) -> Any:
    """What an event tells; of the details only that they are those of the span."""
    assert span["name"] == event["span"]
    assert event["timestamp"]
    if event["event_name"] != DETAILS:
        return _in_words(event["attributes"], words)
    assert same(dict(attributes), dict(event["attributes"]))
    return "as the span"


@pytest.mark.parametrize("name", PLAIN)
def test_telemetry_tells_what_was_exchanged(name: str, telemetry: Telemetry) -> None:
    """Attributes, messages, metrics and events of a call are those of its snapshot, with their types."""
    assert external_file(SNAPSHOTS / f"{name}.json") == replay(name, telemetry)


@pytest.mark.parametrize("name", PLAIN)
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
    """What the twin's snapshot would be, had its response been streamed in as many chunks."""
    snapshot = json.loads((SNAPSHOTS / f"{name.removesuffix('.stream')}.json").read_text(encoding="utf-8"))
    if snapshot["span"] != "fetch_response":
        snapshot["attributes"]["gen_ai.request.stream"] = True
    chunks = Exchange.of(name).chunks
    if chunks:
        snapshot["attributes"]["gen_ai.response.time_to_first_chunk"] = "<seconds>"
        snapshot["metrics"]["gen_ai.client.operation.time_to_first_chunk"] = {"": "1 x"}
        # The times of chunks are recorded as they come, so without a model that is named later than in the second.
        named = any(chunk.get("response", chunk).get("model") for chunk in chunks[:2])
        point = "" if named else "without gen_ai.response.model"
        snapshot["metrics"]["gen_ai.client.operation.time_per_output_chunk"] = {point: f"{len(chunks) - 1} x"}
    return snapshot


@pytest.mark.parametrize("name", [name for name in TWINS if name.startswith("responses/")])
def test_a_response_without_its_last_event_is_put_together_from_its_items(
    name: str, server: ModelServer, telemetry: Telemetry
) -> None:
    """Events carry each item whole before the last one carries all of them; the reason is missing, and usage."""
    received = _cut(name, "response.completed", "response.incomplete", "response.failed")
    assert _parts(name) == _read_parts(received, server, telemetry)


@pytest.mark.parametrize(
    "name", ["custom_tool_call", "function_calls", "llama_cpp", "reasoning", "reasoning_text", "refusal", "text"]
)
def test_an_unfinished_item_is_put_together_from_its_pieces(
    name: str, server: ModelServer, telemetry: Telemetry
) -> None:
    """A stream that ends before the last item was sent whole has all that was received."""
    received = _cut(f"responses/{name}.stream", "response.output_item.done")
    assert _parts(f"responses/{name}") == _read_parts(received, server, telemetry)


@pytest.mark.parametrize("name", ["function_calls", "reasoning"])
def test_items_need_no_number(name: str, server: ModelServer, telemetry: Telemetry) -> None:
    """llama.cpp does not number the items of a stream; they are distinguished by their ids, and come in order."""
    received = _cut(f"responses/{name}.stream", "response.completed")
    unnumbered = replace(received, answer=re.sub(r'"output_index":\d+,', "", received.answer))
    assert _parts(f"responses/{name}") == _read_parts(unnumbered, server, telemetry)


def _cut(name: str, *events: str) -> Exchange:
    """The exchange, with an answer that ends before the last one of these events."""
    exchange = Exchange.of(name)
    blocks = exchange.answer.split("\n\n")
    last = max(place for place, block in enumerate(blocks) if _event_type(block) in events)
    return replace(exchange, answer="".join(f"{block}\n\n" for block in blocks[:last]))


def _event_type(block: str) -> Any:
    """What an event says that it is; not every server names it on a line of its own."""
    lines = [line.removeprefix("data: ") for line in block.splitlines() if line.startswith("data: {")]
    return json.loads(lines[0])["type"] if lines else None


def _parts(name: str) -> Any:
    """The parts of the one output message in a snapshot."""
    snapshot = json.loads((SNAPSHOTS / f"{name.removesuffix('.stream')}.json").read_text(encoding="utf-8"))
    (message,) = snapshot["attributes"].get("gen_ai.output.messages") or [{"parts": []}]
    return message["parts"]


def _read_parts(exchange: Exchange, server: ModelServer, telemetry: Telemetry) -> Any:
    """The same of a call that gets this answer."""
    server.reply(Text(exchange.answer, content_type="text/event-stream"))
    _instrument(telemetry)
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="not-a-key", max_retries=0) as client:
        list(exchange.call(client))
    assert ("error",) == telemetry.span.attributes["gen_ai.response.finish_reasons"]
    (message,) = json.loads(telemetry.span.attributes["gen_ai.output.messages"])
    return message["parts"]


@pytest.mark.parametrize("name", NAMES)
def test_a_cassette_says_where_it_comes_from_and_holds_no_secret(name: str) -> None:
    """Its first line names its origin, its second what it shows; no credentials are in it."""
    text = (CASSETTES / f"{name}.yaml").read_text(encoding="ascii")
    first, second, *_ = text.splitlines()
    assert ORIGIN.fullmatch(first)
    assert second.startswith("# ")
    assert [] == SECRET.findall(text)


def test_every_snapshot_belongs_to_a_cassette() -> None:
    """None is left over from a cassette that was renamed."""
    snapshots = {path.relative_to(SNAPSHOTS).with_suffix("").as_posix() for path in SNAPSHOTS.rglob("*.json")}
    assert set(PLAIN) == snapshots

"""With content off, no content is exported: the bytes that an OTLP receiver gets of every call of the contract."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from contract import VARIANTS, Client, Provider, Row, Variant, Way, expected
from contract.providers import PROVIDERS
from loopback import uninstrument_all
from loopback.exported import Exported

CREDENTIALS = ("authorization", "x-api-key", "api-key", "x-amz-security-token")
Made = tuple[Client, Row, Variant, Way]


def calls(provider: Provider) -> Iterator[Made]:
    """Every row in every variant; one of them by every other client, but for those that change what is global."""
    first, *others = provider.clients
    for row in provider.rows:
        for variant in VARIANTS:
            if variant.fits(row):
                yield from ((first, row, variant, way) for way in first.ways)
    row = provider.rows[0]
    variant = next(variant for variant in VARIANTS if variant.fits(row))
    yield from ((client, row, variant, way) for client in others if client.reset is None for way in client.ways)


def words(value: Any) -> Iterator[str]:
    """The texts in JSON values, and names of their members, but those too short to tell."""
    if isinstance(value, str):
        yield from (value,) if len(value) > 3 else ()
    elif hasattr(value, "items"):
        for name, held in value.items():
            yield from words(name)
            yield from words(held)
    elif isinstance(value, (list, tuple)):
        for held in value:
            yield from words(held)


def content_of(row: Row, client: Any) -> set[str]:
    """The content of a call, of the application and of the model."""
    return {*words([row.arguments(client), row.content, row.output, row.stream_output])}


def recorded_without_content(provider: Provider) -> str:
    """All names and values that the provider's calls record: content may have the same words."""
    return "https://opentelemetry.io/schemas" + repr(
        [expected(row, variant, {}, content=False) for _, row, variant, _ in calls(provider)]
    )


@pytest.fixture
def exported(receiver) -> Iterator[Exported]:
    """Instrument with its providers."""
    everything = Exported(receiver)
    yield everything
    uninstrument_all()
    everything.shutdown()


@pytest.mark.filterwarnings("ignore:deprecated$:DeprecationWarning")  # methods that the SDK deprecates
@pytest.mark.parametrize("capture", [False, True], ids=["content off", "content on"])
@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
def test_no_content_is_exported(server, exported, clients, *, provider: Provider, capture: bool) -> None:
    """No prompt, completion, tool, argument, result, and no credential; with content, it would be found, but for the credential."""
    provider.instrumentor().instrument(**exported.providers, capture_message_content=capture)
    talked: set[str] = set()
    credentials: set[str] = set()
    for client, row, variant, way in calls(provider):
        made = _client(clients, client, way)
        if made is None or row.missing(made, variant.access, stream=variant.stream):
            continue
        reply = row.reply(stream=variant.stream)
        assert reply is not None
        server.reset()
        server.reply(client.answers(reply))
        keywords = row.keywords(made, stream=variant.stream)
        way.run(variant.read(lambda: row.find(made, variant.access)(**keywords)))  # noqa: B023 - it is called at once
        talked |= content_of(row, made)
        credentials |= {secret for request in server.requests for secret in _credentials(request.headers)}

    known = recorded_without_content(provider)
    planted = {word for word in talked if word not in known}
    raw = exported.bytes
    found = {word for word in planted if word.encode() in raw}
    assert {"Hello", "Be brief.", "weather"} <= planted
    assert ({"Hello", "Be brief.", "weather"} if capture else set()) <= found
    assert capture or not found
    assert credentials
    assert not {key for key in credentials if key.encode() in raw}


def _client(clients: Any, client: Client, way: Way) -> Any:
    """A client; None where this SDK has none."""
    try:
        return clients(client, way)
    except pytest.skip.Exception:
        return None


def _credentials(headers: Any) -> Iterator[str]:
    for name in CREDENTIALS:
        if name in headers:
            yield headers[name].rpartition(" ")[2]

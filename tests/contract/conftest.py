"""Clients that live as long as the session, and one call made twice: without the instrumentation, and with it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from contract import Client, Provider, Row, Variant, Way
from contract.drive import WAYS, settled
from contract.expected import read_content
from loopback import ModelServer, RecordedRequest, Reply, Snapshot, Telemetry

Clients = Callable[[Client, Way], Any]
_SIGNATURE = ("x-amz-date", "authorization")


@pytest.fixture(scope="session")
def made_clients(model_server: ModelServer) -> Iterator[dict[tuple[Client, str], Any]]:
    """Those made so far: making one loads certificates, which takes longer than a test."""
    made: dict[tuple[Client, str], Any] = {}
    yield made
    ways = {way.name: way for way in WAYS}
    for (_, way), client in made.items():
        if hasattr(client, "close"):
            ways[way].run(_closed(client))


async def _closed(client: Any) -> None:
    await settled(client.close())


@pytest.fixture
def clients(server: ModelServer, made_clients: dict[tuple[Client, str], Any]) -> Iterator[Clients]:
    """Makes a client of the model server, or gives the one it made before; what is global is put back after the test."""
    resets = []

    def client(wanted: Client, way: Way) -> Any:
        key = (wanted, way.name)
        found = made_clients.get(key)
        if wanted.missing:
            pytest.skip(wanted.missing)
        if found is None:
            found = wanted.make(way, server.url)
            if wanted.reset is None:
                made_clients[key] = found
            else:
                resets.append(wanted.reset)
        if found is None:
            pytest.skip(f"this SDK has no {wanted.id} client")
        return found

    yield client
    for reset in resets:
        reset()


@dataclass(frozen=True)
class Made:
    """One call that was made: what the application got, what the server was asked, what was recorded, the members of its body."""

    result: Any
    requests: list[Any]
    snapshot: Snapshot
    members: Sequence[str] = ()


@dataclass(frozen=True)
class Caller:
    """Makes calls."""

    server: ModelServer
    telemetry: Telemetry
    clients: Clients

    def new(self, client: Client, way: Way) -> Any:
        """One that no test had before."""
        return self.clients(replace(client, id=f"{client.id}, new"), way)

    def make(
        self, row: Row, variant: Variant, client: Any, way: Way, answers: Callable[[Reply], Reply] = lambda reply: reply
    ) -> Made:
        """One call, with or without instrumentation, whichever there is. The caller's arguments stay as they are."""
        missing = row.missing(client, variant.access, stream=variant.stream)
        if missing:
            pytest.skip(missing)
        reply = row.reply(stream=variant.stream)
        assert reply is not None, "a variant that does not fit the row"
        self.server.reset()
        self.server.reply(answers(reply))
        keywords = row.keywords(client, stream=variant.stream)
        before = repr(keywords)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "deprecated$", DeprecationWarning)  # methods that the SDK deprecates
            result = way.run(variant.read(lambda: row.find(client, variant.access)(**keywords)))
        assert before == repr(keywords), "the caller's arguments were changed"
        assert 0 == self.server.waiting, "no request was made"
        return Made(
            result,
            [_asked(request) for request in self.server.requests],
            read_content(self.telemetry.snapshot()),
            sorted(self.server.requests[-1].members),
        )

    def make_twice(
        self,
        provider: Provider,
        row: Row,
        variant: Variant,
        client: Any,
        way: Way,
        *,
        answers: Callable[[Reply], Reply] = lambda reply: reply,
        **settings: Any,
    ) -> tuple[Made, Made]:
        """The same call without and with instrumentation; `answers` says what the server makes of the row's reply."""
        bare = self.make(row, variant, client, way, answers=answers)
        provider.instrumentor().instrument(**self.telemetry.providers, **settings)
        return bare, self.make(row, variant, client, way, answers=answers)


def _asked(request: RecordedRequest) -> Any:
    """All of a request: its headers in their order, and the bytes of its body.

    Of what signs a moment there are the names, and of a form the boundary is always the same.
    """
    signed = _SIGNATURE if "x-amz-date" in request.headers else ()
    headers = [(name, "" if name in signed else value) for name, value in request.headers.items()]
    if not request.boundary:
        return request.method, request.path, headers, request.body
    headers = [(name, value.replace(request.boundary, "boundary")) for name, value in headers]
    return request.method, request.path, headers, request.body.replace(request.boundary.encode(), b"boundary")


@pytest.fixture
def caller(server: ModelServer, telemetry: Telemetry, clients: Clients) -> Caller:
    """Makes calls to the model server, and records what they leave."""
    return Caller(server, telemetry, clients)

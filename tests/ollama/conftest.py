"""What the tests of Ollama share: clients, readings that are made twice, and nothing that OpenTelemetry logs meanwhile."""

from __future__ import annotations

import gc
import logging
from collections.abc import AsyncIterator, Iterator

import ollama
import pytest

from loopback import ModelServer, Telemetry
from ollama_endings import Twice


@pytest.fixture
def twice(server: ModelServer, telemetry: Telemetry) -> Twice:
    """Reads without and with the instrumentation; content goes to the spans, so that what was received shows."""
    return Twice(server, telemetry)


@pytest.fixture
def client(server: ModelServer) -> Iterator[ollama.Client]:
    """A client of the model server."""
    made = ollama.Client(host=server.url, verify=False)
    yield made
    made._client.close()


@pytest.fixture
async def async_client(server: ModelServer) -> AsyncIterator[ollama.AsyncClient]:
    """An asynchronous client of the model server."""
    made = ollama.AsyncClient(host=server.url, verify=False)
    yield made
    await made._client.aclose()


@pytest.fixture(autouse=True)
def collections_on_request() -> Iterator[None]:
    """The collector runs where a test says so, and looks only at what came since the test began."""
    gc.collect()
    gc.freeze()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(autouse=True)
def nothing_is_logged(caplog: pytest.LogCaptureFixture, without_start_line: None) -> Iterator[None]:
    """No line of OpenTelemetry or of ours, "Failed to detach context" the first of them."""
    caplog.set_level(logging.INFO, "opentelemetry")
    caplog.set_level(logging.INFO, "opentelemetry_instrumentation_genai")
    yield
    for phase in ("setup", "call"):
        logged = [record for record in caplog.get_records(phase) if record.name.startswith("opentelemetry")]
        assert [] == [(record.name, record.getMessage()) for record in logged]
